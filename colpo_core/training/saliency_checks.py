"""Whether a network's maps show what it learned: they must change when it forgets, layer by layer from the top.

Source: Adebayo et al. 2018, "Sanity checks for saliency maps", cascading randomisation, maps compared by their ranks.
"""

import copy
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from colpo_core.nets.gradcam import class_maps
from colpo_core.nets.interfaces import HSIL, Classifier
from colpo_core.records.review.explanations import Randomised

MOST_IMAGES = 8
_FEWEST_GROUPS = 5
_DEEPEST = 4


def randomise_weights(
    network: Classifier, images: Tensor, *, seed: int = 0, on_step: Callable[[], None] = lambda: None
) -> tuple[Randomised, ...]:
    """Draw a copy of a network anew, from its topmost layers on downwards, and compare its maps for HSIL.

    Args:
        network: In eval mode; it stays as it is.
        images: B x C x H x W as it takes them.
        seed: Seed of the weights that are drawn.
        on_step: Called before each step.

    Returns:
        A line a group of layers, all above it being drawn anew too; the last is a network that knows nothing.
    """
    randomised = copy.deepcopy(network)
    before = _maps(network, images)
    lines = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, modules in reversed(_groups(randomised)):
            on_step()
            for module in modules:
                module.reset_parameters()  # type: ignore[operator]
            correlations_by_image = [
                _rank_correlation(*pair) for pair in zip(before, _maps(randomised, images), strict=True)
            ]
            correlations = [value for value in correlations_by_image if value is not None]
            lines.append(
                Randomised(name, float(np.mean(correlations)), len(correlations), min(correlations), max(correlations))
                if correlations
                else Randomised(name, None, 0)
            )
    return tuple(lines)


def _groups(network: Classifier) -> list[tuple[str, list[nn.Module]]]:
    """The layers that can be drawn anew by the block that they stand in, from the image on upwards."""
    layers = [(name, module) for name, module in network.named_modules() if hasattr(module, "reset_parameters")]
    for depth in range(1, _DEEPEST + 1):
        groups: dict[str, list[nn.Module]] = {}
        for name, module in layers:
            groups.setdefault(".".join(name.split(".")[:depth]), []).append(module)
        if len(groups) >= _FEWEST_GROUPS:
            break
    return list(groups.items())


def _maps(network: Classifier, images: Tensor) -> npt.NDArray[np.float32]:
    with torch.inference_mode():
        maps = class_maps(network.features(images), network.class_weights)[:, HSIL]
    return np.asarray(maps.cpu().numpy(), np.float32)


def _rank_correlation(first: npt.NDArray[np.float32], second: npt.NDArray[np.float32]) -> float | None:
    """None where a map says nothing: it is flat, or the network that forgot gives no number."""
    if not np.isfinite(second).all() or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    return float(spearmanr(first.ravel(), second.ravel()).statistic)
