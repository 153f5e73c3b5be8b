"""Administration: people, the log of who did what, and the size of the store."""

import pandas as pd
import streamlit as st

from colpo_core.records.people import AuditPage, PersonRecord
from colpo_core.services.common import preferences
from colpo_core.services.maintenance.storage import measure_storage
from colpo_core.services.people import accounts as people
from colpo_core.terms import Role
from pages._ui.maintenance import show_back_up, show_check, show_plan
from pages._ui.shared.context import PageContext, page_context
from pages._ui.shared.errors import showing_errors
from pages._ui.shared.formats import as_size, as_when
from pages._ui.shared.messages import button_action, keep_message, show_message
from pages._ui.shared.tables import pick_row

_ROLES = (Role.ANNOTATOR, Role.READER, Role.ADMINISTRATOR)
_ROLES_HELP = (
    "**annotator**: cases, masks, training and review  \n"
    "**reader**: blinded reading and nothing else  \n"
    "**administrator**: everything"
)
_LOG_LINES = 50
_PROPOSALS, _SETTING_SAID = "admin_proposals", "admin_setting_said"


def render() -> None:
    """Draw the page."""
    ctx = page_context()
    st.title("Administration")
    accounts, settings, log, store = st.tabs(
        [":material/group: People", ":material/tune: Settings", ":material/history: Log", ":material/database: Store"],
        key="admin_tab",
        on_change="rerun",  # only the open tab asks the store
    )
    with showing_errors():
        listed = people.list_people(ctx.caller)
        if accounts.open:
            with accounts:
                _people(ctx, listed)
        if settings.open:
            with settings:
                _settings(ctx)
        if log.open:
            with log:
                _log(ctx, listed)
        if store.open:
            with store, st.spinner("Measuring the store …"):
                _store(ctx)


def _people(ctx: PageContext, listed: tuple[PersonRecord, ...]) -> None:
    table, forms = st.columns([3, 2], gap="large")
    with table:
        humans = [person for person in listed if not person.is_program]
        rows = pd.DataFrame(
            {
                "Name": [human.display_name for human in humans],
                "Username": [human.username for human in humans],
                "Role": [human.role.value for human in humans],
                "State": [_state(human) for human in humans],
                "Since": [human.created_at.date() for human in humans],
            }
        )
        st.caption("Choose a person to reset the password or to deactivate the account.")
        picked = pick_row(rows, key="people")
    with forms:
        if picked is not None:
            _account(ctx, humans[picked])
        else:
            _new_account(ctx)


def _state(person: PersonRecord) -> str:
    if not person.active:
        return "deactivated"
    return "blocked for minutes" if person.blocked_until is not None else "active"


def _new_account(ctx: PageContext) -> None:
    st.subheader("New account")
    made_so_far = st.session_state.get("admin_made", 0)  # a new key empties the form, but only after success
    with st.form(f"new_person_{made_so_far}"):
        display_name = st.text_input("Name", placeholder="Dr Maria Keller")
        username = st.text_input("Username", placeholder="mkeller", autocomplete="off")
        role = st.selectbox("Role", _ROLES, format_func=lambda role: role.value, help=_ROLES_HELP)
        password = st.text_input(
            "First password", type="password", autocomplete="new-password", help="At least 10 characters"
        )
        pressed = st.form_submit_button("Create account", type="primary", icon=":material/person_add:")
    if pressed:
        with showing_errors():
            made = people.create_person(
                ctx.caller, username=username, display_name=display_name, role=role,
                password=password,
            )  # fmt: skip
            st.session_state["admin_made"] = made_so_far + 1
            keep_message("admin_told", f"{made.display_name} can sign in now as {made.username}.")
            st.rerun()
    show_message("admin_told")


def _account(ctx: PageContext, person: PersonRecord) -> None:
    st.subheader(person.display_name)
    st.caption(f"{person.username} · {person.role.value} · {_state(person)}")
    with st.form(f"password_{person.person_id}", clear_on_submit=True):
        password = st.text_input(
            "New password", type="password", autocomplete="new-password", help="At least 10 characters"
        )
        pressed = st.form_submit_button("Reset password", icon=":material/key:")
    if pressed:
        with showing_errors():
            people.set_password(ctx.caller, person_id=person.person_id, password=password)
            keep_message("admin_told", f"{person.display_name} has a new password and was signed out everywhere.")
            st.rerun()
    _role(ctx, person)
    word, icon = ("Deactivate", ":material/person_off:") if person.active else ("Activate", ":material/person_check:")
    is_self = person.person_id == ctx.caller.person_id
    if st.button(
        f"{word} account",
        key=f"active_{person.person_id}",
        icon=icon,
        disabled=is_self,
        help="This is you." if is_self else None,
    ):
        with showing_errors():
            people.set_active(ctx.caller, person_id=person.person_id, active=not person.active)
            end = "can sign in again" if not person.active else "was signed out everywhere and cannot sign in any more"
            keep_message("admin_told", f"{person.display_name} {end}.")
            st.rerun()
    show_message("admin_told")


def _role(ctx: PageContext, person: PersonRecord) -> None:
    if person.person_id == ctx.caller.person_id:
        return
    role = st.selectbox(
        "Role", _ROLES, index=_ROLES.index(person.role), format_func=lambda role: role.value, help=_ROLES_HELP,
        key=f"role_{person.person_id}_{person.role.value}",
    )  # fmt: skip
    if role is not person.role and st.button(f"Make {role.value}", key=f"role_now_{person.person_id}"):
        with showing_errors():
            people.set_role(ctx.caller, person_id=person.person_id, role=role)
            keep_message("admin_told", f"{person.display_name} is {role.value} now, and was signed out everywhere.")
            st.rerun()


def _settings(ctx: PageContext) -> None:
    allowed = preferences.get_preferences(ctx.caller).proposals
    st.session_state[_PROPOSALS] = allowed  # what is stored, also where somebody else has changed it since
    st.toggle("Offer the model's proposal as a start", key=_PROPOSALS, on_change=_set_proposals, args=(ctx,))
    st.caption(
        "While this is on, annotators may start a mask of acetowhite epithelium from the current model's. It saves "
        "time and draws the eye to what the model has marked; each version keeps what it started from and how much of "
        "it stayed. A task can forbid it for itself. Drafts that started from a proposal stay."
    )
    show_message(_SETTING_SAID)


@button_action(_SETTING_SAID)
def _set_proposals(ctx: PageContext) -> str:
    wanted = bool(st.session_state[_PROPOSALS])
    preferences.set_proposals(ctx.caller, allowed=wanted)
    return "Proposals are offered from now on." if wanted else "Proposals are switched off from now on."


def _log(ctx: PageContext, listed: tuple[PersonRecord, ...]) -> None:
    names = {person.person_id: person.username for person in listed}
    who, what, _ = st.columns([1, 1, 2])
    person_id = who.selectbox(
        "Who", [None, *names], format_func=lambda key: "everybody" if key is None else names[key], key="log_who"
    )
    subject = what.text_input("To what", placeholder="case 12", key="log_subject")
    asked = (person_id, subject)
    trail: list[int | None] = st.session_state.setdefault("log_trail", [None])
    if st.session_state.get("log_asked") != asked:
        st.session_state["log_asked"] = asked
        trail[:] = [None]
    page = people.list_audit(ctx.caller, before=trail[-1], limit=_LOG_LINES, person_id=person_id, subject=subject)
    if not page.entries:
        st.info("Nothing of this was done yet.", icon=":material/info:")
        return
    _log_table(page)
    newer, older, _ = st.columns([1, 1, 4])
    newer.button(
        "Newer",
        icon=":material/chevron_left:",
        disabled=len(trail) == 1,
        on_click=trail.__delitem__,
        args=(-1,),
        width="stretch",
    )
    older.button(
        "Older", icon=":material/chevron_right:", disabled=page.next_before is None, on_click=trail.append,
        args=(page.next_before,), width="stretch",
    )  # fmt: skip


def _log_table(page: AuditPage) -> None:
    rows = pd.DataFrame(
        {
            "When (UTC)": [as_when(entry.at) for entry in page.entries],
            "Who": [entry.username for entry in page.entries],
            "Did": [entry.action for entry in page.entries],
            "To": [entry.subject for entry in page.entries],
            "Detail": [", ".join(f"{key}: {value}" for key, value in entry.detail.items()) for entry in page.entries],
        }
    )
    st.dataframe(rows, hide_index=True, width="stretch", height="content")


def _store(ctx: PageContext) -> None:
    facts = measure_storage(ctx.caller)
    total, free, schema = st.columns(3)
    total.metric("Store", as_size(facts.total_bytes), border=True)
    free.metric("Free on the disk", as_size(facts.free_bytes), border=True)
    schema.metric("Schema", facts.schema, border=True)
    st.markdown("Folder")
    st.code(facts.folder, language=None)
    rows = pd.DataFrame(
        {
            "Part": [part.name for part in facts.parts],
            "Files": [part.files for part in facts.parts],
            "Size": [as_size(part.size_bytes) for part in facts.parts],
        }
    )
    st.dataframe(rows, hide_index=True, width="stretch")
    show_back_up(ctx)
    st.caption("While everybody goes on, every night for instance; the same folder again takes only what is new:")
    st.code("python -m colpo_core store back-up /path/to/another/disk", language="bash")
    show_plan(ctx)
    show_check(ctx)
