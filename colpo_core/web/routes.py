"""All of the program's own routes."""

from starlette.routing import Route

from colpo_core.store import Store
from colpo_core.web import agreement, annotations, health, images, predictions, readings, signin, studies

_ROOMS = (signin, health, images, annotations, agreement, predictions, readings, studies)


def routes(store: Store) -> list[Route]:
    """What the program answers beside the screens.

    Args:
        store: The open store.
    """
    return [route for room in _ROOMS for route in room.routes(store)]
