import pytest

from colpo_core.errors import InputRejected, NotFound, PermissionDenied
from colpo_core.records.cases.cases import CaseForm, LabelRecord, SpecimenSite, SwedeRows
from colpo_core.services.cases.case import get_case, update_case
from colpo_core.services.cases.histology import add_specimen, set_clock_hour, set_site, withdraw_specimen
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports.rows import find_or_add_case
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Case
from colpo_core.terms import Colposcopy, Grade, Label, LabelSource, SpecimenKind
from tests.support import store_rows
from tests.support.clinic import SIDE_PX, Clinic
from tests.support.refusals import refused
from tests.support.store_rows import rows

PUNCH, LEEP = SpecimenKind.PUNCH_BIOPSY, SpecimenKind.LEEP


@pytest.fixture
def case_id(store: Store, annotator: Caller) -> int:
    with store.writing() as session:
        return find_or_add_case(session, actor=annotator.actor, patient_code="P-1", case_date=None).id


def label(caller: Caller, case_id: int, source: LabelSource = LabelSource.HISTOLOGY) -> LabelRecord:
    found = get_case(caller, case_id=case_id).label(source)
    assert found is not None
    return found


def test_the_label_follows_the_highest_specimen_and_withdrawing_takes_it_back(annotator: Caller, case_id: int) -> None:
    assert label(annotator, case_id).label is None
    add_specimen(annotator, case_id=case_id, kind=PUNCH, grade=Grade.CIN1, clock_hour=12)
    assert label(annotator, case_id).label is Label.NORMAL
    leep = add_specimen(annotator, case_id=case_id, kind=LEEP, grade=Grade.CIN3, note=" margin free ")
    now = label(annotator, case_id)
    assert (now.label, now.grade) == (Label.HSIL, Grade.CIN3)
    assert now.reason == "highest of 2 specimens: CIN3, which needs treatment"
    assert now.rules_version == "kim-2022.1"
    withdraw_specimen(annotator, specimen_id=leep)
    now = label(annotator, case_id)
    assert (now.label, now.grade) == (Label.NORMAL, Grade.CIN1)
    specimens = get_case(annotator, case_id=case_id).specimens
    assert [(one.number, one.withdrawn_at is None, one.note) for one in specimens] == [
        (1, True, ""),
        (2, False, "margin free"),
    ]


@pytest.mark.parametrize("grade", [Grade.ADENOCARCINOMA_IN_SITU, Grade.INVASIVE_CARCINOMA])
def test_cancer_flags_the_case_and_gives_no_label(annotator: Caller, case_id: int, grade: Grade) -> None:
    add_specimen(annotator, case_id=case_id, kind=PUNCH, grade=grade)
    now = label(annotator, case_id)
    assert (now.label, now.grade, now.flagged) == (None, grade, True)
    add_specimen(annotator, case_id=case_id, kind=LEEP, grade=Grade.CIN3)
    assert label(annotator, case_id).flagged


def test_without_biopsy_a_normal_colposcopy_gives_normal(annotator: Caller, case_id: int) -> None:
    version = update_case(annotator, case_id=case_id, base_version=1, form=CaseForm(colposcopy=Colposcopy.NORMAL))
    assert label(annotator, case_id).label is Label.NORMAL
    update_case(annotator, case_id=case_id, base_version=version, form=CaseForm(colposcopy=Colposcopy.ABNORMAL))
    now = label(annotator, case_id)
    assert now.label is None
    assert now.reason.startswith("excluded")


def test_a_decision_that_stays_the_same_keeps_its_time(annotator: Caller, case_id: int) -> None:
    add_specimen(annotator, case_id=case_id, kind=PUNCH, grade=Grade.CIN2)
    before = label(annotator, case_id)
    update_case(annotator, case_id=case_id, base_version=1, form=CaseForm(age_years=40))
    assert label(annotator, case_id) == before


def test_an_impression_stands_beside_histology_and_never_in_its_place(annotator: Caller, case_id: int) -> None:
    version = update_case(annotator, case_id=case_id, base_version=1, form=CaseForm(swede=SwedeRows(2, 2, 1, 1, 1)))
    assert label(annotator, case_id).label is None
    impression = label(annotator, case_id, LabelSource.IMPRESSION)
    assert impression.label is Label.HSIL
    assert "not histology" in impression.reason
    update_case(annotator, case_id=case_id, base_version=version, form=CaseForm(swede=SwedeRows(2, 2, 1, 1, None)))
    impression = label(annotator, case_id, LabelSource.IMPRESSION)
    assert (impression.label, impression.reason) == (None, "excluded: no complete Swede score")


def test_a_recorded_total_stays_until_rows_are_entered(store: Store, annotator: Caller, case_id: int) -> None:
    store_rows.change(store, Case, case_id, swede_total=7)
    update_case(annotator, case_id=case_id, base_version=2, form=CaseForm(age_years=33))
    case = get_case(annotator, case_id=case_id)
    assert case.swede_total == 7
    update_case(annotator, case_id=case_id, base_version=case.version, form=CaseForm(swede=SwedeRows(aceto_uptake=1)))
    assert get_case(annotator, case_id=case_id).swede_total is None


def test_every_entry_is_in_the_log(store: Store, annotator: Caller, case_id: int) -> None:
    withdraw_specimen(annotator, specimen_id=add_specimen(annotator, case_id=case_id, kind=PUNCH, grade=Grade.CIN2))
    assert rows(store, AuditEntry.action) == ["add case", "add specimen", "withdraw specimen"]


def test_bad_input_changes_nothing(annotator: Caller, reader: Caller, case_id: int) -> None:
    with pytest.raises(InputRejected, match="clock"):
        add_specimen(annotator, case_id=case_id, kind=PUNCH, grade=Grade.CIN2, clock_hour=13)
    with pytest.raises(InputRejected, match="remark"):
        add_specimen(annotator, case_id=case_id, kind=PUNCH, grade=Grade.CIN2, note="x" * 501)
    refused(
        NotFound,
        lambda: add_specimen(annotator, case_id=999, kind=PUNCH, grade=Grade.CIN2),
        lambda: withdraw_specimen(annotator, specimen_id=999),
    )
    refused(
        PermissionDenied,
        lambda: add_specimen(reader, case_id=case_id, kind=PUNCH, grade=Grade.CIN2),
        lambda: withdraw_specimen(reader, specimen_id=1),
    )
    assert get_case(annotator, case_id=case_id).specimens == ()


def test_a_specimen_is_withdrawn_once(annotator: Caller, case_id: int) -> None:
    specimen = add_specimen(annotator, case_id=case_id, kind=PUNCH, grade=Grade.CIN2)
    withdraw_specimen(annotator, specimen_id=specimen)
    refused(InputRejected, lambda: withdraw_specimen(annotator, specimen_id=specimen), match="before")


def test_a_specimen_s_site_is_a_point_on_an_image_of_its_case(store: Store, annotator: Caller) -> None:
    clinic = Clinic(store)
    case, other = clinic.add_case(masked=False), clinic.add_case(masked=False)
    site = SpecimenSite(case.image_id, 10.5, float(SIDE_PX))
    add = {"case_id": case.case_id, "kind": PUNCH, "grade": Grade.CIN2}
    specimen_id = add_specimen(annotator, **add, site=site)

    def stored() -> SpecimenSite | None:
        return get_case(annotator, case_id=case.case_id).specimens[0].site

    assert stored() == site
    for wrong in (
        SpecimenSite(other.image_id, 1, 1),
        SpecimenSite(999, 1, 1),
        SpecimenSite(case.image_id, SIDE_PX + 0.5, 1),
        SpecimenSite(case.image_id, 1, -0.5),
        SpecimenSite(case.image_id, float("nan"), 1),
    ):
        with pytest.raises(InputRejected, match="site"):
            set_site(annotator, specimen_id=specimen_id, site=wrong)
        with pytest.raises(InputRejected, match="site"):
            add_specimen(annotator, **add, site=wrong)
    assert stored() == site
    assert len(get_case(annotator, case_id=case.case_id).specimens) == 1
    moved = SpecimenSite(case.image_id, 3, 4)
    set_site(annotator, specimen_id=specimen_id, site=moved)
    assert stored() == moved
    set_site(annotator, specimen_id=specimen_id, site=None)
    assert stored() is None


def test_a_clock_position_is_entered_later(annotator: Caller, case_id: int) -> None:
    specimen_id = add_specimen(annotator, case_id=case_id, kind=PUNCH, grade=Grade.CIN2)
    for hour in (7, None):
        set_clock_hour(annotator, specimen_id=specimen_id, clock_hour=hour)
        assert get_case(annotator, case_id=case_id).specimens[0].clock_hour == hour
    refused(InputRejected, lambda: set_clock_hour(annotator, specimen_id=specimen_id, clock_hour=0), match="clock")


def test_a_withdrawn_specimen_stays_as_it_is(annotator: Caller, reader: Caller, case_id: int) -> None:
    specimen_id = add_specimen(annotator, case_id=case_id, kind=PUNCH, grade=Grade.CIN2)
    for change in (set_site, set_clock_hour):
        value = {"site": None} if change is set_site else {"clock_hour": 3}
        with pytest.raises(PermissionDenied):
            change(reader, specimen_id=specimen_id, **value)
        with pytest.raises(NotFound):
            change(annotator, specimen_id=999, **value)
    withdraw_specimen(annotator, specimen_id=specimen_id)
    refused(
        InputRejected,
        lambda: set_site(annotator, specimen_id=specimen_id, site=None),
        lambda: set_clock_hour(annotator, specimen_id=specimen_id, clock_hour=3),
        match="withdrawn",
    )
