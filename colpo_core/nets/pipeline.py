"""The whole model: a segmenter and two classifiers that share a working size."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from colpo_core.nets.interfaces import Classifier, Segmenter, prob_hsil
from colpo_core.nets.registry import NO_WEIGHTS, build_classifier, build_segmenter
from colpo_core.nets.spec import PipelineSpec

__all__ = ["Pipeline", "PipelineOutput", "PipelineSpec", "build_pipeline", "with_acetowhite"]


class PipelineOutput(NamedTuple):
    """What the networks say of a batch.

    Attributes:
        acetowhite: B x 1 x H x W probability of acetowhite epithelium.
        logits_3ch: B x 2 logits of the 3-channel network (0 `normal`, 1 `hsil`).
        logits_4ch: B x 2 logits of the 4-channel network.
        prob_hsil_3ch: B probabilities of HSIL by the 3-channel network, calibrated as the spec says.
        prob_hsil_4ch: B probabilities of HSIL by the 4-channel network, likewise.
        features_3ch: B x K x h x w maps that the 3-channel network's logits rest on.
        features_4ch: The same of the 4-channel network.
    """

    acetowhite: Tensor
    logits_3ch: Tensor
    logits_4ch: Tensor
    prob_hsil_3ch: Tensor
    prob_hsil_4ch: Tensor
    features_3ch: Tensor
    features_4ch: Tensor


class Pipeline(nn.Module):
    """A segmenter, a classifier on colours alone, and one that also sees the segmentation.

    Args:
        spec: Working size, calibration and thresholds.
        segmenter: B x 3 x H x W in 0..1 to B x 2 x H x W logits.
        classifier_3ch: B x 3 x H x W in 0..1 to B x 2 logits.
        classifier_4ch: B x 4 x H x W in 0..1 to B x 2 logits.
    """

    def __init__(
        self, spec: PipelineSpec, segmenter: Segmenter, classifier_3ch: Classifier, classifier_4ch: Classifier
    ) -> None:
        super().__init__()
        self.spec = spec
        self.segmenter = segmenter
        self.classifier_3ch = classifier_3ch
        self.classifier_4ch = classifier_4ch

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.classifier_3ch.class_weights.device

    def forward(self, images: Tensor) -> PipelineOutput:
        """Segment and classify a batch.

        Args:
            images: B x 3 x H x W float RGB in 0..1, at the working size.

        Raises:
            ValueError: The batch does not have 3 channels.
        """
        acetowhite = self.segmenter.acetowhite(images)
        features_3ch = self.classifier_3ch.features(images)
        features_4ch = self.classifier_4ch.features(with_acetowhite(images, acetowhite))
        logits_3ch = self.classifier_3ch.logits(features_3ch)
        logits_4ch = self.classifier_4ch.logits(features_4ch)
        return PipelineOutput(
            acetowhite=acetowhite,
            logits_3ch=logits_3ch,
            logits_4ch=logits_4ch,
            prob_hsil_3ch=prob_hsil(logits_3ch, self.spec.calibration_3ch),
            prob_hsil_4ch=prob_hsil(logits_4ch, self.spec.calibration_4ch),
            features_3ch=features_3ch,
            features_4ch=features_4ch,
        )


def with_acetowhite(images: Tensor, acetowhite: Tensor) -> Tensor:
    """Put the segmentation beside the colours, as the 4-channel network takes it.

    Args:
        images: B x 3 x H x W float RGB in 0..1.
        acetowhite: B x 1 x H x W probability.

    Returns:
        B x 4 x H x W.
    """
    return torch.cat([images, acetowhite.to(images.dtype)], dim=1)


def build_pipeline(spec: PipelineSpec, *, pretrained: str = NO_WEIGHTS) -> Pipeline:
    """Build a pipeline with all its parts.

    Args:
        spec: What to build.
        pretrained: `none`, `imagenet` or a folder with weight files, for all three networks.

    Raises:
        CheckpointMismatch: The pretrained weights are not there or do not fit, or optional packages are missing.
    """
    return Pipeline(
        spec=spec,
        segmenter=build_segmenter(
            spec.segmenter, width=spec.segnet_width, pretrained=pretrained, average_flips=spec.average_flips
        ),
        classifier_3ch=build_classifier(spec.classifier, in_channels=3, pretrained=pretrained),
        classifier_4ch=build_classifier(spec.classifier, in_channels=4, pretrained=pretrained),
    )
