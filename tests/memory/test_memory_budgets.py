"""Flash and RAM against the device and the user, and what is said when they do not suffice."""

from __future__ import annotations

from typing import Any

import pytest

from edgecompile.core.project import Budget
from edgecompile.core.target import Placement, Region, Runtime, Target
from edgecompile.ir.network import Buffer, Network, Operator, Subgraph, Tensor
from edgecompile.memory.arena import plan
from edgecompile.memory.budgets import Budgeted, budgets

RUNTIME = Runtime(name="TFLM", flash_bytes=50_000, ram_bytes=1_000, source="measured")


def target(**fields: Any) -> Target:
    plain: dict[str, Any] = {
        **{"id": "board", "name": "Board", "family": "f", "description": "d", "numerics": ("int8",)},
        **{"io_dtype": "int8", "operators": {}, "placement": Placement(accelerator="cpu"), "emit": ()},
        **{"judge": "tflite", "runtime": RUNTIME},
        "regions": (
            Region(name="flash", kind="flash", size_bytes=65_536, source="datasheet table 1"),
            Region(name="sram1", kind="ram", size_bytes=4_096, source="datasheet table 2"),
            Region(name="sram2", kind="ram", size_bytes=1_024, source="datasheet table 2"),
        ),
    }
    return Target(**{**plain, **fields})


def network(dtype: str = "int8") -> Network:
    """Two layers; 1 600 and 800 elements of activations, 2 400 elements of weights in two layers."""
    width = {"int8": 1, "float32": 4}[dtype]
    tensors = (
        Tensor(name="input", shape=(1, 800), dtype=dtype),
        Tensor(name="wide/weights", shape=(2, 800), dtype=dtype, buffer=Buffer(bytes(1_600 * width))),
        Tensor(name="net/wide/Relu;net/dense/MatMul", shape=(1, 1_600), dtype=dtype),
        Tensor(name="narrow/weights", shape=(1, 800), dtype=dtype, buffer=Buffer(bytes(800 * width))),
        Tensor(name="narrow", shape=(1, 800), dtype=dtype),
    )
    operators = (
        Operator(name="FULLY_CONNECTED", inputs=(0, 1, -1), outputs=(2,)),
        Operator(name="FULLY_CONNECTED", inputs=(2, 3, -1), outputs=(4,)),
    )
    return Network(subgraphs=(Subgraph(name="main", tensors=tensors, operators=operators, inputs=(0,), outputs=(4,)),))


def held(net: Network, device: Target, budget: Budget | None = None, model_bytes: int = 10_000) -> Budgeted:
    return budgets(net, plan(net), model_bytes=model_bytes, target=device, budget=budget or Budget())


def test_a_model_that_fits_gives_measures_and_no_diagnostic() -> None:
    found = held(network(), target())

    assert found.fits and found.diagnostics == ()
    assert {m.name: (m.value, m.limit) for m in found.measures} == {
        "arena_bytes": (2_400, None),
        "flash_bytes": (60_000, 65_536),
        "ram_bytes": (3_400, 5_120),
    }
    assert [m.method.split(":")[0] for m in found.measures] == ["planned", "predicted", "predicted"]


@pytest.mark.parametrize(
    ("budget", "flash", "ram"),
    [
        pytest.param(Budget(), 65_536, 5_120, id="the device alone"),
        pytest.param(Budget(flash_bytes=61_000, ram_bytes=4_000), 61_000, 4_000, id="a smaller budget"),
        pytest.param(Budget(flash_bytes=10**6, ram_bytes=10**6), 65_536, 5_120, id="a budget beyond the device"),
    ],
)
def test_the_smaller_limit_holds(budget: Budget, flash: int, ram: int) -> None:
    measures = {m.name: m.limit for m in held(network(), target(), budget).measures}

    assert (measures["flash_bytes"], measures["ram_bytes"]) == (flash, ram)


def test_a_device_without_memories_is_held_against_the_budget_alone() -> None:
    device = target(regions=(), runtime=None)

    free = held(network(), device)
    bound = held(network(), device, Budget(ram_bytes=2_399, flash_bytes=10_000))

    assert [m.limit for m in free.measures] == [None, None, None]
    assert [m.method.split(":")[0] for m in free.measures] == ["planned", "counted", "planned"]
    assert [d.code for d in bound.diagnostics] == ["EC600"]


def test_over_ram_says_by_how_much_where_and_what_helps() -> None:
    found = held(network("float32"), target())

    (diagnostic,) = found.diagnostics
    assert diagnostic.render() == OVER_RAM


OVER_RAM = """\
error[EC600]: the model needs 10.4 KiB (10 600 B) of RAM, 5 480 B more than `board` may use
  --> model.tflite, operator 0 (layer `wide`), `FULLY_CONNECTED`
   = note: found 10.4 KiB (10 600 B): arena 9 600 B, TFLM 1 000 B
   = note: limit: `board` has 5 120 B in all: `sram1` 4 096 B (datasheet table 2), `sram2` 1 024 B (datasheet table 2)
   = note: the peak is at operator 0, where 9 600 B are alive at once: `wide` float32[1, 1600] 6 400 B, `input` float32[1, 800] 3 200 B
   = help: quantize activations to int8 (`--numerics int8`): the peak falls to about 2 400 B, which would fit
   = help: make the layers at the peak 2.3 times smaller: a smaller input, an earlier stride, fewer channels
   = help: take a device with more RAM
   = more: edgecompile explain EC600"""  # noqa: E501


def test_over_flash_names_the_layers_that_hold_the_weights() -> None:
    found = held(network("float32"), target(), model_bytes=20_000)

    assert [d.code for d in found.diagnostics] == ["EC600", "EC601"]
    assert found.diagnostics[1].render() == OVER_FLASH


OVER_FLASH = """\
error[EC601]: the model needs 68.4 KiB (70 000 B) of flash, 4 464 B more than `board` may use
  --> model.tflite
   = note: found 68.4 KiB (70 000 B): model file 19.5 KiB (20 000 B), TFLM 48.8 KiB (50 000 B)
   = note: limit: `board` has 64.0 KiB (65 536 B) in all: `flash` 64.0 KiB (datasheet table 1)
   = note: weights take 9 600 B, most of them in operator 0 FULLY_CONNECTED (`wide`) 6 400 B (67 %), operator 1 FULLY_CONNECTED (`narrow`) 3 200 B (33 %)
   = help: store weights as int8 (`--numerics int8`): about 7 200 B less, which would fit
   = help: remove 47 % of the weights: narrow the layers named above, or factor them
   = help: take a device with more flash
   = more: edgecompile explain EC601"""  # noqa: E501


def test_a_runtime_larger_than_the_limit_is_said_to_be_the_cause() -> None:
    found = held(network(), target(), Budget(flash_bytes=40_000, ram_bytes=900))

    assert [d.code for d in found.diagnostics] == ["EC600", "EC601"]
    assert all("alone takes all of it" in d.help[0] for d in found.diagnostics)


@pytest.mark.parametrize(
    ("starts", "codes"),
    [
        pytest.param((0x1000, 0x1800), [], id="adjacent memories are one"),
        pytest.param((0x1000, 0x8000), ["EC602"], id="memories with a hole between them are two"),
        pytest.param((None, None), [], id="addresses not stated"),
    ],
)
def test_the_arena_must_lie_in_one_piece(starts: tuple[int | None, int | None], codes: list[str]) -> None:
    regions = tuple(
        Region(name=f"ram{i}", kind="ram", size_bytes=0x800, start=start, source="datasheet")
        for i, start in enumerate(starts)
    )

    found = held(network(), target(regions=regions))

    assert [d.code for d in found.diagnostics] == codes
    assert all("the longest range is 2 048 B" in d.notes[1] for d in found.diagnostics)


def test_a_shared_buffer_is_weighed_once() -> None:
    net = network()
    main = net.main
    shared = main.tensors[1].buffer
    tensors = tuple(
        t if i != 3 else Tensor(name=t.name, shape=t.shape, dtype=t.dtype, buffer=shared)
        for i, t in enumerate(main.tensors)
    )
    twice = Network(
        subgraphs=(Subgraph(name="m", tensors=tensors, operators=main.operators, inputs=(0,), outputs=(4,)),)
    )

    (diagnostic,) = held(twice, target(), Budget(flash_bytes=55_000)).diagnostics

    assert any(
        "weights take 1 600 B, most of them in operator 0 FULLY_CONNECTED (`wide`) 1 600 B (100 %)" in n
        for n in diagnostic.notes
    )
