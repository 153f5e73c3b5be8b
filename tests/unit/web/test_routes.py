"""The list of all routes."""

from colpo_core.store import Store
from colpo_core.web.routes import routes


def test_every_route_has_a_place_of_its_own(store: Store) -> None:
    """Own routes stay clear of Streamlit's and of the pages' addresses."""
    paths = {route.path for route in routes(store)}
    assert {"/login", "/login/first", "/logout", "/colpo/health", "/colpo/session"} <= paths
    assert all(path.startswith("/colpo/") for path in paths - {"/login", "/login/first", "/logout"})


def test_no_two_routes_answer_the_same(store: Store) -> None:
    asked = [(route.path, method) for route in routes(store) for method in route.methods or ()]
    assert len(asked) == len(set(asked))
