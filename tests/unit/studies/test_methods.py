from colpo_core.studies.methods import METHODS_CHANGES, METHODS_VERSION, changes_since


def test_an_old_report_is_told_what_changed_and_a_new_one_nothing() -> None:
    assert changes_since(METHODS_VERSION) == ()
    assert len(changes_since(1)) == len(METHODS_CHANGES)
    assert max(since for since, _ in METHODS_CHANGES) == METHODS_VERSION
