from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import unicodedata
from base64 import b64encode
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import page_samples
import pytest
import run_samples
from markup import Element, parsed
from page_samples import ALL_RUNS, EVIL

from llamaexit.report.run_page import run_html
from llamaexit.report.run_view import view

TAGS = {
    "html", "head", "meta", "title", "link", "style", "body", "main", "header", "footer", "section", "div", "h1", "h2",
    "h3", "p", "ul", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr", "th", "td", "a", "b", "code",
    "bdi", "span", "pre", "details", "summary", "figure", "figcaption", "svg", "g", "desc", "text", "path", "rect",
}  # fmt: skip
"""Everything the page is made of. There is nothing in it that runs, embeds, or sends."""
FETCHES = {"src", "srcset", "action", "formaction", "poster", "data", "background", "ping", "style", "xlink:href"}
"""Attributes that make a browser ask for something, and the one that may."""

every_run = pytest.mark.parametrize("name", ALL_RUNS)


@cache
def html(name: str) -> str:
    return run_html(ALL_RUNS[name])


def page(name: str) -> Element:
    return parsed(html(name))


def section(tree: Element, heading: str) -> Element:
    """The section under a heading."""
    anchor = next(h.attributes["id"] for h in tree.all("h2") if h.text == heading)
    return next(s for s in tree.all("section") if s.attributes["aria-labelledby"] == anchor)


@every_run
def test_page_is_well_formed_and_every_reference_in_it_leads_somewhere(name: str) -> None:
    tree = page(name)
    ids = [element.attributes["id"] for element in tree if "id" in element.attributes]
    wanted = [target for e in tree for target in e.attributes.get("aria-labelledby", "").split()]
    wanted += [a.attributes["href"].removeprefix("#") for a in tree.all("a")]

    assert len(ids) == len(set(ids))
    assert set(wanted) <= set(ids)


@every_run
def test_page_has_nothing_that_runs_or_asks_for_anything(name: str) -> None:
    tree = page(name)
    (root,) = tree.all("html")

    assert {element.tag for element in root} <= TAGS
    for element in root:
        assert not FETCHES & element.attributes.keys()
        assert not [name for name in element.attributes if name.startswith("on")]
    assert [a.attributes["href"][0] for a in tree.all("a")] == ["#"] * len(tree.all("a"))
    assert [link.attributes for link in tree.all("link")] == [{"rel": "icon", "href": "data:,"}]
    assert not re.search(r"url\(|@import|expression|https?:", tree.all("style")[0].text)


@every_run
def test_page_forbids_everything_but_its_own_style(name: str) -> None:
    tree = page(name)
    (style,) = tree.all("style")
    digest = hashlib.sha256("".join(map(str, style.children)).encode()).digest()

    policy = next(m.attributes["content"] for m in tree.all("meta") if "http-equiv" in m.attributes)

    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{b64encode(digest).decode()}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


@every_run
def test_page_holds_no_character_that_works_unseen(name: str) -> None:
    text = html(name)

    hidden = {char for char in text if not char.isprintable() and char != "\n" and unicodedata.category(char) != "Zs"}
    assert hidden == set()
    assert text.encode()


def test_what_a_stranger_wrote_is_there_to_be_read() -> None:
    tree = page("hostile")
    shown = r"<script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>"
    inside = [pre.text for pre in tree.all("pre")]

    assert any(text.startswith(shown) for text in inside)
    assert any(r"\u001b[31mred" in text and r"\u202egnp.exe" in text and r"\ud800" in text for text in inside)
    assert any("{{ 7 * 7 }} {% raw %}" in text for text in inside)


def test_lines_of_a_megabyte_leave_a_page_of_ordinary_size() -> None:
    text = html("hostile")

    assert len(text) < 200_000
    assert "998,000 characters left out" in text


def test_same_run_gives_the_same_bytes_elsewhere_and_at_another_time() -> None:
    here = "".join(run_html(run) for run in ALL_RUNS.values()).encode()
    code = (
        "import sys; from page_samples import ALL_RUNS; from llamaexit.report.run_page import run_html;"
        "sys.stdout.buffer.write(''.join(run_html(run) for run in ALL_RUNS.values()).encode())"
    )
    environ = {
        **os.environ, "PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "LC_ALL": "C", "LANG": "de_DE.UTF-8",
        "PYTHONPATH": str(Path(__file__).parent),
    }  # fmt: skip

    there = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, check=True).stdout

    assert hashlib.sha256(there).hexdigest() == hashlib.sha256(here).hexdigest()


@every_run
def test_tables_have_scoped_headers_and_as_many_cells_as_headings(name: str) -> None:
    for table in page(name).all("table"):
        (head,) = table.all("thead")
        columns = len(head.all("th"))
        assert {th.attributes["scope"] for th in head.all("th")} == {"col"}
        for row in table.all("tbody")[0].all("tr"):
            assert len(row.all("th")) + len(row.all("td")) == columns
            assert [th.attributes["scope"] for th in row.all("th")] == ["row"]


@every_run
def test_every_chart_says_in_words_what_it_shows(name: str) -> None:
    tree = page(name)
    texts = {element.attributes["id"]: element.text for element in tree if "id" in element.attributes}
    for svg in tree.all("svg"):
        if "aria-hidden" in svg.attributes:
            continue
        title, words = (texts[name] for name in svg.attributes["aria-labelledby"].split())
        assert svg.attributes["role"] == "img"
        assert title
        assert "old: " in words
        assert "new: " in words


@every_run
def test_headings_go_down_one_level_at_a_time(name: str) -> None:
    levels = [int(element.tag[1]) for element in page(name) if re.fullmatch("h[1-6]", element.tag)]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize(
    ("name", "headline"),
    [
        ("committed", "Done: team-bot:latest and team-chat:latest mean a new model now."),
        ("beside", "Done: qwen3:8b installed beside the old; no name means anything else than before."),
        ("partly", "Done in part: team-bot:latest means a new model now."),
        ("staged", "Pulled and tested, not switched, as asked: no name means anything else than before."),
        ("no-go", "Stopped before anything was switched: no name means anything else than before."),
        ("interrupted", "Not finished, and nothing was switched yet: no name means anything else than before."),
        ("half-way", "Stopped half-way: team-bot:latest means a new model already, the rest is as it was."),
        ("rolled back", "Undone: no name means anything else than before."),
        ("conflict", "Undone, except for team-bot:latest, which somebody else changed."),
    ],
)
def test_first_line_says_what_came_of_the_run(name: str, headline: str) -> None:
    assert page(name).all("h1")[0].text == headline


def test_no_go_shows_the_check_that_stops_the_switch_with_its_evidence_open() -> None:
    tree = page("full suite, no-go")

    (row,) = tree.with_class("blocks")
    assert [cell.text for cell in row.all("td")] == ["passed", "failed"]
    assert row.all("a")[0].text == "calls a tool"
    assert row.with_class("soft")[0].text == "the old model does it, the new one does not"
    opened = [details for details in tree.all("details") if "open" in details.attributes]
    assert [details.all("summary")[0].text for details in opened] == ["calls a tool stops the switch"]
    assert "3 of 3 calls came as text in the answer instead of in tool_calls" in opened[0].text
    answers = [pre.text for pre in opened[0].all("pre")]
    assert "What is the weather in Oslo right now?" in answers
    assert 'get_weather({"city": "Oslo"})' in answers
    assert '{"name": "get_weather", "arguments": {"city": "Oslo"}}' in answers


def test_without_a_baseline_the_old_model_has_neither_marks_nor_bars() -> None:
    tree = page("no baseline")

    assert tree.with_class("bar")
    assert not [bar for bar in tree.with_class("bar") if "old" in bar.classes()]
    (checks,) = tree.with_class("checks")
    assert {row.all("td")[0].text for row in checks.all("tr")[1:]} == {"not tested"}
    assert "codellama:7b-code has no results to compare with: it is not installed here." in section(
        tree, "What was not measured"
    ).text  # fmt: skip


def test_old_model_that_does_not_load_is_said_to_lack_every_figure() -> None:
    told = section(page("old does not load"), "What was not measured").text

    assert "llama3.1:8b did not load: unable to load model." in told
    assert "Not asked of qwen3:8b: reads pictures (no use of vision is planned)." in told
    assert "The new team-bot:latest was not tested: the run did not come that far." in told


def test_what_neither_model_was_asked_is_said_once() -> None:
    (told, *_) = section(page("committed"), "What was not measured").all("dd")

    assert [line.text for line in told.all("li")] == [
        "Not asked of llama3.1:8b and qwen3:8b: stays in the language it is asked in (not in the quick suite)."
    ]


def test_figure_of_one_model_alone_is_said_to_lack_for_the_other() -> None:
    test = page_samples.FULL_TESTED
    first, *others = test.comparison.figures
    half = replace(test.comparison, figures=(replace(first, new=None, ratio=None), *others))
    told = section(parsed(run_html(replace(run_samples.COMMITTED, tests=(replace(test, comparison=half),)))),
                   "What was not measured").text  # fmt: skip

    assert "Not measured for qwen3:8b: speed of answers." in told


def test_run_without_tests_says_so_for_every_model() -> None:
    tree = page("untested")

    assert [badge.text for badge in tree.with_class("badge")] == ["Not tested"] * 4
    assert section(tree, "What was not measured").text.count("--suite none was asked for") == 2
    assert not tree.with_class("chart")


def test_interrupted_run_names_the_command_that_goes_on_and_promises_no_way_back() -> None:
    todo = section(page("interrupted"), "What to do now")

    assert f"llamaexit resume {run_samples.RUN}" in [code.text for code in todo.all("code")]
    assert [h.text for h in todo.all("h3")] == ["Go on", "Go back"]


def test_names_show_short_digests_with_the_whole_ones_at_hand() -> None:
    names = section(page("committed"), "Names")

    rows = [[cell.text for cell in row.all("td")] for row in names.all("tbody")[0].all("tr")]
    assert rows == [
        ["was not there", "500a1f067a9f", "pulled, new here"],
        ["a" * 12, "e" * 12, "built again on qwen3:8b"],
        ["was not there", "500a1f067a9f", "alias of qwen3:8b"],
    ]
    titles = [code.attributes["title"] for code in names.all("code") if "title" in code.attributes]
    assert titles == [run_samples.QWEN, run_samples.BOT, run_samples.NEW_BOT, run_samples.QWEN]


def test_steps_are_listed_in_order_with_how_they_ended_and_their_time() -> None:
    happened = section(page("half-way"), "What happened")

    states = [[cell.text for cell in row.all("td")] for row in happened.all("tbody")[0].all("tr")]
    assert states == [
        ["stage", "done", "0.1 s"],
        ["stage", "done", "7 min"],
        ["test", "done", "84 s"],
        ["stage", "done", "0.4 s"],
        ["test", "done", "80 s"],
        ["switch", "done", "0.1 s"],
        ["switch", "failed", "0.1 s"],
        ["switch", "not begun", "–"],
    ]


def test_bars_are_as_long_as_the_figures_are_large() -> None:
    speed, first, _ = page("full suite, no-go").with_class("chart")

    def lengths(svg: Element) -> list[float]:
        return [float(rect.attributes["width"]) for rect in svg.all("rect")]

    old, new = lengths(speed)
    assert new / old == pytest.approx(58.4 / 41.2, abs=0.01)
    old, new = lengths(first)
    assert old / new == pytest.approx(0.62 / 0.41, abs=0.02)


def test_memory_that_is_split_shows_how_much_lies_where() -> None:
    memory = page("full suite").with_class("chart")[2]

    on_gpu, in_ram = (float(r.attributes["width"]) for r in memory.all("rect") if "new" in r.classes())
    assert on_gpu / (on_gpu + in_ram) == pytest.approx(0.8, abs=0.01)
    assert [text.text for text in memory.all("text")][-1] == "6.6 GiB, 80% GPU"


def test_prepared_model_is_called_by_the_name_people_know() -> None:
    assert "llamaexit-stage" not in html("committed")
    assert "New: team-bot:latest on qwen3:8b" in page("committed").text


def test_accepted_no_go_is_marked_as_one() -> None:
    badges = [badge.text for badge in page("accepted").with_class("badge")]

    assert badges[:2] == ["No-go, accepted", "Go"]


def test_two_checks_of_one_title_have_evidence_of_their_own() -> None:
    test = page_samples.FULL_TESTED
    assert test.new is not None
    twice = replace(test.new, results=(*test.new.results, replace(test.new.results[0], id="load/residency")))
    run = replace(run_samples.COMMITTED, tests=(replace(test, new=twice),))

    anchors = [proof.anchor for proof in view(run).replacements[0].evidence]

    assert len(anchors) == len(set(anchors)) == len(twice.results)


def test_check_that_is_passed_but_far_slower_than_the_old_model_is_told_of_as_what_stops_the_switch() -> None:
    test = page_samples.FULL_TESTED
    told = "it writes at 31% of the old speed"
    (first, *others) = test.comparison.rows
    slower = replace(test.comparison, rows=(replace(first, new="fail", blocks=True, meaning=told), *others))
    tree = parsed(run_html(replace(run_samples.REFUSED_VERDICT, tests=(replace(test, comparison=slower),))))

    (opened,) = [details for details in tree.all("details") if "open" in details.attributes]
    assert opened.all("summary")[0].text == "loads and stays in memory stops the switch"
    assert opened.all("p")[0].text == told


def test_hostile_text_is_more_than_markup() -> None:
    """The text that stands for ill will holds what each way out needs."""
    for part in ("<script", "\x1b", "\u202e", "|", "```", "\n#", "\ud800", "{{", "@"):
        assert part in EVIL
