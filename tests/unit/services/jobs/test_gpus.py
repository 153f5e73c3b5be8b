import os
import subprocess
import sys
from pathlib import Path

import pytest

from colpo_core.records.jobs.jobs import GpuState
from colpo_core.records.jobs.settings import EvaluationSettings
from colpo_core.records.training.settings import preset
from colpo_core.services.jobs import gpus
from colpo_core.services.jobs.gpus import gpus_here, gpus_wanted, holding_gpus, is_across_machines
from colpo_core.settings import Settings

SETTINGS = Settings(data_dir=Path("data"))
ON_RAY = Settings(data_dir=Path("data"), engine="ray")
HOLD = """
import sys
from pathlib import Path
from colpo_core.services.jobs import gpus
gpus.LOCKS_DIR = Path(sys.argv[1])
with gpus.holding_gpus(sys.argv[2:], wanted=1) as held:
    print(held, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def locks_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(gpus, "LOCKS_DIR", tmp_path / "locks")
    return tmp_path / "locks"


def test_named_gpus_are_taken_at_their_word(tmp_path: Path) -> None:
    assert gpus_here(Settings(data_dir=tmp_path, gpus=("GPU-a",))) == ("GPU-a",)
    assert gpus_here(Settings(data_dir=tmp_path, gpus=())) == ()


def test_each_gpu_is_held_once_and_free_again_afterwards() -> None:
    with holding_gpus(["a", "b"], wanted=1) as first:
        assert first == ("a",)
        with holding_gpus(["a", "b"], wanted=1) as second:
            assert second == ("b",)
            with holding_gpus(["a", "b"], wanted=1) as third:
                assert third is None
    with holding_gpus(["a", "b"], wanted=2) as both:
        assert both == ("a", "b")


def test_who_gets_too_few_holds_none() -> None:
    with holding_gpus(["a"], wanted=1):
        with holding_gpus(["a", "b", "c"], wanted=3) as some:
            assert some is None
        with holding_gpus(["b", "c"], wanted=2) as rest:
            assert rest == ("b", "c")


def test_another_process_keeps_it_until_it_is_killed(locks_dir: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(locks_dir), "GPU/one"],
        cwd=Path(__file__).parents[4],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout.readline() == "('GPU/one',)\n"
    with holding_gpus(["GPU/one"], wanted=1) as held:
        assert held is None
    holder.kill()
    holder.communicate()
    with holding_gpus(["GPU/one"], wanted=1) as held:
        assert held == ("GPU/one",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root opens every file")
def test_a_lock_that_cannot_be_opened_counts_as_taken(locks_dir: Path) -> None:
    locks_dir.mkdir()
    (locks_dir / "a.lock").touch(mode=0o000)
    with holding_gpus(["a"], wanted=1) as held:
        assert held is None


def test_a_training_takes_as_many_as_it_says_and_no_more_than_there_are() -> None:
    assert gpus_wanted(SETTINGS, preset("quick", devices=2), available=4) == 2
    assert gpus_wanted(SETTINGS, preset("quick", devices=0), available=4) == 4
    assert gpus_wanted(SETTINGS, preset("quick", devices=8), available=4) == 4
    assert gpus_wanted(SETTINGS, EvaluationSettings(1, 1), available=4) == 1
    assert gpus_wanted(SETTINGS, None, available=4) == 1, "settings of another version of the program"


def test_under_ray_several_devices_are_those_of_the_cluster() -> None:
    assert is_across_machines(ON_RAY, preset("quick", devices=2))
    assert not is_across_machines(ON_RAY, preset("quick", devices=1))
    assert not is_across_machines(SETTINGS, preset("quick", devices=2))
    assert gpus_wanted(ON_RAY, preset("quick", devices=4), available=2) == 1
    assert gpus_wanted(ON_RAY, EvaluationSettings(1, 1), available=2) == 1


@pytest.mark.parametrize(
    ("given", "named", "here"),
    [
        ("1", None, ("GPU-b",)),
        ("0,1", None, ("GPU-a", "GPU-b")),
        ("GPU-b", None, ("GPU-b",)),
        ("", None, ("GPU-a", "GPU-b")),
        ("0,1", ("GPU-b",), ("GPU-b",)),
        ("1", (), ()),
    ],
)
def test_what_ray_has_chosen_is_taken(
    monkeypatch: pytest.MonkeyPatch, given: str, named: tuple[str, ...] | None, here: tuple[str, ...]
) -> None:
    states = tuple(GpuState(uuid, "H100", 80 * 10**9, 80 * 10**9, 0.0) for uuid in ("GPU-a", "GPU-b"))
    monkeypatch.setattr(gpus, "gpu_states", lambda: states)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert gpus_here(Settings(data_dir=Path("data"), engine="ray", gpus=named)) == here
