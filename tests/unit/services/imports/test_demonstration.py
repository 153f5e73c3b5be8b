from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from colpo_core.errors import InputRejected
from colpo_core.images.decoding import read_rgb
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.services.cases.case import get_case
from colpo_core.services.cases.lists import list_cases
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports import demonstration
from colpo_core.services.imports.demonstration import fill_demonstration
from colpo_core.services.imports.rows import find_or_add_case
from colpo_core.settings import Settings
from colpo_core.store import Store
from colpo_core.store.tables import Annotation, Case, CaseLabel, Histology, Image, Patient
from colpo_core.terms import AnnotationState, Label, LabelSource, Stage
from tests.support.refusals import refused
from tests.support.store_rows import count, rows

N_CASES = 20
SMALL = {"height_px": 72, "width_px": 96}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    store = Store.open(Settings(data_dir=tmp_path_factory.mktemp("demonstration")))
    assert fill_demonstration(store, N_CASES, **SMALL) == N_CASES
    yield store
    store.close()


def content(store: Store) -> list[object]:
    """All that a second machine must get alike: no times, no random names."""
    with store.reading() as session:
        columns = (Image.sha256, Image.stage, Image.case_id, Image.seconds_after_acid)
        images = [tuple(row) for row in session.execute(select(*columns).order_by(Image.id))]
        labels = select(CaseLabel.case_id, CaseLabel.source, CaseLabel.label, CaseLabel.reason).order_by(CaseLabel.id)
        return [images, [tuple(row) for row in session.execute(labels)]]


def test_every_row_and_record_says_simulated(filled: Store) -> None:
    with filled.reading() as session:
        for table in (Patient, Case, Image):
            assert session.scalars(select(table.simulated).distinct()).all() == [True]
        for image in session.scalars(select(Image).limit(3)):
            assert image.perceptual_hash == perceptual_hash(read_rgb(filled.blobs.get(image.sha256)))
        assert session.scalar(select(func.count()).select_from(Case)) == N_CASES


def test_the_cohort_leaves_work_and_has_the_cases_that_are_hard_to_label(filled: Store) -> None:
    with filled.reading() as session:
        acetic = session.scalar(select(func.count()).select_from(Image).where(Image.stage == Stage.ACETIC_ACID))
        states = session.execute(select(Annotation.state, func.count()).group_by(Annotation.state)).all()
        reasons = session.scalars(select(CaseLabel.reason).where(CaseLabel.source == LabelSource.HISTOLOGY)).all()
        labels = set(session.scalars(select(CaseLabel.label).where(CaseLabel.source == LabelSource.HISTOLOGY)))
        assert session.scalar(select(func.max(Histology.specimen_number))) == 2
    assert acetic == N_CASES
    assert [tuple(row) for row in states] == [(AnnotationState.SUBMITTED, N_CASES - 2)]
    assert reasons.count("excluded: no histology, and no colposcopy recorded as normal") == 1
    assert any(reason == "no biopsy, and the colposcopy is recorded as normal" for reason in reasons)
    assert {Label.NORMAL, Label.HSIL, None} == labels


def test_scores_with_a_missing_row_have_no_total_and_no_impression(filled: Store, tmp_path: Path) -> None:
    actor = demonstration.program_actor(filled, demonstration.SIMULATOR)
    seen = set()
    for row in list_cases(Caller(filled, actor)).rows:
        case = get_case(Caller(filled, actor), case_id=row.id)
        complete = case.form.swede.iodine is not None
        seen.add(complete)
        assert (case.swede_total is not None) is complete
        assert (case.label(LabelSource.IMPRESSION) is not None) is complete
    assert seen == {True, False}


def test_a_second_run_changes_nothing_also_with_another_size(filled: Store) -> None:
    before = content(filled)
    assert fill_demonstration(filled, N_CASES, **SMALL) == 0
    assert fill_demonstration(filled, N_CASES + 5, **SMALL) == 0
    assert content(filled) == before


def test_another_machine_draws_the_same_cases(filled: Store, store: Store) -> None:
    numbers: list[int] = []
    assert fill_demonstration(store, 4, numbers.append, **SMALL) == 4
    assert numbers == [1, 2, 3, 4]
    images, labels = content(store)
    assert isinstance(images, list)
    assert isinstance(labels, list)
    all_images, all_labels = content(filled)
    assert isinstance(all_images, list)
    assert isinstance(all_labels, list)
    assert images == all_images[: len(images)]
    assert labels == all_labels[: len(labels)]


def test_a_store_with_a_patient_is_left_alone(store: Store, annotator: Caller) -> None:
    with store.writing() as session:
        find_or_add_case(session, actor=annotator.actor, patient_code="P-1", case_date=None)
    assert fill_demonstration(store, 3, **SMALL) == 0
    assert rows(store, Patient.code) == ["P-1"]


def test_an_interrupted_run_is_taken_up_where_it_stopped(
    filled: Store, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = demonstration.import_annotation
    calls = 0

    def stops_at_the_third(*args: object, **kwargs: object) -> int:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise InputRejected("the power went")
        return real(*args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(demonstration, "import_annotation", stops_at_the_third)
        refused(InputRejected, lambda: fill_demonstration(store, 5, **SMALL))
    assert fill_demonstration(store, 5, **SMALL) == 2
    assert count(store, Annotation) == 4
    assert content(store)[0] == content(filled)[0][: len(content(store)[0])]  # type: ignore[index,arg-type]


def test_no_cases_is_no_demonstration(store: Store) -> None:
    refused(ValueError, lambda: fill_demonstration(store, 0), match="at least one")
