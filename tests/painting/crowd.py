"""Many annotators who save at once."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx
import numpy as np

from tests.painting.clients import Painter, SaveRefused
from tests.painting.spread import Spread
from tests.painting.strokes import growing_lesion
from tests.painting.ward import Seat


@dataclass
class CrowdFigures:
    """What many annotators at once were told.

    Attributes:
        saves: How long the confirmed saves took.
        errors: Saves that were answered with an error, or not at all: a sentence for each.
        conflicts: Of these, refusals because somebody else had saved.
        lost: Documents that do not hold what was confirmed last.
    """

    saves: Spread
    errors: list[str] = field(default_factory=list)
    conflicts: int = 0
    lost: list[str] = field(default_factory=list)


@dataclass
class _Heard:
    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    conflicts: int = 0


def save_at_once(url: str, seats: Sequence[Seat], *, seconds: float, every_s: float = 0.25) -> CrowdFigures:
    """Let the annotators of all seats save a stroke every quarter of a second, each in a rhythm of their own.

    The masks are drawn before the clock runs, so that drawing takes no time from the server.
    """
    n_strokes = int(seconds / every_s)
    masks = []
    for number, seat in enumerate(seats):
        growing = growing_lesion(number, width_px=seat.width_px, height_px=seat.height_px)
        masks.append([next(growing) for _ in range(n_strokes)])
    painters = [Painter(url, seat) for seat in seats]
    begin = time.perf_counter() + 0.2
    offsets = np.random.default_rng(0).uniform(0, every_s, len(seats))
    with ThreadPoolExecutor(len(seats)) as pool:
        told = list(
            pool.map(
                lambda painter, codes, offset: _save_all(painter, codes, begin + offset, every_s),
                painters,
                masks,
                offsets,
            )
        )
    figures = CrowdFigures(Spread.of([second for heard in told for second in heard.seconds]))
    for painter, heard in zip(painters, told, strict=True):
        figures.errors += [f"{painter.seat.document_id}: {text}" for text in heard.errors]
        figures.conflicts += heard.conflicts
        if not painter.holds_what_was_confirmed():
            figures.lost.append(painter.seat.document_id)
        painter.close()
    return figures


def _save_all(painter: Painter, codes: Sequence[bytes], begin: float, every_s: float) -> _Heard:
    heard = _Heard()
    for number, code in enumerate(codes):
        time.sleep(max(0.0, begin + number * every_s - time.perf_counter()))
        try:
            heard.seconds.append(painter.save(code))
        except SaveRefused as refused:
            heard.errors.append(str(refused))
            heard.conflicts += refused.status == 409
        except httpx.TransportError as error:
            heard.errors.append(f"no answer: {error!r}")
    return heard
