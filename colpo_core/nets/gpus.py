"""GPUs as torch sees them: whether they can be used, and what to say when one fails."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from colpo_core.errors import JobFailed

_WAY_OUT = (
    "It may have vanished, or its driver may have failed: look with nvidia-smi, restart the machine if it is not "
    "listed, and run the job again."
)


def require_gpus(count: int) -> None:
    """Look whether the GPUs that this process was given can be used.

    Raises:
        JobFailed: Fewer of them answer.
    """
    if not torch.cuda.is_available() or torch.cuda.device_count() < count:
        raise JobFailed(f"The GPU that this job was given does not answer. {_WAY_OUT}")


@contextmanager
def explaining_gpus() -> Iterator[None]:
    """Turn a GPU's failure in the middle of the work into a sentence that says what to do; not a lack of memory.

    Raises:
        JobFailed: A GPU failed.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except torch.AcceleratorError as error:
        raise JobFailed(
            f"The GPU failed in the middle of the job ({str(error).splitlines()[0]}). {_WAY_OUT}"
        ) from error
