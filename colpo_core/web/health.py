"""Whether the program is up, for whoever watches the machine: nothing else is told."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colpo_core.errors import Busy
from colpo_core.services.common.incidents import log_incident
from colpo_core.services.people.accounts import needs_first_administrator
from colpo_core.store import Store
from colpo_core.web.limits import HEALTH, in_lane

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


def routes(store: Store) -> list[Route]:
    """The route of health; it stands open.

    Args:
        store: The open store.
    """
    probe = DiskProbe(store.settings.data_dir)

    def look() -> str:
        try:
            needs_first_administrator(store)  # the cheapest question that reaches the file
        except Exception as error:
            log_incident(error)
            return "the store cannot be read"
        return "ok" if probe.is_writable() else "the store cannot be written"

    async def health(request: Request) -> Response:
        try:
            status = await in_lane(HEALTH, look)
        except Busy as error:
            return JSONResponse({"status": str(error)}, status_code=503, headers={"Retry-After": str(error.retry_after)})
        return JSONResponse({"status": status}, status_code=200 if status == "ok" else 503)

    return [Route("/colpo/health", health, methods=["GET"])]
