"""Nothing that was confirmed is lost where processes are killed and the disk refuses to write, at random moments."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from colpo_core.services.common.actors import OPERATOR, program_actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.maintenance.checking import check_store
from colpo_core.settings import Settings
from colpo_core.store import Store
from tests.faults.clinic_at_work import open_clinic, work
from tests.faults.confirmed import missing, read_lines
from tests.support.processes import ROOT

N_KILLS = int(os.environ.get("FAULTS_KILLS", "200"))
N_DISK_FAULTS = int(os.environ.get("FAULTS_DISK", "100"))
SHIM = Path(__file__).with_name("failing_disk.c")
ENOSPC, EIO = 28, 5

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]


@dataclass
class Clinic:
    data_dir: Path
    confirmed: list[dict[str, Any]] = field(default_factory=list)

    def take(self, lines: Iterable[dict[str, Any]]) -> None:
        self.confirmed += lines

    def check(self) -> None:
        """Open the store as after a crash: all that was confirmed is there, and the store is whole."""
        with closing(Store.open(Settings(data_dir=self.data_dir))) as store:
            assert missing(store, self.confirmed) == []
            assert check_store(Caller(store, program_actor(store, OPERATOR))).faults == ()

    def summary(self) -> Counter[str]:
        """How many writes of each kind were confirmed, and what was refused."""
        return Counter(line.get("refused") or next(iter(line)) for line in self.confirmed)


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    open_clinic(tmp_path / "data")
    return Clinic(tmp_path / "data")


def _work_into(pipe: int, data_dir: Path, seed: int) -> None:
    os.dup2(pipe, 1)
    work(data_dir, seed)


def test_a_process_killed_at_any_moment_loses_nothing_that_was_confirmed(clinic: Clinic) -> None:
    chance = np.random.default_rng(20)
    context = multiprocessing.get_context("fork")  # forked, the process works at once; killed, it is as dead as any
    for seed in range(N_KILLS):
        reading, writing = os.pipe()
        process = context.Process(target=_work_into, args=(writing, clinic.data_dir, seed))
        process.start()
        os.close(writing)
        time.sleep(float(chance.uniform(0.05, 2.0)))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        with os.fdopen(reading, "rb") as pipe:
            clinic.take(read_lines(pipe.read()))
        process.join()
        clinic.check()
    counts = clinic.summary()
    sys.stdout.write(f"{dict(counts)}\n")  # shown by `pytest -s`
    assert not any(name.startswith("restore") for name in counts if ":" in name), "a back-up could not be restored"
    assert {"image", "draft", "version", "specimen", "reading", "promotion"} <= counts.keys()


@pytest.mark.skipif(sys.platform != "linux", reason="the failing disk is made for Linux")
def test_a_disk_that_refuses_loses_nothing_that_was_confirmed(clinic: Clinic, tmp_path: Path) -> None:
    library = tmp_path / "failing_disk.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SHIM), "-ldl"], check=True)
    chance = np.random.default_rng(21)
    for seed in range(N_DISK_FAULTS):
        faults = {
            "LD_PRELOAD": str(library),
            "FAULT_FOLDER": str(clinic.data_dir.parent),
            "FAULT_AFTER": str(chance.integers(1, 400)),
            "FAULT_TIMES": str(chance.choice([1, 3, 0])),
            "FAULT_ERRNO": str(chance.choice([ENOSPC, EIO])),
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.clinic_at_work", str(seed), "12"],
            cwd=ROOT,
            env=os.environ | {"COLPO_DATA": str(clinic.data_dir)} | faults,
            capture_output=True,
            timeout=300,
            check=False,
        )
        clinic.take(read_lines(done.stdout))
        clinic.check()
    counts = clinic.summary()
    sys.stdout.write(f"{dict(counts)}\n")  # shown by `pytest -s`
    assert sum(count for name, count in counts.items() if ":" in name) >= N_DISK_FAULTS / 4, "the disk hardly failed"
