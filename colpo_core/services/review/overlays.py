"""What a checkpoint says of an image as layers over it: mask, probabilities, maps, proposed sites."""

from colpo_core.errors import NotFound
from colpo_core.images.biopsy_sites import sites_png
from colpo_core.images.colours import map_png
from colpo_core.images.maps import MAP_NAMES, brightest_of_network, unpack_maps
from colpo_core.images.masks import mask_png
from colpo_core.images.probabilities import unpack_probabilities
from colpo_core.records.colours import MODEL_MASK, MODEL_MASK_ALPHA, rgba
from colpo_core.services.common import exposures
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.services.review.rows import (
    model_mask,
    prediction_record,
    proposed_sites,
    seen_of,
    visible_prediction,
)


@allowed(CLINICIANS)
def prediction_mask_png(caller: Caller, *, prediction_id: int) -> bytes:
    """The mask as an overlay: transparent but where the checkpoint sees acetowhite epithelium, at the image's size.

    Raises:
        Blinding: It is kept back from the caller, who has yet to paint the image.
        NotFound: There is no such prediction.
    """
    with caller.store.reading() as session:
        row = visible_prediction(session, caller.actor, prediction_id)
        pixels = model_mask(session, row[0])
    exposures.note(caller, seen_of(prediction_record(row)))
    return mask_png(pixels, rgba=rgba(MODEL_MASK, MODEL_MASK_ALPHA))


@allowed(CLINICIANS)
def prediction_probability_png(caller: Caller, *, prediction_id: int) -> bytes:
    """Where the checkpoint sees acetowhite epithelium, and how surely: grey, from 0 (black) to 1, over the image.

    Raises:
        Blinding: It is kept back from the caller, who has yet to paint the image.
        InputRejected: The file is damaged.
        NotFound: There is no such prediction, it kept no probabilities, or their file is missing.
    """
    with caller.store.reading() as session:
        row = visible_prediction(session, caller.actor, prediction_id)
        sha256 = row[0].acetowhite_sha256
    exposures.note(caller, seen_of(prediction_record(row)))
    if sha256 is None:
        raise NotFound("This prediction is older than the probabilities of each place. Predict the image again.")
    content = caller.store.blobs.get(sha256)
    unpack_probabilities(content)
    return content


@allowed(CLINICIANS)
def prediction_map_png(caller: Caller, *, prediction_id: int, name: str, most_px: int | None = None) -> bytes:
    """A Grad-CAM map as an overlay at the image's size; the two maps of one network share one scale.

    Args:
        caller: An administrator or annotator.
        prediction_id: Row of the prediction.
        name: `3ch-normal`, `3ch-hsil`, `4ch-normal` or `4ch-hsil`.
        most_px: Longest side of the overlay, smaller than the image's where that is longer; None for the image's.

    Raises:
        Blinding: It is kept back from the caller, who has yet to paint the image.
        NotFound: There is no such prediction or map.
    """
    with caller.store.reading() as session:
        row = visible_prediction(session, caller.actor, prediction_id)
        prediction, image = row[:2]
        maps_sha256, height_px, width_px = prediction.maps_sha256, image.height_px, image.width_px
    exposures.note(caller, seen_of(prediction_record(row)))
    maps = unpack_maps(caller.store.blobs.get(maps_sha256))
    if name not in maps:
        raise NotFound(f"There is no map {name!r}; there are {', '.join(MAP_NAMES)}.")
    share = min(1.0, (most_px or height_px + width_px) / max(height_px, width_px))
    height, width = (max(1, round(side * share)) for side in (height_px, width_px))
    return map_png(maps[name], height_px=height, width_px=width, brightest=brightest_of_network(maps, name))


@allowed(CLINICIANS)
def prediction_sites_png(caller: Caller, *, prediction_id: int) -> bytes:
    """The places proposed for a biopsy, as numbered rings over the image; empty where there is none.

    Raises:
        Blinding: It is kept back from the caller, who has yet to paint the image.
        InputRejected: Its maps or its mask are damaged.
        NotFound: There is no such prediction, or its maps are missing.
    """
    with caller.store.reading() as session:
        row = visible_prediction(session, caller.actor, prediction_id)
        sites = proposed_sites(caller.store, session, caller.actor, row)
        height_px, width_px = row[1].height_px, row[1].width_px
    exposures.note(caller, seen_of(prediction_record(row)))
    return sites_png(sites, height_px=height_px, width_px=width_px)
