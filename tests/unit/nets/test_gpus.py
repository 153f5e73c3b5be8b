import pytest
import torch

from colpo_core.errors import JobFailed
from colpo_core.nets.gpus import explaining_gpus, require_gpus


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_does_not_answer_is_said() -> None:
    with pytest.raises(JobFailed, match="nvidia-smi"):
        require_gpus(1)


def test_a_gpu_that_fails_in_the_middle_is_said() -> None:
    with pytest.raises(JobFailed, match=r"unspecified launch failure.*nvidia-smi"), explaining_gpus():
        raise torch.AcceleratorError("CUDA error: unspecified launch failure\nmore for programmers")


def test_a_lack_of_memory_and_other_errors_go_by() -> None:
    for error in (torch.OutOfMemoryError("out of memory"), ValueError("else")):
        with pytest.raises(type(error)), explaining_gpus():
            raise error
