"""A model that a Python function makes: ``module:function`` or ``file.py:function``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean
from edgecompile.frontend.custom import import_module
from edgecompile.frontend.source import ModelSource
from edgecompile.frontend.wording import first_line
from edgecompile.libs.keras import keras3, tf_keras


def call_entry(source: ModelSource, base: Path) -> Any:
    """The Keras 2 or Keras 3 model that the entry point returns when called without arguments.

    Raises BadInputError: EC207 when the module cannot be imported, EC209 when the function is missing,
    raises, or returns anything else.
    """
    assert source.entry is not None
    place, function = source.entry.split(":") if source.path is None else (str(source.path), source.entry)
    module = import_module(place, base, "EC207")
    maker = getattr(module, function, None)
    if not callable(maker):
        near = [name for name, thing in vars(module).items() if callable(thing) and not name.startswith("_")]
        raise bad_input(
            "EC209",
            f"`{place}` has no function `{function}`",
            source.name,
            help=did_you_mean(function, near) or (f"define `def {function}():` there, which returns the model",),
        )
    try:
        model = maker()
    except EdgecompileError:
        raise
    except (Exception, SystemExit) as reason:
        raise _raised(source, function, reason) from None
    if not isinstance(model, (tf_keras().Model, keras3().Model)):
        raise bad_input(
            "EC209",
            f"`{function}` returns no Keras model",
            source.name,
            (f"it returned a value of type `{type(model).__module__}.{type(model).__qualname__}`",),
            ("return a `keras.Model` or a `tf_keras.Model`",),
        )
    return model


def _raised(source: ModelSource, function: str, reason: BaseException) -> EdgecompileError:
    line, trace = None, reason.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(source.path):
            line = trace.tb_lineno
        trace = trace.tb_next
    remedies = (
        ("the function is called without arguments: give each a default",) if isinstance(reason, TypeError) else ()
    ) + ("run the function by itself in Python to see the whole traceback",)
    return bad_input(
        "EC209",
        f"`{function}` raises an exception instead of returning a model",
        Location(file=str(source.path) if source.path else source.name, detail=f"line {line}" if line else None),
        (f"{type(reason).__name__}: {first_line(reason)}",),
        remedies,
    )
