import re

import pytest

from colpo_core.errors import NotFound, PermissionDenied
from colpo_core.exchange import case_pdf
from colpo_core.records.exports import CaseReport
from colpo_core.services.common.callers import Caller
from colpo_core.services.exports.case_pdf import case_report_pdf
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Exposure, Image
from colpo_core.terms import ExposureKind
from tests.conftest import add_person
from tests.support.clinic import PredictedClinic
from tests.support.refusals import refused
from tests.support.store_rows import get, rows
from tests.unit.services.cases.test_lists import hand_out

Drawn = tuple[CaseReport, dict[int, object], dict[int, object]]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Drawn]:
    """What the page is drawn from; it is drawn all the same."""
    found: list[Drawn] = []
    draw = case_pdf.case_pdf

    def keep(report: CaseReport, pictures: dict[int, object], masks: dict[int, object]) -> bytes:
        found.append((report, pictures, masks))
        return draw(report, pictures, masks)

    monkeypatch.setattr(case_pdf, "case_pdf", keep)
    return found


def test_the_page_holds_the_case_with_what_the_current_model_says(administrator: Caller, drawn: list[Drawn]) -> None:
    clinic = PredictedClinic(administrator)
    case = clinic.cases[1]
    assert len(re.findall(rb"/Type /Page[^s]", case_report_pdf(administrator, case_id=case.case_id))) == 1
    ((report, pictures, masks),) = drawn
    assert report.case.patient_code == "p2"
    assert report.model_sha256 == "c" * 64
    assert [one.prediction.id for one in report.images if one.prediction] == [clinic.predictions[1]]
    assert list(pictures) == list(masks) == [case.image_id]
    assert rows(administrator, AuditEntry.action)[-1] == "make page of case"


def test_what_a_task_keeps_back_is_not_on_the_page(store: Store, administrator: Caller, drawn: list[Drawn]) -> None:
    clinic = PredictedClinic(administrator)
    anna = add_person(store, "annotating")
    case = clinic.cases[0]
    hand_out(store, case.image_id, [anna.person_id], blind=True, proposals=False)
    case_report_pdf(anna, case_id=case.case_id)
    ((report, _pictures, masks),) = drawn
    assert (report.images[0].prediction, report.images[0].sites, report.model_sha256, masks) == (None, (), "", {})
    kinds = rows(store, Exposure.kind, Exposure.person_id == anna.person_id)
    assert ExposureKind.PREDICTION not in kinds
    assert ExposureKind.LABEL in kinds


def test_a_missing_file_leaves_its_place_empty(store: Store, administrator: Caller, drawn: list[Drawn]) -> None:
    case = PredictedClinic(administrator).cases[1]
    store.blobs.path(get(store, Image, case.image_id).sha256).unlink()
    assert case_report_pdf(administrator, case_id=case.case_id).startswith(b"%PDF")
    ((_report, pictures, _masks),) = drawn
    assert pictures == {}


def test_readers_and_unknown_cases_are_refused(administrator: Caller, reader: Caller) -> None:
    refused(PermissionDenied, lambda: case_report_pdf(reader, case_id=1))
    refused(NotFound, lambda: case_report_pdf(administrator, case_id=99))
