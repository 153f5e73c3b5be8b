"""The colours of the editor's layers can be told apart, and from the cervix, with and without colour blindness."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from colpo_core.terms import Finding
from pages._ui.components.mask_editor.editor import LAYERS

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
SIGHTS = {
    "all colours": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}
TISSUE = ("#cd7d78", "#e2a09b", "#be6464")
# Oklab distances: 0.02 is just noticeable.
BETWEEN_LAYERS, FROM_TISSUE = 0.2, 0.12


def oklab(colour: str, sight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Source: Ottosson 2020, "A perceptual color space for image processing"."""
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(sight @ linear, 0, 1)
    lms = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    lab = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    found: NDArray[np.float64] = lab @ np.cbrt(lms @ seen)
    return found


@pytest.mark.parametrize("sight", SIGHTS)
def test_layers_can_be_told_apart_and_from_tissue(sight: str) -> None:
    assert set(LAYERS) == set(Finding)
    seen = {look.name: oklab(look.colour, SIGHTS[sight]) for look in LAYERS.values()}
    for one, other in combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > BETWEEN_LAYERS, (one, other)
    for name, place in seen.items():
        for tissue in TISSUE:
            assert np.linalg.norm(place - oklab(tissue, SIGHTS[sight])) > FROM_TISSUE, (name, tissue)
