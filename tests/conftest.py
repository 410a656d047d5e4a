"""What every test shares: which tests this machine can run, and where the optional data is."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


def data_folder() -> Path | None:
    """The shared data folder: EDGECOMPILE_DATA, or `shared/data` beside the checkout."""
    named = os.environ.get("EDGECOMPILE_DATA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "data"
    return folder if (folder / "MANIFEST.json").is_file() else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what needs TensorFlow, tflite-micro or the shared data where they are not."""
    needed = {"tensorflow": "tensorflow", "micro": "tflite_micro"}
    absent = {mark for mark, module in needed.items() if importlib.util.find_spec(module) is None}
    if data_folder() is None:
        absent.add("data")
    dropped = [item for item in items if any(item.get_closest_marker(name) for name in absent)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in set(dropped)]


@pytest.fixture(scope="session")
def data() -> Path:
    """The shared data folder; only for tests marked `data`."""
    folder = data_folder()
    assert folder is not None, "mark this test with pytest.mark.data"
    return folder
