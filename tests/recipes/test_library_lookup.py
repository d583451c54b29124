"""Looking models up by name and digest."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaexit.recipes.library import Library
from llamaexit.recipes.load import load_library
from llamaexit.recipes.names import digest_key, name_key

LIBRARY = load_library()
TARGET_NAMES = st.sampled_from(sorted(LIBRARY.target_names()))
ORIGIN_NAMES = st.sampled_from(sorted(name for origin in LIBRARY.origins for name in (origin.name, *origin.also)))


@st.composite
def respelled(draw: st.DrawFn, names: st.SearchStrategy[str]) -> tuple[str, str]:
    """A name, and another spelling that means the same to Ollama."""
    name = draw(names)
    spelled = "".join(draw(st.sampled_from((c.lower(), c.upper()))) for c in name)
    if spelled.lower().endswith(":latest") and draw(st.booleans()):
        spelled = spelled[: -len(":latest")]
    prefix = draw(st.sampled_from(("", "library/", "registry.ollama.ai/library/", "LIBRARY/")))
    return name, draw(st.sampled_from(("", " "))) + prefix + spelled


@given(respelled(TARGET_NAMES))
def test_a_target_is_found_however_its_name_is_spelled(names: tuple[str, str]) -> None:
    name, spelled = names
    assert LIBRARY.target(name) is not None
    assert LIBRARY.target(spelled) == LIBRARY.target(name)


@given(respelled(ORIGIN_NAMES))
def test_an_origin_is_found_however_its_name_is_spelled(names: tuple[str, str]) -> None:
    name, spelled = names
    assert LIBRARY.origin(name) is not None
    assert LIBRARY.origin(spelled) is LIBRARY.origin(name)


@given(st.text(max_size=60))
def test_any_text_at_all_can_be_asked_for(text: str) -> None:
    for answer in (LIBRARY.target(text), LIBRARY.origin(text), LIBRARY.closed(text), LIBRARY.rule(text)):
        assert answer is None or answer
    assert LIBRARY.origin_by_manifest(text) is None or len(digest_key(text)) == 12
    assert name_key(name_key(text)) == name_key(text)


@pytest.mark.parametrize(
    ("name", "record", "tag"),
    [
        ("qwen3:8b", "qwen3:8b", None),
        ("qwen3", "qwen3:8b", None),
        ("qwen3:8b-q4_K_M", "qwen3:8b", None),
        ("qwen3:8b-q8_0", "qwen3:8b", "8b-q8_0"),
        ("QWEN3:8B-Q8_0", "qwen3:8b", "8b-q8_0"),
        ("qwen3.8:27b-q4_K_M", "qwen3.8:27b", "27b-q4_K_M"),
        ("hf.co/library/qwen3:8b", None, None),
        ("somebody/qwen3:8b", None, None),
        ("qwen3:9b", None, None),
        ("", None, None),
    ],
)
def test_a_target_comes_with_the_tag_that_was_meant(
    library: Library, name: str, record: str | None, tag: str | None
) -> None:
    found = library.target(name)
    if record is None:
        assert found is None
        return
    assert found is not None
    assert found[0].name == record
    assert (found[1].tag if found[1] else None) == tag


def test_an_origin_comes_with_the_tag_that_was_meant(library: Library) -> None:
    found = library.origin_tag("llama3.1:8b-instruct-q8_0")
    assert found is not None
    origin, tag = found
    assert origin.name == "llama3.1:8b"
    assert tag is not None
    assert (tag.quant, tag.size) == ("q8_0", 8_500_000_000)
    assert library.origin_tag("llama3.1") == (origin, None)
    assert library.origin_tag("nothing:7b") is None


def test_uses_of_a_name_nobody_knows_are_empty(library: Library) -> None:
    assert library.uses("team-bot") == ()


def test_an_unknown_caveat_code_is_an_error_of_the_caller(library: Library) -> None:
    with pytest.raises(KeyError):
        library.caveat("NO_SUCH_CODE")


def test_the_builtin_recipes_are_listed_with_what_they_hold(library: Library) -> None:
    by_name = {entry.name: entry for entry in library.loaded}
    assert by_name["llama"].origins == 124
    assert by_name["lookalikes"].origins == 83
    assert sum(entry.models for entry in library.loaded) == 193
    assert sum(entry.rules for entry in library.loaded) == len(library.rules)
    assert all(entry.builtin and entry.file == f"builtin:{entry.name}.toml" for entry in library.loaded)


def test_facts_are_stale_after_180_days_and_not_before(library: Library) -> None:
    checked = dt.date(2026, 11, 23)
    assert library.stale(checked) == ()
    assert library.stale(checked + dt.timedelta(days=180)) == ()
    assert library.stale(checked + dt.timedelta(days=181)) == library.loaded


def test_without_recipes_of_ones_own_nothing_is_denied(library: Library) -> None:
    policy = library.policy
    assert policy.in_words() == ()
    assert policy.pin("qwen3:8b") is None
    assert policy.deny_models is None
    assert library.warnings == ()
    assert library.requires_ollama == ()
