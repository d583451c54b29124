"""The report page in a real browser, where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, browser, find_chromium
from page_samples import ALL_RUNS

from llamaexit.report.run_page import run_html

CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome that could be run without a window")

SHOWN = ("full suite", "full suite, no-go", "no baseline", "untested", "conflict", "interrupted", "nothing", "hostile")
"""Runs whose pages differ in what is on them."""
every_page = pytest.mark.parametrize("name", SHOWN)

OPEN_ALL = "document.querySelectorAll('details').forEach(details => { details.open = true })"
CONTRASTS = """
(() => {
  const parsed = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parsed(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest('title, desc')) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(parsed(element.closest('svg') ? style.fill : style.color)), light(behind(element))];
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), node.data.trim().slice(0, 40)]);
  }
  return found;
})()
"""  # noqa: E501


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert CHROMIUM is not None
    with browser(CHROMIUM, tmp_path_factory.mktemp("profile")) as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    found = {}
    for number, name in enumerate(SHOWN):
        found[name] = folder / f"{number}.html"
        found[name].write_bytes(run_html(ALL_RUNS[name]).encode())
    return found


@every_page
def test_page_loads_without_a_complaint_and_asks_for_nothing(tab: Browser, pages: dict[str, Path], name: str) -> None:
    tab.open(pages[name], width=1280)
    tab.evaluate(OPEN_ALL)

    assert tab.complaints == []
    assert [url for url in tab.requests if url != "data:,"] == [pages[name].as_uri()]


@every_page
@pytest.mark.parametrize("width", [360, 1280])
def test_page_is_no_wider_than_the_window(tab: Browser, pages: dict[str, Path], name: str, width: int) -> None:
    tab.open(pages[name], width=width)
    tab.evaluate(OPEN_ALL)

    assert tab.evaluate("innerWidth") == width
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    assert tab.evaluate(f"[...document.querySelectorAll('svg')].filter(e => e.getBoundingClientRect().right > {width})"
                        ".length") == 0  # fmt: skip


@every_page
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(tab: Browser, pages: dict[str, Path], name: str, dark: bool) -> None:
    tab.open(pages[name], width=1280, dark=dark)
    tab.evaluate(OPEN_ALL)

    contrasts = tab.evaluate(CONTRASTS)

    assert len(contrasts) > 10
    assert [text for ratio, text in contrasts if ratio < 4.5] == []


def test_light_and_dark_are_two_pages_and_paper_is_light(tab: Browser, pages: dict[str, Path]) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    tab.open(pages["full suite"], width=1280)
    light = tab.evaluate(background)
    tab.open(pages["full suite"], width=1280, dark=True)
    dark = tab.evaluate(background)
    tab.call("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    paper = tab.evaluate(background)
    tab.call("Emulation.setEmulatedMedia", media="")

    assert len({light, dark, paper}) == 3
    assert paper == "rgb(255, 255, 255)"


def test_evidence_opens_when_a_check_is_followed(tab: Browser, pages: dict[str, Path]) -> None:
    tab.open(pages["full suite"], width=1280)
    tab.evaluate("document.querySelector('.checks a').click()")

    # following a link to something in closed details opens them, a turn of the event loop later
    shown = tab.call(
        "Runtime.evaluate", returnByValue=True, awaitPromise=True,
        expression="new Promise(done => setTimeout(() => done(document.querySelector(location.hash).checkVisibility()"
        " && location.hash), 50))",
    )["result"]["value"]  # fmt: skip

    assert shown == "#r1-0-load-residency"


def test_screen_readers_get_names_for_pictures_and_regions(tab: Browser, pages: dict[str, Path]) -> None:
    tab.open(pages["full suite"], width=1280)

    nodes = [n for n in tab.call("Accessibility.getFullAXTree")["nodes"] if not n.get("ignored")]

    def named(role: str) -> list[str]:
        return [n.get("name", {}).get("value", "") for n in nodes if n.get("role", {}).get("value") == role]

    pictures = [name for role in ("image", "img") for name in named(role)]
    assert "Speed old: 41.2 tokens/s; new: 58.4 tokens/s" in pictures
    assert "" not in pictures
    assert "" not in named("region")
    assert len(named("heading")) >= 10
    assert "Model" in named("columnheader")
    assert any("llama3.1:8b" in name for name in named("rowheader"))
