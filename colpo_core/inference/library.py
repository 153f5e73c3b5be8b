"""Maps by other methods, drawn by the grad-cam library.

A room of its own, because the library costs seconds to import and a backward pass for every map, which the closed form
of `gradcam` does not.

Source: Selvaraju et al., ICCV 2017 (Grad-CAM); Chattopadhay et al., WACV 2018 (Grad-CAM++); Jiang et al., IEEE TIP 2021
(LayerCAM); Muhammad, Yeasin, IJCNN 2020 (Eigen-CAM).
"""

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_grad_cam import EigenCAM, GradCAM, GradCAMPlusPlus, LayerCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor

from colpo_core.images.letterbox import crop_box
from colpo_core.nets.frames import prepare, to_batch
from colpo_core.nets.interfaces import HSIL, NORMAL, Classifier
from colpo_core.nets.pipeline import Pipeline, with_acetowhite

METHODS = ("gradcam", "gradcam++", "layercam", "eigencam")
"""What `library_maps` draws."""

_BY_CLASS = {"gradcam": GradCAM, "gradcam++": GradCAMPlusPlus, "layercam": LayerCAM}
_CLASSES = {"normal": NORMAL, "hsil": HSIL}


def library_maps(pipeline: Pipeline, rgb: NDArray[np.uint8], method: str) -> dict[str, NDArray[np.float32]]:
    """Maps of one image by another method, drawn by the grad-cam library with a backward pass.

    Args:
        pipeline: In eval mode.
        rgb: HWC uint8.
        method: `gradcam`, `gradcam++`, `layercam` or `eigencam`.

    Returns:
        `3ch-normal`, `3ch-hsil`, `4ch-normal`, `4ch-hsil`; for `eigencam`, which knows no class, `3ch` and `4ch`. Each
        is float32 in 0..1, scaled to its own largest value, and covers exactly the image, at the working size.

    Raises:
        ValueError: There is no such method, or the pipeline is in training mode.
    """
    if method not in METHODS:
        raise ValueError(f"the method must be one of {', '.join(METHODS)}, not {method!r}")
    if pipeline.training:
        raise ValueError("the pipeline is in training mode; call eval() first")
    box, geometry = prepare(rgb, pipeline.spec)
    # The library needs a backward pass, even where the caller has switched gradients off.
    with torch.inference_mode(False), torch.enable_grad():
        images = to_batch(box, pipeline.device)
        with torch.no_grad():
            four = with_acetowhite(images, pipeline.segmenter.acetowhite(images))
        maps = {
            **_library_maps_of(pipeline.classifier_3ch, images, method, "3ch"),
            **_library_maps_of(pipeline.classifier_4ch, four, method, "4ch"),
        }
    return {name: np.array(crop_box(values, geometry)) for name, values in maps.items()}


def _library_maps_of(net: Classifier, images: Tensor, method: str, prefix: str) -> dict[str, NDArray[np.float32]]:
    # An input that asks for a gradient makes the pass back possible through frozen weights too.
    asking = images.detach().clone().requires_grad_(True)
    try:
        if method == "eigencam":
            with EigenCAM(model=net, target_layers=[net.last_block]) as cam:
                return {prefix: np.asarray(cam(asking, targets=None)[0], dtype=np.float32)}
        with _BY_CLASS[method](model=net, target_layers=[net.last_block]) as cam:
            return {
                f"{prefix}-{name}": np.asarray(
                    cam(asking, targets=[ClassifierOutputTarget(index)])[0], dtype=np.float32
                )
                for name, index in _CLASSES.items()
            }
    finally:
        net.zero_grad(set_to_none=True)
