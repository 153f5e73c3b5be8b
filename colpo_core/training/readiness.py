"""What a snapshot must hold before anything is learned from it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from colpo_core.datasets.manifest import Manifest
from colpo_core.errors import JobFailed
from colpo_core.terms import Label, Split


def check_trainable(manifest: Manifest) -> None:
    """Refuse a snapshot that a pipeline cannot learn from.

    Raises:
        JobFailed: Too few patients, no mask, no label, or one label only; the message says what to do.
    """
    training = manifest.of(Split.TRAIN)
    patients = {item.patient_id for item in training}
    labels = {item.label for item in training if item.label is not None}
    if len(patients) < 2:
        raise JobFailed(
            f"The training side of the snapshot holds images of {len(patients)} patient{'' if patients else 's'}, and "
            "one is not enough to learn from. Import and label more cases, then freeze a new snapshot."
        )
    if not any(item.mask_sha256 for item in training):
        raise JobFailed(
            "No image on the training side has a mask of acetowhite epithelium. "
            "Annotate images or confirm imported masks, then freeze a new snapshot."
        )
    if not labels:
        raise JobFailed(
            "No image on the training side has a label. "
            "Enter the histology of the cases, or freeze a snapshot by colposcopic impression."
        )
    if len(labels) == 1:
        only, missing = labels.pop(), {Label.NORMAL, Label.HSIL}
        missing.discard(only)
        raise JobFailed(
            f"All labelled images on the training side are {only}, so there is nothing to tell apart. "
            f"Add cases that are {missing.pop()}, then freeze a new snapshot."
        )


@contextmanager
def explaining_memory() -> Iterator[None]:
    """Turn a lack of memory into a sentence that says what to do.

    Raises:
        JobFailed: The memory did not suffice.
    """
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise _too_little_memory() from error
    except RuntimeError as error:
        # Torch's allocator on the CPU has no class of its own.
        if "alloc" not in str(error).lower():
            raise
        raise _too_little_memory() from error


def _too_little_memory() -> JobFailed:
    return JobFailed(
        "The memory did not suffice for this training. "
        "Start it again with a smaller batch, a smaller image size or a narrower SegNet."
    )
