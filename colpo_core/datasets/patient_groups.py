"""Patients who share an image or a near copy of one: whoever they are, they belong on one side of a split.

A collection may hold one photograph under two patients' codes. Split by codes alone, the same photograph would train
the model and judge it.
"""

from collections.abc import Iterable


def group_by_shared_image(
    pairs: Iterable[tuple[int, str]], *, near_copies: Iterable[tuple[int, int]] = ()
) -> dict[int, int]:
    """Group patients who share an image, directly or through others.

    Args:
        pairs: Row of a patient and hash of one of their images; each patient comes up at least once.
        near_copies: Rows of two patients one of whose images is a near copy of one of the other's.

    Returns:
        For each patient the lowest row of their group; their own where they share nothing.
    """
    heads: dict[int, int] = {}

    def head(patient_id: int) -> int:
        while heads[patient_id] != patient_id:
            heads[patient_id] = heads[heads[patient_id]]
            patient_id = heads[patient_id]
        return patient_id

    def join(first_id: int, second_id: int) -> None:
        first_head, second_head = head(first_id), head(second_id)
        heads[max(first_head, second_head)] = min(first_head, second_head)

    first_with: dict[str, int] = {}
    for patient_id, sha256 in pairs:
        heads.setdefault(patient_id, patient_id)
        join(patient_id, first_with.setdefault(sha256, patient_id))
    for first_id, second_id in near_copies:
        join(first_id, second_id)
    return {patient_id: head(patient_id) for patient_id in sorted(heads)}
