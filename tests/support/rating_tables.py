"""Tables of ratings that are drawn, of 30 cases with the condition and 30 without."""

import numpy as np

from colpo_core.studies.ratings import RatingTable
from colpo_core.studies.roe_metz import draw_ratings


def rating_table(
    *, aucs: tuple[float, float] = (0.8, 0.9), readers: int = 4, copies: int | None = None, seed: int = 0
) -> RatingTable:
    """All readers in both arms; with `copies`, each patient has as many cases, read alike."""
    generator = np.random.default_rng(seed)
    truth, ratings = draw_ratings(generator, n_readers=readers, n_positive=30, n_negative=30, aucs=aucs)
    n = 60 * (copies or 1)
    return RatingTable(
        ("aided", "unaided"),
        tuple(f"r{place}" for place in range(readers)),
        tuple(f"c{place}" for place in range(n)),
        np.repeat(truth, copies or 1),
        np.repeat(ratings, copies or 1, axis=2),
        tuple(f"p{place // copies:03d}" for place in range(n)) if copies else None,
    )
