import pytest
from sqlalchemy import func, literal, select

from colpo_core.errors import NotFound
from colpo_core.evaluation.calls import calls_at
from colpo_core.images.masks import encode_rle
from colpo_core.records.overview.worklist import WorkKind
from colpo_core.services.annotations import own_masks
from colpo_core.services.annotations.workbench import next_image
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.current_model import current_id
from colpo_core.services.common.stored_images import image_record
from colpo_core.services.overview.worklist import worklist
from colpo_core.store import Store
from colpo_core.store.facts import current_checkpoint_id, find_row, is_called_hsil, needs_annotation, no_such
from colpo_core.store.tables import Annotation, Base, Case, Image, Promotion, Snapshot
from colpo_core.terms import AnnotationState, Finding, Label, Role, Stage
from tests.conftest import add_person
from tests.support.clinic import Clinic, PredictedClinic, draw


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("shows_cervix", [True, False])
def test_an_image_is_readable_in_sql_as_in_python(store: Store, stage: Stage, shows_cervix: bool) -> None:
    image_id = Clinic(store).add_case(stage=stage, shows_cervix=shows_cervix).image_id
    with store.reading() as session:
        image = session.get_one(Image, image_id)
        in_sql = session.scalar(select(Image.is_readable).where(Image.id == image_id))
        assert in_sql == image.is_readable == image_record(image).is_readable
        assert in_sql == (stage is Stage.ACETIC_ACID and shows_cervix)


@pytest.mark.parametrize(("prob", "call"), [(0.4, Label.NORMAL), (0.5, Label.HSIL), (0.6, Label.HSIL)])
def test_a_probability_is_called_hsil_from_its_threshold_on(store: Store, prob: float, call: Label) -> None:
    with store.reading() as session:
        in_sql = session.scalar(select(is_called_hsil(literal(prob), literal(0.5))))
    assert (Label.HSIL if in_sql else Label.NORMAL) is Label.called(prob, threshold=0.5) is calls_at([prob], 0.5)[0]
    assert Label.called(prob, threshold=0.5) is call


def test_the_current_model_is_the_one_that_was_promoted_last(store: Store, administrator: Caller) -> None:
    with store.reading() as session:
        assert session.scalar(select(current_checkpoint_id())) is None
    clinic = PredictedClinic(administrator)
    second = clinic.add_checkpoint("model-2", administrator)
    with store.writing() as session:
        again = Promotion(checkpoint_id=clinic.checkpoint_id, promoted_by=administrator.person_id, reason="back")
        session.add(again)
        session.flush()
        assert session.scalar(select(current_checkpoint_id())) == current_id(session) == clinic.checkpoint_id != second


def draft(caller: Caller, image_id: int) -> tuple[str, int]:
    opened = own_masks.open_annotation(caller, image_id=image_id)
    mask = draw(1, lesion=True)[1]
    saved = own_masks.save_draft(caller, document_id=opened.document_id, base_seq=opened.seq, rle=encode_rle(mask))
    return opened.document_id, saved.seq


def waits_at_home(caller: Caller) -> int:
    """Images that Home says wait for a person: without annotation, or begun by this person."""
    kinds = (WorkKind.UNANNOTATED, WorkKind.DRAFTS)
    return sum(item.number for item in worklist(caller).items if item.kind in kinds)


def offered(caller: Caller) -> set[int]:
    """All images that Annotate offers a person one after the other."""
    found: set[int] = set()
    after = next_image(caller)
    while after is not None and after not in found:
        found.add(after)
        after = next_image(caller, after=after)
    return found


def test_home_and_annotate_agree_on_what_waits_for_a_mask(
    store: Store, annotator: Caller, administrator: Caller
) -> None:
    """Home said that nothing waits where Annotate offered the image that somebody else had begun."""
    berta = add_person(store, "berta", Role.ANNOTATOR)
    clinic = Clinic(store)
    begun, submitted = (clinic.add_case(masked=False).image_id for _ in range(2))
    clinic.add_case(masked=False, stage=Stage.LUGOL)
    clinic.add_case(masked=False, shows_cervix=False)
    clinic.add_case(state=AnnotationState.TO_CONFIRM)
    people = (annotator, administrator, berta)
    assert [(waits_at_home(one), offered(one)) for one in people] == [(2, {begun, submitted})] * 3
    draft(annotator, begun)
    document_id, seq = draft(berta, submitted)
    assert offered(annotator) == {begun}
    assert offered(berta) == {submitted}
    assert offered(administrator) == set()
    assert [waits_at_home(one) for one in people] == [len(offered(one)) for one in people]
    own_masks.submit_annotation(berta, document_id=document_id, seq=seq)
    assert [waits_at_home(one) for one in people] == [len(offered(one)) for one in people] == [1, 0, 0]


def test_a_rejected_mask_is_none_and_another_findings_mask_is_not_this_ones(store: Store, annotator: Caller) -> None:
    clinic = Clinic(store)
    case = clinic.add_case(state=AnnotationState.REJECTED)
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Image).where(needs_annotation())) == 1
    assert next_image(annotator) == case.image_id
    with store.writing() as session:
        session.get_one(Annotation, case.annotation_id).state = AnnotationState.SUBMITTED
    assert next_image(annotator) is None
    assert next_image(annotator, finding=Finding.MOSAIC) == case.image_id


def test_what_is_not_there_is_told_with_what_to_do(store: Store) -> None:
    with store.reading() as session:
        for table in _kinds():
            with pytest.raises(NotFound, match=r"^There is no [a-z ]+ 999\. [A-Z].+\.$"):
                find_row(session, table, 999)
    assert str(no_such(Snapshot, "spring")) == "There is no snapshot “spring”. Choose one of the list."
    case_id = Clinic(store).add_case().case_id
    with store.reading() as session:
        assert find_row(session, Case, case_id).id == case_id


def _kinds() -> list[type[Base]]:
    from colpo_core.store import facts

    return list(facts._WHERE_TO_LOOK)
