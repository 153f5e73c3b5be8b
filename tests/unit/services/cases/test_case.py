from datetime import UTC, date, datetime

import numpy as np
import pytest

from colpo_core.errors import Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.images.decoding import CleanImage, encode_clean
from colpo_core.images.masks import encode_rle
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.records.cases.cases import CaseForm, SwedeRows
from colpo_core.records.cases.lists import AnnotationNeed, CaseFilter, LabelChoice
from colpo_core.services.annotations.imported_masks import import_annotation
from colpo_core.services.annotations.own_masks import open_annotation, save_draft
from colpo_core.services.cases.case import get_case, update_case
from colpo_core.services.cases.histology import add_specimen
from colpo_core.services.cases.lists import list_cases
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.stored_images import get_image, image_bytes, image_thumbnail, mark_image
from colpo_core.services.imports.rows import StoredFile, add_image, find_or_add_case
from colpo_core.store import Store
from colpo_core.store.tables import Case, Patient
from colpo_core.terms import (
    AnnotationState,
    Colposcopy,
    Finding,
    Grade,
    HivStatus,
    Label,
    MaskOrigin,
    MenopausalState,
    SpecimenKind,
    Stage,
)
from tests.support.refusals import refused

HEIGHT, WIDTH = 24, 32
MOMENT = datetime(2024, 5, 6, tzinfo=UTC)


def add(
    caller: Caller, code: str, *, seed: int = 0, stage: Stage = Stage.ACETIC_ACID, images: int = 1
) -> tuple[int, list[int]]:
    ids = []
    for number in range(images):
        pixels = np.random.default_rng([seed, number, *code.encode()]).integers(
            0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8
        )
        clean = encode_clean(CleanImage(pixels, width_px=WIDTH, height_px=HEIGHT))
        looks = perceptual_hash(pixels)
        file = StoredFile(caller.store.blobs.put(clean.content), clean.media_type, WIDTH, HEIGHT, looks)
        with caller.store.writing() as session:
            case = find_or_add_case(session, actor=caller.actor, patient_code=code, case_date=date(2024, 5, 6))
            ids.append(add_image(session, actor=caller.actor, case_id=case.id, file=file, stage=stage).id)
    return case.id, ids


def square() -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[4:12, 4:12] = True
    return mask


def found(caller: Caller, **where: object) -> list[str]:
    page = list_cases(caller, where=CaseFilter(**where))  # type: ignore[arg-type]
    return [row.patient_code for row in page.rows]


def test_pages_follow_each_other_without_gap_or_repetition(annotator: Caller) -> None:
    for number in range(7):
        add(annotator, f"P-{number}")
    seen: list[str] = []
    after = None
    for expected in (3, 3, 1):
        page = list_cases(annotator, after=after, limit=3)
        assert len(page.rows) == expected
        seen += [row.patient_code for row in page.rows]
        after = page.next_after
    assert after is None
    assert seen == [f"P-{number}" for number in reversed(range(7))]


def test_a_case_that_comes_in_meanwhile_does_not_shift_the_next_page(annotator: Caller) -> None:
    for number in range(4):
        add(annotator, f"P-{number}")
    page = list_cases(annotator, limit=2)
    add(annotator, "P-late")
    assert [row.patient_code for row in list_cases(annotator, after=page.next_after, limit=2).rows] == ["P-1", "P-0"]


def test_a_row_says_what_a_list_needs(annotator: Caller) -> None:
    case_id, _ = add(annotator, "P-1", stage=Stage.NATIVE)
    _, acetic = add(annotator, "P-1", seed=1, images=2)
    import_annotation(
        annotator, image_id=acetic[0], mask=square(), origin=MaskOrigin.CHORD, finding=Finding.ACETOWHITE, note=""
    )
    add_specimen(annotator, case_id=case_id, kind=SpecimenKind.LEEP, grade=Grade.CIN2)
    (row,) = list_cases(annotator).rows
    assert (row.id, row.n_images, row.first_image_id, row.n_unannotated) == (case_id, 3, acetic[0], 1)
    assert row.annotation_states == {AnnotationState.TO_CONFIRM: 1}
    assert (row.grade, row.label, row.flagged, row.simulated) == (Grade.CIN2, Label.HSIL, False, False)
    assert row.reason == "CIN2, which needs treatment"


def test_filters_narrow_the_list(annotator: Caller) -> None:
    hsil, (annotated,) = add(annotator, "A-1")
    normal, _ = add(annotator, "A-2")
    flagged, _ = add(annotator, "b_1", stage=Stage.LUGOL)
    add(annotator, "b%1")
    for case_id, grade in ((hsil, Grade.CIN3), (normal, Grade.CIN1), (flagged, Grade.INVASIVE_CARCINOMA)):
        add_specimen(annotator, case_id=case_id, kind=SpecimenKind.LEEP, grade=grade)
    opened = open_annotation(annotator, image_id=annotated)
    save_draft(annotator, document_id=opened.document_id, base_seq=0, rle=encode_rle(square()))
    assert found(annotator, patient_code="a-") == ["A-2", "A-1"]
    assert found(annotator, patient_code="B_") == ["b_1"]
    assert found(annotator, patient_code="%") == []
    assert found(annotator, grade=Grade.CIN3) == ["A-1"]
    assert found(annotator, label=LabelChoice.NORMAL) == ["A-2"]
    assert found(annotator, label=LabelChoice.HSIL) == ["A-1"]
    assert found(annotator, label=LabelChoice.EXCLUDED) == ["b%1", "b_1"]
    assert found(annotator, label=LabelChoice.FLAGGED) == ["b_1"]
    assert found(annotator, label=LabelChoice.UNLABELLED) == ["b%1"]
    assert found(annotator, annotation=AnnotationNeed.NONE) == ["b%1", "A-2"]
    assert found(annotator, annotation=AnnotationNeed.DRAFT) == ["A-1"]
    assert found(annotator, annotation=AnnotationNeed.SUBMITTED) == []
    assert found(annotator, simulated=True) == []
    assert len(found(annotator, simulated=False)) == 4


def test_a_case_shows_its_images_with_what_exists_of_them(annotator: Caller) -> None:
    case_id, (image_id,) = add(annotator, "P-1")
    annotation_id = import_annotation(
        annotator, image_id=image_id, mask=square(), origin=MaskOrigin.CLOSED, finding=Finding.ACETOWHITE, note=""
    )
    case = get_case(annotator, case_id=case_id)
    (shown,) = case.images
    (annotation,) = shown.annotations
    assert (case.patient_code, case.case_date, case.simulated) == ("P-1", date(2024, 5, 6), False)
    assert (shown.image.id, shown.image.width_px, shown.image.height_px) == (image_id, WIDTH, HEIGHT)
    assert (annotation.annotation_id, annotation.state) == (annotation_id, AnnotationState.SUBMITTED)
    assert annotation.version_id is not None
    assert shown.prediction_id is None


def test_an_edit_upon_an_older_version_is_refused_and_overwrites_nothing(annotator: Caller) -> None:
    case_id, _ = add(annotator, "P-1")
    version = update_case(annotator, case_id=case_id, base_version=1, form=CaseForm(age_years=40))
    with pytest.raises(Conflict, match="Reload"):
        update_case(annotator, case_id=case_id, base_version=1, form=CaseForm(age_years=50))
    case = get_case(annotator, case_id=case_id)
    assert (case.form.age_years, case.version) == (40, version)


def test_saving_what_is_there_already_makes_no_version(annotator: Caller) -> None:
    case_id, _ = add(annotator, "P-1")
    assert update_case(annotator, case_id=case_id, base_version=1, form=CaseForm(device="  ")) == 1


def test_the_form_is_kept_as_entered(annotator: Caller) -> None:
    case_id, _ = add(annotator, "P-1")
    form = CaseForm(
        colposcopy=Colposcopy.ABNORMAL,
        age_years=34,
        hpv_result="16 positive",
        cytology="ASC-H",
        indication="abnormal cytology",
        device="Colposcope A",
        earlier_treatment="LEEP 2021",
        menopausal_state=MenopausalState.PREMENOPAUSAL,
        hiv_status=HivStatus.NEGATIVE,
        pregnant=False,
        hpv_vaccinated=True,
        swede=SwedeRows(2, 1, 0, 1, 2),
    )
    update_case(annotator, case_id=case_id, base_version=1, form=form)
    case = get_case(annotator, case_id=case_id)
    assert (case.form, case.swede_total) == (form, 6)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        (CaseForm(age_years=9), "age"),
        (CaseForm(age_years=111), "age"),
        (CaseForm(cytology="PAP III"), "cytology"),
        (CaseForm(swede=SwedeRows(vessels=3)), "Swede"),
        (CaseForm(indication="x" * 201), "indication"),
    ],
)
def test_a_field_that_cannot_be_is_refused(annotator: Caller, form: CaseForm, why: str) -> None:
    case_id, _ = add(annotator, "P-1")
    refused(InputRejected, lambda: update_case(annotator, case_id=case_id, base_version=1, form=form), match=why)
    assert get_case(annotator, case_id=case_id).version == 1


def test_a_missing_row_leaves_the_swede_score_without_a_total() -> None:
    assert SwedeRows(2, 2, 2, 2, None).total is None
    assert SwedeRows(2, 2, 2, 2, 0).total == 8
    assert SwedeRows().is_empty


def test_an_image_is_marked_and_its_seconds_go_with_acetic_acid(annotator: Caller) -> None:
    _, (image_id,) = add(annotator, "P-1")
    assert mark_image(annotator, image_id=image_id, seconds_after_acid=60).seconds_after_acid == 60
    image = mark_image(annotator, image_id=image_id, stage=Stage.LUGOL, shows_cervix=False)
    assert (image.stage, image.shows_cervix, image.seconds_after_acid) == (Stage.LUGOL, False, None)
    assert get_image(annotator, image_id=image_id) == image
    with pytest.raises(InputRejected, match="3600"):
        mark_image(annotator, image_id=image_id, stage=Stage.ACETIC_ACID, seconds_after_acid=4000)
    assert get_image(annotator, image_id=image_id) == image


def test_the_file_and_its_thumbnail_come_back(annotator: Caller) -> None:
    _, (image_id,) = add(annotator, "P-1")
    content, image = image_bytes(annotator, image_id=image_id)
    assert content.startswith(b"\x89PNG")
    assert image.id == image_id
    thumbnail, _ = image_thumbnail(annotator, image_id=image_id)
    assert thumbnail.startswith(b"\xff\xd8")
    assert image_thumbnail(annotator, image_id=image_id)[0] == thumbnail


def test_readers_see_no_case_and_no_image(annotator: Caller, reader: Caller) -> None:
    case_id, (image_id,) = add(annotator, "P-1")
    refused(
        PermissionDenied,
        lambda: list_cases(reader),
        lambda: get_case(reader, case_id=case_id),
        lambda: get_image(reader, image_id=image_id),
        lambda: image_bytes(reader, image_id=image_id),
        lambda: image_thumbnail(reader, image_id=image_id),
        lambda: update_case(reader, case_id=case_id, base_version=1, form=CaseForm()),
        lambda: mark_image(reader, image_id=image_id, shows_cervix=False),
    )


def test_what_is_not_there_is_said(annotator: Caller) -> None:
    refused(
        NotFound,
        lambda: get_case(annotator, case_id=1),
        lambda: update_case(annotator, case_id=1, base_version=1, form=CaseForm()),
        lambda: mark_image(annotator, image_id=1),
    )
    refused(ValueError, lambda: list_cases(annotator, limit=0), match="limit")
    assert list_cases(annotator).rows == ()


def test_many_cases_of_one_moment_are_paged_by_their_row(store: Store, annotator: Caller) -> None:
    with store.writing() as session:
        for number in range(5):
            patient = Patient(code=f"P-{number}")
            session.add(patient)
            session.flush()
            session.add(Case(patient_id=patient.id, created_at=MOMENT))
    first = list_cases(annotator, limit=3)
    rest = list_cases(annotator, after=first.next_after, limit=3)
    assert [row.patient_code for row in (*first.rows, *rest.rows)] == ["P-4", "P-3", "P-2", "P-1", "P-0"]
