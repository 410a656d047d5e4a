"""Hold what a compiler did against what was predicted, and say every difference in a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from edgecompile.core.units import format_size
from edgecompile.toolchain.compile import Predicted

# A prediction of memory within this share is right; logs round to two decimals of a MiB beside.
MEMORY_SHARE = 0.03
ROUNDING_BYTES = 5_300


def statuses(predicted: Iterable[Predicted], found: Iterable[tuple[str, int, str]]) -> tuple[str, ...]:
    """Operators of which the compiler says something else; ``found`` are name, count and status."""
    expected = Counter((one.name, one.status) for one in predicted)
    actual: Counter[tuple[str, str]] = Counter()
    for name, count, status in found:
        actual[name, status] += count
    lines = []
    for name in sorted({name for name, _ in (*expected, *actual)}):
        ours = {status: count for (op, status), count in expected.items() if op == name}
        theirs = {status: count for (op, status), count in actual.items() if op == name}
        if ours != theirs:
            lines.append(f"`{name}`: predicted {_worded(ours)}; the compiler says {_worded(theirs)}")
    return tuple(lines)


def placements(predicted: Iterable[Predicted], on_cpu: Iterable[str]) -> tuple[str, ...]:
    """Operators that run elsewhere than predicted; ``on_cpu`` are the names of those left in the compiled model."""
    expected = Counter(one.name for one in predicted if not one.accelerated)
    actual = Counter(on_cpu)
    return tuple(
        f"`{name}`: predicted {expected[name]} on the CPU; the compiled model has {actual[name]}"
        for name in sorted({*expected, *actual})
        if expected[name] != actual[name]
    )


def memory(predicted: Mapping[str, float | int | None], found: Mapping[str, int | None]) -> tuple[str, ...]:
    """Figures in bytes that are further from the prediction than its error allows."""
    lines = []
    for name, actual in found.items():
        expected = predicted.get(name)
        if actual is None or expected is None:
            continue
        if abs(expected - actual) > max(MEMORY_SHARE * actual, ROUNDING_BYTES):
            what = name.replace("_", " ")
            lines.append(f"{what}: predicted {format_size(int(expected))}; the compiler says {format_size(actual)}")
    return tuple(lines)


def _worded(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} x {status or 'nothing'}" for status, count in sorted(counts.items())) or "none"
