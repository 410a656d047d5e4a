"""Readers of whole models: Keras files before Keras sees them, and `check` on mutated models as a user runs it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import re
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from _fuzz_data import Archives
from _fuzz_flat import Flatbuffers, with_other_objects
from _fuzz_mutate import of_bytes
from _fuzz_plain import replace_one

from edgecompile.cli.main import main
from edgecompile.frontend.keras_file import read_keras_file
from edgecompile.frontend.scan import scan
from edgecompile.frontend.source import open_model

_LAYERS = frozenset({"InputLayer", "Dense", "Flatten", "Functional", "Sequential", "Activation"})
_FUNCTIONS = frozenset({"relu", "softmax", "linear"})


class KerasArchives(Archives):
    """.keras files up to the point where Keras would open them: container, architecture, names it imports, links."""

    def __init__(self) -> None:
        super().__init__("Keras archive, before Keras", "net.keras", [_archive()], self.read_archive, False)

    def make(self, draw: random.Random) -> bytes:
        """A piece of the architecture replaced by nonsense, or the archive changed."""
        content = draw.choice(self.bases)
        return of_config(draw, content) if draw.random() < 0.5 else super().make(draw)

    @staticmethod
    def read_archive(path: Path) -> object:
        source = open_model(path.name, path.parent)
        if source.kind != "keras":
            return None
        file = read_keras_file(source)
        return scan(file.config, file=source.name, known=frozenset(), layers=_LAYERS, functions=_FUNCTIONS)


class Checked(Flatbuffers):
    """`edgecompile check` on mutated models: it ends with 0, 1, 2 or 3, and never with a traceback."""

    name = "check, end to end"
    slow = True

    def __init__(self) -> None:
        super().__init__()
        self.held = tempfile.TemporaryDirectory(prefix="fuzz-")
        self.folder = Path(self.held.name)
        os.environ["EDGECOMPILE_CACHE"] = str(self.folder / "cache")

    def make(self, draw: random.Random) -> bytes:
        """Mostly objects changed, so that the reader is passed and what follows is met."""
        content = with_other_objects(draw, draw.choice(self.bases[: self.first])[0])
        return content if draw.random() < 0.8 else super().make(draw)

    def use(self, content: bytes) -> None:
        """Run the command in this process; interpreters run in children of it."""
        path = self.folder / "net.tflite"
        path.write_bytes(content)
        said = io.StringIO()
        words = ["check", str(path), "-t", "cortex-m4", "-t", "coral", "-t", "android-gpu", "--no-cache", "--debug"]
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            try:
                code = main(words)
            except SystemExit as end:
                code = int(end.code or 0)
        if code not in (0, 1, 2, 3):
            frames = re.findall(r"(\w+\.py)\", line \d+, in (\w+)", said.getvalue())
            kind = re.findall(r"note: (\w+)", said.getvalue())
            raise AssertionError(" ".join([str(code), *kind[:1], *("/".join(frame) for frame in frames[-3:])]))


def of_config(draw: random.Random, content: bytes) -> bytes:
    """Values of the architecture replaced by nonsense; the archive as it is where it cannot be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
        plain = json.loads(members["config.json"])
    except Exception:  # an archive that was mutated before
        return of_bytes(draw, content, ())
    for _ in range(1 + int(draw.expovariate(0.7))):
        replace_one(draw, plain)
    text = json.dumps(plain)
    if draw.random() < 0.05:
        text = "[" * 3000 + text
    members[draw.choice(("config.json",) * 9 + ("metadata.json",))] = text.encode()
    return packed(members)


def packed(members: Mapping[str, bytes]) -> bytes:
    """An archive of these members, cut where it grows too long."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, held in members.items():
            archive.writestr(name, held)
    return out.getvalue()[: 1 << 18]


def _archive() -> bytes:
    dense = {
        "class_name": "Dense",
        "module": "keras.layers",
        "registered_name": None,
        "config": {"name": "d", "trainable": True, "units": 3, "activation": "relu"},
        "build_config": {"input_shape": [None, 4]},
        "inbound_nodes": [{"args": [], "kwargs": {}}],
    }
    first = {"class_name": "InputLayer", "module": "keras.layers", "config": {"name": "x", "batch_shape": [None, 4]}}
    config = {"module": "keras.models", "class_name": "Functional", "config": {"name": "m", "layers": [first, dense]}}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("assets/x.txt", "hello")
    return out.getvalue()
