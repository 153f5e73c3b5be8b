"""Predictions over HTTP: the mask and the maps as overlays, for clinicians alone."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from colpo_core.services.common.callers import Caller
from colpo_core.services.review import desk as review
from colpo_core.services.review import overlays
from colpo_core.store import Store
from colpo_core.web.gate import actor_of, answering

# A browser may keep what it has seen, but asks each time, so that signing out shuts the overlays too.
_CACHING = "private, no-cache"
# A map is coarse: drawn larger it says no more, and takes seconds to write and to load.
_MAP_PX = 1024


def routes(store: Store) -> list[Route]:
    """The routes of predictions' overlays.

    Args:
        store: The open store.
    """

    def map_png(caller: Caller, *, prediction_id: int, name: str) -> bytes:
        return overlays.prediction_map_png(caller, prediction_id=prediction_id, name=name, most_px=_MAP_PX)

    return [
        _route(store, "mask.png", overlays.prediction_mask_png),
        _route(store, "acetowhite.png", overlays.prediction_probability_png),
        _route(store, "maps/{name}.png", map_png),
        _route(store, "sites.png", overlays.prediction_sites_png),
    ]


def _route(store: Store, file: str, draw: Callable[..., bytes]) -> Route:
    """One overlay of a prediction; what else the address names is handed on."""

    @answering
    def endpoint(request: Request) -> Response:
        named = request.path_params  # `prediction_id`, a number by the route, and a map's `name`
        name = named.get("name", file.removesuffix(".png"))
        return _overlay(store, request, name, lambda: draw(Caller(store, actor_of(request)), **named))

    return Route(f"/colpo/predictions/{{prediction_id:row}}/{file}", endpoint)


def _overlay(store: Store, request: Request, name: str, draw: Callable[[], bytes]) -> Response:
    """Draw an overlay, unless the browser has it: a prediction never changes, so its row names its content."""
    actor, prediction_id = actor_of(request), int(request.path_params["prediction_id"])
    known = review.get_prediction(Caller(store, actor), prediction_id=prediction_id)
    headers = {"Cache-Control": _CACHING, "ETag": f'"{known.id}-{known.created_at.timestamp()}-{name}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(draw(), media_type="image/png", headers=headers)
