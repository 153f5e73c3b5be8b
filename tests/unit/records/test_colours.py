import re

from colpo_core.records.colours import FINDINGS, MODEL_MASK, MODEL_MASK_ALPHA, OVERLAYS, rgba
from colpo_core.terms import Finding


def test_each_finding_has_a_colour_of_its_own() -> None:
    assert set(FINDINGS) == set(Finding)
    for colours in (FINDINGS, OVERLAYS):
        assert len(set(colours.values())) == len(colours)
        assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours.values())


def test_a_colour_as_numbers() -> None:
    assert rgba(OVERLAYS["amber"]) == (255, 191, 0, 255)
    assert rgba(MODEL_MASK, MODEL_MASK_ALPHA) == (0, 214, 201, 150)
