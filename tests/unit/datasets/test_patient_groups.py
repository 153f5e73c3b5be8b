from random import Random

from hypothesis import given
from hypothesis import strategies as st

from colpo_core.datasets.patient_groups import group_by_shared_image

pairs = st.lists(st.tuples(st.integers(1, 12), st.sampled_from("abcdefgh")))


def test_whoever_shares_nothing_stands_alone() -> None:
    assert group_by_shared_image([(3, "a"), (1, "b"), (3, "c")]) == {1: 1, 3: 3}


def test_sharing_goes_through_others() -> None:
    assert group_by_shared_image([(5, "a"), (3, "a"), (3, "b"), (9, "b"), (7, "c")]) == {3: 3, 5: 3, 7: 7, 9: 3}


def test_near_copies_join_patients_too_and_through_others() -> None:
    shared = [(5, "a"), (3, "a"), (8, "b"), (9, "c")]
    assert group_by_shared_image(shared, near_copies=[(8, 5)]) == {3: 3, 5: 3, 8: 3, 9: 9}


@given(pairs, st.data())
def test_near_copies_group_as_a_shared_image_would(given_pairs: list[tuple[int, str]], data: st.DataObject) -> None:
    patients = sorted({patient_id for patient_id, _ in given_pairs})
    if not patients:
        return
    joined = data.draw(st.lists(st.tuples(st.sampled_from(patients), st.sampled_from(patients)), max_size=6))
    as_images = [(one, f"shared {number}") for number, pair in enumerate(joined) for one in pair]
    assert group_by_shared_image(given_pairs, near_copies=joined) == group_by_shared_image([*given_pairs, *as_images])


@given(pairs)
def test_no_image_stands_in_two_groups(given_pairs: list[tuple[int, str]]) -> None:
    kin = group_by_shared_image(given_pairs)
    groups: dict[str, set[int]] = {}
    for patient_id, sha256 in given_pairs:
        groups.setdefault(sha256, set()).add(kin[patient_id])
    assert all(len(found) == 1 for found in groups.values())
    assert all(head <= patient_id and kin[head] == head for patient_id, head in kin.items())


@given(pairs, st.randoms())
def test_the_order_does_not_matter(given_pairs: list[tuple[int, str]], random: Random) -> None:
    shuffled = list(given_pairs)
    random.shuffle(shuffled)
    assert group_by_shared_image(shuffled) == group_by_shared_image(given_pairs)
