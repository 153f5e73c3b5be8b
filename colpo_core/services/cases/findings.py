"""The findings form of a case (IFCPC 2011): reading it, and saving it where it holds together."""

from collections.abc import Iterable
from dataclasses import replace
from math import isfinite

from sqlalchemy import select
from sqlalchemy.orm import Session

from colpo_core.errors import Conflict, InputRejected
from colpo_core.ifcpc import Junction, Sign, SignGroup
from colpo_core.records.cases.findings import FindingsEntry, FindingsRecord
from colpo_core.records.people import Actor
from colpo_core.services.common import audit
from colpo_core.services.common.blinding import require_visible
from colpo_core.services.common.callers import Caller
from colpo_core.services.common.permissions import CLINICIANS, allowed
from colpo_core.store.facts import find_row
from colpo_core.store.tables import (
    AnnotationVersion,
    Case,
    FindingsForm,
    FindingsSign,
    Person,
    utc_now,
)
from colpo_core.terms import Finding

MAX_NOTE = 1000
_PLAIN_FIELDS = ("adequate", "junction", "transformation_zone", "location", "quadrants", "cervix_percent", "iodine")
_PLACE_FIELDS = {"clock_hours", "quadrants", "cervix_percent"}
_ORDER = {sign: index for index, sign in enumerate(Sign)}


@allowed(CLINICIANS)
def get_findings(caller: Caller, *, case_id: int) -> FindingsRecord:
    """The findings form of a case, empty and of version 0 where nothing was entered.

    Raises:
        NotFound: There is no such case.
    """
    with caller.store.reading() as session:
        find_row(session, Case, case_id)
        return _record(session, case_id, _form(session, case_id))


@allowed(CLINICIANS)
def save_findings(
    caller: Caller,
    *,
    case_id: int,
    base_version: int,
    entry: FindingsEntry,
    proposed_from: int | None = None,
) -> FindingsRecord:
    """Write the findings form of a case.

    Where a mask's proposal was confirmed before, that stays known as long as size and place stay as they were.

    Args:
        caller: Who enters it.
        case_id: Row of the case.
        base_version: `version` of the record that the person saw.
        entry: All fields as they shall be.
        proposed_from: Version of a mask whose proposal of size and place the person confirms with this save.

    Raises:
        NotFound: There is no such case.
        Conflict: Somebody changed the form since; nothing was overwritten.
        InputRejected: A field holds what cannot be taken, or two of them contradict each other.
        Blinding: The mask that was proposed from is not open to the caller yet.
    """
    entry = _checked(entry)
    with caller.store.writing() as session:
        case = find_row(session, Case, case_id)
        if Sign.DECIDUOSIS in entry.signs and case.pregnant is False:
            raise InputRejected(
                "Deciduosis is seen in pregnancy, and the record says that the patient is not pregnant. "
                "Correct one of the two."
            )
        form = _form(session, case_id)
        if base_version != (form.version if form else 0):
            raise Conflict(
                "Somebody changed these findings while you were filling in the form. Nothing was overwritten: "
                "load the newer form and enter your changes again."
            )
        before = _entry(form)
        changed = sorted(
            name for name in FindingsEntry.__annotations__ if getattr(before, name) != getattr(entry, name)
        )
        if proposed_from is not None:
            _require_mask_of_case(session, caller.actor, case_id, proposed_from)
        elif form is not None and not _PLACE_FIELDS.intersection(changed):
            proposed_from = form.proposed_from
        if not changed and proposed_from == (form.proposed_from if form else None):
            return _record(session, case_id, form)
        form = _write(session, form or FindingsForm(case_id=case_id), entry, caller.actor, proposed_from)
        audit.record(
            session, caller.actor, "save findings", f"case {case_id}", fields=changed, proposed_from=proposed_from
        )
        return _record(session, case_id, form)


def _write(
    session: Session, form: FindingsForm, entry: FindingsEntry, actor: Actor, proposed_from: int | None
) -> FindingsForm:
    for name in _PLAIN_FIELDS:
        setattr(form, name, getattr(entry, name))
    form.clock_hours = list(entry.clock_hours)
    form.note = entry.note
    form.proposed_from = proposed_from
    form.entered_by = actor.person_id
    form.updated_at = utc_now()
    # Only what differs: a row that goes and one of the same sign that comes would meet in the unique constraint.
    form.signs = [row for row in form.signs if row.sign in entry.signs]
    known = {row.sign for row in form.signs}
    form.signs.extend(FindingsSign(sign=sign) for sign in entry.signs if sign not in known)
    session.add(form)
    session.flush()
    return form


def _checked(entry: FindingsEntry) -> FindingsEntry:
    """The entry in the form's order, if each field can be taken and no two contradict each other."""
    if entry.transformation_zone not in (None, 1, 2, 3):
        raise InputRejected("The transformation zone is of type 1, 2 or 3.")
    if entry.quadrants not in (None, 0, 1, 2, 3, 4):
        raise InputRejected("A lesion touches 0 to 4 quadrants.")
    if entry.cervix_percent is not None and not (isfinite(entry.cervix_percent) and 0 <= entry.cervix_percent <= 100):
        raise InputRejected("The percentage of the cervix lies between 0 and 100.")
    if any(not 1 <= hour <= 12 for hour in entry.clock_hours):
        raise InputRejected("A clock position lies between 1 and 12.")
    note = entry.note.strip()
    if len(note) > MAX_NOTE:
        raise InputRejected(f"The remark is longer than {MAX_NOTE} characters. Shorten it.")
    entry = replace(
        entry,
        clock_hours=tuple(sorted(set(entry.clock_hours))),
        signs=tuple(sorted(set(entry.signs), key=_ORDER.__getitem__)),
        note=note,
    )
    for contradiction in _contradictions(entry):
        raise InputRejected(contradiction)
    return entry


def _contradictions(entry: FindingsEntry) -> Iterable[str]:
    """What cannot be true at once by the form's own definitions; what is only unusual is let through."""
    reasons = [sign for sign in entry.signs if sign.group is SignGroup.INADEQUATE]
    if entry.adequate is False and not reasons:
        yield "An inadequate examination needs its reason: blood, inflammation or scar."
    if entry.adequate is not False and reasons:
        yield "A reason for an inadequate examination is ticked. Choose “inadequate”, or take the reason away."
    is_complete = entry.junction is Junction.COMPLETELY
    if entry.transformation_zone in (1, 2) and entry.junction is not None and not is_complete:
        yield (
            f"In a transformation zone of type {entry.transformation_zone} the squamocolumnar junction is completely "
            "visible. Correct one of the two: with a junction that is not, it is type 3."
        )
    if entry.transformation_zone == 3 and is_complete:
        yield (
            "In a transformation zone of type 3 the squamocolumnar junction is not completely visible. "
            "Correct one of the two."
        )
    if entry.quadrants == 0 and (entry.clock_hours or entry.cervix_percent or entry.location is not None):
        yield "A lesion of 0 quadrants has no place and no size. Correct the quadrants, or clear the other fields."
    within = {(hour - 1) // 3 for hour in entry.clock_hours if hour % 3}
    if entry.quadrants is not None and len(within) > entry.quadrants:
        yield (
            f"The clock positions lie in {len(within)} quadrants, and the form says {entry.quadrants}. "
            "Correct one of the two."
        )


def _require_mask_of_case(session: Session, actor: Actor, case_id: int, version_id: int) -> None:
    version = session.get(AnnotationVersion, version_id)
    annotation = version.annotation if version else None
    if annotation is None or annotation.image.case_id != case_id or annotation.finding is not Finding.ACETOWHITE:
        raise InputRejected("The proposal was not read from a lesion's mask of this case. Propose again.")
    require_visible(session, actor, annotation)


def _form(session: Session, case_id: int) -> FindingsForm | None:
    return session.scalar(select(FindingsForm).where(FindingsForm.case_id == case_id))


def _entry(form: FindingsForm | None) -> FindingsEntry:
    if form is None:
        return FindingsEntry()
    return FindingsEntry(
        **{name: getattr(form, name) for name in _PLAIN_FIELDS},
        clock_hours=tuple(form.clock_hours),
        signs=tuple(sorted((row.sign for row in form.signs), key=_ORDER.__getitem__)),
        note=form.note,
    )


def _record(session: Session, case_id: int, form: FindingsForm | None) -> FindingsRecord:
    if form is None:
        return FindingsRecord(case_id, 0, FindingsEntry(), None, None, None)
    return FindingsRecord(
        case_id=case_id,
        version=form.version,
        entry=_entry(form),
        proposed_from=form.proposed_from,
        entered_by=session.get_one(Person, form.entered_by).display_name,
        updated_at=form.updated_at,
    )
