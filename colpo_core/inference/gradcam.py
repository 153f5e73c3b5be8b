"""Which places of an image spoke for a class.

Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", ICCV 2017,
eq. 1 and 2, and its section on CAM: where a global mean and one linear layer follow the maps A, as in each
`Classifier`, the gradient of class c's logit with respect to map k is w_ck / (h w) everywhere, so that Grad-CAM is
exactly ReLU(sum over k of w_ck A_k) / (h w), and no backward pass is needed.
"""

import torch
from torch import Tensor


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
