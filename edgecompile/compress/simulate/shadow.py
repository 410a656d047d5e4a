"""The trained weights behind one weight tensor, and the weights that the device will compute with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.compress import gathered
from edgecompile.compress.simulate.quantizers import is_quantized, limits, real, spread_quantization
from edgecompile.compress.sites import Site, spread
from edgecompile.compress.subject import Held
from edgecompile.ir.network import Tensor

Array = np.ndarray[Any, Any]


class Shadow:
    """Float weights that an optimizer changes, of the tensor's shape, and what becomes of them.

    ``effective()`` is one of: the weights (float); ``scale * code`` with the code nearest to ``weight / scale``
    (integer, or held to codes); zeros stay zero. The gradient goes straight through rounding to ``variable``, and
    to the entries of ``codebook`` (integers over 127) where the tensor has at most ``held.centroids`` of them.

    Scales of plain integer weights follow ``max|w|`` of their channel, in the ratio found at the start, so that weights
    may grow; those of held codes, of tensors with zero points, and of tables whose rows are copied, stay.
    """

    def __init__(self, tf: Any, tensor: Tensor, site: Site, held: Held, given: Array | None = None) -> None:
        self._tf, self._site, self._held, self._tensor = tf, site, held, tensor
        stored = tensor.array
        assert stored is not None
        start = real(tensor, stored)
        if held.codes is not None:
            self.scales: Array | None = np.asarray(held.scales, np.float32)
            start = (spread(self.scales, stored.shape, site.axis) * held.codes).astype(np.float32)
            self.low, self.high = -(2 ** (held.bits - 1)) + 1, 2 ** (held.bits - 1) - 1
        elif is_quantized(tensor):
            assert tensor.quantization is not None
            self.scales = np.asarray(tensor.quantization.scales, np.float32)
            self.low, self.high = _reach(tensor, stored)
        else:
            self.scales = None
        self.stored = stored
        self.variable = tf.Variable(start if given is None else np.asarray(given, np.float32), name=site.key)
        zeros = np.zeros(stored.shape, bool) if held.zeros is None else held.zeros
        # A variable, also where nothing is pruned yet: functions that are traced already follow it.
        self._keep = tf.Variable((~zeros).astype(np.float32), trainable=False)
        self.codebook: Any = self._codebook() if held.codes is not None and held.centroids > 0 else None
        self._peaks = self._starting_peaks()

    @property
    def trainable(self) -> list[Any]:
        """Variables of the optimizer."""
        return [self.variable] if self.codebook is None else [self.variable, self.codebook]

    def set_zeros(self, zeros: Array) -> None:
        """Hold other weights at zero from now on."""
        self._held = replace(self._held, zeros=zeros)
        self._keep.assign((~zeros).astype(np.float32))

    def effective(self) -> Any:
        """The weights that are computed with, of the tensor's shape."""
        tf, weights = self._tf, self._masked()
        if self.scales is None:
            return weights
        scales = self._scales(weights)
        if self.codebook is None:
            codes = self._round(weights / scales)
            return weights + tf.stop_gradient(scales * codes - weights)
        entries, nearest = self._nearest(weights / scales)
        shared = scales * tf.gather(entries, nearest) * self._keep
        return shared + weights - tf.stop_gradient(weights)

    def codes(self) -> tuple[Array, Array]:
        """Integers without zero point, int64 of the tensor's shape, and scales, float32, as they are to be stored."""
        tf, weights = self._tf, self._masked()
        assert self.scales is not None
        scales = self._scales(weights)
        ratio = weights / scales
        if self.codebook is None:
            found = self._round(ratio)
        else:
            entries, nearest = self._nearest(ratio)
            found = tf.gather(entries, nearest) * self._keep
        return np.rint(found.numpy()).astype(np.int64), scales.numpy().reshape(-1)

    def held(self) -> Held:
        """What is promised, with the codes and scales as they are now."""
        if self._held.codes is None:
            return self._held
        codes, scales = self.codes()
        return replace(self._held, codes=codes.astype(np.int8), scales=scales)

    def values(self) -> Array:
        """Float weights as they are to be stored: ``scales * codes`` bit for bit where codes are held."""
        if self._held.codes is not None:
            codes, scales = self.codes()
            return (spread(scales, self.stored.shape, self._site.axis) * codes).astype(np.float32)
        weights: Array = self._masked().numpy()
        return weights

    def _masked(self) -> Any:
        return self.variable * self._keep

    def _round(self, ratio: Any) -> Any:
        return self._tf.clip_by_value(self._tf.round(ratio), float(self.low), float(self.high))

    def _scales(self, weights: Any) -> Any:
        tf = self._tf
        fixed = tf.constant(self._spread())
        if self._peaks is None:
            return fixed
        peaks = tf.stop_gradient(tf.reduce_max(tf.abs(weights), axis=self._others(), keepdims=True))
        # A channel that was all zero has no ratio yet: its largest weight becomes the largest code.
        fresh = tf.where(peaks > 0.0, peaks / float(self.high), fixed)
        return tf.where(self._peaks > 0.0, fixed * tf.math.divide_no_nan(tf.maximum(peaks, _TINY), self._peaks), fresh)

    def _spread(self) -> Array:
        assert self.scales is not None
        if self._held.codes is not None:
            return spread(self.scales, self.stored.shape, self._site.axis)
        assert self._tensor.quantization is not None
        return spread_quantization(self._tensor.quantization, self.stored.ndim)[0]

    def _others(self) -> list[int]:
        """The axes that one scale is for."""
        shape = self._spread().shape
        return [axis for axis, size in enumerate(shape) if size == 1]

    def _starting_peaks(self) -> Any:
        given = self._tensor.quantization
        if self._site.operator == gathered.OPERATOR:
            return None
        if self.scales is None or self._held.codes is not None or given is None or any(given.zero_points):
            return None
        masked = self._masked().numpy()
        return self._tf.constant(np.abs(masked).max(axis=tuple(self._others()), keepdims=True))

    def _codebook(self) -> Any:
        assert self._held.codes is not None
        distinct = np.unique(self._held.codes).astype(np.float32)
        self._moves = (distinct != 0).astype(np.float32)
        return self._tf.Variable(distinct / np.float32(_UNIT), name=f"{self._site.key}/codebook")

    def _nearest(self, ratio: Any) -> tuple[Any, Any]:
        """Whole entries (gradient straight through), and for each weight the place of the nearest one."""
        tf = self._tf
        exact = self.codebook * _UNIT
        # Zero stays zero: pruned weights hold it, and it must not split from them.
        exact = exact * self._moves
        entries = exact + tf.stop_gradient(self._round(exact) - exact)
        order = tf.argsort(tf.stop_gradient(entries))
        ascending = tf.gather(tf.stop_gradient(entries), order)
        between = (ascending[1:] + ascending[:-1]) * 0.5
        places = tf.searchsorted(between, tf.reshape(tf.stop_gradient(ratio), [-1]))
        return entries, tf.reshape(tf.gather(order, places), ratio.shape)


_UNIT = 127.0
_TINY = 1e-12


def _reach(tensor: Tensor, stored: Array) -> tuple[int, int]:
    """Smallest and largest code: -127 where a type is symmetric, unless the file itself has smaller ones."""
    assert tensor.quantization is not None
    zero = tensor.quantization.zero_points[0]
    low, high = limits(tensor.dtype)
    symmetric = zero == 0 and low < 0 and int(stored.min()) > low
    return (-high if symmetric else low - zero), high - zero
