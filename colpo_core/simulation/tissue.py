"""The tissue of a simulated case: its surface, its colours, and what lies on it.

`draw_tissue` draws all that stays the same before and after acetic acid; `paint_scene` colours it for one of the two.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from colpo_core.simulation.anatomy import Anatomy, CervixPlan, soft_lesion
from colpo_core.simulation.lighting import CameraPlan, Colours, highlights, shade, spot
from colpo_core.simulation.textures import Field, Shape, blur, cells, grains, noise, smoothstep, splashes, vessels

_SQUAMOUS = np.array([[0.80, 0.47, 0.47], [0.71, 0.42, 0.46], [0.86, 0.60, 0.55], [0.76, 0.40, 0.38]], np.float32)
_COLUMNAR = np.array([0.75, 0.30, 0.28], np.float32)
_WALL = np.array([0.58, 0.34, 0.34], np.float32)
_WHITE_THIN = np.array([0.93, 0.78, 0.76], np.float32)
_WHITE_DENSE = np.array([1.02, 0.95, 0.90], np.float32)
_LEUKOPLAKIA = np.array([1.08, 1.00, 0.97], np.float32)
_MUCUS = np.array([0.92, 0.88, 0.78], np.float32)
_BLOOD = np.array([0.56, 0.02, 0.03], np.float32)
_VESSEL = np.array([0.60, 0.16, 0.18], np.float32)
_DARK = np.array([0.13, 0.03, 0.03], np.float32)
_METAL = np.array([0.62, 0.64, 0.60], np.float32)


@dataclass(frozen=True, eq=False)
class Tissue:
    """What one cervix looks like apart from acetic acid; all arrays are H x W unless said otherwise.

    Attributes:
        light: Brightness of the lit surface.
        sheen: Highlights before acetic acid.
        sheen_acid: Highlights after it; the surface is wetter.
        squamous: Colour of the squamous epithelium (3).
        mottle: Slow irregularities of colour.
        fine: Fast irregularities of brightness.
        vessels: Vessels of the squamous epithelium.
        grains: Villi of the columnar epithelium.
        mosaic: Vessels of a lesion, as a mosaic or as punctation.
        white: Acetowhite epithelium with its margin, 0 to 1.
        cloud: Irregular thickness of the acetowhite.
        metaplasia: Pale immature metaplasia at the junction, which is no lesion.
        leukoplakia: White keratosis, seen without acetic acid too.
        cysts: Nabothian cysts.
        folds: Folds of the vaginal wall.
        mucus: Mucus, 0 to 1.
        blood: Blood, 0 to 1.
        speculum: Speculum, 0 to 1.
        metal: Brightness of the speculum.
    """

    light: Field
    sheen: Field
    sheen_acid: Field
    squamous: NDArray[np.float32]
    mottle: Field
    fine: Field
    vessels: Field
    grains: Field
    mosaic: Field
    white: Field
    cloud: Field
    metaplasia: Field
    leukoplakia: Field
    cysts: Field
    folds: Field
    mucus: Field
    blood: Field
    speculum: Field
    metal: Field


def draw_tissue(rng: np.random.Generator, plan: CervixPlan, anatomy: Anatomy, camera: CameraPlan) -> Tissue:
    """Draw the tissue of a cervix under a light.

    Args:
        rng: Source of randomness.
        plan: The cervix.
        anatomy: Where its tissues lie.
        camera: The light that it is seen by.
    """
    # A generator for each part: what one draws does not shift what the others draw.
    build, colour, lesion, over, wet, wetter = rng.spawn(6)
    shape: Shape = (anatomy.r.shape[0], anatomy.r.shape[1])
    scale = anatomy.radius_px
    white = soft_lesion(anatomy, plan)
    grain = grains(build, shape, max(float(build.uniform(0.03, 0.055)) * scale, 2.5))
    folds = _folds(build, anatomy)
    leukoplakia = _leukoplakia(over, anatomy)
    mucus = _mucus(over, anatomy, plan)
    blood = _blood(over, anatomy)
    cysts = _cysts(build, anatomy)
    speculum, metal = _speculum(over, shape)
    relief = _relief(build, plan, anatomy, grain) + 0.10 * (folds - 0.5) * (1 - anatomy.cervix)
    relief = relief + 0.03 * cysts + 0.008 * white * plan.density + 0.008 * leukoplakia
    relief = relief + 0.016 * blur(mucus, 0.012 * scale)
    lit = shade(relief, camera, scale_px=scale) * spot(camera, shape)
    base = _SQUAMOUS[int(colour.integers(len(_SQUAMOUS)))] * colour.normal(1, 0.035, 3).astype(np.float32)
    return Tissue(
        light=np.asarray(lit, np.float32),
        sheen=highlights(wet, relief, camera, scale_px=scale),
        sheen_acid=highlights(wetter, relief, camera, scale_px=scale),
        squamous=np.asarray(base, np.float32),
        mottle=noise(colour, shape, 0.6 * scale, octaves=4),
        fine=noise(colour, shape, 0.035 * scale, octaves=3),
        vessels=_vessels(build, anatomy),
        grains=grain,
        mosaic=_mosaic(lesion, plan, anatomy),
        white=white,
        cloud=noise(lesion, shape, 0.3 * scale, octaves=4),
        metaplasia=_metaplasia(lesion, anatomy),
        leukoplakia=leukoplakia,
        cysts=cysts,
        folds=folds,
        mucus=mucus,
        blood=blood,
        speculum=speculum,
        metal=metal,
    )


def paint_scene(tissue: Tissue, plan: CervixPlan, anatomy: Anatomy, camera: CameraPlan, *, after_acid: bool) -> Colours:
    """Colour a scene before or after acetic acid.

    Returns:
        H x W x 3 float32, 1 is white; before lens and sensor.
    """
    scene = _epithelium(tissue, anatomy, after_acid=after_acid)
    if after_acid:
        scene = _whiten(scene, tissue, plan, anatomy)
    scene = _lay(scene, tissue.leukoplakia * (0.68 + 0.12 * tissue.cloud + 0.05 * tissue.fine), _LEUKOPLAKIA)
    scene = _lay(scene, 0.42 * tissue.cysts, np.array([0.95, 0.83, 0.62], np.float32))
    scene = _vaginal_wall(scene, tissue, anatomy)
    scene = scene * tissue.light[:, :, None]
    scene = _lay(scene, 0.92 * anatomy.os, _DARK * (0.6 + 0.4 * float(tissue.light.mean())))
    thick = tissue.mucus * (0.5 if after_acid else 0.65)
    scene = _lay(scene, thick, _MUCUS * (0.55 + 0.45 * tissue.light[:, :, None]))
    scene = _lay(scene, np.clip(1.35 * tissue.blood, 0, 0.95), _BLOOD * (0.45 + 0.75 * tissue.light[:, :, None]))
    sheen = tissue.sheen_acid if after_acid else tissue.sheen
    scene = scene + (1.05 - 0.5 * scene) * (sheen * np.clip(1.3 * tissue.light, 0.2, 1.0))[:, :, None]
    metal = (0.75 * _METAL + 0.25 * tissue.squamous) * tissue.metal[:, :, None]
    return np.asarray(_lay(scene, tissue.speculum, metal), np.float32)


def _lay(scene: Colours, opacity: NDArray[np.float32], colour: NDArray[np.float32]) -> Colours:
    laid = colour - scene
    laid *= np.clip(opacity, 0.0, 1.0)[:, :, None]
    laid += scene
    return np.asarray(laid, np.float32)


def _epithelium(tissue: Tissue, anatomy: Anatomy, *, after_acid: bool) -> Colours:
    """Squamous epithelium with its vessels, and columnar epithelium with its villi."""
    tone = 1 + 0.05 * tissue.mottle + 0.025 * tissue.fine
    squamous = tissue.squamous * tone[:, :, None]
    flush = np.clip(0.15 * tissue.mottle + 0.14 * smoothstep(0.35, 0.0, anatomy.beyond_junction), 0.0, 0.5)
    squamous = _lay(squamous, flush, _COLUMNAR)
    # Acetic acid blanches the fine vessels.
    squamous = _lay(squamous, (0.25 if after_acid else 0.5) * tissue.vessels, _VESSEL)
    columnar = _COLUMNAR * (1 + 0.085 * tissue.grains + 0.07 * tissue.mottle + 0.03 * tissue.fine)[:, :, None]
    if after_acid:
        # The tips of the villi whiten for a moment, which is normal.
        columnar = _lay(columnar, 0.2 * smoothstep(0.3, 1.8, tissue.grains), _WHITE_THIN)
    columnar = _lay(columnar, np.clip(0.28 - 0.12 * tissue.mottle, 0.05, 0.6), tissue.squamous)
    return _lay(squamous, anatomy.columnar, columnar)


def _whiten(scene: Colours, tissue: Tissue, plan: CervixPlan, anatomy: Anatomy) -> Colours:
    """What acetic acid does: metaplasia a little, lesions according to their density."""
    pale = 0.13 * smoothstep(0.5, 0.0, np.abs(anatomy.beyond_junction)) + tissue.metaplasia
    scene = _lay(scene, pale * (1 - 0.7 * anatomy.columnar), _WHITE_THIN)
    if plan.density <= 0:
        return scene
    inner = smoothstep(0.02, 0.16, anatomy.depth) if plan.density > 0.55 else np.float32(0)
    thick = plan.density * (0.86 + 0.11 * tissue.cloud + 0.16 * inner)
    opacity = tissue.white * np.clip(0.9 * thick - 0.03 * tissue.mottle, 0.1, 0.86)
    colour = _WHITE_THIN + (_WHITE_DENSE - _WHITE_THIN) * np.clip(thick, 0, 1)[:, :, None]
    grainy = 1 + 0.02 * tissue.fine
    scene = _lay(scene, opacity, colour * grainy[:, :, None])
    return _lay(scene, tissue.white * tissue.mosaic, _VESSEL)


def _vaginal_wall(scene: Colours, tissue: Tissue, anatomy: Anatomy) -> Colours:
    wall = (0.35 * tissue.squamous + 0.65 * _WALL) * (0.7 + 0.45 * tissue.folds + 0.05 * tissue.mottle)[:, :, None]
    fornix = smoothstep(1.22, 0.98, anatomy.r) * (0.75 + 0.5 * (tissue.folds - 0.5))
    wall = wall * (1 - 0.5 * fornix)[:, :, None] * (1 - 0.35 * smoothstep(1.1, 1.7, anatomy.r))[:, :, None]
    edge = 1 - 0.28 * smoothstep(0.78, 1.03, anatomy.r)
    return _lay(scene * edge[:, :, None], 1 - anatomy.cervix, wall)


def _relief(rng: np.random.Generator, plan: CervixPlan, anatomy: Anatomy, grain: Field) -> Field:
    """Height of the surface in radii: a dome with two lips, waves, and villi."""
    shape = (anatomy.r.shape[0], anatomy.r.shape[1])
    scale = anatomy.radius_px
    dome = 0.5 * np.sqrt(np.clip(1.3 - anatomy.r**2, 0.08, None))
    beyond = np.maximum(np.abs(anatomy.x) - plan.os_length, 0.0)
    to_os = np.hypot(beyond, anatomy.y)
    lips = -0.16 * np.exp(-((to_os / 0.11) ** 2)) - 0.05 * np.exp(-((to_os / 0.3) ** 2))
    waves = 0.022 * noise(rng, shape, 0.45 * scale, octaves=3)
    villi = 0.0016 * grain * anatomy.columnar
    wall = 0.35 * np.clip(anatomy.r - 1.04, 0.0, None)
    return np.asarray(dome + lips + waves + villi + wall, np.float32)


def _folds(rng: np.random.Generator, anatomy: Anatomy) -> Field:
    """Folds of the vaginal wall, which run around the cervix: 0 in a groove, 1 on a ridge."""
    texture = noise(rng, (256, 256), 26.0, octaves=3)
    around = (np.abs(anatomy.theta) / np.pi * 90 + 40).astype(np.float32)
    outwards = np.clip((anatomy.r - 0.9) * 105 + 20, 0, 255).astype(np.float32)
    swirl = cv2.remap(texture, around, outwards, cv2.INTER_LINEAR)
    return smoothstep(-1.3, 1.3, swirl)


def _vessels(rng: np.random.Generator, anatomy: Anatomy) -> Field:
    shape: Shape = (anatomy.r.shape[0], anatomy.r.shape[1])
    scale = anatomy.radius_px
    number = int(rng.integers(14, 46))
    drawn = vessels(rng, shape, number=number, length_px=0.55 * scale, width_px=max(0.011 * scale, 1.0), winding=0.17)
    return np.asarray(drawn * (0.45 + 0.55 * smoothstep(-0.5, 0.8, noise(rng, shape, 0.5 * scale))), np.float32)


def _mosaic(rng: np.random.Generator, plan: CervixPlan, anatomy: Anatomy) -> Field:
    """Vessels within a lesion: fine in minor lesions, coarse in major ones, none in a good third."""
    shape: Shape = (anatomy.r.shape[0], anatomy.r.shape[1])
    kind = rng.random()
    if not plan.lesions or kind < 0.35:
        return np.zeros(shape, np.float32)
    coarse = plan.density > 0.58
    length_px = anatomy.radius_px * (rng.uniform(0.055, 0.085) if coarse else rng.uniform(0.03, 0.045))
    walls, dots = cells(rng, shape, max(float(length_px), 4.0))
    pattern = walls if kind < 0.7 else dots
    patches = smoothstep(-0.3, 0.9, noise(rng, shape, 0.45 * anatomy.radius_px, octaves=2))
    return np.asarray((0.42 if coarse else 0.3) * pattern * patches, np.float32)


def _metaplasia(rng: np.random.Generator, anatomy: Anatomy) -> Field:
    """Tongues of immature metaplasia: pale, without a margin, and not acetowhite epithelium."""
    shape = (anatomy.r.shape[0], anatomy.r.shape[1])
    if rng.random() < 0.3:
        return np.zeros(shape, np.float32)
    width = float(rng.uniform(0.06, 0.22))
    tongues = width * (1 + 0.9 * noise(rng, shape, 0.3 * anatomy.radius_px, octaves=3))
    near = np.exp(-((anatomy.beyond_junction / np.maximum(tongues, 0.02)) ** 2))
    return np.asarray(float(rng.uniform(0.06, 0.24)) * near, np.float32)


def _leukoplakia(rng: np.random.Generator, anatomy: Anatomy) -> Field:
    """Sharp white plaques, mostly far from the junction."""
    shape = (anatomy.r.shape[0], anatomy.r.shape[1])
    field = np.full(shape, -1.0, np.float32)
    if rng.random() < 0.22:
        for _ in range(int(rng.integers(1, 4))):
            angle, distance = rng.uniform(-np.pi, np.pi), rng.uniform(0.55, 0.95)
            x, y = distance * np.cos(angle), distance * np.sin(angle)
            size = rng.uniform(0.04, 0.16)
            field = np.maximum(field, size - np.hypot(anatomy.x - x, (anatomy.y - y) * rng.uniform(0.8, 1.6)))
    ragged = field + 0.045 * noise(rng, shape, 0.2 * anatomy.radius_px, octaves=4)
    return smoothstep(-0.01, 0.045, ragged) * anatomy.cervix * (1 - anatomy.columnar)


def _cysts(rng: np.random.Generator, anatomy: Anatomy) -> Field:
    """Nabothian cysts: round yellowish domes."""
    field = np.zeros(anatomy.r.shape, np.float32)
    if rng.random() < 0.25:
        for _ in range(int(rng.integers(1, 4))):
            angle, distance = rng.uniform(-np.pi, np.pi), rng.uniform(0.3, 0.85)
            away = np.hypot(anatomy.x - distance * np.cos(angle), anatomy.y - distance * np.sin(angle))
            size = rng.uniform(0.025, 0.07)
            field = np.maximum(field, np.clip(1 - (away / size) ** 2, 0, 1).astype(np.float32))
    return field


def _mucus(rng: np.random.Generator, anatomy: Anatomy, plan: CervixPlan) -> Field:
    """Mucus in the os and, at times, a strand that hangs from it or a film beside it."""
    shape = (anatomy.r.shape[0], anatomy.r.shape[1])
    ragged = 0.04 * noise(rng, shape, 0.2 * anatomy.radius_px, octaves=3)
    stringy = 0.7 + 0.22 * noise(rng, shape, 0.16 * anatomy.radius_px, octaves=2)
    total = np.zeros(shape, np.float32)
    if rng.random() < 0.55:
        plug = plan.os_length * rng.uniform(0.4, 0.9)
        reach = rng.uniform(0.06, 0.55)
        sway = rng.normal(0, 0.25) * anatomy.y
        half = plug * (1 - 0.45 * np.clip(anatomy.y / reach, 0, 1))
        strand = np.minimum(half - np.abs(anatomy.x - sway), np.minimum(anatomy.y + 0.05, reach - anatomy.y))
        total = smoothstep(-0.03, 0.09, strand + ragged)
    if rng.random() < 0.4:
        angle, distance = rng.uniform(-np.pi, np.pi), rng.uniform(0.3, 0.8)
        away = np.hypot(anatomy.x - distance * np.cos(angle), anatomy.y - distance * np.sin(angle))
        film = smoothstep(-0.04, 0.09, rng.uniform(0.06, 0.2) - away + 1.6 * ragged)
        total = np.maximum(total, 0.75 * film)
    return np.asarray(np.clip(total * stringy, 0.0, 1.0), np.float32)


def _blood(rng: np.random.Generator, anatomy: Anatomy) -> Field:
    """Drops and smears near the os, and at times a streak that runs down."""
    shape: Shape = (anatomy.r.shape[0], anatomy.r.shape[1])
    scale = anatomy.radius_px
    if rng.random() < 0.5:
        return np.zeros(shape, np.float32)
    drops = splashes(rng, shape, number=int(rng.integers(2, 12)), length_px=float(rng.uniform(0.04, 0.12)) * scale)
    near = smoothstep(1.05, 0.45, anatomy.r)
    total = drops * (0.15 + 0.85 * near)
    if rng.random() < 0.25:
        at, sway = rng.normal(0, 0.06), rng.normal(0, 0.12)
        width = rng.uniform(0.015, 0.05)
        path = np.abs(anatomy.x - at - sway * np.sin(3 * anatomy.y)) - width
        ragged = 0.03 * noise(rng, shape, 0.2 * scale, octaves=4)
        streak = smoothstep(0.012, -0.012, path + ragged) * smoothstep(-0.02, 0.06, anatomy.y)
        total = np.maximum(total, streak * smoothstep(1.2, 0.6, anatomy.y))
    clots = 0.85 + 0.15 * noise(rng, shape, 0.06 * scale, octaves=3)
    return np.asarray(np.clip(total * clots, 0.0, 1.0), np.float32)


def _speculum(rng: np.random.Generator, shape: Shape) -> tuple[Field, Field]:
    """Blades of a speculum at two opposite edges: where they are, and how bright, both H x W."""
    rows, columns = shape
    if rng.random() < 0.45:
        return np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    down, across = np.mgrid[:rows, :columns].astype(np.float32)
    across = (across - columns / 2) / rows - rng.normal(0, 0.05)
    down = (down - rows / 2) / rows - rng.normal(0, 0.04)
    upright = rng.random() < 0.5
    turn = rng.normal(0, 0.2) + (np.pi / 2 if upright else 0.0)
    half = 0.5 if upright else 0.5 * columns / rows
    along, beside = np.cos(turn) * across + np.sin(turn) * down, np.cos(turn) * down - np.sin(turn) * across
    # Each blade is a trough: its rim is an arc that bows away from the cervix.
    outside = np.maximum(
        along - half * rng.uniform(0.84, 1.1) + rng.uniform(0.05, 0.35) * beside**2,
        -along - half * rng.uniform(0.84, 1.1) + rng.uniform(0.05, 0.35) * beside**2,
    )
    blades = smoothstep(-0.004, 0.008, outside)
    run = 0.5 + 0.5 * np.sin(beside * rng.uniform(2, 5) + rng.uniform(0, 6))
    glint = np.exp(-(((outside - 0.05) / 0.03) ** 2)) * np.clip(1.5 * run - 0.25, 0.0, None)
    metal = 0.34 + 0.3 * (1 - run) * np.exp(-((outside / 0.2) ** 2)) - 0.9 * np.clip(outside - 0.06, 0, 0.3) + glint
    sigma_px = float(rng.uniform(0.011, 0.022)) * rows
    return blur(blades, sigma_px), blur(np.asarray(metal, np.float32), sigma_px)
