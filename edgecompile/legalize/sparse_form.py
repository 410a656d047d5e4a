"""Which parts of a float network XNNPACK can compute without the zeros of its weights.

It switches a part of the graph to channels-first, where 1x1 convolutions skip zeros, when the part begins with a stem
(3x3, stride 2, 3 channels in), ends in a spatial mean (or DEPTH_TO_SPACE), holds only operators with a channels-first
form in between, and two thirds of the weights of its 1x1 convolutions are zero. Source: google/XNNPACK, src/subgraph.c,
xnn_check_nchw_compatibility and xnn_subgraph_rewrite_for_nchw (commit 0011854); measured with ai-edge-litert 2.1.6 on
emulated ARM64 (`scripts/bench arm64`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from edgecompile.ir.graph import live_operators, producers_of
from edgecompile.ir.network import Operator, Subgraph, Tensor
from edgecompile.ir.sparse import values_of

# XNNPACK asks for more than two thirds; no gain was met at 60 %, half the time at 70 %.
LEAST_ZEROS = 0.7
# What has the same values in either order of the axes.
_ELEMENTWISE = ("RELU", "RELU6", "RELU_N1_TO_1", "HARD_SWISH", "LOGISTIC", "TANH", "ELU", "LEAKY_RELU", "ABS", "NEG")
_UNPACK = ("DENSIFY", "DEQUANTIZE")


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A part that fulfils the form: its operators, the 1x1 convolutions among them, their weights and zeros."""

    operators: frozenset[int]
    convolutions: tuple[int, ...]
    weights: int
    zeros: int

    @property
    def worth(self) -> bool:
        """Enough of the weights are zero."""
        return self.weights > 0 and self.zeros >= LEAST_ZEROS * self.weights


@dataclass(frozen=True, kw_only=True)
class Form:
    """The parts that fulfil the form, and in words what keeps the others from it."""

    clusters: tuple[Cluster, ...]
    obstacles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Window:
    """A convolution's input, once a PAD before it is taken in; ``pads`` are those above, below, left and right."""

    source: int
    pads: tuple[int, int, int, int]
    pad: int | None
    explicit: bool


def find(subgraph: Subgraph) -> Form:
    """All parts of a subgraph that fulfil the form, whatever their weights; parts that share an operator are one."""
    return _Search(subgraph).form()


def pointwise(subgraph: Subgraph) -> tuple[int, ...]:
    """The 1x1 convolutions that compute in float32 with stored weights."""
    search = _Search(subgraph)
    return tuple(
        i for i, operator in enumerate(subgraph.operators) if i in search.live and search.is_pointwise(operator)
    )


def share_of_zeros(subgraph: Subgraph) -> tuple[int, int]:
    """Zeros and weights of all 1x1 convolutions that compute in float32."""
    search = _Search(subgraph)
    counted = [search.zeros(subgraph.operators[i]) for i in pointwise(subgraph)]
    return sum(zeros for zeros, _ in counted), sum(weights for _, weights in counted)


def window_of(subgraph: Subgraph, producers: Mapping[int, int], operator: Operator, sole: bool) -> Window:
    """How much a convolution pads; a PAD before it counts where ``sole``: nobody else reads the padded tensor."""
    x, result = subgraph.tensors[operator.inputs[0]], subgraph.tensors[operator.outputs[0]]
    weights = subgraph.tensors[operator.inputs[1]]
    if operator.options["padding"] == "SAME":
        strides = (operator.options["stride_h"], operator.options["stride_w"])
        total = [
            max((after - 1) * stride + size - before, 0)
            for before, after, size, stride in zip(
                x.shape[1:3], result.shape[1:3], weights.shape[1:3], strides, strict=True
            )
        ]
        pads = (total[0] // 2, total[0] - total[0] // 2, total[1] // 2, total[1] - total[1] // 2)
        return Window(source=operator.inputs[0], pads=pads, pad=None, explicit=False)
    maker = producers.get(operator.inputs[0])
    before = None if maker is None else subgraph.operators[maker]
    if before is not None and before.name == "PAD" and sole:
        amounts = subgraph.tensors[before.inputs[1]].array
        if amounts is not None and amounts.shape == (4, 2) and not amounts[[0, 3]].any():
            (top, bottom), (left, right) = amounts[1:3].tolist()
            return Window(source=before.inputs[0], pads=(top, bottom, left, right), pad=maker, explicit=True)
    return Window(source=operator.inputs[0], pads=(0, 0, 0, 0), pad=None, explicit=False)


class _Search:
    """One subgraph while its parts are found."""

    def __init__(self, subgraph: Subgraph) -> None:
        self.subgraph = subgraph
        self.producers = producers_of(subgraph)
        self.live = live_operators(subgraph)
        self.readers: dict[int, list[int]] = {}
        for index in sorted(self.live):
            for tensor in set(subgraph.operators[index].inputs):
                self.readers.setdefault(tensor, []).append(index)

    def form(self) -> Form:
        heads = [i for i in sorted(self.live) if self._is_head(self.subgraph.operators[i])]
        groups: list[tuple[set[int], set[int], list[str]]] = []
        for head in heads:
            inside, obstacles = self._walk(head)
            joined = [group for group in groups if group[0] & inside]
            groups = [group for group in groups if not group[0] & inside]
            for group in joined:
                inside, obstacles = inside | group[0], [*group[2], *obstacles]
            groups.append((inside, {head}.union(*(group[1] for group in joined)), obstacles))
        found, told = [], [] if heads else ["it does not end in a mean over height and width"]
        for inside, ends, obstacles in groups:
            obstacles = [*obstacles, *self._leaks(inside, ends)]
            told += obstacles
            if not obstacles:
                found.append(self._cluster(inside | ends))
        return Form(clusters=tuple(found), obstacles=tuple(dict.fromkeys(told)))

    def is_pointwise(self, operator: Operator) -> bool:
        if operator.name != "CONV_2D" or self.subgraph.tensors[operator.outputs[0]].dtype != "float32":
            return False
        shape = self.subgraph.tensors[operator.inputs[1]].shape
        return len(shape) == 4 and shape[1:3] == (1, 1) and self.stored(operator) is not None

    def stored(self, operator: Operator) -> Tensor | None:
        """The constant that a convolution's weights come from."""
        index = operator.inputs[1]
        while index in self.producers and self.subgraph.operators[self.producers[index]].name in _UNPACK:
            index = self.subgraph.operators[self.producers[index]].inputs[0]
        tensor = self.subgraph.tensors[index]
        return tensor if tensor.is_constant and tensor.dtype in ("float32", "float16") else None

    def zeros(self, operator: Operator) -> tuple[int, int]:
        """Zeros and weights of a convolution."""
        tensor = self.stored(operator)
        assert tensor is not None
        values = values_of(tensor)
        if values is None:  # stored in another sparse layout
            return 0, tensor.elements
        return int(values.size - np.count_nonzero(values)), int(values.size)

    def _cluster(self, inside: set[int]) -> Cluster:
        convolutions = tuple(i for i in sorted(inside) if self.is_pointwise(self.subgraph.operators[i]))
        counted = [self.zeros(self.subgraph.operators[i]) for i in convolutions]
        return Cluster(
            operators=frozenset(inside),
            convolutions=convolutions,
            weights=sum(weights for _, weights in counted),
            zeros=sum(zeros for zeros, _ in counted),
        )

    def _is_head(self, operator: Operator) -> bool:
        x = self.subgraph.tensors[operator.inputs[0]] if operator.inputs else None
        if x is None or x.dtype != "float32" or len(x.shape) != 4:
            return False
        if operator.name == "DEPTH_TO_SPACE":
            return True
        if operator.name != "MEAN" or operator.options.get("keep_dims"):
            return False
        axes = self.subgraph.tensors[operator.inputs[1]].array
        return axes is not None and sorted(int(axis) % 4 for axis in axes.reshape(-1)) == [1, 2]

    def _walk(self, head: int) -> tuple[set[int], list[str]]:
        """Everything between the stem and a head, and what does not belong there."""
        inside: set[int] = set()
        obstacles: list[str] = []
        waiting = [self.subgraph.operators[head].inputs[0]]
        while waiting:
            tensor = waiting.pop()
            maker = self.producers.get(tensor)
            if maker is None:
                obstacles.append(
                    f"`{self.subgraph.tensors[tensor].name}` comes in without a 3x3 convolution of stride 2"
                )
                continue
            if maker in inside:
                continue
            why, sources = self._role(self.subgraph.operators[maker])
            if why:
                obstacles.append(f"operator {maker}, `{self.subgraph.operators[maker].label}`: {why}")
                continue
            inside.add(maker)
            waiting += sources
        return inside, obstacles

    def _role(self, operator: Operator) -> tuple[str, list[int]]:
        """Why an operator cannot be inside, "" if it can; and the tensors that must come from inside too."""
        tensors = [self.subgraph.tensors[i] for i in (*operator.inputs[:1], *operator.outputs[:1])]
        if any(tensor.dtype != "float32" or len(tensor.shape) != 4 for tensor in tensors):
            return "it does not compute in float32 on four axes", []
        if operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            return self._convolution(operator)
        if operator.name in ("ADD", "MUL"):
            same = self.subgraph.tensors[operator.inputs[0]].shape == self.subgraph.tensors[operator.inputs[1]].shape
            made = all(tensor in self.producers for tensor in operator.inputs)
            return (
                ("", list(operator.inputs))
                if same and made
                else ("its inputs are not two computed ones of one shape", [])
            )
        if operator.name in _ELEMENTWISE:
            return "", [operator.inputs[0]]
        return "XNNPACK has no channels-first form of it", []

    def _convolution(self, operator: Operator) -> tuple[str, list[int]]:
        options, shape = operator.options, self.subgraph.tensors[operator.inputs[1]].shape
        stride = options["stride_h"]
        if self.stored(operator) is None or options["dilation_h_factor"] != 1 or options["dilation_w_factor"] != 1:
            return "it is dilated, or its weights are computed", []
        if stride != options["stride_w"] or shape[1] != shape[2]:
            return "window and stride are not square", []
        window = window_of(self.subgraph, self.producers, operator, self._sole(operator.inputs[0]))
        channels, size = self.subgraph.tensors[window.source].shape[3], shape[1]
        padded = set(window.pads) == {size // 2} and (window.explicit or stride == 1)
        if operator.name == "DEPTHWISE_CONV_2D":
            if size not in (3, 5) or stride not in (1, 2) or shape[3] != channels:
                return f"depthwise with a window of {size}, stride {stride}, {shape[3]} of {channels} channels", []
            return ("", [window.source]) if padded else (_pads(window, size), [])
        if shape[3] != channels:
            return "its channels are in groups", []
        if size == 1:
            return ("", [operator.inputs[0]]) if stride == 1 else ("1x1 with a stride", [])
        if size != 3 or stride != 2 or channels != 3:
            return f"a window of {size} with stride {stride} and {channels} channels in", []
        return ("", []) if padded else (_pads(window, size), [])

    def _sole(self, tensor: int) -> bool:
        return len(self.readers.get(tensor, ())) == 1 and tensor not in self.subgraph.outputs

    def _leaks(self, inside: set[int], ends: set[int]) -> Iterator[str]:
        """Values of the inside that somebody outside reads."""
        pads = {
            window_of(self.subgraph, self.producers, operator, self._sole(operator.inputs[0])).pad
            for operator in (self.subgraph.operators[i] for i in inside)
            if operator.name in ("CONV_2D", "DEPTHWISE_CONV_2D")
        }
        for index in sorted(inside):
            result = self.subgraph.operators[index].outputs[0]
            for reader in self.readers.get(result, ()):
                if reader not in inside | ends | pads:
                    yield f"operator {reader}, `{self.subgraph.operators[reader].label}`, reads from the middle"
            if result in self.subgraph.outputs:
                yield f"`{self.subgraph.tensors[result].name}` is an output in the middle"


def _pads(window: Window, size: int) -> str:
    top, bottom, left, right = window.pads
    return (
        f"it pads {top} above, {bottom} below, {left} left, {right} right, where {size // 2} on each side is needed"
        " (Keras: `ZeroPadding2D` and `padding='valid'`)"
    )
