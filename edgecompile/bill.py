"""What a build was made of: every input with its hash, beside the versions that the report has anyway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from edgecompile.cache.fingerprint import fingerprint, of_file, of_files
from edgecompile.core.project import Project
from edgecompile.frontend.data import is_entry
from edgecompile.job import Job
from edgecompile.lowering import Lowered

DETAIL = "inputs"
Row = Mapping[str, str]


def bill_of(project: Project, lowered: Lowered) -> tuple[Row, ...]:
    """A row for each input of a build but the target: what it is, its name, the SHA-256 of its content.

    A file's hash is the one that `sha256sum` prints; a folder's is taken over names and contents of its files. The
    samples that a function gave, and the steps of the recipe, have a hash over their values. Names are relative to the
    project's folder, so that the bill is the same wherever that lies.
    """
    return tuple(
        {"input": what, "name": name, "sha256": sha256} for what, name, sha256 in _rows(project, lowered) if sha256
    )


def tell(job: Job, bill: tuple[Row, ...]) -> None:
    """Put the bill into the report, the profile of the job's target behind it."""
    profile = {"input": "profile", "name": job.target.id, "sha256": fingerprint(job.target)}
    job.details[DETAIL] = [*(dict(row) for row in bill), profile]


def _rows(project: Project, lowered: Lowered) -> Iterator[tuple[str, str, str | None]]:
    yield "model", lowered.source.name, lowered.source.sha256
    data, base = project.data, project.base
    if data.source is not None and is_entry(data.source):
        parts = lowered.dataset.parts() if lowered.dataset is not None else ()
        yield "data", data.source, fingerprint(parts)
    elif data.source is not None:
        yield "data", Path(data.source).name, _of_path(base / data.source)
    if data.labels is not None:
        yield "labels", Path(data.labels).name, _of_path(base / data.labels)
    imported: Mapping[str, str] = lowered.facts.get("imported") or {}
    for path in sorted(imported):
        yield "your code", Path(path).name, imported[path]
    if project.recipe.steps:
        yield "recipe", project.recipe.name, fingerprint(project.recipe)


def _of_path(path: Path) -> str | None:
    return of_files(path) if path.is_dir() else of_file(path)
