from datetime import date
from typing import Any

import pytest

from colpo_core.errors import Conflict, InputRejected, NotFound, PermissionDenied, StudyLocked
from colpo_core.records.studies.designs import CaseChoice, CaseSource
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing
from colpo_core.services.studies.rows import check_seal, get_study, list_studies
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import AuditEntry, CaseLabel, Image, Person, Study, StudyCase
from colpo_core.terms import Grade, Label, LabelSource, Role, Stage, StudyState
from tests.conftest import AddCase
from tests.support.clinic import Clinic, add_view
from tests.support.refusals import refused
from tests.support.store_rows import change_all, get, row, rows, sealed


@pytest.fixture
def cases(add_case: AddCase) -> list[int]:
    return [add_case(Label.NORMAL), add_case(Label.HSIL), add_case(Label.NORMAL)]


@pytest.fixture
def draft(administrator: Caller, reader: Caller, cases: list[int]) -> int:
    return designing.create_study(
        administrator, name="First", question="Who is right?", reader_ids=[reader.person_id]
    ).id


def test_a_draft_takes_all_labelled_cases_with_an_image(
    administrator: Caller, reader: Caller, add_case: AddCase, cases: list[int]
) -> None:
    add_case(None)
    add_case(Label.HSIL, stage=Stage.LUGOL)
    add_case(Label.HSIL, shows_cervix=False)
    add_case(Label.HSIL, source=LabelSource.IMPRESSION)
    record = designing.create_study(administrator, name="  First  study ", reader_ids=[reader.person_id])
    assert (record.name, record.state) == ("First study", StudyState.DRAFT)
    assert (record.n_cases, record.n_normal, record.n_hsil, record.n_readers) == (3, 2, 1, 1)
    detail = get_study(administrator, study_id=record.id)
    assert detail.left_out == (("no acetic-acid image that shows the cervix", 2),)
    assert detail.chosen_by == "all cases with a label by histology"


def test_picked_cases_say_what_was_left_out(
    administrator: Caller, reader: Caller, add_case: AddCase, cases: list[int]
) -> None:
    choice = CaseChoice(CaseSource.PICKED, case_ids=(*cases[:2], add_case(None), 4711))
    preview = designing.preview_choice(administrator, choice=choice, reader_ids=[reader.person_id])
    assert (preview.n_cases, preview.n_normal, preview.n_hsil, preview.n_patients) == (2, 1, 1, 2)
    assert preview.left_out == (("no label by histology", 1), ("no such case", 1))
    assert preview.problems == ()


def test_simulated_cases_may_be_left_out(administrator: Caller, add_case: AddCase, cases: list[int]) -> None:
    add_case(Label.HSIL, simulated=True)
    both = designing.preview_choice(administrator, choice=CaseChoice())
    real = designing.preview_choice(administrator, choice=CaseChoice(include_simulated=False))
    assert (both.n_cases, both.n_simulated) == (4, 1)
    assert (real.n_cases, real.n_simulated, real.left_out) == (3, 0, (("simulated", 1),))


def test_the_preview_says_why_a_study_could_not_be_opened(administrator: Caller) -> None:
    assert len(designing.preview_choice(administrator, choice=CaseChoice()).problems) == 2
    with pytest.raises(InputRejected, match="Choose the snapshot"):
        designing.preview_choice(administrator, choice=CaseChoice(CaseSource.TEST_SPLIT))


def test_the_shown_image_is_the_first_after_acetic_acid_that_shows_the_cervix(
    store: Store, administrator: Caller, draft: int, cases: list[int]
) -> None:
    change_all(store, Image, Image.case_id == cases[0], shows_cervix=False)
    for mark in ("e", "f"):
        add_view(store, cases[0], Stage.ACETIC_ACID, mark=mark)
    designing.open_study(administrator, study_id=draft)
    shown = row(store, StudyCase.image_id, StudyCase.study_id == draft, StudyCase.case_id == cases[0])
    assert get(store, Image, shown).sha256 == "e" * 64


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_study_needs_a_fit_name(administrator: Caller, reader: Caller, cases: list[int], name: str) -> None:
    refused(InputRejected, lambda: designing.create_study(administrator, name=name, reader_ids=[reader.person_id]))


def test_a_name_stands_for_one_study(administrator: Caller, reader: Caller, draft: int) -> None:
    with pytest.raises(Conflict, match="First"):
        designing.create_study(administrator, name="First", reader_ids=[reader.person_id])


def test_what_answers_nothing_is_refused_and_changes_nothing(
    administrator: Caller, annotator: Caller, reader: Caller, cases: list[int]
) -> None:
    normal = [cases[0], cases[2]]
    for wrong, reason in [
        ({"reader_ids": []}, "at least one reader"),
        ({"reader_ids": [annotator.person_id]}, "role is reader"),
        ({"reader_ids": [reader.person_id], "case_ids": normal}, "Every case of the study is normal"),
        ({"reader_ids": [reader.person_id], "case_ids": cases[:1]}, "at least 2 cases"),
        ({"reader_ids": [reader.person_id], "seed": -1}, "seed"),
    ]:
        with pytest.raises(InputRejected, match=reason):
            designing.create_study(administrator, name="First", **wrong)  # type: ignore[arg-type]
    with pytest.raises(NotFound, match="checkpoint"):
        designing.create_study(administrator, name="First", reader_ids=[reader.person_id], checkpoint_ids=[9])
    assert list_studies(administrator) == ()


def test_opening_seals_the_design(store: Store, administrator: Caller, draft: int) -> None:
    record = designing.open_study(administrator, study_id=draft)
    assert record.state is StudyState.OPEN
    assert record.opened_at is not None
    assert record.seal_sha256 is not None
    assert sealed(store, draft).to_dict() == get(store, Study, draft).design
    assert row(store, AuditEntry, AuditEntry.action == "open study").detail["seal"] == record.seal_sha256


def test_the_truth_is_frozen_at_the_sealing_and_not_before(administrator: Caller, draft: int, cases: list[int]) -> None:
    def set_label(label: Label) -> None:
        change_all(administrator, CaseLabel, CaseLabel.case_id == cases[0], label=label)

    set_label(Label.HSIL)
    assert designing.open_study(administrator, study_id=draft).n_hsil == 2
    set_label(Label.NORMAL)
    assert get_study(administrator, study_id=draft).study.n_hsil == 2
    sealed(administrator, draft)


def test_a_broken_seal_is_noticed(store: Store, administrator: Caller, draft: int, cases: list[int]) -> None:
    designing.open_study(administrator, study_id=draft)
    change_all(store, StudyCase, StudyCase.case_id == cases[0], truth=Label.HSIL)
    with store.reading() as session, pytest.raises(StudyLocked, match="no longer is what was sealed"):
        check_seal(session, find_row(session, Study, draft))


def test_a_case_that_lost_its_label_stops_the_sealing(administrator: Caller, draft: int, cases: list[int]) -> None:
    change_all(administrator, CaseLabel, CaseLabel.case_id == cases[0], label=None)
    refused(InputRejected, lambda: designing.open_study(administrator, study_id=draft), match="1 of the 3 cases")
    assert get_study(administrator, study_id=draft).study.state is StudyState.DRAFT


@pytest.mark.parametrize("change", [{"active": False}, {"role": Role.ANNOTATOR}])
def test_a_reader_who_is_gone_stops_the_sealing(
    store: Store, administrator: Caller, reader: Caller, draft: int, change: dict[str, object]
) -> None:
    change_all(store, Person, Person.id == reader.person_id, **change)
    refused(InputRejected, lambda: designing.open_study(administrator, study_id=draft), match="no longer")


def test_a_study_goes_one_way(administrator: Caller, draft: int) -> None:
    with pytest.raises(StudyLocked, match="only an open study"):
        designing.close_study(administrator, study_id=draft, reason="enough was read")
    designing.open_study(administrator, study_id=draft)
    refused(StudyLocked, lambda: designing.open_study(administrator, study_id=draft), match="only a draft")
    refused(StudyLocked, lambda: designing.discard_study(administrator, study_id=draft), match="kept for good")
    assert designing.close_study(administrator, study_id=draft, reason="enough was read").state is StudyState.CLOSED
    for again in (designing.open_study, designing.close_study):
        with pytest.raises(StudyLocked):
            again(administrator, study_id=draft)


def test_a_draft_can_be_discarded(store: Store, administrator: Caller, draft: int) -> None:
    designing.discard_study(administrator, study_id=draft)
    assert rows(store, Study) == []
    assert rows(store, StudyCase) == []
    refused(NotFound, lambda: designing.open_study(administrator, study_id=draft))


def test_options_name_active_readers_alone(
    administrator: Caller, annotator: Caller, reader: Caller, cases: list[int]
) -> None:
    assert [option.id for option in designing.study_options(administrator).readers] == [reader.person_id]


def test_only_an_administrator_designs(annotator: Caller, reader: Caller, draft: int) -> None:
    for caller in (annotator, reader):
        for ask in (
            lambda who: designing.study_options(who),
            lambda who: designing.preview_choice(who, choice=CaseChoice()),
            lambda who: designing.create_study(who, name="x", reader_ids=[reader.person_id]),
            lambda who: designing.open_study(who, study_id=draft),
            lambda who: designing.close_study(who, study_id=draft),
            lambda who: designing.discard_study(who, study_id=draft),
            lambda who: list_studies(who),
            lambda who: get_study(who, study_id=draft),
        ):
            with pytest.raises(PermissionDenied):
                ask(caller)


def test_labelled_cases_are_chosen_by_grade_and_day(store: Store, administrator: Caller, reader: Caller) -> None:
    clinic = Clinic(store)
    days = [date(2026, 1, 5), date(2026, 2, 1), date(2026, 3, 1), date(2026, 3, 2)]
    grades = [Grade.NORMAL, Grade.CIN2, Grade.CIN3, Grade.NORMAL]
    cases = [clinic.add_case(grades=(grade,), case_date=day) for grade, day in zip(grades, days, strict=True)]

    def chosen(**changes: Any) -> set[int]:
        study = designing.create_study(
            administrator,
            name=f"{hash(str(changes))}",
            reader_ids=[reader.person_id],
            choice=CaseChoice(**changes),
        )
        return set(rows(store, StudyCase.case_id, StudyCase.study_id == study.id))

    def ids(*places: int) -> set[int]:
        return {cases[place].case_id for place in places}

    assert chosen() == ids(0, 1, 2, 3)
    assert chosen(grades=(Grade.NORMAL, Grade.CIN3)) == ids(0, 2, 3)
    assert chosen(examined_from=date(2026, 2, 1), examined_until=date(2026, 3, 2)) == ids(1, 2, 3)
    assert chosen(examined_until=date(2026, 2, 1)) == ids(0, 1)
    study = designing.create_study(
        administrator,
        name="In words",
        reader_ids=[reader.person_id],
        choice=CaseChoice(grades=(Grade.CIN3, Grade.NORMAL), examined_from=date(2026, 1, 1)),
    )
    words = get_study(administrator, study_id=study.id).chosen_by
    assert words == "all cases with a label by histology, graded normal or CIN3, examined from 2026-01-01"
