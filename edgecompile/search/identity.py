"""What a study is of: everything that its trials depend on, so that only the same command goes on with it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from edgecompile import __version__
from edgecompile.cache.fingerprint import fingerprint, of_file, of_files
from edgecompile.config.settings import is_entry
from edgecompile.core.project import Project
from edgecompile.core.units import format_size
from edgecompile.frontend.source import ModelSource
from edgecompile.search import genome, recipes
from edgecompile.search.proposals import Asked

_SHOWN = 16
# Of a project, what stands in an identity in words or decides no figure of a trial.
_OWN = ("model", "base", "targets", "output", "recipe", "data", "budget", "accuracy", "origins", "seed", "emit")


def identity(project: Project, source: ModelSource, asked: Asked, most_epochs: int, threads: int) -> dict[str, Any]:
    """Names and values, told when they differ; what has many parts counts by its hash."""
    rest = {one.name: getattr(project, one.name) for one in dataclasses.fields(project) if one.name not in _OWN}
    files = {name: _content(project.base, str(rest[name])) for name in ("custom",) if rest[name]}
    limits = asked.limits
    return {
        "edgecompile": __version__,
        "space": genome.VERSION,
        "model": f"{source.name} {source.sha256[:_SHOWN]}" if source.sha256 else source.name,
        "data": f"{Path(str(project.data.source)).name} {_data(project)[:_SHOWN]}",
        "target": f"{asked.target.id} {fingerprint(asked.target)[:_SHOWN]}",
        "objectives": ", ".join(asked.names),
        "flash": format_size(limits.flash_bytes) if limits.flash_bytes is not None else "no limit",
        "ram": format_size(limits.ram_bytes) if limits.ram_bytes is not None else "no limit",
        "drop": limits.max_drop if limits.max_drop is not None else "no limit",
        "metric": project.accuracy.metric or "as the labels suggest",
        "numerics": rest.pop("numerics") or "the target's",
        "recipe": recipes.title(asked.own) if asked.own else "none of your own",
        "epochs": most_epochs,
        "threads": threads,
        "seed": asked.seed,
        "settings": fingerprint({**rest, **files})[:_SHOWN],
    }


def _data(project: Project) -> str:
    spec = dataclasses.replace(project.data, as_test=False)
    source = str(spec.source)
    labels = _content(project.base, spec.labels) if spec.labels else None
    return fingerprint(spec, _content(project.base, source), labels)


def _content(base: Path, name: str) -> str:
    """The hash of a file, a folder, or of the module of ``file.py:function``; else the name itself."""
    if is_entry(name):
        name = name.rpartition(":")[0]
    path = base / name
    if path.is_dir():
        return of_files(path)
    return (of_file(path) if path.is_file() else None) or name
