"""Which pages there are, and who may open which."""

from collections.abc import Callable
from dataclasses import dataclass

from colpo_core.terms import Role
from pages import admin, agreement, annotate, cases, dashboard, home, models, read, review, studies, tasks, train

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


ROOMS = (
    Room("home", "Home", ":material/home:", "", _EVERYBODY, home.render),
    Room("dashboard", "Dashboard", ":material/monitoring:", "", _CLINICIANS, dashboard.render),
    Room("cases", "Cases", ":material/folder_shared:", "Cases", _CLINICIANS, cases.render),
    Room("tasks", "Tasks", ":material/assignment:", "Cases", _CLINICIANS, tasks.render),
    Room("annotate", "Annotate", ":material/brush:", "Cases", _CLINICIANS, annotate.render),
    Room("agreement", "Agreement", ":material/difference:", "Cases", _CLINICIANS, agreement.render),
    Room("review", "Review", ":material/fact_check:", "Cases", _CLINICIANS, review.render),
    Room("train", "Train", ":material/model_training:", "Model", _CLINICIANS, train.render),
    Room("models", "Models", ":material/deployed_code:", "Model", _CLINICIANS, models.render),
    Room("read", "Read", ":material/visibility:", "Reading", _READERS, read.render),
    Room("studies", "Studies", ":material/science:", "Reading", _ADMINISTRATORS, studies.render),
    Room("admin", "Administration", ":material/admin_panel_settings:", "Clinic", _ADMINISTRATORS, admin.render),
)
