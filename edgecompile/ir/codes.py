"""Numbers for what a file keeps in shared lists: buffers, and operator codes (name, custom code, version)."""

from __future__ import annotations

from typing import Any

from edgecompile.ir.network import EMPTY, Buffer, Network, Operator
from edgecompile.ir.reader import text_of
from edgecompile.ir.verify import builtin_code
from edgecompile.libs.schema import names_of, new, values_of

# Codes above this do not fit the old field, which then holds this placeholder. Source: schema.fbs, version 3a.
_LARGEST_OLD_CODE = 127
_Key = tuple[str, str, int]


class Buffers:
    """The file's buffers in its own order, then those that only tensors or metadata hold, as they are met."""

    def __init__(self, network: Network) -> None:
        self.all = list(network.buffers)
        self._numbers = {id(buffer): i for i, buffer in reversed([*enumerate(self.all)])}
        # A file without any buffer stays one; everywhere else number 0 is the empty one.
        if not self.all and network.raw is None:
            self._add(EMPTY)

    def index(self, buffer: Buffer, hint: int = 0) -> int:
        """The buffer's number; for a value computed at run time ``hint``, where that is an empty buffer's."""
        if len(buffer) == 0:
            return self._empty(hint)
        if not self.all:
            self._add(EMPTY)
        return self._numbers[id(buffer)] if id(buffer) in self._numbers else self._add(buffer)

    def _empty(self, hint: int) -> int:
        if not self.all and hint == 0:
            return 0
        for number in (hint, 0):
            if number < len(self.all) and len(self.all[number]) == 0:
                return number
        return self._numbers[id(EMPTY)] if id(EMPTY) in self._numbers else self._add(EMPTY)

    def _add(self, buffer: Buffer) -> int:
        self._numbers[id(buffer)] = len(self.all)
        self.all.append(buffer)
        return self._numbers[id(buffer)]


class Codes:
    """The file's operator codes in its own order, then new ones; equal ones are shared."""

    def __init__(self, network: Network) -> None:
        objects = network.raw.operatorCodes if network.raw is not None else None
        self._keys = [key_of(code) for code in objects or ()]

    def says(self, number: int, operator: Operator) -> bool:
        """Whether that code is the operator's name."""
        return number < len(self._keys) and self._keys[number][:2] == operator_key(operator)[:2]

    def index(self, operator: Operator, hint: int) -> int:
        """The number of the operator's code: ``hint`` where that is right, else the first equal one, else a new one."""
        key = operator_key(operator)
        if hint < len(self._keys) and self._keys[hint] == key:
            return hint
        if key not in self._keys:
            self._keys.append(key)
        return self._keys.index(key)

    def objects(self, known: list[Any] | None) -> list[Any] | None:
        """All codes as ``OperatorCodeT``, the file's own first."""
        made = [*(known or ()), *(_code(key) for key in self._keys[len(known or ()) :])]
        return made or known


def key_of(code: Any) -> _Key:
    """Name, custom code and version of an ``OperatorCodeT``."""
    name = names_of("BuiltinOperator")[builtin_code(code)]
    return name, text_of(code.customCode) if name == "CUSTOM" else "", int(code.version)


def operator_key(operator: Operator) -> _Key:
    """The same of an operator of a network."""
    return operator.name, operator.custom_code or "" if operator.name == "CUSTOM" else "", operator.version


def _code(key: _Key) -> Any:
    name, custom, version = key
    if name not in values_of("BuiltinOperator"):
        raise ValueError(f"TFLite has no operator `{name}`")
    made = new("OperatorCode")
    made.builtinCode, made.version = values_of("BuiltinOperator")[name], version
    made.deprecatedBuiltinCode = min(made.builtinCode, _LARGEST_OLD_CODE)
    if name == "CUSTOM":
        made.customCode = custom.encode("utf-8", "surrogateescape")
    return made
