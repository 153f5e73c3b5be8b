"""Who may do what, said once."""

from colpo_core.errors import PermissionDenied
from colpo_core.records.people import Actor
from colpo_core.terms import Role

ADMINISTRATORS = (Role.ADMINISTRATOR,)
CLINICIANS = (Role.ADMINISTRATOR, Role.ANNOTATOR)
EVERYBODY = (Role.ADMINISTRATOR, Role.ANNOTATOR, Role.READER)


def require(actor: Actor, roles: tuple[Role, ...]) -> None:
    """Refuse an actor whose role is not among those that may.

    Raises:
        PermissionDenied: The role is not among them.
    """
    if actor.role not in roles:
        allowed = " or ".join(f"{role.value}s" for role in roles)
        raise PermissionDenied(f"This is for {allowed}. Ask an administrator if you need it.")
