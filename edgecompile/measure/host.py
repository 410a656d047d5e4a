"""How long the artifact takes on this machine."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgecompile.core.progress import Progress
from edgecompile.core.report import Measure
from edgecompile.core.units import counted
from edgecompile.libs import litert

DEFAULT_RUNS = 100
DEFAULT_WARM_UP = 10


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Durations of single invocations in milliseconds; warm-up runs are kept apart.

    ``p95_ms``: 95 of 100 runs were no slower (nearest rank). ``first_ms``: the very first
    invocation, which also pays for what interpreters put off; ``warm_up_median_ms`` covers all warm-up runs.
    """

    median_ms: float
    p95_ms: float
    min_ms: float
    runs: int
    first_ms: float
    warm_up_median_ms: float
    warm_up: int
    threads: int
    described: str

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)

    def measure(self) -> Measure:
        """``latency_ms`` as reports carry it: the median."""
        threads, runs = counted(self.threads, "thread"), counted(self.runs, "run")
        method = f"measured: this machine, {self.described}, {threads}, median of {runs}"
        return Measure(name="latency_ms", value=self.median_ms, unit="ms", method=method)


def bench(
    content: bytes,
    *,
    runtime: litert.RuntimeInfo | None = None,
    runs: int = DEFAULT_RUNS,
    warm_up: int = DEFAULT_WARM_UP,
    threads: int = 1,
    resolver: str = "default",
    seed: int = 0,
    name: str = "the model",
    progress: Progress | None = None,
) -> Latency:
    """Time ``runs`` invocations on one seeded sample, in a process of its own, after ``warm_up`` more (at least 1).

    ``runtime`` None: the first TFLite interpreter installed. Inputs are set once before: their
    quantization is not timed. Raises EC190 without an interpreter, EC702 to EC706 for what the model does in it.
    """
    chosen = runtime or litert.choose("tflite")
    if not chosen.available:
        raise litert.missing_interpreter("tflite")
    answer = litert.time_model(
        content,
        runtime=chosen,
        runs=max(1, runs),
        warm_up=max(1, warm_up),
        threads=threads,
        resolver=resolver,
        name=name,
        seed=seed,
        progress=progress,
    )
    return summarize(answer["warm_up_s"], answer["runs_s"], threads, f"{chosen}, {answer['resolver']}")


def summarize(warm_up_s: list[float], runs_s: list[float], threads: int, described: str) -> Latency:
    """Figures from durations in seconds."""
    runs_ms, warm_up_ms = 1e3 * np.array(runs_s), 1e3 * np.array(warm_up_s)
    return Latency(
        median_ms=float(np.median(runs_ms)),
        p95_ms=float(np.percentile(runs_ms, 95, method="inverted_cdf")),
        min_ms=float(runs_ms.min()),
        runs=len(runs_s),
        first_ms=float(warm_up_ms[0]),
        warm_up_median_ms=float(np.median(warm_up_ms)),
        warm_up=len(warm_up_s),
        threads=threads,
        described=described,
    )
