from dataclasses import replace

import numpy as np
import pytest

from colpo_core.records.statistics.reader_figures import Endpoint
from colpo_core.studies.endpoints import components
from colpo_core.studies.roe_metz import RoeMetz, draw_ratings


def test_drawn_ratings_have_the_areas_that_were_asked_for() -> None:
    generator = np.random.default_rng(2)
    found = []
    for _ in range(200):
        truth, ratings = draw_ratings(generator, n_readers=4, n_positive=30, n_negative=40, aucs=(0.7, 0.9))
        assert (truth.sum(), (~truth).sum(), ratings.shape) == (30, 40, (2, 4, 70))
        found.append(components(truth, ratings.reshape(8, -1), Endpoint.AUC).value.reshape(2, 4).mean(axis=1))
    assert np.mean(found, axis=0) == pytest.approx([0.7, 0.9], abs=0.02)


def test_variances_lie_where_they_are_put() -> None:
    nothing, size = RoeMetz(0, 0, 0, 0, 0, 0), {"n_readers": 3, "n_positive": 5, "n_negative": 5}
    only_case = replace(nothing, case=1)
    _, ratings = draw_ratings(np.random.default_rng(0), **size, aucs=(0.8, 0.8), model=only_case)
    assert np.ptp(ratings, axis=(0, 1)) == pytest.approx(np.zeros(10))
    only_readers = replace(nothing, reader=1)
    _, ratings = draw_ratings(np.random.default_rng(0), **size, aucs=(0.5, 0.5), model=only_readers)
    assert np.ptp(ratings[:, :, :5], axis=2) == pytest.approx(np.zeros((2, 3)))
    assert np.ptp(ratings[0, :, 0]) > 0


def test_the_same_seed_draws_the_same_study() -> None:
    one, other = (
        draw_ratings(np.random.default_rng(5), n_readers=2, n_positive=3, n_negative=3, aucs=(0.8, 0.9))[1]
        for _ in range(2)
    )
    assert np.array_equal(one, other)
