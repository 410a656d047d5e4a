"""Where training runs: on the processor, on a graphics card, or a share of each batch on each of several."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgecompile.libs.keras import tensorflow

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement:
    """``devices`` are TensorFlow's names, none: the processor, as TensorFlow chooses. ``strategy``: of several."""

    devices: tuple[str, ...] = ()
    strategy: Any = None

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Within it variables are made and read where training needs them: of several devices on each."""
        with ExitStack() as stack:
            if self.devices:
                stack.enter_context(tensorflow().device(self.devices[0]))
            if self.strategy is not None:
                stack.enter_context(self.strategy.scope())
            yield

    def entered(self, arrays: Sequence[Array]) -> tuple[Any, ...]:
        """A batch as :meth:`gradients` takes it: of several devices each gets its own samples, every n-th."""
        tf = tensorflow()
        if self.strategy is None:
            return tuple(map(tf.constant, arrays))
        count = len(self.devices)
        spread = self.strategy.experimental_distribute_values_from_function
        return tuple(
            spread(lambda context, y=y: tf.constant(y[context.replica_id_in_sync_group :: count])) for y in arrays
        )

    def gradients(
        self, loss_of: Callable[[Any, Any], Any], variables: Sequence[Any], x: Any, targets: Any, size: Any
    ) -> tuple[Any, list[Any]]:
        """The mean loss of a batch of ``size`` samples, a float32 scalar, and its gradients, None where there is none.

        ``loss_of(x, targets)`` is the mean over the samples that it is given. Each device's mean counts by its number
        of samples, and the sums are taken over all devices: up to rounding what one device alone would find.
        """
        if self.strategy is None:
            return _differentiated(loss_of, variables, x, targets)
        tf = tensorflow()

        def share(x: Any, targets: Any, size: Any) -> tuple[Any, list[Any]]:
            weight = tf.cast(tf.shape(x[0])[0], tf.float32) / size
            return _differentiated(lambda *some: weight * loss_of(*some), variables, x, targets)

        losses, gradients = self.strategy.run(share, args=(x, targets, size))
        summed = tf.distribute.ReduceOp.SUM
        return self.strategy.reduce(summed, losses, axis=None), [
            None if one is None else self.strategy.reduce(summed, one, axis=None) for one in gradients
        ]


def placement() -> Placement:
    """All graphics cards that TensorFlow sees, else the processor."""
    return placed(device.name for device in tensorflow().config.list_logical_devices("GPU"))


def placed(devices: Any) -> Placement:
    """On these devices, by TensorFlow's names."""
    names = tuple(devices)
    if len(names) < 2:
        return Placement(devices=names)
    return Placement(devices=names, strategy=tensorflow().distribute.MirroredStrategy(devices=list(names)))


def _differentiated(
    loss_of: Callable[[Any, Any], Any], variables: Sequence[Any], x: Any, targets: Any
) -> tuple[Any, list[Any]]:
    tf = tensorflow()
    with tf.GradientTape() as tape:
        loss = loss_of(x, targets)
    gradients = tape.gradient(loss, variables)
    return loss, [None if one is None else tf.convert_to_tensor(one) for one in gradients]
