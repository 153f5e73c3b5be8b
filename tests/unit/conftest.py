"""What unit tests of several rooms need."""

from collections.abc import Iterator

import pytest


@pytest.fixture
def three_threads() -> Iterator[None]:
    """Torch computes in three threads, whatever the machine has."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)
