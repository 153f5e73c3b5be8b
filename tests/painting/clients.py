"""An annotator's browser without its screen: saves a document's strokes over HTTP and remembers what was confirmed."""

import time
from base64 import b64decode
from dataclasses import dataclass

import httpx

from colpo_core.services.people.signing_in import SESSION_COOKIE
from tests.painting.ward import Seat

ANSWER_WITHIN_SECONDS = 30.0


class SaveRefused(Exception):
    """The server answered a save with something other than "saved"."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text[:200]}")
        self.status = status


@dataclass(frozen=True)
class Held:
    """What the server holds of a document: its sequence, its mask, and how many strokes it has counted."""

    seq: int
    code: bytes
    n_strokes: int


class Painter:
    """Saves one document, one save at a time.

    Attributes:
        seq: The sequence that the server confirmed last.
        confirmed: The code that it confirmed last; None before the first.
        on_its_way: The code whose answer has not come.
        n_confirmed: How many saves were confirmed.
    """

    def __init__(self, url: str, seat: Seat) -> None:
        self.seat = seat
        self._client = httpx.Client(
            base_url=url,
            headers={"origin": url},
            cookies={SESSION_COOKIE: seat.annotator.token},
            timeout=ANSWER_WITHIN_SECONDS,
        )
        self.seq = 0
        self.confirmed: bytes | None = None
        self.on_its_way: bytes | None = None
        self.n_confirmed = 0

    def save(self, code: bytes) -> float:
        """Save a mask upon what was confirmed last.

        Returns:
            Seconds until the answer.

        Raises:
            SaveRefused: The answer is no confirmation, or not of the next sequence.
            httpx.TransportError: No answer came; `on_its_way` keeps the code.
        """
        self.on_its_way = code
        start = time.perf_counter()
        query = {"base_seq": self.seq, "strokes": 1, "active_ms": 200}
        answer = self._client.put(f"/colpo/annotations/{self.seat.document_id}", params=query, content=code)
        seconds = time.perf_counter() - start
        if answer.status_code != 200:
            raise SaveRefused(answer.status_code, answer.text)
        if answer.json()["seq"] != self.seq + 1:
            raise SaveRefused(200, f"saved upon {self.seq} and told {answer.json()['seq']}")
        self.seq += 1
        self.confirmed, self.on_its_way = code, None
        self.n_confirmed += 1
        return seconds

    def held(self) -> Held:
        """Ask the server what it holds."""
        answer = self._client.get(f"/colpo/annotations/{self.seat.document_id}")
        answer.raise_for_status()
        told = answer.json()
        return Held(told["seq"], b64decode(told["rle"]), told["strokes"])

    def holds_what_was_confirmed(self) -> bool:
        """Whether the server holds exactly what it confirmed last, and has counted each save's stroke once."""
        return self.confirmed is None or self.held() == Held(self.seq, self.confirmed, self.seq)

    def close(self) -> None:
        self._client.close()
