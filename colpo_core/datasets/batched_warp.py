"""Augmentation of a whole batch where it lies, in place of image by image: for a GPU.

It does what `augmentation` does with OpenCV, from the same draws: the geometry as one bilinear `grid_sample` for the
images and a nearest one for the masks, the rest as operations on the whole batch. After each step the levels are
rounded as OpenCV rounds them, so that the tables of the tones serve here too.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colpo_core.datasets.augmentation import Augmentation, affine_matrix, blur_kernel, hue_matrix, tone_table
from colpo_core.datasets.frames import IGNORED

_COLOURS = 3


def batched_warp(images: Tensor, target: Tensor, drawn: Sequence[Augmentation]) -> tuple[Tensor, Tensor]:
    """Augment a batch, each image by its own draw.

    Args:
        images: B x C x H x W, uint8 or float, levels from 0 to 255: red, green and blue, and then soft channels, which
            follow the geometry alone.
        target: B x H x W of classes up to 255, any type.
        drawn: One draw an image.

    Returns:
        B x C x H x W float32 of whole levels from 0 to 255, what comes in from outside 0; and B x H x W int64 of
        classes, what comes in from outside `IGNORED`. Both on the device of what came in.

    Raises:
        ValueError: There are not as many draws as images.
    """
    if not len(images) == len(target) == len(drawn):
        raise ValueError(f"{len(images)} images and {len(target)} masks with {len(drawn)} draws")
    height, width = images.shape[-2:]
    grid = _sampling_grid(drawn, height, width, images.device)
    levels = F.grid_sample(images.float(), grid, mode="bilinear", padding_mode="zeros", align_corners=False).round_()
    # Outside, grid_sample gives 0: shifted, that is the class of what is ignored.
    classes = (target.float() - IGNORED).unsqueeze(1)
    classes = F.grid_sample(classes, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    colours = _photometry(levels[:, :_COLOURS], drawn)
    return torch.cat([colours, levels[:, _COLOURS:]], dim=1), (classes.squeeze(1) + IGNORED).long()


def _sampling_grid(drawn: Sequence[Augmentation], height: int, width: int, device: torch.device) -> Tensor:
    """B x H x W x 2: where each pixel comes from, both sides running from -1 to 1 over the pixels' outer edges."""
    to_share = np.array([[2 / width, 0, 1 / width - 1], [0, 2 / height, 1 / height - 1], [0, 0, 1]])
    to_pixels = np.linalg.inv(to_share)
    moves = np.stack([affine_matrix(augmentation, height_px=height, width_px=width) for augmentation in drawn])
    moves = np.concatenate([moves, np.tile([[[0.0, 0.0, 1.0]]], (len(drawn), 1, 1))], axis=1)
    origins = to_share @ np.linalg.inv(moves) @ to_pixels
    theta = torch.from_numpy(origins[:, :2].astype(np.float32)).to(device)
    return F.affine_grid(theta, [len(drawn), 1, height, width], align_corners=False)


def _photometry(colours: Tensor, drawn: Sequence[Augmentation]) -> Tensor:
    """Blur, tones and hue of B x 3 x H x W float32 of whole levels, in the order of `augmentation.warp_image`."""
    if any(augmentation.blurs for augmentation in drawn):
        colours = _blurred(colours, drawn)
    tables = torch.from_numpy(np.stack([tone_table(augmentation) for augmentation in drawn])).to(colours.device).float()
    n_images = len(drawn)
    colours = tables.gather(1, colours.reshape(n_images, -1).long()).reshape(colours.shape)
    if any(augmentation.hue_deg for augmentation in drawn):
        matrices = torch.from_numpy(np.stack([hue_matrix(augmentation) for augmentation in drawn])).to(colours.device)
        turned = torch.bmm(matrices, colours.reshape(n_images, _COLOURS, -1))
        colours = turned.reshape(colours.shape).round_().clamp_(0, 255)
    return colours


def _blurred(colours: Tensor, drawn: Sequence[Augmentation]) -> Tensor:
    """Each image by its own kernel, along the rows and then the columns; mirrored at the border as OpenCV does."""
    kernels = [blur_kernel(augmentation) for augmentation in drawn]
    reach = max(len(kernel) for kernel in kernels) // 2
    weights = np.stack([np.pad(kernel, reach - len(kernel) // 2) for kernel in kernels]).astype(np.float32)
    n_images, n_colours, height, width = colours.shape
    # A group of the convolution is one channel of one image.
    each = torch.from_numpy(np.repeat(weights, n_colours, axis=0)).to(colours.device)[:, None]
    padded = F.pad(colours, (reach, reach, reach, reach), mode="reflect")
    row = padded.reshape(1, n_images * n_colours, height + 2 * reach, width + 2 * reach)
    row = F.conv2d(row, each[:, :, None, :], groups=len(each))
    column = F.conv2d(row, each[:, :, :, None], groups=len(each))
    return column.reshape(n_images, n_colours, height, width).round_().clamp_(0, 255)
