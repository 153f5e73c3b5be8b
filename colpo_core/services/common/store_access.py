"""Opening the store for a program that runs on it."""

from colpo_core.settings import Settings
from colpo_core.store import Store as Store


def open_store(settings: Settings | None = None) -> Store:
    """Open the store that the settings name, and make it where there is none.

    Args:
        settings: Read from the environment when None.

    Raises:
        StoreMismatch: The store's schema is older or newer than the program.
    """
    return Store.open(settings or Settings.from_environment())
