"""How many CPU threads torch computes on."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def leaving_a_core() -> Iterator[None]:
    """Leave one core of the processor to others, and afterwards torch's own number as it was.

    A step waits for its threads some thousand times. Where another program wants one of their cores, each wait lasts
    until that program's turn is over, and a step takes ten times as long and more: far more than the last core brings.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, min(before, cores() - 1)))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def cores() -> int:
    """Cores of the processor that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
