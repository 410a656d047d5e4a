"""A typed Java class around the model: preprocessing, quantization and labels compiled in."""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.emit.android.fill import fill, template
from edgecompile.emit.android.review import package_of, review
from edgecompile.emit.android.wrapper import values_of
from edgecompile.emit.emission import Emission

__all__ = ["NAME", "emit", "review"]
NAME = "java"


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``java/PACKAGE/MODEL.java``, Java 8. Raises EC620, EC690, EC691, EC695."""
    package, values = package_of(emission), values_of(emission)
    path = f"java/{package.replace('.', '/')}/{values['class']}.java"
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(fill(template("wrapper.java"), {**values, "package": package}), encoding="ascii")
    return (describe(folder, path, "java_source"),)
