"""What can be asked of a table of ratings, and which combinations make no sense."""

from dataclasses import dataclass

import numpy as np

from colpo_core.errors import InputRejected
from colpo_core.records.statistics.multi_reader_figures import Covariance
from colpo_core.records.statistics.reader_figures import Endpoint


@dataclass(frozen=True)
class AnalysisOptions:
    """What is asked of the ratings.

    Attributes:
        threshold: A rating from here on is a positive call; without one there are no calls.
        covariance: How the readers' covariance is estimated.
        prevalence: Predictive values are given at it too.
        margin: Of non-inferiority of the first arm to the second, and of a model to the readers.
        endpoint: What the margin is of.
        alpha: 1 minus the intervals' confidence.
        model: Name of the treatment whose single reader is a standalone model.
        seed: Seed of the bootstraps.
        model_threshold: A rating of the model from here on is a positive call; the readers' threshold where None, which
            then must fit both scales.
        u_statistic: Whether all ratings are judged, by U-statistics; else, where some are missing, the cases that
            everybody has read.
    """

    threshold: float | None = None
    covariance: Covariance = Covariance.DELONG
    prevalence: float | None = None
    margin: float | None = None
    endpoint: Endpoint = Endpoint.AUC
    alpha: float = 0.05
    model: str | None = None
    seed: int = 0
    model_threshold: float | None = None
    u_statistic: bool = False

    def __post_init__(self) -> None:
        """Check the options.

        Raises:
            InputRejected: One of them makes no sense.
        """
        for threshold in (self.threshold, self.model_threshold):
            if threshold is not None and not np.isfinite(threshold):
                raise InputRejected("The threshold is a number.")
        if not 0 < self.alpha < 1:
            raise InputRejected("Alpha lies between 0 and 1; 0.05 is usual.")
        if self.prevalence is not None and not 0 < self.prevalence < 1:
            raise InputRejected("The prevalence lies between 0 and 1.")
        if self.margin is not None and not 0 < self.margin < 1:
            raise InputRejected("The margin lies between 0 and 1, such as 0.05.")
        if self.threshold is None:
            self._need_no_threshold()
        if self.model_threshold is not None and self.model is None:
            raise InputRejected("A threshold of the model is given, but no treatment is named as the model.")

    def _need_no_threshold(self) -> None:
        for is_asked, what in (
            (self.endpoint is not Endpoint.AUC, f"The {self.endpoint.value} needs"),
            (self.prevalence is not None, "Predictive values at a prevalence need"),
            (self.model_threshold is not None, "Calls of the model need readers' calls beside them, and these need"),
        ):
            if is_asked:
                raise InputRejected(
                    f"{what} a threshold (--threshold): from which rating on a case is called positive."
                )
