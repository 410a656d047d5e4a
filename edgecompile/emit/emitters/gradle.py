"""Scripts that let Gradle build the model as one of its tasks, in Groovy and in Kotlin."""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.emit.android.fill import fill, template
from edgecompile.emit.android.review import review
from edgecompile.emit.android.scripts import gradle_values
from edgecompile.emit.emission import Emission

__all__ = ["NAME", "emit", "review"]
NAME = "gradle"
_SCRIPTS = ("edgecompile.gradle", "edgecompile.gradle.kts")


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``edgecompile.gradle`` and ``edgecompile.gradle.kts``; nothing where the build cannot be told."""
    if emission.rebuild is None:
        return ()
    values = gradle_values(emission.name, emission.target.id, emission.rebuild)
    for name in _SCRIPTS:
        (folder / name).write_text(fill(template(name), values), encoding="ascii")
    return tuple(describe(folder, name, "gradle_script") for name in _SCRIPTS)
