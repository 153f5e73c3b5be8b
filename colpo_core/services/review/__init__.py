"""Predictions beside their reasons, and the operator's verdicts on them."""
