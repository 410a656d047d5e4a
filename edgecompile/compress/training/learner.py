"""A network that learns: its simulation and optimizer, one compiled step, one compiled look at the held-out samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edgecompile.compress.context import Samples
from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.compress.training.feed import taken
from edgecompile.compress.training.lesson import Lesson
from edgecompile.compress.training.optimizer import Optimizer
from edgecompile.compress.training.options import Training
from edgecompile.compress.training.placement import Placement
from edgecompile.libs.keras import tensorflow

Array = np.ndarray[Any, Any]
_ZEROS = "zeros "
_LOOKED_AT = 256  # samples at a time when nothing is learned


class Learner:
    """Holds all that a step changes; see ``state``. ``prunes``: zeros are held at other places as training goes on.

    To be made and used within the scope of ``place``, as its simulation is.
    """

    def __init__(
        self,
        simulation: Simulation,
        lesson: Lesson,
        how: Training,
        dtypes: tuple[str, ...],
        prunes: bool,
        place: Placement | None = None,
    ) -> None:
        self.simulation, self._lesson, self._dtypes = simulation, lesson, dtypes
        self._prunes = prunes
        self._optimizer = Optimizer(how.optimizer, simulation.trainable_variables, how.clip)
        tf = tensorflow()
        self._step = tf.function(self._learn, autograph=False, reduce_retracing=True)
        self._answer = tf.function(self._outputs, autograph=False, reduce_retracing=True)
        self._judge = tf.function(self._loss_of, autograph=False, reduce_retracing=True)
        self._follow = tf.function(lambda x: self.simulation(x, training=True)[0], autograph=False)
        self._place = place or Placement()

    def step(self, x: Sequence[Array], targets: Sequence[Array], learning_rate: float, number: int) -> float:
        """Learn from a batch; the loss before the step. ``number`` counts steps, 0 the first."""
        tf = tensorflow()
        rate, count, size = (tf.constant(value, tf.float32) for value in (learning_rate, number, len(x[0])))
        return float(self._step(self._place.entered(x), self._place.entered(targets), rate, count, size))

    def outputs(self, samples: Samples) -> tuple[Array, ...]:
        """The network's real-valued outputs, samples first."""
        parts = [
            [np.asarray(output)[:count] for output in self._answer(x)] for x, _, count in self._batches(samples, None)
        ]
        return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))

    def loss(self, samples: Samples, targets: Callable[[Array], tuple[Array, ...]]) -> float:
        """The mean loss on samples; those that fill the last batch up count again."""
        losses = [float(self._judge(x, labels)) for x, labels, _ in self._batches(samples, targets)]
        return float(np.mean(losses))

    def restate(self, batches: Iterable[Sequence[Array]]) -> None:
        """Let the statistics of batch norms follow the weights as they are now; nothing else changes."""
        tf = tensorflow()
        for x in batches:
            self._follow(tuple(map(tf.constant, x)))

    @property
    def state(self) -> dict[str, Array]:
        """Copies of all that steps change, by name: the simulation's variables and zeros, and the optimizer's."""
        held = self.simulation.held() if self._prunes else {}
        zeros = {_ZEROS + key: promise.zeros for key, promise in held.items() if promise.zeros is not None}
        return {**{name: np.array(variable.numpy()) for name, variable in self._variables().items()}, **zeros}

    def restore(self, state: Mapping[str, Array]) -> None:
        """Set what ``state`` gave, or a part of it."""
        variables = self._variables()
        for name, array in state.items():
            if name.startswith(_ZEROS):
                self.simulation.set_zeros(name.removeprefix(_ZEROS), array)
            else:
                variables[name].assign(array)

    def network_state(self) -> dict[str, Array]:
        """The part of ``state`` that is the network's."""
        return {name: array for name, array in self.state.items() if not name.startswith("slot")}

    def _batches(self, samples: Samples, targets: Callable[[Array], tuple[Array, ...]] | None) -> Iterator[Any]:
        """Batches of one size, so that nothing is compiled twice: the last is filled up from the front."""
        tf = tensorflow()
        size = min(_LOOKED_AT, len(samples))
        for start in range(0, len(samples), size):
            indices = np.arange(start, start + size) % len(samples)
            x = tuple(map(tf.constant, taken(samples, indices, self._dtypes)))
            labels = tuple(map(tf.constant, targets(indices))) if targets is not None else ()
            yield x, labels, min(size, len(samples) - start)

    def _variables(self) -> dict[str, Any]:
        network = {f"network {place}": variable for place, variable in enumerate(self.simulation.variables)}
        slots = {
            f"slot {place} {part}": variable
            for place, pair in enumerate(self._optimizer.slots)
            for part, variable in enumerate(pair)
        }
        return {**network, **slots}

    def _learn(self, x: Any, targets: Any, rate: Any, number: Any, size: Any) -> Any:
        variables = self._optimizer.variables
        loss, gradients = self._place.gradients(self._taught, variables, x, targets, size)
        self._optimizer.apply(gradients, rate, number)
        return loss

    def _taught(self, x: Any, targets: Any) -> Any:
        return self._lesson.loss(self.simulation, x, targets, training=True)

    def _outputs(self, x: Any) -> Any:
        return tuple(self.simulation(x, training=False)[0])

    def _loss_of(self, x: Any, targets: Any) -> Any:
        return self._lesson.loss(self.simulation, x, targets, training=False)
