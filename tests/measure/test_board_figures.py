"""Reading images and bounding stacks: on texts and bytes that are written here, without a cross compiler."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from edgecompile.libs import programs
from edgecompile.measure.board import elf, stack
from edgecompile.measure.board.figures import Figures


def image(*sections: tuple[str, int, int, int], functions: dict[str, int] | None = None) -> bytes:
    """A minimal ELF with sections of name, type, flags and size, and a symbol table."""
    names, strings = b"\0", b"\0"
    symbols = b""
    for name, address in (functions or {}).items():
        symbols += struct.pack("<IIIBBH", len(strings), address, 4, 0x12, 0, 1)
        strings += name.encode() + b"\0"
    rows = [*sections, (".symtab", 2, 0, len(symbols)), (".strtab", 3, 0, len(strings))]
    starts = []
    for row in (*rows, (".shstrtab", 3, 0, 0)):
        starts.append(len(names))
        names += row[0].encode() + b"\0"
    at, headers = 52, b""
    for index, (_, kind, flags, size) in enumerate((*rows, (".shstrtab", 3, 0, len(names)))):
        here = {".symtab": 52, ".strtab": 52 + len(symbols)}.get(rows[index][0] if index < len(rows) else "", at)
        if index == len(rows):
            here = 52 + len(symbols) + len(strings)
        link = len(rows) - 1 if kind == 2 else 0
        headers += struct.pack("<10I", starts[index], kind, flags, 0, here, size, link, 0, 4, 0)
    body = symbols + strings + names
    head = b"\x7fELF\x01\x01\x01" + bytes(9)
    head += struct.pack("<HHIIIIIHHHHHH", 2, 40, 1, 0, 0, 52 + len(body), 0, 52, 0, 0, 40, len(rows) + 1, len(rows))
    return head + body + headers


def test_flash_is_all_that_is_loaded_and_ram_all_that_is_written_but_the_stack(tmp_path: Path) -> None:
    path = tmp_path / "app.elf"
    path.write_bytes(
        image(
            (".text", 1, 2 | 4, 1000),
            (".data", 1, 1 | 2, 30),
            (".bss", 8, 1 | 2, 200),
            (".stack", 8, 1 | 2, 4096),
            (".debug_info", 1, 0, 99),
            functions={"ec_mark": 0x101, "main": 0x201},
        )
    )

    found = elf.read(path)

    assert (found.flash_bytes, found.ram_bytes) == (1030, 230)
    assert found.functions == {"ec_mark": 0x100, "main": 0x200}


@pytest.mark.parametrize("content", [b"", b"MZ", b"\x7fELF\x02\x01", b"\x7fELF\x01\x01\x01"], ids=range(4))
def test_what_is_no_elf_of_32_bits_is_a_value_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)

    with pytest.raises(ValueError, match="x is"):
        elf.read(tmp_path / "x")


DISASSEMBLY = """
00000000 <Reset_Handler>:
   0:\tb508      \tpush\t{r3, lr}
   2:\tf000 f800 \tbl\t10 <main>

00000010 <main>:
  10:\tb570      \tpush\t{r4-r6, lr}
  12:\tb084      \tsub\tsp, #16
  14:\tf000 f800 \tbl\t30 <leaf>
  18:\td1fc      \tbne.n\t14 <main+0x4>
  1a:\tf7ff bffe \tb.w\t40 <tail>

00000030 <leaf>:
  30:\ted2d 8b02 \tvpush\t{d8-d9}
  34:\tf84d 4d08 \tstr.w\tr4, [sp, #-8]!

00000040 <tail>:
  40:\te92d 4ff0 \tstmdb\tsp!, {r4, r5, r6, r7, r8, r9, sl, fp, lr}
"""


def bound_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, usage: str = "") -> stack.Bound:
    (tmp_path / "a.su").write_text(usage)
    done = programs.Finished(argv=(), returncode=0, stdout=text, stderr="")
    monkeypatch.setattr(programs, "run", lambda *_, **__: done)
    return stack.bound(tmp_path / "app.elf", tmp_path)


def test_the_bound_is_the_longest_chain_of_calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = bound_of(monkeypatch, tmp_path, DISASSEMBLY)

    # 8 of Reset_Handler, 32 of main, 36 of the nine registers; leaf has 24.
    assert (found.size_bytes, found.chain) == (76, ("Reset_Handler", "main", "tail"))


def test_what_the_compiler_says_counts_where_it_is_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = bound_of(monkeypatch, tmp_path, DISASSEMBLY, "a.c:1:2:leaf\t100\tstatic\na.c:9:1:main\t8\tstatic\n")

    assert (found.size_bytes, found.chain) == (140, ("Reset_Handler", "main", "leaf"))


@pytest.mark.parametrize(
    ("text", "usage", "reason"),
    [
        (DISASSEMBLY.replace("<tail>\n\n", "<Reset_Handler>\n\n"), "", "calls itself"),
        (DISASSEMBLY.replace("vpush\t{d8-d9}", "blx\tr3"), "", "`leaf` calls through a pointer"),
        (DISASSEMBLY, "a.c:1:2:leaf\t100\tdynamic\n", "`leaf` takes stack by the size of its data"),
        ("", "", "the image has no `Reset_Handler`"),
    ],
    ids=["recursion", "function pointer", "dynamic", "no root"],
)
def test_without_a_bound_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, usage: str, reason: str
) -> None:
    found = bound_of(monkeypatch, tmp_path, text, usage)

    assert found.size_bytes is None
    assert reason in found.reason


def test_ram_and_stack_together_are_held_against_the_memory() -> None:
    figures = Figures(flash_bytes=1, ram_bytes=900, stack=stack.Bound(size_bytes=200), compiler="gcc 1")

    assert figures.over(1100) is None
    assert figures.over(1099) == "RAM: 1 byte too many, 200 of stack counted"
