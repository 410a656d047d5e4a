"""What of a network is known before any sample comes: which operators run, constants folded, where weights are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from edgecompile.compress.simulate.call import Call, UnsupportedError, Value
from edgecompile.compress.simulate.quantizers import bounds, fake_quantize, is_quantized, real, same_scale
from edgecompile.compress.sites import Site
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, RejectedError, did_you_mean, rejected
from edgecompile.core.registry import modules_of
from edgecompile.ir.graph import live_operators
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network, Operator, Tensor

Array = np.ndarray[Any, Any]
_OPERATORS = "edgecompile.compress.simulate.operators"
_OF_SHAPES = ("SHAPE", "RANK")
_FUSED_LIMITS: Mapping[str, float] = {"RELU": np.inf, "RELU6": 6.0}
_BIASES: Mapping[str, int] = {
    "CONV_2D": 2,
    "DEPTHWISE_CONV_2D": 2,
    "FULLY_CONNECTED": 2,
    "TRANSPOSE_CONV": 3,
    "CONV_3D": 2,
}


@cache
def implemented() -> Mapping[str, Callable[[Call], Any]]:
    """Simulations by operator, as found in the modules of ``operators/``."""
    found = {name: f for module in modules_of(_OPERATORS) for name, f in module.IMPLEMENTED.items()}
    return MappingProxyType({**found, **dict.fromkeys(_OF_SHAPES, _known_before)})


def _known_before(call: Call) -> Value:
    raise UnsupportedError(f"{call.operator.label} is known before a sample comes")


@cache
def moving() -> frozenset[str]:
    """Operators whose output elements are elements of their input."""
    return frozenset(name for module in modules_of(_OPERATORS) for name in getattr(module, "MOVES", ()))


def bias_slot(operator: str) -> int | None:
    """The input that is the bias of an operator with weights."""
    return _BIASES.get(operator)


class Plan:
    """How to run a network, found once.

    ``steps``: numbers of the operators to run, in order. ``known``: NumPy values by tensor, ``constants`` the same
    with the samples' axis in front. ``places``: by site, (operator, slot) to ``weights`` or ``bias``;
    ``site_at`` the site of an operator. ``clips``: see :class:`Call`. ``moving``: steps whose outputs need no
    quantization.

    Raises EC350, with one diagnostic for each kind of operator that has no simulation.
    """

    def __init__(self, tf: Any, network: Network, sites: Mapping[str, Site]) -> None:
        self._tf, self._main = tf, network.main
        self.places = {key: _places(network, site) for key, site in sites.items()}
        self.site_at = {number: key for key, site in sites.items() for number in site.operators}
        live = live_operators(self._main)
        numbers = [number for number in range(len(self._main.operators)) if number in live]
        self._check(numbers)
        self.clips = {number: _clips(self._main.outputs_of(self._main.operators[number])) for number in numbers}
        self.moving = frozenset(number for number in numbers if self._moves(self._main.operators[number]))
        self.known = self._constants()
        self.steps = tuple(number for number in numbers if not self._fold(number))
        self.constants = {index: tf.constant(array[None]) for index, array in self.known.items()}

    def compute(self, number: int, call: Call) -> tuple[Value, ...]:
        """The outputs of an operator. Raises EC350 where it stands in a way that has no simulation."""
        try:
            outputs = implemented()[call.operator.label](call)
        except UnsupportedError as reason:
            raise self._unsupported(number, str(reason)) from None
        return tuple(outputs) if isinstance(outputs, (list, tuple)) else (outputs,)

    def _check(self, numbers: list[int]) -> None:
        unknown: dict[str, int] = {}
        for number in numbers:
            label = self._main.operators[number].label
            if label not in implemented():
                unknown.setdefault(label, number)
        if unknown:
            raise RejectedError(*(self._unsupported(n, "").diagnostics[0] for n in unknown.values()))

    def _unsupported(self, number: int, reason: str) -> EdgecompileError:
        operator = self._main.operators[number]
        layer = short_name(self._main.tensors[operator.outputs[0]].name) if operator.outputs else None
        return rejected(
            "EC350",
            f"{operator.label} cannot be computed with gradients",
            Location(operator=number, layer=layer),
            (reason or f"there are simulations of {len(implemented())} operators",),
            (
                "take the operator out of the model, or put what it does into pre- or post-processing",
                "leave out the steps of the recipe that train or calibrate; plain quantization works without them",
                *did_you_mean(operator.label, implemented()),
            ),
        )

    def _moves(self, operator: Operator) -> bool:
        if operator.label not in moving() or operator.options.get("fused_activation_function", "NONE") != "NONE":
            return False
        tensors = [t for t in self._main.inputs_of(operator) if t is not None and is_quantized(t)]
        return all(same_scale(t, output) for t in tensors for output in self._main.outputs_of(operator))

    def _constants(self) -> dict[int, Array]:
        found = {}
        for index, tensor in enumerate(self._main.tensors):
            array = tensor.array
            if tensor.is_sparse:
                raise _sparse(tensor)
            if array is not None and tensor.dtype in _NUMBERS:
                found[index] = real(tensor, array)
            elif tensor.is_variable:
                found[index] = np.zeros(tensor.shape, np.float32)
        return found

    def _of_shape(self, number: int, operator: Operator) -> Array:
        tensor, output = self._main.tensors[operator.inputs[0]], self._main.tensors[operator.outputs[0]]
        if any(size < 0 for size in tensor.shape_signature[1:]):
            raise self._unsupported(number, f"the shape of `{short_name(tensor.name)}` is open: {tensor}")
        return np.array(tensor.shape if operator.label == "SHAPE" else len(tensor.shape), output.dtype)

    def _fold(self, number: int) -> bool:
        """Compute an operator now, if nothing it reads depends on samples or on what is trained."""
        operator = self._main.operators[number]
        if operator.label in _OF_SHAPES:
            self.known[operator.outputs[0]] = self._of_shape(number, operator)
            return True
        if number in self.site_at or not all(index in self.known or index < 0 for index in operator.inputs):
            return False
        constants = tuple(self.known.get(index) for index in operator.inputs)
        with self._tf.init_scope():
            call = Call(
                tf=self._tf,
                operator=operator,
                inputs=self._main.inputs_of(operator),
                outputs=self._main.outputs_of(operator),
                values=tuple(None if array is None else self._tf.constant(array[None]) for array in constants),
                constants=constants,
            )
            for index, value, tensor in zip(operator.outputs, self.compute(number, call), call.outputs, strict=True):
                self.known[index] = fake_quantize(self._tf, value, tensor)[0].numpy()
        return True


_NUMBERS = frozenset(("float32", "float16", "int8", "uint8", "int16", "int32", "int64", "bool", "int4"))


def _places(network: Network, site: Site) -> dict[tuple[int, int], str]:
    places = {}
    for number in site.operators:
        places[number, site.slot] = "weights"
        slot = _BIASES.get(site.operator)
        inputs = network.main.operators[number].inputs
        if site.bias is not None and slot is not None and slot < len(inputs) and inputs[slot] >= 0:
            places[number, slot] = "bias"
    return places


def _clips(outputs: tuple[Tensor, ...]) -> frozenset[str]:
    if len(outputs) != 1 or not is_quantized(outputs[0]):
        return frozenset()
    low, high = bounds(outputs[0])
    return frozenset(name for name, limit in _FUSED_LIMITS.items() if low >= 0.0 and high <= limit)


def _sparse(tensor: Tensor) -> EdgecompileError:
    return rejected(
        "EC352",
        f"the weights of `{short_name(tensor.name)}` are stored without their zeros",
        Location(layer=short_name(tensor.name), detail=str(tensor)),
        ("training needs every weight, and the places of the zeros are part of that format",),
        ("give the Keras model, or the .tflite from before it was made sparse",),
    )
