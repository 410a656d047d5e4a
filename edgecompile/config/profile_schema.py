"""What a device profile may hold, and everything that is wrong with one file of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from edgecompile.config.clauses import CLAUSE, INNER, RULES
from edgecompile.config.table import Key, check_table, check_value, place
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import did_you_mean
from edgecompile.core.recipe import NUMERICS
from edgecompile.core.target import KERNELS, WEIGHT_FORMS
from edgecompile.core.units import parse_size

SCHEMA = 1
IO_DTYPES = ("int8", "uint8", "int16", "float32")
JUDGES = ("tflite-micro", "tflite")
ADDRESSES = 2**32  # every device described so far has 32-bit addresses

TOP: Mapping[str, Key] = {
    "schema": Key(kind="integer", required=True, minimum=SCHEMA, maximum=SCHEMA),
    "extends": Key(kind="text"),
    "name": Key(kind="text"),
    "family": Key(kind="text"),
    "description": Key(kind="text"),
    "numerics": Key(kind="texts", choices=NUMERICS),
    "io_dtype": Key(kind="text", choices=IO_DTYPES),
    "per_tensor_dense": Key(kind="flag"),
    "emit": Key(kind="texts"),
    "rewrites": Key(kind="texts"),
    "also_check": Key(kind="texts"),
    "model_metadata": Key(kind="flag"),
    "weight_forms": Key(kind="texts", choices=WEIGHT_FORMS),
    "kernels": Key(kind="text", choices=KERNELS),
    "recipe": Key(kind="text"),
    "trained_recipe": Key(kind="text"),
    "judge": Key(kind="text", choices=JUDGES),
    "level": Key(kind="integer", minimum=1),
    "source": Key(kind="text"),
    "memory": Key(kind="tables"),
    "placement": Key(kind="table"),
    "runtime": Key(kind="table"),
    "compiler": Key(kind="table"),
    "clauses": Key(kind="table"),
    "operators": Key(kind="table"),
    "board": Key(kind="table"),
    "measure": Key(kind="table"),
    "statuses": Key(kind="table"),
    "sources": Key(kind="table"),
}
MEMORY: Mapping[str, Key] = {
    "name": Key(kind="text", required=True),
    "kind": Key(kind="text", required=True, choices=("flash", "ram")),
    "size": Key(kind="size", required=True),
    "start": Key(kind="integer", minimum=0, maximum=ADDRESSES - 1),
    "source": Key(kind="text"),
}
PLACEMENT: Mapping[str, Key] = {
    "accelerator": Key(kind="text"),
    "fallback": Key(kind="text"),
    "max_partitions": Key(kind="integer", minimum=1),
    "keep": Key(kind="text", choices=("first", "largest")),
    "proof": Key(kind="text", choices=("xnnpack", "gpu")),
    "proof_without": Key(kind="texts", choices=tuple(RULES)),
    "source": Key(kind="text"),
}
RUNTIME: Mapping[str, Key] = {
    "name": Key(kind="text"),
    "flash_bytes": Key(kind="size"),
    "ram_bytes": Key(kind="size"),
    "ram_bytes_per_operator": Key(kind="size"),
    "ram_bytes_per_channel": Key(kind="size"),
    "obeys_plan": Key(kind="flag"),
    "source": Key(kind="text"),
}
COMPILER: Mapping[str, Key] = {
    "name": Key(kind="text"),
    "options": Key(kind="table"),
    "timeout_s": Key(kind="integer", minimum=1),
    "source": Key(kind="text"),
}
# What predicted time and energy are made of; cycles an instruction belong to a core, waits to the flash of a chip,
# power to a board.
BOARD: Mapping[str, Mapping[str, Key]] = {
    "timing": {
        "cycles_per_instruction": Key(kind="number", required=True, above=0),
        "error": Key(kind="number", minimum=0),
        "source": Key(kind="text"),
    },
    "energy": {
        "active_mw": Key(kind="number", required=True, above=0),
        "error": Key(kind="number", minimum=0),
        "source": Key(kind="text"),
    },
    "flash": {
        "wait_states": Key(kind="integer", required=True, minimum=0),
        "line_bytes": Key(kind="integer", required=True, minimum=1),
        "data_cache_bytes": Key(kind="integer", minimum=0),
        "source": Key(kind="text"),
    },
}
LIST = Key(kind="texts")
TEXT = Key(kind="text")
STATUSES: Mapping[str, Key] = {
    **{name: Key(kind="text") for name in ("mapped", "cut_off", "absent", "otherwise", "source")},
    **{name: Key(kind="table") for name in ("rules", "operators", "first", "whole", "sources")},
}


def check_plain(plain: Mapping[str, Any], file: str) -> tuple[Diagnostic, ...]:
    """EC123 to EC126 for keys and values, EC142 for numbers without a source, EC143 for unknown rules,
    EC147 for memories that do not fit the address space."""
    found = list(check_table(plain, TOP, file=file))
    for name, keys in (("placement", PLACEMENT), ("runtime", RUNTIME), ("compiler", COMPILER)):
        found += check_table(_table(plain, name), keys, file=file, table=name)
    board = _table(plain, "board")
    for name, keys in BOARD.items():
        if name in board:
            found += check_value(board[name], Key(kind="table"), place(file, "board", name), f"`{name}`")
            if isinstance(board[name], Mapping):
                found += check_table(board[name], keys, file=file, table=f"board.{name}")
    found += check_table(_table(plain, "sources"), {}, file=file, table="sources", others=TEXT)
    found += _statuses(_table(plain, "statuses"), file)
    found += _memory(plain, file)
    found += _clauses(plain, file)
    found += _unsourced(plain, file)
    return tuple(found)


def _statuses(plain: Mapping[str, Any], file: str) -> Iterator[Diagnostic]:
    """The words of the target's compiler: texts, by rule, and the rules that it looks at first."""
    worded = dict.fromkeys(RULES, TEXT)
    yield from check_table(plain, STATUSES, file=file, table="statuses")
    yield from check_table(_table(plain, "rules"), worded, file=file, table="statuses.rules")
    yield from check_table(_table(plain, "first"), RULES, file=file, table="statuses.first")
    yield from check_table(_table(plain, "sources"), worded, file=file, table="statuses.sources")
    whole = _table(plain, "whole")
    yield from check_table(
        whole, dict.fromkeys(("read", "none", "any"), Key(kind="table")), file=file, table="statuses.whole"
    )
    for name in whole:
        yield from check_table(_table(whole, name), worded, file=file, table=f"statuses.whole.{name}")
    operators = _table(plain, "operators")
    yield from check_table(operators, {}, file=file, table="statuses.operators", others=Key(kind="table"))
    for name in operators:
        yield from check_table(_table(operators, name), worded, file=file, table=f"statuses.operators.{name}")


def _memory(plain: Mapping[str, Any], file: str) -> Iterator[Diagnostic]:
    for region in _tables(plain, "memory"):
        wrong = check_table(region, MEMORY, file=file, table="memory")
        yield from wrong
        if not wrong:
            yield from _outside(region, file)


def _outside(region: Mapping[str, Any], file: str) -> Iterator[Diagnostic]:
    start, size = region.get("start", 0), parse_size(region["size"])
    if size > 0 and start + size <= ADDRESSES:
        return
    yield Diagnostic(
        code="EC147",
        message=f"memory `{region['name']}` does not fit the address space",
        location=place(file, "memory", "size"),
        notes=(
            f"limit: more than 0 bytes, ending at or below 0x{ADDRESSES:x}",
            f"found: {size} bytes from 0x{start:08x}, ending at 0x{start + size:x}",
        ),
        help=("take start and size from the device's memory map",),
    )


def _clauses(plain: Mapping[str, Any], file: str) -> Iterator[Diagnostic]:
    shared = _table(plain, "clauses")
    yield from _clause(shared, file, "clauses")
    for operator, clauses in _table(plain, "operators").items():
        table = f"operators.{operator}"
        if not isinstance(clauses, list) or not all(isinstance(clause, Mapping) for clause in clauses):
            yield from check_table({operator: clauses}, {operator: Key(kind="tables")}, file=file, table="operators")
            continue
        for clause in clauses:
            yield from _clause(clause, file, table)
            if not _cited(clause) and not _cited(shared):
                yield _no_source(file, table, "a clause")


def _clause(clause: Mapping[str, Any], file: str, table: str) -> Iterator[Diagnostic]:
    known = {name: value for name, value in clause.items() if name in CLAUSE}
    yield from check_table(known, CLAUSE, file=file, table=table)
    for name, keys in INNER.items():
        yield from check_table(_table(clause, name), keys, file=file, table=f"{table}.{name}")
    for name, allowed in _table(clause, "options").items():
        if not isinstance(allowed, list):
            yield from check_value(allowed, LIST, place(file, f"{table}.options", name), f"`{name}`")
    for name in clause.keys() - CLAUSE.keys():
        yield Diagnostic(
            code="EC143",
            message=f"[{table}] has no rule `{name}`",
            location=place(file, table, name),
            notes=(f"the rules are {', '.join(f'`{rule}`' for rule in sorted(RULES))}",),
            help=did_you_mean(name, CLAUSE) or ("correct the rule or take it out",),
        )


def _unsourced(plain: Mapping[str, Any], file: str) -> Iterator[Diagnostic]:
    """One EC142 for each table that states a number and cites nothing."""
    top = {name: value for name, value in plain.items() if name != "schema"}
    if _number_in(top) and not _cited(plain):
        yield _no_source(file, "", f"`{_number_in(top)}`")
    for name in ("placement", "runtime", "compiler", "board", "measure"):
        yield from _unsourced_table(_table(plain, name), file, name)
    for region in _tables(plain, "memory"):
        if not _cited(region):
            yield _no_source(file, "memory", f"`size` of `{region.get('name', '?')}`")


def _unsourced_table(table: Mapping[str, Any], file: str, name: str) -> Iterator[Diagnostic]:
    number = _number_in(table) or (name == "runtime" and next((k for k in table if k.endswith("_bytes")), ""))
    if number and not _cited(table):
        yield _no_source(file, name, f"`{number}`")
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _unsourced_table(value, file, f"{name}.{key}")


def _number_in(table: Mapping[str, Any]) -> str:
    """The first key that holds a number (or a list of them), or nothing."""
    for key, value in table.items():
        parts = value if isinstance(value, list) else [value]
        if any(isinstance(part, (int, float)) and not isinstance(part, bool) for part in parts):
            return key
    return ""


def _no_source(file: str, table: str, what: str) -> Diagnostic:
    where = f"[{table}]" if table else "the top of the file"
    return Diagnostic(
        code="EC142",
        message=f"{where} states {what} without a source",
        location=place(file, table, "source"),
        notes=("every number of a profile names the document, its revision and the table or section it is from",),
        help=('add `source = "..."` to the same table',),
    )


def _cited(table: Mapping[str, Any]) -> bool:
    source = table.get("source")
    return isinstance(source, str) and len(source.strip()) > 0


def _table(plain: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = plain.get(name, {})
    return table if isinstance(table, Mapping) else {}


def _tables(plain: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any], ...]:
    tables = plain.get(name, ())
    return tuple(t for t in tables if isinstance(t, Mapping)) if isinstance(tables, list) else ()
