"""The user's own layers and functions: imports the module of ``--custom`` and registers what it defines."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.frontend.wording import first_line
from edgecompile.libs.keras import keras3, tensorflow, tf_keras


@dataclass(frozen=True, kw_only=True)
class Custom:
    """Names that a model file may use beside Keras's own: classes by Keras generation, and functions for both.

    ``spec``: what the user wrote, None where no module was given.
    """

    spec: str | None = None
    keras2: Mapping[str, Any] = field(default_factory=dict)
    keras3: Mapping[str, Any] = field(default_factory=dict)

    def names(self, generation: int) -> frozenset[str]:
        """Names usable in a file of that Keras generation (2 or 3)."""
        return frozenset(self.keras2 if generation == 2 else self.keras3)


def read_custom(spec: str | None, base: Path, generation: int) -> Custom:
    """What the module ``spec`` (a module name or a .py file, read from ``base``) defines.

    A module that imports Keras through TensorFlow (``from tensorflow import keras``) gets the Keras that wrote the
    model file: for ``generation`` 3 that name is Keras 3 while the module is imported.
    Raises BadInputError EC232 when the module is missing or its code raises.
    """
    if spec is None:
        return Custom()
    with tf_keras_name_means(generation):
        module = import_module(spec, base, "EC232")
    found = {name: thing for name, thing in vars(module).items() if not name.startswith("_") and _is_users(thing)}
    functions = {name: thing for name, thing in found.items() if inspect.isfunction(thing)}
    return Custom(
        spec=spec,
        keras2={**functions, **_classes(found, tf_keras())},
        keras3={**functions, **_classes(found, keras3())},
    )


def import_module(spec: str, base: Path, code: str) -> ModuleType:
    """Import a module name or a .py file with ``base`` (and the file's folder) on the import path.

    Raises BadInputError with ``code``, with the exception and its line, when there is none or its code raises.
    """
    path = (base / spec).expanduser().absolute()
    is_file = spec.endswith(".py")
    if is_file and not path.is_file():
        raise _not_there(spec, path, code)
    folders = [str(base.absolute()), *([str(path.parent)] if is_file else [])]
    try:
        with _on_import_path(folders):
            return _from_file(path) if is_file else importlib.import_module(spec)
    except EdgecompileError:
        raise
    except ModuleNotFoundError as reason:
        if not is_file and reason.name == spec.split(".")[0]:
            raise _not_there(spec, base, code) from None
        raise _failed(spec, path if is_file else None, reason, code) from None
    except (Exception, SystemExit) as reason:
        raise _failed(spec, path if is_file else None, reason, code) from None


@contextlib.contextmanager
def tf_keras_name_means(generation: int) -> Iterator[None]:
    """While open, ``tensorflow.keras`` is Keras 3 for generation 3; for 2 it stays tf_keras."""
    if generation != 3:
        yield
        return
    tf, keras = tensorflow(), keras3()
    saved = {name: module for name, module in sys.modules.items() if name.startswith("tensorflow.keras")}
    before = tf.keras
    aliases = {
        f"tensorflow.{name}": module
        for name, module in list(sys.modules.items())
        if name == "keras" or (name.startswith("keras.") and not name.startswith("keras.src"))
    }
    try:
        tf.keras = keras
        sys.modules.update(aliases)
        yield
    finally:
        tf.keras = before
        for name in [name for name in sys.modules if name.startswith("tensorflow.keras")]:
            del sys.modules[name]
        sys.modules.update(saved)


def _is_users(thing: Any) -> bool:
    """Not what the module imported from Keras: a `Lambda` imported there is still Keras's, and still code in a file."""
    return str(getattr(thing, "__module__", "")).split(".")[0] not in ("keras", "tf_keras", "tensorflow")


def _classes(found: Mapping[str, Any], keras: Any) -> dict[str, Any]:
    kinds = (
        keras.layers.Layer,
        keras.initializers.Initializer,
        keras.regularizers.Regularizer,
        keras.constraints.Constraint,
    )
    return {name: thing for name, thing in found.items() if inspect.isclass(thing) and issubclass(thing, kinds)}


def _from_file(path: Path) -> ModuleType:
    name = path.stem
    specification = importlib.util.spec_from_file_location(name, path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # Registered before it runs: decorators and dataclasses of the module look themselves up.
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


@contextlib.contextmanager
def _on_import_path(folders: list[str]) -> Iterator[None]:
    """User code imports lazily too, so the folders stay; only doubles are avoided."""
    for folder in reversed(folders):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    yield


def _not_there(spec: str, place: Path, code: str) -> EdgecompileError:
    return bad_input(
        code,
        f"there is no module `{spec}`",
        str(place),
        help=("name a .py file, or a module that can be imported from the project's folder",),
    )


def _failed(spec: str, path: Path | None, reason: BaseException, code: str) -> EdgecompileError:
    """The exception of the user's code, at the user's line."""
    line = _last_line_in(path, reason)
    place = Location(file=str(path) if path else spec, detail=f"line {line}" if line else None)
    note, help = f"{type(reason).__name__}: {first_line(reason)}", f"import it by itself in Python: `python {spec}`"
    return bad_input(code, f"importing `{spec}` fails", place, (note,), (help if path else "import it in Python",))


def _last_line_in(path: Path | None, reason: BaseException) -> int | None:
    found, trace = None, reason.__traceback__
    while trace is not None:
        if path is not None and trace.tb_frame.f_code.co_filename == str(path):
            found = trace.tb_lineno
        trace = trace.tb_next
    return found
