"""Readers of settings and samples: TOML files, .npz, .csv, WAV files, images."""

from __future__ import annotations

import io
import random
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from _fuzz_mutate import of_bytes, of_text
from _shared import CHECKOUT

from edgecompile.config import profiles
from edgecompile.config.project import merge, read_project
from edgecompile.config.recipes import read_recipe
from edgecompile.core.project import DataSpec, Preprocess
from edgecompile.frontend.data import open_data

_MOST_BASES = 200
_WORDS = (
    b'"text"', b"0", b"-1", b"1e400", b"nan", b"inf", b"9" * 400, b"true", b"[]", b"[[]]", b"{}", b"[1, 'a']",
    b"1979-05-27", b"07:32:00", b'"\\u0000"', b'"\\u001b[31m"', b'""', b"[", b"]" * 5, b'"""', b"= =", b"a.b.c = 1",
    b"[project]", b"[[project]]", b"\xff", b"\xef\xbb\xbf",
    b"[" * 2000, b'"../../etc/passwd"', b"/dev/null", b"schema = 99", b"\x00",
    b'{ pass = "prune", sparsity = "x" }', b'steps = [{ pass = "prune" }]', b"9223372036854775808", b'"1 KiB"',
    b'"-5 MB"', b"1,2,3", b";", b"\t",
)  # fmt: skip
_PROJECT = b"""[project]
model = "kws.keras"
targets = ["coral"]
recipe = "small"
seed = 0
[data]
source = "kws.npz"
validation = 0.1
calibration_samples = 200
[data.preprocess]
scale = 0.5
offset = [1.0, 2.0]
resize = [8, 8]
[accuracy]
metric = "top1"
max_drop = 0.01
[budget]
flash = "128 KiB"
ram = 1000
"""
_RECIPE = b"""schema = 1
name = "mine"
numerics = "int8"
steps = [{ pass = "prune", sparsity = 0.5 }, { pass = "cluster", k = 16 }]
"""


class Files:
    """A reader of one file: mutated as text or bytes, written into a folder of its own, opened by its name.

    ``beside``: names of files that stay whole, in folders beside that of the file, so that there are samples to split.
    """

    slow = False

    def __init__(
        self,
        name: str,
        place: str,
        bases: Sequence[bytes],
        use: Callable[[Path], object],
        text: bool,
        beside: Sequence[str] = (),
    ) -> None:
        self.name, self.bases, self.read, self.text = name, list(bases), use, text
        self.first = len(self.bases)
        self.held = tempfile.TemporaryDirectory(prefix="fuzz-")
        self.folder = Path(self.held.name)
        self.path = self.folder / place
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for other in beside:
            path = self.path.parent.parent / other
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(self.bases[0])

    def make(self, draw: random.Random) -> bytes:
        """A base changed."""
        base = draw.choice(self.bases)
        return of_text(draw, base, _WORDS) if self.text else of_bytes(draw, base, self.bases)

    def use(self, content: bytes) -> None:
        """Write it and read it."""
        self.path.write_bytes(content)
        self.read(self.path)

    def learn(self, content: bytes) -> None:
        """A base for what follows."""
        if len(self.bases) < _MOST_BASES:
            self.bases.append(content)


class Archives(Files):
    """A reader of a zip: members are changed before they are packed, or the packed bytes are."""

    def make(self, draw: random.Random) -> bytes:
        """A member changed and packed anew, with a right checksum; or bytes of the archive."""
        base = draw.choice(self.bases)
        return of_member(draw, base) if draw.random() < 0.6 else of_bytes(draw, base, self.bases)


def of_member(draw: random.Random, content: bytes) -> bytes:
    """One member's bytes or name changed, the archive whole; the archive as it is where it cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(info, archive.read(info)) for info in archive.infolist()]
    except Exception:  # an archive that was mutated before
        return of_bytes(draw, content, ())
    if not members:
        return content
    at, out = draw.randrange(len(members)), io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for index, (info, held) in enumerate(members):
            name = info.filename
            if index == at and draw.random() < 0.2:
                name = draw.choice(("../x.npy", "/x", "x_train.npy", "config.json", "\x1b[2J", "a" * 200, "y_test.npy"))
            changed = of_bytes(draw, held, ()) if index == at else held
            if changed and index == at and changed[:1] == b"\x93" and draw.random() < 0.5:
                changed = _other_header(draw, held)
            archive.writestr(name, changed, draw.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)))
    return out.getvalue()[: 1 << 16]


def _other_header(draw: random.Random, held: bytes) -> bytes:
    """An .npy with another type or shape than its bytes."""
    descr = draw.choice(("|O", "<f4", "<U0", "|V0", "<U9", "|S1", "<M8[s]", "<c8", "|b1", "<f2", ">i8", "[('a','O')]"))
    shape = draw.choice(((), (0,), (1 << 40,), (-1,), (1 << 31, 1 << 31), (4, 2), (8,), (1 << 20, 0), (10**9,)))
    quoted = descr if descr.startswith("[") else repr(descr)
    head = f"{{'descr': {quoted}, 'fortran_order': {draw.choice((True, False))}, 'shape': {shape!r}, }}".encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + held[128:]


def data_readers() -> list[Files]:
    """All of this file; those of images where Pillow is."""
    targets = CHECKOUT / "targets"
    profile_bases = [(targets / name).read_bytes() for name in ("cortex-m4.toml", "coral.toml")]
    pictures = [f"{label}/{number}.png" for label in "ab" for number in range(2, 8)]
    sounds = [name.replace("png", "wav") for name in pictures]
    images = (
        [Files("samples, images", "pictures/a/1.png", _pictures(), _images, False, pictures)]
        if find_spec("PIL")
        else []
    )
    return [
        Files("project file", "edgecompile.toml", [_PROJECT], _project, True),
        Files("recipe file", "mine.toml", [_RECIPE], lambda path: read_recipe(str(path), path.parent), True),
        Files("target profile", "board.toml", profile_bases, _profile, True),
        Archives("samples, .npz", "data.npz", [_npz()], _samples, False),
        Files(
            "samples, .csv", "data.csv", [b"a,b,y\n" + b"1,2.5,0\n3,4,1\n" * 8, b"1;2;x\n2;3;y\n" * 8], _samples, True
        ),
        Files("samples, WAV", "sounds/a/1.wav", [_wav(1, 16), _wav(3, 32), _wav(0xFFFE, 24)], _sounds, False, sounds),
        *images,
    ]


def _project(path: Path) -> object:
    return merge(read_project(path), {}, {})


def _profile(path: Path) -> object:
    profiles.check(path)
    return profiles.load(str(path))


def _samples(path: Path) -> object:
    return open_data(DataSpec(source=path.name), path.parent, 0)


def _sounds(path: Path) -> object:
    spec = DataSpec(source="sounds", preprocess=Preprocess(sample_rate=16000, length=64))
    return open_data(spec, path.parents[2], 0)


def _images(path: Path) -> object:
    return open_data(DataSpec(source="pictures", preprocess=Preprocess(resize=(4, 4))), path.parents[2], 0)


def _npz() -> bytes:
    out = io.BytesIO()
    x = np.arange(16, dtype=np.float32).reshape(8, 2)
    np.savez(out, x_train=x, y_train=np.arange(8) % 2, x_test=x, y_test=np.arange(8) % 2, labels=np.array(["a", "b"]))
    return out.getvalue()


def _wav(tag: int, bits: int) -> bytes:
    body = bytes(range(240)) + bytes(-240 % (bits // 8))
    form = struct.pack("<HHIIHH", tag, 1, 16000, 16000 * bits // 8, bits // 8, bits)
    if tag == 0xFFFE:
        form += struct.pack("<HHIH", 22, bits, 4, 1) + bytes(14)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def _pictures() -> list[bytes]:
    from PIL import Image

    found = []
    picture = Image.fromarray(np.arange(108, dtype=np.uint8).reshape(6, 6, 3))
    for kind in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF"):
        out = io.BytesIO()
        picture.save(out, kind)
        found.append(out.getvalue())
    return [*found, _huge_png()]


def _huge_png() -> bytes:
    """Sixty bytes that say that they are 60,000 by 60,000 pixels."""
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(held)) + name + held + struct.pack(">I", zlib.crc32(name + held)) for name, held in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body
