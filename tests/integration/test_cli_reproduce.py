"""The paper's figures beside a clinic's own, from the command line on the real store, with tiny trainings."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from colpo_core.cli.main import main
from colpo_core.settings import Settings
from colpo_core.store import Store
from tests.support.clinic import Clinic
from tests.support.reproduced import reproduced

TINY = {
    "height_px": 64,
    "width_px": 64,
    "segnet_width": 0.1,
    "segmentation_epochs": 1,
    "classification_epochs": 1,
    "precision": "fp32",
    "threads": 1,
}


def call(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(main, words, env={"COLPO_DATA": str(settings.data_dir)})


def test_the_tables_are_printed_and_written(settings: Settings, store: Store, tmp_path: Path) -> None:
    Clinic(store).add_cohort(8, simulated=True)
    assert call(settings, "snapshot", "freeze", "first").exit_code == 0
    changes = [word for name, value in TINY.items() for word in ("--set", f"{name}={value}")]
    out = tmp_path / "out"
    words = ("reproduce", "first", "--out", str(out), "--classifier", "resnet18", *changes)
    told = call(settings, *words)
    assert told.exit_code == 0, told.output
    assert told.stdout == (out / "reproduction.txt").read_text(encoding="utf-8")
    assert told.stdout.count("LEAKS: Protocol of Kim et al. 2022") == 3
    assert "SIMULATED images" in told.stdout
    assert "By the protocol “paper”." in told.stderr
    assert "loss" in told.stderr
    rows = list(csv.DictReader((out / "reproduction.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["protocol"] for row in rows} == {"paper", "patient"}
    assert len(list(out.glob("*.png"))) == 3


def test_as_json_it_is_the_file(
    settings: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "colpo_core.training.reproduction.reproduce", lambda inputs, **__: reproduced(sha256=inputs.manifest.sha256)
    )
    Clinic(store).add_cohort(8)
    assert call(settings, "snapshot", "freeze", "first").exit_code == 0
    told = call(settings, "reproduce", "first", "--out", str(tmp_path), "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout) == json.loads((tmp_path / "reproduction.json").read_text(encoding="utf-8"))
    assert {block["protocol"] for block in json.loads(told.stdout)["calls"] if block["leaks"]} == {"paper"}


@pytest.mark.parametrize("change", ["protocol=paper", "classifier=resnet50", "comparison_seeds=3"])
def test_what_a_reproduction_sets_by_itself_is_refused(
    settings: Settings, store: Store, tmp_path: Path, change: str
) -> None:
    refused = call(settings, "reproduce", "first", "--out", str(tmp_path / "out"), "--set", change)
    assert refused.exit_code == 2
    assert "by itself" in refused.output


def test_stopping_it_says_how_to_go_on(
    settings: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("colpo_core.training.reproduction.reproduce", stopped)
    Clinic(store).add_cohort(8)
    assert call(settings, "snapshot", "freeze", "first").exit_code == 0
    told = call(settings, "reproduce", "first", "--out", str(tmp_path / "out"))
    assert told.exit_code == 1
    assert "run the same command again to go on" in told.stderr
