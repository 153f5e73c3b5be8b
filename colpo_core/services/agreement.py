"""How several annotators agree on the same images. Only masks that the actor may see take part."""

from colpo_core.records.agreement import AgreementOverview, ImageAgreement
from colpo_core.records.people import Actor
from colpo_core.store import Store
from colpo_core.terms import Finding


def agreement_overview(
    store: Store, *, actor: Actor, finding: Finding = Finding.ACETOWHITE, task_id: int | None = None, seed: int = 0
) -> AgreementOverview:
    """How annotators agree on a finding, over all images that at least two have annotated, or those of a task."""
    raise NotImplementedError


def image_agreement(
    store: Store, *, actor: Actor, image_id: int, finding: Finding = Finding.ACETOWHITE
) -> ImageAgreement:
    """All masks of a finding on an image, how each two agree, and what was decided on them."""
    raise NotImplementedError
