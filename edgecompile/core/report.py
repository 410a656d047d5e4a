"""What a build found out, whole: figures with how they were obtained, and what was said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from edgecompile.core.artifact import Artifact
from edgecompile.core.diagnostic import Diagnostic

SCHEMA = 1
STATUSES = ("built", "verified", "rejected", "failed", "interrupted")


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A figure and how it was obtained.

    ``method`` opens with one of *measured*, *simulated*, *predicted*, *planned* or *counted*
    and says where or by what. ``limit`` is the budget or capacity it was held against, in
    the same unit. ``value`` None: it could not be had, and ``method`` says why.
    """

    name: str
    value: float | int | None
    unit: str
    method: str
    limit: float | int | None = None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One finished stage: its name, one line of what it did, and how long it took."""

    name: str
    summary: str
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class Report:
    """The build of one model for one target; ``details`` holds tables that text and HTML draw."""

    status: str
    target: str
    recipe: Mapping[str, Any]
    model_sha256: str
    versions: Mapping[str, str]
    stages: tuple[Stage, ...] = ()
    measures: tuple[Measure, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    def measure(self, name: str) -> Measure | None:
        """The measure of that name, or None."""
        return next((m for m in self.measures if m.name == name), None)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types in the documented order of keys."""
        return {
            "schema": self.schema,
            "status": self.status,
            "target": self.target,
            "recipe": dict(self.recipe),
            "model_sha256": self.model_sha256,
            "versions": dict(self.versions),
            "stages": [asdict(stage) for stage in self.stages],
            "measures": [asdict(measure) for measure in self.measures],
            "diagnostics": [diagnostic.to_dict() for diagnostic in self.diagnostics],
            "artifacts": [asdict(artifact) for artifact in self.artifacts],
            "details": dict(self.details),
        }
