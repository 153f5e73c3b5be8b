"""What masks propose for the findings form and for a specimen's clock position. Nothing here writes anything."""

from sqlalchemy import select

from colpo_core.images.clock_face import lay_clock, place_lesion
from colpo_core.records.cases.cases import SpecimenSite
from colpo_core.records.cases.findings import FindingsProposal
from colpo_core.records.cases.images import ImageRecord
from colpo_core.services.annotations.cervix import _own_mask, visible_cervix
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.common.stored_images import image_record
from colpo_core.store.facts import find_row
from colpo_core.store.tables import Annotation, Image
from colpo_core.terms import Finding

_NO_LESION = "You have no mask of acetowhite epithelium on this image. Paint one, then propose again."
_NO_CERVIX = (
    "There is no outline of the cervix on this image: the clock was laid on the middle of the image, and no percentage "
    "of the cervix can be given. Paint the outline for both."
)
_DRAFT = "This was read from strokes that are not submitted, so the record will not name a version of the mask."
_NO_MILLIMETRES = (
    "The Swede score's lesion size stays open: one quadrant does not decide it, and the image has no scale."
)


@allowed(CLINICIANS)
def propose_findings(caller: Caller, *, image_id: int) -> FindingsProposal:
    """Read size and place of the lesion off the caller's own newest mask, submitted or draft.

    The clock lies on the caller's newest outline of the cervix, else on the newest submitted one that they may see.

    Raises:
        NotFound: There is no such image.
    """
    with caller.store.reading() as session:
        image = find_row(session, Image, image_id)
        lesion = _own_mask(session, caller.actor, image, Finding.ACETOWHITE)
        if lesion is None:
            return FindingsProposal(image.id, image.case_id, missing=(_NO_LESION,))
        cervix, whose_cervix = visible_cervix(session, caller.actor, image)
        version = lesion.version
        number = version.number if version else None
        version_id = version.id if version else None
        case_id = image.case_id
    position = place_lesion(lesion.pixels, cervix)
    quadrants = len(position.quadrants)
    # Strander 2005 gives 1 point for two quadrants, 2 for three or four.
    size = {2: 1, 3: 2, 4: 2}.get(quadrants)
    has_lesion = quadrants > 0
    said = (
        (whose_cervix, bool(whose_cervix)),
        (_NO_CERVIX, cervix is None),
        (_DRAFT, version_id is None),
        (_NO_MILLIMETRES, has_lesion and size is None),
    )
    return FindingsProposal(
        image_id=image_id,
        case_id=case_id,
        version_id=version_id,
        version_number=number,
        is_draft=version_id is None,
        cervix_percent=None if position.percent_of_cervix is None else round(position.percent_of_cervix, 1),
        image_percent=round(position.percent_of_image, 1),
        clock_hours=position.hours,
        quadrants=quadrants,
        centre_hour=position.centre_hour,
        centre_distance=None if position.centre_distance is None else round(position.centre_distance, 2),
        swede_lesion_size=size,
        missing=tuple(sentence for sentence, holds in said if holds),
    )


@allowed(CLINICIANS)
def lesion_images(caller: Caller, *, case_id: int) -> tuple[ImageRecord, ...]:
    """The images of a case that carry a mask of acetowhite epithelium by the caller, the last one touched first."""
    with caller.store.reading() as session:
        rows = session.scalars(
            select(Image)
            .join(Annotation, Annotation.image_id == Image.id)
            .where(
                Image.case_id == case_id,
                Annotation.annotator_id == caller.person_id,
                Annotation.finding == Finding.ACETOWHITE,
            )
            .order_by(Annotation.draft_saved_at.desc(), Annotation.id.desc())
        ).all()
        return tuple(image_record(row) for row in rows if _own_mask(session, caller.actor, row, Finding.ACETOWHITE))


@allowed(CLINICIANS)
def propose_clock_hour(caller: Caller, *, site: SpecimenSite) -> int | None:
    """The hour at which a site lies on the cervix; None without an outline of it, and for the middle of the clock.

    Raises:
        NotFound: There is no such image.
    """
    with caller.store.reading() as session:
        image = find_row(session, Image, site.image_id)
        cervix, _ = visible_cervix(session, caller.actor, image)
        if cervix is None:
            return None
        clock = lay_clock(cervix, height_px=image.height_px, width_px=image.width_px)
    return clock.hour_at(site.x_px, site.y_px)
