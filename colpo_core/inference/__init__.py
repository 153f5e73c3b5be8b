"""Inference: predict and explain."""
