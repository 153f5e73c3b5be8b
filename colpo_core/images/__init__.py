"""Images: decode and refuse, de-identify, masks and outlines, simulated cases."""
