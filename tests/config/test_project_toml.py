"""TOML files that can be read, and what is said about those that cannot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgecompile.config.toml import parse_toml, read_toml
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import BadInputError


def only(caught: pytest.ExceptionInfo[BadInputError]) -> Diagnostic:
    """The one diagnostic of an error."""
    assert len(caught.value.diagnostics) == 1
    return caught.value.diagnostics[0]


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        pytest.param(b"", {}, id="empty"),
        pytest.param(b"a = 1\n[b]\nc = 'd'\n", {"a": 1, "b": {"c": "d"}}, id="tables"),
        pytest.param(b"\xef\xbb\xbfa = 1\n", {"a": 1}, id="byte-order-mark"),
        pytest.param("name = 'café'".encode(), {"name": "café"}, id="utf-8"),
        pytest.param(b"a = 1\r\nb = 2\r\n", {"a": 1, "b": 2}, id="windows-lines"),
    ],
)
def test_toml_reads_as_it_is_written(content: bytes, answer: dict[str, object]) -> None:
    assert parse_toml(content, "f.toml") == answer


@pytest.mark.parametrize(
    ("content", "place", "word"),
    [
        pytest.param(b"a = 1\nb = \n", "f.toml, line 2, column 5", "a value is expected", id="no-value"),
        pytest.param(b"model = kws.keras", "f.toml, line 1, column 9", "a value is expected", id="text-without-quotes"),
        pytest.param(b"a = 'ok' junk", "f.toml, line 1, column 10", "newline", id="two-values"),
        pytest.param(b"\n\na = [1,\n\n", "f.toml, line 3, at the end of the file", "value", id="bracket-left-open"),
        pytest.param(b"a = 1\na = 2\n", "f.toml, line 2", "overwrite", id="key-twice"),
        pytest.param(b"\x00\x01", "f.toml, line 1, column 1", "a key or a table", id="control-characters"),
        pytest.param(b"x = " + b"[" * 20_000, "f.toml, line 1", "nested too deeply", id="deep-nesting"),
        pytest.param(b"a = 1\nx = " + b"9" * 5_000, "f.toml, line 2", "4,300 digits", id="huge-integer"),
    ],
)
def test_a_syntax_error_is_told_with_its_place(content: bytes, place: str, word: str) -> None:
    with pytest.raises(BadInputError) as caught:
        parse_toml(content, "f.toml")

    told = only(caught)
    assert told.code == "EC122"
    assert str(told.location).startswith(place)
    assert word in told.notes[0]


def test_a_byte_outside_utf_8_is_told_with_line_and_column() -> None:
    with pytest.raises(BadInputError) as caught:
        parse_toml(b"a = 1\nb = '\xff'\n", "f.toml")

    told = only(caught)
    assert told.code == "EC121"
    assert str(told.location) == "f.toml, line 2, column 6"
    assert "0xff at offset 11" in told.notes[0]


def test_a_missing_file_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("")

    with pytest.raises(BadInputError) as caught:
        read_toml(tmp_path / "mine.toml")

    told = only(caught)
    assert told.code == "EC120"
    assert "`other.toml`" in told.help[0]


@pytest.mark.parametrize("name", [pytest.param("", id="folder"), pytest.param("a\0b", id="nul-in-name")])
def test_what_is_no_file_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInputError) as caught:
        read_toml(tmp_path / name if name else tmp_path)

    assert only(caught).code == "EC120"


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "huge"])
def test_what_is_no_small_file_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "p.toml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)
    why = {"pipe": "a named pipe", "device": "a device", "folder": "a directory", "huge": "1099511627776 bytes"}[kind]

    with pytest.raises(BadInputError) as caught:
        read_toml(path)

    (problem,) = caught.value.diagnostics
    assert (problem.code, why in problem.message) == ("EC120", True)
    assert problem.help


def test_nothing_is_an_empty_file() -> None:
    assert read_toml(Path(os.devnull)) == {}
