"""Which cases a reader reads with the model's output in which session: a crossover, or whole sessions in turns.

In a crossover the cases of each label are cut into halves, one draw for the whole study. In a reader's first session
one half is aided, in the next the other, and so on in turns; which half comes first changes from reader to reader. So
every reader reads each case in both arms, each arm holds both labels alike in every session, and session and arm are
not confused.

In whole sessions a session is of one arm: with it, without it, in turns. Half of the readers begin with it, so that
over the readers session and arm are not confused either; over one reader they are.

Source: Obuchowski 1995, "Multireader, multimodality receiver operating characteristic curve studies", for fully crossed
designs; Gallas et al. 2012, "Evaluating imaging and computer-aided detection and diagnosis devices at the FDA", for
counterbalancing.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from colpo_core.terms import Label

_ARMS = 2
# No reader's row is 0, so that no reader's order is drawn from the same numbers.
_NOBODY, _WHOLE = 0, 3


def aided_cases(
    truth: Mapping[int, Label], readers: Sequence[int], *, seed: int, n_sessions: int
) -> Mapping[tuple[int, int], frozenset[int]]:
    """Draw the arms.

    Args:
        truth: Label of each case.
        readers: Readers in the order in which they take turns; those who came later stand at the end, and change
            nothing for those before them.
        seed: The study's seed.
        n_sessions: Sessions a reader, an even number.

    Returns:
        By reader and session (from 1) the cases that are aided; the others are not.

    Raises:
        ValueError: The number of sessions is odd.
    """
    if n_sessions % _ARMS:
        raise ValueError(f"a crossover has an even number of sessions, not {n_sessions}")
    halves = _halves(truth, seed)
    return {
        (reader, session): halves[(index + session) % _ARMS]
        for index, reader in enumerate(readers)
        for session in range(1, n_sessions + 1)
    }


def aided_sessions(
    case_ids: Iterable[int], readers: Sequence[int], *, seed: int, n_sessions: int
) -> Mapping[tuple[int, int], frozenset[int]]:
    """Draw the arms where a session is of one arm as a whole.

    Args:
        case_ids: The cases.
        readers: Readers in the order in which they take turns; those who came later stand at the end.
        seed: The study's seed; it says whether the first reader begins with the aid.
        n_sessions: Sessions a reader, two at least.

    Returns:
        By reader and session (from 1) the cases that are aided: all of them, or none.

    Raises:
        ValueError: There is one session only, so that a reader would have one arm.
    """
    if n_sessions < _ARMS:
        raise ValueError("two sessions at least, one of each arm")
    first = int(np.random.default_rng([seed, _NOBODY, _WHOLE]).integers(_ARMS))
    sides = (frozenset(case_ids), frozenset[int]())
    return {
        (reader, session): sides[(first + index + session) % _ARMS]
        for index, reader in enumerate(readers)
        for session in range(1, n_sessions + 1)
    }


def _halves(truth: Mapping[int, Label], seed: int) -> tuple[frozenset[int], frozenset[int]]:
    generator = np.random.default_rng([seed, _ARMS])
    halves: tuple[set[int], set[int]] = (set(), set())
    for label in Label:
        cases = sorted(case for case, is_label in truth.items() if is_label is label)
        drawn = [int(case) for case in generator.permutation(np.asarray(cases, np.int64))]
        # Of an odd number the larger part goes to the half that is smaller so far.
        first = 0 if len(halves[0]) <= len(halves[1]) else 1
        halves[first].update(drawn[::_ARMS])
        halves[1 - first].update(drawn[1::_ARMS])
    return frozenset(halves[0]), frozenset(halves[1])
