"""Figures as people write them."""

from __future__ import annotations

import pytest

from edgecompile.core.units import counted


@pytest.mark.parametrize(
    ("number", "words", "told"),
    [
        (0, ("sample",), "0 samples"),
        (1, ("sample",), "1 sample"),
        (2500, ("held-out sample",), "2 500 held-out samples"),
        (1, ("entry", "entries"), "1 entry"),
        (3, ("entry", "entries"), "3 entries"),
    ],
)
def test_a_count_of_one_is_told_in_the_singular(number: int, words: tuple[str, ...], told: str) -> None:
    assert counted(number, *words) == told
