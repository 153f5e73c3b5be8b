"""Figures with their intervals, in whatever subject they stand."""
