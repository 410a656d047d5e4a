"""What the project asks of the emitters beyond what the profile does: more of them, and what they have to know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edgecompile.core.project import Project
from edgecompile.emit.emission import Emission
from edgecompile.emit.rebuild import rebuild_of


def with_asked(emission: Emission, project: Project, model: Path | None, place: Path) -> Emission:
    """The emission with the project's own emitters behind the profile's; ``model`` is its file, if it is one.

    ``place`` is where the target's outputs will be.
    """
    names = tuple(dict.fromkeys((*emission.target.emit, *project.emit)))
    return replace(
        emission,
        target=replace(emission.target, emit=names),
        android=project.android,
        rebuild=rebuild_of(project, str(model) if model else None, place, project.emit),
    )
