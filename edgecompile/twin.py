"""Hold a build against its twin: the same project built before, anew, into a folder of another name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgecompile.core.errors import EdgecompileError, rejected
from edgecompile.core.units import counted, format_size, group
from edgecompile.job import Job

DETAIL = "reproducible"
_REPORTS = "report."


def hold(job: Job, folder: Path, twin: Path | None) -> None:
    """Compare what was emitted into ``folder`` with the twin's output for the same target; None: nothing to compare.

    Raises RejectedError EC824, which names the first difference. Reports tell how long things took, and are left out.
    """
    if twin is None:
        return
    with job.stage("Compare", "with a build without cache") as summary:
        summary.append(_equal(_files(folder), _files(twin / job.target.id)))
    how = "built twice, once without cache and into a folder of another name"
    job.details[DETAIL] = f"{how}: {summary[0]}"


def _equal(ours: Mapping[str, bytes], theirs: Mapping[str, bytes]) -> str:
    for name in sorted({*ours, *theirs}):
        if name not in ours or name not in theirs:
            raise _differs(name, "only one of the two builds wrote it")
        if ours[name] != theirs[name]:
            raise _differs(name, _first_difference(ours[name], theirs[name]))
    return f"{counted(len(ours), 'file')} equal in every byte"


def _files(folder: Path) -> dict[str, bytes]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(_REPORTS)}


def _first_difference(one: bytes, other: bytes) -> str:
    at = next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    sizes = f"{format_size(len(one))} and {format_size(len(other))}"
    return f"the first difference is at byte {group(at)}; the files have {sizes}"


def _differs(name: str, how: str) -> EdgecompileError:
    return rejected(
        "EC824",
        f"the build is not reproducible: `{name}` differs",
        name,
        notes=(how, "compared: this build, and one without cache into a folder of another name"),
        help=(
            "code of your own that draws numbers needs a seed: model functions, data functions, custom layers",
            "without such code this is a fault of edgecompile: please report it with the model",
        ),
    )
