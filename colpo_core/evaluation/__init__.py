"""Evaluation: metrics with their intervals, agreement of masks."""
