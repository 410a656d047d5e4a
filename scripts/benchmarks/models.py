"""Every model of the shared data folder built for one target: what each costs there, or why it is refused."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from _shared import data_folder, edgecompile, measures, table

REFUSED = {"weights_only.h5": "EC208"}


def main() -> int:
    """Print the table; exit 1 when a model that should build does not, or one is refused for another reason."""
    folder = data_folder() / "models"
    target = sys.argv[1] if len(sys.argv) > 1 else "cortex-m7"
    rows: list[tuple[str, ...]] = [("model", "status", "bytes", "arena", "MACs", "operators", "diagnostics")]
    wrong = []
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted(folder.iterdir()):
            arguments = ["build", path, "-t", target, "--random-calibration", "-o", Path(scratch) / path.stem]
            code, report, _ = edgecompile(*arguments, cwd=Path(scratch))
            errors = [d["code"] for d in report["diagnostics"] if d["severity"] == "error"]
            found = measures(report)
            rows.append((
                path.name, f"{report['status']} ({code})", *(str(found.get(name, "")) for name in
                ("model_bytes", "arena_bytes", "macs", "operators")), " ".join(errors),
            ))  # fmt: skip
            expected = REFUSED.get(path.name)
            if (errors != [expected]) if expected else code != 0:
                wrong.append(path.name)
    print(table(rows))
    print(f"{len(rows) - 1} models, {len(wrong)} not as expected: {', '.join(wrong) or 'none'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
