"""Snapshots: which cases, masks and labels a training learns from, frozen, with whom nothing may learn from."""
