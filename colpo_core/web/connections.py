"""Connections that are left lying: closed after a while, and counted, so that they cannot keep others out.

A request's header has to be there within seconds, its body has to keep coming, and an answer has to be taken. A page's
WebSocket is no request, and lives as long as its page; the gate counts those by person.
"""

import asyncio
import gc
import os
from collections import Counter
from typing import Any, ClassVar

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0
BODY_SECONDS = 20.0
LEAST_BYTES_A_SECOND = 4096
ANSWER_SECONDS = 60.0
MOST_AN_ADDRESS = 100
_TRUSTED_PROXIES = "127.0.0.1,::1"
_FILES_KEPT_FREE = 128
_LOOK_SECONDS = 1.0


class TimedProtocol(H11Protocol):
    """HTTP/1.1 with time limits, and with a bound on the connections of one address and of all."""

    _of_address: ClassVar[Counter[str]] = Counter()

    def __init__(self, *given: Any, **named: Any) -> None:  # noqa: ANN401 - handed on as they are
        """As uvicorn makes it."""
        super().__init__(*given, **named)
        self._watch: asyncio.TimerHandle | None = None
        self._address = ""
        self._is_counted = False
        self._waits_since: float | None = None  # for a header
        self._body_since: float | None = None
        self._body_bytes = 0
        self._stuck_since: float | None = None  # an answer that nobody takes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection up, or close it where there are too many."""
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        is_proxy = self._address in _trusted_proxies()
        if (not is_proxy and self._of_address[self._address] >= MOST_AN_ADDRESS) or (
            len(self.connections) > most_connections()
        ):
            self.transport.abort()
            return
        self._of_address[self._address] += 1
        self._is_counted = True
        self._waits_since = self.loop.time()
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Note what kind of thing is arriving."""
        is_idle = self._waits_since is None and self._body_since is None
        before = self.cycle
        if is_idle and (before is None or before.response_complete):
            self._waits_since = self.loop.time()
        self._body_bytes += len(data)
        super().data_received(data)
        if self.cycle is not before and self.cycle is not None:
            self._waits_since = None
            self._body_since, self._body_bytes = self.loop.time(), 0
        if self.cycle is not None and not self.cycle.more_body:
            self._body_since = None

    def handle_websocket_upgrade(self, event: Any) -> None:  # noqa: ANN401 - h11's own type
        """What becomes a WebSocket is watched no longer."""
        self._forget()
        super().handle_websocket_upgrade(event)

    def pause_writing(self) -> None:
        """The other side does not take its answer at the moment."""
        self._stuck_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """It goes on taking it."""
        self._stuck_since = None
        super().resume_writing()

    def _look_later(self) -> None:
        self._watch = self.loop.call_later(_LOOK_SECONDS, self._look)

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        if self._is_left_lying(self.loop.time()):
            self.transport.abort()
            return
        self._look_later()

    def _is_left_lying(self, now: float) -> bool:
        if self._stuck_since is not None and now - self._stuck_since > ANSWER_SECONDS:
            return True
        if self._waits_since is not None:
            return now - self._waits_since > HEADER_SECONDS
        if self._body_since is None:
            return False
        if self.flow.read_paused or self.cycle.response_complete:
            self._body_since, self._body_bytes = now, 0  # it is the program that has not taken it yet
            return False
        return now - self._body_since > BODY_SECONDS + self._body_bytes / LEAST_BYTES_A_SECOND

    def _forget(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        if self._is_counted:
            self._is_counted = False
            self._of_address[self._address] -= 1
            if not self._of_address[self._address]:
                del self._of_address[self._address]


def most_connections() -> int:
    """How many connections this process takes: as many as leave it files enough for the store."""
    if os.name == "nt":
        return 1000
    import resource

    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 10_000 if allowed == resource.RLIM_INFINITY else max(32, min(10_000, allowed - _FILES_KEPT_FREE))


def time_connections() -> int:
    """Give the servers of this process the limits, and let them keep quiet about what they are.

    Streamlit makes its server's configuration itself and hands it to nobody, so it is looked for; a server reads it
    after the program's lifespan has begun.

    Returns:
        How many servers were set.
    """
    n_servers = 0
    for candidate in gc.get_objects():
        if type(candidate) is Config and candidate.loaded:
            candidate.http_protocol_class = TimedProtocol
            candidate.encoded_headers = [line for line in candidate.encoded_headers if line[0] != b"server"]
            n_servers += 1
    return n_servers


def _trusted_proxies() -> frozenset[str]:
    """Whose connections carry those of many: the addresses whose `X-Forwarded-For` the server believes."""
    return frozenset(part.strip() for part in os.environ.get("FORWARDED_ALLOW_IPS", _TRUSTED_PROXIES).split(","))
