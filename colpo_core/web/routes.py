"""All of the program's own routes."""

from starlette.routing import Route

from colpo_core.store import Store
from colpo_core.web import health, signin


def routes(store: Store) -> list[Route]:
    """What the program answers beside the screens.

    Args:
        store: The open store.
    """
    rooms = (signin, health)
    return [route for room in rooms for route in room.routes(store)] + _growing(store)


def _growing(store: Store) -> list[Route]:
    import importlib
    import importlib.util

    names = [f"colpo_core.web.{name}" for name in ("images", "annotations", "predictions", "readings")]
    present = [importlib.import_module(name) for name in names if importlib.util.find_spec(name)]
    return [route for room in present for route in room.routes(store)]
