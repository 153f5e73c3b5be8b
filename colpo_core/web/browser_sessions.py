"""Sessions of the screens: whose each is, and how much its owner may leave in the server's memory.

A session is known by a random number. It belongs to the person who opened it: nobody else can enter it or put a file
into it.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Protocol

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from colpo_core.records.people import Actor
from colpo_core.services.common.permissions import CLINICIANS

MOST_BYTES_A_PERSON = 600 * 1024 * 1024
MOST_BYTES = 2400 * 1024 * 1024
_MOST_SESSIONS = 20_000
_UPLOAD = re.compile(r"/_stcore/upload_file/(?P<session>[^/]+)/[^/]+/?")
_LONGEST_LENGTH = 12


class BrowserSessions:
    """Who opened which session."""

    def __init__(self) -> None:
        self._owners: OrderedDict[str, int] = OrderedDict()

    def claim(self, session_id: str, person_id: int) -> None:
        """Note whose a session is; one that has an owner keeps it."""
        self._owners.setdefault(session_id, person_id)
        self._owners.move_to_end(session_id)
        while len(self._owners) > _MOST_SESSIONS:
            self._owners.popitem(last=False)

    def owner(self, session_id: str) -> int | None:
        """Who opened a session; None where it is not known."""
        return self._owners.get(session_id)

    def of(self, person_id: int) -> frozenset[str]:
        """The sessions that a person has opened."""
        return frozenset(session for session, owner in list(self._owners.items()) if owner == person_id)


SESSIONS = BrowserSessions()
"""Those of this process; the screens note them."""


class UploadedFiles(Protocol):
    """Files that wait in the server's memory for their page."""

    def bytes_of(self, session_ids: Collection[str] | None) -> int:
        """How many bytes wait in some sessions; in all for None."""

    def forget_left(self, session_ids: Collection[str]) -> None:
        """Drop what waits in those of the sessions whose page is closed."""


class Uploads:
    """Decides which file may be put into the server's memory.

    Args:
        files: What waits there.
        sessions: Whose the sessions are.
    """

    def __init__(self, files: UploadedFiles, sessions: BrowserSessions = SESSIONS) -> None:
        self._files = files
        self._sessions = sessions
        self._arriving: Counter[int] = Counter()

    @contextmanager
    def admitting(self, connection: HTTPConnection, actor: Actor) -> Iterator[Response | None]:
        """While a file arrives, it counts.

        Yields:
            The refusal; None where the request is no upload, or one that may go on.
        """
        matched = _UPLOAD.fullmatch(connection.scope["path"])
        if matched is None:
            yield None
            return
        n_bytes = _declared_bytes(connection)
        refusal = self._refusal(connection, actor, matched["session"], n_bytes)
        if refusal is not None:
            yield refusal
            return
        self._arriving[actor.person_id] += n_bytes
        try:
            yield None
        finally:
            self._arriving[actor.person_id] -= n_bytes
            if self._arriving[actor.person_id] <= 0:
                del self._arriving[actor.person_id]

    def _refusal(self, connection: HTTPConnection, actor: Actor, session: str, n_bytes: int) -> Response | None:
        if actor.role not in CLINICIANS:
            return PlainTextResponse("Nothing on your pages takes a file.", status_code=403)
        if self._sessions.owner(session) != actor.person_id:
            return PlainTextResponse("This page is not yours. Reload it, then choose the files again.", status_code=403)
        if connection.scope["method"] != "PUT":
            return None
        if n_bytes < 0:
            return PlainTextResponse("The length of the file has to be said first.", status_code=411)
        mine = self._sessions.of(actor.person_id)
        if not self._fits(actor.person_id, mine, n_bytes):
            self._files.forget_left(mine)
        if not self._fits(actor.person_id, mine, n_bytes):
            return PlainTextResponse(
                f"So many files wait already to be imported that this one does not fit: {MOST_BYTES_A_PERSON >> 20} MB "
                "at a time. Import or remove those first, then choose the rest.",
                status_code=413,
            )
        return None

    def _fits(self, person_id: int, mine: frozenset[str], n_bytes: int) -> bool:
        of_person = self._arriving[person_id] + self._files.bytes_of(mine) + n_bytes
        of_all = self._arriving.total() + self._files.bytes_of(None) + n_bytes
        return of_person <= MOST_BYTES_A_PERSON and of_all <= MOST_BYTES


def without_foreign_session(scope: Scope, actor: Actor, sessions: BrowserSessions = SESSIONS) -> Scope:
    """A WebSocket's scope that names no session of somebody else's: whoever names one gets a new one.

    The third part of the protocols that a page asks for is the session that it wants to enter again.
    """
    parts = [part.strip() for part in Headers(scope=scope).get("sec-websocket-protocol", "").split(",")]
    if len(parts) < 3 or sessions.owner(parts[2]) in {None, actor.person_id}:
        return scope
    kept = ", ".join(parts[:2]).encode("latin-1")
    headers = [(name, kept if name.lower() == b"sec-websocket-protocol" else value) for name, value in scope["headers"]]
    return {**scope, "headers": headers, "subprotocols": parts[:2]}


def _declared_bytes(connection: HTTPConnection) -> int:
    text = connection.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_LENGTH else -1
