"""The work on one target: what is known so far, and the report it makes at whatever point it ends."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from edgecompile import __version__
from edgecompile.cache.memo import Memo
from edgecompile.core.artifact import Artifact
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.naming import model_name
from edgecompile.core.progress import Progress
from edgecompile.core.project import Project
from edgecompile.core.recipe import Scheme
from edgecompile.core.report import Measure, Report, Stage
from edgecompile.core.target import Target
from edgecompile.features.plan import Plan, from_dict
from edgecompile.ir.network import Network
from edgecompile.ir.ports import port_of
from edgecompile.kernels.program import Program
from edgecompile.legalize.check import Verdict
from edgecompile.lowering import AS_FOUND, Lowered
from edgecompile.memory.arena import MemoryPlan
from edgecompile.memory.shared import SharedPlan
from edgecompile.report.words import OBTAINED
from edgecompile.verify.c_features import FrontEnd


class Neighbour(NamedTuple):
    """A model that shares the device: its name, and which of its operators run on the accelerator."""

    name: str
    network: Network
    operators: tuple[int, ...]


@dataclass
class Job:
    """Mutable on purpose: the stages fill it in, so that a rejected build still reports all it found out.

    ``content`` is the flatbuffer to emit, None until the network was optimized. ``program`` and ``program_plan``: the
    network in C, None where the profile asks for no C library or an operator keeps it from being one. ``neighbours``:
    models named before this one that share the device with it; the job adds itself when it knows its own operators.
    ``cache``: the tool's cache folder; ``memo`` what is done once for the same inputs.
    """

    project: Project
    target: Target
    scheme: Scheme
    lowered: Lowered
    progress: Progress
    network: Network | None = None
    content: bytes | None = None
    verdict: Verdict | None = None
    plan: MemoryPlan | None = None
    neighbours: list[Neighbour] = field(default_factory=list)
    cache: Path | None = None
    memo: Memo = field(default_factory=Memo)
    program: Program | None = None
    program_plan: SharedPlan | None = None
    status: str = "built"
    stages: list[Stage] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    artifacts: list[Artifact] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model's file name without suffix: what artifacts are called."""
        return model_name(self.lowered.source.name)

    @property
    def features(self) -> Plan | None:
        """What the samples went through, where they are features of sound."""
        dataset = self.lowered.dataset
        plain = None if dataset is None else dataset.description.get("features")
        return None if plain is None else from_dict(plain)

    @property
    def front_end(self) -> FrontEnd | None:
        """What comes before the model, as it must be on the device; None where the model takes no features."""
        if self.features is None or self.network is None:
            return None
        main = self.network.main
        port = port_of(main.tensors[main.inputs[0]])
        return FrontEnd(plan=self.features, preprocess=self.project.data.preprocess, port=port)

    @contextmanager
    def stage(self, name: str, detail: str = "") -> Iterator[list[str]]:
        """Time a stage and tell the listener; the body appends its one-line summary to the list it is given.

        The listener is told where all that the stage does once was there already.
        """
        summary: list[str] = []
        found, done = self.memo.found, self.memo.done
        started = time.monotonic()
        self.progress.begin(name, detail)
        yield summary
        line = " ".join(summary)
        self.stages.append(
            Stage(name=name[:1].lower() + name[1:], summary=line, duration_s=round(time.monotonic() - started, 3))
        )
        cached = self.memo.found > found and self.memo.done == done
        self.progress.end(f"{line}, cached" if cached else line)

    def count(self, name: str, value: float | int | None, unit: str, method: str) -> None:
        """Add a measure."""
        self.measures.append(Measure(name=name, value=value, unit=unit, method=method))

    def obtained(self, detail: str, how: str) -> None:
        """Tell how the figures of a detail were obtained."""
        self.details.setdefault(OBTAINED, {})[detail] = how

    def report(self) -> Report:
        """What is known now."""
        return Report(
            status=self.status,
            target=self.target.id,
            recipe=self._recipe(),
            model_sha256=self.lowered.source.sha256,
            versions={
                "edgecompile": __version__,
                "python": platform.python_version(),
                **self.lowered.versions,
                **self.versions,
            },
            stages=(*self.lowered.stages, *self.stages),
            measures=tuple(self.measures),
            diagnostics=(*self.lowered.diagnostics, *self.diagnostics),
            artifacts=tuple(self.artifacts),
            details=self.details,
        )

    def _recipe(self) -> dict[str, Any]:
        recipe = self.project.recipe
        found = AS_FOUND in self.lowered.content
        return {
            "name": recipe.name,
            "steps": [{"pass": step.name, **step.options} for step in recipe.steps],
            "numerics": AS_FOUND if found else self.scheme.numerics,
            "io_dtype": None if found else self.scheme.io_dtype,
            "per_tensor_dense": None if found else self.scheme.per_tensor_dense,
            "calibration": None if found else self.scheme.calibration,
            "seed": self.project.seed,
        }
