"""A server that is killed again and again while strokes arrive, and what it holds afterwards."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from colpo_core.errors import MaskRejected
from colpo_core.images.masks import mask_sha256, rle_area
from colpo_core.settings import Settings
from tests.browser.conftest import Server
from tests.painting.clients import Held, Painter, SaveRefused
from tests.painting.strokes import growing_lesion
from tests.painting.ward import Seat

_SHORTEST_S, _LONGEST_S = 0.02, 0.35
_GIVE_UP_S = 60


@dataclass
class KillFigures:
    """What a series of kills did.

    Attributes:
        n_kills: How often the server was killed.
        n_confirmed: Saves that were answered in all.
        n_cut: Saves that were on their way when the server died.
        n_cut_stored: Of these, how many the server held when it was back: answered or not, they are whole.
        start_s: Seconds from each start of the server until it answered.
        problems: What must not be: a sentence for each.
    """

    n_kills: int = 0
    n_confirmed: int = 0
    n_cut: int = 0
    n_cut_stored: int = 0
    start_s: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def run_kill_series(server: Server, seats: Sequence[Seat], *, n_kills: int, seed: int = 0) -> KillFigures:
    """Let every seat's annotator save without pause, and kill the running server at random moments.

    After each start it is checked that each document is what was confirmed last or, whole, what was on its way;
    that every mask in the store decodes; and that SQLite finds its file sound. A save that got no answer is sent
    again as the editor does, and must then be confirmed with the very next sequence.
    """
    figures = KillFigures()
    rng = np.random.default_rng(seed)
    painters = [Painter(server.url, seat) for seat in seats]
    masks = [
        growing_lesion(seed + number, width_px=seat.width_px, height_px=seat.height_px)
        for number, seat in enumerate(seats)
    ]
    with ThreadPoolExecutor(len(painters)) as pool:
        for number in range(n_kills):
            running = [pool.submit(_save_until_cut, *pair) for pair in zip(painters, masks, strict=True)]
            time.sleep(rng.uniform(_SHORTEST_S, _LONGEST_S))
            server.kill()
            said = [future.result(timeout=_GIVE_UP_S) for future in running]
            figures.problems += [f"kill {number + 1}: {text}" for text in said if text]
            start = time.perf_counter()
            server.start()
            figures.start_s.append(time.perf_counter() - start)
            figures.n_kills += 1
            figures.problems += [f"kill {number + 1}: {text}" for text in _check(server, painters, figures)]
    figures.problems += [
        f"{painter.seat.document_id} does not hold what was confirmed last"
        for painter in painters
        if not painter.holds_what_was_confirmed()
    ]
    figures.n_confirmed = sum(painter.n_confirmed for painter in painters)
    for painter in painters:
        painter.close()
    return figures


def _save_until_cut(painter: Painter, masks: Iterator[bytes]) -> str:
    """Save until no answer comes; returns what was wrong with an answer, or nothing."""
    for code in masks:
        try:
            painter.save(code)
        except httpx.TransportError:
            return ""
        except SaveRefused as refused:
            painter.on_its_way = None
            return f"{painter.seat.document_id} was refused: {refused}"
    return ""


def _check(server: Server, painters: Sequence[Painter], figures: KillFigures) -> Iterator[str]:
    yield from check_store(server.data_dir)
    for painter in painters:
        name, held = painter.seat.document_id, painter.held()
        is_cut_one = painter.on_its_way is not None and _is(held, painter.seq + 1, painter.on_its_way)
        figures.n_cut += painter.on_its_way is not None
        figures.n_cut_stored += is_cut_one
        if not (is_cut_one or _is(held, painter.seq, painter.confirmed)):
            yield (
                f"{name} was confirmed at {painter.seq}; the server holds {held.seq} with {held.n_strokes} strokes, "
                "or another mask"
            )
        if painter.on_its_way is not None:
            try:
                painter.save(painter.on_its_way)
            except SaveRefused as refused:
                yield f"{name}: what was on its way was refused when it came again: {refused}"


def _is(held: Held, seq: int, code: bytes | None) -> bool:
    """Whether the server holds this mask after so many saves, each counted once; any mask where `code` is None."""
    return held == Held(seq, held.code if code is None else code, n_strokes=seq)


def check_store(data_dir: Path) -> Iterator[str]:
    """What is wrong with a store's file and with the masks in it; the file may be in use."""
    path = Settings(data_dir=data_dir).database_path
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        for (text,) in connection.execute("PRAGMA integrity_check"):
            if text != "ok":
                yield f"SQLite: {text}"
        for row in connection.execute("PRAGMA foreign_key_check"):
            yield f"SQLite: a row of {row[0]} refers to nothing"
        masks = connection.execute("SELECT id, sha256, width_px, height_px, area_px, rle FROM masks").fetchall()
    for mask_id, *row in masks:
        if not _is_whole(*row):
            yield f"mask {mask_id} is not what it was stored as"


def _is_whole(sha256: str, width_px: int, height_px: int, area_px: int, code: bytes) -> bool:
    try:
        return mask_sha256(code) == sha256 and rle_area(code, height_px=height_px, width_px=width_px) == area_px
    except MaskRejected:
        return False
