"""How deep the stack can get: what each function puts there, summed along the longest chain of calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgecompile.libs import programs

_DISASSEMBLE_S = 120.0
_HEAD = re.compile(r"^[0-9a-f]+ <([^>]+)>:$")
_CALL = re.compile(r"\tb(?:l|lx|[a-z]{2})?(?:\.[nw])?\t[0-9a-f]+ <([^>+]+)>")
_INDIRECT = re.compile(r"\tblx\t(?:r\d+|ip|lr)")
_PUSH = re.compile(r"\t(v?push|stmdb\tsp!,|stmfd\tsp!,)(?:\.w)?\t? ?\{([^}]*)\}")
_STORE = re.compile(r"\tstrd?(?:\.w)?\t.*\[sp, #-(\d+)\]!")
_DROP = re.compile(r"\tsub(?:w|\.w)?\tsp, (?:sp, )?#(\d+)")


@dataclass
class _Function:
    own_bytes: int = 0
    callees: set[str] = field(default_factory=set)
    is_open: bool = False


@dataclass(frozen=True, kw_only=True)
class Bound:
    """``chain``: the calls that need it, outermost first. ``size_bytes`` None: no bound, ``reason`` says why."""

    size_bytes: int | None
    chain: tuple[str, ...] = ()
    reason: str = ""


def bound(elf: Path, folder: Path, root: str = "Reset_Handler") -> Bound:
    """The deepest stack below ``root``, in bytes, exceptions not counted.

    From the compiler's ``-fstack-usage`` files in ``folder``; for functions without one (the compiler's own library,
    bare assembly) from what their instructions push. Calls are read from the disassembly. Raises EC191 without objdump.
    """
    return bounds(elf, folder, (root,))[0][root]


def bounds(elf: Path, folder: Path, roots: Sequence[str]) -> tuple[dict[str, Bound], dict[str, set[str]]]:
    """The same below each of several roots, and which functions each function of the image calls by name."""
    done = programs.run(["arm-none-eabi-objdump", "-d", elf], _DISASSEMBLE_S, purpose="to bound the stack")
    functions = _disassembled(done.stdout)
    dynamic = _with_usage(functions, folder)
    calls = {name: function.callees for name, function in functions.items()}
    return {root: _deepest(functions, root, dynamic) for root in roots}, calls


def _disassembled(text: str) -> dict[str, _Function]:
    functions: dict[str, _Function] = {}
    current = _Function()
    name = ""
    for line in text.splitlines():
        if head := _HEAD.match(line):
            name = head[1]
            current = functions.setdefault(name, _Function())
            continue
        current.own_bytes += _pushed(line)
        if (call := _CALL.search(line)) and call[1] != name:
            current.callees.add(call[1])
        current.is_open |= _INDIRECT.search(line) is not None
    return functions


def _pushed(line: str) -> int:
    """Bytes by which an instruction lowers the stack."""
    if push := _PUSH.search(line):
        wide = 8 if push[2].strip().startswith("d") else 4
        return wide * _registers(push[2])
    found = _STORE.search(line) or _DROP.search(line)
    return int(found[1]) if found else 0


def _registers(listed: str) -> int:
    count = 0
    for part in listed.split(","):
        first, dash, last = part.strip().partition("-")
        count += int(last[1:]) - int(first[1:]) + 1 if dash else 1
    return count


def _with_usage(functions: dict[str, _Function], folder: Path) -> set[str]:
    """Take what the compiler says; gives functions whose use is dynamic. Never less than what is pushed."""
    dynamic = set()
    for file in sorted(folder.rglob("*.su")):
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            place, size, kind = line.split("\t")
            name = place.rsplit(":", 1)[-1]
            for found in (name, *(known for known in functions if known.startswith(f"{name}."))):
                if found in functions:
                    functions[found].own_bytes = max(functions[found].own_bytes, int(size))
                    if kind == "dynamic":
                        dynamic.add(found)
    return dynamic


def _deepest(functions: dict[str, _Function], root: str, dynamic: set[str]) -> Bound:
    known: dict[str, tuple[int, tuple[str, ...]]] = {}
    active: list[str] = []

    def depth(name: str) -> tuple[int, tuple[str, ...]]:
        if name in active:
            raise _Unbounded(f"`{name}` calls itself")
        if name not in known:
            function = functions.get(name, _Function())
            if function.is_open:
                raise _Unbounded(f"`{name}` calls through a pointer")
            if name in dynamic:
                raise _Unbounded(f"`{name}` takes stack by the size of its data")
            active.append(name)
            below = max((depth(callee) for callee in sorted(function.callees)), default=(0, ()))
            active.pop()
            known[name] = (function.own_bytes + below[0], (name, *below[1]))
        return known[name]

    if root not in functions:
        return Bound(size_bytes=None, reason=f"the image has no `{root}`")
    try:
        size_bytes, chain = depth(root)
    except _Unbounded as error:
        return Bound(size_bytes=None, reason=str(error))
    return Bound(size_bytes=size_bytes, chain=chain)


class _Unbounded(Exception):
    """Why there is no bound."""
