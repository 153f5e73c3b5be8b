"""What the networks are taught to lower."""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from colpo_core.datasets.frames import ACETOWHITE, IGNORED

Total = Callable[[Tensor], Tensor]
"""Adds a tensor up over all processes that share a batch, with its gradient; see `collectives.sum_over_processes`."""
_SMOOTHING = 1.0
_N_CLASSES = 2
_POWERS = {"sqrt_median": 0.5, "median": 1.0, "none": 0.0}


def pixel_class_weights(targets: Iterable[npt.NDArray[np.uint8]], *, rule: str = "sqrt_median") -> Tensor:
    """Weights of the classes for the cross entropy.

    Full median-frequency weights make a network mark too much; their square root beside Dice does not.

    Args:
        targets: H x W classes of each image, ignored pixels marked.
        rule: `sqrt_median` (square root of median-frequency weights), `median`, or `none` (all 1).

    Returns:
        One weight a class; 1 for a class that never occurs.

    Raises:
        ValueError: There is no such rule.

    Source: Eigen and Fergus 2015, section 6.3.2 (median frequency balancing), as SegNet uses it.
    """
    if rule not in _POWERS:
        raise ValueError(f"the rule must be one of {', '.join(_POWERS)}, not {rule!r}")
    weights = np.ones(_N_CLASSES)
    if _POWERS[rule] == 0:
        return torch.from_numpy(weights).float()
    counts = np.array(
        [[np.count_nonzero(target == which) for which in range(_N_CLASSES)] for target in targets], dtype=np.float64
    ).reshape(-1, _N_CLASSES)
    seen = counts.sum(axis=1)
    frequencies = np.full(_N_CLASSES, np.nan)
    for which in range(_N_CLASSES):
        present = counts[:, which] > 0
        if present.any():
            frequencies[which] = counts[present, which].sum() / seen[present].sum()
    known = ~np.isnan(frequencies)
    if known.any():
        weights[known] = (np.median(frequencies[known]) / frequencies[known]) ** _POWERS[rule]
    return torch.from_numpy(weights).float()


def label_weights(counts: list[int]) -> Tensor:
    """Weights of the labels for the cross entropy, so that a rare one counts as much as a frequent one.

    Args:
        counts: Training images of each label, each above 0.
    """
    total = sum(counts)
    return torch.tensor([total / (len(counts) * count) for count in counts], dtype=torch.float32)


def weighted_cross_entropy(logits: Tensor, target: Tensor, weights: Tensor, *, total: Total | None = None) -> Tensor:
    """Cross entropy, each sample or pixel by the weight of its class, over those that are not ignored.

    Args:
        logits: B x C, or B x C x H x W.
        target: B classes, or B x H x W; ignored pixels marked.
        weights: Weight of each class.
        total: Adds up over processes; None where the batch is whole.

    Returns:
        A scalar: the weighted mean over the whole batch; with `total`, 0 where all is ignored.
    """
    if total is None:
        return F.cross_entropy(logits, target, weight=weights, ignore_index=IGNORED)
    loss = F.cross_entropy(logits, target, weight=weights, ignore_index=IGNORED, reduction="sum")
    weight = weights[target[target != IGNORED]].sum()
    return total(loss) / total(weight).clamp_min(torch.finfo(weight.dtype).tiny)


def segmentation_loss(logits: Tensor, target: Tensor, weights: Tensor, *, total: Total | None = None) -> Tensor:
    """Weighted cross entropy plus Dice of acetowhite epithelium, over the pixels that are not ignored.

    Dice is the mean over the images that show some, so that a small or faint lesion counts as much as a large one, as
    it does for the woman who has it; where nothing is to be marked the cross entropy alone teaches.

    Args:
        logits: B x 2 x H x W.
        target: B x H x W classes.
        weights: Weight of each class in the cross entropy.
        total: Adds up over processes; None where the batch is whole.

    Returns:
        A scalar; 0 where all pixels are ignored.

    Source: Milletari et al. 2016, V-Net (Dice as a loss); here added to SegNet's own weighted cross entropy.
    """
    known = target != IGNORED
    if total is None and not bool(known.any()):
        return logits.sum() * 0
    cross = weighted_cross_entropy(logits, target, weights, total=total)
    probability = logits.softmax(dim=1)[:, ACETOWHITE] * known
    truth = ((target == ACETOWHITE) & known).to(probability.dtype)
    overlap, marked, true = (part.sum(dim=(1, 2)) for part in (probability * truth, probability, truth))
    shows = true > 0
    missed = (1 - (2 * overlap + _SMOOTHING) / (marked + true + _SMOOTHING))[shows].sum()
    images = shows.sum().to(missed.dtype)
    if total is not None:
        missed, images = total(torch.stack([missed, images]))
    return cross + missed / images.clamp_min(1)
