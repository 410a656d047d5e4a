"""Images to arrays: one size, one colour mode, bytes as they are."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input, missing
from edgecompile.core.project import DataSpec
from edgecompile.core.units import group
from edgecompile.frontend.data_room import demand_room
from edgecompile.frontend.data_set import Array
from edgecompile.ir.spelling import printable

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".ppm", ".pgm", ".tif", ".tiff"})
# The only decoders that are asked: others of Pillow's start programs (EPS) or follow links to other files.
_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "WEBP", "PPM", "TIFF")
# A picture of one colour takes a byte for some hundred pixels; beyond, the file was made to fill the memory.
_PIXELS_A_BYTE = 1000
_SMALL_PIXELS = 4 << 20
_MODES = {"rgb": ("RGB", 3), "grayscale": ("L", 1)}


def read(files: list[Path], folder: Path, spec: DataSpec, source: str) -> Array:
    """``uint8[n, h, w, 3]``, or ``uint8[n, h, w, 1]`` with ``color = "grayscale"``; RGB where no colour is asked for.

    Resized to ``resize`` (height, width) with Pillow's bilinear filter, which averages over what a smaller image
    leaves out. Raises BadInputError: EC273 for a file that is no image of 8 bits a channel, EC274 when sizes
    differ and no ``resize`` is given; MissingError EC190 without Pillow.
    """
    mode, channels = _MODES[spec.preprocess.color or "rgb"]
    height, width = spec.preprocess.resize or _open(files[0], folder, source, mode, None).shape[:2]
    demand_room((len(files), height, width, channels), "uint8", source, "make them smaller: `resize`")
    batch = np.empty((len(files), height, width, channels), dtype=np.uint8)
    for index, path in enumerate(files):
        image = _open(path, folder, source, mode, spec.preprocess.resize)
        if image.shape[:2] != (height, width):
            raise _sizes_differ(path, files[0], folder, image, (height, width), source)
        batch[index] = image
    return batch


def _open(path: Path, folder: Path, source: str, mode: str, resize: tuple[int, int] | None) -> Array:
    pillow = _pillow()
    name = str(path.relative_to(folder))
    try:
        with warnings.catch_warnings():
            # Pillow warns of damage that it reads past; a warning here would reach the user without its file.
            warnings.simplefilter("ignore")
            with pillow.open(path, formats=_FORMATS) as image:
                _check_pixels(image.width * image.height, path.stat().st_size, name, source)
                if image.mode.startswith(("I", "F")):
                    raise _unreadable(name, source, f"it has more than 8 bits a channel (mode {image.mode})")
                converted = image.convert(mode)
                if resize is not None:
                    converted = converted.resize((resize[1], resize[0]), pillow.Resampling.BILINEAR)
                array = np.asarray(converted, dtype=np.uint8)
    except EdgecompileError:
        raise
    # Pillow's readers raise whatever they trip over on damaged files: OSError, SyntaxError, struct.error, ...
    except Exception as error:
        reason = str(error).replace(str(path), name).replace(repr(str(path)), name)
        raise _unreadable(name, source, f"{type(error).__name__}: {reason[:200]}") from None
    return array.reshape(*array.shape[:2], -1)


def _check_pixels(pixels: int, size: int, name: str, source: str) -> None:
    if pixels > _SMALL_PIXELS and pixels > _PIXELS_A_BYTE * size:
        limit = f"limit {_PIXELS_A_BYTE} pixels for each byte of the file"
        raise _unreadable(name, source, f"{limit}; found: {group(pixels)} pixels in {group(size)} bytes")


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise missing(
            "EC190",
            "reading images needs the library `Pillow`, which is not installed",
            help=("install it with `pip install pillow`",),
        ) from None
    return Image


def _unreadable(name: str, source: str, reason: str) -> EdgecompileError:
    return bad_input(
        "EC273",
        f"`{name}` cannot be read as an image",
        Location(file=source, detail=name),
        notes=(printable(reason),),
        help=("write the file again, or take it out of the folder",),
    )


def _sizes_differ(
    path: Path, first: Path, folder: Path, image: Array, expected: tuple[int, int], source: str
) -> EdgecompileError:
    return bad_input(
        "EC274",
        "the images have different sizes, and no `resize` is given",
        Location(file=source, detail=str(path.relative_to(folder))),
        notes=(
            f"`{path.relative_to(folder)}` is {image.shape[0]} x {image.shape[1]} (height x width)",
            f"`{first.relative_to(folder)}` is {expected[0]} x {expected[1]}",
        ),
        help=("set `resize = [height, width]` under [data.preprocess] to what the model takes",),
    )
