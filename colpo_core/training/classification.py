"""Teach a classifier to tell `normal` from `hsil`, with three channels or with four: all else is the same."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from colpo_core.datasets.frames import Frames
from colpo_core.datasets.tensors import augmented_batch, chunks, plain_batch
from colpo_core.evaluation.roc import auc
from colpo_core.nets.resnet import HSIL, NORMAL, ColpoResNet
from colpo_core.terms import Label
from colpo_core.training.loop import Fitted, Keeper, Plan, Validation, fit
from colpo_core.training.losses import label_weights
from colpo_core.training.watch import Watch

CLASS_OF = {Label.NORMAL: NORMAL, Label.HSIL: HSIL}
LABEL_OF = {number: label for label, number in CLASS_OF.items()}


def train_classifier(
    network: ColpoResNet,
    frames: Frames,
    validation: Frames,
    *,
    acetowhite: npt.NDArray[np.uint8] | None,
    validation_acetowhite: npt.NDArray[np.uint8] | None,
    plan: Plan,
    device: torch.device,
    watch: Watch,
    keeper: Keeper | None = None,
) -> Fitted:
    """Train on the frames that have a label; the best epoch has the lowest loss on the validation side.

    Order and augmentation depend on the plan's seed alone, so two networks with the same plan see the same images.

    Args:
        network: What learns, in place.
        frames: Training side; frames without a label are passed over.
        validation: Validation side likewise; may have no label, and then the last epoch is kept.
        acetowhite: Fourth channel of the training side, N x H x W uint8; None for three channels.
        validation_acetowhite: The same of the validation side.
        plan: How long and how fast.
        device: Where the network lies.
        watch: Told of every step.
        keeper: Where an unfinished fit is kept.

    Raises:
        JobCancelled: A person wants to stop.
        JobFailed: The loss is not a number any more.
    """
    members = frames.with_label
    classes = _classes(frames, members)
    weights = label_weights([int((classes == which).sum()) for which in sorted(LABEL_OF)]).to(device)

    def loss_of(places: list[int], epoch: int) -> Tensor:
        batch = augmented_batch(
            frames, places, seed=plan.seed, epoch=epoch, members=members, acetowhite=acetowhite, device=device
        )
        wanted = classes[[place % len(members) for place in places]].to(device)
        return F.cross_entropy(network(batch.images), wanted, weight=weights)

    def validate() -> Validation | None:
        return judge_classifier(network, validation, validation_acetowhite, weights, plan.batch_size, device, watch)

    return fit(network, count=len(members), plan=plan, loss_of=loss_of, validate=validate, watch=watch, keeper=keeper)


def judge_classifier(
    network: ColpoResNet,
    frames: Frames,
    acetowhite: npt.NDArray[np.uint8] | None,
    weights: Tensor,
    batch_size: int,
    device: torch.device,
    watch: Watch,
) -> Validation | None:
    """Loss, accuracy at 0.5 and area under the ROC curve by image; None where no frame has a label.

    Raises:
        JobCancelled: A person wants to stop.
    """
    members = frames.with_label
    if not members:
        return None
    scores = []
    for part in chunks(members, batch_size):
        watch.check()
        with torch.inference_mode():
            scores.append(network(plain_batch(frames, part, acetowhite=acetowhite, device=device).images))
    logits = torch.cat(scores).cpu()
    classes = _classes(frames, members)
    loss = float(F.cross_entropy(logits, classes, weight=weights.cpu()))
    figures = {
        "validation_loss": loss,
        "validation_accuracy": float((logits.argmax(dim=1) == classes).float().mean()),
    }
    ranking = auc([LABEL_OF[int(which)] for which in classes], logits.softmax(dim=1)[:, HSIL].tolist())
    if ranking is not None:
        figures["validation_auc"] = ranking
    return Validation(figures=figures, score=-loss)


def _classes(frames: Frames, members: list[int]) -> Tensor:
    labels = [frames.items[member].label for member in members]
    return torch.tensor([CLASS_OF[label] for label in labels if label is not None], dtype=torch.int64)
