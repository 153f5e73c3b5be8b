"""What the tests of pages share."""

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from colpo_core.records.people import Actor
from colpo_core.services.studies import designing
from colpo_core.store import Store
from colpo_core.studies.roe_metz import draw_ratings
from colpo_core.terms import Label


@pytest.fixture
def cases(add_case: Callable[..., int]) -> list[int]:
    return [add_case(label, simulated=True) for label in (Label.NORMAL, Label.HSIL, Label.NORMAL)]


@pytest.fixture
def study_id(store: Store, administrator: Actor, reader: Actor, cases: list[int]) -> int:
    name = "Odd *name* <b>"
    study = designing.create_study(store, actor=administrator, name=name, reader_ids=[reader.person_id])
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
