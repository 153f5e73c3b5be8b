"""One fit on several machines: Ray Train starts a process for each device, and each runs the loop of a fit on one.

The process that holds the job stays where it is. Beside it runs a coordinator, an actor on the same machine: the first
of the processes reports every step to it and sends it what is to be saved; all of them fetch from it what they learn
from, where their machine has not got it; and it says when to stop. A process or a machine that dies is replaced by Ray
Train, and all go on from what was saved last.

What is the same as on one machine and what is not, `training.process_group` says. The group meets through TCP, on the
cluster's own network.

Source: https://docs.ray.io (Ray Train, TorchTrainer).
"""

import contextlib
import io
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from colpo_core.cluster.ray_coordinator import THREADS, Coordinator, FileCopies, RemoteStateStore
from colpo_core.cluster.ray_jobs import RUNNER_SHARE, process_environment
from colpo_core.datasets.mapped_arrays import locating
from colpo_core.errors import ClusterUnreachable, ColpoError, JobCancelled, JobFailed
from colpo_core.services.jobs import gpus
from colpo_core.store import Store
from colpo_core.training.contract import FitBackend, FitRequest, FitResult
from colpo_core.training.process_group import (
    GROUP_TIMEOUT,
    FitTask,
    Message,
    ProgressRelay,
    Rank,
    fit_in_group,
    forward_progress,
    load_fitted_weights,
)
from colpo_core.training.progress import ProgressReporter
from colpo_core.training.readiness import explaining_memory

log = logging.getLogger(__name__)
POLL_SECONDS = 0.25
REPLACEMENTS = 3
"""How often Ray Train may replace processes of one fit that died."""
_END_WITHIN_SECONDS = 10.0


def ray_backend(store: Store) -> "RayBackend":
    """What shares the fits of a training out among the machines of the cluster that this process is a job of."""
    shown = tuple(gpu for gpu in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if gpu)
    return RayBackend(
        copies_dir=store.settings.cache_dir / "fits",
        on_gpus=bool(gpus.gpus_here(store.settings)),
        environment=process_environment(store),
        share=1 - RUNNER_SHARE,
        holding=partial(_holding_gpu, held_by_the_runner=shown),
    )


@contextmanager
def _holding_gpu(index: int, *, held_by_the_runner: tuple[str, ...]) -> Iterator[None]:
    """Hold the GPU of a process of a fit, unless it is the one that the training's own process holds for it."""
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


@dataclass(frozen=True)
class RayBackend(FitBackend):
    """Fits a network on the devices of a Ray cluster.

    Attributes:
        copies_dir: Where a machine keeps its copies of the files that a fit learns from; the same path on each.
        on_gpus: Whether a process takes a GPU; else a processor.
        share: Of a device for a process; the process that holds the job has the rest of one, and computes between fits.
        environment: Variables of every process.
        holding: Holds the GPU of a process, by its index, against everybody else on its machine. Pickled by its name.
    """

    copies_dir: Path
    on_gpus: bool
    share: float
    environment: dict[str, str]
    holding: Callable[[int], AbstractContextManager[None]]

    def fit(self, request: FitRequest, *, processes: int) -> FitResult:
        """Train a network in so many processes of the cluster; see `FitBackend.fit`.

        Raises:
            JobCancelled: A person wants to stop.
            JobFailed: The loss is not a number any more, a process failed, or processes died too often.
            ClusterUnreachable: The cluster itself is gone.
        """
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        if not ray.is_initialized():
            ray.init(address="auto", log_to_driver=False)
        coordinator = (
            ray.remote(Coordinator)
            .options(
                num_cpus=0,
                max_concurrency=THREADS,
                scheduling_strategy=NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False),
                runtime_env={"env_vars": self.environment},
            )
            .remote(request.state_store)
        )
        threads = max(1, torch.get_num_threads()) if self.on_gpus else 1
        buffer = io.BytesIO()
        torch.save(FitTask.of(request, threads=threads), buffer)
        shared = _Shared(self, coordinator, ray.put(buffer.getvalue()))
        try:
            self._attend(shared, request.progress, processes)
            weights, record = ray.get(coordinator.result.remote())
        except ray.exceptions.RayError as error:
            raise ClusterUnreachable(
                f"The coordinator of the training does not answer any more ({type(error).__name__}). It goes on from "
                "what was saved last once the cluster does."
            ) from error
        finally:
            ray.kill(coordinator)
        load_fitted_weights(request, safetensors.torch.load(weights))
        return FitResult(**record)

    def _attend(self, shared: "_Shared", progress: ProgressReporter, processes: int) -> None:
        """Run the fit, and hand on what is reported to the coordinator until it is over."""
        import ray

        ended: list[Exception | None] = []
        thread = threading.Thread(
            target=lambda: ended.append(self._run(shared, processes)), name="ray-fit", daemon=True
        )
        thread.start()
        done = 0.0
        try:
            while thread.is_alive():
                thread.join(POLL_SECONDS)
                messages = ray.get(shared.coordinator.messages.remote())
                for message in messages:
                    done = forward_progress(message, progress, done)
                if not messages:
                    progress.beat(done)
        except BaseException:
            ray.get(shared.coordinator.stop.remote())
            thread.join(_END_WITHIN_SECONDS)
            raise
        sentence = ray.get(shared.coordinator.failure.remote())
        if sentence:
            raise JobFailed(sentence)
        if ended[0] is not None:
            raise JobFailed(
                f"The training's processes on the cluster ended too early ({type(ended[0]).__name__}). Look whether "
                "its machines are well, and run the training again; the job's log says more."
            ) from ended[0]

    def _run(self, shared: "_Shared", processes: int) -> Exception | None:
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchConfig, TorchTrainer

        storage = tempfile.mkdtemp(prefix="colpo-ray-fit-")
        try:
            TorchTrainer(
                _run_rank,
                train_loop_config={"shared": shared},
                torch_config=TorchConfig(
                    backend="nccl" if self.on_gpus else "gloo", timeout_s=int(GROUP_TIMEOUT.total_seconds())
                ),
                scaling_config=ScalingConfig(
                    num_workers=processes,
                    use_gpu=self.on_gpus,
                    resources_per_worker={"CPU": 0, "GPU": self.share} if self.on_gpus else {"CPU": self.share},
                ),
                run_config=RunConfig(
                    storage_path=storage,
                    failure_config=FailureConfig(max_failures=REPLACEMENTS),
                    worker_runtime_env={"env_vars": self.environment},
                ),
            ).fit()
        except Exception as error:
            log.exception("the fit on the cluster has ended")
            return error
        finally:
            shutil.rmtree(storage, ignore_errors=True)
        return None


@dataclass(frozen=True)
class _Shared:
    """What every process is given: the backend, the coordinator's handle, and where the `FitTask` lies."""

    backend: RayBackend
    coordinator: Any
    task: Any


def _run_rank(config: dict[str, Any]) -> None:
    """What each process does."""
    import ray
    from ray.train import get_context
    from ray.train.torch import get_device

    shared: _Shared = config["shared"]
    backend, coordinator = shared.backend, shared.coordinator
    if sentence := ray.get(coordinator.failure.remote()):
        raise JobFailed(sentence)
    context = get_context()
    device = get_device() if backend.on_gpus else torch.device("cpu")

    def report(message: Message) -> None:
        if ray.get(coordinator.report.remote(message)):
            raise JobCancelled("The training was stopped.")

    rank = Rank(context.get_world_rank(), context.get_world_size(), device)
    try:
        with explaining_memory(), backend.holding(device.index or 0) if backend.on_gpus else contextlib.nullcontext():
            with locating(FileCopies(coordinator, backend.copies_dir)):
                # Our own pickle, from the process that holds the job.
                task = torch.load(io.BytesIO(ray.get(shared.task)), map_location="cpu", weights_only=False)
            progress = ProgressRelay(report if rank.is_first else None)
            state_store = RemoteStateStore(coordinator, is_first=rank.is_first)
            result, weights = fit_in_group(task, rank, progress=progress, state_store=state_store)
        if rank.is_first:
            ray.get(coordinator.finish.remote(safetensors.torch.save(weights), asdict(result)))
    except ColpoError as error:
        if not isinstance(error, JobCancelled):
            ray.get(coordinator.fail.remote(str(error)))
        raise
