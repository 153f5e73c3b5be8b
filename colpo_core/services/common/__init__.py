"""What every subject needs: who may do what, the log, exposures, blinding, rows of images and masks."""
