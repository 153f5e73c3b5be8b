import errno
from pathlib import Path

import pytest

from colpo_core.datasets.disk_space import check_disk_space, explaining_disk
from colpo_core.errors import JobFailed


def test_room_is_there_or_said_to_be_missing(tmp_path: Path) -> None:
    check_disk_space(tmp_path, 1)
    with pytest.raises(JobFailed, match=r"1152921504\.6 GB are needed"):
        check_disk_space(tmp_path, 2**60)


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "ran full"), (errno.EDQUOT, "ran full"), (errno.EACCES, "cannot be written")]
)
def test_what_the_system_says_becomes_a_sentence(number: int, words: str) -> None:
    with pytest.raises(JobFailed, match=words), explaining_disk():
        raise OSError(number, "Denied")


def test_other_errors_pass() -> None:
    with pytest.raises(KeyError), explaining_disk():
        raise KeyError("a")
