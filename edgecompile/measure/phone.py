"""Latency on an attached Android device, by TensorFlow Lite's own benchmark program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgecompile.core.errors import missing
from edgecompile.libs import adb

_TIMEOUT_S = 900.0
# What asks the benchmark for the accelerator of a profile.
_FLAGS: Mapping[str, str] = {"nnapi": "--use_nnapi=true", "gpu": "--use_gpu=true", "xnnpack": "--use_xnnpack=true"}
_TIMINGS = re.compile(
    r"Inference timings in us: Init: (?P<init>[\d.e+]+), First inference: (?P<first>[\d.e+]+), "
    r"Warmup \(avg\): (?P<warm_up>[\d.e+]+), Inference \(avg\): (?P<average>[\d.e+]+)"
)
_COUNTS = re.compile(r"count=(\d+) .*?min=([\d.e+]+) max=([\d.e+]+)")
_DELEGATED = re.compile(r"(?:Explicitly applied|Created|Replacing).*(?:delegate|partition).*")


@dataclass(frozen=True, kw_only=True)
class PhoneBench:
    """Milliseconds; ``said`` is what the program told about delegates."""

    device: str
    accelerator: str
    runs: int
    threads: int
    init_ms: float
    first_ms: float
    warm_up_ms: float
    average_ms: float
    min_ms: float
    max_ms: float
    said: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {**asdict(self), "said": list(self.said)}


def bench_on_phone(
    model: Path, accelerator: str, *, program: Path | None, serial: str | None, runs: int, threads: int
) -> PhoneBench:
    """Push ``model`` and ``program`` (None: the one pushed before), run it, read what it says.

    Raises MissingError EC191 without adb, EC774 without a device, EC775 when a command fails, EC776 where the program
    is not on the device, EC777 when its output tells no time.
    """
    device = adb.find_device(serial)
    adb.shell(device, ["mkdir", "-p", adb.FOLDER])
    there = adb.push(device, model, "model.tflite")
    tool = _tool(device, program)
    words = [tool, f"--graph={there}", f"--num_threads={threads}", f"--num_runs={runs}"]
    words += [_FLAGS[accelerator]] if accelerator in _FLAGS else []
    done = adb.shell(device, words, _TIMEOUT_S)
    if done.returncode != 0:
        raise adb.failed("the benchmark failed on the device", done)
    return _read(done.stdout + done.stderr, str(device), accelerator, threads)


def _tool(device: adb.Device, program: Path | None) -> str:
    path = f"{adb.FOLDER}/benchmark_model"
    if program is not None:
        adb.push(device, program, "benchmark_model")
        adb.shell(device, ["chmod", "+x", path])
    elif adb.shell(device, ["ls", path]).returncode != 0:
        raise missing(
            "EC776",
            "the benchmark program is not on the device",
            notes=(f"looked for {path}",),
            help=(
                "give it once: --benchmark FILE, TensorFlow Lite's `benchmark_model` for the device's processor",
                "TensorFlow publishes it as android_aarch64_benchmark_model (guide to performance measurement)",
            ),
        )
    return path


def _read(text: str, device: str, accelerator: str, threads: int) -> PhoneBench:
    timings, counts = _TIMINGS.search(text), _COUNTS.findall(text)
    if timings is None or not counts:
        raise missing(
            "EC777",
            "the benchmark's output tells no time",
            notes=("expected a line `Inference timings in us: ...`", *text.strip().splitlines()[-4:]),
            help=("give another build of the program with `--benchmark`",),
        )
    runs, least, most = counts[-1]  # the counts before are those of the warm-up
    milliseconds = {f"{key}_ms": float(value) / 1000 for key, value in timings.groupdict().items()}
    return PhoneBench(
        device=device,
        accelerator=accelerator,
        runs=int(runs),
        threads=threads,
        min_ms=float(least) / 1000,
        max_ms=float(most) / 1000,
        said=tuple(line.strip() for line in text.splitlines() if _DELEGATED.search(line)),
        **milliseconds,
    )
