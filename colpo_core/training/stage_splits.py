"""Which images each stage learns from and is judged on, by the protocol of the training."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from colpo_core.datasets.frames import Frames
from colpo_core.datasets.image_sets import ImageSet
from colpo_core.datasets.manifest import ManifestItem
from colpo_core.datasets.patient_groups import group_by_shared_image
from colpo_core.datasets.splits import fold_patients, strata_of
from colpo_core.errors import InputRejected, JobFailed
from colpo_core.images.perceptual import near_pairs
from colpo_core.terms import Label, Split


@dataclass(frozen=True)
class SplitImages:
    """The images of one side, for the two purposes that they serve.

    Attributes:
        masks: Those with a mask.
        labels: Those with a label.
    """

    masks: ImageSet
    labels: ImageSet


def images_of_split(frames: Frames, split: Split) -> SplitImages:
    """The images of one side of a snapshot that was split by patients."""
    members = frames.of(split)
    return SplitImages(
        masks=ImageSet(tuple(index for index in members if frames.items[index].mask_sha256 is not None)),
        labels=ImageSet(tuple(index for index in members if frames.items[index].label is not None)),
    )


@dataclass(frozen=True)
class LabelCounts:
    """Labels of the images that a model learns from or is chosen on.

    Attributes:
        n_normal: Images labelled normal.
        n_hsil: Images labelled HSIL.
    """

    n_normal: int
    n_hsil: int

    @property
    def share_hsil(self) -> float:
        """Share of HSIL among them, between 0 and 1; one half where one label is missing, and nothing is learned."""
        if min(self.n_normal, self.n_hsil) == 0:
            return 0.5
        return self.n_hsil / (self.n_normal + self.n_hsil)


def label_counts(items: Sequence[ManifestItem], protocol: str) -> LabelCounts:
    """Labels of the training and the validation side; of all sides in the paper's protocol, which splits copies.

    Args:
        items: The snapshot's images.
        protocol: `patient` or `paper`.
    """
    counted = Counter(item.label for item in items if protocol != "patient" or item.split is not Split.TEST)
    return LabelCounts(counted[Label.NORMAL], counted[Label.HSIL])


def training_folds(frames: Frames, *, folds: int, seed: int) -> list[tuple[int, ...]]:
    """The frames of the training side in folds by patient; who shares an image or a near copy shares a fold.

    Args:
        frames: All frames.
        folds: How many.
        seed: Seed of the draw.

    Returns:
        The places of each fold's frames.

    Raises:
        JobFailed: There are fewer patients than folds, or a fold would leave no mask to learn from.
    """
    members = frames.of(Split.TRAIN)
    heads = _heads(frames, members)
    strata = strata_of((frames.items[index] for index in members), heads)
    drawn = _drawn(frames, members, heads, strata, folds=folds, seed=seed)
    if _leaves_masks(frames, drawn):
        return drawn
    # Few patients have a mask. That every fold leaves some to learn from matters more than balanced labels.
    masked = {heads[frames.items[index].patient_id] for index in members if frames.items[index].mask_sha256 is not None}
    by_mask = {head: "with mask" if head in masked else "without mask" for head in strata}
    drawn = _drawn(frames, members, heads, by_mask, folds=folds, seed=seed)
    if not _leaves_masks(frames, drawn):
        raise JobFailed(
            "All masks on the training side are of one group of patients, so the fourth channel cannot be made out of "
            "fold. Annotate images of at least two patients, then freeze a new snapshot."
        )
    return drawn


def _drawn(
    frames: Frames,
    members: Sequence[int],
    heads: Mapping[int, int],
    strata: Mapping[int, str],
    *,
    folds: int,
    seed: int,
) -> list[tuple[int, ...]]:
    try:
        fold_by_head = fold_patients(strata, folds=folds, seed=seed)
    except InputRejected as error:
        raise JobFailed(
            f"The out-of-fold fourth channel needs at least {folds} patients on the training side, and there are "
            f"{len(strata)}. Import and label more cases, or train with fewer folds."
        ) from error
    members_by_fold: list[list[int]] = [[] for _ in range(folds)]
    for index in members:
        members_by_fold[fold_by_head[heads[frames.items[index].patient_id]]].append(index)
    return [tuple(fold_members) for fold_members in members_by_fold]


def _heads(frames: Frames, members: Sequence[int]) -> dict[int, int]:
    pairs = [(frames.items[index].patient_id, frames.items[index].image_sha256) for index in members]
    near = near_pairs([frames.fingerprints[index] for index in members])
    patients = [frames.items[index].patient_id for index in members]
    return group_by_shared_image(pairs, near_copies=[(patients[first], patients[second]) for first, second, _ in near])


def _leaves_masks(frames: Frames, folds: Sequence[Sequence[int]]) -> bool:
    """Whether there is a mask beside every fold."""
    with_mask = [any(frames.items[index].mask_sha256 is not None for index in fold) for fold in folds]
    return sum(with_mask) > 1
