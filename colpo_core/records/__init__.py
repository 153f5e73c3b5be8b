"""Frozen dataclasses that cross rooms, by subject. None of them knows the database."""
