"""Opening the store for a program that runs on it."""

from colpo_core.settings import Settings
from colpo_core.store import Store as Store


def open_store(settings: Settings | None = None, *, make: bool = False) -> Store:
    """Open the store that the settings name.

    Args:
        settings: Read from the environment when None.
        make: Whether to make a new one where there is none.

    Raises:
        NotFound: There is none, and none is to be made; nothing was written.
        StoreDamaged: The database is lost or empty beside the files of a store, or it is damaged.
        StoreMismatch: The store's schema is older or newer than the program.
    """
    return Store.open(settings or Settings.from_environment(), make=make)
