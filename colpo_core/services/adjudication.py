"""Adjudication: a senior decides which mask of a finding counts on an image that several have annotated."""

from collections.abc import Sequence

from colpo_core.records.agreement import AdjudicationRecord
from colpo_core.records.annotations import SavedDraft
from colpo_core.records.people import Actor
from colpo_core.store import Store
from colpo_core.terms import Combination, Finding


def take_mask(store: Store, *, actor: Actor, version_id: int, note: str = "") -> AdjudicationRecord:
    """Decide that a submitted mask counts as it is."""
    raise NotImplementedError


def start_combination(
    store: Store, *, actor: Actor, image_id: int, finding: Finding, combination: Combination, version_ids: Sequence[int]
) -> SavedDraft:
    """Combine several masks into the actor's own draft, to go on from there and adjudicate it."""
    raise NotImplementedError


def adjudicate(store: Store, *, actor: Actor, document_id: str, seq: int, note: str = "") -> AdjudicationRecord:
    """Decide that what the actor has painted or combined counts; it becomes a version of its own."""
    raise NotImplementedError


def list_adjudications(
    store: Store,
    *,
    actor: Actor,
    finding: Finding | None = None,
    image_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> tuple[AdjudicationRecord, ...]:
    """Decisions, the newest first; the newest of an image and finding counts."""
    raise NotImplementedError


def combination_overlay(
    store: Store,
    *,
    actor: Actor,
    image_id: int,
    finding: Finding,
    combination: Combination,
    version_ids: Sequence[int],
) -> bytes:
    """What a combination of masks would mark, as a PNG that is transparent elsewhere."""
    raise NotImplementedError
