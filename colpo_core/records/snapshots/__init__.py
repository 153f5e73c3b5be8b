"""Snapshots, and shortcuts to a label in them."""
