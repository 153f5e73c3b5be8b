import csv
import io
import zipfile

import pytest

from colpo_core.errors import InputRejected, NotFound
from colpo_core.images.mask_files import read_mask_file
from colpo_core.services.common.callers import Caller
from colpo_core.services.exports import case_files
from colpo_core.services.exports.case_files import export_cases
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Exposure, Image
from colpo_core.terms import ExposureKind
from tests.conftest import add_person
from tests.support.clinic import PredictedClinic, draw
from tests.support.refusals import refused
from tests.support.store_rows import get, rows
from tests.unit.services.cases.test_lists import hand_out


def tables(content: bytes) -> tuple[dict[str, list[dict[str, str]]], zipfile.ZipFile]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    found = {}
    for name in archive.namelist():
        if name.endswith(".csv"):
            found[name] = list(csv.DictReader(io.StringIO(archive.read(name).decode())))
    return found, archive


def test_the_tables_say_what_the_store_says_of_the_selected_cases_alone(administrator: Caller) -> None:
    clinic = PredictedClinic(administrator)
    found, archive = tables(export_cases(administrator, case_ids=[clinic.cases[0].case_id, clinic.cases[1].case_id]))
    assert [row["label"] for row in found["cases.csv"]] == ["normal", "hsil"]
    assert [row["patient_code"] for row in found["cases.csv"]] == ["p1", "p2"]
    assert [(row["checkpoint"], row["prob_hsil_4ch"]) for row in found["predictions.csv"]] == [("model-1", "0.6")] * 2
    assert [row["annotator"] for row in found["masks.csv"]] == ["Painter"] * 2
    assert {row["file"] for row in found["images.csv"]} == {""}
    assert not [name for name in archive.namelist() if "/" in name]


def test_files_are_the_images_and_masks_themselves(store: Store, administrator: Caller) -> None:
    case = PredictedClinic(administrator).cases[1]
    content = export_cases(administrator, case_ids=[case.case_id], with_files=True)
    found, archive = tables(content)
    sha256 = get(store, Image, case.image_id).sha256
    assert archive.read(found["images.csv"][0]["file"]) == store.blobs.get(sha256)
    mask = read_mask_file(archive.read(found["masks.csv"][0]["file"]), height_px=64, width_px=64)
    assert (mask == draw(2, lesion=True)[1]).all()
    assert export_cases(administrator, case_ids=[case.case_id], with_files=True) == content


def test_what_a_task_keeps_back_does_not_leave(store: Store, administrator: Caller) -> None:
    clinic = PredictedClinic(administrator)
    anna = add_person(store, "annotating")
    hand_out(store, clinic.cases[0].image_id, [anna.person_id], blind=True, proposals=False)
    found, _ = tables(export_cases(anna, case_ids=[case.case_id for case in clinic.cases]))
    kept_back = str(clinic.cases[0].image_id)
    assert kept_back not in {row["image_id"] for row in found["predictions.csv"]}
    assert kept_back not in {row["image_id"] for row in found["masks.csv"]}
    assert len(found["predictions.csv"]) == len(found["masks.csv"]) == 2


def test_an_export_is_written_down_with_what_was_seen(store: Store, administrator: Caller) -> None:
    clinic = PredictedClinic(administrator)
    anna = add_person(store, "taking")
    export_cases(anna, case_ids=[clinic.cases[1].case_id])
    actions = rows(store, AuditEntry.action, AuditEntry.person_id == anna.person_id)
    kinds = rows(store, Exposure.kind, Exposure.person_id == anna.person_id)
    assert list(actions) == ["export cases"]
    assert set(kinds) == {ExposureKind.LABEL, ExposureKind.HISTOLOGY, ExposureKind.PREDICTION, ExposureKind.MASK}


def test_too_many_none_and_unknown_cases_are_refused(administrator: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [case.case_id for case in PredictedClinic(administrator).cases]
    monkeypatch.setattr(case_files, "MOST_WITH_FILES", 2)
    refused(InputRejected, lambda: export_cases(administrator, case_ids=ids, with_files=True), match="1 to 2 cases")
    refused(InputRejected, lambda: export_cases(administrator, case_ids=[]), match="1 to")
    refused(NotFound, lambda: export_cases(administrator, case_ids=[*ids, 99]), match="case 99")
