from colpo_core.services.annotations.workbench import annotation_desk
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import Annotation
from colpo_core.terms import Finding
from tests.conftest import AddCase
from tests.support.handed_out import image_of, paint_and_submit
from tests.support.store_rows import count


def test_the_desk_holds_my_own_mask_of_every_finding_in_order(
    store: Store, annotator: Caller, administrator: Caller, add_case: AddCase
) -> None:
    image_id = image_of(store, add_case())
    paint_and_submit(annotator, image_id, finding=Finding.MOSAIC)
    paint_and_submit(administrator, image_id, finding=Finding.PUNCTATION)
    desk = annotation_desk(annotator, image_id=image_id)
    assert [layer.finding for layer in desk.layers] == list(Finding)
    assert desk.layers[0] == desk.annotation
    assert {layer.finding: layer.version_number for layer in desk.layers if layer.version_number} == {Finding.MOSAIC: 1}
    assert len({layer.document_id for layer in desk.layers}) == len(Finding)
    assert count(store, Annotation) == 2, "looking leaves no row behind"
