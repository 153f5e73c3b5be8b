"""Fixtures of tests that use the whole program: its pages, its commands, and a server of its own."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
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
from tests.conftest import add_person
from tests.support.app_pages import OpenPage
from tests.support.browsers import Browser
from tests.support.handed_out import image_of

Get = Callable[..., httpx.Response]


@pytest.fixture
def berta(store: Store) -> Caller:
    return add_person(store, "berta")


@pytest.fixture
def case_id(add_case: Callable[..., int]) -> int:
    """A case without a label."""
    return add_case(None)


@pytest.fixture
def image_id(store: Store, case_id: int) -> int:
    return image_of(store, case_id)


@pytest.fixture
def page(annotator: Caller, case_id: int, open_page: OpenPage) -> Any:
    """The page of the case, as Anna sees it."""
    return open_page(annotator, "cases", case=case_id)


@pytest.fixture
def images(store: Store, add_case: Callable[..., int]) -> list[int]:
    """Four images, each of a case of its own."""
    return [image_of(store, add_case()) for _ in range(4)]


@pytest.fixture
def get(store: Store, token_of: Callable[[Caller], str]) -> Get:
    """Asks for an address as somebody, or as nobody: `get(annotator, "/colpo/images/1")`; headers by their names."""

    def ask(caller: Caller | None, path: str, **headers: str) -> httpx.Response:
        return Browser(store, token_of(caller) if caller else "").get(path, **headers)

    return ask


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
