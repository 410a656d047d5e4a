"""Networks of one operator, from a line for each tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.network import Network

Make = Callable[[], Network]


@dataclass(frozen=True)
class T:
    """A tensor: given by the caller or computed; a constant where it has ``values`` (noise for ``"noise"``)."""

    shape: tuple[int, ...]
    dtype: str = "int8"
    scale: float | Sequence[float] | None = None
    zero: int = 0
    values: Any = None
    axis: int = 0
    variable: bool = False
    limit: int | None = None

    def add(self, build: NetworkBuilder, name: str, is_input: bool) -> int:
        if self.variable:
            return build.tensor(name, self.shape, self.dtype, self.scale, self.zero, variable=True)
        if self.values is not None:
            return build.constant(name, self.constant(), self.dtype, self.scale, self.zero, self.axis)
        add = build.input if is_input else build.tensor
        return add(name, self.shape, self.dtype, self.scale, self.zero)

    def constant(self) -> np.ndarray:
        if not isinstance(self.values, str):
            return np.asarray(self.values, np.dtype(self.dtype)).reshape(self.shape)
        draw = np.random.default_rng(sum(self.shape) + 7)
        if self.dtype == "float32":
            return draw.normal(size=self.shape).astype(np.float32)
        limits = np.iinfo(self.dtype)
        low, high = (-self.limit, self.limit) if self.limit else (max(limits.min, -127), min(limits.max, 127))
        return draw.integers(low, high + 1, self.shape).astype(self.dtype)


def one(name: str, inputs: Sequence[T | None], outputs: Sequence[T], **options: Any) -> Make:
    """A network of one operator; None is an input that is left out."""

    def make() -> Network:
        build = NetworkBuilder()
        given = [-1 if t is None else t.add(build, f"x{i}", True) for i, t in enumerate(inputs)]
        made = [t.add(build, f"y{i}", False) for i, t in enumerate(outputs)]
        build.op(name, given, made, **options)
        return build.output(*made).build()

    return make


def shape_of(values: Sequence[int]) -> T:
    """A constant of int32: axes, sizes, paddings."""
    array = np.asarray(values, np.int32)
    return T(array.shape, "int32", values=array)
