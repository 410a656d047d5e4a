"""Which operator costs how much when it alone is computed in integers, everything else in float."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from edgecompile.compress.context import Context, Samples
from edgecompile.compress.integers import places_of, real_weights
from edgecompile.compress.origin import calibration_of, origin_of
from edgecompile.compress.record import Sensitivity
from edgecompile.compress.simulate.quantizers import fake_quantize, is_quantized
from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.compress.sites import Site, sites_of, weights_of
from edgecompile.compress.subject import Subject
from edgecompile.ir.network import Network, Tensor
from edgecompile.libs.keras import tensorflow

Array = np.ndarray[Any, Any]
Values = dict[int, Any]
SAMPLES = 256


def sensitivities(subject: Subject, context: Context) -> tuple[Sensitivity, ...]:
    """The operators of an integer subject, the most costly first.

    Measured on validation samples, else on calibration samples: the float network, with the integer weights of one
    operator and its output rounded as the integer network rounds it. Raises EC340 without the float network, EC341
    without samples.
    """
    floats = origin_of(subject, "sensitivity").network
    samples = context.validation if context.validation else calibration_of(context, "sensitivity")
    samples = samples.take(slice(0, SAMPLES))
    probe = _Probe(subject.network, floats, samples)
    found = [_judged(probe, number, context, samples) for number in probe.numbers]
    return tuple(sorted(found, key=lambda one: (-one.output_error, one.name)))


def _judged(probe: _Probe, number: int, context: Context, samples: Samples) -> Sensitivity:
    outputs = probe.alone(number)
    change = sum(float(np.square(y - plain).sum()) for y, plain in zip(outputs, probe.outputs, strict=True))
    power = sum(float(np.square(plain).sum()) for plain in probe.outputs)
    drop = None
    if context.score is not None and samples.y:
        before, after = context.score.of(probe.outputs, samples), context.score.of(outputs, samples)
        drop = before - after if context.score.higher_is_better else after - before
    operator = probe.main.operators[number]
    return Sensitivity(
        operator=operator.name,
        name=probe.main.tensors[operator.outputs[0]].name,
        output_error=change / max(power, 1e-30),
        drop=drop,
    )


def _as_input(x: Array, tensor: Tensor) -> Array:
    """Samples in the shape and type of an input: pixels may be stored as uint8 where the network takes float32."""
    return np.asarray(x, np.dtype(tensor.dtype)).reshape(len(x), *tensor.shape)


class _Probe:
    """The float network, computed once, and again behind an operator. ``numbers`` are those with an integer twin."""

    def __init__(self, integers: Network, floats: Network, samples: Samples) -> None:
        self.main, self._tf = floats.main, tensorflow()
        self._simulation = Simulation(floats)
        self._steps = self._simulation._plan.steps
        self._twins = {tensor.name: tensor for tensor in integers.main.tensors if is_quantized(tensor)}
        self._sites = self._pairs(integers, floats)
        self._values: Values = {
            index: self._tf.constant(_as_input(x, self.main.tensors[index]))
            for index, x in zip(self.main.inputs, samples.x, strict=True)
        }
        for number in self._steps:
            self._values.update(self._computed(number, self._values))
        self.outputs = self._ends(self._values)
        self.numbers = [number for number in self._steps if self._twin(number) is not None]

    def alone(self, number: int) -> tuple[Array, ...]:
        """Outputs with this operator's integers in place of its floats."""
        pair = self._sites.get(number)
        if pair is None:
            changed = self._computed(number, self._values)
        else:
            key, weights, own = pair
            self._simulation.weights[key].assign(weights)
            changed = self._computed(number, self._values)
            self._simulation.weights[key].assign(own)
        for index in changed:
            twin = self._twins.get(self.main.tensors[index].name)
            changed[index] = changed[index] if twin is None else fake_quantize(self._tf, changed[index], twin)
        for later in self._steps[self._steps.index(number) + 1 :]:
            if any(index in changed for index in self.main.operators[later].inputs):
                changed.update(self._computed(later, {**self._values, **changed}))
        return self._ends({**self._values, **changed})

    def _computed(self, number: int, values: Mapping[int, Any]) -> Values:
        operator = self.main.operators[number]
        read = {index: values[index] for index in operator.inputs if index in values}
        return dict(zip(operator.outputs, self._simulation.operator(number, read), strict=True))

    def _ends(self, values: Mapping[int, Any]) -> tuple[Array, ...]:
        shapes = ((values[index].numpy(), self.main.tensors[index].shape) for index in self.main.outputs)
        return tuple(y.reshape(len(y), *shape[1:]) if shape[:1] == (1,) else y for y, shape in shapes)

    def _twin(self, number: int) -> object | None:
        return self._twins.get(self.main.tensors[self.main.operators[number].outputs[0]].name)

    def _pairs(self, integers: Network, floats: Network) -> dict[int, tuple[str, Array, Array]]:
        """Operator to its site's key, its weights as integers stand for them, and as they are."""
        found: dict[int, tuple[str, Array, Array]] = {}
        for site in sites_of(floats):
            places = places_of(integers, site)
            if places:
                found.update(dict.fromkeys(site.operators, self._pair(integers, places[0], floats, site)))
        return found

    @staticmethod
    def _pair(integers: Network, place: Site, floats: Network, site: Site) -> tuple[str, Array, Array]:
        return site.key, real_weights(integers, place), weights_of(floats, site)
