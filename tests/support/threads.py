"""Several threads that do the same at once."""

import threading
from collections.abc import Callable


def errors_of_all(deed: Callable[[], object], *, n_threads: int = 6) -> list[Exception]:
    """Do something in several threads at once; returns what they raised."""
    errors: list[Exception] = []

    def attempt() -> None:
        try:
            deed()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors
