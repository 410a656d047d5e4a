"""The door to TensorFlow, tf_keras (Keras 2) and Keras 3: each imported on first use, once, without log lines."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from edgecompile.libs.libraries import missing_library

_PURPOSE = "to read and convert Keras models"
_PIP = "edgecompile[keras]"
# Sums are split over threads, and how they are split decides their last bits: with as many threads as a machine has
# processors, trained weights would differ between machines. Small networks gain little from more than these.
INNER_THREADS, BETWEEN_THREADS = 4, 2


@cache
def tensorflow() -> Any:
    """The ``tensorflow`` module, with a fixed number of threads. Raises MissingError EC190 when it is not installed.

    All runs on the processor unless a scope names another device, as training does: what converts a model must not
    depend on which graphics card there is.

    The process must have been started with TF_USE_LEGACY_KERAS=1, so that ``tf.keras`` means tf_keras, as TF-MOT needs.
    """
    tf = _quietly("tensorflow")
    tf.get_logger().setLevel(logging.ERROR)
    tf.autograph.set_verbosity(0)
    with contextlib.suppress(RuntimeError):  # somebody has computed with it already
        tf.config.threading.set_intra_op_parallelism_threads(INNER_THREADS)
        tf.config.threading.set_inter_op_parallelism_threads(BETWEEN_THREADS)
    _stay_on_processor(tf, tf.config.list_physical_devices("GPU"))
    return tf


def pin(threads: int) -> None:
    """Let TensorFlow have that many threads; 0: those that it has. To be called before it computes anything."""
    if threads:
        tf = tensorflow()
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def _stay_on_processor(tf: Any, cards: Sequence[Any]) -> None:
    """Leave graphics cards to those who name them, and most of their memory to other processes."""
    for card in cards:
        with contextlib.suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(card, True)
    if cards:
        tf.device("/CPU:0").__enter__()


@cache
def tf_keras() -> Any:
    """The ``tf_keras`` module: Keras 2, the one TF-MOT works with. Raises MissingError EC190."""
    tensorflow()
    return _quietly("tf_keras")


@cache
def keras3() -> Any:
    """The ``keras`` module, version 3 or later. Raises MissingError EC190 when it is absent or older.

    Its backend is what the user's Keras configuration says; callers check ``keras.config.backend()``.
    """
    tensorflow()
    keras = _quietly("keras")
    if int(keras.__version__.split(".")[0]) < 3:
        raise missing_library("keras", _PURPOSE, _PIP, f"found keras {keras.__version__}, needed 3 or later")
    return keras


def _quietly(name: str) -> Any:
    """Import a library with what it writes at import swallowed: stdout belongs to results, stderr to diagnostics."""
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _without_log_lines():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError as reason:
        first = str(reason).strip().splitlines()[0] if str(reason).strip() else "the import fails"
        raise missing_library(name, _PURPOSE, _PIP, first) from None


@contextlib.contextmanager
def _without_log_lines() -> Iterator[None]:
    previous = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(previous)
