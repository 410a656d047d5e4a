"""The flatbuffer itself."""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.emit.emission import Emission

NAME = "tflite"


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``NAME.tflite``."""
    path = f"{emission.name}.tflite"
    (folder / path).write_bytes(emission.content)
    return (describe(folder, path, "tflite"),)
