"""All of the program's own routes, and what is said of an address that is none of them."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from colpo_core.store import Store
from colpo_core.web import agreement, annotations, health, images, predictions, readings, signin, studies

_ROOMS = (signin, health, images, annotations, agreement, predictions, readings, studies)


def routes(store: Store) -> list[Route]:
    """What the program answers beside the screens.

    Args:
        store: The open store.
    """
    return [*(route for room in _ROOMS for route in room.routes(store)), Route("/colpo/{rest:path}", _not_found)]


async def _not_found(request: Request) -> Response:
    return JSONResponse({"error": "There is no such address. Go back to the list and choose again."}, status_code=404)
