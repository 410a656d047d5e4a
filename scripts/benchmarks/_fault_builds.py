"""A project that is built again and again under faults, and what must hold after each of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _shared import CHECKOUT

TARGET = "cortex-m4"
_KERAS = """
import sys, keras
keras.utils.set_random_seed(1)
x = keras.Input((8, 8, 1), name="image")
y = keras.layers.Conv2D(8, 3, activation="relu")(x)
y = keras.layers.GlobalAveragePooling2D()(y)
keras.Model(x, keras.layers.Dense(4, activation="softmax", name="digit")(y)).save(sys.argv[1])
"""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """``folder`` holds the model and the data; outputs and cache of a build are named by its caller."""

    folder: Path
    model: str

    more: tuple[str, ...] = ()

    def command(self, output: Path) -> list[str]:
        """The build, telling each stage when it begins and when it ends."""
        words = [sys.executable, "-m", "edgecompile.cli", "build", self.model, "-t", TARGET, "-o", str(output), "-v"]
        return [*words, "--data", "data.npz", "--calibration-samples", "16", *self.more]

    def start(self, output: Path, cache: Path, **more: Any) -> subprocess.Popen[str]:
        """The build, started in a process group of its own; its standard error is a pipe of text lines."""
        (self.folder / "tmp").mkdir(exist_ok=True)
        surroundings = {
            **os.environ,
            "EDGECOMPILE_CACHE": str(cache),
            "TMPDIR": str(self.folder / "tmp"),
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONDONTWRITEBYTECODE": "",
            "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"),
        }
        return subprocess.Popen(
            self.command(output), cwd=self.folder, env=surroundings, text=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True, **more,
        )  # fmt: skip

    def build(self, output: Path, cache: Path, **more: Any) -> tuple[int, str]:
        """Exit code and standard error of a build that is left alone."""
        process = self.start(output, cache, **more)
        _, said = process.communicate()
        return process.returncode, said


def prepare(folder: Path, keras: bool) -> Bench:
    """A model of some hundred weights, as .tflite or .keras, and seeded samples."""
    name = "net.keras" if keras else "net.tflite"
    if (folder / name).is_file():
        return Bench(folder=folder, model=name)
    draw = np.random.default_rng(5)
    channels = 1 if keras else 3
    x, y = draw.random((96, 8, 8, channels), dtype=np.float32), draw.integers(0, 4, 96)
    np.savez(folder / "data.npz", x_train=x[:64], y_train=y[:64], x_test=x[64:], y_test=y[64:])
    if keras:
        subprocess.run([sys.executable, "-c", _KERAS, str(folder / "net.keras")], check=True, capture_output=True)
        return Bench(folder=folder, model="net.keras")
    from edgecompile.ir.writer import write

    sys.path.insert(0, str(CHECKOUT / "tests" / "end_to_end"))
    from pipeline_networks import classifier

    (folder / "net.tflite").write_bytes(write(classifier()))
    return Bench(folder=folder, model="net.tflite")


def contents(output: Path) -> dict[str, bytes]:
    """Every file that lies in the place of a target, reports without durations."""
    from edgecompile.emit.output import without_durations

    place = output / TARGET
    files = {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}
    if "report.json" in files:
        files["report.json"] = without_durations(files["report.json"])
    return files


def half_written(output: Path) -> list[str]:
    """What is wrong with a target's folder: all that its report names is there, byte for byte, or nothing."""
    place = output / TARGET
    if not place.exists():
        return []
    try:
        report = json.loads((place / "report.json").read_bytes())
    except (OSError, ValueError) as error:
        return [f"report.json: {error}"]
    listed = {artifact["path"]: artifact["sha256"] for artifact in report["artifacts"]}
    there = {str(path.relative_to(place)): path for path in place.rglob("*") if path.is_file()}
    wrong = [f"{name}: not the bytes reported" for name, path in there.items() if _differs(path, listed.get(name))]
    return wrong + [f"{name}: missing" for name in listed if name not in there]


def damaged_entries(cache: Path) -> list[str]:
    """Entries that stand under their final names and are not whole."""
    from edgecompile.cache.store import unpacked

    return [path.name for path in cache.rglob("*.entry") if unpacked(path.stem, path.read_bytes()) is None]


def leftovers(output: Path) -> list[str]:
    """What lies beside the target's folder after a build that ended."""
    return sorted(path.name for path in output.iterdir() if path.name != TARGET) if output.is_dir() else []


def judged(bench: Bench, output: Path, cache: Path, wanted: Mapping[str, bytes]) -> list[str]:
    """What is wrong after the next, undisturbed build: other bytes than ``wanted``, or something left over."""
    code, said = bench.build(output, cache)
    if code != 0:
        return [f"the next build ended with {code}: {said[-400:]}"]
    found = contents(output)
    wrong = [f"{name}: other bytes" for name in sorted({*found, *wanted}) if found.get(name) != wanted.get(name)]
    temporary = [path.name for path in (bench.folder / "tmp").iterdir()]
    left = [*leftovers(output), *temporary]
    return [*wrong, *(f"left over: {name}" for name in left), *damaged_entries(cache)]


def cleared(*folders: Path) -> None:
    """Take folders away."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _differs(path: Path, sha256: str | None) -> bool:
    if path.name in ("report.json", "report.txt", "report.html"):
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() != sha256
