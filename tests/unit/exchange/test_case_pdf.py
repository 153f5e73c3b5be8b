import re
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from colpo_core.exchange.case_pdf import MOST_IMAGES, _marks, _text, case_pdf
from colpo_core.records.cases.cases import CaseForm, CaseRecord, LabelRecord, SpecimenRecord
from colpo_core.records.cases.images import ImageRecord
from colpo_core.records.exports import CaseReport, ReportedImage
from colpo_core.records.models.marks import MarkKind, model_marks
from colpo_core.records.review.explanations import ProposedSite
from colpo_core.records.review.reviews import PredictionRecord, ReviewRecord
from colpo_core.terms import Grade, Label, LabelSource, ReviewReason, SpecimenKind, Stage, Verdict

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


def image(number: int) -> ImageRecord:
    return ImageRecord(number, 7, "a" * 64, "image/png", 400, 300, Stage.ACETIC_ACID, 60, True, False)


def prediction(number: int) -> PredictionRecord:
    return PredictionRecord(
        id=number, image_id=number, case_id=7, patient_code="P-7", checkpoint_id=1, checkpoint_name="model-2",
        label_source=LabelSource.HISTOLOGY, width_px=400, height_px=300, prob_hsil_3ch=0.4, prob_hsil_4ch=0.71,
        threshold_3ch=0.5, threshold_4ch=0.45, acetowhite_fraction=0.157, simulated=False, checkpoint_simulated=False,
        created_at=NOW,
    )  # fmt: skip


def report(n_images: int = 1, **form: object) -> CaseReport:
    review = ReviewRecord(1, 1, "Dr. Lind", 1, Verdict.OVERRULE, "a reflection", NOW, ReviewReason.MASK_COVERS)
    images = tuple(
        ReportedImage(image(number), prediction(number), (review,), (ProposedSite(120.0, 90.0, 1.0, 11),))
        for number in range(1, n_images + 1)
    )
    case = CaseRecord(
        id=7, patient_id=7, patient_code="P-7", case_date=date(2026, 3, 1), form=CaseForm(age_years=41, **form),
        swede_total=6, version=1, simulated=False, created_at=NOW, images=(),
        specimens=(
            SpecimenRecord(1, 1, SpecimenKind.PUNCH_BIOPSY, Grade.CIN3, 11, "with crypts", "Dr. Lind", NOW, None),
            SpecimenRecord(2, 2, SpecimenKind.LEEP, Grade.NORMAL, None, "mistaken", "Dr. Lind", NOW, NOW),
        ),
        labels=(LabelRecord(LabelSource.HISTOLOGY, Label.HSIL, Grade.CIN3, "CIN3, which needs it", False, "r", NOW),),
    )  # fmt: skip
    return CaseReport(case, images, n_images, "5" * 64, "Dr. Lind", NOW, "0.1.0")


def pages(pdf: bytes) -> int:
    assert pdf.startswith(b"%PDF")
    return len(re.findall(rb"/Type /Page[^s]", pdf))


def draw(made: CaseReport) -> bytes:
    rgb = np.full((300, 400, 3), 120, np.uint8)
    mask = np.zeros((300, 400), bool)
    mask[60:140, 80:200] = True
    numbers = [one.image.id for one in made.images]
    return case_pdf(made, dict.fromkeys(numbers, rgb), dict.fromkeys(numbers, mask))


def said(made: CaseReport) -> str:
    return "\n".join(line for line, _ in _text(made))


def test_the_page_says_what_is_known_predicted_and_judged() -> None:
    text = said(report())
    assert "age 41" in text
    assert "1. punch biopsy at 11 o'clock: CIN3. with crypts" in text
    assert "mistaken" not in text, "a withdrawn specimen counts no more"
    assert "model-2 (555555555555), labels by histology" in text
    assert "4 channels 71%, called hsil (HSIL from 45%); 3 channels 40%, called normal (HSIL from 50%)" in text
    assert "Dr. Lind, 2026-03-04: overrule (mask covers. a reflection)" in text
    assert "PROPOSED biopsy sites, not a recommendation: 1 at 11 o’clock (100%); hours from the middle" in text


def test_probability_and_threshold_that_round_alike_are_told_apart() -> None:
    """It read: 52%, calls hsil from 52%."""
    close = replace(prediction(1), prob_hsil_4ch=0.5204, threshold_4ch=0.5231, prob_hsil_3ch=0.997, threshold_3ch=0.4)
    text = said(replace(report(), images=(ReportedImage(image(1), close),)))
    assert "4 channels 52.0%, called normal (HSIL from 52.3%)" in text
    assert "3 channels 99.7%, called hsil (HSIL from 40.0%)" in text


def test_what_review_marks_the_page_marks_in_the_same_words() -> None:
    marks = model_marks({"leaks": ["Copies leak."]}, label_source=LabelSource.IMPRESSION, simulated=True)
    assert [one.kind for one in marks] == list(MarkKind)
    bare = report()
    made = replace(bare, images=(ReportedImage(image(1), replace(prediction(1), marks=marks)),))
    text = said(made)
    for mark in marks:
        assert f"{mark.text}: {mark.meaning}" in text
    assert [one.text for one in _marks(made)] == [one.text for one in marks]
    assert _marks(bare) == ()
    assert [one.text for one in _marks(replace(bare, case=replace(bare.case, simulated=True)))] == ["SIMULATED"]
    drawn = replace(prediction(1), simulated=True)
    assert [one.meaning for one in drawn.all_marks] == ["The image itself was drawn by the program."]
    assert pages(draw(made)) == 1


def test_the_page_says_for_which_share_of_hsil_the_probabilities_are_calibrated() -> None:
    told = replace(prediction(1), calibration="Probabilities are calibrated for a share of HSIL of 27.0%.")
    assert "share of HSIL of 27.0%" in said(replace(report(), images=(ReportedImage(image(1), told),)))


def test_without_a_prediction_that_may_be_shown_nothing_of_the_model_is_on_the_page() -> None:
    bare = replace(report(), images=(ReportedImage(image(1)),), model_sha256="")
    text = said(bare)
    assert "No prediction that may be shown" in text
    assert "model-2" not in text
    assert "calls" not in text


@pytest.mark.parametrize("n_images", [0, 1, 2, MOST_IMAGES])
def test_it_is_one_page_whatever_comes_in(n_images: int) -> None:
    long = report(n_images, indication="very long " * 20, hpv_result="$16$ и 日本 \x07 \n positive")
    many = replace(long.case, specimens=long.case.specimens * 40, patient_code="P-7")
    made = replace(long, case=many, n_images=n_images + 5)
    assert pages(draw(made)) == 1


def test_a_missing_image_leaves_its_place_and_the_rest() -> None:
    assert pages(case_pdf(report(2), {}, {})) == 1
