"""Processes that tests start and wait for."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 300


def run_python(data_dir: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in the checkout, on the store of a data folder, until it ends."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=os.environ | {"COLPO_DATA": str(data_dir)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def wait_for(condition: Callable[[], object], what: str, *, every_seconds: float = 0.1) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(every_seconds)
