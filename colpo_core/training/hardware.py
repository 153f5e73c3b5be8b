"""Where and how a training computes: device, precision, and whether compiling pays. Measured once, then remembered.

Hosts differ: bf16 makes a step up to four times as fast where the processor has units for it, and slower where it has
none. So a probe decides, by steps of the very network, and the training's folder keeps what it found: a training that
starts again computes as it did before.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from colpo_core.errors import InputRejected, JobFailed
from colpo_core.records.training.settings import TrainingSettings

PAYS = 1.2
"""A lower precision is taken where a step is this many times as fast; less is not worth its rounding."""
COMPILING_PAYS_STEPS = 2000
"""torch.compile takes half a minute to minutes; on a GPU a fit of this many steps earns it back."""
_PROBED_STEPS = 2
FABRIC_WORDS: dict[str, Literal["32-true", "bf16-mixed", "16-mixed"]] = {
    "fp32": "32-true",
    "bf16": "bf16-mixed",
    "fp16": "16-mixed",
}
"""What Fabric calls each precision."""


@dataclass(frozen=True)
class Hardware:
    """What a training computes on.

    Attributes:
        fabric: Lightning Fabric, which places networks and casts; in the processes of a fit it keeps them in step.
        precision: `fp32`, `bf16` or `fp16`.
        compiles: Whether networks may be compiled.
        devices: Devices that a fit is shared out among, a process for each; all else runs on the first.
    """

    fabric: Fabric
    precision: str
    compiles: bool = False
    devices: int = 1

    @property
    def device(self) -> torch.device:
        """The device of this process."""
        return self.fabric.device

    def compiled(self, network: nn.Module, *, steps: int) -> nn.Module:
        """The network to call in training: compiled where so many steps pay for it. It shares its weights."""
        if not self.compiles or steps < COMPILING_PAYS_STEPS:
            return network
        return cast("nn.Module", torch.compile(network))


def plain_hardware(precision: str = "fp32", *, devices: int = 1) -> Hardware:
    """The CPU, in a named precision; a fit in one process, or in so many."""
    fabric = Fabric(accelerator="cpu", devices=1, precision=FABRIC_WORDS[precision])
    return Hardware(fabric, precision, devices=devices)


def choose_hardware(
    settings: TrainingSettings,
    *,
    step: Callable[[Hardware], None] | None = None,
    memory: Path | None = None,
    several_machines: bool = False,
) -> Hardware:
    """Choose the device, and the precision by the settings or by a probe.

    Args:
        settings: `precision`, `compile` and `devices` count.
        step: Makes one training step on the hardware that it is given; what `auto` is decided by.
        memory: File in which the choice is kept, so that it stays for the whole training; None forgets it.
        several_machines: Whether a cluster finds as many devices as the settings say; else they are this machine's.

    Raises:
        InputRejected: The settings ask for what the machine has not.
        JobFailed: The choice cannot be kept.
    """
    on_gpu = torch.cuda.is_available()
    if settings.precision == "fp16" and not on_gpu:
        raise InputRejected("fp16 needs a GPU. Choose bf16, fp32 or auto.")
    accelerator = "cuda" if on_gpu else "cpu"
    compiles = on_gpu and settings.compile == "auto"

    def hardware(precision: str) -> Hardware:
        fabric = Fabric(accelerator=accelerator, devices=1, precision=FABRIC_WORDS[precision])
        return Hardware(fabric, precision, compiles, _devices(settings, several_machines=several_machines))

    if settings.precision != "auto":
        return hardware(settings.precision)
    remembered = _remembered(memory)
    if remembered is None:
        remembered = _probe(hardware, step, candidates=_candidates(on_gpu=on_gpu)) if step else "fp32"
        _remember(memory, remembered)
    return hardware(remembered)


def _devices(settings: TrainingSettings, *, several_machines: bool) -> int:
    if several_machines:
        return max(1, settings.devices)
    if not torch.cuda.is_available():
        return 1
    available = torch.cuda.device_count()
    if settings.devices > available:
        raise InputRejected(f"The training asks for {settings.devices} GPUs, and this machine has {available}.")
    return settings.devices or available


def _candidates(*, on_gpu: bool) -> tuple[str, ...]:
    if not on_gpu:
        return ("bf16",)
    # fp16 needs its gradients scaled and overflows; it is for GPUs that know no bf16.
    return ("bf16",) if torch.cuda.is_bf16_supported() else ("fp16",)


def _probe(hardware: Callable[[str], Hardware], step: Callable[[Hardware], None], candidates: tuple[str, ...]) -> str:
    plain = _seconds(hardware("fp32"), step)
    for precision in candidates:
        if plain / _seconds(hardware(precision), step) >= PAYS:
            return precision
    return "fp32"


def _seconds(hardware: Hardware, step: Callable[[Hardware], None]) -> float:
    """The shortest of a few steps, after one that warms up."""
    best = float("inf")
    for number in range(1 + _PROBED_STEPS):
        began = time.perf_counter()
        step(hardware)
        if hardware.device.type == "cuda":
            torch.cuda.synchronize(hardware.device)
        if number:
            best = min(best, time.perf_counter() - began)
    return max(best, 1e-9)


def trial_step(network: nn.Module, images: Tensor, loss_of: Callable[[Tensor], Tensor]) -> Callable[[Hardware], None]:
    """A training step on a batch, without a step of an optimizer: what a probe repeats. The weights stay.

    Args:
        network: What is to learn; running statistics of its normalisation change, so give it a copy.
        images: A batch as it will come.
        loss_of: From the network's output to the loss.
    """

    def step(hardware: Hardware) -> None:
        wrapped = hardware.fabric.setup_module(network, move_to_device=True)
        wrapped.train()
        loss = loss_of(wrapped(images.to(hardware.device)))
        hardware.fabric.backward(loss)
        network.zero_grad(set_to_none=True)

    return step


def _remembered(memory: Path | None) -> str | None:
    if memory is None:
        return None
    try:
        choice: dict[str, Any] = json.loads(memory.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    precision = choice.get("precision") if isinstance(choice, dict) else None
    if precision not in FABRIC_WORDS or choice.get("gpu") != torch.cuda.is_available():
        return None
    return str(precision)


def _remember(memory: Path | None, precision: str) -> None:
    if memory is None:
        return
    partial = memory.with_suffix(".part")
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps({"precision": precision, "gpu": torch.cuda.is_available()}), encoding="utf-8")
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(memory)
    except OSError as error:
        raise JobFailed(
            "The training's folder cannot be written to. Make room on the disk and run it again."
        ) from error
