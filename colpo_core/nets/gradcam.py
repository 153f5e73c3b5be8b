"""Which places of an image spoke for a class.

Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017,
eq. 1 and 2, and its section on CAM: where a global mean and one linear layer follow the maps A, as in each
`Classifier`, the gradient of class c's logit with respect to map k is w_ck / (h w) everywhere, so that Grad-CAM is
exactly ReLU(sum over k of w_ck A_k) / (h w), and no backward pass is needed.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colpo_core.nets.interfaces import HSIL, NORMAL, Classifier
from colpo_core.nets.pipeline import Pipeline, PipelineOutput


def class_maps(features: Tensor, class_weights: Tensor) -> Tensor:
    """Grad-CAM at a classifier's last maps, for every class at once.

    Args:
        features: B x K x h x w maps, as `Classifier.features` gives them.
        class_weights: C x K weights of the linear layer.

    Returns:
        B x C x h x w, from 0; zero everywhere where nothing speaks for the class.
    """
    height, width = features.shape[-2:]
    evidence = torch.einsum("bkhw,ck->bchw", features.float(), class_weights.float())
    return evidence.relu() / (height * width)


def pipeline_maps(pipeline: Pipeline, output: PipelineOutput) -> dict[str, NDArray[np.float32]]:
    """The four maps of each image of a batch, at the networks' grid over the whole box.

    Args:
        pipeline: What gave the output.
        output: Of a batch of B images.

    Returns:
        `3ch-normal`, `3ch-hsil`, `4ch-normal`, `4ch-hsil`: B x h x w float32 from 0.
    """
    three = _maps_of(pipeline.classifier_3ch, output.features_3ch, "3ch")
    return three | _maps_of(pipeline.classifier_4ch, output.features_4ch, "4ch")


def _maps_of(net: Classifier, features: Tensor, prefix: str) -> dict[str, NDArray[np.float32]]:
    with torch.inference_mode():
        both = np.ascontiguousarray(class_maps(features, net.class_weights).cpu().numpy())
    return {f"{prefix}-normal": both[:, NORMAL], f"{prefix}-hsil": both[:, HSIL]}
