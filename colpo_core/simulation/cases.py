"""Simulated cases: colposcopy images that the program draws itself, with the truth that belongs to them.

They stand in for photographs in demonstrations and tests. They are made so that brightness alone does not give the
lesion away: light is uneven, devices differ, and mucus, highlights, leukoplakia and metaplasia are as pale as a
lesion without being one. The histology goes with what can be seen, but not always, as in life.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colpo_core.simulation.anatomy import Anatomy, CervixPlan, draw_plan, lay_out
from colpo_core.simulation.lighting import draw_camera, take, visible
from colpo_core.simulation.tissue import draw_tissue, paint_scene
from colpo_core.terms import Colposcopy, Grade

SHARE_MAJOR = 0.45
SHARE_WITHOUT_LESION = 0.4  # of the images that do not look major
AGREEMENT = 0.9  # of the histology with what can be seen
SHARE_BEYOND = 0.07  # of the major ones whose histology is beyond CIN3
SMALLEST_SIDE_PX = 64


@dataclass(frozen=True, eq=False)
class SimulatedCase:
    """One simulated case.

    Attributes:
        rgb: H x W x 3 uint8, after acetic acid.
        mask: H x W bool, the true acetowhite epithelium.
        grade: Histology.
        colposcopy: What a colposcopist would record of it.
        lesion_density: 0 without a lesion, up to 1 for opaque white.
        seconds_after_acid: Seconds between acetic acid and the image.
        native_rgb: H x W x 3 uint8, the same cervix before acetic acid, in the same frame.
    """

    rgb: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    grade: Grade
    colposcopy: Colposcopy
    lesion_density: float
    seconds_after_acid: int
    native_rgb: NDArray[np.uint8]


def simulate_case(seed: int, *, height_px: int = 480, width_px: int = 640) -> SimulatedCase:
    """Draw a case; the same seed and size give the same case.

    Args:
        seed: Decides everything, at least 0.
        height_px: Height of the images, at least 64.
        width_px: Their width, at least 64.

    Raises:
        ValueError: A side is too short for a cervix.
    """
    if min(height_px, width_px) < SMALLEST_SIDE_PX:
        raise ValueError(f"a simulated image has at least {SMALLEST_SIDE_PX} pixels a side")
    # Each part has a generator of its own, so that a change of one part leaves the others as they were.
    clinic, body, ground, surface, light, sensor, before = np.random.default_rng(seed).spawn(7)
    is_major = bool(clinic.random() < SHARE_MAJOR)
    has_lesion = is_major or bool(clinic.random() >= SHARE_WITHOUT_LESION)
    shape = (height_px, width_px)
    plan = draw_plan(body, has_lesion=has_lesion, is_major=is_major)
    anatomy = lay_out(plan, ground, shape)
    camera = draw_camera(light)
    tissue = draw_tissue(surface, plan, anatomy, camera)
    rgb = take(sensor, paint_scene(tissue, plan, anatomy, camera, after_acid=True), camera)
    native_rgb = take(before, paint_scene(tissue, plan, anatomy, camera, after_acid=False), camera)
    mask = anatomy.lesion & visible(camera, shape) & (tissue.speculum < 0.5)
    return SimulatedCase(
        rgb=rgb,
        mask=mask,
        grade=_draw_grade(clinic, plan, anatomy, is_major=is_major),
        colposcopy=Colposcopy.ABNORMAL if mask.any() else Colposcopy.NORMAL,
        lesion_density=plan.density if mask.any() else 0.0,
        seconds_after_acid=int(clinic.integers(40, 121)),
        native_rgb=native_rgb,
    )


def _draw_grade(rng: np.random.Generator, plan: CervixPlan, anatomy: Anatomy, *, is_major: bool) -> Grade:
    agrees = rng.random() < AGREEMENT
    is_hsil = is_major if agrees else not is_major
    if is_hsil:
        if is_major and rng.random() < SHARE_BEYOND:
            return Grade.INVASIVE_CARCINOMA if rng.random() < 0.5 else Grade.ADENOCARCINOMA_IN_SITU
        leans_to_three = plan.density + rng.normal(0, 0.15) > 0.75
        return Grade.CIN3 if leans_to_three else Grade.CIN2
    if not anatomy.lesion.any():
        return Grade.NORMAL if rng.random() < 0.75 else Grade.CHRONIC_CERVICITIS
    grades = [Grade.CIN1, Grade.CHRONIC_CERVICITIS, Grade.NORMAL]
    return grades[int(rng.choice(3, p=[0.6, 0.25, 0.15]))]
