import csv
import io
import zipfile

import pytest

from colpo_core.cli.cases import print_case
from colpo_core.exchange import case_pdf
from colpo_core.records.exports import CaseReport
from colpo_core.records.models.marks import MarkKind, model_marks
from colpo_core.services.cases import case as cases
from colpo_core.services.cases import lists as case_lists
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.model_marks import marks_of
from colpo_core.services.exports import case_files
from colpo_core.services.exports.case_pdf import case_report_pdf
from colpo_core.services.models import registry as checkpoints
from colpo_core.services.overview import dashboard
from colpo_core.services.review import desk as review
from colpo_core.store import Store
from colpo_core.store.tables import Checkpoint
from tests.support.cards import LEAK, new_card
from tests.support.clinic import PredictedClinic

ALL = "LEAKS · SIMULATED · BY IMPRESSION, NOT HISTOLOGY · NOT CALIBRATED"


def set_checkpoint(store: Store, checkpoint_id: int, **changes: object) -> None:
    with store.writing() as session:
        checkpoint = session.get_one(Checkpoint, checkpoint_id)
        checkpoint.card = checkpoint.card | changes.pop("card", {})  # type: ignore[operator]
        for name, value in changes.items():
            setattr(checkpoint, name, value)


def test_every_place_that_shows_a_models_output_says_the_same_of_it(
    store: Store, administrator: Caller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page for the record hid that the model had learned from simulated images, which Review told."""
    clinic = PredictedClinic(administrator)
    set_checkpoint(store, clinic.checkpoint_id, simulated=True, card={"leaks": [LEAK]})
    with store.reading() as session:
        expected = marks_of(session, clinic.checkpoint_id)
        assert marks_of(session, None) == ()
    assert " · ".join(one.text for one in expected) == ALL
    assert checkpoints.get_checkpoint(administrator, checkpoint_id=clinic.checkpoint_id).marks == expected
    shown = review.get_prediction(administrator, prediction_id=clinic.predictions[1])
    assert shown.marks == shown.all_marks == expected
    assert case_lists.list_cases(administrator).model_marks == expected
    case = cases.get_case(administrator, case_id=clinic.cases[1].case_id)
    assert case.model_marks == expected
    print_case(case)
    assert f"the current model: {ALL}" in capsys.readouterr().out
    bare = cases.get_case(administrator, case_id=case.id, with_predictions=False)
    assert (bare.images[0].prob_hsil, bare.model_marks) == (None, ())
    assert dashboard.dashboard(administrator, include_simulated=True).agreement.marks == expected
    content = case_files.export_cases(administrator, case_ids=[clinic.cases[1].case_id])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (row,) = csv.DictReader(io.StringIO(archive.read("predictions.csv").decode()))
    assert row["model_marks"] == ALL
    drawn: list[CaseReport] = []
    draw = case_pdf.case_pdf
    monkeypatch.setattr(case_pdf, "case_pdf", lambda report, *rest: drawn.append(report) or draw(report, *rest))
    case_report_pdf(administrator, case_id=clinic.cases[1].case_id)
    assert case_pdf._marks(drawn[0]) == expected


def test_the_stores_marks_are_those_of_the_whole_card(store: Store, administrator: Caller) -> None:
    clinic = PredictedClinic(administrator)
    set_checkpoint(store, clinic.checkpoint_id, card=new_card())
    with store.reading() as session:
        checkpoint = session.get_one(Checkpoint, clinic.checkpoint_id)
        whole = model_marks(checkpoint.card, label_source=checkpoint.label_source, simulated=False)
        assert marks_of(session, clinic.checkpoint_id) == whole
    assert [one.kind for one in whole] == [MarkKind.IMPRESSION]
    found = review.get_prediction(administrator, prediction_id=clinic.predictions[0])
    assert found.calibration.startswith("Probabilities are calibrated for a share of HSIL of 27.0%")
