"""Tell of data that will not do before the model is loaded: by themselves, and by what its file says of its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgecompile.core.errors import BadInputError
from edgecompile.frontend import data_check, data_check_labels
from edgecompile.frontend.data_set import DataSet
from edgecompile.frontend.keras_file import read_archive
from edgecompile.frontend.network_ports import ports_of
from edgecompile.frontend.source import ModelSource
from edgecompile.ir import reader

# Layers that leave the number of classes as it is.
_KEEPING = frozenset({"Activation", "Dropout", "Softmax"})


def foresee(data: DataSet, source: ModelSource) -> None:
    """Nothing where no fault shows yet; loading the model may show more.

    Raises BadInputError EC268 for NaN and infinity, EC269 for class indices that a .keras or .tflite file has no
    output for; of a .tflite, all that ``check_against`` raises.
    """
    if source.kind == "tflite":
        assert source.path is not None
        data_check.check_against(data, *ports_of(reader.read(source.path.read_bytes(), source.name)))
        return
    found = [*data_check.not_finite(data), *data_check_labels.out_of_range(data, _classes(source))]
    if found:
        raise BadInputError(*found)


def _classes(source: ModelSource) -> int | None:
    if source.kind != "keras" or source.path is None:
        return None
    return classes_of(read_archive(source.path)[0])


def classes_of(config: Any) -> int | None:
    """How many classes a model tells apart, where its last layer says so by itself; ``config`` is its architecture.

    None where it does not, or where there are several outputs.
    """
    inside = _table(_table(config).get("config"))
    layers = [_table(layer) for layer in _list(inside.get("layers"))]
    if _table(config).get("class_name") == "Sequential":
        last = _table(next((layer for layer in reversed(layers) if layer.get("class_name") not in _KEEPING), None))
    else:
        name = _only_output(inside.get("output_layers"))
        last = _table(next((layer for layer in layers if _name(layer) == name), None))
    if last.get("class_name") != "Dense" or last.get("registered_name"):
        return None
    units = _table(last.get("config")).get("units")
    return units if isinstance(units, int) and not isinstance(units, bool) and units > 1 else None


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
