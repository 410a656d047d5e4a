"""Hold the emitted C library against TensorFlow Lite Micro: every operator's result, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import MissingError, RejectedError
from edgecompile.core.units import counted, group
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network
from edgecompile.ir.ports import port_of
from edgecompile.ir.writer import write
from edgecompile.kernels.program import Program
from edgecompile.libs import litert
from edgecompile.libs.affine import quantize
from edgecompile.verify import c_harness
from edgecompile.verify.verify import FAILED, SKIPPED, VERIFIED

Array = np.ndarray[Any, Any]
SAMPLES = 20
# Of a float32 tensor's largest value: sums in float32 may be taken in another order on another core, and the C
# library's exp, tanh and the like differ in their last bits from one to the next.
FLOAT_TOLERANCE = 1e-5
# Raw inputs, samples first, to the results of every operator by tensor index, samples first.
Run = Callable[[Sequence[Array]], dict[int, Array]]
# A network, which of its tensors, raw inputs and the model's name to those tensors' values, as `reference_of`.
Reference = Callable[[Network, list[int], Sequence[Array], str], litert.Outputs]


@dataclass(frozen=True, kw_only=True)
class CVerification:
    """``status``: ``verified``, ``skipped`` or ``failed``; ``summary`` one line; ``compared`` tensors and samples."""

    status: str
    summary: str
    diagnostics: tuple[Diagnostic, ...] = ()
    tensors: int = 0
    samples: int = 0


def verify_c(
    folder: Path,
    name: str,
    network: Network,
    program: Program,
    x: Sequence[Array],
    model_name: str,
    samples: int = SAMPLES,
) -> CVerification:
    """Compile what was emitted into ``folder`` as ``name`` and run it beside TensorFlow Lite Micro.

    ``x``: real-valued inputs, samples first; the first ``samples`` of them count. Nothing raises: EC720 (another
    result), EC722 (does not compile), EC723 (crashes) are errors in ``diagnostics``, EC721 (nothing to verify with) a
    warning.
    """
    cc = c_harness.compiler()
    if cc is None:
        return _skipped(["a C compiler"], model_name)
    host = partial(c_harness.run, folder, name, program, cc=cc, model_name=model_name)
    return verify_run(host, network, program, x, model_name, samples)


def reference_of(network: Network, tensors: list[int], raw: Sequence[Array], model_name: str) -> litert.Outputs:
    """What TensorFlow Lite Micro gives for these tensors. Raises what :func:`litert.invoke` raises."""
    runtime = litert.choose(litert.MICRO)
    return litert.invoke(_opened(network, tensors), raw, runtime=runtime, resolver="reference", name=model_name)


def verify_run(
    run: Run,
    network: Network,
    program: Program,
    x: Sequence[Array],
    model_name: str,
    samples: int = SAMPLES,
    where: str = "C",
    reference: Reference = reference_of,
) -> CVerification:
    """The same for any way to run the C library: ``run`` gives every operator's results for raw inputs.

    ``where`` is the subject of the summary; ``reference`` gives what is right, from a memory perhaps. What ``run``
    raises becomes a diagnostic of the verification.
    """
    runtime = litert.choose(litert.MICRO)
    if not runtime.available:
        return _skipped([runtime.name], model_name)
    try:
        raw = raw_inputs(network, x, samples)
        ours = run(raw)
        tensors = list(dict.fromkeys(c_harness.traced(program)))
        theirs = reference(network, tensors, raw, model_name)
    except MissingError as error:
        return CVerification(status=SKIPPED, summary="skipped", diagnostics=error.diagnostics)
    except RejectedError as error:
        return CVerification(status=FAILED, summary=error.diagnostics[0].message, diagnostics=error.diagnostics)
    count = len(raw[0])
    for index, right in zip(tensors, theirs.arrays, strict=True):
        found = _difference(program, index, ours[index], right.reshape(ours[index].shape), model_name, str(runtime))
        if found is not None:
            return CVerification(status=FAILED, summary=found.message, diagnostics=(found,))
    real = any(program.subgraph.tensors[index].dtype == "float32" for index in tensors)
    how = f"bit for bit{f', float32 within {FLOAT_TOLERANCE}' if real else ''}"
    summary = f"{where} equals {runtime.name} in {_every(len(tensors))} on {counted(count, 'sample')}, {how}"
    return CVerification(status=VERIFIED, summary=summary, tensors=len(tensors), samples=count)


def _every(tensors: int) -> str:
    return f"all {counted(tensors, 'tensor')}" if tensors != 1 else "its only tensor"


def _opened(network: Network, tensors: list[int]) -> bytes:
    """The flatbuffer with every operator's result as an output, so that the interpreter keeps it."""
    main = replace(network.main, outputs=tuple(tensors))
    kept = {name: value for name, value in network.metadata.items() if name != "OfflineMemoryAllocation"}
    return write(replace(network, subgraphs=(main, *network.subgraphs[1:]), signatures=(), metadata=kept))


def raw_inputs(network: Network, x: Sequence[Array], samples: int) -> list[Array]:
    """The first ``samples`` of real-valued inputs as they are fed, in the tensors' own dtypes and shapes."""
    fed = []
    for array, index in zip(x, network.main.inputs, strict=True):
        tensor = network.main.tensors[index]
        rows = np.asarray(array[:samples])
        port = port_of(tensor)
        values = quantize(rows, port) if port.quantized else rows.astype(tensor.dtype)
        fed.append(np.ascontiguousarray(values.reshape(len(rows), *tensor.shape)))
    return fed


def _difference(
    program: Program, index: int, ours: Array, theirs: Array, model_name: str, runtime: str
) -> Diagnostic | None:
    """EC720 where a tensor differs; what is first in the order of execution is told, the rest follows from it."""
    wrong = _wrong(ours, theirs)
    if not np.any(wrong):
        return None
    where = tuple(int(i) for i in np.argwhere(wrong)[0])
    graph = program.subgraph
    operator = next(i for i, operator in enumerate(graph.operators) if index in operator.outputs)
    tensor = graph.tensors[index]
    return Diagnostic(
        code="EC720",
        message=f"the C library's `{graph.operators[operator].label}` gives another result than the reference",
        location=Location(file=model_name, operator=operator, layer=short_name(tensor.name), detail=str(tensor)),
        notes=(
            f"{group(int(np.sum(wrong)))} of {group(ours.size)} values differ, compared with {runtime}",
            f"sample {where[0]}, element {list(where[1:])}: found {ours[where]}, expected {theirs[where]}",
            "all operators before this one agree in every bit",
        ),
        help=("this is a fault of edgecompile: please report it with the model",),
    )


def _wrong(ours: Array, theirs: Array) -> Array:
    """Which elements differ: whole numbers in any bit, real ones beyond the tolerance."""
    theirs = theirs.astype(ours.dtype, copy=False)
    if ours.dtype != np.float32:
        return np.asarray(ours != theirs)
    largest = np.max(np.abs(theirs), initial=0.0, where=np.isfinite(theirs))
    close = np.isclose(ours, theirs, rtol=FLOAT_TOLERANCE, atol=FLOAT_TOLERANCE * float(largest), equal_nan=True)
    return np.asarray(~close)


def _skipped(lacking: list[str], model_name: str) -> CVerification:
    missing = " and ".join(lacking)
    diagnostic = Diagnostic(
        code="EC721",
        severity=Severity.WARNING,
        message=f"the C library was not verified: {missing} is not installed",
        location=Location(file=model_name),
        notes=("it is compiled on this machine and compared with TensorFlow Lite Micro",),
        help=(
            "install what is missing: sudo apt-get install gcc",
            litert.how_to_install(litert.MICRO),
            "`--require-verified` makes this an error",
        ),
    )
    return CVerification(status=SKIPPED, summary=f"C not verified: {missing} is missing", diagnostics=(diagnostic,))
