"""Gives a converted model the Keras model's order and names of inputs and outputs, and canonical bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edgecompile.convert.flatbuffer import name_of
from edgecompile.core.errors import internal, rejected


def restore(model: Any, inputs: Sequence[str], outputs: Sequence[str]) -> None:
    """Order and name the ends of the main subgraph as ``inputs`` and ``outputs`` say.

    The model's signature must bear the names that ``trace.py`` gave; it gets the new ones. A name
    that another tensor has already is left as the converter made it.
    """
    if not model.signatureDefs:
        raise rejected(
            "EC410",
            "the model holds something beside variables that TensorFlow cannot save",
            notes=["the converter went on without the names of inputs and outputs"],
            help=["take look-up tables and other resources out of the model"],
        )
    signature = model.signatureDefs[0]
    main = model.subgraphs[0]
    main.inputs = _order(signature.inputs, "input", len(inputs))
    main.outputs = _order(signature.outputs, "output", len(outputs))
    for ports, names, prefix in ((signature.inputs, inputs, "input"), (signature.outputs, outputs, "output")):
        for port in ports:
            port.name = names[_number(port, prefix)].encode()
    _rename(main, [*zip(main.inputs, inputs, strict=True), *zip(main.outputs, outputs, strict=True)])


def drop_unused_buffers(model: Any) -> None:
    """Empty the buffers that nothing refers to.

    The converter leaves the initial state of LSTM layers in such buffers, and not the same bytes
    every time (TF 2.20).
    """
    used = {tensor.buffer for subgraph in model.subgraphs for tensor in subgraph.tensors}
    used |= {entry.buffer for entry in model.metadata or []}
    for index, buffer in enumerate(model.buffers):
        if index not in used:
            buffer.data = None


def _order(ports: Sequence[Any], prefix: str, count: int) -> list[int]:
    places = {_number(port, prefix): int(port.tensorIndex) for port in ports}
    if sorted(places) != list(range(count)):
        raise internal(
            "EC901",
            f"the converter lost an {prefix} of the model",
            notes=[f"expected {count}, found numbers {sorted(places)}"],
            help=["this is a fault of the compiler: please report it with the command you ran"],
        )
    return [places[number] for number in range(count)]


def _number(port: Any, prefix: str) -> int:
    return int(name_of(port).removeprefix(f"{prefix}_"))


def _rename(subgraph: Any, wanted: Sequence[tuple[int, str]]) -> None:
    taken = {name_of(tensor) for tensor in subgraph.tensors}
    renamed = set()
    for index, name in wanted:
        if index not in renamed and name not in taken:
            subgraph.tensors[index].name = name.encode()
            taken.add(name)
            renamed.add(index)
