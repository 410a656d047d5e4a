"""Mutated Keras files loaded by Keras, in the process that builds use; of what that process died, where it did."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
import tempfile
import zipfile
from contextlib import suppress
from pathlib import Path

from _fuzz_data import of_member
from _fuzz_hdf5 import of_hdf5
from _fuzz_models import of_config, packed
from _fuzz_mutate import of_bytes
from _shared import CHECKOUT

from edgecompile.core.errors import EdgecompileError
from edgecompile.frontend.source import open_model
from edgecompile.libs import child
from edgecompile.libs.child_death import of_returncode, of_timeout
from edgecompile.libs.keras_child import CONVERTER_DIED, KERAS_ENVIRONMENT

# A file that takes longer is tried again alone, with more time: on a loaded machine that proves nothing yet.
_LIMIT_S, _PATIENCE_S = 60.0, 240.0
# Keras keeps graphs and layers of what it loads: more than what 200 times a file of 256 KiB takes.
ROOM_BYTES = 256 << 20
_MAKE = """
import sys, keras
x = keras.Input((4,), name="x")
y = keras.layers.Dense(3, activation="relu", name="d")(x)
model = keras.Model(x, keras.layers.Dense(2, name="e")(y))
model.save(sys.argv[1] + "/three.keras"); model.save(sys.argv[1] + "/three.h5")
"""
_TWO = "import sys, tf_keras as keras" + _MAKE.partition("keras")[2].replace("three", "two")


class KerasFiles:
    """.keras and .h5 of both generations: code that was run, no end and much memory are findings."""

    name = "Keras file, loaded"
    slow = True

    def __init__(self) -> None:
        self.held = tempfile.TemporaryDirectory(prefix="fuzz-")
        self.folder = Path(self.held.name)
        self.bases: list[tuple[str, bytes]] = []
        self.session: child.Session | None = None

    def make(self, draw: random.Random) -> bytes:
        """The suffix, then the file."""
        if not self.bases:
            self._train()
        suffix, content = draw.choice(self.bases)
        kind = draw.random()
        if kind < 0.15:
            changed = of_bytes(draw, content, ())
        elif suffix == ".h5":
            changed = of_hdf5(draw, content)
        elif kind < 0.45:
            changed = _of_weights(draw, content)
        else:
            changed = of_member(draw, content) if kind < 0.55 else of_config(draw, content)
        return suffix.encode().ljust(8) + changed

    def use(self, content: bytes) -> None:
        """Load it in a process that is kept until it dies."""
        path = self.folder / f"net{content[:8].decode().strip()}"
        path.write_bytes(content[8:])
        open_model(path.name, self.folder)
        try:
            self._load_patiently(path)
        finally:
            if (self.folder / "owned").exists():
                (self.folder / "owned").unlink()
                raise AssertionError("code from the file was run")

    def learn(self, content: bytes) -> None:
        """Loaded files are few: the first ones stay the bases."""

    def _load_patiently(self, path: Path) -> None:
        try:
            self._load(path, _LIMIT_S)
        except EdgecompileError as error:
            if of_timeout(_LIMIT_S).how not in error.diagnostics[0].message:
                raise
            self.session = None
            self._load(path, _PATIENCE_S)

    def _load(self, path: Path, limit_s: float) -> None:
        self.session = self.session or self._begin()
        try:
            taken = self.session.call(_LOAD, {"path": str(path)}, timeout_s=limit_s, crash=CONVERTER_DIED)
        except EdgecompileError as error:
            if error.diagnostics[0].code == CONVERTER_DIED.code:
                self.session = None
            if limit_s == _PATIENCE_S and of_timeout(limit_s).how in error.diagnostics[0].message:
                raise AssertionError(f"longer than {_LIMIT_S:.0f} s, and then than {_PATIENCE_S:.0f} s") from error
            if of_returncode(-signal.SIGKILL).how in error.diagnostics[0].message:
                raise AssertionError("killed, as a process is when memory runs out") from error
            raise
        if taken > ROOM_BYTES:
            raise AssertionError(f"more than {ROOM_BYTES >> 20} MiB of memory")

    def _begin(self) -> child.Session:
        """A process that has loaded a file of each kind: its start is in no file's time or memory."""
        folders = os.pathsep.join([str(CHECKOUT), str(Path(__file__).parent)])
        session = child.Session(environment={**KERAS_ENVIRONMENT, "PYTHONPATH": folders})
        for suffix, content in self.bases:
            path = self.folder / f"base{suffix}"
            path.write_bytes(content)
            session.call(_LOAD, {"path": str(path)})
        return session

    def _train(self) -> None:
        for script in (_MAKE, _TWO):
            subprocess.run([sys.executable, "-c", script, str(self.folder)], check=True, capture_output=True)
        files = [path for path in sorted(self.folder.iterdir()) if path.suffix in (".keras", ".h5")]
        self.bases = [(path.suffix, path.read_bytes()) for path in files]


_LOAD = "_fuzz_loaded:load_keras"


def load_keras(path: str) -> int:
    """In the child: load as a build does; the bytes of memory that it took at most, beyond those held before."""
    from edgecompile.frontend.keras_model import load

    source = open_model(path, Path(path).parent)
    with suppress(OSError):  # no permission: the most that this process ever held stands
        Path("/proc/self/clear_refs").write_text("5")
    before = _most_held()
    if source.kind in ("keras", "h5"):
        load(source, None, False, Path(path).parent)
    return _most_held() - before


def _most_held() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _of_weights(draw: random.Random, content: bytes) -> bytes:
    """The HDF5 file of weights in an archive changed inside; the archive as it is where there is none."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    for name in members:
        if name.endswith(".h5"):
            members[name] = of_hdf5(draw, members[name])
    return packed(members)
