"""Each reader's own order of cases, drawn from the study's seed.

What was read before colours what is read next, so no two readers share an order while there are orders enough; what
is drawn is fixed by the seed, so that a sealed study can be drawn again.
"""

import math
from collections.abc import Iterable

import numpy as np


def reader_orders(case_ids: Iterable[int], reader_ids: Iterable[int], *, seed: int) -> dict[int, tuple[int, ...]]:
    """Draw one order of the cases for each reader.

    Args:
        case_ids: Cases of the study, in any order.
        reader_ids: Readers of the study, in any order.
        seed: The study's seed, 0 or above.

    Returns:
        For each reader a permutation of the cases, no two alike while there are as many orders as readers.

    Raises:
        ValueError: A case or a reader is named twice, or the seed is negative.
    """
    cases = _sorted_once(case_ids, "case")
    readers = _sorted_once(reader_ids, "reader")
    possible = math.factorial(min(len(cases), 12))
    orders: dict[int, tuple[int, ...]] = {}
    taken: set[tuple[int, ...]] = set()
    for reader in readers:
        attempt = 0
        order = _draw(cases, seed, reader, attempt)
        while order in taken and len(taken) < possible:
            attempt += 1
            order = _draw(cases, seed, reader, attempt)
        taken.add(order)
        orders[reader] = order
    return orders


def _draw(cases: list[int], seed: int, reader: int, attempt: int) -> tuple[int, ...]:
    generator = np.random.default_rng([seed, reader, attempt])
    return tuple(int(case) for case in generator.permutation(np.asarray(cases, dtype=np.int64)))


def _sorted_once(ids: Iterable[int], name: str) -> list[int]:
    listed = sorted(ids)
    if len(set(listed)) != len(listed):
        raise ValueError(f"a {name} is named twice")
    return listed
