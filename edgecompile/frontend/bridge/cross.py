"""The bridge as a whole: refuse what cannot cross, carry the rest, prove that the outputs are equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.frontend.bridge.carry import Carried, Uncarried, carry, output_names
from edgecompile.frontend.bridge.compare import LIMIT, Comparison, compare
from edgecompile.frontend.bridge.precision import as_float32, other_precision
from edgecompile.libs.keras import keras3

MAX_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Crossed:
    """``difference``: largest difference of the outputs over the largest output, before a last softmax."""

    model: Any
    output_names: list[str]
    difference: float
    diagnostics: tuple[Diagnostic, ...]


def cross(model: Any, name: str) -> Crossed:
    """The tf_keras model that computes what a built functional or Sequential Keras 3 model computes.

    Raises BadInputError: EC238 quantized or LoRA layers, EC239 a layer that cannot be carried over,
    EC240 outputs that differ by more than 1e-5, EC243 a Keras 3 backend other than TensorFlow.
    """
    _refuse_backend()
    _refuse_adapted(model, name)
    notes: list[Diagnostic] = []
    precision = other_precision(model)
    if precision is not None:
        model = as_float32(model)
        notes.append(float32_note(precision, name))
    try:
        carried = carry(model)
    except Uncarried as reason:
        raise _uncarried(reason, name) from None
    comparison = compare(model, carried)
    if comparison.difference > LIMIT:
        raise _differs(comparison, name)
    notes += _notes(carried, name)
    return Crossed(
        model=carried.model,
        output_names=output_names(model),
        difference=comparison.difference,
        diagnostics=tuple(notes),
    )


def _refuse_backend() -> None:
    backend = keras3().config.backend()
    if backend != "tensorflow":
        raise bad_input(
            "EC243",
            "Keras 3 runs on another backend than TensorFlow",
            notes=(f"found backend `{backend}`, from KERAS_BACKEND or ~/.keras/keras.json",),
            help=("run with KERAS_BACKEND=tensorflow",),
        )


def _refuse_adapted(model: Any, name: str) -> None:
    """LoRA and quantized layers hold variables that no Keras 2 layer has."""
    for layer in model._flatten_layers():
        mode = getattr(layer, "quantization_mode", None)
        if mode is not None:
            raise bad_input(
                "EC238",
                f"layer `{layer.name}` was quantized by Keras 3 already",
                Location(file=name, layer=layer.name),
                (f"found quantization mode `{mode}`",),
                ("hand in the float model from before `model.quantize`: edgecompile quantizes for the device itself",),
            )
        if getattr(layer, "lora_enabled", False):
            raise bad_input(
                "EC238",
                f"layer `{layer.name}` has LoRA weights beside its own",
                Location(file=name, layer=layer.name),
                help=("merge them first: copy each `layer.kernel`, which adds the LoRA product, to a model without",),
            )


def _uncarried(reason: Uncarried, name: str) -> EdgecompileError:
    return bad_input(
        "EC239",
        f"layer `{reason.label}` (`{reason.kind}`) cannot be carried over to Keras 2",
        Location(file=name, layer=reason.label),
        (reason.why,),
        ("replace the layer by one that both Keras 2 and Keras 3 have, or build the model with tf_keras",),
    )


def _differs(comparison: Comparison, name: str) -> EdgecompileError:
    label, kind, difference = comparison.first or ("?", "?", comparison.difference)
    return bad_input(
        "EC240",
        f"the model computes something else in Keras 2, from layer `{label}` (`{kind}`) on",
        Location(file=name, layer=label),
        (
            f"limit {LIMIT:.0e} of the largest output, found {comparison.difference:.1e} at the outputs",
            f"found {difference:.1e} at this layer, the first that differs",
        ),
        ("replace the layer, or build the model with tf_keras",),
    )


def float32_note(precision: str, name: str) -> Diagnostic:
    """EC245: the model is compiled in another precision than it computes in."""
    return Diagnostic(
        code="EC245",
        severity=Severity.NOTE,
        message=f"the model computes in `{precision}`; it is compiled from float32",
        location=Location(file=name),
    )


def _notes(carried: Carried, name: str) -> Iterator[Diagnostic]:
    dropped = [twin.source.name for twin in carried.twins.values() if twin.kind == "dropped"]
    hosted = [twin.source for twin in carried.twins.values() if twin.kind == "hosted"]
    if dropped:
        yield Diagnostic(
            code="EC244",
            severity=Severity.NOTE,
            message="augmentation layers are left out: they do nothing outside training",
            location=Location(file=name),
            notes=(", ".join(f"`{layer}`" for layer in dropped),),
        )
    for kind in dict.fromkeys(type(layer).__name__ for layer in hosted):
        named = [layer.name for layer in hosted if type(layer).__name__ == kind]
        more = ", ..." if len(named) > MAX_NAMED else ""
        yield Diagnostic(
            code="EC246",
            severity=Severity.NOTE,
            message=f"layers of class `{kind}` are carried over as a whole: Keras 2 has none that computes the same",
            location=Location(file=name, layer=named[0]),
            notes=(
                ", ".join(f"`{layer}`" for layer in named[:MAX_NAMED]) + more,
                "they convert like any other; compression passes leave them as they are",
            ),
            consequences=len(named) - 1,
        )
