"""The shape that a user fixes for an input which the model leaves open: ``96x96x3``, or ``picture=96x96x3``."""

from __future__ import annotations

import re
from dataclasses import dataclass

EXAMPLE = "96x96x3"
_SHAPE = re.compile(r"^(?:(?P<name>.+)=)?(?P<sizes>[1-9][0-9]{0,9}(?:x[1-9][0-9]{0,9})*)$")
_LARGEST = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class InputShape:
    """``sizes`` without the batch; ``name`` of the input, None: the place in the list counts."""

    sizes: tuple[int, ...]
    name: str | None = None

    def __str__(self) -> str:
        sizes = "x".join(str(size) for size in self.sizes)
        return sizes if self.name is None else f"{self.name}={sizes}"


def parse_input_shape(text: str) -> InputShape:
    """The shape that a text means. Raises ValueError when it means none."""
    match = _SHAPE.match(text.strip())
    sizes = tuple(int(size) for size in match["sizes"].split("x")) if match else ()
    if match is None or max(sizes) > _LARGEST:
        raise ValueError(f"`{text}` is not a shape such as `{EXAMPLE}`")
    return InputShape(sizes=sizes, name=match["name"])
