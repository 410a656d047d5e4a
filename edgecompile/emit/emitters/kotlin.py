"""A typed Kotlin class around the model: preprocessing, quantization and labels compiled in."""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.emit.android.fill import fill, template
from edgecompile.emit.android.review import package_of, review
from edgecompile.emit.android.wrapper import values_of
from edgecompile.emit.emission import Emission

__all__ = ["NAME", "emit", "review"]
NAME = "kotlin"


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``kotlin/PACKAGE/MODEL.kt``. Raises EC620, EC690, EC691, EC695."""
    package, values = package_of(emission), values_of(emission)
    path = f"kotlin/{package.replace('.', '/')}/{values['class']}.kt"
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(fill(template("wrapper.kt"), {**values, "package": package}), encoding="ascii")
    return (describe(folder, path, "kotlin_source"),)
