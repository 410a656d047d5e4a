"""`edgecompile cache` shows and clears what builds left, and takes sizes as people write them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgecompile.cache.store import Entry, Store
from edgecompile.cli.cache_place import cache_limit
from edgecompile.cli.main import main
from edgecompile.core.errors import BadInputError


@pytest.fixture()
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with two entries of more than 1000 bytes each."""
    monkeypatch.setenv("EDGECOMPILE_CACHE", str(tmp_path))
    for key in ("aa", "bb"):
        Store(folder=tmp_path, limit_bytes=1 << 20).put(key * 32, Entry(plain=1, blobs={"x": bytes(1000)}))
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert main([*words, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_the_cache_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache"]) == 0

    out = capsys.readouterr().out
    assert str(folder) in out
    assert "results of stages" in out
    assert "2.00 GiB at most" in out


def test_the_cache_is_shown_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "cache")

    assert found["folder"] == str(folder)
    assert found["stages"] == {"entries": 2, "size_bytes": found["size_bytes"]}
    assert found["training"] == {"entries": 0, "size_bytes": 0}


@pytest.mark.parametrize(
    ("words", "left"),
    [
        pytest.param(("clear",), 0, id="clear"),
        pytest.param(("prune", "--max", "1500"), 1, id="prune"),
        pytest.param(("prune",), 2, id="prune to the usual bound"),
    ],
)
def test_the_cache_is_made_smaller(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], left: int
) -> None:
    found = told(capsys, "cache", *words)

    assert found["removed"] == 2 - left
    assert told(capsys, "cache")["stages"]["entries"] == left  # type: ignore[index]


def test_what_is_no_size_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "prune", "--max", "lots"]) == 2

    assert "EC823" in capsys.readouterr().err


def test_the_bound_is_read_from_the_environment() -> None:
    assert cache_limit({"EDGECOMPILE_CACHE_SIZE": "500 MiB"}) == 500 * 1024**2
    assert cache_limit({}) == 2 * 1024**3
    with pytest.raises(BadInputError, match="EC823"):
        cache_limit({"EDGECOMPILE_CACHE_SIZE": "lots"})
