import pytest

from colpo_core.studies.hidden_patients import column_of_patients, patient_of, stem_of_patients


@pytest.mark.parametrize(
    ("headings", "column"),
    [
        (("Patient",), "Patient"),
        (("note", "patient_id"), "patient_id"),
        (("Subject ID", "note"), "Subject ID"),
        (("woman",), "woman"),
        (("note",), None),
        ((), None),
    ],
)
def test_a_column_that_may_tell_the_patient_is_found(headings: tuple[str, ...], column: str | None) -> None:
    assert column_of_patients(headings) == column


@pytest.mark.parametrize(
    ("case", "patient"),
    [("W1_img2", "W1"), ("P-003.2", "P-003"), ("12b", "12"), ("case 7 left", "case 7"), ("C001", "C001"), ("7", "7")],
)
def test_the_stem_of_a_name_is_its_patient(case: str, patient: str) -> None:
    assert patient_of(case) == patient


def test_stems_that_repeat_are_asked_about_and_running_numbers_are_not() -> None:
    assert (
        stem_of_patients([f"W{woman}_img{image}" for woman in range(1, 9) for image in (1, 2)]) == "W1_img1 and W1_img2"
    )
    assert stem_of_patients([f"{woman}{side}" for woman in range(20) for side in "ab"]) == "0a and 0b"
    assert stem_of_patients([f"case_{number}" for number in range(40)]) is None
    assert stem_of_patients([f"C{number:03d}" for number in range(40)]) is None
    assert stem_of_patients([str(number) for number in range(40)]) is None
    assert stem_of_patients([f"2024-{number:03d}" for number in range(40)]) is None, "one stem of all is no patient"
