"""Whether the store's folder can be written: tried from time to time, since a full disk tells nobody by itself."""

import os
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from uuid import uuid4

from colpo_core.services.common.incidents import log_incident

_PROBE_BYTES = 256 * 1024
_WELL_SECONDS = 30.0
_UNWELL_SECONDS = 2.0


class DiskProbe:
    """Tries from time to time whether the store's folder can be written.

    Args:
        folder: The store's.
        clock: Seconds that only grow.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._is_writable = True
        self._tried_at: float | None = None

    def is_writable(self) -> bool:
        """What the last try found; a new one after 30 seconds, or 2 where the last one failed."""
        with self._lock:
            pause = _WELL_SECONDS if self._is_writable else _UNWELL_SECONDS
            if self._tried_at is None or self._clock() - self._tried_at >= pause:
                self._is_writable = self._try()
                self._tried_at = self._clock()
            return self._is_writable

    def _try(self) -> bool:
        path = self._folder / f"health.{uuid4().hex}.writing"
        try:
            with path.open("wb") as file:
                file.write(bytes(_PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            log_incident(error)
            return False
        finally:
            _remove(path)
        return True


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log_incident(error)


@cache
def probe_of(folder: Path) -> DiskProbe:
    """The one probe of this process for a folder."""
    return DiskProbe(folder)
