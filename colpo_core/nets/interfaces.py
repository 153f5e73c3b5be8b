"""What a segmenter is and what a classifier is: all that training, inference and the pipeline ask of a network.

Both carry their normalisation with them, and take images of 0 to 1 as they are.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from colpo_core.records.models.networks import MIRRORED
from colpo_core.records.statistics.calibration import Calibration

BACKGROUND = 0
ACETOWHITE = 1
NORMAL = 0
HSIL = 1
N_CLASSES = 2
"""Of pixels (background, acetowhite) and of images (normal, HSIL) alike."""
_AS_IT_IS = Calibration()


class Segmenter(nn.Module, ABC):
    """Which pixels show acetowhite epithelium.

    Attributes:
        name: As the registry has it.
        averages_flips: Whether `acetowhite` is the mean over an image and its three mirror images, each turned back;
            for a network that has learned from mirror images.
    """

    name: str
    averages_flips: bool = False

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Score each pixel.

        Args:
            images: B x 3 x H x W float RGB in 0..1, of any size.

        Returns:
            B x 2 x H x W logits: channel 0 background, channel 1 acetowhite.

        Raises:
            ValueError: The batch does not have 3 channels.
        """

    @abstractmethod
    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Copy published weights into the part that they fit, the encoder.

        Args:
            weights: State of the published network whose name the network's entry gives as `weights`.

        Raises:
            ValueError: They are another network's. Nothing was copied.
        """

    def acetowhite(self, images: Tensor) -> Tensor:
        """Probability of acetowhite epithelium, as the classifiers' fourth channel takes it.

        Args:
            images: B x 3 x H x W float RGB in 0..1.

        Returns:
            B x 1 x H x W float32 in 0..1.
        """
        if not self.averages_flips:
            return self._acetowhite(images)
        views = (torch.flip(self._acetowhite(torch.flip(images, sides)), sides) for sides in MIRRORED)
        return torch.stack(list(views)).mean(dim=0)

    def _acetowhite(self, images: Tensor) -> Tensor:
        logits: Tensor = self(images)
        return logits.float().softmax(dim=1)[:, ACETOWHITE : ACETOWHITE + 1]


class Classifier(nn.Module, ABC):
    """Whether an image shows `normal` or `hsil`.

    Its logits are one linear layer on the mean of the last maps, so that Grad-CAM has a closed form; and the weights of
    the first layer for a fourth channel start at zero, so that from one seed three and four channels start alike.
    """

    name: str
    in_channels: int

    def forward(self, images: Tensor) -> Tensor:
        """Score each image.

        Args:
            images: B x C x H x W float in 0..1; RGB, and with four channels the probability of acetowhite.

        Returns:
            B x 2 logits: 0 `normal`, 1 `hsil`.

        Raises:
            ValueError: The batch does not have this network's channels.
        """
        return self.logits(self.features(images))

    @abstractmethod
    def features(self, images: Tensor) -> Tensor:
        """The last maps, B x K x h x w, which Grad-CAM explains; takes what `forward` takes."""

    @abstractmethod
    def logits(self, features: Tensor) -> Tensor:
        """B x 2 logits of the maps that `features` gave: global mean, then one linear layer."""

    @property
    @abstractmethod
    def class_weights(self) -> Tensor:
        """2 x K: weight of each map in each class's logit."""

    @property
    @abstractmethod
    def last_block(self) -> nn.Module:
        """The module whose output `features` is; what grad-cam takes as target layer."""

    @abstractmethod
    def load_pretrained(self, weights: Mapping[str, Tensor]) -> None:
        """Copy published weights, all but the last layer, whose classes are other ones.

        Args:
            weights: State of the published network whose name the network's entry gives as `weights`; with three
                channels. A fourth channel's weights start at zero.

        Raises:
            ValueError: They are another network's. Nothing was copied.
        """


def prob_hsil(logits: Tensor, calibration: Calibration = _AS_IT_IS) -> Tensor:
    """Calibrated probability of HSIL: the one way from a classifier's logits to a probability.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, eq. 9 (temperature scaling), and an
    intercept; see `evaluation.calibration.fit_calibration` for both.

    Args:
        logits: B x 2 logits.
        calibration: Leaves the network's own probabilities unless another is given.

    Returns:
        B in 0..1: float64 of float64 logits, so that near certainty cases keep their order; else float32.
    """
    exact = logits if logits.dtype == torch.float64 else logits.float()
    cooled = exact / calibration.temperature
    if calibration.intercept:
        cooled = torch.stack([cooled[:, NORMAL], cooled[:, HSIL] + calibration.intercept], dim=1)
    return cooled.softmax(dim=1)[:, HSIL]
