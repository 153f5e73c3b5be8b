import os
import sys

import pytest
import torch

from colpo_core.nets import threads


@pytest.mark.parametrize(("cores", "left"), [(1, 1), (2, 1), (3, 2), (4, 3), (8, 3)])
def test_one_core_is_left_to_others(
    monkeypatch: pytest.MonkeyPatch, three_threads: None, cores: int, left: int
) -> None:
    monkeypatch.setattr(threads, "cores", lambda: cores)
    with threads.leaving_a_core():
        assert torch.get_num_threads() == left
    assert torch.get_num_threads() == 3


def test_torch_is_left_as_it_was_after_an_error(three_threads: None) -> None:
    with pytest.raises(ZeroDivisionError), threads.leaving_a_core():
        raise ZeroDivisionError
    assert torch.get_num_threads() == 3


@pytest.mark.skipif(sys.platform != "linux", reason="cores are given to processes on Linux")
def test_only_cores_that_the_process_may_use_count() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert threads.cores() == 1
    finally:
        os.sched_setaffinity(0, before)
