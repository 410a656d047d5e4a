"""A search without a compiler: builds are answered from the recipe alone, by a formula."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgecompile.config.profiles import load
from edgecompile.core.project import DataSpec, Project
from edgecompile.search.driver import Search
from edgecompile.search.genome import dimensions
from edgecompile.search.objectives import Limits
from edgecompile.search.proposals import Asked
from edgecompile.search.recipes import epochs_of
from edgecompile.search.study import Study, Trial, open_study
from edgecompile.search.trial import Order, Place

FLOAT_SCORE, WHOLE_BYTES = 0.9, 100_000


def asked(target: str = "cortex-m4", most: int | None = 16, epochs: int = 4, seed: int = 0, **limits: Any) -> Asked:
    """What a search of that target proposes from."""
    found = load(target)
    return Asked(
        space=dimensions(found, None, epochs),
        target=found,
        own=None,
        names=("accuracy", "flash"),
        limits=Limits(**limits),
        seed=seed,
        most=most,
    )


def opened(folder: Path, question: Asked, **identity: Any) -> Study:
    return open_study(folder, {"seed": question.seed, **identity}, question.space)


def answer(order: Order) -> dict[str, Any]:
    """A build's answer: zeros and shared values make it smaller and worse, training makes good a part of that."""
    steps = {step.name: step.options for step in order.project.recipe.steps}
    zeros = float(steps.get("prune", {}).get("sparsity", 0.0))
    shared = 0.5 if "cluster" in steps or steps.get("quantize", {}).get("bits") == 4 else 1.0
    keys = {"prune_channels": "macs", "low_rank": "parameters"}
    left = next((steps[name].get(key, 0.5) for name, key in keys.items() if name in steps), 1.0)
    harm = 0.05 * zeros + 0.02 * (1 - shared) + 0.1 * (1 - left)
    score = FLOAT_SCORE - harm / (1 + epochs_of(order.project.recipe)) - (0.0 if "batch_norm" in steps else 0.002)
    return {
        "status": "verified",
        "exit_code": 0,
        "diagnostics": [],
        "details": {"sensitivity": [{"layer": "dense", "operator": "FULLY_CONNECTED"}]},
        "duration_s": 1.0,
        "measures": [
            measure("flash_bytes", round(WHOLE_BYTES * (1 - zeros) * shared * left), "bytes"),
            measure("ram_bytes", 9000, "bytes"),
            measure("metric", score, "top1", limit=FLOAT_SCORE - 1e9),
            measure("metric_float", FLOAT_SCORE, "top1"),
        ],
    }


def measure(name: str, value: float, unit: str, limit: float | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "limit": limit,
        "method": "measured: by the model file's formula",
    }


class Pool:
    """Answers at once, or raises at the n-th order; ``orders`` are those that were answered."""

    def __init__(self, work: Callable[[Order], dict[str, Any]] = answer, break_at: int | None = None) -> None:
        self.orders: list[Order] = []
        self._work, self._break_at = work, break_at

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self._break_at is not None and len(self.orders) >= self._break_at:
            raise KeyboardInterrupt
        self.orders.append(args[0])
        try:
            future.set_result(self._work(args[0]))
        except Exception as error:
            future.set_exception(error)
        return future

    def cut(self) -> None:
        """Nothing runs."""


class Quiet:
    """A listener that keeps what it hears."""

    def __init__(self) -> None:
        self.done: list[Trial] = []

    def searching(self, trials: Sequence[Trial], running: Sequence[int], left_s: float | None) -> None:
        """Say nothing."""

    def ended(self, trial: Trial) -> None:
        self.done.append(trial)


def search(study: Study, question: Asked, pool: Pool, workers: int = 1, seconds: float | None = None) -> list[Trial]:
    """Run a search to its end."""
    project = Project(
        model="m.keras", base=study.folder, targets=(question.target.id,), output=study.folder / "out",
        data=replace(DataSpec(source="d.npz"), searched=0.15),
    )  # fmt: skip
    return Search(
        study=study,
        asked=question,
        project=project,
        place=Place(cache=None),
        pool=pool,
        workers=workers,
        listener=Quiet(),
        deadline=None if seconds is None else time.monotonic() + seconds,
    ).run()


def told(trials: Sequence[Trial]) -> list[tuple[Any, ...]]:
    """What must be equal for two searches to be the same."""
    return [(one.number, one.state, dict(one.genome), one.origin, one.full, one.figures, one.reason) for one in trials]
