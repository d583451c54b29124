"""What a person says about a lineage that could not be told."""

from __future__ import annotations

import pytest
from lineage_cases import LLAMA, installed, judged, named, rules, shaped, text_of

from llamaexit.lineage import is_matter_of_policy, question, with_answer
from llamaexit.recipes.library import Library


def test_an_answer_settles_an_open_question(library: Library) -> None:
    open_one = judged(installed("helper:latest", LLAMA), library)

    answered = with_answer(open_one, "meta")

    assert (answered.verdict, question(answered)) == ("meta", None)
    assert (answered.evidence[0].rule, answered.evidence[0].strength) == ("stated", "proof")
    assert answered.evidence[0].text == "you said that it is Llama"


def test_what_was_found_stays_beside_an_answer(library: Library) -> None:
    answered = with_answer(judged(installed("helper:latest", LLAMA), library), "not-meta")

    assert rules(answered) == ["stated", "architecture"]


def test_an_answer_keeps_the_nearest_record_when_it_is_llama(library: Library) -> None:
    header = {**LLAMA, "tokenizer.ggml.model": "llama"}
    open_one = judged(installed("helper:7b", header, shape=shaped((4096, 32, 11008), 32, 32000)), library)

    answered = with_answer(open_one, "meta")

    assert (answered.origin, answered.generation) == ("llama2:7b", "llama2")


def test_an_answer_drops_the_nearest_record_when_it_is_not_llama(library: Library) -> None:
    answered = with_answer(judged(installed("tinyllama:latest", LLAMA), library), "not-meta")

    assert (answered.verdict, answered.origin, answered.generation) == ("not-meta", None, None)


def test_an_answer_against_what_was_found_wins_and_is_said_to_be_against_it(library: Library) -> None:
    found = judged(installed("qwen3:8b", {"general.architecture": "qwen3"}), library)

    answered = with_answer(found, "meta")

    assert answered.verdict == "meta"
    assert text_of(answered, "contradiction") == (
        "what you said is against what was found: its architecture is qwen3, which no Llama model has"
    )


def test_an_answer_that_agrees_contradicts_nothing(library: Library) -> None:
    found = judged(installed("llama3.1:8b", {**LLAMA, "general.license": "llama3.1"}), library)

    assert "contradiction" not in rules(with_answer(found, "meta"))


def test_answering_twice_keeps_the_last_answer(library: Library) -> None:
    open_one = judged(installed("helper:latest", LLAMA), library)

    answered = with_answer(with_answer(open_one, "meta"), "not-meta")

    assert answered.verdict == "not-meta"
    assert rules(answered).count("stated") == 1


def test_a_settled_lineage_can_be_opened_again(library: Library) -> None:
    found = judged(installed("llama4:latest", {"general.architecture": "llama4"}), library)

    assert with_answer(found, "unknown").verdict == "unknown"


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("tinyllama:latest", True),
        ("orca-mini:3b", True),
        ("team-bot:latest", False),
        ("deepseek-r1:9b", False),
        ("llama3.1:8b", False),
        ("mistral:latest", False),
    ],
    ids=[
        "trained from scratch like Llama",
        "built on such a one",
        "nothing is known",
        "a tag nobody knows",
        "Llama",
        "not Llama",
    ],
)
def test_what_is_known_and_still_open_is_a_matter_of_policy(library: Library, name: str, policy: bool) -> None:
    assert is_matter_of_policy(judged(named(name), library)) == policy


def test_an_answer_closes_a_matter_of_policy(library: Library) -> None:
    assert not is_matter_of_policy(with_answer(judged(named("tinyllama:latest"), library), "not-meta"))
