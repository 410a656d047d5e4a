"""What a pass cost and what it bought: the figures of a network at one point of the recipe."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgecompile.compress.histogram import Histogram, histograms
from edgecompile.compress.sites import Site, as_rows, sites_of, spread, weights_of
from edgecompile.compress.subject import NOTHING, Held, Subject
from edgecompile.ir.costs import totals
from edgecompile.ir.network import Network, Tensor
from edgecompile.kernels.weight_forms import best_form

Array = np.ndarray[Any, Any]
_COMPUTED = ("float32", "float16", "int8", "int16")


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """One operator: ``name`` is its output tensor's, which opens with its layer's.

    ``output_error`` is the mean squared change of the network's outputs over their mean square; ``drop`` how much worse
    the score is on the samples looked at, None without labels.
    """

    operator: str
    name: str
    output_error: float
    drop: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, for a report."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Record:
    """One line of the report's table.

    ``score`` is on so many validation ``samples``, None without any. ``distinct`` is the most distinct integers that
    any weight tensor has. ``stored_bytes`` is by target: the weights as that target's code stores them.
    ``entropy_bytes`` and ``gzip_bytes`` are what a download of the same weights could shrink to, and no device computes
    from. ``histograms`` are of the largest tensors; ``sensitivity`` is by operator, where the step measured it.
    """

    step: str
    duration_s: float
    score: float | None
    parameters: int
    macs: int
    sparsity: float
    distinct: int
    stored_bytes: Mapping[str, int]
    entropy_bytes: int
    gzip_bytes: int
    histograms: tuple[Histogram, ...] = ()
    sensitivity: tuple[Sensitivity, ...] = ()
    samples: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return asdict(self)


def measure(
    step: str,
    subject: Subject,
    forms: Mapping[str, Sequence[str]],
    score: float | None,
    duration_s: float,
    sensitivity: Sequence[Sensitivity] = (),
    samples: int | None = None,
) -> Record:
    """The figures of a subject; ``forms`` are those in which each target's code can store weights, by target.

    ``samples``: how many the score is on.
    """
    sites = sites_of(subject.network)
    codes = [codes_of(subject, site) for site in sites]
    packed = [_can_be_packed(subject, site) for site in sites]
    flat = [array.reshape(-1) for array in codes]
    count = sum(array.size for array in flat)
    zeros = sum(int(np.count_nonzero(array == 0)) for array in flat)
    return Record(
        step=step,
        duration_s=round(duration_s, 2),
        score=score,
        parameters=parameters_of(subject.network),
        macs=totals(subject.network).macs or 0,
        sparsity=zeros / count if count else 0.0,
        distinct=max((len(np.unique(array)) for array in flat), default=0),
        stored_bytes={name: stored_bytes(codes, allowed, packed) for name, allowed in forms.items()},
        entropy_bytes=math.ceil(sum(_entropy_bits(array) for array in flat) / 8),
        gzip_bytes=len(zlib.compress(b"".join(array.tobytes() for array in flat), 9)),
        histograms=histograms([(site.key, a) for site, a in zip(sites, codes, strict=True) if a.dtype.kind == "i"]),
        sensitivity=tuple(sensitivity),
        samples=None if score is None else samples,
    )


def stored_bytes(codes: Sequence[Array], forms: Sequence[str], packed: Sequence[bool]) -> int:
    """Bytes of weight tensors, each in the form that takes least where it is ``packed``, else value by value."""
    return sum(
        best_form(array, forms if able else ())[1] if array.ndim in (2, 4) and array.dtype == np.int8 else array.nbytes
        for array, able in zip(codes, packed, strict=True)
    )


def _can_be_packed(subject: Subject, site: Site) -> bool:
    """Whether kernels read int8 weights in short forms: those of operators with 8-bit activations do."""
    main = subject.network.main
    made = {main.tensors[main.operators[number].outputs[0]].dtype for number in site.operators}
    return "int16" not in made


def codes_of(subject: Subject, site: Site) -> Array:
    """A site's weights as the integers that the flatbuffer gets, or would get from float weights as they are.

    Output channels first where the site has an axis, ``int8[o, ...]``. Of an operator that an integer network leaves in
    float, the weights themselves, float32.
    """
    held = subject.held.get(site.key, NOTHING)
    weights = weights_of(subject.network, site)
    if weights.dtype != np.float32 or subject.origin is not None:
        codes = weights
    elif held.codes is not None:
        codes = held.codes
    else:
        codes = _nearest(weights, site, held)
    if site.axis in (None, 0):
        return codes
    return np.ascontiguousarray(np.moveaxis(codes, site.axis, 0))


def parameters_of(network: Network) -> int:
    """Elements of all constants that operators compute with: weights, biases, in integers too, and other values."""
    main = network.main
    read = {i for operator in main.operators for i in operator.inputs if i >= 0}
    kept = (main.tensors[i] for i in read if main.tensors[i].is_constant)
    return sum(tensor.elements for tensor in kept if tensor.dtype in _COMPUTED or _is_bias(tensor))


def _is_bias(tensor: Tensor) -> bool:
    """Of an integer network: shapes and axes are integers as wide, and have no scales."""
    return tensor.dtype in ("int32", "int64") and bool(tensor.quantization and tensor.quantization.scales)


def _nearest(weights: Array, site: Site, held: Held) -> Array:
    limit = 2 ** (held.bits - 1) - 1
    peaks = np.abs(as_rows(weights, site.axis)).max(axis=1)
    scales = np.where(peaks > 0, peaks / limit, 1.0).astype(np.float32)
    return np.clip(np.rint(weights / spread(scales, weights.shape, site.axis)), -limit, limit).astype(np.int8)


def _entropy_bits(codes: Array) -> float:
    """Bits of a tensor under the best code for its own frequencies: n Σ −p log₂ p."""
    counts = np.unique(codes, return_counts=True)[1].astype(np.float64)
    shares = counts / counts.sum()
    return float(-(counts * np.log2(shares)).sum())
