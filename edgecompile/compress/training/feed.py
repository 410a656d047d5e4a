"""Batches of training samples by epoch and number: the same whenever they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compress.training.augment import Change, augment
from edgecompile.compress.training.draws import Draws, order
from edgecompile.compress.training.labels import Task
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
Batch = tuple[tuple[Array, ...], tuple[Array, ...]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Feed:
    """``dtypes`` are those in which the simulation takes the inputs; ``changes`` are those of samples."""

    samples: Samples
    tasks: tuple[Task, ...]
    dtypes: tuple[str, ...]
    batch_size: int
    changes: tuple[Change, ...]
    seed: int

    @property
    def steps(self) -> int:
        """Batches in an epoch. All are of one size; what is over waits for another epoch, in another order."""
        return max(1, len(self.samples) // self.batch_size)

    def batch(self, epoch: int, number: int) -> Batch:
        """Inputs and targets (none without labels) of a batch."""
        size = min(self.batch_size, len(self.samples))
        indices = order(self.seed, epoch, len(self.samples))[number * size : (number + 1) * size]
        x = taken(self.samples, indices, self.dtypes)
        targets = self.targets(indices)
        if not self.changes:
            return x, targets
        changed, labels = augment(self.changes, x, targets, Draws(seed=self.seed, epoch=epoch, indices=indices))
        return tuple(map(np.ascontiguousarray, changed)), tuple(np.asarray(y, np.float32) for y in labels)

    def plain(self, epoch: int) -> Iterator[tuple[Array, ...]]:
        """The inputs of an epoch's batches, unchanged."""
        size = min(self.batch_size, len(self.samples))
        indices = order(self.seed, epoch, len(self.samples))
        for number in range(self.steps):
            yield taken(self.samples, indices[number * size : (number + 1) * size], self.dtypes)

    def targets(self, indices: Array) -> tuple[Array, ...]:
        """The labels of some samples, one array for each task."""
        return tuple(task.targets(indices) for task in self.tasks) if self.samples.y else ()


def taken(samples: Samples, indices: Array, dtypes: Sequence[str]) -> tuple[Array, ...]:
    """Inputs of some samples, in the types that a simulation takes."""
    return tuple(np.asarray(x[indices], dtype) for x, dtype in zip(samples.x, dtypes, strict=True))


def dtypes_of(network: Network) -> tuple[str, ...]:
    """The types of a simulation's inputs: indices and flags as they are, all else as real numbers."""
    main = network.main
    kept = ("int32", "int64", "bool")
    return tuple(
        tensor.dtype if tensor.dtype in kept and tensor.quantization is None else "float32"
        for tensor in (main.tensors[index] for index in main.inputs)
    )
