"""Roots of Hessians give what inverting gives; small ones go the old way, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecompile.compress.oneshot import inverse as inverses
from edgecompile.compress.oneshot.inverse import inverse, upper_root

Array = np.ndarray[Any, Any]
# Of float64, for Hessians whose eigenvalues differ by a factor of some hundreds.
CLOSE = 1e-10


def hessian(size: int, groups: int = 2) -> Array:
    """Positive definite, eigenvalues of unlike size."""
    x = np.random.default_rng(size).normal(size=(groups, 2 * size, size)) * np.linspace(0.3, 3.0, size)
    return np.asarray(x.transpose(0, 2, 1) @ x / (2 * size) + 0.01 * np.eye(size))


@pytest.fixture(params=[1, 2, 129, 300])
def large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Array:
    """A Hessian that counts as large."""
    monkeypatch.setattr(inverses, "LARGE", 1)
    return hessian(request.param)


def test_a_root_multiplies_as_the_inverse_does(large: Array) -> None:
    rows = np.random.default_rng(1).normal(size=(2, 3, large.shape[-1]))

    found = inverse(large)

    assert found.factor is not None
    np.testing.assert_allclose(found.behind(rows), rows @ np.linalg.inv(large), rtol=CLOSE, atol=CLOSE)
    np.testing.assert_allclose(
        found.diagonal, np.diagonal(np.linalg.inv(large), axis1=1, axis2=2), rtol=CLOSE, atol=CLOSE
    )


def test_the_upper_root_is_the_factor_of_the_inverse(large: Array) -> None:
    known = np.linalg.cholesky(np.linalg.inv(large)).transpose(0, 2, 1)

    found = upper_root(large)

    assert np.array_equal(found, np.triu(found))
    np.testing.assert_allclose(found, known, rtol=CLOSE, atol=CLOSE)


def test_a_small_hessian_is_inverted_as_a_whole() -> None:
    small = hessian(24)

    assert np.array_equal(inverse(small).whole, np.linalg.inv(small))
    assert np.array_equal(upper_root(small), np.linalg.cholesky(np.linalg.inv(small)).transpose(0, 2, 1))
