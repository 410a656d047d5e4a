"""Where training runs: devices, threads and versions, which all can change the last bit of a sum."""

from __future__ import annotations

import os

from edgecompile.libs.keras import tensorflow


def settle() -> str:
    """Make sums come out the same each time, and say where training runs, in words that differ wherever results may.

    On processors TensorFlow's kernels add in a fixed order for a given number of threads; on graphics cards only after
    ``enable_op_determinism``, which costs speed and so is left alone where there is no card.
    """
    tf = tensorflow()
    inner = tf.config.threading.get_intra_op_parallelism_threads() or len(os.sched_getaffinity(0))
    between = tf.config.threading.get_inter_op_parallelism_threads() or len(os.sched_getaffinity(0))
    cards = tf.config.list_logical_devices("GPU")
    if cards:
        tf.random.set_seed(0)
        tf.config.experimental.enable_op_determinism()
    return f"tensorflow {tf.__version__}, {inner} and {between} threads, {len(cards)} graphics cards"


def shares() -> tuple[str, ...]:
    """The devices that share each batch: all graphics cards where there are several, else TensorFlow's own choice."""
    cards = [device.name for device in tensorflow().config.list_logical_devices("GPU")]
    return tuple(cards) if len(cards) > 1 else ("",)
