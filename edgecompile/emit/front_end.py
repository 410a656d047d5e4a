"""What the model hears, beside the model: written where there is a C library, told where there is none."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.project import Preprocess
from edgecompile.emit.c import features
from edgecompile.emit.c_names import identifier
from edgecompile.emit.emission import Emission
from edgecompile.ir.ports import port_of

KERNEL = "features"


def missing(emission: Emission) -> str | None:
    """Why no front end in C comes along, None where one does, or the model takes no sound."""
    if emission.features is None:
        return None
    if "c_library" not in emission.target.emit or emission.program is None or emission.layout is None:
        return "no C library is written for this target"
    return features.refusal(emission.features, emission.network, emission.preprocess or Preprocess())


def has(emission: Emission) -> bool:
    """Whether a front end in C comes along."""
    return emission.features is not None and missing(emission) is None


def review(emission: Emission) -> tuple[Diagnostic, ...]:
    """EC287, a note, where the application must compute the features by itself."""
    reason = missing(emission)
    if reason is None:
        return ()
    note = Diagnostic(
        code="EC287",
        severity=Severity.NOTE,
        message=f"the features of sound are not part of what is written for `{emission.target.id}`",
        notes=(reason,),
        help=("compute them in the application, as report.json says under `data`: `features`",),
    )
    return (note,)


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``MODEL_features.h``, ``MODEL_features.c`` and their kernel, where they come along."""
    plan = emission.features
    if plan is None or missing(emission) is not None:
        return ()
    name, main = identifier(emission.name), emission.network.main
    tensor = main.tensors[main.inputs[0]]
    text = features.source(name, plan, tensor, emission.preprocess or Preprocess(), port_of(tensor))
    (folder / f"{name}_features.h").write_text(features.header(name, plan, tensor), encoding="ascii")
    (folder / f"{name}_features.c").write_text(text, encoding="ascii")
    kernel = files("edgecompile.features").joinpath("features.h").read_text(encoding="ascii")
    (folder / "kernels" / f"{KERNEL}.h").write_text(kernel, encoding="ascii")
    return (
        describe(folder, f"{name}_features.h", "c_header"),
        describe(folder, f"{name}_features.c", "c_source"),
        describe(folder, f"kernels/{KERNEL}.h", "c_header"),
    )
