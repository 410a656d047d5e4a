"""What training runs on: devices, threads and versions, which all can change the last bit of a sum."""

from __future__ import annotations

import os

from edgecompile.libs.keras import tensorflow


def settle() -> str:
    """Make sums come out the same each time, and say where training runs, in words that differ wherever results may.

    On processors TensorFlow's kernels add in a fixed order for a given number of threads; on graphics cards only after
    ``enable_op_determinism``, which costs speed and so is left alone where there is no card. Cards multiply floats
    of 32 bits, not their short form of 19.
    """
    tf = tensorflow()
    inner = tf.config.threading.get_intra_op_parallelism_threads() or len(os.sched_getaffinity(0))
    between = tf.config.threading.get_inter_op_parallelism_threads() or len(os.sched_getaffinity(0))
    cards = tf.config.list_logical_devices("GPU")
    if cards:
        tf.random.set_seed(0)
        tf.config.experimental.enable_op_determinism()
        tf.config.experimental.enable_tensor_float_32_execution(False)
    names = f" ({described()})" if cards else ""
    return f"tensorflow {tf.__version__}, {inner} and {between} threads, {len(cards)} graphics cards{names}"


def described() -> str:
    """What a training in this process runs on, in words for a report."""
    config = tensorflow().config
    cards = config.list_physical_devices("GPU")
    details = [config.experimental.get_device_details(card) for card in cards]
    kinds = sorted({one.get("device_name", "of unknown kind") for one in details})
    if len(cards) > 1:
        return f"{len(cards)} graphics cards ({', '.join(kinds)}), which share each batch"
    return f"one graphics card ({kinds[0]})" if cards else "the processor"
