"""AnnoCerv from its own layout into the store; a small copy is drawn here, for the real one may be absent."""

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from sqlalchemy import func, select

from colpo_core.errors import InputRejected, PermissionDenied
from colpo_core.images.decoding import read_rgb
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.records.cases.cases import ImportReport, ImportStatus
from colpo_core.records.snapshots.snapshots import SnapshotQuery
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports import annocerv as importing_annocerv
from colpo_core.services.imports.annocerv import import_annocerv
from colpo_core.services.overview.worklist import status
from colpo_core.services.snapshots.freezing import freeze_snapshot, preview_snapshot
from colpo_core.store import Store
from colpo_core.store.tables import Annotation, AnnotationVersion, AuditEntry, Case, CaseLabel, Image, Patient, Person
from colpo_core.terms import AnnotationState, Finding, LabelSource, Stage
from tests.support.snapshots import manifest_of

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "annocerv" / "dataset"
SIZE = 96


def draw(folder: Path, case: int, number: int, *, outline: str = "", side_px: int = SIZE) -> None:
    """One image with a closed outline, an open one, or none."""
    place = folder / f"Case {case}"
    place.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng([case, number]).integers(60, 200, (side_px, side_px, 3), dtype=np.uint8)
    Picture.fromarray(pixels).save(place / f"C{case}Aceto ({number}).jpg", quality=95)
    rgba = np.zeros((side_px, side_px, 4), np.uint8)
    magenta = (255, 0, 255, 255)
    if outline:
        rgba[24:27, 24:72] = rgba[69:72, 24:72] = rgba[24:72, 24:27] = magenta
    if outline == "closed":
        rgba[24:72, 69:72] = magenta
    Picture.fromarray(rgba).save(place / f"C{case}Aceto ({number}).png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    dataset = tmp_path / "dataset"
    draw(dataset, 1, 1, outline="closed")
    draw(dataset, 1, 2, outline="open")
    draw(dataset, 2, 1)
    draw(dataset, 4, 1, outline="closed")
    (dataset / "swede_scores.csv").write_text("\ufeff7\n4\n2\n\n", encoding="utf-8")
    return dataset


def content(store: Store) -> list[object]:
    """Rows of everything that an import may write."""
    tables = (Patient, Case, Image, Annotation, AnnotationVersion, CaseLabel, AuditEntry)
    with store.reading() as session:
        return [session.scalar(select(func.count()).select_from(table)) for table in tables]


def test_images_outlines_and_scores_come_in_as_what_they_are(store: Store, annotator: Caller, folder: Path) -> None:
    report = import_annocerv(annotator, folder=folder)
    assert (report.patients, report.imported, report.duplicates, report.refused) == (3, 4, 0, 0)
    assert report.annotations == 3
    assert report.annotations_to_confirm == 1
    with store.reading() as session:
        assert session.scalars(select(Patient.code).order_by(Patient.id)).all() == [
            "annocerv-1",
            "annocerv-2",
            "annocerv-4",
        ]
        assert session.scalars(select(Case.swede_total).order_by(Case.id)).all() == [7, 4, None]
        assert set(session.scalars(select(Case.case_date))) == {None}
        assert set(session.scalars(select(Image.stage))) == {Stage.ACETIC_ACID}
        for image in session.scalars(select(Image)):
            assert image.perceptual_hash == perceptual_hash(read_rgb(store.blobs.get(image.sha256)))
        annotators = session.scalars(select(Person.username).join(Annotation, Annotation.annotator_id == Person.id))
        assert set(annotators) == {"importer"}
        versions = session.execute(
            select(AnnotationVersion.origin, Annotation.state, Annotation.finding).join(AnnotationVersion.annotation)
        ).all()
    for origin, state, finding in versions:
        assert state is (AnnotationState.TO_CONFIRM if origin.is_guess else AnnotationState.SUBMITTED)
        assert finding is Finding.ACETOWHITE


def test_a_score_is_an_impression_and_never_histology(store: Store, annotator: Caller, folder: Path) -> None:
    import_annocerv(annotator, folder=folder)
    with store.reading() as session:
        rows = session.execute(select(CaseLabel.source, CaseLabel.label, CaseLabel.reason)).all()
    by_source = {source: [row for row in rows if row.source is source] for source in LabelSource}
    assert [row.label for row in by_source[LabelSource.HISTOLOGY]] == [None, None, None]
    assert len(by_source[LabelSource.IMPRESSION]) == 2
    assert all("not histology" in row.reason for row in by_source[LabelSource.IMPRESSION])
    counts = status(store)
    assert (counts["labels"], counts["labels_by_impression"]) == (0, 2)


def test_a_second_run_changes_nothing(store: Store, annotator: Caller, folder: Path) -> None:
    import_annocerv(annotator, folder=folder)
    before = content(store)
    report = import_annocerv(annotator, folder=folder)
    assert (report.imported, report.duplicates, report.annotations) == (0, 4, 0)
    assert content(store) == before


def test_an_interruption_keeps_what_was_done_and_a_second_run_goes_on(
    store: Store, annotator: Caller, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Store.open(type(store.settings)(data_dir=store.settings.data_dir.parent / "other"))
    import_annocerv(Caller(whole, importing_annocerv.program_actor(whole, "operator")), folder=folder)
    expected = content(whole)
    whole.close()
    real = importing_annocerv.import_annotation
    calls = 0

    def stops_at_the_second(*args: object, **kwargs: object) -> int:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return real(*args, **kwargs)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(importing_annocerv, "import_annotation", stops_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            import_annocerv(annotator, folder=folder)
    assert status(store)["annotations"] == 1
    report = import_annocerv(annotator, folder=folder)
    assert report.duplicates == 2
    assert content(store) == expected


def test_what_cannot_be_read_says_why_and_the_rest_is_kept(annotator: Caller, folder: Path) -> None:
    (folder / "Case 1" / "C1Aceto (1).jpg").write_bytes(b"not an image")
    (folder / "Case 4" / "C4Aceto (1).png").write_bytes(b"not a drawing")
    small = io.BytesIO()
    Picture.new("RGBA", (8, 8), (255, 0, 255, 255)).save(small, format="PNG")
    (folder / "Case 2" / "C2Aceto (1).png").write_bytes(small.getvalue())
    report = import_annocerv(annotator, folder=folder)
    by_name = {outcome.name: outcome for outcome in report.outcomes}
    assert by_name["C1Aceto (1).jpg"].status is ImportStatus.REFUSED
    for name in ("C4Aceto (1).jpg", "C2Aceto (1).jpg"):
        assert by_name[name].status is ImportStatus.IMPORTED
        assert "without its outline" in by_name[name].reason
    assert (report.imported, report.refused, report.annotations) == (3, 1, 1)


def test_another_layout_and_another_role_are_refused(
    store: Store, annotator: Caller, reader: Caller, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputRejected):
        import_annocerv(annotator, folder=tmp_path / "nowhere")
    with pytest.raises(PermissionDenied):
        import_annocerv(reader, folder=folder)
    assert status(store)["images"] == 0


def test_what_a_clinician_has_scored_since_stays(store: Store, annotator: Caller, folder: Path) -> None:
    import_annocerv(annotator, folder=folder)
    with store.writing() as session:
        session.scalars(select(Case).order_by(Case.id)).all()[0].swede_total = 3
    draw(folder, 1, 3)
    import_annocerv(annotator, folder=folder)
    with store.reading() as session:
        assert session.scalars(select(Case.swede_total).order_by(Case.id)).first() == 3


def test_a_file_that_the_collection_holds_twice_is_kept_twice_and_stays_on_one_side(
    store: Store, annotator: Caller, folder: Path
) -> None:
    for case in range(5, 25):
        draw(folder, case, 1, outline="closed")
    (folder / "swede_scores.csv").write_text("\n".join(str(case % 8) for case in range(25)), encoding="utf-8")
    source = (folder / "Case 1" / "C1Aceto (1).jpg").read_bytes()
    (folder / "Case 4" / "C4Aceto (1).jpg").write_bytes(source)  # under another patient
    (folder / "Case 1" / "C1Aceto (2).jpg").write_bytes(source)  # and once more under the same
    report = import_annocerv(annotator, folder=folder)
    assert (report.patients, report.imported, report.annotations) == (23, 24, 23)
    twins = [outcome for outcome in report.outcomes if "both were kept" in outcome.reason]
    assert [outcome.name for outcome in twins] == ["C1Aceto (2).jpg", "C4Aceto (1).jpg"]
    before = content(store)
    assert import_annocerv(annotator, folder=folder).imported == 0
    assert content(store) == before
    for seed in range(12):
        query = SnapshotQuery(name=f"seed {seed}", label_source=LabelSource.IMPRESSION, seed=seed)
        snapshot = freeze_snapshot(annotator, query=query)
        manifest = manifest_of(store, snapshot.id)
        assert len(manifest.items) == 24
        sides = {item.split for item in manifest.items if item.image_id in {1, 2, 4}}
        assert len(sides) == 1


def test_memory_stays_flat_however_many_cases_there_are(annotator: Caller, folder: Path) -> None:
    side_px = 240  # large enough to stand out from what the interpreter and the database keep for themselves
    for case in range(5, 35):
        draw(folder, case, 1, outline="closed", side_px=side_px)
    (folder / "swede_scores.csv").write_text("3\n" * 35, encoding="utf-8")
    peaks: list[int] = []

    def measure(_: object) -> None:
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.reset_peak()

    tracemalloc.start()
    try:
        import_annocerv(annotator, folder=folder, on_case=measure)
    finally:
        tracemalloc.stop()
    # An image that stayed in memory would add up to more than this over the twenty cases between.
    assert max(peaks[-8:]) < max(peaks[3:11]) + 10 * side_px * side_px * 3


@pytest.mark.slow
@pytest.mark.annocerv
@pytest.mark.skipif(not REAL.is_dir(), reason="AnnoCerv's photographs are not beside the checkout")
def test_the_real_collection_comes_in_whole_and_once(store: Store, annotator: Caller) -> None:
    report = import_annocerv(annotator, folder=REAL)
    check_real(store, report)
    again = import_annocerv(annotator, folder=REAL)
    assert (again.imported, again.duplicates, again.annotations) == (0, 256, 0)
    check_real(store, report)
    # The collection holds 14 files twice, most of them under two patients: the guard against leakage must be content.
    query = SnapshotQuery(name="all", label_source=LabelSource.IMPRESSION)
    # Copies of one photograph in cases with contradicting impressions: none of them takes part.
    found = preview_snapshot(annotator, query=query).contradictions
    contradicting = {image_id for one in found for image_id in (one.image_id, one.other_image_id)}
    assert len(contradicting) == 17
    assert freeze_snapshot(annotator, query=query).count("images") == 256 - len(contradicting)


def check_real(store: Store, report: ImportReport) -> None:
    assert (report.patients, report.imported, report.refused, report.annotations) == (85, 256, 0, 170)
    counts = status(store)
    assert (counts["patients"], counts["cases"], counts["images"], counts["annotations"]) == (85, 85, 256, 170)
    assert counts["annotations_to_confirm"] == report.annotations_to_confirm > 0
    assert (counts["labels"], counts["labels_by_impression"]) == (0, 85)
