"""Checkpoints: the registry, promotions with their checks, evaluations, cards, predictions that are asked for."""
