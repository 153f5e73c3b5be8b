import pytest
import torch

from colpo_core.errors import JobFailed
from colpo_core.terms import Label
from colpo_core.training.readiness import check_trainable, explaining_memory
from tests.support.blobs import Blobs, blobs

ALIKE = "so there is nothing to tell apart. Add cases that are"


def test_a_snapshot_with_all_that_is_needed_passes() -> None:
    check_trainable(blobs((2, 0, 0)).manifest)


@pytest.mark.parametrize(
    ("some", "words"),
    [
        (blobs((1, 2, 2)), r"images of 1 patient, and one is not enough.*freeze a new snapshot"),
        (blobs((0, 2, 2)), "images of 0 patients"),
        (blobs((4, 0, 0), masks=False), r"No image on the training side has a mask.*Annotate"),
        (blobs((4, 0, 0), labels=[None]), r"No image on the training side has a label.*histology"),
        (blobs((4, 0, 0), labels=[Label.HSIL]), f"are hsil, {ALIKE} normal"),
        (blobs((4, 0, 0), labels=[Label.NORMAL]), f"are normal, {ALIKE} hsil"),
    ],
    ids=["one patient", "no patient", "no mask", "no label", "hsil alone", "normal alone"],
)
def test_what_cannot_be_learned_from_is_refused(some: Blobs, words: str) -> None:
    with pytest.raises(JobFailed, match=words):
        check_trainable(some.manifest)


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
