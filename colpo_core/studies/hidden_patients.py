"""Patients who may stand behind several cases although nobody has named them: by a column, or by the cases' names."""

import re
from collections import Counter
from collections.abc import Sequence

_NAMES = (
    *("patient", "patient_id", "patientid", "patient_code", "patient_no", "pid", "subject", "subject_id", "subjectid"),
    *("woman", "woman_id", "person", "person_id", "participant", "participant_id", "individual", "mrn"),
    *("환자", "환자번호"),
)
COLUMNS_OF_PATIENTS = frozenset(_NAMES)
# A stem is asked about where it has at least these cases on average, and no more: more are rather of a clinic.
_FEWEST_EACH, _MOST_EACH = 1.5, 20
_FEWEST_STEMS = 3
_LAST_PART = re.compile(r"^(?P<stem>.*\d.*?)(?:[_\-. ]+[^_\-. ]+|(?<=\d)[A-Za-z])$")


def column_of_patients(headings: Sequence[str]) -> str | None:
    """A column that may tell the patient; None where there is none.

    Args:
        headings: Headings of the columns that were not read.
    """
    for name in headings:
        if re.sub(r"[\s\-]+", "_", name.strip().lower()) in COLUMNS_OF_PATIENTS:
            return name.strip()
    return None


def patient_of(case: str) -> str:
    """The stem of a case's name: without what follows its last `_`, `-`, `.` or blank, or a letter after a number."""
    match = _LAST_PART.match(case.strip())
    return match["stem"] if match else case


def stem_of_patients(cases: Sequence[str]) -> str | None:
    """Two names that share a stem, where the stems of many cases repeat as those of images of one patient would."""
    stems = Counter(patient_of(case) for case in cases)
    repeated = {stem for stem, count in stems.items() if count > 1}
    each = len(cases) / max(1, len(stems))
    if len(repeated) < _FEWEST_STEMS or not _FEWEST_EACH <= each <= _MOST_EACH:
        return None
    first = min(repeated)
    alike = [case for case in cases if patient_of(case) == first]
    return f"{alike[0]} and {alike[1]}"
