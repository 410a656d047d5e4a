"""What the benchmarks share: the data folder, the projects made of it, and running the tool."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def data_folder() -> Path:
    """The shared data folder (EDGECOMPILE_DATA, or `shared/data` beside the checkout); exits when there is none."""
    folder = Path(os.environ.get("EDGECOMPILE_DATA", CHECKOUT.parent / "shared" / "data"))
    if not (folder / "MANIFEST.json").is_file():
        sys.exit(f"this benchmark needs the shared data folder; {folder} is not one. Set EDGECOMPILE_DATA")
    return folder


def loaders(folder: Path) -> ModuleType:
    """The data folder's own loaders."""
    spec = importlib.util.spec_from_file_location("loaders", folder / "datasets" / "loaders.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def edgecompile(*arguments: str | Path, cwd: Path | None = None) -> tuple[int, dict[str, Any], str]:
    """Run the command line with --json: exit code, the object on stdout, and stderr."""
    command = [sys.executable, "-m", "edgecompile.cli", *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout)
    except json.JSONDecodeError:
        sys.exit(f"no JSON from {' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.returncode, answer, done.stderr


def measures(report: dict[str, Any]) -> dict[str, Any]:
    """Measure name to value."""
    return {measure["name"]: measure["value"] for measure in report["measures"]}


def methods(report: dict[str, Any]) -> dict[str, str]:
    """Measure name to how it was obtained."""
    return {measure["name"]: measure["method"] for measure in report["measures"]}


def cifar10_npz(folder: Path, path: Path) -> Path:
    """CIFAR-10 as the .npz that a user would have: float32 pixels 0..255, as MLPerf Tiny's ResNet-8 takes them."""
    (x_train, y_train), (x_test, y_test) = loaders(folder).cifar10()
    np.savez(
        path,
        x_train=x_train[:4000].astype(np.float32),
        y_train=y_train[:4000],
        x_test=x_test.astype(np.float32),
        y_test=y_test,
    )
    return path


def speech_npz(folder: Path, path: Path) -> Path:
    """Speech Commands MFCC as the .npz that a user would have: float32[n, 49, 10, 1], 12 classes, split by speaker."""
    (x_train, y_train), (x_test, y_test) = loaders(folder).speech_commands()
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return path


def table(rows: list[tuple[str, ...]]) -> str:
    """Rows, the first a heading, in columns."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
