"""What keeps a network from being a C library, as diagnostics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.emit.emission import Emission
from edgecompile.kernels.lstm import TWO_ANSWERS
from edgecompile.kernels.program import Program, Refusal

_NAMED = 6
_LIBRARY = "c_library"


def refusals(program: Program, model_name: str) -> tuple[Diagnostic, ...]:
    """EC640, a warning, once for all operators without a kernel; empty for a whole program."""
    if not program.refusals:
        return ()
    first, count = program.refusals[0], len(program.refusals)
    labels = {refusal.label for refusal in program.refusals}
    missing = f"`{first.label}` has" if len(labels) == 1 else f"{count} operators of {len(labels)} kinds have"
    return (
        Diagnostic(
            code="EC640",
            severity=Severity.WARNING,
            message=f"no C library is written: {missing} no C kernel for this",
            location=_location(program, first, model_name),
            notes=tuple(_notes(program.refusals)),
            help=(
                "the other outputs are written: with them the model runs in TensorFlow Lite Micro",
                *_other_types(program.refusals),
                *_anew(program.refusals),
            ),
            consequences=count - 1,
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


def _other_types(refused: Sequence[Refusal]) -> tuple[str, ...]:
    of_types = any(refusal.reason.startswith("element types") for refusal in refused)
    return ("numerics `int8` has the most kernels",) if of_types else ()


def _anew(refused: Sequence[Refusal]) -> tuple[str, ...]:
    if all(refusal.reason != TWO_ANSWERS for refusal in refused):
        return ()
    return ("that may give other answers than the file gives elsewhere: convert the Keras model here instead",)


def _notes(refused: Sequence[Refusal]) -> Iterator[str]:
    """``no kernel takes this operator: `ATAN2` 0, 1; `COS` 2``: a line a reason, in the order of the operators."""
    reasons: dict[str, dict[str, list[int]]] = {}
    for refusal in refused:
        reasons.setdefault(refusal.reason, {}).setdefault(refusal.label, []).append(refusal.operator)
    for reason, kinds in reasons.items():
        yield f"no kernel takes {reason}: {'; '.join(f'`{label}` {_numbers(found)}' for label, found in kinds.items())}"


def _numbers(found: Sequence[int]) -> str:
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(map(str, found[:_NAMED])) + more


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
