"""Kernels are held against tflite-micro, so every test here needs it."""

from __future__ import annotations

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark each test, in whichever file."""
    item.add_marker(pytest.mark.micro)
