"""A network as a differentiable TensorFlow function of its samples, with weights and biases to train."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from edgecompile.compress.simulate.call import Call, Value, count_of, repeat
from edgecompile.compress.simulate.normalize import Normalizer, can_normalize
from edgecompile.compress.simulate.one_rounding import in_float64, sums_of, to_steps
from edgecompile.compress.simulate.plan import Plan
from edgecompile.compress.simulate.quantizers import fake_quantize, is_quantized, real
from edgecompile.compress.simulate.shadow import Shadow
from edgecompile.compress.simulate.two_roundings import grids, to_grid
from edgecompile.compress.simulate.writeback import written
from edgecompile.compress.sites import Site, sites_of
from edgecompile.compress.subject import NOTHING, Held
from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import bad_input
from edgecompile.core.units import counted
from edgecompile.ir.network import Network, Tensor
from edgecompile.libs.keras import tensorflow

Array = np.ndarray[Any, Any]


class Simulation:
    """What the device computes, in float: every tensor with a scale is fake-quantized where it is made.

    ``weights[key]`` and ``biases[key]`` are the float variables behind a site's constants, in the network's layout;
    ``effective(key)`` is what is computed with. ``shadows`` gives float weights to start from where the network
    has integers. ``normalize`` (float networks): a batch norm in every CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED
    with a bias, which ``network()`` folds again; call :meth:`prime` before training. ``rounding``: sums are
    rounded as kernels do it, see ``one_rounding`` and ``two_roundings``; else as real numbers.

    Raises EC350 for an operator that has no simulation, EC351 (when called) for inputs that do not fit, EC352 for
    weights that are stored without their zeros, EC190 without TensorFlow.
    """

    def __init__(
        self,
        network: Network,
        *,
        held: Mapping[str, Held] | None = None,
        shadows: Mapping[str, Array] | None = None,
        normalize: bool = False,
        rounding: Literal["real", "once", "twice"] = "real",
    ) -> None:
        self._tf = tensorflow()
        self._given, self._main = network, network.main
        self.sites: Mapping[str, Site] = {site.key: site for site in sites_of(network)}
        held, shadows = held or {}, shadows or {}
        self._shadows = {
            key: Shadow(self._tf, self._main.tensors[site.weights], site, held.get(key, NOTHING), shadows.get(key))
            for key, site in self.sites.items()
        }
        self.weights: Mapping[str, Any] = {key: shadow.variable for key, shadow in self._shadows.items()}
        self.biases: Mapping[str, Any] = {
            key: self._tf.Variable(_real(self._main.tensors[site.bias]), name=f"{key}/bias")
            for key, site in self.sites.items()
            if site.bias is not None
        }
        self._plan = Plan(self._tf, network, self.sites)
        seen = self._main, self.sites.values(), self._plan.steps
        self._grids = grids(*seen) if rounding == "twice" else {}
        self._sums = sums_of(*seen) if rounding == "once" else {}
        self._norms = {
            key: Normalizer(self._tf, len(_real(self._main.tensors[site.bias])), floor=held.get(key, NOTHING).is_shared)
            for key, site in self.sites.items()
            if normalize and site.bias is not None and can_normalize(self._main, site, held.get(key, NOTHING))
        }

    @property
    def steps(self) -> tuple[int, ...]:
        """Numbers of the operators that are computed for each sample, in order; the others are folded or unread."""
        return self._plan.steps

    @property
    def trainable_variables(self) -> list[Any]:
        """Weights, codebooks, biases and batch norms, in the order of the sites."""
        found = []
        for key, shadow in self._shadows.items():
            found += shadow.trainable
            found += [self.biases[key]] if key in self.biases else []
            found += self._norms[key].trainable if key in self._norms else []
        return found

    @property
    def variables(self) -> list[Any]:
        """All that training changes: the trainable variables, and the statistics of batch norms."""
        return [*self.trainable_variables, *(v for norm in self._norms.values() for v in norm.statistics)]

    def effective(self, key: str) -> Value:
        """The weights that are computed with, of the tensor's shape; differentiable."""
        return self._shadows[key].effective()

    def set_zeros(self, key: str, zeros: Array) -> None:
        """Hold these weights at zero from now on (bool, shape of the weights): gradual pruning."""
        self._shadows[key].set_zeros(zeros)

    def __call__(
        self, x: Sequence[Value], training: bool = False, watch: Sequence[int] = ()
    ) -> tuple[tuple[Value, ...], dict[int, Value]]:
        """Outputs in the network's order, and the watched tensors: real numbers, samples first.

        ``x``: one ``[n, *shape without the batch of one]`` for each input; numbers of a quantized input's own type are
        its integers, all others real values. A batch of one is left out of results: ``[n, *shape[1:]]``.
        """
        values = self._forward(x, training)
        outputs = tuple(self._shown(values, index) for index in self._main.outputs)
        return outputs, {index: self._shown(values, index) for index in watch}

    def operator(self, number: int, values: Mapping[int, Value]) -> tuple[Value, ...]:
        """What one operator gives for these inputs, ``[n, *shape]`` with the batch, by tensor; it has its constants."""
        given = {index: self._tf.convert_to_tensor(value) for index, value in values.items()}
        here = {key for key in self.sites if number in self.sites[key].operators}
        return self._run(number, {**self._plan.constants, **self._bound(here), **given}, False)

    def prime(self, x: Sequence[Array], batch: int = 64) -> None:
        """Start batch norms from the statistics of ``x``, so that they change nothing yet."""
        for start in range(0, len(x[0]), batch):
            self._forward([self._tf.constant(part[start : start + batch]) for part in x], False, collect=True)
        for norm in self._norms.values():
            norm.prime()

    def network(self) -> Network:
        """The network with the variables as its constants; what is held is kept, bit for bit."""
        folds = {key: norm.fold() for key, norm in self._norms.items()}
        return written(self._given, self.sites, self._shadows, self.biases, folds)

    def held(self) -> Mapping[str, Held]:
        """What is promised of each site that was given with a promise, codes and scales as they are now."""
        found = {}
        for key, shadow in self._shadows.items():
            held = shadow.held()
            if held is NOTHING:
                continue
            if key in self._norms and held.scales is not None:
                held = self._norms[key].folded(held)
            found[key] = held
        return found

    def _forward(self, x: Sequence[Value], training: bool, collect: bool = False) -> dict[int, Value]:
        values: dict[int, Value] = {**self._plan.constants, **self._bound(self.sites)}
        values.update(self._entered(x))
        for number in self._plan.steps:
            outputs = self._run(number, values, training, collect)
            values.update(zip(self._main.operators[number].outputs, outputs, strict=True))
        return values

    def _bound(self, keys: Collection[str]) -> dict[int, Value]:
        """Weights and biases of some sites, each computed once a step."""
        bound: dict[int, Value] = {}
        for key in (key for key in self._shadows if key in keys):
            weights = self._tf.expand_dims(self._shadows[key].effective(), 0)
            bias = self._tf.expand_dims(self.biases[key], 0) if key in self.biases else None
            for place, kind in self._plan.places[key].items():
                bound[_place(*place)] = weights if kind == "weights" else bias
        return bound

    def _run(
        self, number: int, values: Mapping[int, Value], training: bool, collect: bool = False
    ) -> tuple[Value, ...]:
        operator = self._main.operators[number]
        slots = range(len(operator.inputs))
        trained = {slot: values[_place(number, slot)] for slot in slots if _place(number, slot) in values}
        key = self._plan.site_at.get(number)
        call = Call(
            tf=self._tf,
            operator=operator,
            inputs=self._main.inputs_of(operator),
            outputs=self._main.outputs_of(operator),
            values=tuple(trained.get(s, values.get(i)) for s, i in enumerate(operator.inputs)),
            constants=tuple(None if s in trained else self._plan.known.get(i) for s, i in enumerate(operator.inputs)),
            weights={slot: value[0] for slot, value in trained.items()},
            clips=self._plan.clips[number],
            normalize=self._normalizer(key, training, collect),
        )
        outputs = self._plan.compute(number, in_float64(call) if number in self._sums else call)
        if number in self._plan.moving:
            return outputs
        if number in self._grids:
            outputs = tuple(to_grid(self._tf, y, self._grids[number]) for y in outputs)
        if number in self._sums:
            outputs = tuple(to_steps(self._tf, y, self._sums[number]) for y in outputs)
        return tuple(fake_quantize(self._tf, y, t) for y, t in zip(outputs, call.outputs, strict=True))

    def _normalizer(self, key: str | None, training: bool, collect: bool) -> Callable[[Value], Value] | None:
        norm = self._norms.get(key) if key is not None else None
        if norm is None:
            return None
        return norm.collect if collect else lambda y: norm.apply(y, training)

    def _entered(self, x: Sequence[Value]) -> dict[int, Value]:
        if len(x) != len(self._main.inputs):
            notes = (
                f"the network has {counted(len(self._main.inputs), 'input')}",
                f"found: {counted(len(x), 'array')}",
            )
            raise bad_input("EC351", "another number of inputs is given than the network has", notes=notes)
        return {index: self._enter(index, value) for index, value in zip(self._main.inputs, x, strict=True)}

    def _enter(self, index: int, value: Value) -> Value:
        tensor, tf = self._main.tensors[index], self._tf
        value = tf.convert_to_tensor(value)
        sample = value.shape[1:]
        shape = _open_shape(tensor, sample) or tensor.shape
        if sample.num_elements() != np.prod(shape, dtype=np.int64):
            place = Location(layer=tensor.name, detail=str(tensor))
            notes = (f"one sample is {list(tensor.shape)}, the batch included", f"found: {sample}")
            help = ("samples come first: [samples, ...]",)
            raise bad_input(
                "EC351", f"input `{tensor.name}` has another shape than the samples given", place, notes, help
            )
        value = tf.reshape(value, [-1 if value.shape[0] is None else value.shape[0], *shape])
        if not is_quantized(tensor):
            dtype = "float32" if tensor.dtype == "float16" else tensor.dtype
            return tf.cast(value, dtype)
        assert tensor.quantization is not None
        if value.dtype.name == tensor.dtype:
            shifted = tf.cast(value, tf.float32) - float(tensor.quantization.zero_points[0])
            return shifted * tensor.quantization.scales[0]
        return fake_quantize(tf, tf.cast(value, tf.float32), tensor)

    def _shown(self, values: Mapping[int, Value], index: int) -> Value:
        # What depends on no sample is the same for all.
        count = next((count_of(self._tf, values[i]) for i in self._main.inputs), 1)
        value = repeat(self._tf, values[index], count)
        return self._tf.squeeze(value, 1) if len(value.shape) > 1 and value.shape[1] == 1 else value


def _open_shape(tensor: Tensor, sample: Any) -> tuple[int, ...] | None:
    """The shape for samples that fill sizes which the model leaves open behind the batch."""
    wanted = tensor.shape_signature[1:]
    if all(size >= 0 for size in wanted) or len(sample) != len(wanted):
        return None
    fits = all(size in (-1, found) for size, found in zip(wanted, sample, strict=True))
    return (1, *sample) if fits else None


def _place(number: int, slot: int) -> int:
    """A key for a trained constant beside tensors, which are counted from zero."""
    return -2 - (number * 64 + slot)


def _real(tensor: Tensor) -> Array:
    array = tensor.array
    assert array is not None
    return real(tensor, array)
