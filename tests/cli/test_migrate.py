"""`llamaexit migrate`, from the command line to what it hands to the engine and how it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import event_samples as events
import pytest
import run_samples as sample
from planning_cases import MACHINES
from scene import llama_models

from llamaexit.errors import OllamaError
from llamaexit.jsonable import dump
from llamaexit.migration.failures import Locked, Stale
from llamaexit.migration.options import MigrationOptions, Place
from llamaexit.migration.record import Run
from llamaexit.ollama.registry import RegistryUnreachable
from llamaexit.planning.plan import Plan
from llamaexit.planning.planfile import plan_id_of
from standin import Store


@dataclass
class Engine:
    """Stands in for the engine: remembers what it was given, tells the events of a run, and returns that run."""

    run: Run = sample.COMMITTED
    error: Exception | None = None
    calls: list[tuple[Plan, MigrationOptions, Place]] = field(default_factory=list)

    def __call__(self, plan: Plan, options: MigrationOptions, place: Place, listener: Any) -> Run:
        self.calls.append((plan, options, place))
        if self.error is not None:
            raise self.error
        for event in events.WHOLE:
            listener(event)
        return self.run

    @property
    def options(self) -> MigrationOptions:
        """What the only call was given."""
        ((_, options, _),) = self.calls
        return options


@pytest.fixture
def engine(monkeypatch):
    fake = Engine()
    monkeypatch.setattr("llamaexit.migration.engine.migrate", fake)
    return fake


class NoRegistry:
    """A registry that cannot be reached; `asked` counts how often that was tried."""

    asked = 0

    def manifest(self, name, server_version=None):
        self.asked += 1
        raise RegistryUnreachable("the registry cannot be reached: no route to host")


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    nobody = NoRegistry()
    monkeypatch.setattr("llamaexit.cli.online.registry_here", lambda timeout, **_: nobody)
    return nobody


@pytest.fixture
def ollama(start_standin, monkeypatch):
    """A server with a library Llama, a model built on it, and one that is no Llama, on a machine with one good card.

    It is the one OLLAMA_HOST names.
    """
    server = start_standin(Store.of(*llama_models()))
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    monkeypatch.setattr("llamaexit.hardware.read_machine", lambda store: MACHINES["an RTX 4090"])
    return server


@pytest.fixture
def plan_file(isolated):
    """A plan on disk, for models that are not here."""
    plan = replace(sample.PLAN, plan_id="")
    plan = replace(plan, plan_id=plan_id_of(plan))
    (isolated / "work" / "plan.json").write_bytes(dump(plan))
    return "plan.json"


def test_without_apply_the_steps_are_shown_and_nothing_is_done(run, ollama, engine) -> None:
    before = len(ollama.log)
    outcome = run("migrate")
    assert (outcome.code, outcome.stderr, engine.calls) == (0, "", [])
    assert "2 models to migrate." in outcome.stdout
    assert "- test the new team-bot:latest against team-bot:latest" in outcome.stdout
    assert {entry.method for entry in ollama.log[before:]} <= {"GET", "POST"}
    assert {entry.path for entry in ollama.log[before:]} <= {"/api/version", "/api/tags", "/api/ps", "/api/show"}


def test_steps_end_with_the_command_that_carries_out_just_them(run, ollama) -> None:
    outcome = run("migrate", "--only", "team-bot*", "--use", "team-bot=chat", "--suite", "full")
    assert outcome.stdout.endswith(
        "\nNothing has been changed.\n"
        "Next        llamaexit migrate --only 'team-bot*' --use team-bot=chat \\\n"
        "                --suite full --apply\n"
    )


def test_steps_of_a_plan_file_need_no_ollama(run, plan_file) -> None:
    outcome = run("migrate", plan_file)
    assert (outcome.code, outcome.stderr) == (0, "")
    assert ", from plan.json\n" in outcome.stdout
    assert outcome.stdout.endswith("\nNext        llamaexit migrate plan.json --apply\n")


def test_plan_is_made_with_the_catalogue_where_the_registry_cannot_be_asked(run, ollama, registry) -> None:
    outcome = run("migrate")
    assert registry.asked
    assert "Note the registry cannot be reached: no route to host: sizes and digests are those of the catalogue" in (
        " ".join(outcome.stdout.split())
    )


def test_registry_is_not_asked_where_nothing_is_to_be_pulled(run, ollama, registry) -> None:
    assert "Note" not in run("migrate", "--no-pull").stdout
    assert registry.asked == 0


def test_apply_without_a_terminal_needs_yes(run, ollama, engine) -> None:
    outcome = run("migrate", "--apply")
    assert (outcome.code, outcome.stdout, engine.calls) == (4, "", [])
    assert "2 models to migrate." in outcome.stderr
    assert outcome.stderr.endswith("llamaexit: not confirmed: there is no terminal to ask on — add --yes\n")


def test_apply_hands_over_the_very_plan_that_was_shown(run, ollama, engine) -> None:
    outcome = run("migrate", "--apply", "--yes")
    ((plan, options, place),) = engine.calls
    assert f"Plan        {plan.plan_id[:12]}, made now" in outcome.stderr
    assert plan.plan_id == plan_id_of(plan)
    assert options == MigrationOptions()
    assert (place.host, place.state.name) == (ollama.url, "llamaexit")


def test_apply_hands_over_a_plan_file_as_it_is(run, plan_file, engine) -> None:
    run("migrate", plan_file, "--apply", "--yes", "--skip", "codellama*")
    ((plan, options, _),) = engine.calls
    assert plan.decisions == sample.PLAN.decisions
    assert options.skip == ("codellama*",)


@pytest.fixture
def foreign_plan(isolated):
    """A plan on disk with a target from a registry that nobody allowed."""
    bot = "registry.acme.example/team/bot:1"
    decisions = tuple(
        d if d.target is None else replace(d, target=replace(d.target, model=bot)) for d in sample.PLAN.decisions
    )
    plan = replace(sample.PLAN, plan_id="", decisions=decisions)
    plan = replace(plan, plan_id=plan_id_of(plan))
    (isolated / "work" / "plan.json").write_bytes(dump(plan))
    return "plan.json"


def test_plan_of_somebody_else_pulls_from_no_registry_that_is_not_allowed(run, foreign_plan, engine, isolated) -> None:
    outcome = run("migrate", foreign_plan, "--apply", "--yes")
    assert (outcome.code, outcome.stdout, engine.calls) == (4, "", [])
    assert outcome.stderr.splitlines()[-1] == (
        "llamaexit: plan.json: registry.acme.example/team/bot:1 comes from registry.acme.example/team, which is not "
        "among the registries that your settings allow — if you trust it: llamaexit recipe allow "
        "registry.acme.example/team"
    )
    run("recipe", "allow", "registry.acme.example/team")
    run("migrate", foreign_plan, "--apply", "--yes")
    assert len(engine.calls) == 1


def test_plan_with_targets_of_ollamas_own_registry_needs_no_settings(run, plan_file, engine, isolated) -> None:
    file = isolated / ".config" / "llamaexit" / "settings.toml"
    file.parent.mkdir(parents=True)
    file.write_text("not TOML")
    assert run("migrate", plan_file, "--apply", "--yes").code == 0


@pytest.mark.parametrize("ci", ["1", ""], ids=["in CI", "elsewhere"])
@pytest.mark.parametrize("other", [True, False], ids=["another build", "the locked build"])
def test_plan_with_another_build_than_is_locked_is_not_carried_out_in_ci(
    run, plan_file, engine, monkeypatch, ci: str, other: bool
) -> None:
    target = next(d.target for d in sample.PLAN.decisions if d.target is not None)
    locked = "ab" * 32 if other else target.digest
    Path("llamaexit.lock").write_text(
        f'lock = 1\nroots = []\n[[targets]]\nmodel = "{target.model}"\ndigest = "sha256:{locked}"\nseen = "registry"\n'
    )
    monkeypatch.setenv("CI", ci)
    outcome = run("migrate", plan_file, "--apply", "--yes")
    if ci and other:
        assert (outcome.code, outcome.stdout, engine.calls) == (4, "", [])
        line = outcome.stderr.splitlines()[-1]
        assert line.startswith(
            f"llamaexit: plan.json: {target.model} may be build {target.digest[:12]}, llamaexit.lock has abababababab"
        )
    else:
        assert (outcome.code, len(engine.calls)) == (0, 1)


def test_runs_are_kept_where_the_environment_says(run, plan_file, engine, monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("LLAMAEXIT_STATE_DIR", str(tmp_path / "runs"))
    run("migrate", plan_file, "--apply", "--yes")
    assert engine.calls[0][2].state == tmp_path / "runs"


def test_host_that_is_named_is_the_one_worked_on(run, plan_file, engine) -> None:
    run("migrate", plan_file, "--apply", "--yes", "--host", "10.0.0.7")
    assert engine.calls[0][2].host == "http://10.0.0.7:11434"


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        pytest.param(["--stage"], {"stage": True}, id="stage"),
        pytest.param(["--only", "llama3.1*", "--only", "team-bot"], {"only": ("llama3.1*", "team-bot")}, id="only"),
        pytest.param(["--skip", "team-bot"], {"skip": ("team-bot",)}, id="skip"),
        pytest.param(["--no-pull"], {"pull": False}, id="no pull"),
        pytest.param(["--keep-going"], {"keep_going": True}, id="keep going"),
        pytest.param(
            ["--alias", "team-chat=llama3.1:8b", "--alias", "fast=fim"],
            {"aliases": {"team-chat": "llama3.1:8b", "fast": "fim"}},
            id="aliases",
        ),
        pytest.param(["--take-over"], {"take_over": True}, id="take over"),
        pytest.param(["--accept", "llama3.1:8b"], {"accept": ("llama3.1:8b",)}, id="accept"),
        pytest.param(["--suite", "full"], {"suite": "full"}, id="full suite"),
        pytest.param(["--suite", "none"], {"suite": "none"}, id="no suite"),
        pytest.param(["--timeout", "90"], {"answer_seconds": 90.0}, id="timeout"),
        pytest.param(["--stall-timeout", "30"], {"stall_seconds": 30.0}, id="stall timeout"),
    ],
)
def test_options_reach_the_engine(run, plan_file, engine, arguments, wanted) -> None:
    outcome = run("migrate", plan_file, "--apply", "--yes", *arguments)
    assert (outcome.code, engine.options) == (0, MigrationOptions(**wanted))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--use", "a=chat"], "--use is for planning, and plan.json is a plan already", id="--use"),
        pytest.param(["--context", "8k"], "--context is for planning", id="--context"),
        pytest.param(["--thinking", "allow"], "--thinking is for planning", id="--thinking"),
        pytest.param(["--lineage", "a=meta"], "--lineage is for planning", id="--lineage"),
        pytest.param(["--recipe", "a.toml"], "--recipe is for planning", id="--recipe"),
        pytest.param(["--yes"], "--yes answers what only --apply asks", id="--yes without --apply"),
        pytest.param(
            ["--apply", "--accept", "llama3.1:8b", "--suite", "none"], "--suite none asks for no tests", id="--accept"
        ),
        pytest.param(["--suite", "fast"], "--suite: there is no suite 'fast'", id="a suite that is none"),
        pytest.param(["--alias", "team-chat"], "--alias: 'team-chat' is not NAME=ROLE", id="an alias of nothing"),
        pytest.param(["--alias", "=chat"], "--alias: '=chat' is not NAME=ROLE", id="an alias without a name"),
        pytest.param(["--alias", "a=chat", "--alias", "A=fim"], "--alias: A is given twice", id="an alias twice"),
        pytest.param(["--alias", "team=vision"], "nothing here serves 'vision'", id="an alias nothing serves"),
        pytest.param(["--only", "nosuch"], "--only nosuch: the plan has no such model", id="--only of nothing"),
        pytest.param(["--accept", ""], "--accept: an empty pattern matches no model", id="an empty pattern"),
        pytest.param(["--timeout", "soon"], "--timeout: 'soon' is not a number of seconds", id="a timeout in words"),
        pytest.param(["--timeout", "0"], "--timeout: '0' is not between 0 and 3600", id="no time at all"),
        pytest.param(["--stall-timeout", "-1"], "--stall-timeout: '-1' is not between", id="a negative patience"),
        pytest.param(["more.json"], "(more.json)", id="two plans"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_what_cannot_be_meant_is_one_line_with_exit_code_2(run, plan_file, engine, arguments, said, as_json) -> None:
    outcome = run("migrate", plan_file, *arguments, *(["--json"] if as_json else []))
    assert (outcome.code, engine.calls) == (2, [])
    if as_json:
        (error,) = outcome.envelope["errors"]
        assert said.lower() in error["message"].lower()
    else:
        assert outcome.stdout == ""
        assert outcome.stderr.startswith("llamaexit: ") and outcome.stderr.count("\n") == 1
        assert said.lower() in outcome.stderr.lower()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(None, "cannot read plan.json: No such file or directory", id="no file"),
        pytest.param(b"{", "plan.json is not JSON", id="no JSON"),
        pytest.param(b"{}", "plan.json is not a llamaexit plan", id="another document"),
        pytest.param(b'{"schema": "llamaexit.plan/99"}', "plan.json is a plan of version 99", id="a newer plan"),
        pytest.param(b'{"schema": "llamaexit.plan/1"}', "plan.json is a damaged plan", id="a damaged plan"),
    ],
)
def test_file_that_is_no_plan_is_refused(run, isolated, engine, content, said) -> None:
    if content is not None:
        (isolated / "work" / "plan.json").write_bytes(content)
    outcome = run("migrate", "plan.json", "--apply", "--yes")
    assert (outcome.code, engine.calls) == (4, [])
    assert outcome.stderr.startswith(f"llamaexit: {said}") and outcome.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--only", "nosuch*"], "--only: no model here matches 'nosuch*'", id="--only"),
        pytest.param(["--skip", "nosuch*"], "--skip: no model here matches 'nosuch*'", id="--skip"),
        pytest.param(["--use", "nosuch=chat"], "--use: the plan says nothing about nosuch", id="--use"),
    ],
)
def test_models_that_are_mentioned_have_to_be_here(run, ollama, engine, arguments, said) -> None:
    outcome = run("migrate", "--apply", "--yes", *arguments)
    assert (outcome.code, engine.calls) == (2, [])
    assert said in outcome.stderr


def test_skipped_model_is_not_planned_for(run, ollama, engine) -> None:
    assert run("migrate", "--apply", "--yes", "--skip", "team-bot").code == 0
    ((plan, _, _),) = engine.calls
    assert [decision.source.model for decision in plan.decisions] == ["llama3.1:8b"]


def test_nothing_to_migrate_is_done_at_once(run, ollama, engine) -> None:
    outcome = run("migrate", "--apply", "--yes", "--only", "mistral*")
    assert (outcome.code, outcome.stderr, engine.calls) == (0, "", [])
    assert "Nothing to migrate." in outcome.stdout


def test_without_ollama_there_is_nothing_to_plan_for(run, engine) -> None:
    outcome = run("migrate", "--apply", "--yes")
    assert (outcome.code, outcome.stdout, engine.calls) == (1, "", [])
    assert outcome.stderr == (
        "llamaexit: cannot tell which models are installed: no Ollama server at http://127.0.0.1:1: connection refused"
        " — start Ollama\n"
    )


def test_end_goes_to_stdout_and_what_happens_to_stderr_in_lines(run, plan_file, engine) -> None:
    outcome = run("migrate", plan_file, "--apply", "--yes")
    assert outcome.code == 0
    assert outcome.stdout.startswith("Done: team-bot:latest and team-chat:latest mean a new model now.\n")
    lines = outcome.stderr.splitlines()
    assert f"Run {sample.RUN}: 8 steps. Nothing has been changed that anyone uses." in lines
    assert "  2/8 pull qwen3:8b: done in 7 min, qwen3:8b is 500a1f067a9f" in lines
    assert "\x1b" not in outcome.stdout + outcome.stderr


def test_json_is_one_document_on_stdout_and_events_in_lines_on_stderr(run, plan_file, engine) -> None:
    outcome = run("migrate", plan_file, "--apply", "--yes", "--json")
    envelope = outcome.envelope
    assert (envelope["command"], envelope["status"], envelope["exit_code"]) == ("migrate", "success", 0)
    assert (envelope["data"]["id"], envelope["data"]["state"]) == (sample.RUN, "committed")
    told = [json.loads(line) for line in outcome.stderr.splitlines()]
    assert [event["event"] for event in told[:3]] == ["run-began", "step", "step"]
    assert len(told) == len(events.WHOLE)


def test_steps_as_json_hold_the_plan(run, plan_file, engine) -> None:
    outcome = run("migrate", plan_file, "--json")
    data = outcome.envelope["data"]
    assert plan_id_of(sample.PLAN) == data["plan"]["plan_id"]
    assert [step["phase"] for step in data["steps"]][-1] == "switch"
    assert data["left_out"][-1][0] == "hf.co/someone/mystery-7b-gguf:Q4_K_M"
    assert (outcome.stderr, engine.calls) == ("", [])


def test_json_asks_nobody(run, plan_file, engine) -> None:
    outcome = run("migrate", plan_file, "--apply", "--json")
    assert (outcome.code, outcome.stderr, engine.calls) == (4, "", [])
    assert outcome.envelope["errors"] == [
        {"code": "not-confirmed", "message": "not confirmed: with --json nobody is asked", "hint": "add --yes"}
    ]


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        pytest.param(
            Stale("the plan is no longer true: llama3.1:8b is gone", hint="plan again"),
            4,
            "llamaexit: the plan is no longer true: llama3.1:8b is gone — plan again",
            id="a stale plan",
        ),
        pytest.param(
            Locked("another llamaexit is at work on this Ollama (run x, process 7)", hint="wait"),
            4,
            "llamaexit: another llamaexit is at work on this Ollama (run x, process 7) — wait",
            id="another migration at work",
        ),
        pytest.param(OllamaError("it does not answer"), 1, "llamaexit: it does not answer", id="a server that is down"),
    ],
)
def test_refusal_of_the_engine_is_one_line(run, plan_file, engine, error, code, line) -> None:
    engine.error = error
    outcome = run("migrate", plan_file, "--apply", "--yes")
    assert (outcome.code, outcome.stdout) == (code, "")
    assert outcome.stderr.splitlines()[-1] == line


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        pytest.param(
            "no-go",
            1,
            "llama3.1:8b is not switched to qwen3:8b: keeps to a JSON schema: the old model does it, the new one does "
            f"not — llamaexit show {sample.RUN} tells what was asked; --accept llama3.1:8b switches all the same",
            id="a no-go",
        ),
        pytest.param(
            "pull failed",
            1,
            "qwen3:8b could not be pulled: no space left on device — free some disk; "
            f"then llamaexit resume {sample.RUN}",
            id="a full disk",
        ),
        pytest.param(
            "half-way",
            5,
            "team-chat:latest was changed by somebody else: it was not there when the run began, it is bbbbbbbbbbbb now"
            f" — llamaexit resume {sample.RUN} goes on, llamaexit rollback {sample.RUN} goes back",
            id="stopped half-way",
        ),
        pytest.param(
            "interrupted",
            130,
            f"interrupted; nothing was switched — go on with llamaexit resume {sample.RUN}",
            id="interrupted before the switch",
        ),
    ],
)
def test_run_that_did_not_end_well_says_why_and_how_to_go_on(run, plan_file, engine, name, code, line) -> None:
    engine.run = sample.RUNS[name]
    outcome = run("migrate", plan_file, "--apply", "--yes")
    assert outcome.code == code
    assert outcome.stderr.splitlines()[-1] == f"llamaexit: {line}"
    assert f"llamaexit resume {sample.RUN}" in outcome.stdout


def test_interruption_within_the_switch_names_what_was_switched(run, plan_file, engine) -> None:
    engine.run = replace(sample.INTERRUPTED, changes=(sample.PULLED, sample.REBUILT))
    outcome = run("migrate", plan_file, "--apply", "--yes", "--json")
    (error,) = outcome.envelope["errors"]
    assert (outcome.code, error["code"]) == (130, "interrupted")
    assert error["message"] == "interrupted; team-bot:latest switched already"


def test_failed_run_is_partial_in_json_and_holds_the_evidence(run, plan_file, engine) -> None:
    engine.run = sample.REFUSED_VERDICT
    envelope = run("migrate", plan_file, "--apply", "--yes", "--json").envelope
    assert (envelope["status"], envelope["exit_code"], envelope["errors"][0]["code"]) == ("partial", 1, "no-go")
    (test,) = envelope["data"]["tests"]
    failed = next(result for result in test["new"]["results"] if result["outcome"] == "fail")
    assert failed["exchanges"][1]["request"]["messages"][0]["content"].startswith("Bo is 7.")
