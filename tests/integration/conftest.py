"""Fixtures of tests that use the whole program: its pages, its commands, and a server of its own."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from colpo_core.cli.main import main
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.studies.roe_metz import draw_ratings
from colpo_core.terms import Label
from tests.browser.conftest import Server


@pytest.fixture
def cases(add_case: Callable[..., int]) -> list[int]:
    return [add_case(label, simulated=True) for label in (Label.NORMAL, Label.HSIL, Label.NORMAL)]


@pytest.fixture
def study_id(administrator: Caller, reader: Caller, cases: list[int]) -> int:
    name = "Odd *name* <b>"
    study = designing.create_study(administrator, name=name, reader_ids=[reader.person_id])
    return study.id


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    """Three readers who have read forty cases in two arms."""
    truth, drawn = draw_ratings(np.random.default_rng(0), n_readers=3, n_positive=20, n_negative=20, aucs=(0.8, 0.9))
    place = tmp_path / "ratings.csv"
    with place.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["reader", "treatment", "case", "truth", "rating", "note"])
        for arm, of_arm in zip(("alone", "with"), drawn, strict=True):
            for reader, of_reader in zip("ABC", of_arm, strict=True):
                for case, (has, rating) in enumerate(zip(truth, of_reader, strict=True)):
                    lines.writerow([reader, arm, case, int(has), round(float(rating), 2), "x"])
    return place


@pytest.fixture
def run(settings: Settings, store: Store) -> Callable[..., Result]:
    """Calls the program with its words, and fails the test when it fails."""

    def call(*words: object, code: int = 0, text: str | None = None) -> Result:
        told = [str(word) for word in words]
        result = CliRunner().invoke(main, told, input=text, env={"COLPO_DATA": str(settings.data_dir)})
        assert result.exit_code == code, f"{words}\n{result.output}\n{result.exception!r}"
        return result

    return call


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """The program, serving an empty store."""
    server = Server(tmp_path / "data").start()
    yield server
    server.kill()
