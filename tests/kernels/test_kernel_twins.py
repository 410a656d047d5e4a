"""Every header has a twin or serves one, says what it takes, and nothing in it allocates or prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import edgecompile.kernels
from edgecompile.kernels.program import kernels

FOLDER = Path(edgecompile.kernels.__file__).parent
HEADERS = sorted(path.name for path in FOLDER.glob("*.h"))
FORBIDDEN = re.compile(r"\b(malloc|calloc|realloc|free|printf|fprintf|abort|exit|static [a-z0-9_]+ \w+ =)\b")


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_has_a_twin_or_is_used_by_one(name: str) -> None:
    twin = FOLDER / name.replace(".h", ".py")
    users = [path.name for path in FOLDER.glob("*.py") if f'kernel="{name[:-2]}"' in path.read_text()]
    users += [path.name for path in FOLDER.glob("*.h") if f'#include "{name}"' in path.read_text()]

    assert twin.exists() or users


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_opens_with_its_contract_and_needs_no_heap_and_no_stdio(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="ascii")

    assert text.startswith("/* ")
    assert re.search(r"[Nn]othing (here )?(is allocated|allocates)|Nothing here allocates", text)
    assert not FORBIDDEN.findall(text)
    assert set(re.findall(r"#include <(\w+\.h)>", text)) <= {"stdint.h", "string.h", "arm_mve.h", "math.h"}
    assert f"EC_{name[:-2].upper()}_H_" in text


def test_every_operator_that_has_a_kernel_has_a_case_against_the_reference() -> None:
    tests = "".join(
        path.read_text() for path in Path(__file__).parent.glob("test_kernel_*.py") if path != Path(__file__)
    )

    untested = [operator for operator in kernels() if f'"{operator}"' not in tests]

    assert untested == []
