"""Hold data against the model it is for: order of the inputs, shapes, dtypes, numbers, labels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import BadInputError, did_you_mean
from edgecompile.core.port import Port
from edgecompile.core.units import counted
from edgecompile.frontend import data_check_labels
from edgecompile.frontend.data_set import PARTS, Array, DataSet, Split
from edgecompile.frontend.data_spots import spots, told

# Integers of these widths come from quantization: real values are given and quantized later.
_QUANTIZED = frozenset({"int8", "uint8", "int16"})
_RANGE_SAMPLES = 256


def check_against(data: DataSet, inputs: Sequence[Port], outputs: Sequence[Port]) -> tuple[Diagnostic, ...]:
    """Warnings about data that will do, its arrays taken in the model's order (see :func:`arrange`).

    Raises BadInputError with everything that will not: EC281 number or names of inputs and outputs, EC266
    shape, EC267 dtype, EC268 NaN or infinity, EC269 labels out of range. Warnings: EC271 one
    class, EC272 range looks raw, EC284 number of class names.
    """
    data = arrange(data, inputs, outputs)
    found = list(_names_differ(data, inputs, outputs))
    if not found:
        for index, port in enumerate(inputs):
            found += _check_input(index, port, data)
        found += data_check_labels.check(data, outputs)
        found += _not_finite(data, "y")
    errors = [diagnostic for diagnostic in found if diagnostic.severity is Severity.ERROR]
    if errors:
        raise BadInputError(*errors)
    return tuple(found)


def not_finite(data: DataSet) -> Iterable[Diagnostic]:
    """EC268 for NaN and infinity in x, and in y: no model is needed to tell."""
    for axis in "xy":
        yield from _not_finite(data, axis)


def arrange(data: DataSet, inputs: Sequence[Port], outputs: Sequence[Port]) -> DataSet:
    """``data`` with its named x and y arrays in the order of the model's inputs and outputs.

    Sound, and features of it, get a last axis of 1 where the model has one, since nobody could say it.
    What does not match is left as it is, for :func:`check_against` to tell.
    """
    x_order, y_order = _order(data.names, inputs), _order(data.output_names, outputs)
    is_sound = data.kind == "wav" or "features" in data.description
    wants_channel = is_sound and len(inputs) == 1 and inputs[0].shape[-1:] in ((1,), [1])

    def arranged(part: Split | None) -> Split | None:
        if part is None:
            return None
        x = tuple(part.x[index] for index in x_order) if x_order else part.x
        y = tuple(part.y[index] for index in y_order) if y_order and part.y else part.y
        x = tuple(a[..., np.newaxis] if wants_channel and a.ndim + 1 == len(inputs[0].shape) else a for a in x)
        return replace(part, x=x, y=y)

    parts: dict[str, Any] = {name: arranged(getattr(data, name)) for name in PARTS}
    names = tuple(data.names[index] for index in x_order) or data.names
    output_names = tuple(data.output_names[index] for index in y_order) or data.output_names
    return replace(data, names=names, output_names=output_names, **parts)


def _order(names: tuple[str, ...], ports: Sequence[Port]) -> tuple[int, ...]:
    """Positions of the ports' arrays, or nothing when the names do not match one to one."""
    wanted = [_plain(port.name) for port in ports]
    if sorted(names) == sorted(wanted) and len(set(names)) == len(names):
        return tuple(names.index(name) for name in wanted)
    return ()


def _plain(name: str) -> str:
    """A port's name without what TensorFlow puts around it."""
    return name.removeprefix("serving_default_").partition(":")[0]


def _names_differ(data: DataSet, inputs: Sequence[Port], outputs: Sequence[Port]) -> Iterable[Diagnostic]:
    sample = data.parts()[0][1]
    given_y = max(len(part.y) for _, part in data.parts())
    for what, names, count, ports in (
        ("input", data.names, len(sample.x), inputs),
        ("output", data.output_names, given_y, outputs),
    ):
        wanted = [_plain(port.name) for port in ports]
        too_many = count > len(ports) or (what == "input" and count != len(ports))
        strangers = [name for name in names if len(ports) > 1 and name not in wanted]
        if too_many or strangers:
            yield _name_mismatch(what, names, count, wanted, strangers, data.source)


def _name_mismatch(
    what: str, names: tuple[str, ...], count: int, wanted: list[str], strangers: list[str], source: str
) -> Diagnostic:
    axis = "x" if what == "input" else "y"
    message = f"the data has {counted(count, f'{axis} array')} a part, and the model has {counted(len(wanted), what)}"
    if count == len(wanted):
        message = f"the model has no {what} `{strangers[0]}`"
    return Diagnostic(
        code="EC281",
        message=message,
        location=Location(file=source),
        notes=(f"the model's {what}s: {', '.join(wanted)}", f"the data's: {', '.join(names) or 'one without a name'}"),
        help=(
            *(did_you_mean(strangers[0], wanted) if strangers else ()),
            f"name the arrays after the {what}s, as in `{axis}_train_{wanted[0] if wanted else what}`",
        ),
    )


def _check_input(index: int, port: Port, data: DataSet) -> Iterable[Diagnostic]:
    arrays = {f"x_{name}": part.x[index] for name, part in data.parts()}
    wrong = next((name for name, array in arrays.items() if not _fits(array.shape[1:], port.shape[1:])), None)
    if wrong is not None:
        yield _wrong_shape(wrong, arrays[wrong].shape[1:], port, data)
    wrong = next((name for name, array in arrays.items() if not _holds(array, port.dtype)), None)
    if wrong is not None:
        yield _wrong_dtype(wrong, arrays[wrong], port, data.source)
    yield from _not_finite(data, "x", index)
    yield from _looks_raw(arrays, port, data)


def _fits(found: Sequence[int], expected: Sequence[int | None]) -> bool:
    return len(found) == len(expected) and all(e in (None, -1, f) for f, e in zip(found, expected, strict=True))


def _holds(array: Array, dtype: str) -> bool:
    """Whether values may be given to an input of that dtype: whole numbers to integers, numbers to the rest."""
    if array.dtype.kind not in "biuf":
        return False
    wants_whole = np.dtype(dtype).kind in "iu" and dtype not in _QUANTIZED
    return not (wants_whole and array.dtype.kind == "f") or bool((array == np.floor(array)).all())


def _wrong_shape(name: str, found: Sequence[int], port: Port, data: DataSet) -> Diagnostic:
    expected = port.shape[1:]
    return Diagnostic(
        code="EC266",
        message=f"`{name}` has samples of another shape than the model's input `{_plain(port.name)}`",
        location=Location(file=data.source, detail=f"array `{name}`"),
        notes=(f"expected: {_dims(expected)}", f"found: {_dims(found)}"),
        help=tuple(_shape_help(tuple(found), expected, data)),
    )


def _shape_help(found: tuple[int, ...], expected: Sequence[int | None], data: DataSet) -> Iterable[str]:
    if _fits((*found, 1), expected):
        yield "did you forget the channel axis? `x = x[..., numpy.newaxis]` adds it"
    elif len(found) == 3 and _fits((found[1], found[2], found[0]), expected):
        yield "are the channels in front? `x = x.transpose(0, 2, 3, 1)` puts them last"
    elif data.kind == "images":
        height, width, *channels = (*expected, None, None)[:3]
        if found[:2] != (height, width):
            yield f"set `resize = [{height}, {width}]` under [data.preprocess]"
        if found[2:] != tuple(channels):
            yield f'set `color = "{"grayscale" if channels == [1] else "rgb"}"` under [data.preprocess]'
    elif data.kind == "wav":
        yield f"set `length = {expected[0]}` under [data.preprocess] if the model takes raw samples"
        yield "features such as MFCC come from a `module:function` source"
    elif None not in expected and np.prod(found) == np.prod([size or 1 for size in expected]):
        yield f"the number of values is right: `x = x.reshape(-1, {', '.join(map(str, expected))})`"
    else:
        yield "save the samples as the model takes them, after any resizing or feature extraction"


def _wrong_dtype(name: str, array: Array, port: Port, source: str) -> Diagnostic:
    return Diagnostic(
        code="EC267",
        message=f"`{name}` holds {array.dtype}, and the model's input `{_plain(port.name)}` takes {port.dtype}",
        location=Location(file=source, detail=f"array `{name}`"),
        notes=(f"expected: {port.dtype}", f"found: {array.dtype} with fractions"),
        help=("give whole numbers (indices); `scale` and `offset` of [data.preprocess] make fractions of them",),
    )


def _not_finite(data: DataSet, axis: str, index: int | None = None) -> Iterable[Diagnostic]:
    """One diagnostic for all parts, of all arrays or of one: a fault of the source shows in every split."""
    found = spots(data, axis, lambda array: ~np.isfinite(array) if array.dtype.kind == "f" else None, index)
    if found:
        yield Diagnostic(
            code="EC268",
            message=f"the data holds values in `{axis}` that are NaN or infinite",
            location=Location(file=data.source),
            notes=tuple(told(spot) for spot in found),
            help=("take these samples out or repair them in the source; a division by zero often makes them",),
        )


def _looks_raw(arrays: dict[str, Array], port: Port, data: DataSet) -> Iterable[Diagnostic]:
    """Bytes 0 to 255 into a float input, and no preprocessing declared."""
    if np.dtype(port.dtype).kind != "f" or data.description.get("preprocess", {}).keys() & {"scale", "offset"}:
        return
    name, array = next(iter(arrays.items()))
    head = array[:_RANGE_SAMPLES]
    if head.dtype.kind not in "biuf" or not np.isfinite(head).all():
        return
    low, high = float(head.min()), float(head.max())
    if low >= 0 and 128 <= high <= 255 and (head == np.floor(head)).all() and head[0].size >= 16:
        yield Diagnostic(
            code="EC272",
            message=f"`{name}` looks like raw bytes, and no preprocessing is declared",
            severity=Severity.WARNING,
            location=Location(file=data.source, detail="[data.preprocess]"),
            notes=(f"found: whole numbers from {low:g} to {high:g} for a {port.dtype} input",),
            help=(
                "declare what the model was trained with, as in `scale = 0.00392156862745098` (1/255)",
                "if the model itself scales its input, say so with `scale = 1.0`",
            ),
        )


def _dims(shape: Sequence[int | None]) -> str:
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"
