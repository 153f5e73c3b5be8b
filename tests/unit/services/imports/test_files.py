import io
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from colpo_core.errors import InputRejected, PermissionDenied
from colpo_core.images.decoding import read_rgb
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.records.cases.cases import ImportReport, ImportStatus, IncomingFile, StageGuess
from colpo_core.services.cases.fingerprints import fill_fingerprints
from colpo_core.services.cases.histology import add_specimen
from colpo_core.services.common.callers import Caller
from colpo_core.services.imports.files import import_folder, import_images
from colpo_core.simulation.cases import simulate_case
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Case, CaseLabel, Exposure, Image, Patient, utc_now
from colpo_core.terms import ExposureKind, Grade, ImageQuestion, LabelSource, SpecimenKind, Stage
from tests.support import store_rows
from tests.support.copies import barred, cropped
from tests.support.image_files import photograph, write_files
from tests.support.refusals import refused
from tests.support.store_rows import change_all, count, get

DAY = date(2024, 5, 6)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_batch_keeps_what_is_sound_and_says_why_the_rest_was_refused(store: Store, annotator: Caller) -> None:
    files = [
        IncomingFile("a.png", photograph(1)),
        IncomingFile("notes.txt", b"not an image at all"),
        IncomingFile("b.png", photograph(2), stage=Stage.LUGOL),
        IncomingFile("cut.jpg", photograph(3, kind="JPEG")[:200]),
        IncomingFile("empty.jpg", b""),
    ]
    report = import_images(annotator, patient_code="P-1", case_date=DAY, files=files)
    assert [outcome.name for outcome in report.outcomes] == [file.name for file in files]
    assert (report.imported, report.duplicates, report.refused) == (2, 0, 3)
    for outcome in report.outcomes:
        assert bool(outcome.reason) is (outcome.status is ImportStatus.REFUSED)
    assert store_rows.rows(store, Image.stage) == [Stage.ACETIC_ACID, Stage.LUGOL]
    assert len(files_below(store.settings.blobs_dir)) == 2


def test_where_every_file_is_refused_nothing_at_all_is_stored(store: Store, annotator: Caller) -> None:
    files = [IncomingFile("a.txt", b"text"), IncomingFile("b.gif", photograph(1, kind="GIF"))]
    assert import_images(annotator, patient_code="P-1", case_date=DAY, files=files).refused == 2
    assert (count(store, Patient), count(store, Case), count(store, Image), count(store, AuditEntry)) == (0, 0, 0, 0)
    assert files_below(store.settings.blobs_dir) == []


def test_the_same_image_is_told_by_its_case_alone_also_as_another_file_type(store: Store, annotator: Caller) -> None:
    first = import_images(
        annotator, patient_code="P-1", case_date=DAY, files=[IncomingFile("a.png", photograph(1))]
    ).outcomes[0]
    again = import_images(
        annotator,
        patient_code="P-2",
        case_date=DAY,
        files=[IncomingFile("b.bmp", photograph(1, kind="BMP")), IncomingFile("c.png", photograph(1))],
    )
    assert again.duplicates == 2
    for outcome in again.outcomes:
        assert (outcome.image_id, outcome.case_id) == (first.image_id, first.case_id)
        assert outcome.reason.startswith(f"This image is in the store already, in case {first.case_id}, under another")
        assert outcome.copies == (first.case_id,)
    assert (again.patients, again.new_patients, again.new_cases, again.case_ids) == (0, 0, 0, ())
    assert count(store, Patient) == 1
    own = import_images(annotator, patient_code="p-1", case_date=DAY, files=[IncomingFile("c.png", photograph(1))])
    assert own.outcomes[0].reason == f"This image is in the store already, in case {first.case_id}."
    assert (own.outcomes[0].copies, own.patients) == ((), 0)


def test_every_image_comes_in_with_what_it_looks_like(store: Store, annotator: Caller) -> None:
    file = IncomingFile("x.jpg", photograph(3, kind="JPEG"))
    import_images(annotator, patient_code="P-1", case_date=DAY, files=[file])
    image = store_rows.row(store, Image)
    assert image.perceptual_hash == perceptual_hash(read_rgb(store.blobs.get(image.sha256)))


def test_the_case_of_a_patient_and_a_day_is_used_again(store: Store, annotator: Caller) -> None:
    def bring(code: str, day: date | None, seed: int) -> int | None:
        file = IncomingFile("x.png", photograph(seed))
        return import_images(annotator, patient_code=code, case_date=day, files=[file]).outcomes[0].case_id

    first = bring("P-1", DAY, 1)
    assert bring(" p-1 ", DAY, 2) == first
    other = bring("P-1", DAY + timedelta(days=1), 3)
    undated = bring("P-1", None, 4)
    assert len({first, other, undated}) == 3
    assert bring("P-1", None, 5) == undated
    assert (count(store, Patient), count(store, Case)) == (1, 3)


def test_a_new_case_has_a_label_row_that_says_why_it_is_excluded(store: Store, annotator: Caller) -> None:
    import_images(annotator, patient_code="P-1", case_date=DAY, files=[IncomingFile("a", photograph())])
    row = store_rows.row(store, CaseLabel)
    assert (row.source, row.label, row.flagged) == (LabelSource.HISTOLOGY, None, False)
    assert row.reason.startswith("excluded: no histology")


def test_file_names_and_metadata_leave_no_trace_in_the_store(store: Store, annotator: Caller) -> None:
    exif = Picture.Exif()
    exif[0x010E] = "MARIA-SECRET"
    content = photograph(1, kind="JPEG", exif=exif)
    assert b"MARIA-SECRET" in content
    file = IncomingFile("Maria-Secret-1984.jpg", content)
    assert import_images(annotator, patient_code="P-1", case_date=DAY, files=[file]).imported == 1
    store.close()
    for path in files_below(store.settings.data_dir):
        assert b"maria-secret" not in path.read_bytes().lower(), path.name


def test_every_import_is_in_the_log_without_the_code(store: Store, annotator: Caller) -> None:
    import_images(annotator, patient_code="P-77", case_date=DAY, files=[IncomingFile("a", photograph())])
    entries = store_rows.rows(store, AuditEntry)
    assert [entry.action for entry in entries] == ["add case", "import image"]
    assert all(entry.person_id == annotator.person_id for entry in entries)
    assert all("P-77" not in f"{entry.subject}{entry.detail}" for entry in entries)


def test_a_reader_may_not_import(reader: Caller) -> None:
    refused(PermissionDenied, lambda: import_images(reader, patient_code="P-1", case_date=DAY, files=[]))


def test_seconds_after_acid_are_checked_and_kept_for_acetic_acid_alone(store: Store, annotator: Caller) -> None:
    files = [
        IncomingFile("a", photograph(1), seconds_after_acid=60),
        IncomingFile("b", photograph(2), stage=Stage.NATIVE, seconds_after_acid=60),
        IncomingFile("c", photograph(3), seconds_after_acid=-1),
    ]
    report = import_images(annotator, patient_code="P-1", case_date=DAY, files=files)
    assert [outcome.status.value for outcome in report.outcomes] == ["imported", "imported", "refused"]
    assert store_rows.rows(store, Image.seconds_after_acid) == [60, None]


@pytest.mark.parametrize("day", [date(1900, 1, 1), utc_now().date() + timedelta(days=2)])
def test_a_day_that_cannot_be_is_refused(annotator: Caller, day: date) -> None:
    refused(InputRejected, lambda: import_images(annotator, patient_code="P-1", case_date=day, files=[]), match="date")


def test_an_incoming_file_has_one_source(tmp_path: Path) -> None:
    refused(ValueError, lambda: IncomingFile("a"), lambda: IncomingFile("a", b"x", tmp_path), match="either")


def test_a_file_that_has_gone_is_refused(annotator: Caller, tmp_path: Path) -> None:
    report = import_images(
        annotator, patient_code="P-1", case_date=DAY, files=[IncomingFile("a", path=tmp_path / "gone")]
    )
    assert report.refused == 1
    assert "cannot be read" in report.outcomes[0].reason


def encoded(rgb: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Picture.fromarray(np.ascontiguousarray(rgb)).save(buffer, format=kind, **options)
    return buffer.getvalue()


def bring(caller: Caller, code: str, *contents: bytes, stage: Stage | None = Stage.ACETIC_ACID) -> ImportReport:
    files = [IncomingFile(f"{number}.png", content, stage=stage) for number, content in enumerate(contents)]
    return import_images(caller, patient_code=code, case_date=DAY, files=files)


def drawn(seed: int) -> np.ndarray:
    return simulate_case(seed, height_px=240, width_px=320).rgb


def test_a_near_copy_of_another_patients_image_is_said_by_its_case(annotator: Caller) -> None:
    rgb = drawn(1)
    first = bring(annotator, "P-1", encoded(rgb), encoded(drawn(2)))
    copies = [np.rot90(rgb), cropped(rgb, 0.05, 1.0), barred(rgb, 0.1)]
    second = bring(annotator, "P-2", *(encoded(copy, "JPEG", quality=60) for copy in copies))
    assert [one.status for one in second.outcomes] == [ImportStatus.IMPORTED] * 3
    assert [one.copies for one in second.outcomes] == [(first.outcomes[0].case_id,)] * 3
    assert all(f"in case {first.outcomes[0].case_id}" in one.notes[0] for one in second.outcomes)
    assert [one.contradicts for one in second.outcomes] == [()] * 3
    own = bring(annotator, "P-1", encoded(rgb, "JPEG", quality=80))
    assert own.outcomes[0].copies == (second.outcomes[0].case_id,), "her own image is no news"
    assert not bring(annotator, "P-3", encoded(drawn(3))).copies


def test_contradicting_histology_of_two_copies_is_said_and_counts_as_seen(store: Store, annotator: Caller) -> None:
    rgb = drawn(1)
    one = bring(annotator, "P-1", encoded(rgb)).outcomes[0].case_id
    other = bring(annotator, "P-2", encoded(drawn(2))).outcomes[0].case_id
    assert one is not None and other is not None
    for case_id, grade in ((one, Grade.CIN3), (other, Grade.NORMAL)):
        add_specimen(annotator, case_id=case_id, kind=SpecimenKind.PUNCH_BIOPSY, grade=grade)
    outcome = bring(annotator, "P-2", encoded(rgb, "JPEG", quality=40)).outcomes[0]
    assert (outcome.copies, outcome.contradicts) == ((one,), (one,))
    assert f"contradicts that of case {one}" in outcome.notes[1]
    assert set(store_rows.rows(store, Exposure.case_id, Exposure.kind == ExposureKind.LABEL)) == {one, other}


def test_patients_and_cases_that_were_made_are_counted_and_no_other(annotator: Caller, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_files(folder, a_png=photograph(1), b_png=photograph(1), c_png=photograph(2), d_png=photograph(3), e=b"text")
    rows = ["a.png,P-1", "b.png,P-2", "c.png,P-3", "d.png,P-3", "e,P-4"]
    lines = ["file,patient_code,case_date,stage", *(f"{row},2024-05-06,native" for row in rows)]
    (folder / "import.csv").write_text("\n".join(lines), encoding="utf-8")
    report = import_folder(annotator, folder=folder)
    assert (report.imported, report.duplicates, report.refused) == (3, 1, 1)
    assert (report.patients, report.new_patients, report.new_cases) == (2, 2, 2)
    assert count(annotator, Patient) == 2
    again = import_folder(annotator, folder=folder)
    assert (again.imported, again.patients, again.new_patients, again.new_cases) == (0, 0, 0, 0)


def test_a_stage_that_nobody_gave_is_guessed_from_the_name_counted_and_asked_about(
    annotator: Caller, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    write_files(folder, lugol_png=encoded(drawn(1)), img1_png=encoded(drawn(2)), lugol__2_png=encoded(drawn(3)))
    report = import_folder(annotator, folder=folder, patient_code="P-1", case_date=DAY)
    stages = {one.name: (one.stage, one.stage_guess) for one in report.outcomes}
    assert stages == {
        "img1.png": (Stage.ACETIC_ACID, StageGuess.BY_DEFAULT),
        "lugol.png": (Stage.LUGOL, StageGuess.BY_NAME),
        "lugol/2.png": (Stage.LUGOL, StageGuess.BY_NAME),
    }
    assert (report.guessed(StageGuess.BY_NAME), report.guessed(StageGuess.BY_DEFAULT)) == (2, 1)
    assert all(ImageQuestion.STAGE_GUESSED in one.questions for one in report.outcomes)
    given = bring(annotator, "P-2", encoded(drawn(4)))
    assert given.outcomes[0].stage_guess is None
    assert given.asked == ()


def test_iodine_that_is_filed_as_acetic_acid_is_asked_about_and_not_changed(store: Store, annotator: Caller) -> None:
    light = drawn(1) @ np.array([0.3, 0.59, 0.11])
    stained = np.clip(light[:, :, None] * np.array([1.0, 0.62, 0.25]), 0, 255).astype(np.uint8)
    (outcome,) = bring(annotator, "P-1", encoded(stained)).outcomes
    assert outcome.questions == (ImageQuestion.IODINE,)
    assert get(store, Image, outcome.image_id).stage is Stage.ACETIC_ACID


@pytest.mark.parametrize(
    ("pixels", "why"),
    [
        (np.zeros((200, 300, 3), np.uint8), "black all over"),
        (np.full((200, 300, 3), 255, np.uint8), "white all over"),
        (np.full((1, 1, 3), 99, np.uint8), "1 × 1 pixels"),
        (np.kron(np.eye(8, dtype=np.uint8) * 255, np.ones((30, 30), np.uint8)), "as a mask or a drawing has"),
        (np.random.default_rng(0).integers(0, 16, (200, 300, 3), dtype=np.uint8), "all but black"),
        (np.random.default_rng(0).integers(0, 4096, (200, 300)).astype(np.uint16), "come in black"),
    ],
)
def test_what_is_no_photograph_is_refused_in_words(annotator: Caller, pixels: np.ndarray, why: str) -> None:
    report = bring(annotator, "P-1", encoded(pixels))
    assert report.outcomes[0].status is ImportStatus.REFUSED
    assert why in report.outcomes[0].reason
    assert count(annotator, Patient) == 0


def test_a_picture_behind_the_photograph_is_said_to_be_left_aside(annotator: Caller) -> None:
    buffer = io.BytesIO()
    pictures = [Picture.fromarray(drawn(seed)) for seed in (1, 2)]
    pictures[0].save(buffer, format="MPO", save_all=True, append_images=pictures[1:])
    (outcome,) = bring(annotator, "P-1", buffer.getvalue()).outcomes
    assert outcome.status is ImportStatus.IMPORTED
    assert "another image behind the photograph" in outcome.notes[0]


def test_images_of_an_older_version_are_said_not_to_be_compared(store: Store, annotator: Caller) -> None:
    bring(annotator, "P-1", encoded(drawn(1)))
    change_all(store, Image, perceptual_hash=None)
    report = bring(annotator, "P-2", encoded(np.rot90(drawn(1))))
    assert (report.copies, report.not_compared) == ((), 1)
    fill_fingerprints(store)
    assert bring(annotator, "P-3", encoded(np.rot90(drawn(1), 3))).outcomes[0].copies != ()
