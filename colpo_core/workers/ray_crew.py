"""GPUs of several machines, gathered by Ray for one training."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from colpo_core.errors import JobFailed
from colpo_core.services.jobs import gpus
from colpo_core.store import Store

if TYPE_CHECKING:
    from colpo_core.training.ray_crew import RayCrew
from colpo_core.services.jobs.ray_engine import OWN_SHARE, _environment


def gather_crew(store: Store) -> "RayCrew":
    """Who shares the fits of a training out among the machines of the cluster that this process is a job of."""
    from colpo_core.training.ray_crew import RayCrew

    shown = tuple(gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu)
    return RayCrew(
        copies_dir=store.settings.cache_dir / "fits",
        on_gpus=bool(gpus.gpus_here(store.settings)),
        environment=_environment(store),
        share=1 - OWN_SHARE,
        holding=partial(_holding_gpu, held_by_the_runner=shown),
    )


@contextmanager
def _holding_gpu(index: int, *, held_by_the_runner: tuple[str, ...]) -> Iterator[None]:
    """Hold the GPU of a process of a fit, unless it is the one that the training's own process holds for it."""
    import torch

    gpu = f"GPU-{torch.cuda.get_device_properties(index).uuid}"
    if gpu in held_by_the_runner:
        yield
        return
    with gpus.holding_gpus([gpu], wanted=1) as held:
        if held is None:
            raise JobFailed(
                f"The GPU {gpu} is used by another job on its machine. Let Ray place all jobs of its machines, and run "
                "the training again."
            )
        yield
