"""Reports as JSON: what `report.json` holds and `--json` prints, on failure too."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edgecompile import __version__
from edgecompile.core.artifact import Artifact
from edgecompile.core.diagnostic import Diagnostic, from_dict
from edgecompile.core.report import SCHEMA, Measure, Report, Stage


def dumps(reports: Report | Sequence[Report]) -> str:
    """One JSON object: a report itself, or for several targets ``{"schema", "reports"}`` in the order asked for.

    Keys come in the documented order. A figure that is no number (NaN, infinite) becomes null, since JSON
    has no word for it.
    """
    if isinstance(reports, Report):
        return dump_object(reports.to_dict())
    if len(reports) == 1:
        return dump_object(reports[0].to_dict())
    return dump_object({"schema": SCHEMA, "reports": [report.to_dict() for report in reports]})


def from_plain(plain: Mapping[str, Any]) -> Report:
    """The report that :meth:`Report.to_dict` made the value of. Raises KeyError or TypeError for what is no report."""
    return Report(
        status=plain["status"],
        target=plain["target"],
        recipe=plain["recipe"],
        model_sha256=plain["model_sha256"],
        versions=plain["versions"],
        stages=tuple(Stage(**stage) for stage in plain["stages"]),
        measures=tuple(Measure(**measure) for measure in plain["measures"]),
        diagnostics=tuple(from_dict(diagnostic) for diagnostic in plain["diagnostics"]),
        artifacts=tuple(Artifact(**artifact) for artifact in plain["artifacts"]),
        details=plain["details"],
        schema=plain["schema"],
    )


def failure(status: str, diagnostics: Iterable[Diagnostic], target: str = "") -> Report:
    """The report of a run that ended before there was one: what was said, and nothing measured."""
    versions = {"edgecompile": __version__, "python": platform.python_version()}
    return Report(
        status=status, target=target, recipe={}, model_sha256="", versions=versions, diagnostics=tuple(diagnostics)
    )


def dump_object(value: Any) -> str:
    """Any result as JSON text in the order given, in ASCII (any terminal and file takes it), without NaN."""
    return json.dumps(_plain(value), indent=2, allow_nan=False)


def _plain(value: Any) -> Any:
    """Plain JSON types; NumPy scalars come out as Python's."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return _plain(value.item()) if hasattr(value, "item") else str(value)
