"""How much of the activation memory an operator takes, and into how many parts that cuts its map.

Each tile of the array holds its share of the map: what it reads, with the border that the kernel needs, and what it
writes. Decoded from compiled models: used_narrow_memory_bytes_per_tile is 580 bytes a channel for a 3 x 3 convolution
of 64 x 64, which is (16 + 2)^2 read and 16^2 written.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgecompile.ir.network import Operator, Subgraph
from edgecompile.measure.edgetpu.device import Compute, Layout
from edgecompile.measure.edgetpu.padding import up

_WEIGHTED = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV"})
_POOLS = frozenset({"AVERAGE_POOL_2D", "MAX_POOL_2D"})


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One tile's share: ``rows`` by ``columns`` of output, what a row of output reads, and bytes of one position."""

    rows: int
    columns: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    read_bytes: int
    written_bytes: int

    def size_bytes(self, rows: int) -> int:
        """Activation memory when that many rows are computed at a time."""
        read_rows = (rows - 1) * self.stride[0] + self.kernel[0]
        read_columns = (self.columns - 1) * self.stride[1] + self.kernel[1]
        return read_rows * read_columns * self.read_bytes + rows * self.columns * self.written_bytes

    def parts(self, limit_bytes: int) -> int | None:
        """In how many parts the rows are computed; None where not even one row fits. Parts of unequal size take a row
        more, which fits every step that 72 measured networks show."""
        return next((n for n in range(1, self.rows + 1) if self.size_bytes(self._rows_of(n)) <= limit_bytes), None)

    def held_bytes(self, limit_bytes: int) -> int:
        """Activation memory at a time, where the rows are computed in such parts; of one row, if not even that fits."""
        count = self.parts(limit_bytes)
        return self.size_bytes(1 if count is None else self._rows_of(count))

    def _rows_of(self, count: int) -> int:
        """Rows of the largest of so many parts."""
        return min(self.rows // count + (2 if self.rows % count else 0), self.rows)


def tile_of(subgraph: Subgraph, operator: Operator, compute: Compute, layout: Layout) -> Tile | None:
    """The share of one tile; None for operators that make no map (rank below 4)."""
    outputs = subgraph.outputs_of(operator)
    inputs = [tensor for tensor in subgraph.inputs_of(operator) if tensor is not None and not tensor.is_constant]
    if not outputs or not inputs or len(outputs[0].shape) != 4 or any(len(t.shape) != 4 for t in inputs):
        return None
    _, height, width, channels = outputs[0].shape
    # Inputs as large as the output are held whole; a smaller one is broadcast, a larger one is read by the stride.
    held = [tensor for tensor in inputs if tensor.shape[1] * tensor.shape[2] > 1]
    read = sum(up(tensor.shape[3], layout.input_channels) for tensor in held)
    return Tile(
        rows=-(-height // compute.tile_rows),
        columns=-(-width // compute.tile_columns),
        kernel=window_of(subgraph, operator),
        stride=(_ratio([t.shape[1] for t in held], height), _ratio([t.shape[2] for t in held], width)),
        read_bytes=read,
        written_bytes=up(channels, layout.input_channels),
    )


def window_of(subgraph: Subgraph, operator: Operator) -> tuple[int, int]:
    """Height and width of the kernel or of the pooling window, 1 for other operators."""
    if operator.name in _WEIGHTED and len(operator.inputs) > 1:
        weights = subgraph.tensor(operator.inputs[1])
        return (weights.shape[1], weights.shape[2]) if weights is not None and len(weights.shape) == 4 else (1, 1)
    if operator.name in _POOLS:
        return operator.options.get("filter_height") or 1, operator.options.get("filter_width") or 1
    return 1, 1


def _ratio(sizes: list[int], output: int) -> int:
    return max(1, round(max(sizes) / max(output, 1))) if sizes else 1
