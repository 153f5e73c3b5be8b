"""The data set's layout is read as it is, and a folder that is something else says so."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colpo_core.errors import InputRejected
from colpo_core.exchange.annocerv import AnnoCervImage, read_annocerv

ANNOCERV = Path(__file__).resolve().parents[4] / "shared" / "data" / "annocerv" / "dataset"
MAGENTA, BLUE, CLEAR = (255, 0, 255, 255), (0, 0, 255, 255), (0, 0, 0, 0)


def add_image(folder: Path, number: int, order: int, *colours: tuple[int, int, int, int], kind: str = "Aceto") -> None:
    """A photograph, and beside it a drawing with one line of each colour."""
    place = folder / f"Case {number}"
    place.mkdir(exist_ok=True)
    Image.new("RGB", (30, 20), (200, 120, 120)).save(place / f"C{number}{kind} ({order}).jpg")
    drawing = np.zeros((20, 30, 4), np.uint8)
    for row, colour in enumerate(colours):
        drawing[2 * row + 2, 5:25] = colour
    Image.fromarray(drawing).save(place / f"C{number}{kind} ({order}).png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    scores = ["0", "10", "", "7"] + ["1"] * 8
    (tmp_path / "swede_scores.csv").write_bytes(b"\xef\xbb\xbf" + "\r\n".join(scores).encode())
    add_image(tmp_path, 1, 1, MAGENTA)
    add_image(tmp_path, 2, 10, MAGENTA, BLUE)
    add_image(tmp_path, 2, 9, BLUE)
    add_image(tmp_path, 2, 1)
    add_image(tmp_path, 3, 1)
    add_image(tmp_path, 12, 1, MAGENTA)
    return tmp_path


def first_image(folder: Path) -> AnnoCervImage:
    return next(read_annocerv(folder)).images[0]


def test_cases_and_images_come_in_the_order_of_their_numbers(folder: Path) -> None:
    cases = list(read_annocerv(folder))
    assert [case.number for case in cases] == [1, 2, 3, 12]
    assert [case.patient_code for case in cases] == ["annocerv-1", "annocerv-2", "annocerv-3", "annocerv-12"]
    assert [image.name for image in cases[1].images] == ["C2Aceto (1).jpg", "C2Aceto (9).jpg", "C2Aceto (10).jpg"]


def test_line_n_is_the_score_of_case_n(folder: Path) -> None:
    assert [case.swede_score for case in read_annocerv(folder)] == [0, 10, None, 1]


def test_a_score_that_is_not_there_is_unknown(folder: Path) -> None:
    (folder / "swede_scores.csv").write_text("3\n", "utf-8")
    assert [case.swede_score for case in read_annocerv(folder)] == [3, None, None, None]


def test_the_outline_is_what_is_magenta(folder: Path) -> None:
    _, second, *_ = read_annocerv(folder)
    nothing, blue_only, both = (image.outline for image in second.images)
    assert nothing is None
    assert blue_only is None
    assert both is not None
    assert both.dtype == np.bool_
    assert both.shape == (20, 30)
    assert both.sum() == 20
    assert both[2, 5:25].all()


def test_a_softened_line_keeps_its_middle(folder: Path) -> None:
    add_image(folder, 1, 1, (250, 30, 240, 200), (255, 0, 255, 60), (255, 0, 0, 255))
    outline = first_image(folder).outline
    assert outline is not None
    assert outline.sum() == 20


def test_the_photograph_is_read_when_asked_for(folder: Path) -> None:
    image = first_image(folder)
    assert image.load() == (folder / "Case 1" / "C1Aceto (1).jpg").read_bytes()
    image.path.unlink()
    with pytest.raises(InputRejected, match="cannot be read"):
        image.load()


def test_what_is_not_after_acetic_acid_is_left_aside(folder: Path) -> None:
    add_image(folder, 1, 2, kind="Schiller")
    (folder / "Case 1" / "notes.txt").write_text("…", "utf-8")
    (folder / "Case 7").mkdir()
    cases = list(read_annocerv(folder))
    assert [case.number for case in cases] == [1, 2, 3, 12]
    assert len(cases[0].images) == 1


def test_a_photograph_without_a_drawing_has_no_outline(folder: Path) -> None:
    (folder / "Case 1" / "C1Aceto (1).png").unlink()
    assert first_image(folder).outline is None


def test_a_damaged_drawing_is_named(folder: Path) -> None:
    (folder / "Case 1" / "C1Aceto (1).png").write_bytes(b"\x89PNG and no more")
    with pytest.raises(InputRejected, match="C1Aceto"):
        _ = first_image(folder).outline


def test_a_drawing_of_another_size_is_named(folder: Path) -> None:
    Image.new("RGB", (31, 20)).save(folder / "Case 1" / "C1Aceto (1).jpg")
    with pytest.raises(InputRejected, match="differ in size"):
        _ = first_image(folder).outline


def test_a_photograph_that_lies_has_an_upright_drawing(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 30)).save(folder / "Case 1" / "C1Aceto (1).jpg", exif=exif)
    outline = first_image(folder).outline
    assert outline is not None
    assert outline.shape == (20, 30)


def test_a_missing_folder_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputRejected, match="no folder"):
        read_annocerv(tmp_path / "nowhere")


def test_another_folder_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir()
    with pytest.raises(InputRejected, match="Case 1"):
        read_annocerv(tmp_path)


def test_a_folder_without_scores_is_refused_at_once(folder: Path) -> None:
    (folder / "swede_scores.csv").unlink()
    with pytest.raises(InputRejected, match=r"swede_scores\.csv is missing"):
        read_annocerv(folder)


@pytest.mark.parametrize("line", ["eleven", "11", "-1", "2.5", "3;4"])
def test_a_score_that_is_none_is_refused_with_its_line(folder: Path, line: str) -> None:
    (folder / "swede_scores.csv").write_text(f"4\n{line}\n", "utf-8")
    with pytest.raises(InputRejected, match="Line 2"):
        read_annocerv(folder)


def test_scores_that_are_no_text_are_refused(folder: Path) -> None:
    (folder / "swede_scores.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputRejected, match="not text"):
        read_annocerv(folder)


@pytest.mark.annocerv
@pytest.mark.skipif(not ANNOCERV.is_dir(), reason=f"AnnoCerv's photographs are not at {ANNOCERV}")
def test_the_real_folder_is_read_whole() -> None:
    cases = list(read_annocerv(ANNOCERV))
    images = [image for case in cases for image in case.images]
    assert (len(cases), len(images), sum(image.outline is not None for image in images)) == (85, 256, 170)
    assert None not in [case.swede_score for case in cases]


@pytest.mark.parametrize("mark", ["\x0b", "\x0c", "\x85", "\u2028"])
def test_no_character_but_a_line_feed_moves_the_scores_of_later_cases(folder: Path, mark: str) -> None:
    (folder / "swede_scores.csv").write_text(f"4{mark}\n5\n", "utf-8")
    assert [case.swede_score for case in read_annocerv(folder)][:2] == [4, 5]
    (folder / "swede_scores.csv").write_text(f"4{mark}9\n5\n", "utf-8")
    with pytest.raises(InputRejected, match="Line 1"):
        list(read_annocerv(folder))
