"""`scripts/bench cortexm`: one JSON object with a row for each model, ours beside the baseline's."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgecompile.ir import writer
from edgecompile.ir.build import NetworkBuilder

CHECKOUT = Path(__file__).resolve().parents[2]
MISSING = [name for name in ("arm-none-eabi-gcc", "make", "qemu-system-arm") if shutil.which(name) is None]


@pytest.mark.micro
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_rows_carry_counts_exactness_and_the_baseline(tmp_path: Path) -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 8), "int8", scale=0.1, zero_point=0)
    w = build.constant("w", np.random.default_rng(1).integers(-127, 128, (3, 8)), "int8", scale=0.05)
    y = build.tensor("y", (1, 3), "int8", scale=0.5)
    build.op("FULLY_CONNECTED", [x, w], [y])
    content = writer.write(build.output(y).build())
    for name in ("unknown", "hello_world_int8"):
        (tmp_path / f"{name}.tflite").write_bytes(content)
    (tmp_path / "broken.tflite").write_bytes(b"no model")
    words = ["--models", str(tmp_path), "--board", "qemu-m7", "--samples", "3", "--json"]

    done = subprocess.run(
        [sys.executable, "scripts/benchmarks/cortexm.py", *words], cwd=CHECKOUT, capture_output=True, text=True
    )

    rows = {row["model"]: row for row in json.loads(done.stdout)["rows"]}
    assert done.returncode == 1
    assert rows["broken"]["error"] and not rows["broken"]["exact"]
    ours = rows["hello_world_int8"]
    assert ours["exact"] and ours["board"] == "qemu-m7"
    assert set(ours["baseline"]) == {"kernels", "instructions", "flash_bytes", "ram_bytes", "stack_bytes"}
    assert ours["baseline"]["ram_bytes"] == 1548
    assert 0 < ours["instructions"] < 2000 and 300 < ours["flash_bytes"] < 10_000
    assert rows["unknown"]["baseline"] is None and rows["unknown"]["instructions"] == ours["instructions"]
