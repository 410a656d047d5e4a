"""What a model's file says of its only output, before the model is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgecompile.frontend.keras_file import read_archive
from edgecompile.frontend.source import ModelSource

# Layers that leave the shape as it is.
_KEEPING = frozenset({"Activation", "Dropout", "Softmax"})
_ACTIVATIONS = ("softmax", "sigmoid")


@dataclass(frozen=True, kw_only=True)
class Output:
    """``classes`` values along the last axis. ``is_flat``: that is the only axis behind the batch, for certain.

    ``activation``: ``softmax`` or ``sigmoid`` where the last layer ends in it, else empty.
    """

    classes: int
    is_flat: bool = False
    activation: str = ""


def output_of(source: ModelSource) -> Output | None:
    """Of a .keras file; None where it does not say, or there are several outputs."""
    if source.kind != "keras" or source.path is None:
        return None
    return output_in(read_archive(source.path)[0])


def output_in(config: Any) -> Output | None:
    """Of an architecture, where its last layer says it by itself."""
    inside = _table(_table(config).get("config"))
    layers = [_table(layer) for layer in _list(inside.get("layers"))]
    behind: list[Mapping[str, Any]] = []
    if _table(config).get("class_name") == "Sequential":
        while layers and layers[-1].get("class_name") in _KEEPING:
            behind.append(layers.pop())
        last = layers[-1] if layers else {}
    else:
        name = _only_output(inside.get("output_layers"))
        last = _table(next((layer for layer in layers if _name(layer) == name), None))
    if last.get("class_name") != "Dense" or last.get("registered_name"):
        return None
    units = _table(last.get("config")).get("units")
    if not isinstance(units, int) or isinstance(units, bool) or units < 1:
        return None
    given = _list(_table(last.get("build_config")).get("input_shape"))
    activation = _table(last.get("config")).get("activation")
    known = activation if activation in _ACTIVATIONS and not behind else ""
    return Output(classes=units, is_flat=len(given) == 2, activation=known)


def _only_output(ends: Any) -> str | None:
    """``[name, 0, 0]`` as Keras 3 writes an only output, or a list of one such, as Keras 2 does."""
    parts = _list(ends)
    if len(parts) == 1:
        parts = _list(parts[0])
    return parts[0] if parts and isinstance(parts[0], str) else None


def _name(layer: Mapping[str, Any]) -> Any:
    return layer.get("name") or _table(layer.get("config")).get("name")


def _table(plain: Any) -> Mapping[str, Any]:
    return plain if isinstance(plain, Mapping) else {}


def _list(plain: Any) -> list[Any]:
    return plain if isinstance(plain, list) else []
