from __future__ import annotations

import re
from functools import cache

import page_samples
import pytest
import run_samples
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markup import parsed
from page_samples import ALL_RUNS

from llamaexit.report.markdown_text import block, code, plain
from llamaexit.report.run_page import run_html, run_markdown

every_run = pytest.mark.parametrize("name", ALL_RUNS)
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
INLINE = {"text", "code_inline", "softbreak", "strong_open", "strong_close", "text_special"}
"""What a line of the report is made of: no HTML, no links, no pictures, nothing struck out."""

_PAGE_ONLY = frozenset({"figure", "caption", "summary", "svg"})
"""Pictures, whose figures are in tables as well, and words about where on the page something is."""


@cache
def markdown(name: str) -> str:
    return run_markdown(ALL_RUNS[name])


def tokens(name: str) -> list[Token]:
    return PARSER.parse(markdown(name))


def shown(token: Token) -> str:
    """The text of a token as a reader sees it."""
    return "".join(child.content for child in token.children) if token.children else token.content


def words(text: str) -> str:
    """Letters and digits alone, so that two ways to write down the same thing are the same."""
    return " ".join(re.findall(r"\w+", text))


@every_run
def test_markdown_holds_no_markup_but_its_own(name: str) -> None:
    found = tokens(name)

    assert not [token for token in found if token.type == "html_block"]
    assert {child.type for token in found for child in token.children or ()} <= INLINE
    assert {token.tag for token in found if token.type == "heading_open"} <= {"h1", "h2", "h3", "h4"}


@every_run
def test_every_row_of_a_table_has_as_many_cells_as_its_head(name: str) -> None:
    columns = 0
    for line in markdown(name).split("\n"):
        if not line.startswith("|"):
            columns = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line)) - 1
        columns = columns or cells
        assert cells == columns


@every_run
def test_every_table_that_is_written_is_read_as_one(name: str) -> None:
    written = len(re.findall(r"^\|(---:?\|)+$", markdown(name), re.MULTILINE))

    assert len([token for token in tokens(name) if token.type == "table_open"]) == written


@every_run
def test_page_and_markdown_have_the_same_sections(name: str) -> None:
    page = parsed(run_html(ALL_RUNS[name]))
    found = tokens(name)
    told = [shown(found[i + 1]) for i, token in enumerate(found) if token.type == "heading_open" and token.tag == "h2"]

    assert list(map(words, told)) == [words(heading.text) for heading in page.all("h2")]


@every_run
def test_markdown_says_everything_the_page_says(name: str) -> None:
    told = words(" ".join(map(shown, tokens(name))))
    page = parsed(run_html(ALL_RUNS[name]))

    missing = [text for text in page.all("main")[0].strings(without=_PAGE_ONLY) if words(text) not in told]
    assert missing == []


def test_what_a_model_answered_is_whole_and_stays_in_its_block() -> None:
    fences = [token.content for token in tokens("no-go") if token.type == "fence"]

    assert 'Sure! Here is the JSON:\n```json\n{"name": "Bo"}\n```\n' in fences
    assert "Bo is 7.\nGive name, age and tags.\n" in fences


def test_markdown_of_hostile_text_can_be_written_anywhere() -> None:
    text = markdown("hostile")

    assert text.encode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\ufeff]", text)
    assert len(text) < 200_000


@pytest.mark.parametrize(
    "text",
    ["a|b", "`x`", "<b>", "[a](b)", "![a](b)", "*a* _b_ ~~c~~", "# a", "&lt;", r"a\|b", "$x$", "a\n\nb"],
)
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    (_, inline, _) = PARSER.parse(f"- {plain(text)}")[2:5]

    assert "".join(child.content for child in inline.children or ()) == " ".join(text.split())


def test_nobody_is_called_by_what_a_model_says() -> None:
    assert "@everyone" not in markdown("hostile").replace("```", "").split("## What was decided")[1]
    assert plain("ask @team") == "ask @\u2060team"


@pytest.mark.parametrize(("text", "shown"), [("qwen3:8b", "`qwen3:8b`"), ("a`b", r"a\`b"), ("a|b", r"a\|b"), ("", "")])
def test_names_are_code_unless_they_would_break_out_of_it(text: str, shown: str) -> None:
    assert code(text) == shown


def test_fence_is_longer_than_any_in_the_text() -> None:
    assert block("a\n`````\nb")[0] == "``````text"


def test_markdown_names_commands_edits_and_changes() -> None:
    text = markdown("committed")

    assert f"- `llamaexit rollback {run_samples.RUN}`: puts back what team-bot:latest and team-chat:latest" in text
    assert "  - Name qwen3:8b where llama3.1:8b stands now." in text
    assert "| `team-bot:latest` | `aaaaaaaaaaaa` | `eeeeeeeeeeee` | built again on qwen3:8b |" in text
    assert f"- `team-bot:latest`: `llamaexit-keep/{run_samples.BOT}:latest`" in text


def test_markdown_ends_in_one_newline() -> None:
    assert run_markdown(page_samples.NOTHING).endswith("of the run.\n")
