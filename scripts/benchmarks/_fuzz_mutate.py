"""Mutations: of the sites of a flatbuffer, of objects before they are packed, of bytes, of texts."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from _fuzz_sites import Site

_INTEGERS = (
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    16,
    64,
    127,
    128,
    255,
    256,
    1000,
    32767,
    65535,
    1 << 20,
    (1 << 31) - 1,
    1 << 31,
    -1,
    -2,
)
_FLOATS = (0.0, -0.0, 1.0, -1.0, 1e-45, 1e-38, 3e38, math.inf, -math.inf, math.nan, 0.5, 1e9)
_BITS = {"b": 8, "B": 8, "?": 8, "<h": 16, "<H": 16, "<i": 32, "<I": 32, "<q": 64, "<Q": 64}
_TEXTS = (b"", b"\0", b"\xff\xfe", b"\x1b[31m", b"../../x", b"a" * 300, "\u202e".encode(), b"`%s`{0}\n")
LONGEST = 1 << 16


def of_sites(draw: random.Random, content: bytes, sites: Sequence[Site]) -> bytes:
    """One to eight sites changed, mostly one or two; now and then bytes without regard to sites."""
    out = bytearray(content)
    for _ in range(1 + min(int(draw.expovariate(0.8)), 7)):
        site = draw.choice(sites)
        if site.at + struct.calcsize(site.form) <= len(out):
            _change(draw, out, site, sites)
    return of_bytes(draw, bytes(out), ()) if draw.random() < 0.08 else bytes(out)


def _change(draw: random.Random, out: bytearray, site: Site, sites: Sequence[Site]) -> None:
    if site.kind in ("offset", "table"):
        there = (
            draw.choice(sites).at - site.at if draw.random() < 0.7 else draw.choice((*_INTEGERS, len(out) - site.at))
        )
        _put(out, site, -there if site.kind == "table" else there)
    elif site.kind == "count":
        held = struct.unpack_from("<I", out, site.at)[0]
        _put(
            out,
            site,
            draw.choice((0, 1, held - 1, held + 1, 2 * held, len(out) // 4, len(out), 0x7FFFFFFF, 0xFFFFFFFF)),
        )
    elif site.kind == "slot":
        _put(out, site, draw.choice((0, 4, 5, 6, 8, 12, 16, 20, 0xFFFF, 0x8000, draw.randrange(64))))
    elif site.form in ("<f", "<d"):
        struct.pack_into(site.form, out, site.at, draw.choice(_FLOATS))
    elif site.kind == "text":
        out[site.at] = draw.randrange(256)
    else:
        held = struct.unpack_from(site.form, out, site.at)[0]
        _put(out, site, draw.choice((draw.choice(_INTEGERS), int(held) + 1, int(held) - 1, draw.randrange(256))))


def _put(out: bytearray, site: Site, value: int) -> None:
    bits = _BITS[site.form]
    out[site.at : site.at + bits // 8] = (value & ((1 << bits) - 1)).to_bytes(bits // 8, "little")


def of_bytes(draw: random.Random, content: bytes, others: Sequence[bytes]) -> bytes:
    """Bits turned, bytes set, pieces cut, doubled, moved, taken from another file, the end cut off."""
    out = bytearray(content)
    for _ in range(1 + min(int(draw.expovariate(0.6)), 9)):
        at = draw.randrange(len(out) + 1) if out else 0
        size = min(len(out) - at, 1 + int(draw.expovariate(0.1)))
        kind = draw.randrange(7)
        if kind == 0 and at < len(out):
            out[at] ^= 1 << draw.randrange(8)
        elif kind == 1 and at < len(out):
            out[at] = draw.choice((0, 1, 0x7F, 0x80, 0xFF, draw.randrange(256)))
        elif kind == 2:
            del out[at : at + size]
        elif kind == 3:
            out[at:at] = out[at : at + size]
        elif kind == 4 and others:
            piece = draw.choice(others)
            start = draw.randrange(len(piece) + 1)
            out[at : at + size] = piece[start : start + size]
        elif kind == 5 and draw.random() < 0.2:
            del out[at:]
        elif at + 4 <= len(out):
            struct.pack_into("<I", out, at, draw.choice(_INTEGERS) & 0xFFFFFFFF)
    return bytes(out[:LONGEST])


def of_text(draw: random.Random, content: bytes, words: Sequence[bytes]) -> bytes:
    """Lines and tokens doubled, dropped, exchanged, replaced by odd words; then perhaps bytes."""
    lines = content.split(b"\n")
    for _ in range(1 + int(draw.expovariate(0.7))):
        at = draw.randrange(len(lines))
        kind = draw.randrange(6)
        if kind == 0 and len(lines) > 1:
            del lines[at]
        elif kind == 1:
            lines.insert(at, draw.choice(lines))
        elif kind == 2:
            left, equal, _ = lines[at].partition(b"=")
            lines[at] = left + (equal or b"=") + b" " + draw.choice(words)
        elif kind == 3:
            lines.insert(at, draw.choice(words))
        elif kind == 4:
            start = draw.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:start] + draw.choice(words) + lines[at][start + draw.randrange(4) :]
        else:
            lines[at] = lines[at].replace(b'"', draw.choice((b"", b"'", b'""', b"\\")), 1)
    text = b"\n".join(lines)[:LONGEST]
    return of_bytes(draw, text, ()) if draw.random() < 0.2 else text


def of_objects(draw: random.Random, root: Any) -> None:
    """Fields of the object API changed in place, one to six of them: what is packed afterwards is well formed."""
    for _ in range(1 + int(draw.expovariate(0.5))):
        owner = _any_object(draw, root)
        name = draw.choice([*vars(owner)] or ["none"])
        setattr(owner, name, _other(draw, getattr(owner, name, None)))


def _any_object(draw: random.Random, root: Any) -> Any:
    """Some object below the root, the deeper ones as likely as those above."""
    found = root
    while True:
        below = [one for value in vars(found).values() for one in _objects(value)]
        if not below or draw.random() < 0.15:
            return found
        found = draw.choice(below)


def _objects(value: Any) -> list[Any]:
    several = value if isinstance(value, list) else [value]
    return [one for one in several if type(one).__name__.endswith("T") and hasattr(one, "Pack")]


def _other(draw: random.Random, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return draw.choice((draw.choice(_INTEGERS) & 0x7F, value + 1, max(value - 1, 0), draw.choice(_INTEGERS)))
    if isinstance(value, float):
        return draw.choice(_FLOATS)
    if isinstance(value, bytes):
        return draw.choice((*_TEXTS, value + b"x"))
    if isinstance(value, np.ndarray):
        return _other_array(draw, value)
    if isinstance(value, list) and value:
        at = draw.randrange(len(value))
        kind = draw.randrange(4)
        return (value[:at] + value[at + 1 :], [*value, value[at]], [value[at], *value], [])[kind]
    return None if draw.random() < 0.7 else value


def _other_array(draw: random.Random, value: Any) -> Any:
    out, kind = value.copy(), draw.randrange(5)
    if kind == 0 or not len(out):
        return np.concatenate([out, np.ones(1, out.dtype)])
    if kind == 1:
        return out[:-1]
    with np.errstate(all="ignore"):
        numbers = _FLOATS if out.dtype.kind == "f" else _INTEGERS
        chosen = np.asarray(draw.choice(numbers)).astype(out.dtype)
    out[draw.randrange(len(out))] = chosen
    return out
