"""How to run this build again: what a build script of Gradle or CMake calls, and what it depends on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgecompile.config.settings import SETTINGS, is_entry, variable
from edgecompile.core.project import Project

# Settings that the command line of the script names itself, or that name a place of this build.
_SAID = ("model", "targets", "output", "emit", "recipe", "trust", "random_calibration")
# Settings whose value is the name of a file or folder.
_PATHS = ("custom", "data.source", "data.labels", "android.module")


@dataclass(frozen=True, kw_only=True)
class Rebuild:
    """``base``: the project's folder as seen from the folder of the target's outputs; other paths are relative to it.

    ``arguments`` follow the word ``edgecompile``, without target and output; ``environment`` holds the settings that
    were given by flag or variable; ``files`` are what the build reads.
    """

    base: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    emit: tuple[str, ...]


def rebuild_of(project: Project, model: str | None, place: Path, emit: tuple[str, ...]) -> Rebuild:
    """The same build for a script. ``model``: its file, None for a function; ``place``: the target's folder."""
    named = sorted({str(o).removeprefix("file ") for o in project.origins.values() if str(o).startswith("file ")})
    words = ["build"]
    words += ["--project", named[0]] if named else [_relative(project, project.model)]
    words += [
        word
        for flag, word in ((project.trust, "--trust"), (project.random_calibration, "--random-calibration"))
        if flag
    ]
    if project.recipe.name != "none" and not _from_file(project, "recipe"):
        words += ["--recipe", _relative(project, str(project.recipe.name))]
    if named and not _from_file(project, "model"):
        words.insert(1, _relative(project, project.model))
    read = (model, project.custom, project.data.source, project.data.labels, *named)
    files = [file for file in map(_file_of, read) if file]
    return Rebuild(
        base=_posix(os.path.relpath(project.base, place)),
        arguments=tuple(words),
        environment=tuple((variable(name), _text(project, name)) for name in SETTINGS if _kept(project, name)),
        files=tuple(dict.fromkeys(_relative(project, name) for name in files)),
        emit=emit,
    )


def _file_of(name: str | None) -> str | None:
    """The file that a setting names, None for a function in an installed module."""
    if name and is_entry(name):
        module = name.rpartition(":")[0]
        return module if module.endswith(".py") else None
    return name


def _kept(project: Project, name: str) -> bool:
    origin = str(project.origins.get(name, ""))
    return name not in _SAID and origin.startswith(("flag", "environment"))


def _from_file(project: Project, name: str) -> bool:
    return str(project.origins.get(name, "")).startswith("file ")


def _text(project: Project, name: str) -> str:
    value: Any = project
    for part in SETTINGS[name].field:
        value = getattr(value, part)
    if name in _PATHS:
        return _relative(project, str(value))
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _relative(project: Project, name: str) -> str:
    """A path below or beside the project's folder; other words (``module:function``) as they are."""
    return _posix(os.path.relpath(name, project.base)) if os.path.isabs(name) else name


def _posix(path: str) -> str:
    return path.replace(os.sep, "/")
