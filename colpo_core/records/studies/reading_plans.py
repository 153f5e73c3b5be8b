"""How a study is read: sessions and the days between them, hidden repeats, confidence, and what it is to show."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from colpo_core.errors import InputRejected
from colpo_core.records.statistics.reader_figures import ENDPOINT_WORDS, Endpoint
from colpo_core.terms import ExposureRule, Finding

MOST_SESSIONS = 10
MOST_WASHOUT_DAYS = 3650
# Above one half there would not be room to keep the two showings of a case far apart.
MOST_REPEATED = 0.5


class ConfidenceScale(StrEnum):
    """In what a reader tells how sure the call is. Either way 0 (a guess) to 100 (certain) is kept."""

    PERCENT = "percent"
    FIVE_STEPS = "five_steps"


class Aid(StrEnum):
    """Whether readers see the model's output (mask, probability, Grad-CAM), and when."""

    NONE = "none"
    AFTER_FIRST_CALL = "after_first_call"
    AT_ONCE = "at_once"


STEPS = (0, 25, 50, 75, 100)
MOST_POINTS = 6
ASKED_FINDINGS = (Finding.ACETOWHITE, Finding.MOSAIC, Finding.PUNCTATION, Finding.ATYPICAL_VESSELS)
_AID_WORDS = {
    Aid.AFTER_FIRST_CALL: "after a first call, which is locked, a second call is made with the model's output",
    Aid.AT_ONCE: "a crossover: in each session half of the cases is read with the model's output, the other half in "
    "the next; which half comes first changes from reader to reader",
}
_WHOLE_SESSIONS = (
    "whole sessions: one session is read with the model's output and the next without it, in turns; half of the "
    "readers begin with it"
)
EXPOSURE_WORDS = {
    ExposureRule.EXCLUDE: "is not given to that reader",
    ExposureRule.FLAG: "is given to that reader, and the reading flagged",
}


@dataclass(frozen=True)
class ReadingPlan:
    """How a study is read and what it is to show; part of the seal.

    Attributes:
        n_sessions: How often each reader reads all cases.
        washout_days: Days from a reader's last answer of one session to the first case of the next.
        repeat_share: Share of the cases that is shown a second time within a session, 0 to 0.5. A whole 0 is sealed as
            such, and stays one where it is read.
        confidence: In what the confidence is given.
        endpoint: The primary endpoint.
        margin: Margin of non-inferiority on the endpoint's scale, above 0 and below 1; None for none.
        alpha: Two-sided level of significance, above 0 and below 1.
        hypotheses: What is expected, in words.
        exposed: What happens with a case that a reader was exposed to; None in a study from before the ledger.
        interim_results: Whether results may be seen before the study is closed; None in one from before that rule.
        aid: Whether and when readers see the model's output.
        aid_checkpoint_id: Whose output; one of the checkpoints that are compared.
        asks_points: Whether readers may set biopsy sites as points on the image.
        asks_findings: Whether readers may name findings.
        shows_stages: Whether readers may look at the case's other images, such as before acetic acid or with iodine.
        crossover: Where the aid is shown at once: whether each session holds both arms, half of the cases each; else a
            session is of one arm as a whole.
    """

    n_sessions: int = 1
    washout_days: int = 28
    repeat_share: int | float = 0.0
    confidence: ConfidenceScale = ConfidenceScale.PERCENT
    endpoint: Endpoint = Endpoint.AUC
    margin: float | None = None
    alpha: float = 0.05
    hypotheses: str = ""
    exposed: ExposureRule | None = None
    interim_results: bool | None = None
    aid: Aid = Aid.NONE
    aid_checkpoint_id: int | None = None
    asks_points: bool = False
    asks_findings: bool = False
    shows_stages: bool = False
    crossover: bool = True

    def check(self) -> None:
        """Check every value.

        Raises:
            InputRejected: A value is not fit; the message names what is.
        """
        if not 1 <= self.n_sessions <= MOST_SESSIONS:
            raise InputRejected(f"A study has 1 to {MOST_SESSIONS} sessions a reader, not {self.n_sessions}.")
        if not 0 <= self.washout_days <= MOST_WASHOUT_DAYS:
            raise InputRejected(f"The washout is 0 to {MOST_WASHOUT_DAYS:,} days, not {self.washout_days}.")
        if not 0 <= self.repeat_share <= MOST_REPEATED:
            raise InputRejected(f"The share of hidden repeats is 0 to {MOST_REPEATED}, not {self.repeat_share}.")
        if not 0 < self.alpha < 1:
            raise InputRejected("Alpha is above 0 and below 1, such as 0.05.")
        if self.margin is not None and not 0 < self.margin < 1:
            raise InputRejected("The margin of non-inferiority is above 0 and below 1, such as 0.05.")
        if self.aid is not Aid.NONE and self.aid_checkpoint_id is None:
            raise InputRejected("Choose the checkpoint whose output aids the readers.")
        self._check_arms()

    def _check_arms(self) -> None:
        if self.aid is not Aid.AT_ONCE:
            return
        if self.crossover and self.n_sessions % 2:
            raise InputRejected(
                "A crossover takes an even number of sessions, so that each case is read with and without the aid. "
                f"{self.n_sessions} is odd."
            )
        if self.n_sessions == 1:
            raise InputRejected(
                "Aided in whole sessions takes two sessions at least: one with the aid and one without it."
            )

    @property
    def calls_a_showing(self) -> int:
        """Answers on each showing of a case."""
        return 2 if self.aid is Aid.AFTER_FIRST_CALL else 1

    @property
    def exposure_rule(self) -> ExposureRule:
        """What happens with a case that a reader was exposed to; a study from before the ledger flags it."""
        return self.exposed or ExposureRule.FLAG

    def sentences(self, n_practice: int = 0) -> tuple[str, ...]:
        """How the study is read and what it is to show, for a page or a report."""
        said = ["One session a reader"]
        if self.n_sessions > 1:
            said = [f"{self.n_sessions} sessions a reader, at least {self.washout_days} days apart"]
        if self.repeat_share:
            said.append(f"Hidden repeats: {self.repeat_share:.0%} of the cases in each session")
        if n_practice:
            said.append(f"Practice cases: {n_practice}, outside the analysis")
        scale = "0 to 100" if self.confidence is ConfidenceScale.PERCENT else "five steps"
        said.append(f"Confidence: {scale}")
        margin = "" if self.margin is None else f", margin of non-inferiority {self.margin:g}"
        said.append(f"Primary endpoint: {ENDPOINT_WORDS[self.endpoint]}, alpha {self.alpha:g}{margin}")
        said.append(f"A case that a reader was exposed to {EXPOSURE_WORDS[self.exposure_rule]}")
        asked = [("biopsy sites as points", self.asks_points), ("findings", self.asks_findings)]
        if any(is_asked for _, is_asked in asked):
            said.append(f"Asked beside call and confidence: {', '.join(what for what, is_asked in asked if is_asked)}")
        if self.shows_stages:
            said.append("The case's other images may be looked at")
        if self.aid is not Aid.NONE:
            in_whole = self.aid is Aid.AT_ONCE and not self.crossover
            said.append(f"Aided reading: {_WHOLE_SESSIONS if in_whole else _AID_WORDS[self.aid]}")
        if self.interim_results:
            said.append("Results may be seen before the study is closed")
        if self.hypotheses:
            said.append(f"Hypotheses: {self.hypotheses}")
        return tuple(said)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What of the plan weakens what the study can show: sentences, for whoever seals it and whoever reads it."""
        if self.n_sessions < 2 or self.washout_days:
            return ()
        said = (
            "There is no washout between the sessions: readers may begin the next one as soon as one is read, and may "
            "remember the cases."
        )
        if self.aid is Aid.AT_ONCE:
            said += " A difference between reading with the model's output and without it may then be memory."
        return (said,)

    def n_repeats(self, n_cases: int) -> int:
        """Cases that are shown twice in each session; never more than half of them."""
        return min(math.floor(self.repeat_share * n_cases + 0.5), n_cases // 2)

    def n_each(self, n_cases: int) -> int:
        """Readings of one reader over all sessions, repeats and second calls among them; practice is not."""
        return self.n_sessions * (n_cases + self.n_repeats(n_cases)) * self.calls_a_showing

    def opens_at(self, last_answer_at: datetime) -> datetime:
        """When the session after one that ended so may begin."""
        return last_answer_at + timedelta(days=self.washout_days)

    def takes(self, confidence: object) -> bool:
        """Whether a confidence is one of the scale."""
        if not isinstance(confidence, int) or isinstance(confidence, bool):
            return False
        return confidence in STEPS if self.confidence is ConfidenceScale.FIVE_STEPS else 0 <= confidence <= 100
