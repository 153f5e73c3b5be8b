"""Cases, their lists, images and findings."""
