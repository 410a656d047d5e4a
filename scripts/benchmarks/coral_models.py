"""Keras networks built for Coral: operators mapped before and after the rewrites, what the others would take."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _shared import edgecompile, measures, table

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
# What cannot be mapped as it is, by its code and operator: told below the table with the compiler's own help.
EFFECT = re.compile(r"off the accelerator: (\d+)(?: -> (\d+))?")
LEFT_ON_CPU = {"deeplab_65": 2}


def main() -> int:
    """Print the table; exit 1 when a network keeps more operators on the CPU than it has to."""
    wanted = set(sys.argv[1:])
    rows: list[tuple[str, ...]] = [
        ("network", "operators", "on CPU before", "after", "cached", "streamed", "ms (USB 3)", "rewrites")
    ]
    wrong, told = [], []
    with tempfile.TemporaryDirectory() as scratch:
        maker = Path(__file__).with_name("_coral_networks.py")
        subprocess.run([sys.executable, str(maker), scratch], env={**os.environ, **QUIET}, check=True)
        for path in sorted(Path(scratch).glob("*.keras")):
            if wanted and path.stem not in wanted:
                continue
            report = built(path, Path(scratch))
            found, lines = measures(report), report["details"].get("rewrites", [])
            after = found.get("operators_on_cpu")
            before = EFFECT.search(lines[0]) if lines else None
            rows.append((
                path.stem, str(found.get("operators")), before[1] if before else str(after), str(after),
                *(str(found.get(name, "")) for name in ("cached_bytes", "streamed_bytes", "latency_ms")),
                ", ".join(line.partition(":")[0] for line in lines),
            ))  # fmt: skip
            if after != LEFT_ON_CPU.get(path.stem, 0):
                wrong.append(path.stem)
            told += [f"\n{path.stem}", *remains(report)] if after else []
    print(table(rows))
    print("\n".join(told))
    print(f"\n{len(rows) - 1} networks, predicted; not as expected: {', '.join(wrong) or 'none'}")
    return 1 if wrong else 0


def built(path: Path, scratch: Path) -> dict[str, Any]:
    """The report of a build for Coral; a build that fails ends the benchmark."""
    options = ["--random-calibration", "--calibration-samples", "16", "--verify-samples", "8"]
    code, report, errors = edgecompile("build", path, "-t", "coral", *options, "-o", scratch / path.stem, cwd=scratch)
    if code:
        sys.exit(f"{path.stem} is not built: exit code {code}\n{errors[-2000:]}")
    return report


def remains(report: dict[str, Any]) -> list[str]:
    """Operators left on the CPU: what was found, and what it would take."""
    lines = []
    for diagnostic in report["diagnostics"]:
        if diagnostic["code"].startswith("EC50"):
            found = [note for note in diagnostic["notes"] if note.startswith(("found", "limit"))]
            lines += [f"  {diagnostic['message']}: {'; '.join(found)}", *(f"    {h}" for h in diagnostic["help"])]
    return lines


if __name__ == "__main__":
    sys.exit(main())
