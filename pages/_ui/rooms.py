"""Which pages there are, and who may open which."""

from collections.abc import Callable
from dataclasses import dataclass

from colpo_core.terms import Role

_ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
_CLINICIANS = frozenset({Role.ADMINISTRATOR, Role.ANNOTATOR})
_READERS = frozenset({Role.ADMINISTRATOR, Role.READER})
_EVERYBODY = frozenset(Role)


@dataclass(frozen=True)
class Room:
    """One page.

    Attributes:
        name: The address, and the name in `go` and `link`.
        title: What the menu says.
        icon: A Material symbol.
        section: Heading in the menu; empty at the top.
        roles: Who may open it.
        render: Draws it.
    """

    name: str
    title: str
    icon: str
    section: str
    roles: frozenset[Role]
    render: Callable[[], None]


def _rooms() -> tuple[Room, ...]:
    import importlib
    import importlib.util

    table = [
        ("home", "Home", "home", "", _EVERYBODY),
        ("dashboard", "Dashboard", "monitoring", "", _CLINICIANS),
        ("cases", "Cases", "folder_shared", "Cases", _CLINICIANS),
        ("annotate", "Annotate", "brush", "Cases", _CLINICIANS),
        ("review", "Review", "fact_check", "Cases", _CLINICIANS),
        ("train", "Train", "model_training", "Model", _CLINICIANS),
        ("models", "Models", "deployed_code", "Model", _CLINICIANS),
        ("read", "Read", "visibility", "Reading", _READERS),
        ("studies", "Studies", "science", "Reading", _ADMINISTRATORS),
        ("admin", "Administration", "admin_panel_settings", "Clinic", _ADMINISTRATORS),
    ]
    found = []
    for name, title, icon, section, roles in table:
        if importlib.util.find_spec(f"pages.{name}") is None:
            continue
        render = importlib.import_module(f"pages.{name}").render
        found.append(Room(name, title, f":material/{icon}:", section, roles, render))
    return tuple(found)


ROOMS = _rooms()
