"""What each operator takes of a linked image: flash that it alone needs, and the stack below it.

The C library has one function for each operator, and the compiler puts every function and constant into a section of
its own; which of them a function needs is read from the object file's relocations.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgecompile.libs import programs
from edgecompile.measure.board import stack

_READ_S = 120.0
_SECTION = re.compile(r"^\s*\d+\s+(\.(?:text|rodata)\.\S+)\s+([0-9a-f]{8})\s", re.MULTILINE)
_OF = re.compile(r"^RELOCATION RECORDS FOR \[(\S+)\]:$")
_TO = re.compile(r"^[0-9a-f]{8}\s+R_ARM_\S+\s+([^\s+-]+)")


@dataclass(frozen=True, kw_only=True)
class OperatorFigures:
    """``flash_bytes``: code and constants that no other operator needs. ``stack_bytes`` None: no bound."""

    flash_bytes: int
    stack_bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Figures by operator, and ``shared_bytes``: flash that several operators need."""

    operators: Mapping[int, OperatorFigures]
    shared_bytes: int


def shares(image: Path, folder: Path, name: str, count: int) -> Shares:
    """Of an image linked from ``folder/NAME.o``, which has the functions of ``count`` operators at most.

    An operator with nothing to do has no function and is left out. Raises EC191 without objdump.
    """
    done = programs.run(["arm-none-eabi-objdump", "-hr", folder / f"{name}.o"], _READ_S, purpose="to count by operator")
    sizes = {section: int(size, 16) for section, size in _SECTION.findall(done.stdout)}
    needs = _needs(done.stdout.splitlines(), sizes)
    roots = {index: f".text.{name}_operator_{index}" for index in range(count)}
    reached = {index: _reached(root, needs) for index, root in roots.items() if root in sizes}
    users = Counter(section for sections in reached.values() for section in sections)
    functions = [roots[index].removeprefix(".text.") for index in reached]
    bounds, _ = stack.bounds(image, folder, functions)
    return Shares(
        operators={
            index: OperatorFigures(
                flash_bytes=sum(sizes[section] for section in sections if users[section] == 1),
                stack_bytes=bounds[function].size_bytes,
            )
            for (index, sections), function in zip(reached.items(), functions, strict=True)
        },
        shared_bytes=sum(sizes[section] for section, uses in users.items() if uses > 1),
    )


def _needs(lines: Sequence[str], sizes: Mapping[str, int]) -> dict[str, set[str]]:
    """Sections that each section refers to."""
    found: dict[str, set[str]] = {section: set() for section in sizes}
    current: set[str] = set()
    for line in lines:
        if of := _OF.match(line):
            current = found.get(of[1], set())
        elif to := _TO.match(line):
            current.update(named for named in (to[1], f".text.{to[1]}", f".rodata.{to[1]}") if named in sizes)
    return found


def _reached(root: str, needs: Mapping[str, set[str]]) -> set[str]:
    found, waiting = {root}, [root]
    while waiting:
        new = needs[waiting.pop()] - found
        found |= new
        waiting += new
    return found
