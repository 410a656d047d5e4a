"""Run what was emitted and hold it against what it came from, before success is claimed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import EdgecompileError, MissingError, RejectedError
from edgecompile.core.progress import Progress
from edgecompile.core.project import Accuracy
from edgecompile.core.report import Measure
from edgecompile.core.target import Target
from edgecompile.core.units import counted, group
from edgecompile.libs import litert
from edgecompile.verify.accuracy import Samples, held
from edgecompile.verify.agreement import Agreement, compare

Array = np.ndarray[Any, Any]
VERIFIED, SKIPPED, FAILED = "verified", "skipped", "failed"
# Which kernels speak for a judge: TensorFlow Lite Micro has reference kernels only; for the others it is what an
# application gets that asks for nothing else.
_RESOLVER: Mapping[str, str] = {litert.MICRO: "reference"}


@dataclass(frozen=True, kw_only=True)
class Verification:
    """``status``: ``verified``, ``skipped`` or ``failed``; ``summary`` is one line, and says what is missing.

    ``measures``: ``metric`` and ``metric_float`` where there was something to score with.
    ``details``: the table ``agreement`` with a row per output, for the report.
    ``runtime``: interpreter, version and resolver that gave the answers ("" when none did).
    """

    status: str
    summary: str
    measures: tuple[Measure, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()
    runtime: str = ""


def verify(
    content: bytes,
    target: Target,
    *,
    x: Sequence[Array],
    y: Sequence[Array] = (),
    reference: Sequence[Array] | None = None,
    accuracy: Accuracy | None = None,
    base: Path | None = None,
    name: str = "model.tflite",
    held_out: bool = True,
    progress: Progress | None = None,
    workers: int | None = None,
    against: str = "the float model",
) -> Verification:
    """Run the flatbuffer in the interpreter that judges for ``target`` and compare.

    ``x``: the float model's own inputs, samples first, real values. ``reference``: its outputs
    for them, float, in the flatbuffer's order; None when there is no float model. ``y``: labels
    by output, or empty. ``held_out`` False: the samples are noise, so that there is nothing
    to score. ``base``: where a ``module:function`` metric is looked for. ``against``: what ``reference`` is from, for
    messages.

    An artifact that fails is no exception: its ``status`` says so and ``diagnostics`` hold
    EC702, EC703, EC704, EC706 (the interpreter), EC710 (accuracy), EC711 (NaN), EC713
    (outputs), as errors, EC712 (far from the float model) and EC700 (no interpreter) as warnings.
    Raises BadInputError EC701, EC705 when ``x`` does not fit, EC714 to EC717 when the metric cannot be had.
    """
    samples = Samples(x=tuple(x), y=tuple(y), held_out=held_out, base=base or Path())
    judges = [runtime for runtime in litert.candidates(target.judge) if runtime.available]
    if not judges:
        return _skipped(target.judge, name)
    try:
        outputs = _run(content, judges, samples, name, progress, workers)
        _check_finite(outputs, reference, name)
        table = compare(outputs, reference, name) if reference is not None else ()
    except MissingError as error:
        return Verification(
            status=SKIPPED, summary=f"skipped: {error.diagnostics[0].message}", diagnostics=error.diagnostics
        )
    except RejectedError as error:
        return Verification(status=FAILED, summary=error.diagnostics[0].message, diagnostics=error.diagnostics)
    scored = held(outputs, reference, samples, accuracy or Accuracy(), name)
    diagnostics = (*_wild(table, name, held_out, against), *scored.diagnostics)
    failed = any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    return Verification(
        status=FAILED if failed else VERIFIED,
        summary=_summary(table, outputs, held_out, against),
        measures=scored.measures,
        details={"agreement": [row.to_dict() for row in table], **scored.details} if table else dict(scored.details),
        diagnostics=diagnostics,
        runtime=outputs.described,
    )


def resolver_of(runtime: str) -> str:
    """Which kernels of that interpreter speak for a device: ``reference`` or ``default``."""
    return _RESOLVER.get(runtime, "default")


def _run(
    content: bytes,
    judges: Sequence[litert.RuntimeInfo],
    samples: Samples,
    name: str,
    progress: Progress | None,
    workers: int | None,
) -> litert.Outputs:
    """The answer of the first interpreter that takes the model: an old one may lack an operator's version.

    TensorFlow's is asked only where no other one loads: it takes long to start, and has nothing that LiteRT lacks.
    """
    refusals: list[EdgecompileError] = []
    for runtime in judges:
        if runtime.name == "tensorflow" and any(isinstance(refusal, RejectedError) for refusal in refusals):
            break
        resolver = resolver_of(runtime.name)
        try:
            return litert.invoke(
                content, samples.x, runtime=runtime, resolver=resolver, real=True, progress=progress,
                workers=workers, name=name,
            )  # fmt: skip
        except (RejectedError, MissingError) as error:  # EC190: it is installed but does not load here
            if error.diagnostics[0].code not in ("EC702", "EC190"):
                raise
            refusals.append(error)
    raise next((refusal for refusal in refusals if isinstance(refusal, RejectedError)), refusals[0])


def _check_finite(outputs: litert.Outputs, reference: Sequence[Array] | None, name: str) -> None:
    for index, (array, port) in enumerate(zip(outputs.arrays, outputs.outputs, strict=True)):
        if array.dtype.kind != "f" or np.all(np.isfinite(array)):
            continue
        wrong = int(np.sum(~np.isfinite(array)))
        too = reference is not None and index < len(reference) and not np.all(np.isfinite(reference[index]))
        diagnostic = Diagnostic(
            code="EC711",
            message=f"output `{port.name}` is not a number",
            location=Location(file=name, detail=f"{port.dtype}{list(port.shape)}"),
            notes=(
                f"found: {group(wrong)} of {group(array.size)} values are NaN or infinite, by {outputs.described}",
                "the float model gives such values too" if too else "the float model's values are finite",
            ),
            help=(
                "look for NaN in the weights and for inputs the model was not made for"
                if too
                else "values may leave float16's range of 65 504: choose numerics `float32` or `int8`",
            ),
        )
        raise RejectedError(diagnostic)


def _wild(table: Sequence[Agreement], name: str, held_out: bool, against: str) -> tuple[Diagnostic, ...]:
    return tuple(_far(row, name, held_out, against) for row in table if row.is_wild)


def _far(row: Agreement, name: str, held_out: bool, against: str) -> Diagnostic:
    notes = [f"root mean squared difference: {row.relative_error:.2f} of that output's standard deviation"]
    if row.argmax_agreement is not None:
        notes.append(f"the largest element is at the same place in {100 * row.argmax_agreement:.1f} % of the samples")
    if not held_out:
        notes.append("the samples are noise, on which a model may do anything")
    return Diagnostic(
        code="EC712",
        severity=Severity.WARNING,
        message=f"output `{row.output}` is far from that of {against}",
        location=Location(file=name),
        notes=tuple(notes),
        help=(
            "are the calibration samples like those the device will see, and preprocessed alike?",
            "compare `--calibration percentile` and `mse`, or numerics `int16x8`",
        ),
    )


def _skipped(judge: str, name: str) -> Verification:
    runtime = litert.choose(judge)
    diagnostic = Diagnostic(
        code="EC700",
        severity=Severity.WARNING,
        message=f"the artifact was not verified: {runtime.name} is not installed",
        location=Location(file=name),
        notes=(f"the target's judge is `{judge}`",),
        help=(f"install it: {litert.how_to_install(judge)}",),
    )
    missing = f"skipped: {runtime.name} is missing"
    return Verification(status=SKIPPED, summary=missing, diagnostics=(diagnostic,))


def _summary(table: Sequence[Agreement], outputs: litert.Outputs, held_out: bool, against: str) -> str:
    """``at most 3 steps from the float model, argmax agrees in 99.6 %, on 5 000 held-out samples``."""
    what = counted(outputs.samples, "held-out sample") if held_out else f"{counted(outputs.samples, 'sample')} of noise"
    parts = []
    steps = [row.max_steps for row in table if row.max_steps is not None]
    if steps:
        parts.append(f"at most {max(steps):.1f} steps from {against}")
    elif table:
        parts.append(f"at most {max(row.max_difference for row in table):.2g} from {against}")
    agreeing = [row.argmax_agreement for row in table if row.argmax_agreement is not None]
    if agreeing:
        parts.append(f"argmax agrees in {100 * min(agreeing):.1f} %")
    return ", ".join([*parts, f"on {what}"])
