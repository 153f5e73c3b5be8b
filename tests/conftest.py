"""Fixtures that every test may use: a fresh store and a caller of each role."""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import settings as hypothesis_settings

from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.labels import RULES_VERSION
from colpo_core.records.people import Actor
from colpo_core.services.common.callers import Caller
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Case, CaseLabel, Image, Patient, Person, SignInSession
from colpo_core.store.tables.base import utc_now
from colpo_core.terms import Label, LabelSource, Role, Stage

if TYPE_CHECKING:
    from tests.support.clinic import Clinic, PredictedClinic
    from tests.support.handed_out import Team

# No test asserts a time: a machine that does something else beside is no reason to fail.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

AddCase = Callable[..., int]
MEMORY = Path("/dev/shm")  # noqa: S108 - nothing but the root of the folders that pytest makes
LEAST_FREE_BYTES = 4 * 2**30


def pytest_configure() -> None:
    """Let the stores of tests lie in memory where there is room for them, so that no commit waits for a disk."""
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > LEAST_FREE_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL server of this process's tests; see `tests.support.postgresql.Server`."""
    from tests.support.postgresql import serving

    with serving(tmp_path_factory.mktemp("postgresql") / "server") as server:
        yield server


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an empty store: to copy it takes a fraction of the time that making its tables takes."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("empty"))
    Store.open(settings).close()
    with closing(sqlite3.connect(settings.database_path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return settings.database_path


@pytest.fixture
def store(settings: Settings, empty_database: Path, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A fresh store; with COLPO_TEST_ON=postgresql its database is one of a PostgreSQL server."""
    if os.environ.get("COLPO_TEST_ON") == "postgresql":
        settings = replace(settings, database_url=request.getfixturevalue("postgresql").new_database())
    elif settings.database_url is None and not settings.database_path.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(empty_database, settings.database_path)
    opened = Store.open(settings)
    yield opened
    opened.close()


def add_person(store: Store, username: str, role: Role = Role.ANNOTATOR) -> Caller:
    with store.writing() as session:
        person = Person(username=username, display_name=username.title(), role=role, active=True)
        session.add(person)
        session.flush()
        return Caller(store, Actor(person.id, person.username, person.display_name, person.role))


@pytest.fixture
def administrator(store: Store) -> Caller:
    return add_person(store, "ada", Role.ADMINISTRATOR)


@pytest.fixture
def annotator(store: Store) -> Caller:
    return add_person(store, "anna", Role.ANNOTATOR)


@pytest.fixture
def reader(store: Store) -> Caller:
    return add_person(store, "rita", Role.READER)


@pytest.fixture
def second_reader(store: Store) -> Caller:
    return add_person(store, "ruth", Role.READER)


@pytest.fixture
def add_case(store: Store) -> AddCase:
    """Adds a case of a patient of its own (or of `patient_id`) with one small image and a label; returns its id."""
    made = 0

    def add(
        label: Label | None = Label.NORMAL,
        *,
        stage: Stage = Stage.ACETIC_ACID,
        shows_cervix: bool = True,
        source: LabelSource = LabelSource.HISTOLOGY,
        simulated: bool = False,
        patient_id: int | None = None,
    ) -> int:
        nonlocal made
        made += 1
        rgb = np.random.default_rng(made).integers(0, 256, (24, 32, 3), dtype=np.uint8)
        file = encode_clean(CleanImage(rgb, width_px=32, height_px=24))
        with store.writing() as session:
            patient = session.get(Patient, patient_id) if patient_id else Patient(code=f"secret-{made}")
            assert patient is not None
            patient.simulated = simulated
            case = Case(patient=patient, case_date=date(2019, 5, 1) + timedelta(days=made), simulated=simulated)
            image = Image(case=case, sha256=store.blobs.put(file.content), media_type=file.media_type)
            image.width_px, image.height_px, image.stage = 32, 24, stage
            image.shows_cervix, image.simulated = shows_cervix, simulated
            session.add_all([patient, image])
            decision = CaseLabel(case=case, source=source, label=label, reason="told by the test")
            decision.rules_version = RULES_VERSION
            session.add(decision)
            session.flush()
            return case.id

    return add


@pytest.fixture
def clinic(store: Store) -> "Clinic":
    """A clinic without cases yet; see `tests.support.clinic`."""
    from tests.support.clinic import Clinic

    return Clinic(store)


@pytest.fixture
def desk(administrator: Caller) -> "PredictedClinic":
    """Three cases that the current model has predicted."""
    from tests.support.clinic import PredictedClinic

    return PredictedClinic(administrator)


@pytest.fixture
def team(administrator: Caller) -> "Team":
    """Those who share out tasks, annotate them and decide."""
    from tests.support.handed_out import make_team

    return make_team(administrator)


@pytest.fixture
def people(store: Store) -> list[Caller]:
    """Three more annotators."""
    return [add_person(store, name, Role.ANNOTATOR) for name in ("berta", "clara", "dora")]


@pytest.fixture
def token_of(store: Store) -> Callable[[Caller], str]:
    """Signs somebody in without a password; returns what the cookie would hold."""

    def token(caller: Caller) -> str:
        given = f"token-of-{caller.actor.username}"
        token_sha256 = hashlib.sha256(given.encode()).hexdigest()
        with store.writing() as session:
            if session.get(SignInSession, token_sha256) is None:
                expires_at = utc_now() + timedelta(hours=1)
                session.add(SignInSession(token_sha256=token_sha256, person_id=caller.person_id, expires_at=expires_at))
        return given

    return token


@pytest.fixture
def open_page(store: Store, token_of: Callable[[Caller], str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Opens a page of the whole program as somebody: `open_page(annotator, "cases", case=12)`, a `Page` run once."""
    from streamlit.util import calc_hash

    from tests.support.app_pages import Page

    def opened(caller: Caller, page: str = "", **params: object) -> Page:
        token = token_of(caller)
        monkeypatch.setenv("COLPO_DATA", str(store.settings.data_dir))
        monkeypatch.setattr("pages._ui.shared.context.session_token", lambda: token)
        shell = Path(__file__).parents[1] / "pages" / "_ui" / "shell.py"
        app = Page(shell, default_timeout=60)
        app.query_params.update({name: str(value) for name, value in params.items()})
        app._page_hash = calc_hash(page) if page else ""
        return app.run()

    return opened


@pytest.fixture
def placed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Keeps runners from being started, and tells which jobs would have been."""
    found: list[int] = []
    monkeypatch.setattr("colpo_core.services.jobs.engine.place", lambda _store, job_id: found.append(job_id) or True)
    return found


@pytest.fixture
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with the least of memory and passes, for tests that hash many passwords and do not test the hash."""
    from argon2 import PasswordHasher

    hasher = PasswordHasher(time_cost=1, memory_cost=256, parallelism=1)
    monkeypatch.setattr("colpo_core.services.people.passwords._hasher", hasher)
    monkeypatch.setattr("colpo_core.services.people.passwords._nobody", [])
