"""The judge that all tests of the passes share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from optimize_judge import Judge


@pytest.fixture(scope="session")
def judge() -> Iterator[Judge]:
    """Compares two forms of a model in an interpreter."""
    found = Judge()
    yield found
    found.close()
