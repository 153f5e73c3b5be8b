from dataclasses import replace

import pytest

from colpo_core.errors import Blinding, Conflict, InputRejected, NotFound, PermissionDenied
from colpo_core.ifcpc import SIGNS, Iodine, Junction, LesionLocation, Sign
from colpo_core.records.cases.findings import FindingsEntry
from colpo_core.services.cases.findings import get_findings, save_findings
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import Annotation, AnnotationVersion, AuditEntry, Case
from colpo_core.terms import Finding
from tests.support.clinic import Clinic, ClinicCase
from tests.support.refusals import refused
from tests.support.store_rows import change, row, rows

WHOLE = FindingsEntry(
    adequate=True,
    junction=Junction.PARTIALLY,
    transformation_zone=3,
    location=LesionLocation.BOTH,
    clock_hours=(12, 1, 2, 1),
    quadrants=2,
    cervix_percent=31.5,
    iodine=Iodine.NON_STAINED,
    signs=(Sign.COARSE_MOSAIC, Sign.ECTOPY, Sign.COARSE_MOSAIC),
    note="  seen twice ",
)


@pytest.fixture
def case(clinic: Clinic) -> ClinicCase:
    return clinic.add_case()


def version_of(store: Store, case: ClinicCase) -> int:
    return row(store, AnnotationVersion.id, AnnotationVersion.annotation_id == case.annotation_id)


def test_what_is_saved_is_what_is_read_in_the_form_s_order(annotator: Caller, case: ClinicCase) -> None:
    empty = get_findings(annotator, case_id=case.case_id)
    assert (empty.version, empty.entry, empty.entered_by) == (0, FindingsEntry(), None)
    saved = save_findings(annotator, case_id=case.case_id, base_version=0, entry=WHOLE)
    assert saved.version == 1
    assert saved.entry == replace(
        WHOLE, clock_hours=(1, 2, 12), signs=(Sign.ECTOPY, Sign.COARSE_MOSAIC), note="seen twice"
    )
    assert saved.entered_by == "Anna"
    assert get_findings(annotator, case_id=case.case_id) == saved


def test_signs_come_and_go(annotator: Caller, case: ClinicCase) -> None:
    """A sign that stays beside ones that change: each is in the table once."""
    for number, signs in enumerate([(Sign.EROSION, Sign.TUMOUR), (Sign.TUMOUR, Sign.CONDYLOMA), (), (Sign.TUMOUR,)]):
        saved = save_findings(annotator, case_id=case.case_id, base_version=number, entry=FindingsEntry(signs=signs))
        assert set(saved.entry.signs) == set(signs)
        assert saved.version == number + 1


def test_a_save_that_changes_nothing_leaves_no_trace(annotator: Caller, clinic: Clinic, case: ClinicCase) -> None:
    first = save_findings(annotator, case_id=case.case_id, base_version=0, entry=WHOLE)
    assert save_findings(annotator, case_id=case.case_id, base_version=1, entry=first.entry) == first
    nothing = FindingsEntry()
    assert save_findings(annotator, case_id=clinic.add_case().case_id, base_version=0, entry=nothing).version == 0
    entries = rows(annotator, AuditEntry, AuditEntry.action == "save findings")
    assert [entry.subject for entry in entries] == [f"case {case.case_id}"]
    assert "seen twice" not in str(entries[0].detail)


def test_the_later_save_upon_the_older_form_is_refused(
    annotator: Caller, administrator: Caller, case: ClinicCase
) -> None:
    saved = save_findings(annotator, case_id=case.case_id, base_version=0, entry=WHOLE)
    for base in (0, 2):
        with pytest.raises(Conflict, match="Somebody changed these findings"):
            save_findings(administrator, case_id=case.case_id, base_version=base, entry=FindingsEntry(adequate=True))
    assert get_findings(annotator, case_id=case.case_id) == saved


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (FindingsEntry(adequate=False), "needs its reason"),
        (FindingsEntry(adequate=False, signs=(Sign.ECTOPY,)), "needs its reason"),
        (FindingsEntry(adequate=True, signs=(Sign.OBSCURED_BY_BLOOD,)), "take the reason away"),
        (FindingsEntry(signs=(Sign.OBSCURED_BY_SCAR,)), "take the reason away"),
        (FindingsEntry(transformation_zone=1, junction=Junction.NOT), "type 1"),
        (FindingsEntry(transformation_zone=2, junction=Junction.PARTIALLY), "type 2"),
        (FindingsEntry(transformation_zone=3, junction=Junction.COMPLETELY), "type 3"),
        (FindingsEntry(quadrants=0, clock_hours=(3,)), "no place and no size"),
        (FindingsEntry(quadrants=0, cervix_percent=2.0), "no place and no size"),
        (FindingsEntry(quadrants=1, clock_hours=(2, 5)), "lie in 2 quadrants"),
        (FindingsEntry(transformation_zone=4), "type 1, 2 or 3"),
        (FindingsEntry(quadrants=5), "0 to 4"),
        (FindingsEntry(cervix_percent=float("nan")), "between 0 and 100"),
        (FindingsEntry(clock_hours=(0,)), "between 1 and 12"),
        (FindingsEntry(note="x" * 1001), "Shorten"),
    ],
)
def test_contradictions_are_refused_and_nothing_is_stored(
    annotator: Caller, case: ClinicCase, entry: FindingsEntry, said: str
) -> None:
    with pytest.raises(InputRejected, match=said):
        save_findings(annotator, case_id=case.case_id, base_version=0, entry=entry)
    assert get_findings(annotator, case_id=case.case_id).version == 0


@pytest.mark.parametrize(
    "entry",
    [
        FindingsEntry(adequate=False, signs=(Sign.OBSCURED_BY_BLOOD, Sign.ECTOPY)),
        FindingsEntry(transformation_zone=1, junction=Junction.COMPLETELY),
        FindingsEntry(transformation_zone=3, junction=Junction.NOT),
        FindingsEntry(transformation_zone=2),
        FindingsEntry(quadrants=0, cervix_percent=0.0),
        FindingsEntry(quadrants=1, clock_hours=(1, 2, 3, 12)),  # the hours at a quadrant's ends belong to both
        FindingsEntry(quadrants=1, clock_hours=(3,)),
        FindingsEntry(quadrants=2, clock_hours=(1,)),  # a centre given as one hour
        FindingsEntry(signs=tuple(sign for group, signs in SIGNS.items() if group != "inadequate" for sign in signs)),
    ],
)
def test_what_is_only_unusual_is_taken(annotator: Caller, case: ClinicCase, entry: FindingsEntry) -> None:
    assert save_findings(annotator, case_id=case.case_id, base_version=0, entry=entry).entry == entry


@pytest.mark.parametrize(("pregnant", "is_taken"), [(None, True), (True, True), (False, False)])
def test_deciduosis_contradicts_a_record_without_pregnancy(
    store: Store, annotator: Caller, case: ClinicCase, pregnant: bool | None, is_taken: bool
) -> None:
    change(store, Case, case.case_id, pregnant=pregnant)
    entry = FindingsEntry(signs=(Sign.DECIDUOSIS,))
    if is_taken:
        save_findings(annotator, case_id=case.case_id, base_version=0, entry=entry)
        return
    with pytest.raises(InputRejected, match="not pregnant"):
        save_findings(annotator, case_id=case.case_id, base_version=0, entry=entry)


def test_a_confirmed_proposal_is_known_until_size_or_place_changes(annotator: Caller, case: ClinicCase) -> None:
    version_id = version_of(annotator.store, case)
    entry = FindingsEntry(quadrants=2, clock_hours=(1, 2))
    keywords = {"case_id": case.case_id}
    saved = save_findings(annotator, **keywords, base_version=0, entry=entry, proposed_from=version_id)
    assert saved.proposed_from == version_id
    saved = save_findings(annotator, **keywords, base_version=1, entry=replace(entry, note="and more"))
    assert saved.proposed_from == version_id
    saved = save_findings(annotator, **keywords, base_version=2, entry=replace(entry, quadrants=3))
    assert saved.proposed_from is None
    # The same values, now confirmed from a mask: that is something new to keep.
    saved = save_findings(
        annotator, **keywords, base_version=3, entry=replace(entry, quadrants=3), proposed_from=version_id
    )
    assert (saved.proposed_from, saved.version) == (version_id, 4)


def test_a_proposal_comes_from_a_lesion_s_mask_of_this_case(
    store: Store, annotator: Caller, clinic: Clinic, case: ClinicCase
) -> None:
    other = clinic.add_case()
    outline = clinic.add_case(patient_id=case.patient_id)
    with store.writing() as session:
        session.get_one(Annotation, outline.annotation_id).finding = Finding.CERVIX
        session.get_one(Annotation, outline.annotation_id).image.case_id = case.case_id
    for wrong in (version_of(store, other), version_of(store, outline), 999):
        with pytest.raises(InputRejected, match="Propose again"):
            save_findings(annotator, case_id=case.case_id, base_version=0, entry=WHOLE, proposed_from=wrong)


def test_a_hidden_mask_confirms_nothing(annotator: Caller, case: ClinicCase, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Blinding("not yet")

    monkeypatch.setattr("colpo_core.services.cases.findings.require_visible", refuse)
    with pytest.raises(Blinding):
        save_findings(
            annotator,
            case_id=case.case_id,
            base_version=0,
            entry=WHOLE,
            proposed_from=version_of(annotator.store, case),
        )


def test_findings_are_for_clinicians_and_for_cases_that_exist(
    annotator: Caller, reader: Caller, case: ClinicCase
) -> None:
    refused(
        PermissionDenied,
        lambda: get_findings(reader, case_id=case.case_id),
        lambda: save_findings(reader, case_id=case.case_id, base_version=0, entry=WHOLE),
    )
    refused(
        NotFound,
        lambda: get_findings(annotator, case_id=999),
        lambda: save_findings(annotator, case_id=999, base_version=0, entry=WHOLE),
    )
