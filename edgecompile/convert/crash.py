"""What is said when the Keras process dies while it converts."""

from __future__ import annotations

from edgecompile.core.diagnostic import Location
from edgecompile.libs.child import Crash


def converter_crash(model: str) -> Crash:
    """The crash that ``libs.child.call`` tells for the process that loads and converts ``model`` (EC411)."""
    return Crash(
        code="EC411",
        message="TensorFlow's process died on this model",
        location=Location(file=model),
        help=(
            "unroll recurrent layers (`unroll=True`), or use LSTM, if the model has loops",
            "convert it as float32 (`--numerics float32`) to see whether quantization is the cause",
        ),
    )
