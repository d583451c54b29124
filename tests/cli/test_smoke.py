"""`llamaexit smoke`, on a stand-in whose models answer as they are told."""

from __future__ import annotations

import json

import pytest
from planning_cases import MACHINES
from scene import META

from standin import Model, Store, gguf
from standin.brains import breaks_json_about
from standin.brains_tools import OLD_AGENT

OLD, NEW = "llama3.1:8b", "qwen3:8b"
TEMPLATE = "{{ .Prompt }}{{ .Tools }}"


@pytest.fixture
def server(start_standin, monkeypatch):
    """A Llama and a Qwen that answer well, on a machine with one good card."""
    weights = {
        OLD: gguf.llama(extra=META, context=131_072),
        NEW: gguf.llama("qwen3", context=40_960, extra={"general.basename": "Qwen3"}),
    }
    standin = start_standin(Store.of(*(Model(name, weights=bits, template=TEMPLATE) for name, bits in weights.items())))
    standin.behaviours.update(dict.fromkeys(weights, OLD_AGENT))
    monkeypatch.setenv("OLLAMA_HOST", standin.url)
    monkeypatch.setattr("llamaexit.hardware.read_machine", lambda store: MACHINES["an RTX 4090"])
    return standin


def test_good_model_is_a_go_and_nothing_is_changed(run, server) -> None:
    before = dict(server.store.manifests)
    outcome = run("smoke", NEW, "--against", OLD, "--use", "chat", "--context", "8k")
    assert (outcome.code, outcome.stdout.splitlines()[0]) == (0, f"{OLD} → {NEW}  Go")
    assert "Use         chat (given by you)" in outcome.stdout
    assert "of the quick suite at 8192 tokens" in " ".join(outcome.stdout.split())
    assert outcome.stdout.endswith("\nNothing has been changed.\n")
    assert server.store.manifests == before


def test_old_model_is_asked_first_and_the_same(run, server) -> None:
    run("smoke", NEW, "--against", OLD, "--use", "chat", "--context", "8k")
    asked = [request.body["model"] for request in server.log if request.path == "/api/chat"]
    assert asked == sorted(asked, key=[OLD, NEW].index) and set(asked) == {OLD, NEW}


def test_what_the_new_model_cannot_do_is_a_no_go_with_question_and_answer(run, server) -> None:
    server.behaviours[NEW] = OLD_AGENT.but(breaks_json_about("a"))
    outcome = run("smoke", NEW, "--against", OLD, "--use", "tools", "--context", "8k")
    assert outcome.code == 1
    assert outcome.stdout.splitlines()[0] == f"{OLD} → {NEW}  No-go"
    assert "\n    asked     " in outcome.stdout and "\n    answered  " in outcome.stdout
    assert outcome.stderr.splitlines()[-1].startswith(f"llamaexit: {NEW}: ")


def test_model_alone_has_to_pass_by_itself(run, server) -> None:
    outcome = run("smoke", NEW, "--use", "chat", "--context", "8k")
    assert (outcome.code, outcome.stdout.splitlines()[0]) == (0, f"{NEW}  Go")
    assert "Baseline    The old model was not tested" in outcome.stdout
    assert "CHECK" in outcome.stdout and "OLD" not in outcome.stdout


def test_uses_are_those_of_the_model_it_is_held_against(run, server) -> None:
    data = run("smoke", NEW, "--against", OLD, "--json").envelope["data"]
    assert data["new"]["subject"]["uses"] == data["old"]["subject"]["uses"] == ["chat", "tools", "long-context", "rag"]


def test_json_is_one_document_and_events_go_to_stderr(run, server) -> None:
    outcome = run("smoke", NEW, "--against", OLD, "--use", "chat", "--context", "8k", "--json")
    data = outcome.envelope["data"]
    assert (outcome.code, data["verdict"], data["old"]["subject"]["context"]) == (0, "go", 8192)
    told = [json.loads(line)["event"] for line in outcome.stderr.splitlines()]
    assert (told[0], told[-2:], set(told[1:-2])) == ("step", ["judged", "step"], {"check-began", "check-ended"})


def test_questions_of_a_recipe_are_asked_too(run, server, isolated) -> None:
    (isolated / "work" / "llamaexit.toml").write_text(
        f"""
schema = 1
name = "our-team"
version = "1"

[[rules]]
id = "ours"
use = "chat"
match = ["{OLD}"]
targets = [{{ model = "{NEW}" }}]

[[rules.smoke]]
id = "polite"
ask = "Say hello."
expect = {{ contains = "a word that nobody says" }}
"""
    )
    outcome = run("smoke", NEW, "--use", "chat", "--context", "8k", "--json")
    (own,) = [result for result in outcome.envelope["data"]["new"]["results"] if result["own"]]
    assert (outcome.code, own["outcome"], own["title"]) == (1, "fail", "polite")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["qwen9:8b"], "qwen9:8b is not installed here — did you mean qwen3:8b?", id="a slip"),
        pytest.param(["gemma"], "gemma is not installed here — ollama pull gemma", id="a model that is not here"),
        pytest.param([NEW, "--against", "nosuch"], "nosuch is not installed here", id="an old one that is not here"),
        pytest.param([NEW, "--suite", "none"], "--suite none asks for no tests — say quick or full", id="no tests"),
        pytest.param([NEW, "--use", "everything"], "--use: there is no use 'everything'", id="a use that is none"),
        pytest.param([NEW, "--context", "0"], "--context: '0' is not a number of tokens", id="no context"),
        pytest.param([], "missing argument 'target'", id="no model"),
    ],
)
def test_what_cannot_be_tested_is_one_line_with_exit_code_2(run, server, arguments, said) -> None:
    outcome = run("smoke", *arguments)
    assert (outcome.code, outcome.stdout, outcome.stderr.count("\n")) == (2, "", 1)
    assert said in outcome.stderr.lower() or said in outcome.stderr


def test_without_a_server_there_is_nothing_to_test(run) -> None:
    outcome = run("smoke", NEW)
    assert (outcome.code, outcome.stdout, outcome.stderr.count("\n")) == (1, "", 1)
    assert "start Ollama" in outcome.stderr
