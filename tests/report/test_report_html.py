"""The page of a report: everything in it, nothing from elsewhere, nothing that a name could smuggle in."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from page_browser import PROGRAM, browser
from report_example import HOSTILE, bare, example

from edgecompile.core.report import Measure, Report
from edgecompile.ir.build import NetworkBuilder
from edgecompile.libs import figures
from edgecompile.report import diff_text, model_plot, plots, scores, text, words
from edgecompile.report.diff import Figure
from edgecompile.report.diff_text import changed
from edgecompile.report.html import render

pictured = pytest.mark.skipif(not figures.is_installed(), reason="matplotlib is not installed")
SIZES = {"weights_bytes": 10, "model_bytes": 90, "flash_bytes": 40}
VOID = {"meta", "link", "img", "br", "hr", "input"}
SVG = {"svg", "g", "path", "defs", "clippath", "rect", "use", "text"}
PLAIN = {
    "html", "head", "title", "style", "body", "header", "section", "h1", "h2", "p", "div", "span", "strong", "b",
    "table", "thead", "tbody", "tr", "th", "td", "ul", "ol", "li", "code", "pre", "data", "figure", "figcaption",
}  # fmt: skip


class Reader(HTMLParser):
    """Tags, attributes and text of a page; ``open`` is what was never closed, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def page() -> str:
    return plain(render(example()))


def plain(page: str) -> str:
    """Without what keeps numbers beside their units."""
    return page.replace("\N{NO-BREAK SPACE}", " ")


def test_the_page_holds_every_figure_exactly_and_how_it_was_obtained(page: str) -> None:
    read = Reader(page)
    exact = {attributes.get("value") for tag, attributes in read.tags if tag == "data"}
    text = "".join(read.words)

    for measure in example().measures:
        assert measure.value is None or str(measure.value) in exact
        assert measure.method in text
    assert {"31337", "64"} <= exact and "123 456" in text and "4 711" in text


def test_the_verdict_comes_first(page: str) -> None:
    words = [word.strip() for word in Reader(page[page.index("<body>") :].replace("</html>", "")).words]

    assert [word for word in words if word][1] == "✓ built and verified (1 error)"


def test_names_are_text_whatever_they_are(page: str) -> None:
    read = Reader(page)

    assert {tag for tag, _ in read.tags} <= PLAIN | VOID | SVG
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on")]
    assert HOSTILE in "".join(read.words)
    assert read.open == []


def test_nothing_is_fetched_from_anywhere(page: str) -> None:
    read = Reader(page)
    named = [
        value
        for tag, attributes in read.tags
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "action", "data", "srcset") and value is not None
    ]
    style = page[page.index("<style>") : page.index("</style>")]

    assert all(value.startswith(("#", "data:")) for value in named)
    assert "url(" not in style and "@import" not in style
    assert not re.search(r"url\((?!#)", page)


@pictured
def test_identities_are_unique_and_references_lead_somewhere(page: str) -> None:
    read = Reader(page)
    identities = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    referred = re.findall(r"url\(#([^)]+)\)", page) + re.findall(r'href="#([^"]+)"', page)

    assert len(identities) == len(set(identities))
    assert set(referred) <= set(identities)


@pictured
def test_every_picture_is_there_and_its_text_is_text(page: str) -> None:
    drawn = [attributes["id"] for tag, attributes in Reader(page).tags if tag == "svg"]

    assert drawn == [
        "memory-0-wide", "memory-0-narrow", "sizes", "weights-0", "sensitivity-0", "confusion-float",
        "confusion-artifact",
    ]  # fmt: skip
    assert ">peak</text>" in page
    assert "font-family: 'DejaVu" not in page


def test_the_same_build_gives_the_same_bytes_however_long_it_took(page: str) -> None:
    report = example()
    slower = tuple(replace(stage, duration_s=stage.duration_s + 1) for stage in report.stages)

    assert plain(render(replace(report, stages=slower))) == page


def test_without_matplotlib_the_page_says_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "is_installed", lambda: False)

    page = plain(render(example()))

    assert "<svg" not in page and "pip install matplotlib" in page
    assert "386 746" in page


def test_a_rejected_report_says_why_and_shows_nothing_that_it_does_not_know() -> None:
    page = render(bare())

    assert "✗ rejected (1 error)" in page
    assert "<svg" not in page and "Operators" not in page and "Files" not in page
    assert page.index("error EC502") < page.index("note EC342")


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")
@pytest.mark.parametrize("report", [example(), bare()], ids=["whole", "rejected"])
def test_a_browser_shows_it_wide_and_narrow_light_and_dark(report: Report, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(render(report), encoding="utf-8")

    with browser() as opened:
        for width in (1280, 390):
            for scheme, background in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 29)")):
                look = opened.look(page, width, scheme)

                assert look.complaints == ()
                assert look.requests == (page.as_uri(),)
                assert look.width <= width
                assert look.scrolling == ()
                assert look.background == background
        assert opened.look(page, 800, "dark", "print").background == "rgb(255, 255, 255)"


@pytest.mark.slow
@pictured
@pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed")
def test_a_browser_shows_a_model_on_a_narrow_screen_without_scrolling(tmp_path: Path) -> None:
    build = NetworkBuilder()
    x = build.input("x", (1, 64), "float32")
    for index in range(12):
        y = build.tensor(f"a_layer_of_some_length_{index}/with_more_of_it", (1, 64), "float32")
        build.op("FULLY_CONNECTED", [x, build.constant(f"w{index}", np.zeros((64, 64)), "float32"), -1], [y])
        x = y
    page = tmp_path / "model.html"
    page.write_text(model_plot.page("net.tflite", build.output(x).build()), encoding="utf-8")

    with browser() as opened:
        looks = [opened.look(page, width) for width in (1280, 390)]

    assert [(look.width, look.scrolling, look.complaints) for look in looks] == [(1280, (), ()), (390, (), ())]


@pictured
def test_sensitivities_far_apart_have_a_readable_axis_and_name_operators() -> None:
    rows = [{"operator": "CONV_2D", "name": f"c{i}", "output_error": 10.0**-i, "drop": None} for i in range(9)]

    drawn = plots.sensitivity("s", "t", rows)

    told = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert "mathdefault" not in drawn and "CONV_2D c8" in told
    ticks = len([word for word in told if word.endswith("%")]) - len(rows)
    assert 2 <= ticks <= 5


def test_the_name_of_a_box_stands_where_no_later_box_lies_over_it() -> None:
    box = figures.Box(x=0, y=0, width=4, height=10, color="#000000")
    over = figures.Box(x=1, y=0, width=2, height=10, color="#000000")
    beside = figures.Box(x=0, y=6, width=4, height=4, color="#000000")

    seen = [plots._seen(box, later) for later in ([], [over], [beside], [replace(over, width=1)], [replace(box)])]

    assert seen == [(0, 4), (0, 1), (0, 4), (2, 4), (0, 0)]


def test_a_share_is_told_in_percent() -> None:
    sparsity = Measure(name="sparsity", value=0.5321, unit="ratio", method="counted")

    assert words.value(sparsity) == "53.2 %"
    assert changed(Figure(name="sparsity", unit="ratio", a=0.5, b=0.25)) == "-25.0 points"
    assert changed(Figure(name="latency_ms", unit="ms", a=2.0, b=3.0)) == "+1 ms +50 %"
    assert changed(Figure(name="macs", unit="count", a=134_487, b=134_526)) == "+39"


def test_instructions_that_were_counted_apart_stand_with_their_operator() -> None:
    row = {"index": 3, "subgraph": 0, "operator": "CONV_2D", "layer": "c", "where": "mcu", "reason": None}
    row |= {"type": "int8[1, 4]", "macs": 12, "weights_bytes": 4, "output_bytes": 4}
    times = [{"#": 3, "operator": "CONV_2D", "instructions": 98765, "cycles": 1, "ms": 0.1}]
    report = replace(bare(), details={"operators": [row], "time of the C library": times})

    page = plain(render(report))

    operators = page[page.index("<h2>Operators") : page.index("</section>", page.index("<h2>Operators"))]
    assert "98 765" in operators


def test_how_a_table_was_obtained_stands_in_its_section_and_below_it_in_the_text() -> None:
    how = "instructions: simulated: QEMU, by operator"
    rows = [{"#": 0, "operator": "ADD", "ms": 0.1}]
    report = replace(bare(), details={"time of the C library": rows, "obtained": {"time of the C library": how}})

    page, written = render(report), text.render(report)

    section = page[page.index("<h2>Time of the C library") :]
    assert "Instructions: simulated: QEMU, by operator." in section[: section.index("</section>")]
    assert written.index("Time of the C library") < written.index(how) < written.index("error[EC502]")
    assert "<h2>Obtained" not in page and "Obtained" not in written


@pytest.mark.parametrize(
    "value, right",
    [("31.3 KiB", True), ("2 560", True), ("9 of 12", True), ("-0.5 %", True), ("1e-05", True), ("+0.0057", True),
     ("3f" * 32, False), ("7" * 64, False), ("2.5.0-rc0+git.1 of yesterday", False), ("3 words and more", False)],
)  # fmt: skip
def test_only_numbers_stand_to_the_right_and_in_one_line(value: str, right: bool) -> None:
    page = render(replace(bare(), details={"inputs": [{"name": "a", "sha256": value}]}))

    assert ('class="n"' in page[page.index("<h2>Inputs") :].partition("</section>")[0]) is right


def test_samples_of_each_split_stand_in_a_line_of_their_own() -> None:
    splits = {"train": {"samples": 90, "from": "the source"}, "test": {"samples": 10, "from": "the source"}}

    page = render(replace(bare(), details={"data": {"splits": splits, "preprocess": {}}}))

    assert "<div><strong>train</strong>: samples 90, from the source</div>" in page
    assert "preprocess" not in page


def test_a_limit_that_no_score_can_miss_is_not_shown() -> None:
    metric = Measure(name="metric", value=0.9, unit="top1", method="measured", limit=-1e9)

    assert scores.score_lines(replace(bare(), measures=(metric,))) == ["Top-1  90.0 %"]
    assert scores.score_lines(replace(bare(), measures=(replace(metric, limit=0.8),))) == [
        "Top-1  90.0 % (limit 80.0 %)"
    ]


def test_figures_of_an_interpreter_in_place_of_a_c_library_say_so() -> None:
    flash = Measure(name="flash_bytes", value=90, unit="bytes", method="predicted: the model file", limit=100)
    plain = replace(bare(), measures=(flash,))
    without_c = replace(plain, details={"interpreter": "TensorFlow Lite Micro: there is no C library"})

    assert [("predicted, if interpreted" in render(one)) for one in (plain, without_c)] == [False, True]
    assert [("predicted, if interpreted" in text.brief(one)) for one in (plain, without_c)] == [False, True]


def test_both_sides_of_a_difference_say_how_their_figures_were_obtained() -> None:
    score = Figure(name="metric", unit="top1", a=0.9, b=0.875, method_a="measured: here", method_b="predicted")

    assert diff_text.obtained(score) == "A measured, B predicted"
    assert diff_text.obtained(replace(score, method_b="measured: there")) == "measured"
    assert diff_text.obtained(replace(score, b=None, method_b="")) == "measured"
    assert (diff_text.shown(score, score.a), changed(score)) == ("90.00 %", "-2.5 points")


def test_the_bytes_of_a_c_library_are_not_those_of_a_file_that_stays_behind() -> None:
    from edgecompile.report.html_pictures import _sizes

    whole = example()
    measures = [Measure(name=name, value=value, unit="bytes", method="counted") for name, value in SIZES.items()]
    with_c = {**whole.details, "memory map of the C library": {"steps": [], "arena_bytes": 0, "tensors": []}}

    as_file = [one.label for one in _sizes(replace(whole, measures=tuple(measures)))]
    as_c = [one.label for one in _sizes(replace(whole, measures=tuple(measures), details=with_c))]

    assert "model file" in as_file and "model file" not in as_c


@pictured
def test_every_word_of_a_step_and_of_an_operator_is_in_the_picture() -> None:
    step = "mixed_precision max_drop 0.005 metric agreement wider int16 samples 256"
    drawn = plots.waterfall(
        "w", "t", [plots.Size(label="as given", size_bytes=9), plots.Size(label=step, size_bytes=9)]
    )
    plan = {"steps": ["BIDIRECTIONAL_SEQUENCE_LSTM"], "tensors": [], "arena_bytes": 16, "peak_step": 0}

    mapped = plots.memory_map("m", "t", plan, plots.NARROW)

    told = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    assert step in " ".join(told) and not any("%" in word for word in told)
    assert ">BIDIRECTIONAL_SEQUENCE_LSTM<" in mapped


@pictured
def test_the_peak_of_a_memory_plan_is_marked_where_boxes_leave_no_gap() -> None:
    tensors = [{"name": "a", "first": 0, "last": 1, "offset": 0, "bytes": 16}]
    plan = {"steps": ["ADD", "MUL"], "tensors": tensors, "arena_bytes": 16, "peak_step": 1}

    drawn = plots.memory_map("m", "t", plan, plots.WIDE)

    assert re.search(r'<path[^>]*fill: var\(--ink\)"', drawn)
    assert "Grey" not in render(example())


def test_operators_are_named_by_number_and_short_columns_share_a_line_of_a_card() -> None:
    rows = [{"#": 12, "operator": "CONV_2D", "kind": "c_header", "bytes": 3, "place": "x" * 20}]

    page = render(replace(bare(), details={"flash": rows}))

    cells = re.findall(r'<td data-label="([^"]*)"(?: class="([^"]*)")?>', page[page.index("<h2>Flash") :])
    assert cells[:5] == [("#", "h"), ("operator", "h"), ("kind", "h"), ("bytes", "n"), ("place", "")]


def test_a_plan_beside_the_c_librarys_says_whose_it_is() -> None:
    plans = {"memory plan of the C library": ["0  ADD"], "memory plan": ["0  ADD"]}

    both = text.render(replace(bare(), details=plans))
    alone = text.render(replace(bare(), details={"memory plan": ["0  ADD"]}))

    assert "\nMemory plan, if interpreted\n" in both and "\nMemory plan\n" in alone
