"""Colours of masks over photographs: one place for the screens, the routes that paint overlays, and the services."""

from colpo_core.terms import Finding

OVERLAYS = {
    "amber": "#ffbf00",
    "blue": "#0072b2",
    "green": "#3cdc78",
    "magenta": "#cc79a7",
    "white": "#ffffff",
    "cyan": "#00e5ff",
}
"""Names that the overlay routes know. Neighbours are told apart with a deficiency of colour vision too (after Okabe and
Ito 2008). Cyan comes last: the adjudicator's own mask is painted in it."""
FINDINGS = {
    Finding.ACETOWHITE: "#00e5ff",
    Finding.MOSAIC: "#ffff40",
    Finding.PUNCTATION: "#8080ff",
    Finding.ATYPICAL_VESSELS: "#4000be",
    Finding.SQUAMOCOLUMNAR_JUNCTION: "#400040",
    Finding.CERVIX: "#804000",
}
"""Of each finding's layer. All can be told apart, and from the cervix, with red-green blindness too."""
MODEL_MASK = "#00d6c9"
"""Of what a model marks."""
MODEL_MASK_ALPHA = 150


def rgba(colour: str, alpha: int = 255) -> tuple[int, int, int, int]:
    """A colour and its opacity as four numbers from 0 to 255.

    Args:
        colour: `#rrggbb`.
        alpha: 0 is transparent, 255 opaque.
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue, alpha
