"""What the networks are taught to lower."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from colpo_core.datasets.frames import ACETOWHITE, IGNORED

_SMOOTHING = 1.0


def pixel_class_weights(targets: npt.NDArray[np.uint8], *, n_classes: int = 2) -> Tensor:
    """Weights of the classes for the cross entropy: the square root of median-frequency weights.

    Full median-frequency weights make a network mark too much; their square root beside Dice does not.

    Args:
        targets: N x H x W classes, ignored pixels marked.
        n_classes: How many classes there are.

    Returns:
        One weight a class; 1 for a class that never occurs.

    Source: Eigen and Fergus 2015, section 6.3.2 (median frequency balancing), as SegNet uses it.
    """
    counts = np.stack([(targets == which).sum(axis=(1, 2)) for which in range(n_classes)], axis=1).astype(np.float64)
    seen = counts.sum(axis=1)
    weights = np.ones(n_classes)
    frequencies = np.full(n_classes, np.nan)
    for which in range(n_classes):
        present = counts[:, which] > 0
        if present.any():
            frequencies[which] = counts[present, which].sum() / seen[present].sum()
    known = ~np.isnan(frequencies)
    if known.any():
        weights[known] = np.sqrt(np.median(frequencies[known]) / frequencies[known])
    return torch.from_numpy(weights).float()


def label_weights(counts: list[int]) -> Tensor:
    """Weights of the labels for the cross entropy, so that a rare one counts as much as a frequent one.

    Args:
        counts: Training images of each label, each above 0.
    """
    total = sum(counts)
    return torch.tensor([total / (len(counts) * count) for count in counts], dtype=torch.float32)


def segmentation_loss(logits: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Weighted cross entropy plus Dice of acetowhite epithelium, over the pixels that are not ignored.

    Args:
        logits: B x 2 x H x W.
        target: B x H x W classes.
        weights: Weight of each class in the cross entropy.

    Returns:
        A scalar; 0 where all pixels are ignored.

    Source: Milletari et al. 2016, V-Net (Dice as a loss); here added to SegNet's own weighted cross entropy.
    """
    known = target != IGNORED
    if not bool(known.any()):
        return logits.sum() * 0
    cross = F.cross_entropy(logits, target, weight=weights, ignore_index=IGNORED)
    probability = logits.softmax(dim=1)[:, ACETOWHITE] * known
    truth = ((target == ACETOWHITE) & known).to(probability.dtype)
    overlap = (probability * truth).sum()
    dice = (2 * overlap + _SMOOTHING) / (probability.sum() + truth.sum() + _SMOOTHING)
    return cross + 1 - dice
