import json
from pathlib import Path

import pytest
import torch
from torch import nn

from colpo_core.errors import InputRejected
from colpo_core.training.hardware import COMPILING_PAYS_STEPS, Hardware, choose_hardware, plain_hardware, trial_step
from tests.support.blobs import tiny

on_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason="what a CPU alone says")


class Clock:
    """A clock that a step moves on, by what a step in each precision costs."""

    def __init__(self, costs: dict[str, float]) -> None:
        self.costs, self.now, self.steps = costs, 0.0, 0

    def step(self, hardware: Hardware) -> None:
        self.now += self.costs[hardware.precision]
        self.steps += 1


@on_cpu
@pytest.mark.parametrize(("bf16", "chosen"), [(0.5, "bf16"), (0.95, "fp32"), (2.0, "fp32")])
def test_a_lower_precision_is_taken_where_it_pays(monkeypatch: pytest.MonkeyPatch, bf16: float, chosen: str) -> None:
    clock = Clock({"fp32": 1.0, "bf16": bf16})
    monkeypatch.setattr("colpo_core.training.hardware.time.perf_counter", lambda: clock.now)
    assert choose_hardware(tiny(precision="auto"), step=clock.step).precision == chosen


@on_cpu
def test_a_choice_is_kept_for_the_whole_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = Clock({"fp32": 1.0, "bf16": 0.1})
    monkeypatch.setattr("colpo_core.training.hardware.time.perf_counter", lambda: clock.now)
    memory = tmp_path / "job" / "hardware.json"
    assert choose_hardware(tiny(precision="auto"), step=clock.step, memory=memory).precision == "bf16"
    clock.costs, probed = {"fp32": 0.1, "bf16": 1.0}, clock.steps
    assert choose_hardware(tiny(precision="auto"), step=clock.step, memory=memory).precision == "bf16"
    assert clock.steps == probed
    memory.write_text(json.dumps({"precision": "odd"}))
    assert choose_hardware(tiny(precision="auto"), step=clock.step, memory=memory).precision == "fp32"
    memory.write_text("torn")
    assert choose_hardware(tiny(precision="auto"), step=clock.step, memory=memory).precision == "fp32"


@on_cpu
def test_what_the_settings_name_is_not_probed() -> None:
    def never(hardware: Hardware) -> None:
        raise AssertionError("probed")

    assert choose_hardware(tiny(precision="bf16"), step=never).precision == "bf16"
    assert choose_hardware(tiny(precision="auto")).precision == "fp32"
    with pytest.raises(InputRejected, match="fp16 needs a GPU"):
        choose_hardware(tiny(precision="fp16"))


def test_a_trial_leaves_the_weights_and_runs_in_the_named_precision() -> None:
    network = nn.Conv2d(3, 2, 3)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    seen = []
    step = trial_step(network, torch.rand(2, 3, 8, 8), lambda output: (seen.append(output.dtype), output.mean())[1])
    inner = []
    network.register_forward_hook(lambda _module, _given, output: inner.append(output.dtype))
    step(plain_hardware("bf16"))
    assert inner == [torch.bfloat16]
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert network.weight.grad is None


def test_a_short_fit_is_never_compiled() -> None:
    network = nn.Linear(1, 1)
    hardware = plain_hardware()
    assert hardware.compiled(network, steps=10**9) is network
    eager = Hardware(hardware.fabric, "fp32", compiles=True)
    assert eager.compiled(network, steps=COMPILING_PAYS_STEPS - 1) is network
    compiled = eager.compiled(network, steps=COMPILING_PAYS_STEPS)
    assert compiled is not network
    assert next(compiled.parameters()) is network.weight


def test_only_fits_are_shared_out() -> None:
    hardware = plain_hardware(devices=2)
    assert hardware.devices == 2
    assert hardware.fabric.world_size == 1
    assert plain_hardware().devices == 1


@on_cpu
def test_a_cpu_stays_at_one() -> None:
    assert choose_hardware(tiny(precision="fp32", devices=4)).devices == 1
