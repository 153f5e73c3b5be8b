"""AnnoCerv from its files to predictions and figures, by the command line alone, on a few of its cases."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from colpo_core.cli.main import main

CHECKOUT = Path(__file__).resolve().parents[2]
ANNOCERV = CHECKOUT.parent / "shared" / "data" / "annocerv" / "dataset"
CASES = 14
pytestmark = [
    pytest.mark.annocerv,
    pytest.mark.skipif(not ANNOCERV.is_dir(), reason="AnnoCerv's photographs are not beside the checkout"),
]


class CommandLine:
    """The program on one store: as a process of its own for whatever starts or waits for networks."""

    def __init__(self, data_dir: Path) -> None:
        self.environment = {"COLPO_DATA": str(data_dir), "OMP_NUM_THREADS": "2"}

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "colpo_core", *words],
            cwd=CHECKOUT,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=500,
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def ask(self, *words: str) -> Any:
        """What a command that only reads or writes the store answers; it is called in this process."""
        result = CliRunner().invoke(main, [*words, "--json"], env=self.environment)
        assert result.exit_code == 0, f"{words}\n{result.output}\n{result.exception!r}"
        return json.loads(result.stdout)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """Some of the collection's cases, in its own layout, both classes among them."""
    folder = tmp_path / "dataset"
    folder.mkdir()
    numbers = sorted(int(place.name.split()[1]) for place in ANNOCERV.iterdir() if place.is_dir())[:CASES]
    for number in numbers:
        shutil.copytree(ANNOCERV / f"Case {number}", folder / f"Case {number}")
    shutil.copy(ANNOCERV / "swede_scores.csv", folder)
    return folder


def test_from_files_to_figures(part: Path, tmp_path: Path) -> None:
    program = CommandLine(tmp_path / "store")
    outlined = sum(1 for place in part.glob("*/*.png") if np.asarray(Image.open(place))[..., 3].any())

    imported = program.ask("import", "annocerv", str(part))
    assert imported["patients"] == CASES
    assert imported["imported"] == len(list(part.glob("*/*.jpg")))
    assert imported["annotations"] == outlined

    kept = max(int(place.name.split()[1]) for place in part.iterdir() if place.is_dir())
    program.ask("snapshot", "freeze", "kept", "--labels", "impression", "--external", "--patients", f"annocerv-{kept}")
    program.ask("snapshot", "freeze", "first", "--labels", "impression")
    changes = ["segmentation_epochs=2", "classification_epochs=1", "height_px=64", "width_px=64", "segnet_width=0.1"]
    changes += ["comparison_seeds=1", "precision=fp32"]
    program.run("train", "first", "--preset", "quick", "--wait", *[word for c in changes for word in ("--set", c)])
    program.run("checkpoints", "promote", "1", "--reason", "the only one", "--overrule", "a small trial")
    program.run("predict", "--store", "--wait")  # waits for the job that promoting has started
    assert "Nothing to do" in program.run("predict", "--store")

    shown = program.ask("checkpoints", "show", "1")
    assert shown["label_source"] == "impression"
    metrics = shown["card"]["metrics"]
    assert 0 <= metrics["segmentation"]["iou_acetowhite"]["value"] <= 1
    assert metrics["classification_4ch"]["case"]["accuracy"]["n"] >= 2
    assert "impression" in json.dumps(metrics)
    assert "not histology" in program.run("checkpoints", "show", "1")

    assert "look 1 at this set" in program.run("checkpoints", "evaluate", "1", "kept", "--wait")
    (look,) = program.ask("checkpoints", "evaluations", "1")
    assert look["metrics"]["classification_4ch"]["case"]["accuracy"]["n"] == 1

    status = program.ask("status")
    assert status["patients"] == status["cases"] == CASES
    assert status["images"] == status["predictions"] == imported["imported"]
    assert status["annotations"] == outlined
    assert status["annotations_to_confirm"] == imported["annotations_to_confirm"] > 0
    assert status["labels"] == 0, "a Swede score is no histology"
    assert (status["snapshots"], status["checkpoints"]) == (2, 1)

    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    photograph = next(part.glob("*/*.jpg"))
    Image.open(photograph).resize((300, 200)).save(outside / "one.jpg")
    (outside / "notes.jpg").write_text("no image")
    program.run("predict", "--images", str(outside), "--out", str(out))
    mask = np.asarray(Image.open(out / "one.png"))
    assert mask.shape == (200, 300)
    assert set(np.unique(mask)) <= {0, 255}
    with (out / "predictions.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["file"] == "one.jpg"
    assert 0 <= float(row["prob_hsil_3ch"]) <= 1
    assert float(row["acetowhite_fraction"]) == pytest.approx((mask == 255).mean(), abs=1e-6)
