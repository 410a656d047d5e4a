"""What folding constant and unused channels leaves of TFLM's models: products, weights, bytes of the file."""

from __future__ import annotations

import sys

from _shared import data_folder, table

from edgecompile.ir.costs import totals
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read_file
from edgecompile.ir.writer import write
from edgecompile.optimize.apply import apply

SUMS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def main() -> int:
    """Print the table."""
    rows: list[tuple[str, ...]] = [("model", "channels folded", "MACs", "weights bytes", "file bytes")]
    for path in sorted((data_folder() / "cortexm").glob("*.tflite")):
        network = read_file(path)
        found = apply(network)
        # The other passes run on both sides, so that only the channels differ.
        before, after = apply(network, without=("fold_channels",)).network, found.network
        folded = sum(change.count for change in found.changes if change.pass_name == "fold_channels")
        pairs = ((totals(before).macs, totals(after).macs), (_weights(before), _weights(after)))
        sizes = (len(write(before)), len(write(after)))
        rows.append((path.stem, str(folded), *(_pair(*pair) for pair in (*pairs, sizes))))
    print(table(rows))
    return 0


def _weights(network: Network) -> int:
    """Bytes of the weights of all sums, biases left out."""
    main = network.main
    return sum(main.tensors[operator.inputs[1]].size_bytes for operator in main.operators if operator.name in SUMS)


def _pair(before: int, after: int) -> str:
    return f"{before:,} -> {after:,} ({after / before:.1%})"


if __name__ == "__main__":
    sys.exit(main())
