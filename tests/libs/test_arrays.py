"""Arrays written for another process, and what a full disk says."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecompile.core.errors import BadInputError
from edgecompile.libs.arrays import save_array
from edgecompile.libs.child import call


def test_an_array_comes_back_as_it_was(tmp_path: Path) -> None:
    save_array(tmp_path / "a.npy", np.arange(6).reshape(2, 3))

    assert np.load(tmp_path / "a.npy").tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OSError(errno.ENOSPC, "No space left on device"), id="the system's"),
        pytest.param(OSError("25920 requested and 4064 written"), id="numpy's"),
    ],
)
def test_a_full_disk_is_told(error: OSError, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*given: Any, **more: Any) -> None:
        raise error

    monkeypatch.setattr(np, "save", full)

    with pytest.raises(BadInputError, match="EC904"):
        save_array(tmp_path / "a.npy", np.zeros(3))


def test_another_fault_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save_array(tmp_path / "no" / "a.npy", np.zeros(3))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_is_full_in_a_child_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))

    with pytest.raises(BadInputError, match="EC904"):
        call("child_samples:write_where_it_is_full", {})
