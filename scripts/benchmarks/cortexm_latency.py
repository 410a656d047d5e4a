"""Cycles per instruction of Cortex-M cores from boards that were measured, each row predicted from the others.

Rows are MLPerf Tiny results (`ground_truth/mlperf_tiny_results.json`) of boards that have a profile here. The cycles of
a row are

    max(CPI(core) · instructions(engine, model), bytes of dense weights · (wait states + 1) / bytes of a line)

Instructions of TFLM's CMSIS-NN kernels are counted under QEMU (`tflm_baseline.json`) and stand for engines that call
the same kernels; those of other engines are unknown, and one unknown for all boards that ran the engine. So a row is
predicted where its engine ran the model on another board, or its instructions were counted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _shared import data_folder, table

from edgecompile.config.profiles import load
from edgecompile.measure.board.cycles import Timing, timing_of

BASELINE = Path(__file__).parent / "tflm_baseline.json"
# What submitters call the boards of our profiles.
BOARDS = {
    "nucleo-l4r5zi": ("NUCLEO-L4R5ZI",),
    "nucleo-h7a3zi-q": ("NUCLEO-H7A3ZI", "NUCLEO-H7A3ZI-Q"),
    "nucleo-u575zi-q": ("NUCLEO-U575ZI", "NUCLEO-U575ZI-Q", "B-U585I-IOT02A"),
    "stm32f746g-disco": ("DISCO-F746NG",),
    "nrf5340-dk": ("NRF5340 DK",),
}
MODELS = {"ad": "ad01_int8", "ic": "pretrainedResnet_quant", "kws": "kws_ref_model", "vww": "vww_96_int8"}
# Bytes of FULLY_CONNECTED weights, which are read once and never again.
DENSE = {"ad": 264_192, "ic": 640, "kws": 768, "vww": 512}
# The engine whose kernels are those that were counted.
COUNTED = "microTVM with CMSIS-NN"
LIMIT = 0.25


@dataclass(frozen=True, kw_only=True)
class Row:
    """A measured inference. ``engine`` has its version: another one executes other instructions.

    ``least``: cycles that the flash takes to give the dense weights away.
    """

    board: str
    core: str
    engine: str
    model: str
    cycles: float
    least: float


def main() -> int:
    """Print factors and errors; exit 1 where a profile states another factor or less of an error than there is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rows = measured()
    factors = fit(rows)[0]
    errors = left_out(rows)
    by_core = {core: [abs(e) for row, e in errors if row.core == core] for core in factors}
    stated = {core: timing_of({**load(core).board, "emulated": False}) for core in factors}
    wrong = [core for core, found in by_core.items() if not _is_stated(factors[core], found, stated[core])]
    if asked.json:
        print(json.dumps(_plain(rows, factors, errors, by_core, wrong), indent=1))
    else:
        print(_text(errors, factors, by_core, wrong))
    return 1 if wrong or max(float(np.mean(found)) for found in by_core.values()) > LIMIT else 0


def measured() -> list[Row]:
    """Rows of boards with a profile; the same figure told by several submitters counts once."""
    found: dict[tuple[str, ...], Row] = {}
    for plain in json.loads((data_folder() / "ground_truth" / "mlperf_tiny_results.json").read_text()):
        board = _board(str(plain.get("board") or plain.get("system")))
        if board is None or plain.get("benchmark") not in MODELS or not plain.get("latency_ms"):
            continue
        profile = load(board).board
        cycles = plain["latency_ms"] / 1e3 * profile["clock_hz"]
        flash = profile.get("flash", {})
        least = DENSE[plain["benchmark"]] * (flash.get("wait_states", 0) + 1) / flash["line_bytes"] if flash else 0.0
        row = Row(
            board=board,
            core=str(profile["core"]),
            engine=_engine(plain),
            model=plain["benchmark"],
            cycles=cycles,
            least=least,
        )
        found.setdefault((row.board, row.engine, row.model), row)
    return list(found.values())


def _board(told: str) -> str | None:
    plain = told.upper().replace("_", "-")
    return next((board for board, names in BOARDS.items() if plain in names), None)


def _engine(plain: dict[str, Any]) -> str:
    words = f"{plain.get('framework')}"
    if words.startswith("microTVM"):
        return COUNTED if "CMSIS" in str(plain["system"]).upper() else "microTVM, its own kernels"
    # Bosch's and Plumerai's first engines carry no version: the round stands for it.
    return words if any(letter.isdigit() for letter in words) else f"{words}, {plain['round']}"


def fit(rows: Sequence[Row]) -> tuple[dict[str, float], dict[tuple[str, str], float]]:
    """Cycles per instruction by core, and instructions by engine and model, by least squares of logarithms."""
    counted = {
        (COUNTED, model): next(
            float(row["instructions_per_inference"])
            for row in json.loads(BASELINE.read_text())["rows"]
            if (row["core"], row["kernels"], row["model"]) == ("m4", "cmsis-O2", stem)
        )
        for model, stem in MODELS.items()
    }
    cores = sorted({row.core for row in rows})
    engines = sorted({(row.engine, row.model) for row in rows} - set(counted))
    matrix, wanted = np.zeros((len(rows), len(cores) + len(engines))), np.zeros(len(rows))
    for index, row in enumerate(rows):
        matrix[index, cores.index(row.core)] = 1
        wanted[index] = np.log(row.cycles)
        if (row.engine, row.model) in counted:
            wanted[index] -= np.log(counted[row.engine, row.model])
        else:
            matrix[index, len(cores) + engines.index((row.engine, row.model))] = 1
    solved = np.exp(np.linalg.lstsq(matrix, wanted, rcond=None)[0])
    found = {key: float(value) for key, value in zip(engines, solved[len(cores) :], strict=True)}
    return {core: float(value) for core, value in zip(cores, solved, strict=False)}, {**counted, **found}


def left_out(rows: Sequence[Row]) -> list[tuple[Row, float]]:
    """Each row that can be predicted from the others, with the relative error."""
    found = []
    for row in rows:
        others = [other for other in rows if other is not row]
        factors, instructions = fit(others)
        key = (row.engine, row.model)
        if row.core not in factors or key not in instructions:
            continue
        if row.engine != COUNTED and not any((o.engine, o.model) == key for o in others):
            continue
        predicted = max(factors[row.core] * instructions[key], row.least)
        found.append((row, predicted / row.cycles - 1))
    return found


def _is_stated(factor: float, errors: Sequence[float], stated: Timing | None) -> bool:
    if stated is None or stated.error_ratio is None:
        return False
    near = abs(stated.cycles_per_instruction / factor - 1) < 0.01
    return near and stated.error_ratio >= float(np.mean(errors)) - 0.005


def _plain(
    rows: Sequence[Row],
    factors: dict[str, float],
    errors: Sequence[tuple[Row, float]],
    by_core: dict[str, list[float]],
    wrong: Sequence[str],
) -> dict[str, Any]:
    return {
        "schema": 1,
        "rows": [{**vars(row), "error": round(error, 4)} for row, error in errors],
        "cores": {
            core: {
                "cycles_per_instruction": round(factors[core], 3),
                "error": round(float(np.mean(found)), 4),
                "predicted": len(found),
                "rows": sum(row.core == core for row in rows),
            }
            for core, found in by_core.items()
        },
        "not_as_stated": list(wrong),
    }


def _text(
    errors: Sequence[tuple[Row, float]],
    factors: dict[str, float],
    by_core: dict[str, list[float]],
    wrong: Sequence[str],
) -> str:
    lines: list[tuple[str, ...]] = [("board", "engine", "model", "measured, M cycles", "left out")]
    for row, error in sorted(errors, key=lambda one: (one[0].board, one[0].engine, one[0].model)):
        lines.append((row.board, row.engine[:50], row.model, f"{row.cycles / 1e6:.2f}", f"{100 * error:+.1f} %"))
    told = [
        f"{core}: {factors[core]:.2f} cycles per instruction, leave-one-out error {100 * float(np.mean(found)):.1f} % "
        f"over {len(found)} rows{', not as its profile states' if core in wrong else ''}"
        for core, found in by_core.items()
    ]
    return "\n".join([table(lines), *told])


if __name__ == "__main__":
    sys.exit(main())
