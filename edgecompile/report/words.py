"""The words of a report: what its verdict and figures are called, in text and page alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgecompile.core.report import Measure, Report
from edgecompile.core.units import format_size
from edgecompile.report.table import number

# The detail that belongs to the verdict: by what and on what the artifact was verified, or what is missing for it.
VERIFICATION = "verification"
# There where a target with a fallback runs nothing of the model on its accelerator.
NOTHING_MAPS = "mapping"
# There where flash and RAM are those of the model file and its interpreter, for want of a C library.
INTERPRETER = "interpreter"
_INTERPRETED = ("arena_bytes", "flash_bytes", "ram_bytes")
# How the figures in other details were obtained, by the detail's name.
OBTAINED = "obtained"
# Of each operator on a board, by its number.
TIMES = "time of the C library"
# Scores that are shares of one: told in percent, and their difference in points.
SHARES = {"top1": "Top-1", "auc": "AUC", "miou": "mIoU"}
_VERDICTS = {
    "verified": "built and verified",
    "built": "built",
    "rejected": "rejected",
    "failed": "failed",
    "interrupted": "interrupted",
}
_LABELS = {
    "model_bytes": "model file",
    "weights_bytes": "weights",
    "macs": "multiply-accumulates",
    "operators": "operators",
    "operators_on_cpu": "operators on the CPU",
    "partitions": "partitions",
    "arena_bytes": "arena",
    "flash_bytes": "flash",
    "ram_bytes": "RAM",
    "interpreter_arena_bytes": "arena, if interpreted",
    "interpreter_flash_bytes": "flash, if interpreted",
    "interpreter_ram_bytes": "RAM, if interpreted",
    "metric": "score",
    "metric_float": "score of the float model",
    "latency_ms": "latency",
    "energy_mj": "energy",
    "latency_usb3_board_ms": "latency over USB 3, from a board",
    "latency_usb2_ms": "latency over USB 2",
    "latency_pcie_ms": "latency over PCIe",
    "cached_bytes": "parameters cached on chip",
    "streamed_bytes": "parameters streamed",
    "cache_free_bytes": "room left on chip",
    "activation_bytes": "activations on chip",
    "pipeline_interval_ms": "slowest segment",
    "instructions": "instructions",
    "features_instructions": "instructions of the features",
    "stack_bytes": "stack, at most",
    "cycles": "cycles",
    "sram_bytes": "SRAM",
    "dram_bytes": "DRAM",
    "on_chip_flash_bytes": "on-chip flash",
    "off_chip_flash_bytes": "off-chip flash",
}


def verdict(report: Report) -> str:
    """``built and verified``, ``rejected (2 errors)``, ``would run on the CPU only: nothing maps``."""
    errors = sum(diagnostic.severity.value == "error" for diagnostic in report.diagnostics)
    cause = f" ({errors} error{'s' if errors > 1 else ''})" if errors else ""
    # `check` writes nothing: a report that is built and has no artifact says that it could be.
    checked = report.status == "built" and not report.artifacts
    if checked:
        return ("would run on the CPU only: nothing maps" if nothing_maps(report) else "would run and fit") + cause
    only = ", runs on the CPU only: nothing maps" if nothing_maps(report) else ""
    return _VERDICTS.get(report.status, report.status) + only + cause


def nothing_maps(report: Report) -> bool:
    """Nothing of what was built or looked at runs on the target's accelerator, all of it beside it."""
    return report.status in ("built", "verified") and NOTHING_MAPS in report.details


def recipe(recipe: Mapping[str, Any]) -> str:
    """Its name and the numbers that the device computes with."""
    words = [str(recipe.get("name", "none"))]
    words += [str(recipe[key]) for key in ("numerics", "calibration") if recipe.get(key)]
    return ", ".join(words)


def tag(measure: Measure) -> str:
    """The word that a method opens with: counted, planned, predicted, measured."""
    return tag_of(measure.method)


def tag_of(method: str) -> str:
    """The same, of the method itself."""
    return method.partition(" ")[0].rstrip(":,;")


def tag_in(report: Report, measure: Measure) -> str:
    """The same, and that it is of the interpreter, where a C library was to be and is not."""
    interpreted = measure.name in _INTERPRETED and INTERPRETER in report.details
    return f"{tag(measure)}, if interpreted" if interpreted else tag(measure)


# Of a phone, a processor and numerics.
_ON_PHONE = "predicted_ms_"


def label(measure: Measure) -> str:
    """What people call the figure."""
    return name_of(measure.name)


def name_of(name: str) -> str:
    """What people call the figure of that name."""
    if name.startswith(_ON_PHONE):
        return f"latency, {name.removeprefix(_ON_PHONE).replace('_', ' ')}"
    return _LABELS.get(name, name.replace("_", " "))


def value(measure: Measure) -> str:
    """The figure with its unit."""
    if measure.value is None:
        return "not available"
    if measure.unit == "bytes":
        return format_size(int(measure.value))
    if measure.unit == "ratio":
        return f"{100 * measure.value:.1f} %"
    if measure.unit in SHARES:
        return f"{100 * measure.value:.2f} %"
    unit = "" if measure.unit in ("count", "", measure.name) else f" {measure.unit}"
    return f"{number(measure.value)}{unit}"


def limit(measure: Measure) -> str:
    """`` (limit 64.0 KiB)``; empty where there is none."""
    if measure.limit is None:
        return ""
    limit = format_size(int(measure.limit)) if measure.unit == "bytes" else number(measure.limit)
    return f" (limit {limit})"


def size(size_bytes: float) -> str:
    """Bytes for people, whole units without decimals: ``640 KiB``."""
    return format_size(int(size_bytes)).replace(".00 ", " ").replace(".0 ", " ")
