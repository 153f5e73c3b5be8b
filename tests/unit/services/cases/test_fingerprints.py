import pytest
from sqlalchemy import select

from colpo_core.errors import LeakageFound, NotFound
from colpo_core.images.decoding import read_rgb
from colpo_core.images.looks import image_looks
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.services.cases import fingerprints
from colpo_core.services.common.callers import Caller
from colpo_core.services.snapshots import freezing
from colpo_core.services.snapshots.freezing import SnapshotQuery
from colpo_core.store import Store
from colpo_core.store.tables import Image, ImageLook
from colpo_core.terms import Stage
from tests.support.clinic import Clinic, draw
from tests.support.copies import as_jpeg, brighter
from tests.support.store_rows import get, rows


def stored(store: Store) -> dict[int, str | None]:
    return {row.id: row.perceptual_hash for row in rows(store, Image)}


def test_what_an_older_store_lacks_is_computed_from_the_files_once(store: Store, clinic: Clinic) -> None:
    shown = [clinic.add_case().image_id for _ in range(3)]
    lugol = clinic.add_case(stage=Stage.LUGOL).image_id
    hidden = clinic.add_case(shows_cervix=False).image_id
    assert fingerprints.fill_fingerprints(store, {shown[0]}) == 1
    assert fingerprints.fill_fingerprints(store) == 3, "what is known is not computed again"
    found = stored(store)
    assert found[lugol] is not None, "its stage may be wrong"
    assert found[hidden] is None, "no snapshot takes it"
    with store.reading() as session:
        for image in session.scalars(select(Image).where(Image.id.in_(shown[1:]))):
            rgb = read_rgb(store.blobs.get(image.sha256))
            assert image.perceptual_hash == perceptual_hash(rgb)
            assert session.get_one(ImageLook, image.id).brightest == image_looks(rgb).brightest
        assert fingerprints.fingerprints(session) == {row: looks for row, looks in found.items() if looks}
        assert fingerprints.count_without_fingerprint(session) == 0
    assert fingerprints.fill_fingerprints(store) == 0
    assert fingerprints.fill_fingerprints(store, {hidden}) == 1


def test_previewing_and_freezing_fill_them(store: Store, clinic: Clinic, annotator: Caller) -> None:
    clinic.add_cohort(6)
    freezing.preview_snapshot(annotator, query=SnapshotQuery("first"))
    assert None not in stored(store).values()
    clinic.add_case()
    freezing.freeze_snapshot(annotator, query=SnapshotQuery("first"))
    assert None not in stored(store).values()


def test_a_lost_file_is_named_by_its_image_and_keeps_what_was_computed(
    store: Store, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints, "_BATCH", 1)
    first, lost = (clinic.add_case().image_id for _ in range(2))
    store.blobs.path(get(store, Image, lost).sha256).unlink()
    with pytest.raises(NotFound, match=f"file of image {lost} is missing or damaged"):
        fingerprints.fill_fingerprints(store)
    assert stored(store)[first] is not None


def test_near_copies_are_pairs_of_image_rows(store: Store) -> None:
    rgb = draw(1, lesion=True)[0]
    looks = {7: perceptual_hash(rgb), 3: perceptual_hash(as_jpeg(rgb, 60)), 5: perceptual_hash(draw(2, lesion=True)[0])}
    assert fingerprints.near_copies([3, 5, 7, 9], looks) == [(3, 7)]
    assert fingerprints.near_copies([5, 7], looks) == []


def test_patients_with_near_copies_of_one_photograph_stay_on_one_side(clinic: Clinic, annotator: Caller) -> None:
    clinic.add_cohort(12)
    photograph = draw(99, lesion=False)[0]
    twins = [
        clinic.add_case(photograph=photograph).patient_id,
        clinic.add_case(photograph=as_jpeg(brighter(photograph, 1.1), 70)).patient_id,
    ]
    for seed in range(8):
        manifest = freezing.gather_manifest(annotator.store, SnapshotQuery("any", seed=seed))
        assert len({item.split for item in manifest.items if item.patient_id in twins}) == 1, f"seed {seed}"
    assert freezing.freeze_snapshot(annotator, query=SnapshotQuery("first")).count("images") == 14


def test_the_guard_looks_for_near_copies_when_a_snapshot_is_frozen(
    clinic: Clinic, annotator: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    photograph = draw(99, lesion=False)[0]
    for copy in (photograph, as_jpeg(photograph, 90), as_jpeg(photograph, 70)):
        clinic.add_case(photograph=copy)
    monkeypatch.setattr(
        freezing, "group_patients", lambda images, _looks: {patient: patient for _, patient, _ in images}
    )
    with pytest.raises(LeakageFound, match="is a near copy of image"):
        freezing.freeze_snapshot(annotator, query=SnapshotQuery("first"))
