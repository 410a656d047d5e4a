"""A report with every detail that a page draws, small and made up, with the names of somebody hostile."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.core.artifact import Artifact
from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.report import Measure, Report, Stage

HOSTILE = '<script>alert("x")</script>&\'"><img src=http://example.org/x onerror=alert(1)>$title'
LAYER = f"model/{HOSTILE.replace('/', '')}/Relu"


def step(name: str, stored: int, counts: str, **more: object) -> dict[str, object]:
    histogram = {"layer": LAYER, "weights": 9, "width": 1, "counts": counts}
    return {"step": name, "stored_bytes": {"m4": stored}, "histograms": [histogram], "sensitivity": [], **more}


def example() -> Report:
    """Built and verified, with a refusal, a memory map, two steps, sensitivities and confusions."""
    row = {"index": 0, "subgraph": 0, "operator": "CONV_2D", "layer": HOSTILE, "where": "mcu", "reason": HOSTILE}
    row |= {"type": "int8[1, 4]", "macs": 123456, "weights_bytes": 31337, "output_bytes": 64}
    memory = {"arena_bytes": 4096, "peak_step": 0, "steps": [HOSTILE, "ADD"]}
    memory |= {"tensors": [{"name": LAYER, "first": 0, "last": 1, "offset": 0, "bytes": 4096}]}
    sensitivities = [{"operator": "CONV_2D", "name": LAYER, "output_error": 0.01, "drop": None}]
    return Report(
        status="verified",
        target="m4",
        recipe={"name": HOSTILE, "numerics": "int8", "steps": [{"pass": "prune", "sparsity": 0.5}], "seed": 0},
        model_sha256="ab" * 32,
        versions={"edgecompile": "0.1.0", "python": "3.11.7"},
        stages=(Stage(name="load", summary=HOSTILE, duration_s=0.5),),
        measures=(
            Measure(name="flash_bytes", value=44136, unit="bytes", method="counted in app.elf", limit=262144),
            Measure(name="ram_bytes", value=70000, unit="bytes", method="planned", limit=65536),
            Measure(name="model_bytes", value=50001, unit="bytes", method="counted in the emitted file"),
            Measure(name="instructions", value=386746, unit="count", method="simulated: QEMU"),
            Measure(name="latency_ms", value=None, unit="ms", method="not available: no board"),
            Measure(name="metric", value=0.98125, unit="top1", method="measured", limit=0.97),
            Measure(name="metric_float", value=0.9775, unit="top1", method="measured: the float model"),
        ),
        diagnostics=(
            Diagnostic(code="EC342", severity=Severity.NOTE, message="a note"),
            Diagnostic(
                code="EC502", message=f"`{HOSTILE}` cannot run", location=Location(file=HOSTILE), notes=(HOSTILE,),
                help=("do `this`",),
            ),
        ),
        artifacts=(Artifact(path=f"{HOSTILE.replace('/', '')}.tflite", kind="tflite", size_bytes=3, sha256="ff" * 32),),
        details={
            "verification": "verified: on 359 held-out samples",
            "operators": [row],
            "memory map": memory,
            "float model": {"parameters": 9, "bytes": 36},
            "compression": [{"step": HOSTILE, "score": "0.98", "stored": "9 B"}],
            "compression records": {
                "steps": [step("as given", 9, "2 5 2"), step(HOSTILE, 5, "0 9 0", sensitivity=sensitivities)]
            },
            "confusion": {"float": ["3 0", "1 2"], "artifact": ["2 1", "0 3"]},
            "labels": [HOSTILE, "dog"],
            "rewrites": [HOSTILE],
            HOSTILE: {HOSTILE: [HOSTILE, {"n": 4711}]},
        },
    )  # fmt: skip


def bare() -> Report:
    """A rejected report that found out nothing."""
    whole = example()
    return replace(whole, status="rejected", stages=(), measures=(), artifacts=(), details={})
