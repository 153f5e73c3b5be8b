"""Commands of accounts and of the log."""

import click

from colpo_core.cli.option_types import WordType
from colpo_core.cli.output import Answer, action, listing, print_table, query
from colpo_core.services.common.callers import Caller
from colpo_core.services.people import access
from colpo_core.services.people import accounts as service
from colpo_core.terms import Role

PASSWORD = click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for if not given."
)


@click.group()
def people() -> None:
    """Accounts: who may sign in, and who did what."""


@query("list", people)
def list_people(caller: Caller) -> Answer:
    """Show all accounts."""
    return listing(
        service.list_people(caller),
        ("id", "name", "shown as", "role", "active"),
        lambda p: (p.person_id, p.username, p.display_name, p.role.value, "yes" if p.active else "no"),
    )


@action("add", people)
@click.argument("username")
@click.option("--name", "display_name", required=True, help="How the person is shown.")
@click.option("--role", type=WordType(Role), required=True)
@PASSWORD
def add_person(caller: Caller, username: str, display_name: str, role: Role, password: str) -> None:
    """Make an account."""
    made = service.create_person(caller, username=username, display_name=display_name, role=role, password=password)
    click.echo(f"{made.username} can sign in as {made.role.value}.")


@action("password", people, "person_id")
@PASSWORD
def set_password(caller: Caller, person_id: int, password: str) -> None:
    """Give an account a new password; its sign-ins end."""
    service.set_password(caller, person_id=person_id, password=password)
    click.echo("The password was changed.")


@action("activate", people, "person_id")
@click.option("--off", is_flag=True, help="Block the account instead; its sign-ins end at once.")
def set_active(caller: Caller, person_id: int, off: bool) -> None:
    """Let an account sign in, or block it."""
    changed = service.set_active(caller, person_id=person_id, active=not off)
    click.echo(f"{changed.username} {'may' if changed.active else 'may not'} sign in.")


@action("role", people, "person_id")
@click.argument("role", type=WordType(Role))
def set_role(caller: Caller, person_id: int, role: Role) -> None:
    """Give an account another role; its sign-ins end."""
    changed = service.set_role(caller, person_id=person_id, role=role)
    click.echo(f"{changed.username} is {changed.role.value} now.")


@query("log", people)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--before", type=int, help="Show what came before this line.")
def show_log(caller: Caller, limit: int, before: int | None) -> Answer:
    """Show who did what, newest first."""
    page = service.list_audit(caller, before=before, limit=limit)
    rows = [(e.id, f"{e.at:%Y-%m-%d %H:%M:%S}", e.username, e.action, e.subject) for e in page.entries]
    return Answer(page, lambda: print_table(("line", "UTC", "who", "did", "to"), rows))


@query("access", people, of_store=False)
@click.option("--markdown", is_flag=True, help="Print the table as it stands in docs/access.md.")
def list_access(markdown: bool) -> Answer:
    """Show which role may do what, as the program itself checks it."""
    table = access.list_access()
    if markdown:
        return Answer(table, lambda: click.echo(access.as_markdown(table), nl=False))
    return listing(
        table,
        ("subject", "service", "roles", "what it does"),
        lambda line: (line.subject, line.service, ", ".join(line.roles), line.purpose),
    )
