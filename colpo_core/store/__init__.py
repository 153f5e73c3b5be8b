"""The store: database, files and migrations. Only services open it."""

from colpo_core.store.engine import Store

__all__ = ["Store"]
