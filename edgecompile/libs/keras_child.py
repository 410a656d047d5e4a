"""How the process that has TensorFlow in it is started, and what is said when it dies."""

from __future__ import annotations

from pathlib import Path

from edgecompile.libs import child

_CARDS = "CUDA_VISIBLE_DEVICES"
KERAS_ENVIRONMENT = {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", _CARDS: "-1"}
_TRAINING_DIED = child.Crash(
    code="EC400",
    message="the process died in a step of the recipe",
    help=(
        "make batches smaller if memory may have run out: `batch_size` of that step; it takes most for a batch",
        "the same command goes on from the last epoch that was through, unless there is no cache",
    ),
)
CONVERTER_DIED = child.Crash(
    code="EC400",
    message="the process that loads and converts the model died",
    inside={"Compress": _TRAINING_DIED},
    help=(
        "use fewer calibration samples if memory may have run out: `--calibration-samples`",
        "an int8 GRU or SimpleRNN takes the converter down: build the layer with `unroll=True`",
        "see whether it converts with `--numerics float32`",
    ),
)


def environment(scratch: Path, device: str = "cpu") -> dict[str, str]:
    """Temporary files of TensorFlow and of the user's code lie in ``scratch``: a killed child cannot remove them.

    Graphics cards are hidden unless something is trained on ``device``; then there are those that the user shows.
    """
    hidden = (_CARDS,) if device == "auto" else ()
    return {**{name: value for name, value in KERAS_ENVIRONMENT.items() if name not in hidden}, "TMPDIR": str(scratch)}
