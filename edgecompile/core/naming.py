"""What a model is called: its artifacts, folders and classes go by this name."""

from __future__ import annotations

# A model's file ends in one of these; what else has a dot, such as `mobilenet_v1_0.25_128`, belongs to the name.
_ENDINGS = (".keras", ".h5", ".hdf5", ".tflite", ".lite")


def model_name(spec: str) -> str:
    """The name of a file, a folder or ``module:function``, without folders and ending; its dots become ``_``, which
    names of files, C and Java all take, and so do bytes that are no text."""
    name = spec.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1]
    ending = next((ending for ending in _ENDINGS if name.lower().endswith(ending)), "")
    stem = name[: len(name) - len(ending)]
    return "".join("_" if c == "." or "\ud800" <= c <= "\udfff" else c for c in stem) or "model"
