"""The schema is found without its package's import, and its tables are read off the generated code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgecompile.core.errors import MissingError
from edgecompile.libs import schema as door
from edgecompile.libs.schema import names_of, new, schema, table_of, values_of
from edgecompile.libs.schema_fields import fields_of, union

TABLES = sorted(
    name[:-1] for name in vars(schema()) if name.endswith("T") and hasattr(schema(), name[:-1]) and name[0].isupper()
)


def test_loading_the_schema_loads_no_runtime() -> None:
    probe = (
        "import sys; from edgecompile.libs.schema import schema; schema();"
        "print([n for n in ('ai_edge_litert', 'tensorflow', 'tflite_runtime') if n in sys.modules])"
    )

    finished = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60)

    assert finished.stdout.strip() == "[]"


def test_without_any_schema_the_diagnostic_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PLACES", (("ai_edge_litert_that_is_not_there", "schema_py_generated.py"),))
    schema.cache_clear()

    with pytest.raises(MissingError, match="EC190") as caught:
        schema()

    schema.cache_clear()
    assert "pip install 'ai-edge-litert'" in caught.value.diagnostics[0].help[0]


def test_a_package_without_the_schema_in_it_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    found = schema()
    monkeypatch.setattr(door, "PLACES", (("pytest", "schema_py_generated.py"), *door.PLACES))
    schema.cache_clear()

    assert Path(str(schema().__file__)) == Path(str(found.__file__))


def test_all_tables_of_the_schema_have_fields_in_slots_of_their_own() -> None:
    assert len(TABLES) > 150
    for table in TABLES:
        slots = [field.slot for field in fields_of(table)]
        assert slots == sorted(set(slots)), table
        assert all(slot >= 4 and slot % 2 == 0 for slot in slots), table


@pytest.mark.parametrize(
    "table, name, kind, slot, dtype, child",
    [
        pytest.param("Model", "version", "scalar", 4, "<u4", "", id="number"),
        pytest.param("Model", "subgraphs", "tables", 8, "", "SubGraph", id="vector of tables"),
        pytest.param("Tensor", "name", "string", 10, "", "", id="string"),
        pytest.param("Tensor", "quantization", "table", 12, "", "QuantizationParameters", id="table"),
        pytest.param("Tensor", "isVariable", "scalar", 14, "bool", "", id="truth value"),
        pytest.param("QuantizationParameters", "zeroPoint", "scalars", 10, "<i8", "", id="vector of numbers"),
        pytest.param("Operator", "builtinOptions", "union", 12, "", "", id="union"),
        # Two deprecated fields stand before it.
        pytest.param("ResizeBilinearOptions", "alignCorners", "scalar", 8, "bool", "", id="behind deprecated fields"),
    ],
)
def test_fields_are_what_the_schema_says(table: str, name: str, kind: str, slot: int, dtype: str, child: str) -> None:
    field = next(field for field in fields_of(table) if field.name == name)

    assert (field.kind, field.slot, field.dtype, field.table) == (kind, slot, dtype, child)


def test_a_union_names_its_tables() -> None:
    assert union("BuiltinOptions")[1] == "Conv2DOptions"
    assert union("SparseIndexVector") == {1: "Int32Vector", 2: "Uint16Vector", 3: "Uint8Vector"}


def test_enumerations_are_known_both_ways() -> None:
    assert names_of("Padding") == {0: "SAME", 1: "VALID"}
    assert values_of("Padding") == {"SAME": 0, "VALID": 1}
    assert table_of(new("Tensor")) == "Tensor"
