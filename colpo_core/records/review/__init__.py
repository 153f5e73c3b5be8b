"""Predictions with their reasons, and verdicts."""
