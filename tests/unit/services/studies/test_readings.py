import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image as PillowImage
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from colpo_core.errors import (
    Blinding,
    InputRejected,
    NotFound,
    PermissionDenied,
    SessionWaits,
    ShownNoMore,
    StudyLocked,
)
from colpo_core.images.decoding import read_rgb
from colpo_core.records.studies.reading_plans import ConfidenceScale, ReadingPlan
from colpo_core.records.studies.readings import Presented
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing, positions, presenting, readings, showings
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Image, Presentation, Reading, utc_now
from colpo_core.studies.orders import session_orders
from colpo_core.terms import Label, StudyState
from tests.conftest import AddCase
from tests.support import store_rows
from tests.support.refusals import refused
from tests.support.store_rows import change_all, count

N_CASES = 5


@pytest.fixture
def study_id(administrator: Caller, reader: Caller, second_reader: Caller, add_case: AddCase) -> int:
    for index in range(N_CASES):
        add_case(Label.HSIL if index % 2 else Label.NORMAL, simulated=index == 0)
    ids = [reader.person_id, second_reader.person_id]
    study = designing.create_study(administrator, name="First", reader_ids=ids, seed=3)
    designing.open_study(administrator, study_id=study.id)
    return study.id


def present(caller: Caller, study_id: int) -> Presented:
    shown = presenting.next_case(caller, study_id=study_id)
    assert shown is not None
    return shown


def answer(caller: Caller, study_id: int, token: str, call: Label = Label.HSIL, sure: int = 70) -> int:
    return readings.record_reading(caller, study_id=study_id, token=token, call=call, confidence=sure).answered


def test_a_reader_reads_every_case_once_in_an_order_of_their_own(
    store: Store, reader: Caller, second_reader: Caller, study_id: int
) -> None:
    for caller in (reader, second_reader):
        for number in range(1, N_CASES + 1):
            shown = present(caller, study_id)
            assert (shown.number, shown.total) == (number, N_CASES)
            assert answer(caller, study_id, shown.token) == number
        assert presenting.next_case(caller, study_id=study_id) is None
    rows = store_rows.rows(store, Reading)
    drawn = session_orders({row.case_id for row in rows}, [reader.person_id, second_reader.person_id], seed=3)
    orders = {reader_id: tuple(one.case_id for one in order) for (reader_id, _), order in drawn.items()}
    for caller in (reader, second_reader):
        assert tuple(row.case_id for row in rows if row.reader_id == caller.person_id) == orders[caller.person_id]
    assert orders[reader.person_id] != orders[second_reader.person_id]


def test_the_same_case_waits_until_it_is_answered(reader: Caller, study_id: int) -> None:
    first = present(reader, study_id)
    assert present(reader, study_id) == first
    answer(reader, study_id, first.token)
    second = present(reader, study_id)
    assert second.token != first.token
    assert second.number == 2


def test_two_windows_at_once_get_one_showing(reader: Caller, study_id: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        shown = list(pool.map(lambda _: present(reader, study_id), range(8)))
    assert len(set(shown)) == 1


def test_the_time_from_first_showing_to_answer_is_kept(store: Store, reader: Caller, study_id: int) -> None:
    shown = present(reader, study_id)
    with store.writing() as session:
        earlier = shown.shown_at - timedelta(seconds=40)
        session.execute(update(Presentation).values(shown_at=earlier))
    answer(reader, study_id, shown.token)
    row = store_rows.row(store, Reading)
    assert row.shown_at == earlier
    assert (row.answered_at - row.shown_at).total_seconds() >= 40


def test_a_clock_set_back_gives_no_negative_time(store: Store, reader: Caller, study_id: int) -> None:
    shown = present(reader, study_id)
    change_all(store, Presentation, shown_at=shown.shown_at + timedelta(hours=1))
    answer(reader, study_id, shown.token)
    row = store_rows.row(store, Reading)
    assert row.answered_at == row.shown_at


def test_an_answer_locks(store: Store, reader: Caller, study_id: int) -> None:
    shown = present(reader, study_id)
    assert answer(reader, study_id, shown.token, Label.NORMAL, 80) == 1
    assert answer(reader, study_id, shown.token, Label.NORMAL, 80) == 1
    for call, sure in ((Label.HSIL, 80), (Label.NORMAL, 81)):
        with pytest.raises(StudyLocked, match="cannot be changed"):
            answer(reader, study_id, shown.token, call, sure)
    row = store_rows.row(store, Reading)
    assert (row.call, row.confidence) == (Label.NORMAL, 80)


def test_a_double_click_is_one_answer(reader: Caller, study_id: int) -> None:
    shown = present(reader, study_id)
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: answer(reader, study_id, shown.token), range(6)))
    assert done == [1] * 6


def test_the_store_itself_keeps_an_answer(store: Store, reader: Caller, study_id: int) -> None:
    answer(reader, study_id, present(reader, study_id).token)
    with pytest.raises(IntegrityError, match="append-only"), store.writing() as session:
        session.execute(update(Reading).values(call=Label.NORMAL))


def test_the_image_is_the_right_one_and_is_not_shown_again(store: Store, reader: Caller, study_id: int) -> None:
    shown = present(reader, study_id)
    content, media_type = presenting.presented_image(reader, study_id=study_id, token=shown.token)
    sha256 = store_rows.row(store, Image.sha256, Image.case_id == store_rows.row(store, Presentation.case_id))
    stored = read_rgb(store.blobs.get(sha256)).astype(int)
    seen = np.asarray(PillowImage.open(io.BytesIO(content))).astype(int)
    assert media_type == "image/jpeg"
    assert np.abs(seen - stored).mean() < 5
    answer(reader, study_id, shown.token)
    refused(Blinding, lambda: presenting.presented_image(reader, study_id=study_id, token=shown.token))


@pytest.mark.parametrize(("after_s", "is_attempt"), [(0, False), (9, False), (11, True), (3600, True), (-3600, True)])
def test_a_picture_on_its_way_when_its_case_is_answered_is_no_attempt(
    store: Store, reader: Caller, study_id: int, monkeypatch: pytest.MonkeyPatch, after_s: int, is_attempt: bool
) -> None:
    shown = present(reader, study_id)
    answer(reader, study_id, shown.token)
    answered_at = store_rows.row(store, Reading.answered_at)
    monkeypatch.setattr(showings, "utc_now", lambda: answered_at + timedelta(seconds=after_s))
    with pytest.raises(Blinding, match="not shown again") as refusal:
        presenting.presented_image(reader, study_id=study_id, token=shown.token)
    assert isinstance(refusal.value, ShownNoMore) != is_attempt


def test_a_token_is_good_for_one_reader_and_study(
    administrator: Caller, reader: Caller, second_reader: Caller, study_id: int
) -> None:
    other = designing.create_study(administrator, name="Other", reader_ids=[reader.person_id])
    designing.open_study(administrator, study_id=other.id)
    token = present(reader, study_id).token
    for caller, study, wrong in (
        (second_reader, study_id, token),
        (reader, other.id, token),
        (reader, study_id, "guessed"),
        (reader, 99, token),
        (second_reader, other.id, token),
    ):
        with pytest.raises(NotFound):
            presenting.presented_image(caller, study_id=study, token=wrong)
        with pytest.raises(NotFound):
            answer(caller, study, wrong)


def test_tokens_say_nothing(reader: Caller, second_reader: Caller, study_id: int) -> None:
    tokens = {present(caller, study_id).token for caller in (reader, second_reader)}
    assert len(tokens) == 2
    assert all(len(token) == 48 for token in tokens)


def test_a_simulated_image_says_so(reader: Caller, study_id: int) -> None:
    marks = []
    for _ in range(N_CASES):
        shown = present(reader, study_id)
        marks.append(shown.simulated)
        answer(reader, study_id, shown.token)
    assert sorted(marks) == [False] * 4 + [True]


@pytest.mark.parametrize("sure", [-1, 101, 50.5])
def test_the_confidence_is_a_percentage(reader: Caller, study_id: int, sure: int) -> None:
    token = present(reader, study_id).token
    refused(InputRejected, lambda: answer(reader, study_id, token, Label.HSIL, sure))


def test_nobody_else_reads(administrator: Caller, annotator: Caller, reader: Caller, study_id: int) -> None:
    token = present(reader, study_id).token
    for caller in (administrator, annotator):
        with pytest.raises(PermissionDenied):
            presenting.next_case(caller, study_id=study_id)
        with pytest.raises(PermissionDenied):
            presenting.presented_image(caller, study_id=study_id, token=token)
        with pytest.raises(PermissionDenied):
            answer(caller, study_id, token)
        with pytest.raises(PermissionDenied):
            presenting.assigned_studies(caller)


def test_a_draft_is_not_there_for_its_reader(administrator: Caller, reader: Caller, study_id: int) -> None:
    draft = designing.create_study(administrator, name="Other", reader_ids=[reader.person_id])
    refused(NotFound, lambda: presenting.next_case(reader, study_id=draft.id))
    assert [study.study_id for study in presenting.assigned_studies(reader)] == [study_id]


def test_a_closed_study_takes_nothing_more(administrator: Caller, reader: Caller, study_id: int) -> None:
    shown = present(reader, study_id)
    answer(reader, study_id, shown.token)
    waiting = present(reader, study_id)
    assert designing.close_study(administrator, study_id=study_id, reason="enough was read").state is StudyState.CLOSED
    refused(
        StudyLocked,
        lambda: answer(reader, study_id, waiting.token),
        lambda: presenting.presented_image(reader, study_id=study_id, token=waiting.token),
        lambda: presenting.next_case(reader, study_id=study_id),
        match="closed",
    )
    assert answer(reader, study_id, shown.token) == 1
    assert presenting.assigned_studies(reader) == ()


def test_the_list_says_how_far_the_reader_is(reader: Caller, study_id: int) -> None:
    answer(reader, study_id, present(reader, study_id).token)
    (study,) = presenting.assigned_studies(reader)
    assert (study.name, study.answered, study.total, study.is_finished) == ("First", 1, N_CASES, False)


def test_the_log_tells_neither_case_nor_call(store: Store, reader: Caller, study_id: int) -> None:
    answer(reader, study_id, present(reader, study_id).token)
    entry = store_rows.row(store, AuditEntry, AuditEntry.action == "record reading")
    assert (entry.subject, entry.detail) == (f"study {study_id}", {"number": 1})


def open_planned(administrator: Caller, reader: Caller, plan: ReadingPlan, practice: tuple[int, ...]) -> int:
    study = designing.create_study(
        administrator, name="Planned", reader_ids=[reader.person_id], plan=plan, practice_case_ids=practice
    )
    designing.open_study(administrator, study_id=study.id)
    return study.id


def read_session(caller: Caller, study_id: int, n_showings: int) -> None:
    for number in range(1, n_showings + 1):
        shown = present(caller, study_id)
        assert (shown.number, shown.total) == (number, n_showings)
        answer(caller, study_id, shown.token)


def test_the_next_session_waits_for_the_washout(
    store: Store, administrator: Caller, reader: Caller, add_case: AddCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(4):
        add_case(Label.HSIL if index % 2 else Label.NORMAL)
    study_id = open_planned(administrator, reader, ReadingPlan(2, washout_days=7, repeat_share=0.5), ())
    read_session(reader, study_id, 6)
    with pytest.raises(SessionWaits, match=f"{utc_now() + timedelta(days=7):%Y-%m-%d}"):
        presenting.next_case(reader, study_id=study_id)
    (waiting,) = presenting.assigned_studies(reader)
    assert (waiting.session, waiting.answered, waiting.total) == (2, 0, 6)
    assert waiting.opens_at is not None

    monkeypatch.setattr(positions, "utc_now", lambda: utc_now() + timedelta(days=7, seconds=1))
    read_session(reader, study_id, 6)
    assert presenting.next_case(reader, study_id=study_id) is None
    with store.reading() as session:
        counts = session.execute(
            select(Reading.session, Reading.occurrence, func.count()).group_by(Reading.session, Reading.occurrence)
        ).all()
        orders = {
            number: tuple(
                session.scalars(
                    select(Reading.case_id)
                    .where(Reading.session == number, Reading.occurrence == 1)
                    .order_by(Reading.id)
                )
            )
            for number in (1, 2)
        }
    assert sorted(tuple(row) for row in counts) == [(1, 1, 4), (1, 2, 2), (2, 1, 4), (2, 2, 2)]
    assert orders[1] != orders[2]


def test_practice_comes_first_with_feedback_and_is_no_reading(
    store: Store, administrator: Caller, reader: Caller, add_case: AddCase
) -> None:
    ids = [add_case(Label.HSIL if index % 2 else Label.NORMAL) for index in range(4)]
    practice = add_case(Label.HSIL)
    study_id = open_planned(administrator, reader, ReadingPlan(), (practice,))
    shown = present(reader, study_id)
    assert (shown.practice, shown.number, shown.total) == (True, 1, 1)
    assert present(reader, study_id) == shown
    assert presenting.presented_image(reader, study_id=study_id, token=shown.token)[0]
    for _again in range(2):
        told = readings.record_reading(reader, study_id=study_id, token=shown.token, call=Label.NORMAL, confidence=10)
        assert (told.truth, told.answered) == (Label.HSIL, 1)
    refused(StudyLocked, lambda: answer(reader, study_id, shown.token, Label.HSIL, 10))
    refused(Blinding, lambda: presenting.presented_image(reader, study_id=study_id, token=shown.token))
    after = present(reader, study_id)
    assert (after.practice, after.total) == (False, len(ids))
    told = readings.record_reading(reader, study_id=study_id, token=after.token, call=Label.NORMAL, confidence=10)
    assert told.truth is None, "feedback outside practice would unblind"
    assert count(store, Reading) == 1


def test_five_steps_take_no_other_confidence(administrator: Caller, reader: Caller, add_case: AddCase) -> None:
    for label in Label:
        add_case(label)
    study_id = open_planned(administrator, reader, ReadingPlan(confidence=ConfidenceScale.FIVE_STEPS), ())
    shown = present(reader, study_id)
    assert shown.five_steps
    refused(InputRejected, lambda: answer(reader, study_id, shown.token, Label.HSIL, 70), match="five steps")
    assert answer(reader, study_id, shown.token, Label.HSIL, 75) == 1


@pytest.mark.parametrize(("sent", "kept"), [(None, None), (-5, 0), (30_000, 30_000), (10**9, 40_000)])
def test_active_time_is_kept_and_no_longer_than_the_clock(
    store: Store, reader: Caller, study_id: int, sent: int | None, kept: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = present(reader, study_id)
    monkeypatch.setattr(readings, "utc_now", lambda: shown.shown_at + timedelta(seconds=40))
    readings.record_reading(
        reader, study_id=study_id, token=shown.token, call=Label.HSIL, confidence=70, active_ms=sent
    )
    assert store_rows.row(store, Reading.active_ms) == kept
