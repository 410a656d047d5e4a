"""Small float and integer networks, and samples that they can learn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgecompile.compress.context import Context, Samples, Score
from edgecompile.ir.network import Buffer, Network, Operator, Quantization, Subgraph, Tensor


def tensor(name: str, shape: tuple[int, ...], dtype: str = "float32", values: Any = None, **scaled: Any) -> Tensor:
    """A tensor; with ``values`` a constant. ``scales`` and ``zero_points`` make it quantized."""
    buffer = {} if values is None else {"buffer": Buffer(np.asarray(values, dtype).tobytes())}
    parameters = Quantization(**scaled) if scaled else None
    return Tensor(name=name, shape=shape, dtype=dtype, quantization=parameters, **buffer)


def dense(classes: int = 3, hidden: int = 16, end: str | None = "SOFTMAX", seed: int = 0) -> Network:
    """``float32[1, 8]`` to a hidden layer, to ``classes``; ends in ``end`` or openly."""
    draw = np.random.default_rng(seed)
    tensors = [
        tensor("in", (1, 8)),
        tensor("w1", (hidden, 8), values=draw.normal(size=(hidden, 8)) * 0.3),
        tensor("b1", (hidden,), values=np.zeros(hidden)),
        tensor("hidden", (1, hidden)),
        tensor("w2", (classes, hidden), values=draw.normal(size=(classes, hidden)) * 0.3),
        tensor("b2", (classes,), values=np.zeros(classes)),
        tensor("logits", (1, classes)),
    ]
    operators = [fully_connected((0, 1, 2), 3, "RELU"), fully_connected((3, 4, 5), 6, "NONE")]
    return ended(tensors, operators, 6, end)


def convolution(seed: int = 0) -> Network:
    """``float32[1, 8, 8, 2]``, a convolution, the mean over places, three classes."""
    draw = np.random.default_rng(seed)
    tensors = [
        tensor("in", (1, 8, 8, 2)),
        tensor("w1", (6, 3, 3, 2), values=draw.normal(size=(6, 3, 3, 2)) * 0.3),
        tensor("b1", (6,), values=np.zeros(6)),
        tensor("map", (1, 8, 8, 6)),
        tensor("axes", (2,), "int32", [1, 2]),
        tensor("pooled", (1, 6)),
        tensor("w2", (3, 6), values=draw.normal(size=(3, 6)) * 0.3),
        tensor("b2", (3,), values=np.zeros(3)),
        tensor("logits", (1, 3)),
    ]
    options = {"padding": "SAME", "stride_w": 1, "stride_h": 1, "dilation_w_factor": 1, "dilation_h_factor": 1}
    operators = [
        Operator(
            name="CONV_2D", inputs=(0, 1, 2), outputs=(3,), options={**options, "fused_activation_function": "RELU"}
        ),
        Operator(name="MEAN", inputs=(3, 4), outputs=(5,), options={"keep_dims": False}),
        fully_connected((5, 6, 7), 8, "NONE"),
    ]
    return ended(tensors, operators, 8, "SOFTMAX")


def integer(seed: int = 0) -> Network:
    """The dense network in int8: one scale for each output channel, int8 ends."""
    draw = np.random.default_rng(seed)
    first, second = tuple(np.linspace(0.008, 0.012, 16)), (0.01, 0.012, 0.011)
    tensors = [
        tensor("in", (1, 8), "int8", scales=(0.04,), zero_points=(0,)),
        tensor("w1", (16, 8), "int8", draw.integers(-127, 128, (16, 8)), scales=first, zero_points=(0,) * 16),
        tensor("b1", (16,), "int32", np.zeros(16), scales=tuple(0.04 * s for s in first), zero_points=(0,) * 16),
        tensor("hidden", (1, 16), "int8", scales=(0.03,), zero_points=(-128,)),
        tensor("w2", (3, 16), "int8", draw.integers(-127, 128, (3, 16)), scales=second, zero_points=(0,) * 3),
        tensor("b2", (3,), "int32", np.zeros(3), scales=tuple(0.03 * s for s in second), zero_points=(0,) * 3),
        tensor("logits", (1, 3), "int8", scales=(0.15,), zero_points=(0,)),
        tensor("out", (1, 3), "int8", scales=(1 / 256,), zero_points=(-128,)),
    ]
    operators = (
        fully_connected((0, 1, 2), 3, "RELU"),
        fully_connected((3, 4, 5), 6, "NONE"),
        Operator(name="SOFTMAX", inputs=(6,), outputs=(7,), options={"beta": 1.0}),
    )
    return Network(
        subgraphs=(Subgraph(name="main", tensors=tuple(tensors), operators=operators, inputs=(0,), outputs=(7,)),)
    )


def fully_connected(inputs: tuple[int, ...], output: int, activation: str) -> Operator:
    """A FULLY_CONNECTED as the converter writes it."""
    options = {"fused_activation_function": activation, "weights_format": "DEFAULT", "keep_num_dims": False}
    return Operator(name="FULLY_CONNECTED", inputs=inputs, outputs=(output,), options=options)


def ended(tensors: list[Tensor], operators: list[Operator], last: int, end: str | None) -> Network:
    """The network with an activation of that kind behind ``last``, or none."""
    if end is not None:
        tensors.append(tensor("out", tensors[last].shape))
        operators.append(Operator(name=end, inputs=(last,), outputs=(len(tensors) - 1,), options={"beta": 1.0}))
        last = len(tensors) - 1
    main = Subgraph(name="main", tensors=tuple(tensors), operators=tuple(operators), inputs=(0,), outputs=(last,))
    return Network(subgraphs=(main,))


def samples(count: int, shape: tuple[int, ...] = (8,), classes: int = 3, seed: int = 1) -> Samples:
    """Noise around one centre for each class; the centres are the same for every seed."""
    centres = np.random.default_rng(99).normal(size=(classes, *shape))
    draw = np.random.default_rng(seed)
    y = draw.integers(0, classes, count)
    return Samples(x=((centres[y] + draw.normal(size=(count, *shape)) * 0.7).astype(np.float32),), y=(y,))


ACCURACY = Score(name="accuracy", of=lambda outputs, some: float((outputs[0].argmax(-1) == some.y[0]).mean()))


@dataclass
class Listener:
    """Remembers what a progress listener hears."""

    heard: list[tuple[int, int, str]] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def begin(self, stage: str, detail: str) -> None:
        """Nothing to remember."""

    def update(self, done: int, total: int, what: str) -> None:
        """Remember."""
        self.heard.append((done, total, what))

    def end(self, summary: str) -> None:
        """Remember."""
        self.ended.append(summary)


def context(**changes: Any) -> Context:
    """256 training and 64 validation samples of the dense network, with a score."""
    given: dict[str, Any] = {
        "quantize": lambda network: network,
        "train": samples(256),
        "validation": samples(64, seed=2),
        "score": ACCURACY,
    }
    return Context(**{**given, **changes})


def constants(network: Network) -> list[np.ndarray[Any, Any]]:
    """All constants, for exact comparison."""
    return [t.array for t in network.main.tensors if t.array is not None]
