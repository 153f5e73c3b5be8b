"""What a study asks beside the call: biopsy sites, findings, and the case's other images to look at."""

import csv
import io
from typing import Any

import pytest

from colpo_core.errors import Blinding, InputRejected, NotFound, StudyLocked
from colpo_core.records.studies.reading_plans import ReadingPlan
from colpo_core.records.studies.readings import Presented
from colpo_core.records.studies.results import ReadingTable
from colpo_core.services.common.callers import Caller
from colpo_core.services.studies import designing, presenting, readings
from colpo_core.services.studies.exports import export_readings
from colpo_core.services.studies.rows import check_seal
from colpo_core.store import Store
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Image, Reading, ReadingDraft, Study
from colpo_core.terms import Finding, Grade, Label, Stage
from tests.support import store_rows
from tests.support.clinic import SIDE_PX, Clinic, ClinicCase, add_view
from tests.support.conducted import waiting
from tests.support.refusals import refused
from tests.support.store_rows import change_all, get

ASKS = ReadingPlan(asks_points=True, asks_findings=True, shows_stages=True)


@pytest.fixture(autouse=True)
def cases(store: Store) -> list[ClinicCase]:
    clinic = Clinic(store)
    found = [clinic.add_case(grades=(grade,)) for grade in (Grade.NORMAL, Grade.CIN3)]
    sha256 = get(store, Image, found[0].image_id).sha256
    add_view(store, found[0].case_id, Stage.LUGOL, sha256=sha256, width_px=SIDE_PX, height_px=SIDE_PX)
    return found


def opened(administrator: Caller, reader: Caller, plan: ReadingPlan) -> int:
    study = designing.create_study(administrator, name="Asking", reader_ids=[reader.person_id], plan=plan, seed=1)
    designing.open_study(administrator, study_id=study.id)
    return study.id


def answer(reader: Caller, study_id: int, token: str, **said: Any) -> None:
    given = {"call": Label.HSIL, "confidence": 60} | said
    readings.record_reading(reader, study_id=study_id, token=token, **given)


def test_sites_and_findings_are_kept_and_exported(store: Store, administrator: Caller, reader: Caller) -> None:
    study_id = opened(administrator, reader, ASKS)
    first = waiting(reader, study_id)
    assert (first.asks_points, first.asks_findings) == (True, True)
    said = {"points": [(3.04, 5), (10, 20.26)], "findings": [Finding.MOSAIC, Finding.ACETOWHITE]}
    answer(reader, study_id, first.token, **said)
    answer(reader, study_id, first.token, **said)
    with pytest.raises(StudyLocked, match="cannot be changed"):
        answer(reader, study_id, first.token, points=[(1, 1)], findings=said["findings"])
    answer(reader, study_id, waiting(reader, study_id).token)
    rows = store_rows.rows(store, Reading)
    assert rows[0].points == [[3.0, 5.0], [10.0, 20.3]]
    assert rows[0].findings == ["acetowhite_epithelium", "mosaic"]
    assert (rows[1].points, rows[1].findings) == ([], [])
    designing.close_study(administrator, study_id=study_id)
    content = export_readings(administrator, study_id=study_id, table=ReadingTable.CALLS).decode()
    line = next(csv.DictReader(io.StringIO(content)))
    assert (line["points"], line["findings"]) == ("3,5;10,20.3", "acetowhite_epithelium+mosaic")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"points": [(-1, 5)]}, "lies on the image"),
        ({"points": [(5, SIDE_PX + 1)]}, "lies on the image"),
        ({"points": [(5, 5)] * 7}, "At most 6"),
        ({"findings": [Finding.CERVIX]}, "A finding is one of"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_kept(
    store: Store, administrator: Caller, reader: Caller, said: dict[str, Any], words: str
) -> None:
    study_id = opened(administrator, reader, ASKS)
    token = waiting(reader, study_id).token
    refused(InputRejected, lambda: answer(reader, study_id, token, **said), match=words)
    assert store_rows.rows(store, Reading) == []


def test_a_study_that_does_not_ask_takes_neither_and_shows_nothing_more(administrator: Caller, reader: Caller) -> None:
    study_id = opened(administrator, reader, ReadingPlan())
    shown = waiting(reader, study_id)
    assert (shown.stages, shown.asks_points, shown.asks_findings) == ((), False, False)
    for said in ({"points": [(1, 1)]}, {"findings": [Finding.MOSAIC]}):
        with pytest.raises(InputRejected, match="does not ask"):
            answer(reader, study_id, shown.token, **said)
    refused(NotFound, lambda: presenting.presented_image(reader, study_id=study_id, token=shown.token, other=0))
    answer(reader, study_id, shown.token)
    row = store_rows.row(administrator, Reading)
    assert (row.points, row.findings) == (None, None)


def test_other_images_are_shown_while_the_case_waits_and_are_sealed(
    store: Store, administrator: Caller, reader: Caller, second_reader: Caller, cases: list[ClinicCase]
) -> None:
    study_id = opened(administrator, reader, ASKS)
    assert [one.stage for one in store_rows.sealed(store, study_id).others] == [Stage.LUGOL]
    seen = {}
    for _ in cases:
        shown = waiting(reader, study_id)
        seen[shown.stages] = shown.token
        for place in range(len(shown.stages)):
            content, media_type = presenting.presented_image(reader, study_id=study_id, token=shown.token, other=place)
            assert (content[:2], media_type) == (b"\xff\xd8", "image/jpeg")
        for place in (-1, len(shown.stages)):
            with pytest.raises(NotFound):
                presenting.presented_image(reader, study_id=study_id, token=shown.token, other=place)
        answer(reader, study_id, shown.token)
        if shown.stages:
            with pytest.raises(Blinding):
                presenting.presented_image(reader, study_id=study_id, token=shown.token, other=0)
    assert set(seen) == {(), (Stage.LUGOL,)}
    add_view(store, cases[1].case_id, Stage.NATIVE)
    store_rows.sealed(store, study_id)  # what came in later is not in the study
    change_all(store, Image, Image.stage == Stage.LUGOL, sha256="f" * 64)
    with store.reading() as session, pytest.raises(StudyLocked, match="no longer is what was sealed"):
        check_seal(session, find_row(session, Study, study_id))


def kept(shown: Presented) -> tuple[tuple[tuple[float, float], ...], set[Finding]]:
    return shown.points, set(shown.findings)


def test_what_was_set_waits_for_its_reader_and_goes_with_the_answer(
    store: Store, administrator: Caller, reader: Caller, second_reader: Caller
) -> None:
    study = designing.create_study(
        administrator, name="Kept", reader_ids=[reader.person_id, second_reader.person_id], plan=ASKS
    )
    designing.open_study(administrator, study_id=study.id)
    token = waiting(reader, study.id).token
    for points in ([(3.0, 4.0)], [(3.0, 4.0), (5.26, 6.0)]):
        readings.save_reading_draft(reader, study_id=study.id, token=token, points=points, findings=[Finding.MOSAIC])
    assert kept(waiting(reader, study.id)) == (((3.0, 4.0), (5.3, 6.0)), {Finding.MOSAIC})
    assert kept(waiting(second_reader, study.id)) == ((), set())
    with pytest.raises(NotFound):
        readings.save_reading_draft(second_reader, study_id=study.id, token=token, points=[], findings=[])
    with pytest.raises(InputRejected, match="lies on the image"):
        readings.save_reading_draft(reader, study_id=study.id, token=token, points=[(900.0, 1.0)], findings=[])
    # The browser's session began anew, and knows nothing of what was set.
    readings.record_reading(reader, study_id=study.id, token=token, call=Label.HSIL, confidence=60)
    readings.record_reading(reader, study_id=study.id, token=token, call=Label.HSIL, confidence=60)
    row = store_rows.row(store, Reading)
    assert (row.points, row.findings) == ([[3.0, 4.0], [5.3, 6.0]], ["mosaic"])
    assert store_rows.rows(store, ReadingDraft) == []
    with pytest.raises(Blinding):
        readings.save_reading_draft(reader, study_id=study.id, token=token, points=[(1.0, 1.0)], findings=[])
    assert kept(waiting(reader, study.id)) == ((), set())


def test_what_the_answer_brings_counts_and_not_what_was_kept(administrator: Caller, reader: Caller) -> None:
    study_id = opened(administrator, reader, ASKS)
    token = waiting(reader, study_id).token
    readings.save_reading_draft(reader, study_id=study_id, token=token, points=[(3.0, 4.0)], findings=[])
    answer(reader, study_id, token, points=[], findings=[])
    assert store_rows.row(administrator, Reading).points == []


def test_a_study_that_asks_for_nothing_keeps_nothing(administrator: Caller, reader: Caller) -> None:
    study_id = opened(administrator, reader, ReadingPlan())
    token = waiting(reader, study_id).token
    with pytest.raises(InputRejected, match="does not ask"):
        readings.save_reading_draft(reader, study_id=study_id, token=token, points=[(3.0, 4.0)], findings=[])
