"""Cases with their images, histology and findings: what is known of a patient's visit."""
