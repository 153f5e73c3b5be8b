"""What a training step costs on one thread and on all, alone and beside other work, for each way of waiting.

    python -m benchmarks.threads
    python -m benchmarks.threads --seconds 20

A step of the `quick` preset's SegNet on a batch that is there, in a process of its own. Beside it run loops of Python
that do nothing but take a core, or the same training once more. Way of waiting: what OpenMP's threads do until the
others are there. One Markdown row each: mean milliseconds a step.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from benchmarks.shared import print_heading, print_row
from colpo_core.nets.segnet import SegNet
from colpo_core.records.training.settings import preset
from colpo_core.training.hardware import plain_hardware

WAYS: dict[str, dict[str, str]] = {"as OpenMP does": {}, "sleeping at once": {"OMP_WAIT_POLICY": "PASSIVE"}}
BESIDE = {"nothing": (0, False), "one loop": (1, False), "two loops": (2, False), "the same training": (0, True)}
_LOOP = "while True: pass"
_WARM_UP = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="how long each is measured")
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--step-on", type=int, metavar="THREADS", help="measure only this, in this very process")
    asked = parser.parse_args()
    if asked.step_on:
        print(_mean_ms(asked.step_on, asked.precision, asked.seconds))
        return
    print_heading("threads wait by", "beside", "1 thread (ms)", "2 threads (ms)", "2 threads are quicker by")
    for way, environment in WAYS.items():
        for beside, (loops, another) in BESIDE.items():
            with _busy(loops):
                single, double = (_measured(n, another, environment, asked.precision, asked.seconds) for n in (1, 2))
            print_row(way, beside, f"{single:.0f}", f"{double:.0f}", f"{single / double:.2f}")


def _measured(threads: int, another: bool, environment: dict[str, str], precision: str, seconds: float) -> float:
    command = [sys.executable, "-m", "benchmarks.threads", "--step-on", str(threads)]
    command += ["--precision", precision, "--seconds", str(seconds)]
    given = {name: value for name, value in os.environ.items() if name not in {"OMP_WAIT_POLICY", "OMP_NUM_THREADS"}}
    running = [
        subprocess.Popen(command, env=given | environment, stdout=subprocess.PIPE, text=True)  # noqa: S603
        for _ in range(2 if another else 1)
    ]
    return sum(float(process.communicate()[0].splitlines()[-1]) for process in running) / len(running)


@contextmanager
def _busy(loops: int) -> Iterator[None]:
    running = [subprocess.Popen([sys.executable, "-c", _LOOP]) for _ in range(loops)]  # noqa: S603
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def _mean_ms(threads: int, precision: str, seconds: float) -> float:
    settings = preset("quick")
    network = SegNet(settings.segnet_width).train().to(memory_format=torch.channels_last)
    fabric = plain_hardware(precision).fabric
    wrapped, optimizer = fabric.setup(network, torch.optim.AdamW(network.parameters(), fused=True))
    size = (settings.height_px, settings.width_px)
    images = torch.rand(settings.batch_size, 3, *size).contiguous(memory_format=torch.channels_last)
    target = torch.randint(0, 2, (settings.batch_size, *size))
    torch.set_num_threads(threads)
    began, steps = 0.0, -_WARM_UP
    while steps <= 0 or time.perf_counter() - began < seconds:
        if steps == 0:
            began = time.perf_counter()
        loss = torch.nn.functional.cross_entropy(wrapped(images).float(), target)
        optimizer.zero_grad(set_to_none=True)
        fabric.backward(loss)
        optimizer.step()
        steps += 1
    return 1000 * (time.perf_counter() - began) / steps


if __name__ == "__main__":
    main()
