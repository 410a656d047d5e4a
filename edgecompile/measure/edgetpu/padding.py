"""How the Edge TPU pads channels, and what a matrix of weights takes with that."""

from __future__ import annotations

from dataclasses import dataclass

from edgecompile.measure.edgetpu.device import Layout


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """``weights_bytes`` can be cached or streamed, ``fixed_bytes`` (biases, multipliers, matrices that move channels)
    stay on chip, ``streamed_bytes`` are streamed always (constant operands of element-wise operators)."""

    weights_bytes: int = 0
    fixed_bytes: int = 0
    streamed_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        """All of them."""
        return self.weights_bytes + self.fixed_bytes + self.streamed_bytes


def up(size: int, multiple: int) -> int:
    """The next multiple."""
    return -(-size // multiple) * multiple


def padded(channels: int, layout: Layout) -> int:
    """Output channels as the array computes them: for (4, 16, 64) 4, then multiples of 16 up to 64, then of 64."""
    few, some, many = layout.output_channels
    if channels <= few:
        return few
    return up(channels, some if channels <= many else many)


def matrix(positions: int, inputs: int, outputs: int, layout: Layout) -> int:
    """Weights of a convolution over that many positions."""
    return positions * up(inputs, layout.input_channels) * padded(outputs, layout)


def rounded(weights: int, fixed: int, layout: Layout) -> Parameters:
    """The operator as a whole is rounded up to the granule; what is not weights takes the padding."""
    return Parameters(weights_bytes=weights, fixed_bytes=up(weights + fixed, layout.granule_bytes) - weights)
