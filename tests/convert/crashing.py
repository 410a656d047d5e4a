"""What takes a process down, for the test of the crash: at once, or as TensorFlow's quantizer does."""

from __future__ import annotations

import os
import signal

from small_models import noise, of_layers

from edgecompile.convert import refuse
from edgecompile.convert.convert import convert
from edgecompile.core.recipe import Scheme
from edgecompile.libs.keras import tf_keras


def quantize_a_loop() -> int:
    """Convert a GRU to int8 without the check that refuses its loop; gives the size, if it gets that far."""
    refuse.loops = lambda *arguments: None
    model = of_layers((5, 4), tf_keras().layers.GRU(3))
    return len(convert(model, Scheme(numerics="int8", io_dtype="int8"), (noise(8, 5, 4),), 0))


def crash() -> None:
    """Die as a native library does."""
    os.kill(os.getpid(), signal.SIGSEGV)
