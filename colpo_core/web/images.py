"""Images over HTTP: the clean file and its thumbnail, for clinicians alone."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from colpo_core.records.cases.images import ImageRecord
from colpo_core.records.people import Actor
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.stored_images import get_image, image_bytes, image_thumbnail
from colpo_core.store import Store
from colpo_core.web.gate import actor_of, answering

# A browser may keep what it has seen, but asks each time, so that signing out shuts the images too.
_CACHING = "private, no-cache"


def routes(store: Store) -> list[Route]:
    """The routes of stored images.

    Args:
        store: The open store.
    """

    def whole(request: Request) -> Response:
        def read(actor: Actor, image: ImageRecord) -> Response:
            content, _ = image_bytes(Caller(store, actor), image_id=image.id)
            return Response(content, media_type=image.media_type)

        return _answer(store, request, "whole", read)

    def small(request: Request) -> Response:
        def read(actor: Actor, image: ImageRecord) -> Response:
            content, _ = image_thumbnail(Caller(store, actor), image_id=image.id)
            return Response(content, media_type="image/jpeg")

        return _answer(store, request, "small", read)

    return [
        Route("/colpo/images/{image_id:row}", answering(whole)),
        Route("/colpo/images/{image_id:row}/thumbnail", answering(small)),
    ]


def _answer(store: Store, request: Request, kind: str, read: Callable[[Actor, ImageRecord], Response]) -> Response:
    """What was asked for, or 304 where the browser has it already; the permission is checked either way."""
    actor = actor_of(request)
    image = get_image(Caller(store, actor), image_id=int(request.path_params["image_id"]))
    tag = f'"{image.sha256}-{kind}"'
    seen = request.headers.get("if-none-match") == tag
    response = Response(status_code=304) if seen else read(actor, image)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = _CACHING
    return response
