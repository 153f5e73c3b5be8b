"""Patients who share an image: whoever they are, they belong on one side of a split.

A collection may hold one photograph under two patients' codes. Split by codes alone, the same photograph would train
the model and judge it.
"""

from collections.abc import Iterable


def kin_by_image(pairs: Iterable[tuple[int, str]]) -> dict[int, int]:
    """Group patients who share an image, directly or through others.

    Args:
        pairs: Row of a patient and hash of one of her images; each patient comes up at least once.

    Returns:
        For each patient the lowest row of her group; her own where she shares nothing.
    """
    heads: dict[int, int] = {}

    def head(patient_id: int) -> int:
        while heads[patient_id] != patient_id:
            heads[patient_id] = heads[heads[patient_id]]
            patient_id = heads[patient_id]
        return patient_id

    first: dict[str, int] = {}
    for patient_id, sha256 in pairs:
        heads.setdefault(patient_id, patient_id)
        one, other = head(patient_id), head(first.setdefault(sha256, patient_id))
        heads[max(one, other)] = min(one, other)
    return {patient_id: head(patient_id) for patient_id in sorted(heads)}
