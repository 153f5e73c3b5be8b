"""How a network's answers become probabilities, and how far those can be taken at their word."""

from dataclasses import dataclass

from colpo_core.records.statistics.figures import Estimate, Proportion


@dataclass(frozen=True)
class Calibration:
    """From a network's logit z to its probability of HSIL: 1 / (1 + exp(-(z / temperature + intercept))).

    Attributes:
        temperature: What the logit is divided by; above 0. Above 1 the network had been too sure of itself.
        intercept: What is added then: the logarithm of how much rarer HSIL is than in the balanced lesson that a
            network is taught, and the network's own lean to one label.
    """

    temperature: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True)
class CalibrationRecord:
    """How the probabilities of one network were calibrated, as a card says it.

    Attributes:
        method: `penalised` for slope and intercept fitted on the validation side, `offset` where that side does not
            hold both labels and only the weights of the labels were taken out.
        temperature: See `Calibration`.
        intercept: See `Calibration`.
        share_hsil: Share of HSIL that the probabilities are calibrated for, 0 to 1.
        n_normal: Images labelled normal that it was counted on: all that were learned from or chosen on.
        n_hsil: Images labelled HSIL.
        chosen_on: The side that temperature and intercept were fitted on.
    """

    method: str
    temperature: float
    intercept: float
    share_hsil: float
    n_normal: int
    n_hsil: int
    chosen_on: str = "validation"


@dataclass(frozen=True)
class CalibrationFigures:
    """Whether probabilities of HSIL mean what they say, over images or over cases.

    Attributes:
        n: Images or cases.
        n_patients: Patients behind them.
        mean_prob: Mean probability of HSIL; None without a row.
        observed: Share of HSIL among them.
        in_the_large: Mean probability less the observed share: 0 is right, above 0 the probabilities are too high.
        slope: Slope of the logistic regression of the label on the probability's logit: 1 is right, below 1 the
            probabilities are too extreme, above 1 not extreme enough. Not defined without both labels.
    """

    n: int
    n_patients: int
    mean_prob: float | None
    observed: Proportion
    in_the_large: Estimate
    slope: Estimate
