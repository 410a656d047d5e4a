"""TFLM's models compiled for Ethos-U by Arm's Vela through `edgecompile build`: cycles, memory, CPU operators."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from _shared import data_folder, edgecompile, measures, methods, table

MODELS = {
    "KWS": "kws_ref_model.tflite",
    "ResNet-8": "pretrainedResnet_quant.tflite",
    "person_detect": "person_detect.tflite",
    "VWW": "vww_96_int8.tflite",
}
FIGURES = ("operators_on_cpu", "cycles", "latency_ms", "sram_bytes", "off_chip_flash_bytes", "dram_bytes")


def main() -> int:
    """Print the table; exit 1 when Vela did not compile a model, or left an operator to the CPU."""
    targets = sys.argv[1:] or ["ethos-u55-64", "ethos-u55-128", "ethos-u55-256", "ethos-u65-256"]
    rows: list[tuple[str, ...]] = [("model", "target", "status", "operators", *FIGURES)]
    wrong, said = [], set()
    with tempfile.TemporaryDirectory() as scratch:
        for name, file in MODELS.items():
            for target in targets:
                path = data_folder() / "cortexm" / file
                options = ["--verify-samples", "4", "-o", Path(scratch) / name]
                _, report, _ = edgecompile("build", path, "-t", target, *options, cwd=Path(scratch))
                found = measures(report)
                cells = (str(found.get(figure, "")) for figure in ("operators", *FIGURES))
                rows.append((name, target, report["status"], *cells))
                said.add(methods(report).get("cycles", "no cycles: is Vela installed?"))
                if found.get("cycles") is None or found["operators_on_cpu"]:
                    wrong.append(f"{name} on {target}")
    print(table(rows))
    print("\n".join(f"cycles: {method}" for method in sorted(said)))
    print(f"not compiled whole: {', '.join(wrong) or 'none'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
