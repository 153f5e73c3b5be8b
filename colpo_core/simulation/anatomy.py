"""The anatomy of a simulated case: what is drawn at random, and where each tissue lies.

`draw_plan` draws every number that decides how the cervix looks; `lay_out` turns a plan into regions. Lengths of a
plan are in cervix radii and angles in radians, so a plan does not depend on the size of the image.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from colpo_core.simulation.textures import Field, Shape, blur, noise, smoothstep

SMALLEST_PIECE = 0.0008  # of the image; a smaller piece of a lesion is no lesion that a person would outline
EDGE_RADIUS = 0.97  # a lesion ends where the cervix turns away


@dataclass(frozen=True)
class LesionPlan:
    """One acetowhite lesion, which begins at the junction.

    Attributes:
        angle: Direction of its middle, seen from the os.
        half_angle: Half of the angle that it spans.
        reach: How far it goes beyond the junction.
    """

    angle: float
    half_angle: float
    reach: float


@dataclass(frozen=True)
class CervixPlan:
    """Every number that decides how one cervix is built.

    Attributes:
        centre_x: Middle of the cervix, in image heights from the left edge's middle column.
        centre_y: The same downwards, from the middle row.
        radius: Radius of the cervix in image heights.
        aspect: Its height over its width.
        turn: How far it is turned.
        os_length: Half of the os's length; a nulliparous os is nearly round.
        os_opening: Half of its opening.
        junction: Mean distance of the squamocolumnar junction from the os.
        raggedness: How irregular the junction is.
        lesions: Lesions, empty where there are none.
        density: Density of the acetowhite, 0 to 1.
        margin: Softness of the lesions' margin, 0 sharp to 1 diffuse.
        geography: How irregular their outline is.
    """

    centre_x: float
    centre_y: float
    radius: float
    aspect: float
    turn: float
    os_length: float
    os_opening: float
    junction: float
    raggedness: float
    lesions: tuple[LesionPlan, ...]
    density: float
    margin: float
    geography: float


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Where each tissue lies; all arrays are H x W.

    Attributes:
        radius_px: Radius of the cervix in pixels.
        x: Rightwards from the os, in radii, in the cervix's own turned frame.
        y: Downwards likewise.
        r: Distance from the os, in radii; 1 is the edge of the cervix.
        theta: Direction from the os.
        cervix: 1 on the cervix, 0 on the vaginal wall.
        os: 1 in the os.
        columnar: 1 on columnar epithelium, 0 on squamous.
        beyond_junction: Distance outwards from the junction, in radii; negative on columnar epithelium.
        lesion: True on acetowhite epithelium.
        depth: How far inside its lesion a pixel lies, in radii; 0 outside.
    """

    radius_px: float
    x: Field
    y: Field
    r: Field
    theta: Field
    cervix: Field
    os: Field
    columnar: Field
    beyond_junction: Field
    lesion: NDArray[np.bool_]
    depth: Field


def draw_plan(rng: np.random.Generator, *, has_lesion: bool, is_major: bool) -> CervixPlan:
    """Draw a cervix.

    Args:
        rng: Source of randomness.
        has_lesion: Whether there is any acetowhite epithelium.
        is_major: Whether it looks major: dense, large, with a sharper margin.
    """
    nulliparous = rng.random() < 0.35
    junction = float(rng.uniform(0.14, 0.5))
    density = 0.0
    if has_lesion:
        density = float(rng.uniform(0.58, 1.0) if is_major else rng.uniform(0.34, 0.57))
    return CervixPlan(
        centre_x=float(rng.normal(0, 0.07)),
        centre_y=float(rng.normal(0, 0.05)),
        radius=float(rng.uniform(0.47, 0.82)),
        aspect=float(rng.uniform(0.84, 1.05)),
        turn=float(rng.normal(0, 0.22)),
        os_length=float(rng.uniform(0.05, 0.09) if nulliparous else rng.uniform(0.14, 0.3)),
        os_opening=float(rng.uniform(0.02, 0.05)),
        junction=junction,
        raggedness=float(rng.uniform(0.04, 0.12)),
        lesions=_draw_lesions(rng, junction, is_major=is_major) if has_lesion else (),
        density=density,
        margin=float(rng.uniform(0.05, 0.35) if is_major else rng.uniform(0.25, 1.0)),
        geography=float(rng.uniform(0.05, 0.11)),
    )


def _draw_lesions(rng: np.random.Generator, junction: float, *, is_major: bool) -> tuple[LesionPlan, ...]:
    room = 0.92 - junction
    span = rng.uniform(0.6, 2.6) if is_major else rng.uniform(0.35, 1.7)
    reach = room * (rng.uniform(0.4, 0.9) if is_major else rng.uniform(0.25, 0.75))
    # Lesions like the twelve and the six o'clock position.
    first = LesionPlan(float(rng.choice([-1, 1]) * math.pi / 2 + rng.normal(0, 0.9)), float(span), float(reach))
    lesions = [first]
    for _ in range(int(rng.choice([0, 1, 2], p=[0.5, 0.33, 0.17]))):
        angle = first.angle + math.pi + rng.normal(0, 0.8)
        lesions.append(LesionPlan(float(angle), float(rng.uniform(0.2, 0.8)), float(room * rng.uniform(0.2, 0.7))))
    return tuple(lesions)


def lay_out(plan: CervixPlan, rng: np.random.Generator, shape: Shape) -> Anatomy:
    """Turn a plan into regions of an image.

    Args:
        plan: What to build.
        rng: Source of the irregularities that no plan names.
        shape: Height and width in pixels.
    """
    radius_px = plan.radius * shape[0]
    x, y = _frame(plan, rng, shape, radius_px)
    r = np.hypot(x, y)
    theta = np.arctan2(y, x)
    os = _os(plan, rng, x, y, radius_px)
    ragged = plan.raggedness * noise(rng, shape, 0.5 * radius_px, octaves=5)
    # The junction follows the shape of the os at first and rounds off further out.
    around_os = np.hypot(np.maximum(np.abs(x) - 0.7 * plan.os_length, 0.0), y)
    beyond_junction = around_os - plan.junction * (1 + 0.25 * np.sin(theta - plan.turn * 5)) + ragged
    columnar = smoothstep(0.02, -0.02, beyond_junction)
    field = _lesion_field(plan, rng, shape, (beyond_junction, r, theta))
    inside = (field > 0) & (beyond_junction > 0) & (r < EDGE_RADIUS) & (os < 0.5)
    lesion = _drop_pieces(inside)
    depth = cv2.distanceTransform(lesion.astype(np.uint8), cv2.DIST_L2, 3) / radius_px
    return Anatomy(
        radius_px=radius_px,
        x=x,
        y=y,
        r=r,
        theta=theta,
        cervix=smoothstep(1.035, 0.985, r),
        os=os,
        columnar=columnar,
        beyond_junction=beyond_junction,
        lesion=lesion,
        depth=np.asarray(depth, np.float32),
    )


def _frame(plan: CervixPlan, rng: np.random.Generator, shape: Shape, radius_px: float) -> tuple[Field, Field]:
    """Coordinates of the cervix, gently bent, because nothing there is a circle."""
    height, width = shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    across = (columns - width / 2) / radius_px - plan.centre_x / plan.radius
    down = (rows - height / 2) / radius_px - plan.centre_y / plan.radius
    cosine, sine = math.cos(plan.turn), math.sin(plan.turn)
    x = cosine * across + sine * down + 0.035 * noise(rng, shape, 0.9 * radius_px, octaves=2)
    y = (cosine * down - sine * across) / plan.aspect + 0.035 * noise(rng, shape, 0.9 * radius_px, octaves=2)
    return np.asarray(x, np.float32), np.asarray(y, np.float32)


def _os(plan: CervixPlan, rng: np.random.Generator, x: Field, y: Field, radius_px: float) -> Field:
    """A lens that bends like a mouth."""
    bend = float(rng.normal(0, 0.35)) / max(plan.os_length, 0.1)
    along = x / plan.os_length
    half_opening = plan.os_opening * np.sqrt(np.clip(1 - along**2, 0.0, 1.0))
    jitter = 0.012 * noise(rng, (x.shape[0], x.shape[1]), 0.12 * radius_px, octaves=3)
    gap = half_opening - np.abs(y - bend * (x**2 - plan.os_length**2 / 2)) + jitter
    return smoothstep(-0.012, 0.016, gap) * smoothstep(1.15, 0.9, np.abs(along))


def _lesion_field(plan: CervixPlan, rng: np.random.Generator, shape: Shape, polar: tuple[Field, Field, Field]) -> Field:
    """Positive inside a lesion, in radii; the noise makes the outline geographic."""
    beyond, r, theta = polar
    radius_px = plan.radius * shape[0]
    field = np.full(shape, -1.0, np.float32)
    for lesion in plan.lesions:
        away = np.abs(np.mod(theta - np.float32(lesion.angle - math.pi), np.float32(2 * math.pi)) - np.float32(math.pi))
        sideways = (lesion.half_angle - away) * np.maximum(r, 0.25)
        outwards = lesion.reach - beyond
        field = np.maximum(field, np.minimum(sideways, outwards))
    irregular = noise(rng, shape, 0.42 * radius_px, octaves=5)
    return np.asarray(field + plan.geography * irregular, np.float32)


def _drop_pieces(inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Leave out crumbs and close pinholes."""
    smallest = SMALLEST_PIECE * inside.size
    kept = _large_parts(inside, smallest)
    return ~_large_parts(~kept, smallest)


def _large_parts(region: NDArray[np.bool_], smallest: float) -> NDArray[np.bool_]:
    _, parts, figures, _ = cv2.connectedComponentsWithStats(region.astype(np.uint8), connectivity=4)
    is_kept = figures[:, cv2.CC_STAT_AREA] >= smallest
    is_kept[0] = False
    return np.asarray(is_kept[parts], np.bool_)


def soft_lesion(anatomy: Anatomy, plan: CervixPlan) -> Field:
    """The lesion with its margin: 0.5 on the true outline, softer the more diffuse the margin is."""
    sigma_px = anatomy.radius_px * (0.004 + 0.022 * plan.margin)
    soft = blur(anatomy.lesion.astype(np.float32), sigma_px)
    # The junction stays a sharp edge, and columnar epithelium does not turn into acetowhite.
    return np.asarray(soft * (1 - anatomy.columnar) * (1 - anatomy.os), np.float32)
