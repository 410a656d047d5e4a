"""The Gradle script for a new project, before anything was built: an app's module has to have it to be configured."""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.naming import model_name
from edgecompile.core.project import Project
from edgecompile.emit.android.fill import fill, template
from edgecompile.emit.android.scripts import gradle_values
from edgecompile.emit.rebuild import rebuild_of

SCRIPT = "edgecompile.gradle"


def write_script(project: Project) -> Path | None:
    """``edgecompile.gradle`` in the project's Gradle module, for its first target; None where it asks for none."""
    module = project.android.module
    if module is None or "gradle" not in project.emit:
        return None
    name = model_name(project.model)
    rebuild = rebuild_of(project, project.model, module, project.emit)
    (module / SCRIPT).write_text(fill(template(SCRIPT), gradle_values(name, project.targets[0], rebuild)), "ascii")
    return module / SCRIPT
