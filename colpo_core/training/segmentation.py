"""Teach SegNet which pixels show acetowhite epithelium, and let it draw the classifiers' fourth channel."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from colpo_core.datasets.frames import ACETOWHITE, BACKGROUND, IGNORED, Frames
from colpo_core.datasets.tensors import augmented_batch, chunks, plain_batch
from colpo_core.nets.segnet import SegNet
from colpo_core.training.loop import Fitted, Keeper, Plan, Validation, fit
from colpo_core.training.losses import pixel_class_weights, segmentation_loss
from colpo_core.training.watch import Watch


def train_segmenter(
    network: SegNet,
    frames: Frames,
    validation: Frames,
    *,
    plan: Plan,
    device: torch.device,
    watch: Watch,
    keeper: Keeper | None = None,
) -> Fitted:
    """Train on the frames that have a mask; the best epoch has the highest IoU of acetowhite on the validation side.

    Args:
        network: What learns, in place.
        frames: Training side; frames without a mask are passed over.
        validation: Validation side likewise; may have no mask, and then the last epoch is kept.
        plan: How long and how fast.
        device: Where the network lies.
        watch: Told of every step.
        keeper: Where an unfinished fit is kept.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The loss is not a number any more.
    """
    members = frames.with_mask
    weights = pixel_class_weights(frames.target[members]).to(device)

    def loss_of(places: list[int], epoch: int) -> Tensor:
        batch = augmented_batch(frames, places, seed=plan.seed, epoch=epoch, members=members, device=device)
        return segmentation_loss(network(batch.images), batch.target, weights)

    def validate() -> Validation | None:
        return judge_segmenter(network, validation, weights, plan.batch_size, device, watch)

    return fit(network, count=len(members), plan=plan, loss_of=loss_of, validate=validate, watch=watch, keeper=keeper)


def judge_segmenter(
    network: SegNet, frames: Frames, weights: Tensor, batch_size: int, device: torch.device, watch: Watch
) -> Validation | None:
    """Loss and overlap at the working size, all pixels together; None where no frame has a mask.

    Raises:
        JobCancelled: A person wants to stop.
    """
    members = frames.with_mask
    if not members:
        return None
    loss, counts = 0.0, np.zeros((2, 2))
    for part in chunks(members, batch_size):
        watch.check()
        batch = plain_batch(frames, part, device=device)
        with torch.inference_mode():
            logits = network(batch.images)
            loss += float(segmentation_loss(logits, batch.target, weights)) * len(part)
        called = (logits[:, ACETOWHITE] > logits[:, BACKGROUND]).cpu().numpy()
        truth = batch.target.cpu().numpy()
        for is_acetowhite, which in ((truth == BACKGROUND, 0), (truth == ACETOWHITE, 1)):
            counts[which] += [np.count_nonzero(is_acetowhite & ~called), np.count_nonzero(is_acetowhite & called)]
    (left, wrong), (missed, found) = counts
    figures = {
        "validation_loss": loss / len(members),
        "validation_iou_acetowhite": _share(found, found + missed + wrong),
        "validation_iou_background": _share(left, left + missed + wrong),
        "validation_dice": _share(2 * found, 2 * found + missed + wrong),
    }
    has_acetowhite = found + missed > 0
    score = figures["validation_iou_acetowhite"] if has_acetowhite else -figures["validation_loss"]
    return Validation(figures=figures, score=score)


def soft_acetowhite(
    network: SegNet, frames: Frames, *, batch_size: int, device: torch.device, watch: Watch
) -> npt.NDArray[np.uint8]:
    """The probability of acetowhite of every frame, once, for the classifiers' fourth channel.

    Args:
        network: Trained, in eval mode.
        frames: Any frames, with or without masks.
        batch_size: Images at a time.
        device: Where the network lies.
        watch: Asked whether to stop.

    Returns:
        N x H x W uint8: 255 times the probability.

    Raises:
        JobCancelled: A person wants to stop.
    """
    drawn = np.zeros(frames.target.shape, dtype=np.uint8)
    network.eval()
    for part in chunks(range(len(frames)), batch_size):
        watch.check()
        with torch.inference_mode():
            probability = network.acetowhite(plain_batch(frames, part, device=device).images)
        drawn[list(part)] = (probability[:, 0] * 255).round().to(torch.uint8).cpu().numpy()
    return drawn


def has_acetowhite(frames: Frames) -> bool:
    """Whether any mask of the frames marks anything."""
    return bool(((frames.target != IGNORED) & (frames.target == ACETOWHITE)).any())


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
