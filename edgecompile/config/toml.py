"""Read a TOML file, and say where it stops being one."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from edgecompile.config.plain_file import read_plain
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_POSITION = re.compile(r"\s*\(at line (\d+), column (\d+)\)\s*$")
_DIGITS, _NESTED = re.compile(r"\d[\d_]{4300}"), re.compile(r"(?:[\[{]\s*){50}")
_QUOTES = 'texts stand in quotes, as in `model = "kws.keras"`; lists in brackets, as in `targets = ["coral"]`'
_SHORTER_NUMBER = "write a shorter number: no setting takes one of more than 20 digits"
_FEWER_BRACKETS = "take brackets away: no setting is nested more than three deep"
_A_FILE = "name a TOML file that this user may read"
_WORDS = {"Invalid value": "a value is expected here", "Invalid statement": "a key or a table is expected here"}


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables and values.

    Raises BadInputError: EC120 when the file cannot be opened, EC121 when it is not UTF-8,
    EC122 when it is not TOML, with line and column.
    """
    return parse_toml(_read(path), str(path))


def parse_toml(content: bytes, file: str) -> dict[str, Any]:
    """As :func:`read_toml`, for content that is already in memory; ``file`` is its name in messages.

    A byte order mark, which some editors on Windows write, is passed over.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place(content, error.start)
        raise bad_input(
            "EC121",
            f"`{file}` is not text in UTF-8",
            Location(file=file, detail=f"line {line}, column {column}"),
            notes=(f"byte 0x{content[error.start]:02x} at offset {error.start} does not belong to UTF-8",),
            help=("save the file in UTF-8, or check that a TOML file was meant",),
        ) from None
    try:
        plain: dict[str, Any] = tomllib.loads(text)
        return plain
    except RecursionError:
        deep = _first_line(_NESTED, text)
        raise _not_toml(file, text, f"brackets are nested too deeply to be read{deep}", _FEWER_BRACKETS) from None
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(file, text, str(error)) from None
    except ValueError:
        # Python reads no integer of more digits (CVE-2020-10735).
        long = _first_line(_DIGITS, text)
        raise _not_toml(file, text, f"an integer has more than 4,300 digits{long}", _SHORTER_NUMBER) from None


def _read(path: Path) -> bytes:
    try:
        return read_plain(path)
    except FileNotFoundError:
        raise bad_input("EC120", f"there is no file `{path}`", str(path), help=_beside(path)) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise bad_input("EC120", f"`{path}` cannot be read: {reason}", str(path), help=(_A_FILE,)) from None
    except ValueError:
        # A name with a NUL character never reaches the operating system.
        raise bad_input("EC120", f"`{path!s}` is not a file name".replace("\0", "\\0")) from None


def _beside(path: Path) -> tuple[str, ...]:
    try:
        others = sorted(other.name for other in path.parent.glob("*.toml"))
    except OSError:
        others = []
    found = (f"this folder has {', '.join(f'`{name}`' for name in others[:5])}",) if others else ()
    return (*found, "`edgecompile init` writes a project file to start from")


def _first_line(found: re.Pattern[str], text: str) -> str:
    """Where the text has it first, as the TOML reader says it of what it finds itself."""
    match = found.search(text)
    return f" (at line {text.count(chr(10), 0, match.start()) + 1}, column 1)" if match else ""


def _not_toml(file: str, text: str, reason: str, help: str = _QUOTES) -> EdgecompileError:
    match, lines = _POSITION.search(reason), text.split("\n")
    said = _POSITION.sub("", reason).replace(" (at end of document)", "").split(";")[0]
    notes = [f"the TOML reader stopped with: {_WORDS.get(said, said)}"]
    detail = None
    if match:
        detail = f"line {match[1]}, column {match[2]}"
        notes.append(f"the line reads: {lines[int(match[1]) - 1].strip()[:80]}")
    elif "at end of document" in reason:
        detail = f"line {text.rstrip().count(chr(10)) + 1}, at the end of the file"
    return bad_input(
        "EC122",
        f"`{file}` cannot be read as TOML",
        Location(file=file, detail=detail),
        notes=notes,
        help=(help,),
    )


def _place(content: bytes, offset: int) -> tuple[int, int]:
    before = content[:offset]
    return before.count(b"\n") + 1, offset - before.rfind(b"\n")
