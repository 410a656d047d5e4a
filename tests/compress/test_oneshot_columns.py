"""Column updates against brute force and plain least squares: what one-shot compression does with NumPy only."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from edgecompile.compress.oneshot import columns
from edgecompile.compress.oneshot.codebook import INITS, nearest, shared
from edgecompile.compress.oneshot.fit import Form, fit, prune
from edgecompile.compress.oneshot.moments import moments

Array = np.ndarray[Any, Any]
# Sums of float64 products: far below any step that a code takes.
CLOSE = 1e-9


def _problem(groups: int = 1, rows: int = 4, size: int = 12, seed: int = 0) -> tuple[Array, Array]:
    """Weights, and the damped Hessian of inputs that depend on each other."""
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(groups, size, size)) + 1
    x = random.normal(size=(groups, 400, size)) @ mixing
    return random.normal(size=(groups, rows, size)), columns.damped(x.transpose(0, 2, 1) @ x / 400)


def _total(weights: Array, values: Array, hessian: Array) -> float:
    return float(columns.error(weights, values, hessian).sum())


def test_a_sweep_that_allows_everything_changes_nothing() -> None:
    weights, hessian = _problem()

    values = columns.sweep(weights, hessian, lambda wished, at: wished)

    assert np.abs(values - weights).max() < CLOSE


@pytest.mark.parametrize("size", [12, 150], ids=["one block of columns", "three blocks"])
def test_columns_that_make_up_for_others_lose_less_than_rounding(size: int) -> None:
    weights, hessian = _problem(size=size)

    values = columns.sweep(weights, hessian, lambda wished, at: np.rint(wished))

    assert (values == np.rint(values)).all()
    assert _total(weights, values, hessian) < 0.8 * _total(weights, np.rint(weights), hessian)


def test_polishing_never_loses_and_comes_near_the_best_of_all_roundings() -> None:
    weights, hessian = _problem(rows=1, size=6)
    near = itertools.product(*([np.floor(w), np.ceil(w)] for w in weights[0, 0]))
    best = min(_total(weights, np.array(one)[None, None], hessian) for one in near)

    values = columns.sweep(weights, hessian, lambda wished, at: np.rint(wished))
    before = _total(weights, values, hessian)
    for _ in range(5):
        values = columns.polish(weights, values, hessian, lambda wished, at: np.rint(wished))

    assert _total(weights, values, hessian) <= before + CLOSE
    assert _total(weights, values, hessian) <= 1.5 * best


def test_weights_left_after_pruning_come_near_their_least_squares_optimum() -> None:
    weights, hessian = _problem(groups=2, rows=3)
    zeros = np.random.default_rng(1).random(weights.shape) < 0.4

    values = prune(weights, hessian, zeros)

    optimum = np.zeros_like(weights)
    for group, row in itertools.product(range(2), range(3)):
        kept = ~zeros[group, row]
        inside = hessian[group][np.ix_(kept, kept)]
        optimum[group, row, kept] = np.linalg.solve(inside, hessian[group][kept] @ weights[group, row])
    assert (values[zeros] == 0).all()
    least = _total(weights, optimum, hessian)
    assert least <= _total(weights, values, hessian) + CLOSE
    # Coordinate descent has not ended; what it still lacks is small against what plain zeroing loses.
    assert _total(weights, values, hessian) - least < 0.1 * (_total(weights, weights * ~zeros, hessian) - least)


FORMS = {
    "sixteen": Form(centroids=16),
    "five": Form(centroids=5),
    "five, linear": Form(centroids=5, init="linear"),
    "five, k-means++": Form(centroids=5, init="kmeans++"),
    "five without zero": Form(centroids=5, keep_zero=False),
    "two": Form(centroids=2),
    "one scale": Form(centroids=7, per_row=False),
    "four bits": Form(bits=4),
    "four bits, one scale": Form(bits=4, per_row=False),
    "eight bits": Form(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("groups", [1, 3], ids=["dense", "grouped"])
def test_codes_are_few_fit_their_bits_and_keep_zeros(form: Form, groups: int) -> None:
    weights, hessian = _problem(groups=groups, rows=4 // groups)
    zeros = np.zeros(weights.shape, bool)
    zeros[..., ::3] = form.keep_zero

    codes, scales = fit(weights, hessian, zeros, form)

    assert codes.dtype == np.int8 and scales.dtype == np.float32
    assert np.abs(codes.astype(int)).max() <= form.limit
    assert (codes[zeros] == 0).all() and (scales > 0).all()
    assert not form.centroids or len(np.unique(codes)) <= form.centroids
    assert form.per_row or len(np.unique(scales)) == 1


def test_more_codes_lose_less() -> None:
    weights, hessian = _problem(rows=8, size=40)
    zeros = np.zeros(weights.shape, bool)

    lost = []
    for count in (2, 4, 8, 16, 32):
        codes, scales = fit(weights, hessian, zeros, Form(centroids=count))
        lost.append(_total(weights, codes * scales[:, :, None].astype(np.float64), hessian))

    assert lost == sorted(lost, reverse=True)


def test_rows_of_unlike_size_share_codes_through_their_scales() -> None:
    weights, hessian = _problem(rows=4)
    weights = np.repeat(weights[:, :1], 4, axis=1) * np.array([1.0, 10.0, 0.1, 3.0])[:, None]

    codes, scales = fit(weights, hessian, np.zeros(weights.shape, bool), Form(centroids=6))

    assert (codes == codes[:, :1]).all()
    assert np.allclose(scales / scales[:, :1], [1.0, 10.0, 0.1, 3.0], rtol=1e-5)


def test_an_empty_row_gets_zeros() -> None:
    weights, hessian = _problem()
    weights[0, 1] = 0

    codes, scales = fit(weights, hessian, np.zeros(weights.shape, bool), Form(centroids=4))

    assert (codes[0, 1] == 0).all() and (scales > 0).all()


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("keep_zero", [True, False], ids=["with zero", "free"])
def test_shared_values_are_k_means(init: str, keep_zero: bool) -> None:
    random = np.random.default_rng(3)
    points, mass = random.normal(1.0, 1.0, 500), random.random(500)

    book = shared(points, mass, 8, init, keep_zero, seed=0)

    assert len(book) <= 8 and (np.diff(book) > 0).all() and (0.0 in book) == keep_zero
    where = nearest(points, book)
    assert (where == np.abs(points[:, None] - book).argmin(axis=1)).all()
    for place, value in enumerate(book):
        inside = where == place
        if value and inside.any():
            assert value == pytest.approx(np.average(points[inside], weights=mass[inside]), abs=0.02)


def test_few_distinct_points_are_their_own_values() -> None:
    points = np.array([1.0, 2.0, 1.0, -1.0])

    assert shared(points, np.ones(4), 8, "density", False, 0).tolist() == [-1.0, 1.0, 2.0]
    assert shared(points, np.ones(4), 8, "density", True, 0).tolist() == [-1.0, 0.0, 1.0, 2.0]


@pytest.mark.parametrize("deviation", [1e-2, 0.0], ids=["hardly varying", "constant"])
def test_covariance_of_inputs_that_hardly_vary_is_what_float64_gives(deviation: float) -> None:
    random = np.random.default_rng(0)
    x = (1000 + deviation * random.normal(size=(1, 500, 40))).astype(np.float32)

    found = moments(x).hessian(centred=True)[0]

    expected = np.cov(x[0].astype(np.float64), rowvar=False, bias=True)
    # Room for the floor: a millionth of a millionth of the mean's square.
    np.testing.assert_allclose(found, expected, atol=1e-3 * expected.max() + 2e-6)
    np.linalg.cholesky(np.linalg.inv(columns.damped(found[None])))
