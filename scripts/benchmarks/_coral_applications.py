"""Networks of keras.applications as the Edge TPU's time model sees them: shapes alone, no weights, no conversion.

Run in a process of its own (it needs TensorFlow): writes NAME.tflite files into the folder given.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.writer import write

SCALE = 0.01
# One input, and nothing to compute once the layer before has it in its weights.
SAME = frozenset({"Activation", "ReLU", "Dropout", "ZeroPadding2D", "Rescaling", "Normalization"})
WEIGHTED = {"Conv2D": "CONV_2D", "DepthwiseConv2D": "DEPTHWISE_CONV_2D", "Dense": "FULLY_CONNECTED"}


class Walk:
    """A functional Keras model, layer by layer."""

    def __init__(self, model: Any) -> None:
        self.build, self.made = NetworkBuilder(), {}  # type: ignore[var-annotated]
        self.fusable: set[int] = set()
        for layer in model.layers:
            self._layer(layer)
        self.build.output(self.made[id(model.outputs[0])])

    def _layer(self, layer: Any) -> None:
        kind = type(layer).__name__
        if kind == "InputLayer":
            self.made[id(layer.output)] = self.build.input(layer.name, (1, *layer.output.shape[1:]), "int8", scale=0.1)
            return
        given = layer.input if isinstance(layer.input, (list, tuple)) else [layer.input]
        inputs = [self.made[id(tensor)] for tensor in given]
        if kind in SAME:
            made = inputs[0]
        elif kind == "BatchNormalization":
            made = inputs[0] if inputs[0] in self.fusable else self._scaled(layer, inputs[0])
        else:
            made = self._operator(layer, kind, inputs)
        self.made[id(layer.output)] = made

    def _operator(self, layer: Any, kind: str, inputs: list[int]) -> int:
        shape = (1, *layer.output.shape[1:])
        if kind in WEIGHTED:
            *window, depth, units = map(int, layer.kernel.shape)
            sizes = (1, *window, depth * units) if kind == "DepthwiseConv2D" else (units, *window, depth)
            scale = SCALE if kind == "Dense" else (SCALE,) * sizes[0 if kind == "Conv2D" else 3]
            axis = 3 if kind == "DepthwiseConv2D" else 0
            name = f"w{len(self.build.tensors)}"
            constant = self.build.constant(name, np.zeros(sizes, np.int8), scale=scale, axis=axis)
            made = self._op(WEIGHTED[kind], [*inputs, constant], shape)
            self.fusable.add(made)
            return made
        if kind in ("MaxPooling2D", "AveragePooling2D"):
            rows, columns = layer.pool_size
            operator = f"{'MAX' if kind[0] == 'M' else 'AVERAGE'}_POOL_2D"
            return self._op(operator, inputs, shape, filter_height=rows, filter_width=columns)
        if kind == "GlobalAveragePooling2D":
            _, rows, columns, depth = layer.input.shape
            pooled = self._op("AVERAGE_POOL_2D", inputs, (1, 1, 1, depth), filter_height=rows, filter_width=columns)
            return self._op("RESHAPE", [pooled], shape)
        if kind == "Concatenate":
            return self._op("CONCATENATION", inputs, shape)
        if kind in ("Add", "CustomScaleLayer"):
            return self._op("ADD", inputs, shape)
        raise SystemExit(f"no operator for the layer {kind}")

    def _scaled(self, layer: Any, tensor: int) -> int:
        """A normalization behind no convolution: a product and a sum with vectors of channels."""
        shape = (1, *layer.output.shape[1:])
        for operator in ("MUL", "ADD"):
            name = f"v{len(self.build.tensors)}"
            vector = self.build.constant(name, np.ones(shape[-1], np.int8), scale=SCALE)
            tensor = self._op(operator, [tensor, vector], shape)
        return tensor

    def _op(self, name: str, inputs: list[int], shape: tuple[int, ...], **options: Any) -> int:
        made = self.build.tensor(f"t{len(self.build.tensors)}", shape, "int8", scale=0.1)
        self.build.op(name, inputs, [made], **options)
        return made


def applications() -> dict[str, Callable[[], Any]]:
    """The published models that keras.applications has, by the name and input size of the table."""
    from keras import applications as known

    def sized(make: Callable[..., Any], size: int) -> Callable[[], Any]:
        return lambda: make(input_shape=(size, size, 3), weights=None)

    return {
        "DenseNet-121, 224": sized(known.DenseNet121, 224),
        "Inception V3, 299": sized(known.InceptionV3, 299),
        "Inception-ResNet V2, 299": sized(known.InceptionResNetV2, 299),
        "ResNet-50 V2, 299": sized(known.ResNet50V2, 299),
        "ResNet-152 V2, 299": sized(known.ResNet152V2, 299),
    }


def main() -> int:
    """Write the networks."""
    for name, make in applications().items():
        (Path(sys.argv[1]) / f"{name}.tflite").write_bytes(write(Walk(make()).build.build()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
