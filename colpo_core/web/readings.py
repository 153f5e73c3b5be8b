"""The image of a blinded reading over HTTP, and of an aided one the model's output: pixels under a random name."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from colpo_core.services.common.callers import Caller
from colpo_core.services.studies.presenting import presented_aid, presented_image
from colpo_core.store import Store
from colpo_core.web.gate import actor_of, answering

# Nothing is kept and there is no ETag: both would tell a case apart, and an answered case must not come back.
_HEADERS = {"Cache-Control": "no-store"}


def routes(store: Store) -> list[Route]:
    """The route of the image that waits for a reader.

    Args:
        store: The open store.
    """

    @answering
    def show_image(request: Request) -> Response:
        content, media_type = presented_image(
            Caller(store, actor_of(request)),
            study_id=request.path_params["study_id"],
            token=request.path_params["token"],
            other=request.path_params.get("other"),
        )
        return Response(content, media_type=media_type, headers=_HEADERS)

    @answering
    def show_aid(request: Request) -> Response:
        content = presented_aid(
            Caller(store, actor_of(request)),
            study_id=request.path_params["study_id"],
            token=request.path_params["token"],
            layer=request.path_params["layer"],
        )
        return Response(content, media_type="image/png", headers=_HEADERS)

    return [
        Route("/colpo/readings/{study_id:row}/image/{token}", show_image, methods=["GET"]),
        Route("/colpo/readings/{study_id:row}/image/{token}/{other:row}", show_image, methods=["GET"]),
        Route("/colpo/readings/{study_id:row}/aid/{token}/{layer}.png", show_aid, methods=["GET"]),
    ]
