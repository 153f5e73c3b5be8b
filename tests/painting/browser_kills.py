"""A page that somebody goes on painting on while the server behind it is killed and started again."""

import threading
import time
from dataclasses import dataclass

import numpy as np

from colpo_core.images.masks import decode_rle
from tests.browser.conftest import Server
from tests.painting.clients import Painter
from tests.painting.screen import Point, Tab

COLUMNS, ROWS = 16, 12
_BETWEEN_STROKES_MS = 120
_STROKE_SHARE = 0.2  # of a cell


@dataclass(frozen=True)
class BrowserKillFigures:
    """What came of it.

    Attributes:
        n_kills: How often the server was killed.
        n_strokes: How many strokes came on the screen meanwhile.
        n_not_taken: How many did not: the editor was not ready for them, and the painter saw it.
        n_missing: Of those on the screen, how many the server does not hold at the end.
        is_the_screen: Whether the server holds exactly what the screen shows.
    """

    n_kills: int
    n_strokes: int
    n_not_taken: int
    n_missing: int
    is_the_screen: bool


class _Killer(threading.Thread):
    """Kills at random moments and starts again, while the browser's own thread paints."""

    def __init__(self, server: Server, n_kills: int, seed: int) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._pauses = np.random.default_rng(seed).uniform(0.2, 1.5, n_kills)
        self.n_done = 0

    def run(self) -> None:
        for pause in self._pauses:
            time.sleep(pause)
            self._server.kill()
            self._server.start()
            self.n_done += 1


def paint_through_kills(server: Server, tab: Tab, *, n_kills: int, seed: int = 0) -> BrowserKillFigures:
    """Paint short strokes, each in a cell of its own, until the last kill is over, and wait until all is saved.

    Raises:
        RuntimeError: The server could not be started again.
    """
    killer = _Killer(server, n_kills, seed)
    killer.start()
    taken: list[bool] = []
    while killer.is_alive() or len(taken) < 2 * n_kills:
        start, end = _cell(tab, len(taken))
        tab.stroke(start, end)
        tab.page.wait_for_timeout(_BETWEEN_STROKES_MS)
        taken.append(tab.covers(start))
    killer.join()
    if killer.n_done != n_kills:
        raise RuntimeError("the server did not start again; its log says why")
    tab.wait_state("saved")
    shown = tab.shown()
    painter = Painter(server.url, tab.seat)
    held = decode_rle(painter.held().code, height_px=tab.seat.height_px, width_px=tab.seat.width_px)
    painter.close()
    starts = [_cell(tab, number)[0] for number, is_taken in enumerate(taken) if is_taken]
    return BrowserKillFigures(
        n_kills=n_kills,
        n_strokes=len(starts),
        n_not_taken=len(taken) - len(starts),
        n_missing=sum(not held[int(y), int(x)] for x, y in starts),
        is_the_screen=bool(np.array_equal(held, shown)),
    )


def _cell(tab: Tab, number: int) -> tuple[Point, Point]:
    """Where the stroke of a number begins and ends; after the last cell it starts over."""
    row, column = divmod(number % (COLUMNS * ROWS), COLUMNS)
    width, height = tab.seat.width_px / COLUMNS, tab.seat.height_px / ROWS
    x, y = (column + 0.5) * width, (row + 0.5) * height
    return (x, y), (x + width * _STROKE_SHARE, y)
