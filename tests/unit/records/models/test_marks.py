from colpo_core.records.models.cards import calibration_text
from colpo_core.records.models.marks import MarkKind, marks_of_card, marks_text, model_marks
from colpo_core.terms import LabelSource
from tests.support.cards import LEAK, new_card, old_card


def test_a_sound_model_of_this_version_has_no_mark() -> None:
    assert model_marks(new_card(), label_source=LabelSource.HISTOLOGY, simulated=False) == ()


def test_each_reason_for_care_has_a_mark_and_a_sentence() -> None:
    marks = model_marks(old_card() | {"leaks": [LEAK]}, label_source=LabelSource.IMPRESSION, simulated=True)
    assert [one.kind for one in marks] == list(MarkKind)
    assert marks_text(marks) == "LEAKS · SIMULATED · BY IMPRESSION, NOT HISTOLOGY · NOT CALIBRATED"
    assert marks_text(marks, without=(MarkKind.IMPRESSION, MarkKind.LEAKS)) == "SIMULATED · NOT CALIBRATED"
    assert marks[0].meaning == LEAK
    assert all(one.meaning.endswith(".") for one in marks)


def test_the_papers_protocol_leaks_also_where_an_old_card_does_not_say_so() -> None:
    (mark,) = model_marks(new_card(leaks=[], protocol="paper"), label_source=LabelSource.HISTOLOGY, simulated=False)
    assert mark.kind is MarkKind.LEAKS


def test_a_checkpoints_folder_tells_its_marks_by_its_card() -> None:
    card = new_card(simulated=True, label_source="impression")
    assert [one.kind for one in marks_of_card(card)] == [MarkKind.SIMULATED, MarkKind.IMPRESSION]
    assert marks_of_card(new_card()) == ()


def test_an_old_card_is_for_no_share_of_hsil_and_a_new_one_names_its_own() -> None:
    assert calibration_text(old_card()) == ""
    assert calibration_text(new_card()).startswith(
        "Probabilities are calibrated for a share of HSIL of 27.0%, that of the 100 images"
    )
