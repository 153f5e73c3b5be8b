"""Reading with the model's output: what is shown when, what is kept back, what is locked."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image as Picture

from colpo_core.errors import Blinding, InputRejected, NotFound, StudyLocked
from colpo_core.records.studies.reading_plans import Aid, ReadingPlan
from colpo_core.records.studies.readings import Presented
from colpo_core.records.studies.results import ReadingTable
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing, presenting, readings
from colpo_core.services.studies import results as study_results
from colpo_core.services.studies.exports import export_readings
from colpo_core.services.studies.missing_predictions import predict_missing
from colpo_core.services.studies.rows import check_seal, get_study
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Case, Exposure, Prediction, Presentation, Reading, Study
from colpo_core.terms import Arm, ExposureKind, Grade, Label, Role
from tests.conftest import add_person
from tests.support import store_rows
from tests.support.clinic import PredictedClinic
from tests.support.conducted import waiting
from tests.support.refusals import refused
from tests.support.store_rows import change, get

Opened = Callable[..., int]
LAYERS = ("mask", "map")


@pytest.fixture
def clinic(administrator: Caller) -> PredictedClinic:
    made = PredictedClinic(administrator)
    for number in range(6):
        case = made.clinic.add_case(grades=(Grade.CIN3 if number % 2 else Grade.NORMAL,))
        made.predictions.append(made.predict(case.image_id, made.checkpoint_id))
    return made


@pytest.fixture
def readers(store: Store) -> list[Caller]:
    return [add_person(store, name, Role.READER) for name in ("rita", "rosa")]


def draft(administrator: Caller, clinic: PredictedClinic, readers: list[Caller], aid: Aid, **changes: object) -> int:
    plan = ReadingPlan(aid=aid, aid_checkpoint_id=clinic.checkpoint_id, washout_days=0, **changes)
    return designing.create_study(
        administrator,
        name="Aided",
        reader_ids=[one.person_id for one in readers],
        checkpoint_ids=[clinic.checkpoint_id],
        plan=plan,
        seed=2,
    ).id


@pytest.fixture
def opened(administrator: Caller, clinic: PredictedClinic, readers: list[Caller]) -> Opened:
    """Opens a study of both readers with an aid; takes what a plan takes and returns the study's id."""

    def open_study(aid: Aid, **changes: object) -> int:
        study_id = draft(administrator, clinic, readers, aid, **changes)
        designing.open_study(administrator, study_id=study_id)
        return study_id

    return open_study


@pytest.fixture
def rita(readers: list[Caller]) -> Caller:
    return readers[0]


def answer(reader: Caller, study_id: int, token: str, call: Label = Label.HSIL, sure: int = 60) -> None:
    readings.record_reading(reader, study_id=study_id, token=token, call=call, confidence=sure)


def read_all(reader: Caller, study_id: int) -> list[Presented]:
    found = []
    while (shown := presenting.next_case(reader, study_id=study_id)) is not None:
        found.append(shown)
        call = Label.HSIL if len(found) % 3 else Label.NORMAL
        answer(reader, study_id, shown.token, call, 7 * len(found) % 100)
    return found


def rows(store: Store, study_id: int) -> list[Reading]:
    return store_rows.rows(store, Reading, Reading.study_id == study_id)


def test_the_aid_comes_after_the_first_call_and_not_before(store: Store, readers: list[Caller], opened: Opened) -> None:
    rita, rosa = readers
    study_id = opened(Aid.AFTER_FIRST_CALL)
    first = waiting(rita, study_id)
    assert (first.phase, first.aid) == (1, None)
    for token in (first.token, f"{first.token}.2"):
        for layer in LAYERS:
            with pytest.raises(Blinding, match="kept back"):
                presenting.presented_aid(rita, study_id=study_id, token=token, layer=layer)
    refused(NotFound, lambda: answer(rita, study_id, f"{first.token}.2"), match="No second call")
    assert rows(store, study_id) == []

    answer(rita, study_id, first.token, Label.NORMAL, 20)
    second = waiting(rita, study_id)
    assert (second.phase, second.number, second.token) == (2, first.number, f"{first.token}.2")
    assert (second.aid.prob_hsil, second.aid.call) == (0.6, Label.HSIL)
    assert "NOT CALIBRATED" in [one.text for one in second.aid.marks], "the checkpoint's card is an old one"
    assert waiting(rita, study_id) == second, "a reload goes on at the second call"
    with pytest.raises(Blinding, match="not shown again"):
        presenting.presented_image(rita, study_id=study_id, token=first.token)
    presenting.presented_image(rita, study_id=study_id, token=second.token)
    for layer in LAYERS:
        png = presenting.presented_aid(rita, study_id=study_id, token=second.token, layer=layer)
        assert np.asarray(Picture.open(io.BytesIO(png))).shape[2] == 4
        with pytest.raises(NotFound):
            presenting.presented_aid(rosa, study_id=study_id, token=second.token, layer=layer)
    with pytest.raises(NotFound, match="no layer"):
        presenting.presented_aid(rita, study_id=study_id, token=second.token, layer="label")

    answer(rita, study_id, second.token, Label.HSIL, 90)
    refused(Blinding, lambda: presenting.presented_aid(rita, study_id=study_id, token=second.token, layer="mask"))
    assert waiting(rita, study_id).number == first.number + 1
    kept = rows(store, study_id)
    assert [(one.arm, one.phase, one.call, one.confidence) for one in kept] == [
        (Arm.UNAIDED, 1, Label.NORMAL, 20),
        (Arm.AIDED, 2, Label.HSIL, 90),
    ]
    assert kept[1].shown_at == kept[0].answered_at


def test_neither_call_can_be_changed_and_the_same_again_changes_nothing(opened: Opened, rita: Caller) -> None:
    study_id = opened(Aid.AFTER_FIRST_CALL)
    first = waiting(rita, study_id).token
    answer(rita, study_id, first, Label.NORMAL)
    answer(rita, study_id, first, Label.NORMAL)
    refused(StudyLocked, lambda: answer(rita, study_id, first, Label.HSIL), match="cannot be changed")
    second = waiting(rita, study_id).token
    answer(rita, study_id, second, Label.HSIL)
    answer(rita, study_id, second, Label.HSIL)
    refused(StudyLocked, lambda: answer(rita, study_id, second, Label.NORMAL), match="cannot be changed")
    assert len(rows(rita.store, study_id)) == 2


def test_a_study_without_an_aid_knows_no_second_call(
    administrator: Caller, clinic: PredictedClinic, readers: list[Caller]
) -> None:
    study = designing.create_study(administrator, name="Plain", reader_ids=[readers[0].person_id])
    designing.open_study(administrator, study_id=study.id)
    token = waiting(readers[0], study.id).token
    answer(readers[0], study.id, token)
    refused(NotFound, lambda: answer(readers[0], study.id, f"{token}.2"))


def test_both_arms_are_compared_when_all_is_read(administrator: Caller, readers: list[Caller], opened: Opened) -> None:
    study_id = opened(Aid.AFTER_FIRST_CALL)
    n_cases = get_study(administrator, study_id=study_id).study.n_cases
    for reader in readers:
        assert [one.phase for one in read_all(reader, study_id)] == [1, 2] * n_cases
    closed = designing.close_study(administrator, study_id=study_id)
    assert closed.n_answered == closed.n_expected == 2 * 2 * n_cases
    analysis = study_results.study_findings(administrator, study_id=study_id).analysis
    assert analysis.readers.counts.arms == ("aided", "unaided")
    (primary,) = analysis.primary
    assert (primary.tested, primary.difference) == ("Reading with the model's output", analysis.readers.mrmc.difference)
    for network in analysis.networks:
        assert network.together is None or network.alone is not None
    lines = study_results.study_results(administrator, study_id=study_id).readers
    assert [(one.name, one.arm, one.n_called) for one in lines] == [
        (name, arm, n_cases) for name in ("Rita", "Rosa") for arm in (Arm.UNAIDED, Arm.AIDED)
    ]
    ratings = export_readings(administrator, study_id=study_id, table=ReadingTable.RATINGS).decode()
    assert ratings.count(",aided,") == ratings.count(",unaided,") == 2 * n_cases


def test_in_a_crossover_each_case_is_read_once_with_and_once_without(
    store: Store, administrator: Caller, readers: list[Caller], opened: Opened
) -> None:
    study_id = opened(Aid.AT_ONCE, n_sessions=2)
    for reader in readers:
        for shown in read_all(reader, study_id):
            assert shown.phase == 1
    kept = rows(store, study_id)
    for reader in readers:
        arms = {(one.case_id, one.session): one.arm for one in kept if one.reader_id == reader.person_id}
        for case_id in {case for case, _ in arms}:
            assert {arms[case_id, 1], arms[case_id, 2]} == {Arm.AIDED, Arm.UNAIDED}
        first = [arm for (_, session), arm in arms.items() if session == 1]
        assert abs(first.count(Arm.AIDED) - first.count(Arm.UNAIDED)) <= 1
    one, other = ({(r.case_id, r.session): r.arm for r in kept if r.reader_id == who.person_id} for who in readers)
    assert all(one[key] is not other[key] for key in one), "the readers take turns"
    designing.close_study(administrator, study_id=study_id)
    assert study_results.study_findings(administrator, study_id=study_id).analysis.readers.mrmc is not None


def test_in_whole_sessions_one_is_aided_and_the_next_is_not_and_readers_begin_differently(
    store: Store, administrator: Caller, readers: list[Caller], opened: Opened
) -> None:
    study_id = opened(Aid.AT_ONCE, n_sessions=2, crossover=False)
    for reader in readers:
        for shown in read_all(reader, study_id):
            assert shown.phase == 1
    arms = {(one.reader_id, one.session): set[Arm]() for one in rows(store, study_id)}
    for one in rows(store, study_id):
        arms[one.reader_id, one.session].add(one.arm)
    first, second = ([arms[who.person_id, number] for number in (1, 2)] for who in readers)
    assert sorted(map(sorted, first)) == [[Arm.AIDED], [Arm.UNAIDED]]
    assert second == first[::-1]
    designing.close_study(administrator, study_id=study_id)
    assert study_results.study_findings(administrator, study_id=study_id).analysis.readers.mrmc is not None
    said = " ".join(get_study(administrator, study_id=study_id).plan.sentences())
    assert "whole sessions" in said
    assert "crossover" not in said


def test_in_a_crossover_the_aid_is_shown_on_its_cases_alone(opened: Opened, rita: Caller) -> None:
    study_id = opened(Aid.AT_ONCE, n_sessions=2)
    seen = set()
    while (shown := presenting.next_case(rita, study_id=study_id)) is not None:
        seen.add(shown.aid is not None)
        if shown.aid is None:
            with pytest.raises(Blinding):
                presenting.presented_aid(rita, study_id=study_id, token=shown.token, layer="mask")
        else:
            presenting.presented_aid(rita, study_id=study_id, token=shown.token, layer="mask")
        answer(rita, study_id, shown.token)
    assert seen == {True, False}


def test_what_the_studys_own_aid_showed_is_no_exposure_for_it_and_one_for_others(
    store: Store, administrator: Caller, opened: Opened, rita: Caller
) -> None:
    study_id = opened(Aid.AFTER_FIRST_CALL)
    first = waiting(rita, study_id)
    answer(rita, study_id, first.token)
    second = waiting(rita, study_id)
    case_id = get(store, Presentation, first.token).case_id
    found = store_rows.rows(store, Exposure, Exposure.person_id == rita.person_id)
    assert {(one.case_id, one.kind, one.within_study) for one in found} == {
        (case_id, kind, study_id) for kind in (ExposureKind.PREDICTION, ExposureKind.MASK)
    }
    answer(rita, study_id, second.token)
    other = designing.create_study(administrator, name="Next", reader_ids=[rita.person_id], plan=ReadingPlan())
    designing.open_study(administrator, study_id=other.id)
    assert len(read_all(rita, other.id)) == other.n_cases - 1


def test_a_layer_that_is_fetched_by_its_address_alone_is_an_exposure_too(opened: Opened, rita: Caller) -> None:
    study_id = opened(Aid.AFTER_FIRST_CALL)
    token = waiting(rita, study_id).token
    answer(rita, study_id, token)
    presenting.presented_aid(rita, study_id=study_id, token=f"{token}.2", layer="map")
    found = store_rows.rows(rita, Exposure, Exposure.person_id == rita.person_id)
    assert {one.kind for one in found} == {ExposureKind.PREDICTION, ExposureKind.MASK}
    assert {one.within_study for one in found} == {study_id}


def test_an_aid_that_cannot_be_given_or_trusted_is_refused(
    store: Store, administrator: Caller, clinic: PredictedClinic, readers: list[Caller]
) -> None:
    bare = clinic.clinic.add_case()
    study_id = draft(administrator, clinic, readers, Aid.AFTER_FIRST_CALL)
    with pytest.raises(InputRejected, match="has not predicted 1 of the 9 cases"):
        designing.open_study(administrator, study_id=study_id)
    job = predict_missing(administrator, study_id=study_id, checkpoint_id=clinic.checkpoint_id)
    assert job.settings.image_ids == (bare.image_id,)
    clinic.predict(bare.image_id, clinic.checkpoint_id)
    change(store, Case, bare.case_id, patient_id=clinic.cases[-1].patient_id)
    with pytest.raises(InputRejected, match="has learned from 1 of the 9 cases"):
        designing.open_study(administrator, study_id=study_id)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"aid": Aid.AFTER_FIRST_CALL, "aid_checkpoint_id": None}, "Choose the checkpoint"),
        ({"aid": Aid.AT_ONCE, "n_sessions": 1}, "even number of sessions"),
        ({"aid": Aid.AT_ONCE, "n_sessions": 1, "crossover": False}, "two sessions at least"),
        ({"aid": Aid.AT_ONCE, "n_sessions": 2, "aid_checkpoint_id": 99}, "one of those that are compared"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(
    administrator: Caller, clinic: PredictedClinic, readers: list[Caller], changes: dict[str, object], words: str
) -> None:
    plan = ReadingPlan(**({"aid_checkpoint_id": clinic.checkpoint_id} | changes))
    with pytest.raises(InputRejected, match=words):
        designing.create_study(
            administrator, name="Aided", reader_ids=[readers[0].person_id], plan=plan,
            checkpoint_ids=[clinic.checkpoint_id])  # fmt: skip


def test_the_aid_is_part_of_the_seal(administrator: Caller, opened: Opened) -> None:
    study_id = opened(Aid.AFTER_FIRST_CALL)
    with administrator.store.writing() as session:
        study = find_row(session, Study, study_id)
        check_seal(session, study)
        study.design = {**study.design, "plan": {**study.design["plan"], "aid": "none"}}
        refused(StudyLocked, lambda: check_seal(session, study), match="no longer is what was sealed")


def test_an_exposure_between_the_calls_lets_the_second_be_made(
    store: Store, administrator: Caller, readers: list[Caller], opened: Opened, rita: Caller
) -> None:
    study_id = opened(Aid.AFTER_FIRST_CALL)
    first = waiting(rita, study_id)
    answer(rita, study_id, first.token)
    with store.writing() as session:
        case_id = session.get_one(Presentation, first.token).case_id
        seen = Exposure(person_id=rita.person_id, case_id=case_id, kind=ExposureKind.LABEL)
        seen.within_study, seen.times = 0, 1
        session.add(seen)
    second = waiting(rita, study_id)
    assert second.phase == 2
    answer(rita, study_id, second.token)
    assert store_rows.rows(store, Prediction.id)
    read_all(rita, study_id)
    read_all(readers[1], study_id)
    closed = designing.close_study(administrator, study_id=study_id)
    assert closed.n_answered == closed.n_expected
