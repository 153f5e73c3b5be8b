"""How annotators agree: which masks take part, which means are taken, and who sees what."""

from collections.abc import Callable

import numpy as np
import pytest

from colpo_core.errors import InputRejected, NotFound, PermissionDenied
from colpo_core.evaluation.agreement import pair_figures
from colpo_core.services.agreement import adjudication
from colpo_core.services.agreement import overview as agreement
from colpo_core.services.common.callers import Caller
from colpo_core.store import Store
from colpo_core.store.tables import AnnotationVersion
from colpo_core.terms import Finding, MaskOrigin
from tests.support.clinic import SIDE_PX, Clinic, ClinicCase
from tests.support.refusals import refused
from tests.support.several_annotators import add_task, square, submit
from tests.support.store_rows import change

NOTHING = np.zeros((SIDE_PX, SIDE_PX), np.bool_)

EmptyCase = Callable[..., ClinicCase]


@pytest.fixture
def empty_case(clinic: Clinic) -> EmptyCase:
    return lambda **changes: clinic.add_case(masked=False, **changes)


def test_the_overview_takes_the_mean_of_an_images_pairs(
    administrator: Caller, people: list[Caller], empty_case: EmptyCase
) -> None:
    near, far = empty_case(), empty_case()
    masks = [square(10, 10), square(10, 12), square(14, 10)]
    for person, mask in zip(people, masks, strict=True):
        submit(person, near.image_id, mask)
    submit(people[0], far.image_id, square(0, 0))
    submit(people[1], far.image_id, square(40, 40))
    submit(people[0], empty_case().image_id, square(0, 0))
    found = agreement.agreement_overview(administrator)
    pairs = [pair_figures(masks[a], masks[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
    of_near = np.mean([pair.dice for pair in pairs])
    assert (found.n_images, found.n_patients) == (2, 2)
    assert found.dice.value == pytest.approx((of_near + 0) / 2)
    assert (found.dice.low, found.dice.missing) == (None, "2 patients, and it takes 5")
    distance = pair_figures(square(0, 0), square(40, 40)).hd95_px
    assert distance is not None
    of_near_px = np.mean([pair.hd95_px for pair in pairs])  # type: ignore[arg-type]
    assert found.hd95_px.value == pytest.approx((of_near_px + distance) / 2)
    assert found.hd95_percent.value == pytest.approx(100 * (of_near_px + distance) / 2 / np.hypot(SIDE_PX, SIDE_PX))
    assert [(row.image_id, row.n_masks) for row in found.images] == [(far.image_id, 2), (near.image_id, 3)]
    assert found.images[1].iou_mean == pytest.approx(np.mean([pair.iou for pair in pairs]))
    named = {(pair.first, pair.second): pair for pair in found.pairs}
    assert list(named) == [("Berta", "Clara"), ("Berta", "Dora"), ("Clara", "Dora")]
    assert named["Berta", "Clara"].n_images == 2
    assert named["Berta", "Clara"].dice.value == pytest.approx(pairs[0].dice / 2)
    assert named["Clara", "Dora"].dice.value == pytest.approx(pairs[2].dice)
    assert named["Clara", "Dora"].kappa.value == pytest.approx(pairs[2].kappa)
    kappa_far = pair_figures(square(0, 0), square(40, 40)).kappa
    assert kappa_far is not None
    assert found.kappa.value == pytest.approx((np.mean([pair.kappa for pair in pairs]) + kappa_far) / 2)  # type: ignore[arg-type]


def test_empty_masks_are_counted_apart(administrator: Caller, people: list[Caller], empty_case: EmptyCase) -> None:
    both, one, none = empty_case(), empty_case(), empty_case()
    for case, masks in (
        (both, (square(5, 5), square(5, 5))),
        (one, (square(5, 5), NOTHING)),
        (none, (NOTHING, NOTHING)),
    ):
        for person, mask in zip(people, masks, strict=False):
            submit(person, case.image_id, mask)
    found = agreement.agreement_overview(administrator)
    assert (found.n_images, found.n_one_empty, found.n_both_empty) == (3, 1, 1)
    assert (found.dice.value, found.dice.n_images) == (0.5, 2)
    assert (found.hd95_px.value, found.hd95_px.n_images) == (0.0, 1)
    assert (found.kappa.value, found.kappa.n_images) == (0.5, 2)
    rows = {row.image_id: (row.dice_mean, row.hd95_px_mean) for row in found.images}
    assert rows == {both.image_id: (1, 0), one.image_id: (0, None), none.image_id: (1, 0)}
    assert (found.pairs[0].n_one_empty, found.pairs[0].n_both_empty) == (1, 1)


def test_nothing_to_compare(administrator: Caller, people: list[Caller], clinic: Clinic) -> None:
    case = clinic.add_case()
    found = agreement.agreement_overview(administrator)
    assert (found.n_images, found.dice.value, found.pairs, found.images) == (0, None, (), ())
    alone = agreement.image_agreement(administrator, image_id=case.image_id)
    assert (len(alone.versions), alone.pairs, alone.adjudication, alone.may_adjudicate) == (1, (), None, True)


def test_findings_are_kept_apart(administrator: Caller, people: list[Caller], empty_case: EmptyCase) -> None:
    case = empty_case()
    submit(people[0], case.image_id, square(5, 5))
    submit(people[1], case.image_id, square(5, 5), Finding.MOSAIC)
    for finding in Finding:
        assert agreement.agreement_overview(administrator, finding=finding).n_images == 0


def test_an_image_lists_its_masks_and_pairs(annotator: Caller, people: list[Caller], empty_case: EmptyCase) -> None:
    case = empty_case()
    ids = [submit(person, case.image_id, square(10, 10 + 2 * n)) for n, person in enumerate(people)]
    found = agreement.image_agreement(annotator, image_id=case.image_id)
    assert [version.version_id for version in found.versions] == ids
    assert [(pair.first_id, pair.second_id) for pair in found.pairs] == [(ids[0], ids[1]), (ids[0], ids[2]),
                                                                       (ids[1], ids[2])]  # fmt: skip
    figures = pair_figures(square(10, 10), square(10, 14))
    assert found.pairs[1].figures == figures
    assert found.pairs[1].hd95_percent == pytest.approx(100 * figures.hd95_px / np.hypot(64, 64))  # type: ignore[operator]
    assert not found.may_adjudicate
    assert "administrator" in found.why_not
    refused(NotFound, lambda: agreement.image_agreement(annotator, image_id=999))


def test_adjudicated_masks_are_no_annotators(
    store: Store, administrator: Caller, people: list[Caller], empty_case: EmptyCase
) -> None:
    case = empty_case()
    for person in people:
        submit(person, case.image_id, square(10, 10))
    last = submit(administrator, case.image_id, square(40, 40))
    assert agreement.agreement_overview(administrator).images[0].n_masks == 4
    change(store, AnnotationVersion, last, origin=MaskOrigin.ADJUDICATED)
    submit(administrator, case.image_id, square(42, 42))
    found = agreement.agreement_overview(administrator)
    assert (found.images[0].n_masks, found.dice.value) == (3, 1.0)


def test_fellow_annotators_of_a_blind_task_see_nothing_yet(
    store: Store, administrator: Caller, people: list[Caller], empty_case: EmptyCase
) -> None:
    case = empty_case()
    add_task(store, [case.image_id], people, creator=administrator)
    for person in people[:2]:
        submit(person, case.image_id, square(10, 10))
    for person in people:
        assert agreement.agreement_overview(person).n_images == 0
    seen = agreement.image_agreement(people[0], image_id=case.image_id)
    assert ([version.author for version in seen.versions], seen.n_hidden, seen.pairs) == (["Berta"], 1, ())
    assert agreement.image_agreement(people[2], image_id=case.image_id).n_hidden == 2
    assert agreement.agreement_overview(administrator).n_images == 1
    submit(people[2], case.image_id, square(10, 10))
    opened = agreement.image_agreement(people[0], image_id=case.image_id)
    assert (len(opened.versions), opened.n_hidden) == (3, 0)


def test_of_a_task_the_versions_count_that_were_made_for_it(
    store: Store, administrator: Caller, people: list[Caller], empty_case: EmptyCase
) -> None:
    case, other = empty_case(), empty_case()
    for person in people[:2]:
        submit(person, other.image_id, square(5, 5))
    task_id = add_task(store, [case.image_id], people[:2], creator=administrator)
    submit(people[0], case.image_id, square(10, 10))
    submit(people[1], case.image_id, square(10, 20))
    submit(people[2], case.image_id, square(30, 30))
    blind = pair_figures(square(10, 10), square(10, 20)).dice
    # After the masks have opened, one of them comes round to the other's view.
    submit(people[1], case.image_id, square(10, 10))
    found = agreement.agreement_overview(administrator, task_id=task_id)
    assert (found.n_images, found.images[0].n_masks) == (1, 2)
    assert found.dice.value == pytest.approx(blind)
    with pytest.raises(InputRejected, match="another finding"):
        agreement.agreement_overview(administrator, finding=Finding.MOSAIC, task_id=task_id)
    refused(NotFound, lambda: agreement.agreement_overview(people[2], task_id=task_id))


def test_the_interval_is_the_same_each_time(administrator: Caller, people: list[Caller], empty_case: EmptyCase) -> None:
    chance = np.random.default_rng(0)
    for _ in range(8):
        case = empty_case()
        for person in people[:2]:
            submit(person, case.image_id, chance.random((SIDE_PX, SIDE_PX)) < chance.random())
    first, again = (agreement.agreement_overview(administrator).dice for _ in range(2))
    assert first == again
    assert first.value is not None
    assert first.low is not None
    assert first.high is not None
    assert 0 <= first.low < first.value < first.high <= 1


def test_readers_see_no_agreement(reader: Caller, empty_case: EmptyCase) -> None:
    image_id = empty_case().image_id
    refused(
        PermissionDenied,
        lambda: agreement.agreement_overview(reader),
        lambda: agreement.image_agreement(reader, image_id=image_id),
        lambda: adjudication.list_adjudications(reader),
    )
