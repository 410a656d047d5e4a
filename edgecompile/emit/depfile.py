"""What the outputs were made from, in the form that Make and Ninja read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from edgecompile.core.errors import bad_input
from edgecompile.emit.output_errors import told


@dataclass
class Depfile:
    """The dependency file of one command, which several models may add to: one rule for all of them."""

    path: Path
    outputs: list[Path] = field(default_factory=list)
    inputs: list[Path] = field(default_factory=list)

    def add(self, outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
        """Take up what a model adds, and write the whole. Raises as :func:`write` does."""
        self.outputs += outputs
        self.inputs += inputs
        if self.outputs:
            write(self.path, self.outputs, self.inputs)


def render(outputs: Iterable[Path], inputs: Iterable[Path]) -> str:
    """``output: input``, one input a line, sorted and each once; ends with a newline.

    Spaces, ``#``, ``:`` and ``$`` are escaped so that both GNU Make and Ninja read the name
    back. Raises BadInputError EC637 for a name with a line break, which the format cannot hold.
    """
    targets = " ".join(_escaped(str(path)) for path in _once(outputs))
    lines = [_escaped(str(path)) for path in _once(inputs)]
    return " \\\n  ".join([f"{targets}:", *lines]) + "\n"


def write(path: Path, outputs: Iterable[Path], inputs: Iterable[Path]) -> bool:
    """Write the depfile whole, unless it has these bytes already; gives whether it was written.

    Raises EC637, and EC630 to EC635 when the system refuses.
    """
    content = render(outputs, inputs).encode("utf-8", "surrogateescape")
    place = Path(os.path.realpath(path))
    with told(place):
        if place.exists() and not place.is_file():  # /dev/null and pipes take it as it is, and stay what they are
            place.write_bytes(content)
            return True
        if place.is_file() and place.read_bytes() == content:
            return False
        new = place.with_name(f".{place.name}.edgecompile-new")
        try:
            new.write_bytes(content)
            os.replace(new, place)
        finally:
            new.unlink(missing_ok=True)
    return True


def _once(paths: Iterable[Path]) -> list[Path]:
    return sorted(set(paths))


def _escaped(name: str) -> str:
    if re.search(r"[\r\n]", name):
        raise bad_input(
            "EC637",
            "a dependency file cannot hold a name with a line break",
            name,
            help=("rename the file or folder, or build without `--depfile`",),
        )
    # Backslashes just before an escaped character are doubled, as GCC writes them.
    escaped = re.sub(r"(\\*)([ \t#:])", lambda found: found[1] * 2 + "\\" + found[2], name)
    return escaped.replace("$", "$$")
