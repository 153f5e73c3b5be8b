"""The GPUs of this machine: which there are, and that one process at a time computes on each.

A process that computes on a GPU holds the GPU's lock, a file of the whole machine, so that the jobs of several stores
and of several supervisors keep out of each other's way. The operating system lets go of it when the process ends,
however it ends; a frozen process keeps it, as it keeps the GPU's memory.
"""

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from colpo_core.records.jobs.jobs import GpuState
from colpo_core.records.jobs.settings import JobSettings
from colpo_core.records.training.settings import TrainingSettings
from colpo_core.settings import RAY, Settings
from colpo_core.terms import JobKind

log = logging.getLogger(__name__)
WAIT_FOR_A_GPU = frozenset({JobKind.TRAIN, JobKind.PROBE})
"""Jobs that wait until enough GPUs are free, where there are any; the others would rather begin on the processor."""
LOCKS_DIR = Path(tempfile.gettempdir()) / "colpodesk-gpus"


def gpus_here(settings: Settings) -> tuple[str, ...]:
    """The GPUs that jobs of this machine may use, by the identifiers that CUDA takes; none where there is no driver.

    Args:
        settings: `gpus` names them; None asks the driver.
    """
    if settings.gpus is not None and (settings.engine != RAY or not settings.gpus):
        return settings.gpus
    installed = tuple(state.uuid for state in gpu_states())
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    if settings.engine == RAY and visible:
        # Ray has chosen for this process, by number or by identifier.
        installed = tuple(
            installed[int(gpu)] if gpu.isdigit() and int(gpu) < len(installed) else gpu for gpu in visible.split(",")
        )
    return installed if settings.gpus is None else tuple(gpu for gpu in installed if gpu in settings.gpus)


def resources() -> dict[str, float]:
    """What this process takes: `memory_gb`; and where it computes on GPUs, what they hold and how busy they are.

    `gpu_memory_gb` and `gpu_memory_total_gb` are sums over its GPUs, `gpu_load` the mean of their loads, 0 to 1.
    """
    taken = {"memory_gb": psutil.Process().memory_info().rss / 1e9}
    shown = set(os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")) - {""}
    mine = [state for state in gpu_states() if state.uuid in shown] if shown else []
    if mine:
        taken["gpu_memory_gb"] = sum(state.memory_bytes - state.free_bytes for state in mine) / 1e9
        taken["gpu_memory_total_gb"] = sum(state.memory_bytes for state in mine) / 1e9
        loads = [state.load for state in mine if state.load is not None]
        taken |= {"gpu_load": sum(loads) / len(loads)} if loads else {}
    return taken


def gpu_states() -> tuple[GpuState, ...]:
    """What the driver says of each GPU; nothing where there is no driver, or where it does not answer."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return ()
    try:
        return tuple(_state(pynvml.nvmlDeviceGetHandleByIndex(index)) for index in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError as error:
        # One that vanished makes its driver answer with errors; jobs go on with the processor.
        log.warning("the GPU driver does not answer: %s", error)
        return ()
    finally:
        pynvml.nvmlShutdown()


@contextmanager
def holding_gpus(gpus: Sequence[str], *, wanted: int) -> Iterator[tuple[str, ...] | None]:
    """Hold so many GPUs of this machine as long as the block lasts.

    Args:
        gpus: Which there are.
        wanted: How many, at least 1.

    Yields:
        The identifiers of those that are held, or None where not enough of them are free.
    """
    with ExitStack() as stack:
        held: list[str] = []
        for gpu in gpus:
            if len(held) < wanted and _try_hold(stack, gpu):
                held.append(gpu)
        if len(held) == wanted:
            yield tuple(held)
            return
        stack.close()
        yield None


def is_across_machines(settings: Settings, training: TrainingSettings) -> bool:
    """Whether a training's fits are shared out among the machines of a cluster."""
    return settings.engine == RAY and training.devices > 1


def gpus_wanted(settings: Settings, asked: JobSettings | None, *, available: int) -> int:
    """How many GPUs of a machine that has some a job's process takes: a training as its settings say, else one.

    Args:
        settings: Of the store.
        asked: The job's own settings; None where they cannot be read.
        available: How many there are; a training that asks for more is told so when it begins.
    """
    if not isinstance(asked, TrainingSettings) or is_across_machines(settings, asked):
        return min(1, available)
    return min(asked.devices or available, available)


def show_only(gpus: Sequence[str]) -> None:
    """Let this process and its children see these GPUs and no others; to be called before torch is imported."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)


def _try_hold(stack: ExitStack, gpu: str) -> bool:
    name = "".join(letter if letter.isalnum() or letter == "-" else "_" for letter in gpu)
    try:
        LOCKS_DIR.mkdir(mode=0o777, exist_ok=True)
        stack.enter_context(FileLock(LOCKS_DIR / f"{name}.lock", timeout=0, mode=0o666, thread_local=False))
    except Timeout:
        return False
    except OSError as error:
        # The lock of another user's process: whether it is held cannot be told, so the GPU counts as taken.
        log.warning("the lock of GPU %s cannot be opened (%s); another user of this machine may hold it", gpu, error)
        return False
    return True


def _state(handle: object) -> GpuState:
    import pynvml

    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    try:
        load = float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu) / 100
    except pynvml.NVMLError:
        load = None  # a slice of a GPU does not tell
    return GpuState(
        uuid=_text(pynvml.nvmlDeviceGetUUID(handle)),
        name=_text(pynvml.nvmlDeviceGetName(handle)),
        memory_bytes=int(memory.total),
        free_bytes=int(memory.free),
        load=load,
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
