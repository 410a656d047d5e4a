"""What a model of a device says about a network before it was there, and where the model is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import bad_input, did_you_mean
from edgecompile.core.registry import module_of, names_of
from edgecompile.core.report import Measure
from edgecompile.core.target import Target
from edgecompile.core.units import counted
from edgecompile.ir.network import Network

PACKAGE = "edgecompile.measure.models"


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """``measures`` for the report; ``layers`` has one record for each operator, by its index; ``details`` are tables
    for text and HTML, ``obtained`` says of each how; ``durations_s`` is what each operator takes, by index, for
    balancing.
    """

    measures: tuple[Measure, ...]
    layers: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    obtained: Mapping[str, str] = field(default_factory=dict)
    durations_s: Mapping[int, float] = field(default_factory=dict)
    diagnostics: tuple[Diagnostic, ...] = ()


def predict(networks: Sequence[tuple[Network, Sequence[int]]], target: Target) -> tuple[Prediction, ...]:
    """Predictions for networks that share the device, in order of their priority; nothing without a model.

    ``networks`` are pairs of a network and the operators of its main subgraph that run on the accelerator. Raises
    BadInputError EC551 for a model that there is not, EC550 for constants that it lacks.
    """
    model = _model(target)
    if model is None:
        return ()
    predictions: tuple[Prediction, ...] = model.predict(networks, target.measure)
    return predictions


def figures(target: Target) -> tuple[str, ...]:
    """Names of all measures that predictions for the target can have. Raises as :func:`predict`."""
    model = _model(target)
    found: tuple[str, ...] = () if model is None else model.figures(target.measure)
    return found


def cut(network: Network, operators: Sequence[int], count: int, target: Target) -> tuple[int, ...]:
    """The operators that begin a new segment when the network is spread over ``count`` devices.

    Raises BadInputError: EC556 where there are fewer operators than devices, or the target has no model to balance by.
    """
    model, total = _model(target), len(network.main.operators)
    if model is None or not hasattr(model, "segments"):
        raise bad_input(
            "EC556",
            f"`{target.id}` cannot be cut into segments",
            notes=("its profile names no model that predicts times, by which segments are balanced",),
            help=("leave `--segments` out, or name a target such as an Edge TPU",),
        )
    if not 1 <= count <= total:
        raise bad_input(
            "EC556",
            f"the model cannot be cut into {count} segments",
            notes=(f"limit: one segment for each of its {counted(total, 'operator')}",),
            help=("ask for fewer segments; one a device, as many as it takes to stream nothing, is the point",),
        )
    cuts: tuple[int, ...] = model.segments(network, operators, count, target.measure)
    return cuts


def _model(target: Target) -> ModuleType | None:
    name = target.measure.get("model")
    if name is None:
        return None
    models = names_of(PACKAGE)
    if name not in models:
        raise bad_input(
            "EC551",
            f"the profile of `{target.id}` names a model `{name}`, and there is none",
            notes=(f"models are {', '.join(f'`{known}`' for known in sorted(models))}",),
            help=did_you_mean(str(name), models) or ("take `model` out of [measure]",),
        )
    return module_of(PACKAGE, name)
