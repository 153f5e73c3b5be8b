from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from colpo_core.errors import NotFound, PermissionDenied
from colpo_core.images.masks import encode_rle
from colpo_core.records.cases.cases import SpecimenSite
from colpo_core.services.annotations.own_masks import open_annotation, save_draft, submit_annotation
from colpo_core.services.cases.findings_proposal import lesion_images, propose_clock_hour, propose_findings
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import FindingsForm
from colpo_core.terms import Finding, MaskDoubt
from tests.support.clinic import SIDE_PX, Clinic, ClinicCase
from tests.support.refusals import refused
from tests.support.several_annotators import add_task
from tests.support.store_rows import rows


@pytest.fixture
def case(store: Store) -> ClinicCase:
    return Clinic(store).add_case(masked=False)


def square(top: int, left: int, bottom: int, right: int) -> NDArray[np.bool_]:
    mask = np.zeros((SIDE_PX, SIDE_PX), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


CERVIX = square(0, 0, 40, 40)  # its middle is (20, 20), not the image's
UPPER = square(0, 0, 10, 40)
NOTHING = square(0, 0, 0, 0)


def paint(
    caller: Caller,
    case: ClinicCase,
    mask: NDArray[np.bool_],
    finding: Finding = Finding.ACETOWHITE,
    *,
    submits: bool = True,
) -> None:
    opened = open_annotation(caller, image_id=case.image_id, finding=finding)
    saved = save_draft(caller, document_id=opened.document_id, base_seq=opened.seq, rle=encode_rle(mask))
    if submits:
        submit_annotation(caller, document_id=opened.document_id, seq=saved.seq, sure=set(MaskDoubt))


def test_size_and_place_are_read_off_the_own_masks(annotator: Caller, case: ClinicCase) -> None:
    paint(annotator, case, CERVIX, Finding.CERVIX)
    paint(annotator, case, UPPER)
    proposal = propose_findings(annotator, image_id=case.image_id)
    assert (proposal.cervix_percent, proposal.quadrants) == (25, 2)
    assert proposal.clock_hours == (1, 2, 10, 11, 12)
    assert proposal.centre_hour == 12
    assert (proposal.version_number, proposal.is_draft, proposal.missing) == (1, False, ())
    assert proposal.swede_lesion_size == 1


def test_nothing_is_written_by_a_proposal(store: Store, annotator: Caller, case: ClinicCase) -> None:
    paint(annotator, case, UPPER)
    propose_findings(annotator, image_id=case.image_id)
    assert rows(store, FindingsForm) == []


def test_without_an_outline_there_is_no_percentage_of_the_cervix(annotator: Caller, case: ClinicCase) -> None:
    paint(annotator, case, square(32, 0, 64, 64))
    proposal = propose_findings(annotator, image_id=case.image_id)
    assert proposal.cervix_percent is None
    assert proposal.image_percent == 50
    assert any("no outline of the cervix" in sentence for sentence in proposal.missing)


def test_strokes_since_the_last_version_count_and_name_no_version(annotator: Caller, case: ClinicCase) -> None:
    paint(annotator, case, square(0, 0, 10, 10))
    first = propose_findings(annotator, image_id=case.image_id)
    paint(annotator, case, square(0, 0, 64, 64), submits=False)
    draft = propose_findings(annotator, image_id=case.image_id)
    assert first.version_id is not None
    assert (draft.version_id, draft.is_draft, draft.quadrants) == (None, True, 4)
    assert any("not submitted" in sentence for sentence in draft.missing)
    paint(annotator, case, square(0, 0, 64, 63))
    assert propose_findings(annotator, image_id=case.image_id).version_number == 2


@pytest.mark.parametrize(
    ("mask", "quadrants", "points"),
    [
        (square(0, 0, 20, 20), 1, None),
        (square(0, 0, 20, 64), 2, 1),
        (square(0, 0, 64, 32) | square(0, 32, 32, 64), 3, 2),
        (square(0, 0, 64, 64), 4, 2),
    ],
)
def test_the_swede_row_is_proposed_only_where_quadrants_decide_it(
    annotator: Caller, case: ClinicCase, mask: NDArray[np.bool_], quadrants: int, points: int | None
) -> None:
    paint(annotator, case, mask)
    proposal = propose_findings(annotator, image_id=case.image_id)
    assert (proposal.quadrants, proposal.swede_lesion_size) == (quadrants, points)
    assert any("no scale" in sentence for sentence in proposal.missing) == (points is None)


def test_a_mask_that_marks_nothing_says_that_there_is_no_lesion(annotator: Caller, case: ClinicCase) -> None:
    paint(annotator, case, NOTHING)
    proposal = propose_findings(annotator, image_id=case.image_id)
    assert (proposal.quadrants, proposal.clock_hours, proposal.swede_lesion_size) == (0, (), None)
    assert proposal.has_mask


def test_another_person_s_lesion_is_not_proposed(annotator: Caller, administrator: Caller, case: ClinicCase) -> None:
    paint(annotator, case, UPPER)
    proposal = propose_findings(administrator, image_id=case.image_id)
    assert not proposal.has_mask
    assert proposal.missing[0].startswith("You have no mask")
    assert lesion_images(administrator, case_id=case.case_id) == ()
    (image,) = lesion_images(annotator, case_id=case.case_id)
    assert image.id == case.image_id


def test_another_person_s_outline_serves_where_there_is_no_own_and_is_named(
    annotator: Caller, administrator: Caller, case: ClinicCase
) -> None:
    paint(administrator, case, CERVIX, Finding.CERVIX)
    paint(annotator, case, UPPER)
    proposal = propose_findings(annotator, image_id=case.image_id)
    assert proposal.cervix_percent == 25
    assert proposal.missing == ("The outline of the cervix is by Ada, version 1.",)
    paint(annotator, case, square(0, 0, 20, 40), Finding.CERVIX, submits=False)
    proposal = propose_findings(annotator, image_id=case.image_id)
    assert (proposal.cervix_percent, proposal.missing) == (50, ())


def test_an_outline_that_is_hidden_in_a_blind_task_is_not_used(
    store: Store, annotator: Caller, administrator: Caller, case: ClinicCase
) -> None:
    paint(administrator, case, CERVIX, Finding.CERVIX)
    paint(annotator, case, UPPER)
    add_task(store, [case.image_id], [annotator, administrator], creator=administrator, finding=Finding.CERVIX)
    assert propose_findings(annotator, image_id=case.image_id).cervix_percent is None
    assert propose_clock_hour(annotator, site=SpecimenSite(case.image_id, 20, 2)) is None


def test_a_site_has_an_hour_where_the_cervix_is_known(annotator: Caller, case: ClinicCase) -> None:
    site = SpecimenSite(case.image_id, 38, 20)
    assert propose_clock_hour(annotator, site=site) is None
    paint(annotator, case, CERVIX, Finding.CERVIX, submits=False)
    assert propose_clock_hour(annotator, site=site) == 3
    assert propose_clock_hour(annotator, site=replace(site, x_px=20, y_px=38)) == 6
    assert propose_clock_hour(annotator, site=replace(site, x_px=20.2, y_px=20)) is None


def test_proposals_are_for_clinicians_and_images_that_exist(
    annotator: Caller, reader: Caller, case: ClinicCase
) -> None:
    site = SpecimenSite(case.image_id, 1, 1)
    refused(
        PermissionDenied,
        lambda: propose_findings(reader, image_id=case.image_id),
        lambda: propose_clock_hour(reader, site=site),
        lambda: lesion_images(reader, case_id=case.case_id),
    )
    refused(NotFound, lambda: propose_findings(annotator, image_id=999))
