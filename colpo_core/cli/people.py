"""Commands of accounts and of the log."""

import click

from colpo_core.cli.option_types import WordType
from colpo_core.cli.output import Answer, as_operator, json_command, json_option, listing, print_json, print_table
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


@people.command("list")
@json_command
def list_people(caller: Caller) -> Answer:
    """Show all accounts."""
    return listing(
        service.list_people(caller),
        ("id", "name", "shown as", "role", "active"),
        lambda p: (p.person_id, p.username, p.display_name, p.role.value, "yes" if p.active else "no"),
    )


@people.command("add")
@click.argument("username")
@click.option("--name", "display_name", required=True, help="How the person is shown.")
@click.option("--role", type=WordType(Role), required=True)
@PASSWORD
def add_person(username: str, display_name: str, role: Role, password: str) -> None:
    """Make an account."""
    with as_operator() as caller:
        made = service.create_person(caller, username=username, display_name=display_name, role=role, password=password)
    click.echo(f"{made.username} can sign in as {made.role.value}.")


@people.command("password")
@click.argument("person_id", type=int)
@PASSWORD
def set_password(person_id: int, password: str) -> None:
    """Give an account a new password; its sign-ins end."""
    with as_operator() as caller:
        service.set_password(caller, person_id=person_id, password=password)
    click.echo("The password was changed.")


@people.command("activate")
@click.argument("person_id", type=int)
@click.option("--off", is_flag=True, help="Block the account instead; its sign-ins end at once.")
def set_active(person_id: int, off: bool) -> None:
    """Let an account sign in, or block it."""
    with as_operator() as caller:
        changed = service.set_active(caller, person_id=person_id, active=not off)
    click.echo(f"{changed.username} {'may' if changed.active else 'may not'} sign in.")


@people.command("role")
@click.argument("person_id", type=int)
@click.argument("role", type=WordType(Role))
def set_role(person_id: int, role: Role) -> None:
    """Give an account another role; its sign-ins end."""
    with as_operator() as caller:
        changed = service.set_role(caller, person_id=person_id, role=role)
    click.echo(f"{changed.username} is {changed.role.value} now.")


@people.command("log")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@click.option("--before", type=int, help="Show what came before this line.")
@json_command
def show_log(caller: Caller, limit: int, before: int | None) -> Answer:
    """Show who did what, newest first."""
    page = service.list_audit(caller, before=before, limit=limit)
    rows = [(e.id, f"{e.at:%Y-%m-%d %H:%M:%S}", e.username, e.action, e.subject) for e in page.entries]
    return Answer(page, lambda: print_table(("line", "UTC", "who", "did", "to"), rows))


@people.command("access")
@click.option("--markdown", is_flag=True, help="Print the table as it stands in docs/access.md.")
@json_option
def list_access(markdown: bool, as_json: bool) -> None:
    """Show which role may do what, as the program itself checks it."""
    table = access.list_access()
    if as_json:
        print_json(table)
    elif markdown:
        click.echo(access.as_markdown(table), nl=False)
    else:
        rows = [(line.subject, line.service, ", ".join(line.roles), line.purpose) for line in table]
        print_table(("subject", "service", "roles", "what it does"), rows)
