from dataclasses import replace
from pathlib import Path

from PIL import Image

from colpo_core.exchange.reproduction_plots import plot_title, write_plots
from tests.support.reproduced import reproduced


def test_three_plots_are_written_and_repeat_themselves(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    first.mkdir()
    second.mkdir()
    found = reproduced(classifiers=("resnet18", "resnet50"))
    written = write_plots(found, first)
    assert [place.name for place in written] == ["fig6-segmentation.png", "fig7a-accuracy.png", "fig7b-calls.png"]
    for place, again in zip(written, write_plots(found, second), strict=True):
        assert place.read_bytes() == again.read_bytes()
        with Image.open(place) as image:
            assert image.format == "PNG"
            assert image.width > 1000
            assert "Software" not in image.info


def test_what_was_found_and_what_leaks_is_drawn_and_no_mask_is_no_error(tmp_path: Path) -> None:
    found = reproduced()
    before = [place.read_bytes() for place in write_plots(found, tmp_path)]
    bare = tuple(replace(masks, n_images=0, by_image=()) for masks in found.masks)
    after = [place.read_bytes() for place in write_plots(replace(found, masks=bare, leaks="None."), tmp_path)]
    assert all(one != two for one, two in zip(before, after, strict=True))


def test_every_title_carries_leak_labels_and_simulation() -> None:
    title = plot_title(reproduced(), "Fig. 6")
    assert title.startswith("Fig. 6\n")
    assert "LEAKS" in title
    assert "not histology; SIMULATED images" in title
    assert "flatter the model" in title
