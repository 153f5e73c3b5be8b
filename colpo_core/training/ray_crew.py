"""One fit on several machines: Ray Train starts a process for each device, and each runs the loop of a fit on one.

The process that holds the job stays where it is. Beside it sits a desk, an actor on the same machine: the first of the
processes tells it every step and brings it what is to be kept; all of them fetch from it what they learn from, where
their machine has not got it; and it says when to stop. A process or a machine that dies is replaced by Ray Train, and
all go on from what was kept last.

What is the same as on one machine and what is not, `several` says. The group meets through TCP, on the cluster's own
network.

Source: https://docs.ray.io (Ray Train, TorchTrainer).
"""

import contextlib
import io
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from colpo_core.datasets.mapped_arrays import locating
from colpo_core.errors import ClusterUnreachable, ColpoError, JobCancelled, JobFailed
from colpo_core.training.hardware import Hardware
from colpo_core.training.loop import Fitted, Keeper, Lesson, Plan
from colpo_core.training.readiness import explaining_memory
from colpo_core.training.several import (
    GROUP_TIMEOUT,
    Errand,
    Relay,
    Seat,
    hand_on,
    learn_in_a_group,
    take_over,
)
from colpo_core.training.watch import Watch

log = logging.getLogger(__name__)
ASK_EVERY_SECONDS = 0.25
REPLACEMENTS = 3
"""How often Ray Train may replace processes of one fit that died."""
_AT_THE_DESK = 8  # threads: while one hands a file over, another hears the first process
_PIECE_BYTES = 16 * 2**20
_KEPT_DAYS = 3.0
_END_WITHIN_SECONDS = 10.0


@dataclass(frozen=True)
class RayCrew:
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

    def fit(
        self,
        network: nn.Module,
        lesson: Lesson,
        *,
        plan: Plan,
        hardware: Hardware,
        watch: Watch,
        keeper: Keeper | None,
        processes: int,
    ) -> Fitted:
        """Train a network in so many processes of the cluster; see `several.fit_on_several`.

        Raises:
            JobCancelled: A person wants to stop.
            JobFailed: The loss is not a number any more, a process failed, or processes died too often.
            ClusterUnreachable: The cluster itself is gone.
        """
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        if not ray.is_initialized():
            ray.init(address="auto", log_to_driver=False)
        desk = (
            ray.remote(_Desk)
            .options(
                num_cpus=0,
                max_concurrency=_AT_THE_DESK,
                scheduling_strategy=NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False),
                runtime_env={"env_vars": self.environment},
            )
            .remote(keeper)
        )
        kept = io.BytesIO()
        threads = max(1, torch.get_num_threads()) if self.on_gpus else 1
        torch.save(Errand(network, lesson, plan, hardware.precision, threads), kept)
        task = _Task(self, desk, ray.put(kept.getvalue()))
        try:
            self._attend(task, watch, processes)
            weights, record = ray.get(desk.result.remote())
        except ray.exceptions.RayError as error:
            raise ClusterUnreachable(
                f"The desk of the training does not answer any more ({type(error).__name__}). It goes on from what was "
                "kept last once the cluster does."
            ) from error
        finally:
            ray.kill(desk)
        take_over(network, safetensors.torch.load(weights), hardware=hardware)
        return Fitted(**record)

    def _attend(self, task: "_Task", watch: Watch, processes: int) -> None:
        """Run the fit, and hand on what is told at the desk until it is over."""
        import ray

        ended: list[Exception | None] = []
        runs = threading.Thread(target=lambda: ended.append(self._run(task, processes)), name="ray-fit", daemon=True)
        runs.start()
        done = 0.0
        try:
            while runs.is_alive():
                runs.join(ASK_EVERY_SECONDS)
                told = ray.get(task.desk.heard.remote())
                for words in told:
                    done = hand_on(words, watch, done)
                if not told:
                    watch.beat(done)
        except BaseException:
            ray.get(task.desk.stop.remote())
            runs.join(_END_WITHIN_SECONDS)
            raise
        sentence = ray.get(task.desk.failure.remote())
        if sentence:
            raise JobFailed(sentence)
        if ended[0] is not None:
            raise JobFailed(
                f"The training's processes on the cluster ended too early ({type(ended[0]).__name__}). Look whether "
                "its machines are well, and run the training again; the job's log says more."
            ) from ended[0]

    def _run(self, task: "_Task", processes: int) -> Exception | None:
        from ray.train import FailureConfig, RunConfig, ScalingConfig
        from ray.train.torch import TorchConfig, TorchTrainer

        storage = tempfile.mkdtemp(prefix="colpo-ray-fit-")
        try:
            TorchTrainer(
                _take_part,
                train_loop_config={"task": task},
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
class _Task:
    """What every process is given."""

    crew: RayCrew
    desk: Any
    errand: Any


class _Desk:
    """An actor beside the process that holds the job, on whose disk unfinished work and files lie."""

    def __init__(self, keeper: Keeper | None) -> None:
        self._keeper = keeper
        self._told: list[tuple[Any, ...]] = []
        self._lock = threading.Lock()
        self._stopped = False
        self._failure = ""
        self._result: tuple[bytes, dict[str, Any]] | None = None

    def tell(self, words: tuple[Any, ...]) -> bool:
        """Told by the first process; returns whether it is to stop."""
        with self._lock:
            self._told.append(words)
        return self._stopped

    def heard(self) -> list[tuple[Any, ...]]:
        """What was told since this was asked last."""
        with self._lock:
            told, self._told = self._told, []
        return told

    def stop(self) -> None:
        self._stopped = True

    def fail(self, sentence: str) -> None:
        """A process ended with a sentence of our own: another one would end alike."""
        self._failure = self._failure or sentence

    def failure(self) -> str:
        return self._failure

    def due(self) -> bool:
        return self._keeper is not None and self._keeper.due()

    def keep(self, state: bytes) -> None:
        if self._keeper is not None:
            self._keeper.keep(torch.load(io.BytesIO(state), map_location="cpu", weights_only=True))

    def load(self) -> bytes | None:
        """The unfinished fit that was kept last."""
        state = self._keeper.load() if self._keeper else None
        return None if state is None else _bytes_of(state)

    def read(self, place: str, start: int) -> bytes:
        """A piece of a file of this machine, for one that has not got it."""
        with Path(place).open("rb") as file:
            file.seek(start)
            return file.read(_PIECE_BYTES)

    def finish(self, weights: bytes, record: dict[str, Any]) -> None:
        self._result = weights, record

    def result(self) -> tuple[bytes, dict[str, Any]] | None:
        return self._result


def _take_part(config: dict[str, Any]) -> None:
    """What each process does."""
    import ray
    from ray.train import get_context
    from ray.train.torch import get_device

    task: _Task = config["task"]
    crew = task.crew
    if sentence := ray.get(task.desk.failure.remote()):
        raise JobFailed(sentence)
    context = get_context()
    device = get_device() if crew.on_gpus else torch.device("cpu")

    def tell(words: tuple[Any, ...]) -> None:
        if ray.get(task.desk.tell.remote(words)):
            raise JobCancelled("The training was stopped.")

    seat = Seat(context.get_world_rank(), context.get_world_size(), device)
    try:
        with explaining_memory(), crew.holding(device.index or 0) if crew.on_gpus else contextlib.nullcontext():
            with locating(_Copies(task.desk, crew.copies_dir)):
                # Our own pickle, from the process that holds the job.
                errand = torch.load(io.BytesIO(ray.get(task.errand)), map_location="cpu", weights_only=False)
            fitted, weights = learn_in_a_group(
                errand, seat, watch=Relay(tell if seat.rank == 0 else None), keeper=_DeskKeeper(task.desk, seat.rank)
            )
        if seat.rank == 0:
            ray.get(task.desk.finish.remote(safetensors.torch.save(weights), asdict(fitted)))
    except ColpoError as error:
        if not isinstance(error, JobCancelled):
            ray.get(task.desk.fail.remote(str(error)))
        raise


class _DeskKeeper:
    """Keeps an unfinished fit at the desk, from where all processes take it up."""

    def __init__(self, desk: Any, rank: int) -> None:  # noqa: ANN401 - an actor's handle
        self._desk = desk
        self._rank = rank

    def load(self) -> dict[str, Any] | None:
        import ray

        state = ray.get(self._desk.load.remote())
        return None if state is None else torch.load(io.BytesIO(state), map_location="cpu", weights_only=True)

    def due(self) -> bool:
        import ray

        return self._rank == 0 and bool(ray.get(self._desk.due.remote()))

    def keep(self, state: dict[str, Any]) -> None:
        import ray

        ray.get(self._desk.keep.remote(_bytes_of(state)))


class _Copies:
    """Finds the files of the process that holds the job: where they are, or as copies that are fetched once."""

    def __init__(self, desk: Any, folder: Path) -> None:  # noqa: ANN401 - an actor's handle
        self._desk = desk
        self._folder = folder

    def __call__(self, place: Path, n_bytes: int, changed_ns: int) -> Path:
        with contextlib.suppress(OSError):
            facts = place.stat()
            if (facts.st_size, facts.st_mtime_ns) == (n_bytes, changed_ns):
                return place  # the same machine, or a folder that both mount
        name = sha256(f"{place}\0{n_bytes}\0{changed_ns}".encode()).hexdigest()
        copy = self._folder / name
        if not copy.exists():
            self._fetch(place, copy)
        return copy

    def _fetch(self, place: Path, copy: Path) -> None:
        import ray

        copy.parent.mkdir(parents=True, exist_ok=True)
        _forget_old(copy.parent)
        with tempfile.NamedTemporaryFile(dir=copy.parent, suffix=".part", delete=False) as file:
            start = 0
            while piece := ray.get(self._desk.read.remote(str(place), start)):
                file.write(piece)
                start += len(piece)
        Path(file.name).replace(copy)


def _forget_old(folder: Path) -> None:
    for place in folder.iterdir():
        with contextlib.suppress(OSError):
            if time.time() - place.stat().st_mtime > _KEPT_DAYS * 86400:
                place.unlink()


def _bytes_of(state: dict[str, Any]) -> bytes:
    kept = io.BytesIO()
    torch.save(state, kept)
    return kept.getvalue()
