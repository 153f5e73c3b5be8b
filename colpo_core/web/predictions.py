"""Predictions over HTTP: the mask and the maps as overlays, for clinicians alone."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from colpo_core.services import review
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
    return [
        Route("/colpo/predictions/{prediction_id:int}/mask.png", _mask(store)),
        Route("/colpo/predictions/{prediction_id:int}/acetowhite.png", _probability(store)),
        Route("/colpo/predictions/{prediction_id:int}/maps/{name}.png", _map(store)),
        Route("/colpo/predictions/{prediction_id:int}/sites.png", _sites(store)),
    ]


def _mask(store: Store) -> Callable[[Request], Awaitable[Response]]:
    @answering
    def endpoint(request: Request) -> Response:
        prediction_id = int(request.path_params["prediction_id"])
        return _overlay(
            store,
            request,
            "mask",
            lambda: review.prediction_mask_png(store, actor=actor_of(request), prediction_id=prediction_id),
        )

    return endpoint


def _probability(store: Store) -> Callable[[Request], Awaitable[Response]]:
    @answering
    def endpoint(request: Request) -> Response:
        prediction_id = int(request.path_params["prediction_id"])
        return _overlay(
            store,
            request,
            "acetowhite",
            lambda: review.prediction_probability_png(store, actor=actor_of(request), prediction_id=prediction_id),
        )

    return endpoint


def _map(store: Store) -> Callable[[Request], Awaitable[Response]]:
    @answering
    def endpoint(request: Request) -> Response:
        prediction_id, name = int(request.path_params["prediction_id"]), str(request.path_params["name"])
        return _overlay(
            store,
            request,
            name,
            lambda: review.prediction_map_png(
                store, actor=actor_of(request), prediction_id=prediction_id, name=name, most_px=_MAP_PX
            ),
        )

    return endpoint


def _sites(store: Store) -> Callable[[Request], Awaitable[Response]]:
    @answering
    def endpoint(request: Request) -> Response:
        prediction_id = int(request.path_params["prediction_id"])
        return _overlay(
            store,
            request,
            "sites",
            lambda: review.prediction_sites_png(store, actor=actor_of(request), prediction_id=prediction_id),
        )

    return endpoint


def _overlay(store: Store, request: Request, name: str, draw: Callable[[], bytes]) -> Response:
    """Draw an overlay, unless the browser has it: a prediction never changes, so its row names its content."""
    actor, prediction_id = actor_of(request), int(request.path_params["prediction_id"])
    known = review.get_prediction(store, actor=actor, prediction_id=prediction_id)
    headers = {"Cache-Control": _CACHING, "ETag": f'"{known.id}-{known.created_at.timestamp()}-{name}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(draw(), media_type="image/png", headers=headers)
