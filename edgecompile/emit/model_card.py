"""What an app must know about a model, put into the model file as TFLite metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.naming import model_name
from edgecompile.core.port import Port
from edgecompile.core.project import Preprocess
from edgecompile.core.units import counted
from edgecompile.ir.model_metadata import COLOR_SPACES, ENTRY, FILE_TYPES, attach_metadata
from edgecompile.ir.network import Network, Tensor

LABELS = "labels.txt"
# The version of the metadata's tables that has everything written here.
_PARSER = "1.0.0"


def with_card(network: Network, name: str, labels: tuple[str, ...], preprocess: Preprocess | None) -> Network:
    """The network with metadata on its inputs, outputs, normalization and labels, and the labels as a file behind it.

    A network that brings metadata along keeps its own. Raises BadInputError EC760 for labels that no output fits.
    """
    if ENTRY in network.metadata:
        return network
    main = network.main
    labelled = _labelled(network, name, labels)
    metadata = {
        "name": name,
        "description": f"{name}, compiled by edgecompile",
        "subgraph_metadata": [
            {
                "input_tensor_metadata": [
                    _input(_named(network, index, "inputs"), main.tensors[index], preprocess) for index in main.inputs
                ],
                "output_tensor_metadata": [
                    _output(_named(network, index, "outputs"), position == labelled)
                    for position, index in enumerate(main.outputs)
                ],
            }
        ],
        "min_parser_version": _PARSER,
    }
    files = {} if labelled is None else {LABELS: "".join(f"{label}\n" for label in labels).encode()}
    return attach_metadata(network, metadata, files)


def _labelled(network: Network, name: str, labels: tuple[str, ...]) -> int | None:
    """The output that has one value for each label, None where there are no labels or one value stands for two."""
    outputs = [network.main.tensors[index] for index in network.main.outputs]
    sizes = [tensor.shape[-1] if tensor.shape else 1 for tensor in outputs]
    if not labels or (len(labels) == 2 and 1 in sizes and 2 not in sizes):
        return None
    if len(labels) in sizes:
        return sizes.index(len(labels))
    raise _no_output(name, f"{name}.tflite", labels, [f"`{tensor.name}`, {tensor}" for tensor in outputs])


def foresee_labels(labels: Sequence[str], model: str, outputs: Sequence[Port]) -> None:
    """Nothing to say of labels that some output of the model file fits, or may, since its last axis is open.

    What is emitted has the same outputs: told here, it is told before anything is trained or converted. Raises
    BadInputError EC760 for labels that no output fits.
    """
    sizes = [output.shape[-1] if output.shape else 1 for output in outputs]
    one_for_two = len(labels) == 2 and 1 in sizes
    if labels and not one_for_two and len(labels) not in sizes and None not in sizes:
        raise _no_output(model_name(model), model, labels, [f"`{one.name}`, {_shown(one)}" for one in outputs])


def _shown(output: Port) -> str:
    return f"{output.dtype}[{', '.join('?' if size is None else str(size) for size in output.shape)}]"


def _no_output(name: str, file: str, labels: Sequence[str], outputs: Sequence[str]) -> EdgecompileError:
    return bad_input(
        "EC760",
        f"the labels do not match any output of `{name}`",
        file,
        notes=(
            "limit: an output whose last axis has one number for each label",
            f"found: {counted(len(labels), 'label')}, from `{labels[0]}` to `{labels[-1]}`",
            f"outputs: {', '.join(outputs)}",
        ),
        help=("give a label for each value of the output's last dimension, in the order of the class indices",),
    )


def _input(name: str, tensor: Tensor, preprocess: Preprocess | None) -> dict[str, Any]:
    given = preprocess or Preprocess()
    made: dict[str, Any] = {
        "name": name,
        "description": f"Input, {tensor}.",
        "content": {"content_properties": _content(tensor, given)},
    }
    if (given.scale or given.offset) and 0.0 not in given.scale:
        made["process_units"] = [{"options": ("NormalizationOptions", _normalization(given))}]
    return made


def _content(tensor: Tensor, preprocess: Preprocess) -> tuple[str, dict[str, Any]]:
    """An image where the channels or the preprocessing say so, a sound where its rate is known, else numbers."""
    if len(tensor.shape) == 4 and (tensor.shape[3] == 3 or preprocess.color or preprocess.resize):
        color = "RGB" if tensor.shape[3] == 3 else "GRAYSCALE" if tensor.shape[3] == 1 else "UNKNOWN"
        size = {"width": tensor.shape[2], "height": tensor.shape[1]}
        return "ImageProperties", {"color_space": COLOR_SPACES.index(color), "default_size": size}
    return "FeatureProperties", {}


def _normalization(preprocess: Preprocess) -> dict[str, list[float]]:
    """``x·scale + offset = (x - mean) / std`` with ``std = 1 / scale``, ``mean = -offset / scale``."""
    count = max(len(preprocess.scale), len(preprocess.offset))
    scale = (preprocess.scale or (1.0,)) * (count if len(preprocess.scale) < 2 else 1)
    offset = (preprocess.offset or (0.0,)) * (count if len(preprocess.offset) < 2 else 1)
    return {"mean": [-b / a for a, b in zip(scale, offset, strict=True)], "std": [1 / a for a in scale]}


def _output(name: str, labelled: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"name": name, "content": {"content_properties": ("FeatureProperties", {})}}
    if labelled:
        kind = FILE_TYPES.index("TENSOR_AXIS_LABELS")
        made["description"] = "A value for each label."
        made["associated_files"] = [{"name": LABELS, "description": "One label a line.", "type": kind}]
    return made


def _named(network: Network, tensor: int, kind: str) -> str:
    """The argument's name in the signature, else the tensor's."""
    for signature in network.signatures:
        names = signature.inputs if kind == "inputs" else signature.outputs
        found = next((name for name, index in names.items() if signature.subgraph == 0 and index == tensor), None)
        if found is not None:
            return found
    return network.main.tensors[tensor].name
