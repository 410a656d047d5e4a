"""Refusals as diagnostics: one for each cause, however many operators it touches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.target import Target
from edgecompile.legalize import cures
from edgecompile.legalize.context import Context
from edgecompile.legalize.judge import Failure, Judgement, failures_of
from edgecompile.legalize.naming import layer_of, ranges, signature
from edgecompile.legalize.rules import remedy, sentence

TYPES = ("dtypes", "activation_dtypes", "computes_in")
FLOATS = ("float32", "float16", "float64", "bfloat16")
# They stand where a quantized model meets float inputs and outputs: not what makes a model a float model.
AT_THE_EDGE = ("QUANTIZE", "DEQUANTIZE")
# With a fixed shape the converter folds what these refuse.
BY_SHAPE = ("constant_inputs", "runtime_inputs")
CUT_OFF = "outside of the partitions that are kept"


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An operator that does not run on the accelerator, and why.

    ``whole``: the words with which the target's own compiler takes nothing of the model, whatever the operator is.
    """

    context: Context
    judgement: Judgement
    subgraph: int
    whole: str = ""

    @property
    def first(self) -> Failure | None:
        """The first rule that failed; None when no clause names the operator, or one accepts it."""
        return self.judgement.failures[0] if self.judgement.failures else None

    @property
    def reason(self) -> str:
        """One line for a table."""
        if self.judgement.accepted:
            return f"nothing of this model is taken: {self.whole}" if self.whole else CUT_OFF
        if self.first is not None:
            return f"found {self.first.found}; {sentence(self.first.rule, self.first.limit)}"
        return f"{self._before_the_operator}not an operator of this target"

    @property
    def _before_the_operator(self) -> str:
        """What the target's compiler looks at, and tells, before it asks whether it knows the operator."""
        statuses = self.context.target.statuses
        failed = failures_of(self.context, statuses.first) if statuses is not None else ()
        return "".join(f"found {one.found}; {sentence(one.rule, one.limit)}; and " for one in failed[:1])

    @property
    def cause(self) -> tuple[str, ...]:
        """Equal for refusals that one diagnostic tells: the code, then what tells causes of a code apart."""
        operator, failure = self.context.operator, self.first
        if self.judgement.accepted:
            return ("EC506",)
        if failure is None:
            return ("EC507" if operator.name == "CUSTOM" else "EC501", operator.label)
        rules = tuple(failure.rule for failure in self.judgement.failures)
        if "static_shapes" in rules:
            return ("EC504",)
        if any(f.rule in TYPES and f.found in FLOATS for f in self.judgement.failures):
            return ("EC503", operator.label) if operator.name in AT_THE_EDGE else ("EC505",)
        code = {"max_version": "EC508", "max_release": "EC508", "min_level": "EC509"}.get(failure.rule, "EC502")
        return ("EC503" if failure.rule in TYPES else code, operator.label, *rules)


def diagnose(refusals: Sequence[Refusal], target: Target, model_name: str, operators: int) -> tuple[Diagnostic, ...]:
    """One diagnostic for each cause, in the order in which the causes are met."""
    causes: dict[tuple[str, ...], list[Refusal]] = {}
    for refusal in refusals:
        if refusal.whole and refusal.judgement.accepted:
            continue  # EC558 tells it, once for all
        causes.setdefault(refusal.cause, []).append(refusal)
    return tuple(_diagnostic(cause, group, target, model_name, operators) for cause, group in causes.items())


def _diagnostic(
    cause: tuple[str, ...], group: list[Refusal], target: Target, model_name: str, operators: int
) -> Diagnostic:
    code, first = cause[0], group[0]
    fallback = target.placement.fallback
    return Diagnostic(
        code=code,
        message=_message(code, first, target),
        severity=Severity.WARNING if fallback else Severity.ERROR,
        location=_location(first, model_name),
        notes=(*_facts(first, target), *_extent(group, operators, fallback)),
        help=_help(code, first, target),
        consequences=len(group) - 1,
    )


def _message(code: str, refusal: Refusal, target: Target) -> str:
    name, failure = refusal.context.operator.label, refusal.first
    found = failure.found if failure else ""
    words = {
        "EC501": f"`{target.id}` has no operator `{name}`",
        "EC503": f"`{name}` cannot run on `{target.id}` with this type",
        "EC504": f"the model has shapes that are not known before it runs, and `{target.id}` needs them",
        "EC505": f"the model computes in {_float_found(refusal)}, and `{target.id}` does not",
        "EC506": f"operators that `{target.id}` could run are cut off from the part that it runs",
        "EC507": f"`{target.id}` has no custom operator `{name}`",
        "EC508": f"`{name}` is of version {found}, which is too new for `{target.id}`",
        "EC509": f"`{name}` needs a higher level than `{target.id}` has",
    }
    return words.get(code, f"`{name}` cannot run on `{target.id}` with these settings")


def _float_found(refusal: Refusal) -> str:
    return next((f.found for f in refusal.judgement.failures if f.rule in TYPES), "float32")


def _location(refusal: Refusal, model_name: str) -> Location:
    body = f"subgraph {refusal.subgraph}, " if refusal.subgraph else ""
    return Location(
        file=model_name,
        operator=refusal.context.index,
        layer=layer_of(refusal.context) or None,
        detail=body + signature(refusal.context),
    )


def _facts(refusal: Refusal, target: Target) -> tuple[str, ...]:
    clause = refusal.judgement.clause
    if refusal.judgement.accepted:
        count = target.placement.max_partitions
        which = f"the {target.placement.keep} {count if count and count > 1 else ''}".rstrip()
        source = target.sources.get("placement")
        return (f"limit: {which} of the parts into which the other operators cut the model", *_cited(source))
    notes = []
    for failure in refusal.judgement.failures:
        notes += [f"limit: {sentence(failure.rule, failure.limit)}", f"found: {failure.found}"]
    if clause is None:
        notes += [
            f"limit: the {len(target.operators)} operators of the profile, `edgecompile targets show {target.id}`"
        ]
    first, statuses = refusal.first, target.statuses
    if first is not None and statuses is not None and first.rule in statuses.sources:
        return (*notes, *_cited(statuses.sources[first.rule]))
    basis = f" ({clause.basis})" if clause is not None and clause.basis != "documented" else ""
    return (*notes, *_cited(clause.source + basis if clause else target.sources.get("operators")))


def _cited(source: str | None) -> tuple[str, ...]:
    return (f"source: {source}",) if source else ()


def _extent(group: list[Refusal], operators: int, fallback: str | None) -> tuple[str, ...]:
    many = len(group) > 1
    which = f"{len(group)} of {operators} operators: {_listed(group)}" if many else ""
    if fallback is None:
        return (which,) if many else ()
    runs = f"{'they run' if many else 'it runs'} on the {fallback.upper()}"
    return (f"{which}; {runs}" if many else runs,)


def _listed(group: list[Refusal]) -> str:
    names: dict[str, list[int]] = {}
    for refusal in group:
        names.setdefault(refusal.context.operator.label, []).append(refusal.context.index)
    listed = [f"`{name}` {ranges(indices)}" for name, indices in names.items()]
    more = sum(len(indices) for indices in list(names.values())[6:])
    return "; ".join(listed[:6]) + (f" and {more} more" if more else "")


def _help(code: str, refusal: Refusal, target: Target) -> tuple[str, ...]:
    level = refusal.judgement.other_level
    higher = (f"a target of level {level} takes it as it is",) if level is not None and code != "EC506" else ()
    if code == "EC506":
        return (
            "replace the operators reported with it, which cut the model into parts",
            "`--multiple-subgraphs` gives it every part; the way there and back may take longer than a part saves",
        )
    if code == "EC505":
        wanted = f"build the Keras model with `--numerics {target.numerics[0]}`, which `{target.id}` recommends"
        return (wanted, "a .tflite keeps the numbers that it was converted with", *higher)
    if code in ("EC501", "EC507"):
        listed = f"build the layer from operators that `edgecompile targets show {target.id}` lists"
        return cures.of_domain(refusal.context) or (listed,)
    if code in ("EC503", "EC504") and (cure := cures.of_domain(refusal.context)):
        return (*cure, *higher)
    told = [failure for failure in refusal.judgement.failures if not (higher and failure.rule == "min_level")]
    remedies = dict.fromkeys(_remedy(code, refusal.context, failure) for failure in told)
    about = (*cures.of_domain(refusal.context), *_same_ends(refusal))
    return (*about, *(cure for cure in remedies if cure), *_resized(refusal), *higher)


def _remedy(code: str, context: Context, failure: Failure) -> str:
    """What the model tells, else what the rule does; "" for what a fixed shape changes anyway."""
    if failure.rule == "static_shapes":
        return next(iter(cures.of_open_shape(context.subgraph)), remedy(failure.rule))
    if code == "EC504" and failure.rule in BY_SHAPE:
        return ""
    return cures.of_type(context, failure.rule, failure.found) or remedy(failure.rule)


def _resized(refusal: Refusal) -> tuple[str, ...]:
    """Who sets `half_pixel_centers`, where that is what an operator was refused for."""
    if not any("`half_pixel_centers`" in failure.found for failure in refusal.judgement.failures):
        return ()
    return ("Keras' Resizing and UpSampling2D set it, `tf.compat.v1.image.resize_bilinear(x, size)` does not",)


def _same_ends(refusal: Refusal) -> tuple[str, ...]:
    """How to do without a conversion between integers at an end of the model: give the end the type behind it."""
    operator, subgraph = refusal.context.operator, refusal.context.subgraph
    types = [tensor.dtype for tensor in refusal.context.activations]
    if operator.name != "QUANTIZE" or len(types) != 2 or not all("int" in dtype for dtype in types):
        return ()
    first = operator.inputs[0] in subgraph.inputs
    if not first and operator.outputs[0] not in subgraph.outputs:
        return ()
    inner = types[1] if first else types[0]
    return (f"from Keras, `--io-dtype {inner}` gives the model ends of the type behind it, and nothing is converted",)
