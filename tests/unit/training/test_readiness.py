import pytest
import torch

from colpo_core.errors import JobFailed
from colpo_core.terms import Label
from colpo_core.training.readiness import check_trainable, explaining_memory
from tests.support.blobs import blobs


def test_a_snapshot_with_all_that_is_needed_passes() -> None:
    check_trainable(blobs((2, 0, 0)).manifest)


def test_one_patient_is_refused() -> None:
    with pytest.raises(JobFailed, match=r"images of 1 patient, and one is not enough.*freeze a new snapshot"):
        check_trainable(blobs((1, 2, 2)).manifest)
    with pytest.raises(JobFailed, match="images of 0 patients"):
        check_trainable(blobs((0, 2, 2)).manifest)


def test_no_mask_is_refused() -> None:
    with pytest.raises(JobFailed, match=r"No image on the training side has a mask.*Annotate"):
        check_trainable(blobs((4, 0, 0), masks=False).manifest)


def test_no_label_is_refused() -> None:
    with pytest.raises(JobFailed, match=r"No image on the training side has a label.*histology"):
        check_trainable(blobs((4, 0, 0), labels=[None]).manifest)


@pytest.mark.parametrize(("only", "missing"), [(Label.HSIL, "normal"), (Label.NORMAL, "hsil")])
def test_one_class_is_refused_and_the_other_asked_for(only: Label, missing: str) -> None:
    with pytest.raises(
        JobFailed, match=rf"are {only}, so there is nothing to tell apart. Add cases that are {missing}"
    ):
        check_trainable(blobs((4, 0, 0), labels=[only]).manifest)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_lack_of_memory_says_what_to_do(error: Exception) -> None:
    with pytest.raises(JobFailed, match="smaller batch"), explaining_memory():
        raise error


def test_torch_that_runs_out_of_memory_is_understood() -> None:
    with pytest.raises(JobFailed, match="smaller batch"), explaining_memory():
        torch.empty(2**60)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="shape"), explaining_memory():
        raise RuntimeError("shape mismatch")
