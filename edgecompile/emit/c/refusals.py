"""What keeps a network from being a C library, as diagnostics."""

from __future__ import annotations

from collections.abc import Sequence

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.emit.emission import Emission
from edgecompile.kernels.program import Program, Refusal

_NAMED = 6
_LIBRARY = "c_library"


def refusals(program: Program, model_name: str) -> tuple[Diagnostic, ...]:
    """EC640, a warning, once for all operators without a kernel; empty for a whole program."""
    if not program.refusals:
        return ()
    first, kinds = program.refusals[0], _kinds(program.refusals)
    labels = list(dict.fromkeys(f"`{label}`" for label, _ in kinds))
    missing = f"{labels[0]} has no C kernel for this"
    if len(labels) > 1:
        missing = f"{len(labels)} kinds of operators have no C kernel for this: {', '.join(labels)}"
    return (
        Diagnostic(
            code="EC640",
            severity=Severity.WARNING,
            message=f"no C library is written: {missing}",
            location=_location(program, first, model_name),
            notes=tuple(_note(label, reason, found) for (label, reason), found in kinds.items()),
            help=(
                "the other outputs are written: with them the model runs in TensorFlow Lite Micro",
                "numerics `int8` has the most kernels",
            ),
            consequences=len(program.refusals) - 1,
        ),
    )


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


def _kinds(refused: Sequence[Refusal]) -> dict[tuple[str, str], list[Refusal]]:
    """Refusals by what the operator is and why nothing takes it, in the order of the operators."""
    kinds: dict[tuple[str, str], list[Refusal]] = {}
    for refusal in refused:
        kinds.setdefault((refusal.label, refusal.reason), []).append(refusal)
    return kinds


def _note(label: str, reason: str, found: Sequence[Refusal]) -> str:
    """``no kernel takes `ATAN2`, operators 0 and 1: this operator``."""
    numbers = [str(refusal.operator) for refusal in found[:_NAMED]]
    if len(found) > _NAMED:
        numbers.append(f"{len(found) - _NAMED} more")
    named = " and ".join([", ".join(numbers[:-1]), numbers[-1]] if len(numbers) > 1 else numbers)
    return f"no kernel takes `{label}`, operator{'s' if len(found) > 1 else ''} {named}: {reason}"


def _location(program: Program, first: Refusal, model_name: str) -> Location:
    graph = program.subgraph
    operator = graph.operators[first.operator] if graph.operators else None
    tensors = graph.outputs_of(operator) if operator is not None else ()
    given = [str(tensor) for tensor in graph.inputs_of(operator) if tensor is not None] if operator is not None else []
    return Location(
        file=model_name,
        operator=first.operator,
        layer=tensors[0].name if tensors else None,
        detail=f"{', '.join(given)} -> {', '.join(map(str, tensors))}" if tensors else None,
    )
