"""Each reader's own order of cases, drawn from the study's seed.

What was read before colours what is read next, so no two readers share an order while there are orders enough; what
is drawn is fixed by the seed, so that a sealed study can be drawn again.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

_REPEATS = 1
_KEPT = 32


@dataclass(frozen=True)
class Showing:
    """One place in an order: a case, shown for the first (1) or the second time (2) in the session."""

    case_id: int
    occurrence: int


def session_orders(
    case_ids: Iterable[int],
    reader_ids: Iterable[int],
    *,
    seed: int,
    n_sessions: int = 1,
    n_repeats: int = 0,
    added: Iterable[int] = (),
) -> Mapping[tuple[int, int], tuple[Showing, ...]]:
    """Draw an order for each reader and session, with hidden repeats.

    The cases that are repeated are drawn from the first half of the order, and come again in its second half at
    least half of the cases later, so that a reader is not reminded.

    Args:
        case_ids: Cases of the study, in any order.
        reader_ids: Readers of the study, in any order.
        seed: The study's seed, 0 or above.
        n_sessions: Sessions a reader.
        n_repeats: Cases that are shown twice in each session, at most half of the cases.
        added: Readers who came after the others had begun, in that order; they change no order of those before them.

    Returns:
        By reader and session (from 1) the showings. No two orders of cases are alike while there are orders enough.

    Raises:
        ValueError: A case or a reader is named twice, the seed is negative, or there are too many repeats.
    """
    return _drawn(tuple(case_ids), tuple(reader_ids), tuple(added), seed, n_sessions, n_repeats)


@lru_cache(maxsize=_KEPT)
def _drawn(
    case_ids: tuple[int, ...],
    reader_ids: tuple[int, ...],
    added: tuple[int, ...],
    seed: int,
    n_sessions: int,
    n_repeats: int,
) -> Mapping[tuple[int, int], tuple[Showing, ...]]:
    """The same, kept: it is asked for with every case that is put before a reader."""
    cases = _sorted_once(case_ids, "case")
    groups = [_sorted_once(reader_ids, "reader"), *([reader] for reader in added)]
    _sorted_once((reader for group in groups for reader in group), "reader")
    if not 0 <= n_repeats <= len(cases) // 2:
        raise ValueError("at most half of the cases can be repeated")
    possible = math.factorial(min(len(cases), 12))
    orders: dict[tuple[int, int], tuple[Showing, ...]] = {}
    taken: set[tuple[int, ...]] = set()
    turns = ((session, reader) for group in groups for session in range(1, n_sessions + 1) for reader in group)
    for session, reader in turns:
        attempt = 0
        order = _draw(cases, _key(seed, reader, attempt, session))
        while order in taken and len(taken) < possible:
            attempt += 1
            order = _draw(cases, _key(seed, reader, attempt, session))
        taken.add(order)
        orders[reader, session] = _with_repeats(order, n_repeats, _key(seed, reader, attempt, session))
    return MappingProxyType(orders)


def _with_repeats(order: tuple[int, ...], n_repeats: int, key: list[int]) -> tuple[Showing, ...]:
    generator = np.random.default_rng([*key, _REPEATS, n_repeats])
    half = (len(order) + 1) // 2
    firsts = sorted(int(index) for index in generator.permutation(len(order) // 2)[:n_repeats])
    # Before which case of the order a repeat comes; its length stands for the end.
    again: dict[int, list[int]] = {}
    for first in firsts:
        again.setdefault(int(generator.integers(first + half, len(order) + 1)), []).append(order[first])
    showings = []
    for index in range(len(order) + 1):
        showings += [Showing(case, 2) for case in again.get(index, ())]
        if index < len(order):
            showings.append(Showing(order[index], 1))
    return tuple(showings)


def _key(seed: int, reader: int, attempt: int, session: int) -> list[int]:
    # The first session is drawn as before there were sessions, so that a study that is being read goes on.
    return [seed, reader, attempt] if session == 1 else [seed, reader, attempt, session]


def _draw(cases: list[int], key: list[int]) -> tuple[int, ...]:
    generator = np.random.default_rng(key)
    return tuple(int(case) for case in generator.permutation(np.asarray(cases, dtype=np.int64)))


def _sorted_once(ids: Iterable[int], name: str) -> list[int]:
    listed = sorted(ids)
    if len(set(listed)) != len(listed):
        raise ValueError(f"a {name} is named twice")
    return listed
