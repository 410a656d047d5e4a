"""Mutations of HDF5 files as Keras writes them: architecture, names, groups, arrays, links; the file stays a file."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from _fuzz_mutate import of_bytes
from _fuzz_plain import replace_one

_CONFIG = "model_config"
_SHAPES = ((), (0,), (1,), (4, 3), (3, 4), (1 << 20,), (1, 1, 1, 1, 1))
_KINDS = ("<f4", "<f8", "<i8", "|S7", "<c8", "|u1", "<f2", "|b1")


def of_hdf5(draw: random.Random, content: bytes) -> bytes:
    """One to some changes inside; bytes of it changed where it cannot be opened."""
    import h5py

    held = io.BytesIO(content)
    try:
        with h5py.File(held, "r+") as file:
            for _ in range(1 + int(draw.expovariate(0.8))):
                change: Callable[[random.Random, Any], None] = draw.choice(
                    (_architecture, _architecture, _array, _array, _attribute, _gone, _linked)
                )
                with suppress(LookupError, OSError, ValueError, TypeError, RuntimeError):  # no such thing in this file
                    change(draw, file)
    except (OSError, RuntimeError):
        return of_bytes(draw, content, ())
    return held.getvalue()[: 1 << 18]


def _architecture(draw: random.Random, file: Any) -> None:
    plain = json.loads(file.attrs[_CONFIG])
    replace_one(draw, plain)
    text = json.dumps(plain)
    file.attrs[_CONFIG] = text if draw.random() < 0.95 else "[" * 3000 + text


def _array(draw: random.Random, file: Any) -> None:
    """Another type, shape or values than the layer's; some share their storage, some say more than they hold."""
    name = draw.choice(_names(file, arrays=True))
    del file[name]
    shape, kind = draw.choice(_SHAPES), draw.choice(_KINDS)
    values = np.full(shape, draw.choice((0, 1, 7)), kind)
    if values.dtype.kind == "f" and draw.random() < 0.5:
        values[...] = draw.choice((np.nan, np.inf, 1e30 if kind != "<f2" else 1e4))
    if draw.random() < 0.2:
        file.create_dataset(name, (1 << 40,), kind, chunks=(1 << 10,))
    else:
        file.create_dataset(name, data=values, compression="gzip" if values.ndim else None)


def _attribute(draw: random.Random, file: Any) -> None:
    at = draw.choice([file, *(file[name] for name in _names(file, arrays=False))])
    name = draw.choice(list(at.attrs))
    odd = (b"", b"\xff", "x" * 300, 3, np.zeros(0, "S1"), np.array([b"../x", b"a"]), "\x1b[2J")
    at.attrs[name] = draw.choice(odd)


def _gone(draw: random.Random, file: Any) -> None:
    del file[draw.choice(_names(file, arrays=draw.random() < 0.5))]


def _linked(draw: random.Random, file: Any) -> None:
    """A group or array that is another file's, or its own, or that of a file which is not there."""
    import h5py

    name = draw.choice(_names(file, arrays=draw.random() < 0.5))
    del file[name]
    file[name] = draw.choice(
        (
            h5py.SoftLink("/"),
            h5py.SoftLink(f"/{name}"),
            h5py.ExternalLink("/etc/passwd", "/"),
            h5py.ExternalLink("x", name),
        )
    )


def _names(file: Any, *, arrays: bool) -> list[str]:
    found: list[str] = []
    file.visititems(lambda name, item: found.append(name) if hasattr(item, "shape") == arrays else None)
    return found
