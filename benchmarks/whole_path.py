"""How long the whole path takes from the command line: images in, snapshot, quick training, predictions.

    python -m benchmarks.whole_path                          # 40 simulated cases
    python -m benchmarks.whole_path path/to/annocerv/dataset # the AnnoCerv collection, labels by impression

Each step is a process of its own on a store in a temporary folder; seconds are wall time. One Markdown row is
printed, with the checkpoint's own figures on its test side.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.shared import print_row

CHECKOUT = Path(__file__).resolve().parents[1]


def timed(data_dir: str, *words: str) -> float:
    """Run one command; returns its wall time in seconds."""
    start = time.perf_counter()
    environment = {**os.environ, "COLPO_DATA": data_dir}
    subprocess.run([sys.executable, "-m", "colpo_core", *words], cwd=CHECKOUT, env=environment, check=True)  # noqa: S603
    return time.perf_counter() - start


def ask(data_dir: str, *words: str) -> Any:  # noqa: ANN401 - JSON
    """Run one command and read its JSON."""
    environment = {**os.environ, "COLPO_DATA": data_dir}
    command = [sys.executable, "-m", "colpo_core", *words, "--json"]
    return json.loads(subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, capture_output=True).stdout)  # noqa: S603


def figure(block: dict[str, Any]) -> str:
    """A figure with its interval, as the card gives it."""
    if block["value"] is None:
        return "not defined"
    if block["low"] is None:
        return f"{block['value']:.2f} (no interval)"
    return f"{block['value']:.2f} ({block['low']:.2f} to {block['high']:.2f})"


def main() -> None:
    collection = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory() as data_dir:
        if collection:
            seconds = [timed(data_dir, "import", "annocerv", collection)]
            seconds.append(timed(data_dir, "snapshot", "freeze", "first", "--labels", "impression"))
        else:
            seconds = [timed(data_dir, "demo", "--fill-only")]
            seconds.append(timed(data_dir, "snapshot", "freeze", "first"))
        seconds.append(timed(data_dir, "train", "first", "--preset", "quick", "--wait"))
        timed(data_dir, "checkpoints", "promote", "1", "--reason", "benchmark", "--overrule", "a trial")
        seconds.append(timed(data_dir, "predict", "--store", "--wait"))
        status, shown = ask(data_dir, "status"), ask(data_dir, "checkpoints", "show", "1")
    print(json.dumps(status), file=sys.stderr)
    metrics = shown["card"]["metrics"]
    print_row(
        "AnnoCerv, labels by impression" if collection else "40 simulated cases",
        *(f"{value:.0f}" for value in seconds),
        figure(metrics["segmentation"]["iou_acetowhite"]),
        figure(metrics["segmentation"]["iou_background"]),
        figure(metrics["classification_3ch"]["case"]["auc"]),
        figure(metrics["classification_4ch"]["case"]["auc"]),
    )


if __name__ == "__main__":
    main()
