"""Checkpoints, their cards, marks and tables, and the catalogue of networks."""
