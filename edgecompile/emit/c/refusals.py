"""What keeps a network from being a C library, as diagnostics."""

from __future__ import annotations

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.emit.emission import Emission
from edgecompile.kernels.program import Program, Refusal

_NAMED = 6
_LIBRARY = "c_library"


def refusals(program: Program, model_name: str) -> tuple[Diagnostic, ...]:
    """EC640, a warning, once for each kind of operator and reason; empty for a whole program."""
    kinds: dict[tuple[str, str], list[Refusal]] = {}
    for refusal in program.refusals:
        kinds.setdefault((refusal.label, refusal.reason), []).append(refusal)
    return tuple(_diagnostic(program, found, model_name) for found in kinds.values())


def lacks_library(emission: Emission) -> bool:
    """Whether a C library was to be written, and some operator keeps the network from being one."""
    return emission.network is not None and emission.program is None and _LIBRARY in emission.target.emit


def unwritten(emission: Emission, emitter: str) -> tuple[Diagnostic, ...]:
    """EC640, a warning: what takes the C library in elsewhere is not written, for there is none."""
    if not lacks_library(emission):
        return ()
    return (
        Diagnostic(
            code="EC640",
            severity=Severity.WARNING,
            message=f"`{emitter}` is not written: it takes in the C library, and there is none",
            location=Location(file=emission.name),
            notes=("an operator of the model has no C kernel, as another message says",),
            help=(f"take `{emitter}` out of `--emit`",),
        ),
    )


def _diagnostic(program: Program, found: list[Refusal], model_name: str) -> Diagnostic:
    first, graph = found[0], program.subgraph
    operator = graph.operators[first.operator] if graph.operators else None
    tensors = graph.outputs_of(operator) if operator is not None else ()
    given = [str(tensor) for tensor in graph.inputs_of(operator) if tensor is not None] if operator is not None else []
    notes = [f"no kernel takes: {first.reason}"]
    if len(found) > 1:
        rest = ", ".join(str(refusal.operator) for refusal in found[1 : _NAMED + 1])
        notes.append(f"operators {rest}{' and more' if len(found) > _NAMED + 1 else ''} for the same reason")
    return Diagnostic(
        code="EC640",
        severity=Severity.WARNING,
        message=f"no C library is written: `{first.label}` has no C kernel for this",
        location=Location(
            file=model_name,
            operator=first.operator,
            layer=tensors[0].name if tensors else None,
            detail=f"{', '.join(given)} -> {', '.join(map(str, tensors))}" if tensors else None,
        ),
        notes=tuple(notes),
        help=(
            "the other outputs are written: with them the model runs in TensorFlow Lite Micro",
            "numerics `int8` has the most kernels",
        ),
        consequences=len(found) - 1,
    )
