"""Back-up and restore are killed at random moments: what was whole stays whole, and the next run brings all of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from colpo_core.services.common.callers import Caller
from colpo_core.services.maintenance.checking import check_store
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.backup import back_up, restore
from tests.support.whole_stores import whole_clinic

CHECKOUT = Path(__file__).parents[2]
N_KILLS = 12
# The work of a command without the second in which it starts, over and over until it is killed.
REPEAT = """
import sys
from pathlib import Path
from colpo_core.settings import Settings
from colpo_core.store import backup
print("begun", flush=True)
while True:
    {}
"""
BACK_UP = "backup.back_up(Settings(data_dir=Path(sys.argv[1])), Path(sys.argv[2]), verify=True)"
RESTORE = "backup.restore(Path(sys.argv[2]), Settings(data_dir=Path(sys.argv[1])))"


def killed(code: str, *folders: Path, chance: np.random.Generator) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", REPEAT.format(code), *map(str, folders)],
        cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(chance.uniform(0, 0.15))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


@pytest.mark.slow
@pytest.mark.sqlite
def test_a_killed_back_up_leaves_one_that_can_be_restored(store: Store, administrator: Caller, tmp_path: Path) -> None:
    desk, chance, copy = whole_clinic(administrator), np.random.default_rng(20), tmp_path / "copy"
    back_up(store.settings, copy)
    for turn in range(N_KILLS):
        desk.clinic.add_case()
        killed(BACK_UP, store.settings.data_dir, copy, chance=chance)
        again = Settings(data_dir=tmp_path / f"again-{turn}")
        assert restore(copy, again).faults == ()
    assert back_up(store.settings, copy, verify=True).faults == ()
    assert check_store(administrator).faults == ()


@pytest.mark.slow
@pytest.mark.sqlite
def test_a_killed_restore_goes_on_and_is_whole(store: Store, administrator: Caller, tmp_path: Path) -> None:
    desk, chance, copy = whole_clinic(administrator), np.random.default_rng(21), tmp_path / "copy"
    for _ in range(40):
        desk.clinic.add_case()
    facts = back_up(store.settings, copy)
    n_unfinished = 0
    for turn in range(N_KILLS):
        again = Settings(data_dir=tmp_path / f"again-{turn}")
        killed(RESTORE, again.data_dir, copy, chance=chance)
        if not again.database_path.exists():
            n_unfinished += 1
            assert restore(copy, again).files == facts.files
        made = Store.open(again, make=False)
        assert check_store(Caller(made, administrator.actor)).faults == ()
        made.close()
    assert n_unfinished
