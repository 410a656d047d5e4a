"""A recipe's steps in the Keras process: from the float network to the flatbuffers of all schemes that share it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np

from edgecompile.compress.bias_room import with_room
from edgecompile.compress.context import Context, Samples, Score
from edgecompile.compress.contract import ModelPass
from edgecompile.compress.integers import hold
from edgecompile.compress.recipe_check import INTEGER, steps_of
from edgecompile.compress.record import Record
from edgecompile.compress.run import Named, outputs, record_of, run
from edgecompile.compress.subject import Subject
from edgecompile.convert.requantize import requantize
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.progress import Progress
from edgecompile.core.recipe import Recipe, Scheme
from edgecompile.core.units import counted
from edgecompile.ir.network import Network
from edgecompile.verify import metric

Array = np.ndarray[Any, Any]
Forms = Mapping[str, Sequence[str]]
_LOOKED_AT = 64  # samples that tell what labels are


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """What a recipe works with besides the network. Samples that are not there are None.

    ``partly``: all targets run float operators beside integer ones; ``widely``: all run operators with 16-bit
    activations beside those with 8.
    """

    recipe: Recipe
    schemes: Sequence[Scheme]
    forms: Forms
    calibration: tuple[Array, ...] | None
    train: Samples | None
    validation: Samples | None
    teachers: Mapping[str, Callable[[], Network]]
    metric: str | None
    partly: bool
    widely: bool
    base: Path
    seed: int
    folder: Path | None
    progress: Progress


@dataclass(kw_only=True)
class Compressed:
    """A network for each scheme's label, a record for each step by scheme, and what passes had to say."""

    networks: dict[str, Network] = field(default_factory=dict)
    records: dict[str, list[Record]] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def compress(network: Network, name: str, material: Material) -> Compressed:
    """Run the float steps once, then the steps on integers for each scheme that has them.

    ``network`` is the model as converted to float32; ``name`` is the model's. Raises what passes and quantizer raise.
    """
    done = Compressed()
    begun = Subject(network=network, teacher=network)
    context = _context(lambda x: outputs(begun, Samples(x=tuple(x))), name, material, done.diagnostics)
    steps = [
        Named(title=_title(step.name, step.options), one=one)
        for step, one in zip(material.recipe.steps, steps_of(material.recipe), strict=True)
    ]
    first = [record_of("as given", begun, context, material.forms)]
    floats = run(begun, _of("float", steps), context, material.forms, first.append)
    for scheme in material.schemes:
        records = list(first)
        done.networks[scheme.label] = _in_scheme(floats, scheme, name, material, context, steps, records)
        done.records[scheme.label] = records
    # Targets of like schemes hear the same of their own networks: once is enough.
    done.diagnostics[:] = dict.fromkeys(done.diagnostics)
    return done


def changes_layers(material: Material) -> bool:
    """Whether some step changes the Keras model itself."""
    return any(one.phase == "model" for one in steps_of(material.recipe))


def adapt(model: Any, answers: Callable[[Sequence[Array]], list[Array]], material: Material) -> list[Diagnostic]:
    """Run the steps that change the Keras model itself, before it is a network; what they had to say.

    ``answers`` gives the model's outputs for inputs, samples first.
    """
    said: list[Diagnostic] = []
    steps = [one for one in steps_of(material.recipe) if one.phase == "model"]
    if steps:
        context = _context(answers, "model", material, said)
        for one in steps:
            cast(ModelPass, one).adapt(model, answers, context)
    return said


def _in_scheme(
    floats: Subject,
    scheme: Scheme,
    name: str,
    material: Material,
    context: Context,
    steps: Sequence[Named],
    records: list[Record],
) -> Network:
    context.progress.begin("Convert", scheme.title)
    taken: list[str] = []
    converted = requantize(floats.network, scheme, material.calibration, name, told=taken.append)
    told = [counted(len(converted.main.operators), "operator"), *(f"calibrated by {method}" for method in taken)]
    context.progress.end(", ".join(told))
    if scheme.numerics not in INTEGER:
        # Float weights are what is held already, zeros and shared values included.
        return converted
    carried, held, _ = with_room(floats.network, floats.held, converted)
    floats = dataclasses.replace(floats, network=carried, held=held)
    integers = hold(converted, carried, held)
    subject = dataclasses.replace(floats, network=integers, origin=floats)
    records.append(record_of(scheme.numerics, subject, context, material.forms))
    own = dataclasses.replace(
        context,
        quantize=lambda other: _quantized(other, scheme, name, material),
        quantize_partly=(lambda other, left: _quantized(other, scheme, name, material, left))
        if material.partly and scheme.numerics == "int8"
        else None,
        quantize_wide=(lambda other: _wide(other, scheme, name, material))
        if material.widely and scheme.numerics == "int8"
        else None,
    )
    return run(subject, _of("quantized", steps), own, material.forms, records.append).network


def _quantized(
    network: Network, scheme: Scheme, name: str, material: Material, in_float: Sequence[str] = ()
) -> Network:
    return requantize(network, scheme, material.calibration, name, in_float)


def _wide(network: Network, scheme: Scheme, name: str, material: Material) -> Network:
    wide = dataclasses.replace(scheme, numerics="int16x8", io_dtype="int16")
    return requantize(network, wide, material.calibration, name, lenient=True)


def _context(
    answers: Callable[[Sequence[Array]], list[Array]], name: str, material: Material, diagnostics: list[Diagnostic]
) -> Context:
    scheme = material.schemes[0]
    return Context(
        quantize=lambda network: _quantized(network, scheme, name, material),
        train=material.train,
        validation=material.validation,
        calibration=Samples(x=material.calibration) if material.calibration else None,
        score=_score(material, answers),
        per_tensor_dense=any(one.per_tensor_dense for one in material.schemes),
        seed=material.seed,
        base=material.base,
        folder=material.folder,
        teachers=material.teachers,
        progress=material.progress,
        diagnostics=diagnostics,
    )


def _score(material: Material, answers: Callable[[Sequence[Array]], list[Array]]) -> Score | None:
    """The project's metric, or the one that the labels suggest; None without labels to score with."""
    samples = material.validation
    if samples is None or not samples.y:
        return None
    some = samples.take(slice(0, _LOOKED_AT))
    found = answers(some.x)
    name = material.metric or metric.infer(some.y, found)
    if name is None:
        return None

    def of(made: Sequence[Array], given: Samples) -> float:
        return metric.score(name, given.y, made, given.x, material.base).value

    if ":" in name:
        rises = metric.score(name, some.y, found, some.x, material.base).higher_is_better
    else:
        rises = metric.rises(name)
    return Score(name=name, of=of, higher_is_better=rises)


def _of(phase: str, steps: Sequence[Named]) -> list[Named]:
    return [step for step in steps if step.one.phase == phase]


def _title(name: str, options: Mapping[str, Any]) -> str:
    """``cluster 16``, ``prune sparsity 0.5``: a step in a few words."""
    words = " ".join(f"{key} {value}" for key, value in options.items() if not isinstance(value, (list, dict)))
    return f"{name} {words}".strip()
