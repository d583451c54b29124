"""A migration as a person sees it: on a pseudo terminal, with keys that are pressed."""

from __future__ import annotations

import os
import re

import pytest
from scene import llama_models, plan_for

from llamaexit.jsonable import dump
from llamaexit.migration.runs import run_ids
from pseudo_terminal import at_terminal
from standin import Pace, Registry, Standin, Store

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo terminals of this kind")
MIGRATE = ("migrate", "plan.json", "--apply", "--suite", "quick")
PROMISE = "Nothing has been changed that anyone uses."


@pytest.fixture
def ollama(start_standin, monkeypatch, isolated):
    """A server that downloads slowly enough to be watched, and plan.json."""
    registry = Registry()
    server = start_standin(Store.of(*llama_models()), registry=registry, pace=Pace(bytes_per_second=50_000))
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    monkeypatch.setenv("LLAMAEXIT_STATE_DIR", str(isolated / "state"))
    (isolated / "work" / "plan.json").write_bytes(dump(plan_for(server, registry)))
    return server


@pytest.mark.parametrize("columns", [80, 140])
def test_migration_is_shown_asked_about_and_told_live(ollama: Standin, columns: int) -> None:
    screen = at_terminal(*MIGRATE, columns=columns, press={"Go on? [y/N]": b"y\n"})
    assert screen.code == 0
    asked = screen.text.index("Go on? [y/N]")
    assert screen.text.index("2 models to migrate.") < asked < screen.text.index(PROMISE) < screen.text.index("Done: ")
    assert "\x1b[32m✓ " in screen.raw and "━" in screen.raw
    assert re.search(r"\d+% of \d.*, \d+(\.\d+)? [KM]B/s, \d+ s left", screen.text)
    assert max(map(len, screen.text.split("\n"))) <= columns
    # a run that is left at once could not bring the cursor back
    assert "\x1b[?25l" not in screen.raw


def test_no_colour_where_none_is_wanted(ollama: Standin) -> None:
    screen = at_terminal(*MIGRATE, press={"Go on? [y/N]": b"y\n"}, NO_COLOR="1")
    assert screen.code == 0 and PROMISE in screen.text
    assert re.search(r"\x1b\[[0-9;]*3[0-8]", screen.raw) is None


def test_dumb_terminal_gets_lines(ollama: Standin) -> None:
    screen = at_terminal(*MIGRATE, press={"Go on? [y/N]": b"y\n"}, TERM="dumb")
    assert screen.code == 0 and "\x1b" not in screen.raw
    assert re.search(r"\n +2/7 pull \S+: done in ", screen.text)


def test_terminal_that_cannot_show_the_signs_gets_lines(ollama: Standin) -> None:
    screen = at_terminal(*MIGRATE, press={"Go on? [y/N]": b"y\n"}, PYTHONIOENCODING="ascii")
    assert screen.code == 0 and "✓" not in screen.raw
    assert re.search(r"\n +2/7 pull \S+: done in ", screen.text)


@pytest.mark.parametrize(("keys", "code"), [(b"n\n", 4), (b"\n", 4), (b"\x04", 4), (b"\x03", 130)])
def test_everything_but_a_yes_changes_nothing(ollama: Standin, isolated, keys: bytes, code: int) -> None:
    before = dict(ollama.store.manifests)
    screen = at_terminal(*MIGRATE, press={"Go on? [y/N]": keys})
    assert (screen.code, ollama.store.manifests, run_ids(isolated / "state")) == (code, before, ())
    assert "nothing was changed" in screen.text.splitlines()[-1]


def test_interruption_leaves_a_clean_screen_and_says_how_to_go_on(ollama: Standin, isolated) -> None:
    screen = at_terminal(*MIGRATE, press={"Go on? [y/N]": b"y\n", "% of ": b"\x03"})
    (run,) = run_ids(isolated / "state")
    assert screen.code == 130
    said = screen.text.split("\n")
    assert said[-2] == f"llamaexit: interrupted; nothing was switched — go on with llamaexit resume {run}"
    assert "Traceback" not in screen.text


def test_page_is_not_thrown_onto_a_terminal() -> None:
    screen = at_terminal("report", "--html", press={})
    assert (screen.code, screen.text) == (
        2, "llamaexit: --html is a whole page, which no terminal shows — say where to: --out run.html\n",
    )  # fmt: skip
