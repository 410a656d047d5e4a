"""Whether the shapes that a user fixes fit the inputs of a model: names, number of dimensions, sizes known already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import BadInputError, EdgecompileError, bad_input, did_you_mean
from edgecompile.core.input_shape import InputShape

Shape = tuple[int | None, ...]
_USUAL = 96


def fitting(inputs: Mapping[str, Shape], shapes: Sequence[InputShape], file: str) -> dict[str, tuple[int, ...]]:
    """The sizes, without the batch, by the name of the input. ``inputs``: names and shapes, the batch first.

    Raises BadInputError EC248 for a name that no input has, for an input named twice, for shapes without names that
    are not as many as inputs, and for each shape that contradicts its input.
    """
    given = _by_name(tuple(inputs), shapes, file)
    faults = [_fault(name, inputs[name], shape, file) for name, shape in given.items()]
    if found := [fault for fault in faults if fault is not None]:
        raise BadInputError(*found)
    return {name: shape.sizes for name, shape in given.items()}


def _by_name(names: Sequence[str], shapes: Sequence[InputShape], file: str) -> dict[str, InputShape]:
    if any(shape.name is None for shape in shapes) and len(shapes) != len(names):
        raise _uncounted(names, len(shapes), file)
    found: dict[str, InputShape] = {}
    for place, shape in enumerate(shapes):
        name = names[place] if shape.name is None else shape.name
        if name not in names:
            raise _stranger(name, names, file)
        if name in found:
            raise _twice(name, (found[name], shape), file)
        found[name] = shape
    return found


def _fault(name: str, known: Shape, given: InputShape, file: str) -> Diagnostic | None:
    sizes = given.sizes
    if len(sizes) != len(known) - 1:
        limit, found = f"{len(known) - 1} sizes", f"{len(sizes)} sizes"
    elif not _fits(known, sizes):
        limit, found = f"[{_listed(known)}]", f"[{_listed((known[0], *sizes))}]"
    else:
        return None
    # A shape with the batch in front is a slip that can be told apart.
    behind = sizes[1:] if len(sizes) == len(known) and _fits(known, sizes[1:]) else _example(known)
    return Diagnostic(
        code="EC248",
        message=f"input `{name}` cannot have the shape `{'x'.join(map(str, sizes))}`",
        location=Location(file=file, layer=name),
        notes=(f"limit: {limit}; found: {found}", f"the model says [{_listed(known)}], where ? may be chosen"),
        help=(f"leave the batch out and keep what the model fixes: `{InputShape(sizes=behind, name=given.name)}`",),
    )


def _fits(known: Shape, sizes: Sequence[int]) -> bool:
    return all(size in (None, wanted) for size, wanted in zip(known[1:], sizes, strict=True))


def _example(known: Shape) -> tuple[int, ...]:
    return tuple(_USUAL if size is None else size for size in known[1:])


def _listed(shape: Shape) -> str:
    return ", ".join("?" if size is None else str(size) for size in shape)


def _uncounted(names: Sequence[str], found: int, file: str) -> EdgecompileError:
    return bad_input(
        "EC248",
        "there are not as many shapes as the model has inputs",
        file,
        (f"limit: {len(names)}, one each for {', '.join(f'`{name}`' for name in names)}; found: {found}",),
        (f"or name the input that a shape is for: `--input-shape {names[0]}=SIZES`",),
    )


def _stranger(name: str, names: Sequence[str], file: str) -> EdgecompileError:
    return bad_input(
        "EC248",
        f"the model has no input `{name}`",
        file,
        (f"its inputs are {', '.join(f'`{one}`' for one in names)}",),
        did_you_mean(name, names) or (f"write `{names[0]}=SIZES`",),
    )


def _twice(name: str, shapes: tuple[InputShape, InputShape], file: str) -> EdgecompileError:
    return bad_input(
        "EC248",
        f"input `{name}` is given two shapes",
        Location(file=file, layer=name),
        (f"limit: 1; found: `{shapes[0]}` and `{shapes[1]}`",),
        ("keep one of them",),
    )
