import io
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture
from sqlalchemy import func, select, update

from colpo_core.errors import InputRejected, PermissionDenied
from colpo_core.images.decoding import read_rgb
from colpo_core.images.perceptual import perceptual_hash
from colpo_core.records.cases.cases import ImportReport, ImportStatus, IncomingFile, StageGuess
from colpo_core.records.people import Actor
from colpo_core.services.cases.fingerprints import fill_fingerprints
from colpo_core.services.cases.histology import add_specimen
from colpo_core.services.imports.files import import_folder, import_images
from colpo_core.services.imports.patient_codes import check_patient_code
from colpo_core.simulation.cases import simulate_case
from colpo_core.store import Store
from colpo_core.store.tables import AuditEntry, Case, CaseLabel, Exposure, Image, Patient, utc_now
from colpo_core.terms import ExposureKind, Grade, ImageQuestion, LabelSource, SpecimenKind, Stage
from tests.support.copies import barred, cropped

DAY = date(2024, 5, 6)
TODAY = date(2026, 11, 23)


def photograph(seed: int = 0, *, kind: str = "PNG", **options: object) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Picture.fromarray(pixels).save(buffer, format=kind, **options)
    return buffer.getvalue()


def count(store: Store, table: type) -> int:
    with store.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_batch_keeps_what_is_sound_and_says_why_the_rest_was_refused(store: Store, annotator: Actor) -> None:
    files = [
        IncomingFile("a.png", photograph(1)),
        IncomingFile("notes.txt", b"not an image at all"),
        IncomingFile("b.png", photograph(2), stage=Stage.LUGOL),
        IncomingFile("cut.jpg", photograph(3, kind="JPEG")[:200]),
        IncomingFile("empty.jpg", b""),
    ]
    report = import_images(store, actor=annotator, patient_code="P-1", case_date=DAY, files=files)
    assert [outcome.name for outcome in report.outcomes] == [file.name for file in files]
    assert (report.imported, report.duplicates, report.refused) == (2, 0, 3)
    for outcome in report.outcomes:
        assert bool(outcome.reason) is (outcome.status is ImportStatus.REFUSED)
    with store.reading() as session:
        stages = session.scalars(select(Image.stage).order_by(Image.id)).all()
        assert stages == [Stage.ACETIC_ACID, Stage.LUGOL]
    assert len(files_below(store.settings.blobs_dir)) == 2


def test_where_every_file_is_refused_nothing_at_all_is_stored(store: Store, annotator: Actor) -> None:
    files = [IncomingFile("a.txt", b"text"), IncomingFile("b.gif", photograph(1, kind="GIF"))]
    report = import_images(store, actor=annotator, patient_code="P-1", case_date=DAY, files=files)
    assert report.refused == 2
    assert (count(store, Patient), count(store, Case), count(store, Image), count(store, AuditEntry)) == (0, 0, 0, 0)
    assert files_below(store.settings.blobs_dir) == []


def test_the_same_image_is_told_by_its_case_alone_also_as_another_file_type(store: Store, annotator: Actor) -> None:
    first = import_images(
        store, actor=annotator, patient_code="P-1", case_date=DAY, files=[IncomingFile("a.png", photograph(1))]
    ).outcomes[0]
    again = import_images(
        store,
        actor=annotator,
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
    own = import_images(
        store, actor=annotator, patient_code="p-1", case_date=DAY, files=[IncomingFile("c.png", photograph(1))]
    )
    assert own.outcomes[0].reason == f"This image is in the store already, in case {first.case_id}."
    assert (own.outcomes[0].copies, own.patients) == ((), 0)


def test_every_image_comes_in_with_what_it_looks_like(store: Store, annotator: Actor) -> None:
    file = IncomingFile("x.jpg", photograph(3, kind="JPEG"))
    import_images(store, actor=annotator, patient_code="P-1", case_date=DAY, files=[file])
    with store.reading() as session:
        image = session.scalars(select(Image)).one()
    assert image.perceptual_hash == perceptual_hash(read_rgb(store.blobs.get(image.sha256)))


def test_the_case_of_a_patient_and_a_day_is_used_again(store: Store, annotator: Actor) -> None:
    def bring(code: str, day: date | None, seed: int) -> int | None:
        file = IncomingFile("x.png", photograph(seed))
        return import_images(store, actor=annotator, patient_code=code, case_date=day, files=[file]).outcomes[0].case_id

    first = bring("P-1", DAY, 1)
    assert bring(" p-1 ", DAY, 2) == first
    other = bring("P-1", DAY + timedelta(days=1), 3)
    undated = bring("P-1", None, 4)
    assert len({first, other, undated}) == 3
    assert bring("P-1", None, 5) == undated
    assert (count(store, Patient), count(store, Case)) == (1, 3)


def test_a_new_case_has_a_label_row_that_says_why_it_is_excluded(store: Store, annotator: Actor) -> None:
    import_images(store, actor=annotator, patient_code="P-1", case_date=DAY, files=[IncomingFile("a", photograph())])
    with store.reading() as session:
        row = session.scalars(select(CaseLabel)).one()
        assert (row.source, row.label, row.flagged) == (LabelSource.HISTOLOGY, None, False)
        assert row.reason.startswith("excluded: no histology")


def test_file_names_and_metadata_leave_no_trace_in_the_store(store: Store, annotator: Actor) -> None:
    exif = Picture.Exif()
    exif[0x010E] = "MARIA-SECRET"
    content = photograph(1, kind="JPEG", exif=exif)
    assert b"MARIA-SECRET" in content
    file = IncomingFile("Maria-Secret-1984.jpg", content)
    assert import_images(store, actor=annotator, patient_code="P-1", case_date=DAY, files=[file]).imported == 1
    store.close()
    for path in files_below(store.settings.data_dir):
        assert b"maria-secret" not in path.read_bytes().lower(), path.name


def test_every_import_is_in_the_log_without_the_code(store: Store, annotator: Actor) -> None:
    import_images(store, actor=annotator, patient_code="P-77", case_date=DAY, files=[IncomingFile("a", photograph())])
    with store.reading() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [entry.action for entry in entries] == ["add case", "import image"]
        assert all(entry.person_id == annotator.person_id for entry in entries)
        assert all("P-77" not in f"{entry.subject}{entry.detail}" for entry in entries)


def test_a_reader_may_not_import(store: Store, reader: Actor) -> None:
    with pytest.raises(PermissionDenied):
        import_images(store, actor=reader, patient_code="P-1", case_date=DAY, files=[])


def test_seconds_after_acid_are_checked_and_kept_for_acetic_acid_alone(store: Store, annotator: Actor) -> None:
    files = [
        IncomingFile("a", photograph(1), seconds_after_acid=60),
        IncomingFile("b", photograph(2), stage=Stage.NATIVE, seconds_after_acid=60),
        IncomingFile("c", photograph(3), seconds_after_acid=-1),
    ]
    report = import_images(store, actor=annotator, patient_code="P-1", case_date=DAY, files=files)
    assert [outcome.status.value for outcome in report.outcomes] == ["imported", "imported", "refused"]
    with store.reading() as session:
        assert session.scalars(select(Image.seconds_after_acid).order_by(Image.id)).all() == [60, None]


@pytest.mark.parametrize("day", [date(1900, 1, 1), utc_now().date() + timedelta(days=2)])
def test_a_day_that_cannot_be_is_refused(store: Store, annotator: Actor, day: date) -> None:
    with pytest.raises(InputRejected, match="date"):
        import_images(store, actor=annotator, patient_code="P-1", case_date=day, files=[])


@pytest.mark.parametrize("code", ["P-0042", "annocerv-7", "sim.12", "A", "x_9", "PAT-A", "2024-05-06-003", "12345678"])
def test_pseudonyms_are_taken(code: str) -> None:
    assert check_patient_code(f" {code} ", today=TODAY) == code


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("", "missing"),
        ("   ", "missing"),
        ("Maria Ionescu", "no blanks"),
        ("Ionescu, M.", "no blanks"),
        ("P/1", "letters, digits"),
        ("Müller1", "letters, digits"),
        ("x" * 41, "up to 40"),
        ("maria.ionescu", "looks like a name"),
        ("Maria_Ionescu", "looks like a name"),
        ("MariaIonescu", "looks like a name"),
        ("1984-03-12", "date of birth"),
        ("12.03.1984", "date of birth"),
        ("03-12-1984", "date of birth"),
        ("19840312", "date of birth"),
        ("MI-1984.03.12", "date of birth"),
    ],
)
def test_what_could_tell_who_she_is_is_refused_with_a_reason_that_does_not_repeat_it(code: str, why: str) -> None:
    with pytest.raises(InputRejected, match=why) as caught:
        check_patient_code(code, today=TODAY)
    assert not code.strip() or len(code) < 3 or code not in str(caught.value)


@given(st.text())
def test_any_text_is_either_a_plain_code_or_refused(text: str) -> None:
    try:
        code = check_patient_code(text, today=TODAY)
    except InputRejected:
        return
    assert code == text.strip()
    assert code.isascii()
    assert 1 <= len(code) <= 40


def write(folder: Path, **contents: bytes) -> None:
    for name, content in contents.items():
        place = folder / name.replace("__", "/").replace("_png", ".png")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def test_a_folder_is_read_through_with_what_lies_below_it(store: Store, annotator: Actor, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder, a_png=photograph(1), deep__b_png=photograph(2), notes=b"text")
    (folder / ".hidden").write_bytes(b"x")
    seen: list[str] = []
    report = import_folder(
        store,
        actor=annotator,
        folder=folder,
        patient_code="P-1",
        case_date=DAY,
        stage=Stage.NATIVE,
        on_outcome=lambda outcome: seen.append(outcome.name),
    )
    assert seen == ["a.png", "deep/b.png", "notes"]
    assert (report.imported, report.refused, report.patients) == (2, 1, 1)
    with store.reading() as session:
        assert set(session.scalars(select(Image.stage))) == {Stage.NATIVE}


def test_a_folder_without_table_and_code_is_refused(store: Store, annotator: Actor, tmp_path: Path) -> None:
    write(tmp_path / "in", a_png=photograph(1))
    with pytest.raises(InputRejected, match=r"import\.csv"):
        import_folder(store, actor=annotator, folder=tmp_path / "in")
    with pytest.raises(InputRejected, match="no folder"):
        import_folder(store, actor=annotator, folder=tmp_path / "nowhere", patient_code="P-1")


def test_a_folder_with_nothing_in_it_is_refused(store: Store, annotator: Actor, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(InputRejected, match="no files"):
        import_folder(store, actor=annotator, folder=tmp_path / "in", patient_code="P-1")


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_table_spreads_a_folder_over_many_cases(
    store: Store, annotator: Actor, tmp_path: Path, delimiter: str
) -> None:
    folder = tmp_path / "in"
    write(folder, a_png=photograph(1), b_png=photograph(2), c_png=photograph(3), left_png=photograph(4))
    (tmp_path / "outside.png").write_bytes(photograph(5))
    lines = [
        "file,patient_code,case_date,stage,seconds_after_acid",
        "a.png,P-1,2024-05-06,acetic acid,45",
        "b.png,P-1,2024-05-06,Lugol,",
        "c.png,,2024-05-07,native,",
        "gone.png,P-3,2024-05-07,native,",
        "../outside.png,P-3,2024-05-07,native,",
        "a.png,P-3,07.05.2024,native,",
        "a.png,P-3,2024-05-07,iodine,",
        "a.png,Maria Ionescu,2024-05-07,native,",
        ",P-3,2024-05-07,native,",
        "a.png,P-3,2024-05-07,native,soon",
    ]
    text = "\n".join(lines).replace(",", delimiter)
    (folder / "import.csv").write_text(text, encoding="utf-8-sig")
    report = import_folder(store, actor=annotator, folder=folder, patient_code="P-9")
    reasons = [outcome.reason for outcome in report.outcomes]
    assert (report.imported, report.duplicates, report.patients) == (3, 0, 2)
    assert reasons[:3] == ["", "", ""]
    for reason, part in zip(
        reasons[3:],
        ["does not hold", "outside the folder", "YYYY-MM-DD", "stage", "no blanks", "names no file", "whole number"],
        strict=False,
    ):
        assert part in reason
    assert report.outcomes[-1].name == "left.png"
    assert "does not list" in report.outcomes[-1].reason
    with store.reading() as session:
        assert sorted(session.scalars(select(Patient.code))) == ["P-1", "P-9"]
        assert session.scalar(select(func.count()).select_from(Case)) == 2
        assert session.scalars(select(Image.seconds_after_acid).order_by(Image.id)).first() == 45


def test_a_table_without_its_columns_is_refused(store: Store, annotator: Actor, tmp_path: Path) -> None:
    write(tmp_path / "in", a_png=photograph(1))
    table = tmp_path / "in" / "import.csv"
    table.write_text("file,code\na.png,P-1\n", encoding="utf-8")
    with pytest.raises(InputRejected, match="case_date, patient_code, stage"):
        import_folder(store, actor=annotator, folder=tmp_path / "in")
    table.write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(InputRejected, match="UTF-8"):
        import_folder(store, actor=annotator, folder=tmp_path / "in")


def test_an_incoming_file_has_one_source(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="either"):
        IncomingFile("a")
    with pytest.raises(ValueError, match="either"):
        IncomingFile("a", b"x", tmp_path)


def test_a_file_that_has_gone_is_refused(store: Store, annotator: Actor, tmp_path: Path) -> None:
    report = import_images(
        store, actor=annotator, patient_code="P-1", case_date=DAY, files=[IncomingFile("a", path=tmp_path / "gone")]
    )
    assert report.refused == 1
    assert "cannot be read" in report.outcomes[0].reason


def encoded(rgb: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Picture.fromarray(np.ascontiguousarray(rgb)).save(buffer, format=kind, **options)
    return buffer.getvalue()


def bring(
    store: Store, actor: Actor, code: str, *contents: bytes, stage: Stage | None = Stage.ACETIC_ACID
) -> ImportReport:
    files = [IncomingFile(f"{number}.png", content, stage=stage) for number, content in enumerate(contents)]
    return import_images(store, actor=actor, patient_code=code, case_date=DAY, files=files)


def drawn(seed: int) -> np.ndarray:
    return simulate_case(seed, height_px=240, width_px=320).rgb


def test_a_near_copy_of_another_patients_image_is_said_by_its_case(store: Store, annotator: Actor) -> None:
    rgb = drawn(1)
    first = bring(store, annotator, "P-1", encoded(rgb), encoded(drawn(2)))
    copies = [np.rot90(rgb), cropped(rgb, 0.05, 1.0), barred(rgb, 0.1)]
    second = bring(store, annotator, "P-2", *(encoded(copy, "JPEG", quality=60) for copy in copies))
    assert [one.status for one in second.outcomes] == [ImportStatus.IMPORTED] * 3
    assert [one.copies for one in second.outcomes] == [(first.outcomes[0].case_id,)] * 3
    assert all(f"in case {first.outcomes[0].case_id}" in one.notes[0] for one in second.outcomes)
    assert [one.contradicts for one in second.outcomes] == [()] * 3
    own = bring(store, annotator, "P-1", encoded(rgb, "JPEG", quality=80))
    assert own.outcomes[0].copies == (second.outcomes[0].case_id,), "her own image is no news"
    assert not bring(store, annotator, "P-3", encoded(drawn(3))).copies


def test_contradicting_histology_of_two_copies_is_said_and_counts_as_seen(store: Store, annotator: Actor) -> None:
    rgb = drawn(1)
    one = bring(store, annotator, "P-1", encoded(rgb)).outcomes[0].case_id
    other = bring(store, annotator, "P-2", encoded(drawn(2))).outcomes[0].case_id
    assert one is not None and other is not None
    for case_id, grade in ((one, Grade.CIN3), (other, Grade.NORMAL)):
        add_specimen(store, actor=annotator, case_id=case_id, kind=SpecimenKind.PUNCH_BIOPSY, grade=grade)
    outcome = bring(store, annotator, "P-2", encoded(rgb, "JPEG", quality=40)).outcomes[0]
    assert (outcome.copies, outcome.contradicts) == ((one,), (one,))
    assert f"contradicts that of case {one}" in outcome.notes[1]
    with store.reading() as session:
        seen = session.scalars(select(Exposure.case_id).where(Exposure.kind == ExposureKind.LABEL))
        assert set(seen) == {one, other}


def test_patients_and_cases_that_were_made_are_counted_and_no_other(
    store: Store, annotator: Actor, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    write(folder, a_png=photograph(1), b_png=photograph(1), c_png=photograph(2), d_png=photograph(3), e=b"text")
    rows = ["a.png,P-1", "b.png,P-2", "c.png,P-3", "d.png,P-3", "e,P-4"]
    lines = ["file,patient_code,case_date,stage", *(f"{row},2024-05-06,native" for row in rows)]
    (folder / "import.csv").write_text("\n".join(lines), encoding="utf-8")
    report = import_folder(store, actor=annotator, folder=folder)
    assert (report.imported, report.duplicates, report.refused) == (3, 1, 1)
    assert (report.patients, report.new_patients, report.new_cases) == (2, 2, 2)
    assert count(store, Patient) == 2
    again = import_folder(store, actor=annotator, folder=folder)
    assert (again.imported, again.patients, again.new_patients, again.new_cases) == (0, 0, 0, 0)


def test_a_stage_that_nobody_gave_is_guessed_from_the_name_counted_and_asked_about(
    store: Store, annotator: Actor, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    write(folder, lugol_png=encoded(drawn(1)), img1_png=encoded(drawn(2)), lugol__2_png=encoded(drawn(3)))
    report = import_folder(store, actor=annotator, folder=folder, patient_code="P-1", case_date=DAY)
    stages = {one.name: (one.stage, one.stage_guess) for one in report.outcomes}
    assert stages == {
        "img1.png": (Stage.ACETIC_ACID, StageGuess.BY_DEFAULT),
        "lugol.png": (Stage.LUGOL, StageGuess.BY_NAME),
        "lugol/2.png": (Stage.LUGOL, StageGuess.BY_NAME),
    }
    assert (report.guessed(StageGuess.BY_NAME), report.guessed(StageGuess.BY_DEFAULT)) == (2, 1)
    assert all(ImageQuestion.STAGE_GUESSED in one.questions for one in report.outcomes)
    given = bring(store, annotator, "P-2", encoded(drawn(4)))
    assert given.outcomes[0].stage_guess is None
    assert given.asked == ()


def test_iodine_that_is_filed_as_acetic_acid_is_asked_about_and_not_changed(store: Store, annotator: Actor) -> None:
    light = drawn(1) @ np.array([0.3, 0.59, 0.11])
    stained = np.clip(light[:, :, None] * np.array([1.0, 0.62, 0.25]), 0, 255).astype(np.uint8)
    (outcome,) = bring(store, annotator, "P-1", encoded(stained)).outcomes
    assert outcome.questions == (ImageQuestion.IODINE,)
    with store.reading() as session:
        assert session.get_one(Image, outcome.image_id).stage is Stage.ACETIC_ACID


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
def test_what_is_no_photograph_is_refused_in_words(
    store: Store, annotator: Actor, pixels: np.ndarray, why: str
) -> None:
    report = bring(store, annotator, "P-1", encoded(pixels))
    assert report.outcomes[0].status is ImportStatus.REFUSED
    assert why in report.outcomes[0].reason
    assert count(store, Patient) == 0


def test_a_picture_behind_the_photograph_is_said_to_be_left_aside(store: Store, annotator: Actor) -> None:
    buffer = io.BytesIO()
    pictures = [Picture.fromarray(drawn(seed)) for seed in (1, 2)]
    pictures[0].save(buffer, format="MPO", save_all=True, append_images=pictures[1:])
    (outcome,) = bring(store, annotator, "P-1", buffer.getvalue()).outcomes
    assert outcome.status is ImportStatus.IMPORTED
    assert "another picture behind the photograph" in outcome.notes[0]


def test_images_of_an_older_version_are_said_not_to_be_compared(store: Store, annotator: Actor) -> None:
    bring(store, annotator, "P-1", encoded(drawn(1)))
    with store.writing() as session:
        session.execute(update(Image).values(perceptual_hash=None))
    report = bring(store, annotator, "P-2", encoded(np.rot90(drawn(1))))
    assert (report.copies, report.not_compared) == ((), 1)
    fill_fingerprints(store)
    assert bring(store, annotator, "P-3", encoded(np.rot90(drawn(1), 3))).outcomes[0].copies != ()


def imported(store: Store, actor: Actor, folder: Path, table: str | bytes, name: str = "import.csv") -> ImportReport:
    (folder / name).write_bytes(table.encode() if isinstance(table, str) else table)
    return import_folder(store, actor=actor, folder=folder, patient_code="DEFAULT-9", case_date=date(2024, 5, 5))


def test_a_control_character_in_a_note_files_no_image_under_another_patient(
    store: Store, annotator: Actor, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    write(folder, **{f"lesion{n}_png": photograph(n) for n in range(5)})
    lines = [
        f"lesion{n}.png,first{mark}second,C8B-{n},2024-02-01,native"
        for n, mark in enumerate(["\x85", "\u2028", "\x0b", "\x0c", "\x1d"])
    ]
    report = imported(store, annotator, folder, "\n".join(["file,note,patient_code,case_date,stage", *lines]) + "\n")
    assert (report.imported, report.refused) == (5, 0)
    with store.reading() as session:
        assert sorted(session.scalars(select(Patient.code))) == [f"C8B-{n}" for n in range(5)]
        assert set(session.scalars(select(Case.case_date))) == {date(2024, 2, 1)}
        assert set(session.scalars(select(Image.stage))) == {Stage.NATIVE}


def test_rows_that_cannot_be_told_are_refused_by_line_and_the_rest_is_kept(
    store: Store, annotator: Actor, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    write(folder, a_png=photograph(1), b_png=photograph(2), c_png=photograph(3), d_png=photograph(4))
    lines = [
        "file,patient_code,case_date,stage", "a.png,P-1,2024-05-06,native,more", "b.png,P-2,2024-05-06",
        "c.png,P-3,2024-05-06,native", "d.png,P-4,2024-05-06,native", ",,,", "d.png,P-5,2024-05-06,native",
    ]  # fmt: skip
    report = imported(store, annotator, folder, "\r\n".join(lines) + "\r\n,,,\r\n")
    reasons = {outcome.reason for outcome in report.outcomes}
    assert (report.imported, report.refused) == (1, 4)
    assert "Line 2 has 5 cells, and the headings are 4. A decimal comma?" in "".join(reasons)
    assert "Line 3 has no stage: it has 3 cells, and the headings are 4." in reasons
    assert "Lines 5, 7 say different things of this file. Keep the right one." in reasons
    assert report.notes == ("Empty rows of import.csv that were passed over: 2.",)


@pytest.mark.parametrize(
    "heading", ["file,stage,patient_code,case_date,stage", "file,patient_code,case_date,Stage,STAGE"]
)
def test_a_doubled_column_is_refused(store: Store, annotator: Actor, tmp_path: Path, heading: str) -> None:
    write(tmp_path / "in", a_png=photograph(1))
    with pytest.raises(InputRejected, match=r"(?i)column “stage” twice"):
        imported(store, annotator, tmp_path / "in", f"{heading}\na.png,native,P-1,2024-05-06,lugol\n")


def a_workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["File", "환자번호", "Case Date", "Stage", "Seconds after acid"])
    sheet.append(["a.png", 17, date(2024, 5, 6), "acetic acid", 60.0])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


HEADINGS = "file,patient_code,case_date,stage,seconds_after_acid\n"
TABLES: list[tuple[str, str | bytes]] = [
    ("import.xlsx", a_workbook()),
    ("Import.csv", "File;Patient Code;Case Date;Stage;seconds_after_acid\na.png;17;2024-05-06;acetic acid;60,0\n"),
    ("import.csv", ("sep=,\n" + HEADINGS + "a.png,17,2024. 5. 6.,acetic acid,60\n").replace(",", "\t")),
    ("import.csv", ("파일,환자번호,검사일,단계,seconds_after_acid\n" + "a.png,17,2024/05/06,,60\n").encode("cp949")),
    ("import.csv", (HEADINGS + "a.png,17,2024-05-06,,60\n").encode("utf-16")),
]


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_a_table_may_be_of_any_make(
    store: Store, annotator: Actor, tmp_path: Path, name: str, table: str | bytes
) -> None:
    write(tmp_path / "in", a_png=photograph(1))
    report = imported(store, annotator, tmp_path / "in", table, name)
    assert (report.imported, report.refused) == (1, 0), report.outcomes
    with store.reading() as session:
        assert session.scalars(select(Patient.code)).all() == ["17"]
        assert session.scalars(select(Case.case_date)).all() == [date(2024, 5, 6)]
        assert session.scalars(select(Image.seconds_after_acid)).all() == [60]


def test_two_tables_in_a_folder_are_asked_about(store: Store, annotator: Actor, tmp_path: Path) -> None:
    write(tmp_path / "in", a_png=photograph(1))
    (tmp_path / "in" / "import.xlsx").write_bytes(a_workbook())
    with pytest.raises(InputRejected, match=r"import\.csv and import\.xlsx, and which is meant"):
        imported(store, annotator, tmp_path / "in", "file,patient_code,case_date,stage\n")


def test_a_file_is_found_by_its_name_composed_or_not(store: Store, annotator: Actor, tmp_path: Path) -> None:
    composed, apart = "andr\u00e9.png", "andre\u0301.png"
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / apart).write_bytes(photograph(1))
    (folder / "IMG_1.JPG").write_bytes(photograph(2))
    lines = f"file,patient_code,case_date,stage\n{composed},P-1,2024-05-06,native\nimg_1.jpg,P-2,2024-05-06,native\n"
    report = imported(store, annotator, folder, lines)
    assert [outcome.name for outcome in report.outcomes] == [apart, "IMG_1.JPG"]
    assert (report.imported, report.refused) == (2, 0)
    (folder / "img_1.JPG").write_bytes(photograph(3))
    again = imported(store, annotator, folder, lines.replace("P-2", "P-3"))
    assert "several files of this name" in again.outcomes[1].reason


def test_what_lies_beside_the_images_is_passed_over_in_one(store: Store, annotator: Actor, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write(folder, a_png=photograph(1), b_png=photograph(2), **{f"n{n}": b"text" for n in range(2)})
    for name in ("README.md", "metadata.txt", "scraper.py"):
        (folder / name).write_bytes(b"text")
    report = imported(store, annotator, folder, "file,patient_code,case_date,stage\na.png,P-1,2024-05-06,native\n")
    assert report.passed_over == ("README.md", "metadata.txt", "scraper.py")
    assert [outcome.name for outcome in report.outcomes] == ["a.png", "b.png", "n0", "n1"]
    assert {outcome.reason for outcome in report.outcomes[1:]} == {"The table does not list this file."}
