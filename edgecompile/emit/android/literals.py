"""Texts of a model's maker as string literals and comments of the languages that glue is written in.

All but CMake's give ASCII, so that no compiler has to be told an encoding.
"""

from __future__ import annotations

_SHORT = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def java(text: str) -> str:
    """A Java literal: UTF-16 escapes above ASCII; control characters in octal, for Java reads escapes like
    ``\\u000a`` before it looks for literals."""
    return '"' + "".join(_SHORT.get(c) or _java(c) for c in text) + '"'


def kotlin(text: str) -> str:
    """A Kotlin literal (Kotlin DSL too): ``$`` starts a template there."""
    short = {**_SHORT, "$": "\\$"}
    return '"' + "".join(short.get(c) or (c if " " <= c <= "~" else _utf16(c)) for c in text) + '"'


def groovy(text: str) -> str:
    """A Groovy literal in single quotes, where nothing is interpolated."""
    short = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "'" + "".join(short.get(c) or (c if " " <= c <= "~" else _utf16(c)) for c in text) + "'"


def cpp(text: str) -> str:
    """A C++ literal in UTF-8: bytes above ASCII in octal (three digits, so that the next one is not drawn in);
    ``?`` is escaped against trigraphs."""
    short = {**_SHORT, "?": "\\?"}
    return '"' + "".join(short.get(c) or (c if " " <= c <= "~" else _octal(c)) for c in text) + '"'


def cmake(text: str) -> str:
    """Text for the inside of a quoted CMake argument, in UTF-8, CMake's own encoding."""
    return "".join({**_SHORT, "$": "\\$"}.get(c, c) for c in text)


def comment(text: str) -> str:
    """Text that ends no comment, starts none (Kotlin nests them) and holds no escape that Java would read."""
    plain = text.encode("ascii", "replace").decode().replace("\\", "/")
    printable = "".join(c if " " <= c <= "~" else " " for c in plain)
    return printable.replace("*/", "* /").replace("/*", "/ *")


def _java(character: str) -> str:
    if " " <= character <= "~":
        return character
    return f"\\{ord(character):03o}" if character < "\x80" else _utf16(character)


def _utf16(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _octal(character: str) -> str:
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
