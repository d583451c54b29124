"""`llamaexit plan`, from the command line to what it prints and writes."""

from __future__ import annotations

import json
import stat

import pytest

from llamaexit.planning.planfile import load_plan
from llamaexit.report.schema import schema_of

# A machine that is stated, so that no test depends on the one it runs on.
MACHINE = ("--gpu", "RTX 4090", "--ram", "64GiB")
NAMED = ("plan", "llama3.1:8b", *MACHINE)


@pytest.fixture
def stored(store):
    """Arguments that read the recorded store."""
    return ("--store", str(store), *MACHINE)


def names_in(directory):
    """What lies in a directory."""
    return sorted(path.name for path in directory.iterdir())


def test_named_models_are_planned_without_ollama_and_network(run) -> None:
    outcome = run("plan", "llama3.1:8b", "codellama:7b-code", *MACHINE)
    assert outcome.code == 0
    assert "2 models: 2 to replace." in outcome.stdout
    assert "llama3.1:8b → qwen3" in outcome.stdout
    assert "codellama:7b-code → qwen2.5-coder" in outcome.stdout
    assert "Nothing has been changed." in outcome.stdout


def next_commands(text):
    """The commands a text ends with, as a shell reads them."""
    lines = text.split("\nNext ")[1].replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines]


def test_next_commands_keep_what_was_asked_and_fit_a_shell(run) -> None:
    plan = "llamaexit plan llama3.1:8b --gpu 'RTX 4090'"
    assert next_commands(run("plan", "llama3.1:8b", "--gpu", "RTX 4090", "--check").stdout) == [
        f"{plan} --out plan.json",
        f"{plan} --explain llama3.1:8b",
    ]


def test_next_command_after_saving_does_not_write_over_the_plan(run, tmp_path) -> None:
    commands = next_commands(run(*NAMED, f"--out={tmp_path}/a.json").stdout)
    assert commands == ["llamaexit plan llama3.1:8b --gpu 'RTX 4090' --ram 64GiB --explain llama3.1:8b"]


def test_next_command_carries_out_the_plan_for_this_machine_with_the_same_options(run, standin) -> None:
    asked = ["--host", standin.url, "--only", "llama3.1*", "--use", "llama3.1:8b=chat", "--context", "8k"]
    commands = next_commands(run("plan", *asked, "--verbose").stdout)
    assert commands[0] == (
        f"llamaexit migrate --use llama3.1:8b=chat --context 8k --only 'llama3.1*' --host {standin.url} --apply"
    )


def test_next_command_carries_out_the_plan_in_a_file(run, standin, tmp_path) -> None:
    out = tmp_path / "a plan.json"
    commands = next_commands(run("plan", "--host", standin.url, "--out", str(out)).stdout)
    assert commands[0] == f"llamaexit migrate '{out}' --host {standin.url}"


@pytest.mark.parametrize(
    "elsewhere", [["llama3.1:8b"], ["--ram", "64GiB"]], ids=["a model that is named", "another machine"]
)
def test_plan_that_is_not_for_this_machine_as_it_is_is_not_to_be_carried_out_here(run, standin, elsewhere) -> None:
    commands = next_commands(run("plan", "--host", standin.url, *elsewhere).stdout)
    assert commands and not any("migrate" in command for command in commands)


def test_next_command_shows_what_is_wrong_with_a_model_here(run, store) -> None:
    max((store / "blobs").iterdir(), key=lambda blob: blob.stat().st_size).write_bytes(b"")
    commands = next_commands(run("plan", "--store", str(store), *MACHINE).stdout)
    assert commands[0] == f"llamaexit inspect --store {store} --ram 64GiB --gpu 'RTX 4090'"


def test_installed_models_are_read_from_a_server(run, standin) -> None:
    outcome = run("plan", "--host", standin.url, *MACHINE, "--json")
    decisions = outcome.envelope["data"]["decisions"]
    assert {d["source"]["model"] for d in decisions} == {"llama3.1:8b", "llama3.2:3b", "team-bot:latest"}
    assert all(d["source"]["installed"] for d in decisions)


def test_installed_models_are_read_from_a_store(run, stored) -> None:
    outcome = run("plan", *stored, "--json")
    assert [d["source"]["model"] for d in outcome.envelope["data"]["decisions"]] == [
        "llama3.1:8b", "llama3.2:3b", "team-bot:latest",
    ]  # fmt: skip


def test_json_follows_the_published_schema(run, stored) -> None:
    import jsonschema

    data = run("plan", *stored, "--json").envelope["data"]
    jsonschema.Draft202012Validator(schema_of("plan")).validate(data)


def test_same_inputs_give_the_same_plan_id(run, stored, tmp_path) -> None:
    run("inspect", *stored, "--out", str(tmp_path / "here.json"))
    plans = [run("plan", "--snapshot", str(tmp_path / "here.json"), "--json").envelope["data"] for _ in range(2)]
    assert plans[0]["plan_id"] == plans[1]["plan_id"]


def test_no_llama_is_said_plainly_and_is_no_failure(run, stored) -> None:
    outcome = run("plan", *stored, "--only", "mistral*")
    assert outcome.code == 0
    assert "nothing to do" in outcome.stdout
    assert "Next" not in outcome.stdout


def test_without_ollama_and_without_names_there_is_no_plan(run, tmp_path) -> None:
    outcome = run("plan", *MACHINE)
    assert outcome.code == 1
    assert outcome.stdout == ""
    assert outcome.stderr == (
        "llamaexit: cannot tell which models are installed: no Ollama server at http://127.0.0.1:1: connection refused"
        " — start Ollama, or name models: llamaexit plan llama3.1:8b\n"
    )


def test_bad_port_in_the_environment_is_told_when_nothing_answers(run, monkeypatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:99999")
    assert "'99999' is not a port" in run("plan").stderr


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        pytest.param(("--only", "llama*"), 3, id="there is a model to replace"),
        pytest.param(("--only", "mistral*"), 0, id="there is none"),
    ],
)
def test_check_tells_by_its_exit_code_whether_there_is_something_to_do(run, stored, extra, code) -> None:
    outcome = run("plan", *stored, "--check", *extra, "--json")
    assert (outcome.code, outcome.envelope["exit_code"], outcome.envelope["status"]) == (code, code, "success")


@pytest.mark.parametrize(
    ("models", "code"),
    [
        pytest.param(("llama-guard3",), 3, id="Llama that a person has to decide about"),
        pytest.param(("foo:1b",), 3, id="a model that may be Llama"),
        pytest.param(("qwen3:8b",), 0, id="a model that is not"),
        pytest.param(("muse-spark",), 0, id="a model that is not here at all"),
    ],
)
def test_check_is_not_content_while_llama_needs_a_person(run, models, code) -> None:
    assert run("plan", *models, *MACHINE, "--check").code == code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--only", "nosuch*"), "--only: no model here matches 'nosuch*'", id="a pattern to keep"),
        pytest.param(("--skip", "nosuch*"), "--skip: no model here matches 'nosuch*'", id="a pattern to leave out"),
        pytest.param(("--only", "[llama"), "--only: '[llama' is no pattern", id="a pattern that is none"),
        pytest.param(("--only", " "), "--only: an empty pattern", id="an empty pattern"),
        pytest.param(
            ("--use", "llama3.1:9b=chat"),
            "--use: the plan says nothing about llama3.1:9b — did you mean llama3.1:8b?",
            id="a use of a model that is not here",
        ),
        pytest.param(
            ("--use", "mistral:7b=chat"), "the plan says nothing about mistral:7b", id="a use of a model that stays"
        ),
        pytest.param(
            ("--lineage", "nosuch=meta"), "--lineage: no model here is called nosuch", id="an answer nobody asked for"
        ),
    ],
)
def test_option_that_means_no_model_here_is_refused(run, stored, arguments, said) -> None:
    outcome = run("plan", *stored, *arguments)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert said in outcome.stderr and outcome.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [("--skip", "MISTRAL*"), ("--use", "team-bot=chat"), ("--lineage", "mistral:7b=meta"), ("--only", "llama3.1")],
    ids=" ".join,
)
def test_option_that_means_a_model_here_is_taken(run, stored, arguments) -> None:
    assert run("plan", *stored, *arguments).code == 0


def test_pattern_is_about_the_models_that_are_named(run, stored) -> None:
    outcome = run("plan", "llama3.1:8b", *stored, "--only", "llama3.2*")
    assert outcome.code == 2
    assert "no model here matches 'llama3.2*'" in outcome.stderr


def test_closed_model_is_explained_with_the_nearest_that_runs(run) -> None:
    outcome = run("plan", "muse-spark", *MACHINE)
    assert outcome.code == 0
    assert "cannot run here" in outcome.stdout
    assert "Nearest" in outcome.stdout


def test_uses_and_context_reach_the_plan(run) -> None:
    data = run(*NAMED, "--use", "code", "--context", "16k", "--json").envelope["data"]
    decision = data["decisions"][0]
    assert (decision["use"]["uses"], decision["use"]["source"]) == (["code"], "given")
    assert decision["target"]["fit"]["context"] == 16384


def test_bandwidth_gives_the_time_of_the_download(run) -> None:
    totals = run(*NAMED, "--bandwidth", "100Mbit", "--json").envelope["data"]["totals"]
    assert totals["bandwidth"] == 12_500_000
    assert totals["seconds"] == round(totals["download"] / 12_500_000)


def test_thinking_allowed_takes_a_better_ranked_target(run) -> None:
    targets = [
        run(*NAMED, *more, "--json").envelope["data"]["decisions"][0]["target"]
        for more in ((), ("--thinking", "allow"))
    ]
    assert targets[0]["model"] != targets[1]["model"]
    assert targets[1]["thinking"]["default"]


def test_lineage_answer_settles_what_is_unknown(run) -> None:
    unknown = run("plan", "hf.co/someone/mystery:Q4_K_M", *MACHINE, "--json").envelope["data"]["decisions"][0]
    assert unknown["action"] == "blocked"
    answered = run(
        "plan", "hf.co/someone/mystery:Q4_K_M", *MACHINE, "--lineage", "hf.co/someone/mystery:Q4_K_M=not-meta", "--json"
    ).envelope["data"]["decisions"][0]
    assert answered["action"] == "keep"


def test_recipe_of_ones_own_decides(run, tmp_path) -> None:
    recipe = tmp_path / "team.toml"
    recipe.write_text('schema = 1\nname = "team"\n\n[policy]\ndeny-models = ["qwen3:4b-instruct*"]\n')
    before, after = (
        run(*NAMED, *more, "--json").envelope["data"]["decisions"][0]["target"]["model"]
        for more in ((), ("--recipe", str(recipe)))
    )
    assert before == "qwen3:4b-instruct"
    assert after != before


def test_recipe_that_is_wrong_is_refused_with_every_problem(run, tmp_path) -> None:
    recipe = tmp_path / "team.toml"
    recipe.write_text('schema = 1\nname = "team"\npolcy = 1\n\n[policy]\nmin-contxt = 5\n')
    outcome = run(*NAMED, "--recipe", str(recipe), "--json")
    assert outcome.code == 4
    messages = " ".join(entry["message"] for entry in outcome.envelope["errors"])
    assert {entry["code"] for entry in outcome.envelope["errors"]} == {"recipe"}
    assert "polcy" in messages and "min-contxt" in messages


def test_explanation_shows_every_candidate_with_rule_and_file(run) -> None:
    outcome = run(*NAMED, "--explain", "llama3.1:8b")
    assert outcome.code == 0
    assert "candidates, in the order of the rules" in outcome.stdout
    assert "chosen" in outcome.stdout
    assert "builtin:replace-chat.toml:" in " ".join(outcome.stdout.split())


def test_explanation_of_what_the_plan_leaves_out_is_refused(run, stored) -> None:
    outcome = run("plan", *stored, "--only", "llama3.2*", "--explain", "llama3.1:8b")
    assert outcome.code == 2
    assert "says nothing about llama3.1:8b" in outcome.stderr


def test_markdown_is_for_an_issue(run) -> None:
    outcome = run(*NAMED, "--markdown")
    assert outcome.code == 0
    assert outcome.stdout.startswith("## ")
    assert "| `llama3.1:8b` |" in outcome.stdout


def test_plan_is_written_so_that_it_can_be_read_again(run, tmp_path) -> None:
    file = tmp_path / "plan.json"
    outcome = run(*NAMED, "--out", str(file), "--json")
    assert outcome.code == 0
    assert load_plan(file).plan_id == outcome.envelope["data"]["plan_id"]
    assert names_in(tmp_path) == ["plan.json"]


def test_writing_over_a_plan_keeps_nothing_of_the_old_one(run, tmp_path) -> None:
    file = tmp_path / "plan.json"
    run(*NAMED, "--out", str(file))
    file.write_text(file.read_text("utf-8") + " " * 1_000_000)
    assert run("plan", "llama3.2:1b", *MACHINE, "--out", str(file)).code == 0
    assert file.stat().st_size < 1_000_000
    assert [decision.source.model for decision in load_plan(file).decisions] == ["llama3.2:1b"]


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["a bare plan", "an answer with a plan in it"])
def test_plan_takes_the_place_of_an_empty_file_and_of_a_plan(run, tmp_path, form) -> None:
    file = tmp_path / "plan.json"
    file.write_text(run(*NAMED, *form).stdout if form else "")
    assert run(*NAMED, "--out", str(file)).code == 0
    assert load_plan(file).decisions


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"dear diary", id="a text"),
        pytest.param(b'{"name": "web", "version": "1"}', id="JSON of somebody else"),
        pytest.param(b'{"mine": {"schema": "llamaexit.plan/1"}}', id="JSON that holds a plan of ours"),
        pytest.param(b"[" * 100_000, id="hostile nesting"),
        pytest.param(b"\xff\xfe\x00", id="no text at all"),
        pytest.param(b'{"schema": "llamaexit.snapshot/1"}', id="a snapshot"),
    ],
)
def test_file_that_is_no_plan_is_never_overwritten(run, tmp_path, content) -> None:
    file = tmp_path / "keep.json"
    file.write_bytes(content)
    outcome = run(*NAMED, "--out", str(file))
    assert (outcome.code, outcome.stdout) == (4, "")
    assert "keep.json is there already, and is no plan" in outcome.stderr and "choose another name" in outcome.stderr
    assert (file.read_bytes(), names_in(tmp_path)) == (content, ["keep.json"])


def test_plan_goes_to_standard_output_when_its_file_is_a_dash(run, isolated) -> None:
    plan = json.loads(run(*NAMED, "--out", "-").stdout)
    assert plan == run(*NAMED, "--json").envelope["data"]
    assert names_in(isolated / "work") == []


@pytest.mark.parametrize("other", [("--json",), ("--markdown",), ("--explain", "llama3.1:8b")], ids=" ".join)
def test_dash_leaves_no_room_for_another_answer(run, other) -> None:
    outcome = run(*NAMED, "--out", "-", *other)
    assert outcome.code == 2
    assert "--out - prints the document alone" in outcome.stdout + outcome.stderr


def test_written_plan_has_the_rights_of_any_new_file(run, tmp_path) -> None:
    (tmp_path / "other").touch()
    run(*NAMED, "--out", str(tmp_path / "plan.json"))
    assert stat.S_IMODE((tmp_path / "plan.json").stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        pytest.param(".", "it is a directory — name a file", id="over a directory"),
        pytest.param(
            "nowhere/plan.json",
            "no such file or directory — make the folder first",
            id="into a directory that is not there",
        ),
        pytest.param("file/plan.json", "not a directory — name another file", id="below a file"),
    ],
)
def test_plan_that_cannot_be_written_is_one_line_and_leaves_nothing(run, tmp_path, target, said) -> None:
    (tmp_path / "file").touch()
    outcome = run(*NAMED, "--out", str(tmp_path / target))
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("llamaexit: cannot write ") and said in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert names_in(tmp_path) == ["file"]


def test_failed_write_leaves_the_old_plan_alone(run, tmp_path, monkeypatch) -> None:
    file = tmp_path / "plan.json"
    run(*NAMED, "--out", str(file))
    old = file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    outcome = run(*NAMED, "--out", str(file))
    assert outcome.code == 1
    assert "no space left on device" in outcome.stderr
    assert (file.read_bytes(), names_in(tmp_path)) == (old, ["plan.json"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--json", "--markdown"), "exclude each other", id="two forms at once"),
        pytest.param(("--context", "big"), "--context", id="a context that is no number"),
        pytest.param(("--use", "=poetry"), "--use", id="a use that does not exist"),
        pytest.param(("--lineage", "x=y"), "--lineage", id="a lineage that does not exist"),
        pytest.param(("--bandwidth", "fast"), "--bandwidth", id="a bandwidth that is no rate"),
        pytest.param(("--thinking", "maybe"), "--thinking", id="a thinking mode that does not exist"),
        pytest.param(("--vram", "lots"), "--vram", id="GPU memory that is no size"),
        pytest.param(("--ram", "lots"), "--ram", id="main memory that is no size"),
        pytest.param(("--gpu", "Voodoo 2"), "--gpu", id="a card whose memory nobody knows"),
        pytest.param(("--timeout", "0"), "--timeout", id="no time to wait"),
        pytest.param(("--host", "http://:x:"), ":x:", id="a host that is no address"),
        pytest.param(("--host", "http://h:99999"), "'99999' is not a port", id="a port that is none"),
        pytest.param(("--ram", "64"), "--ram 64: which unit? — say 64GiB", id="main memory without a unit"),
        pytest.param(("not a name!",), "not a name!", id="a name no model can have"),
    ],
)
def test_wrong_input_is_one_line_and_code_2(run, arguments, said) -> None:
    outcome = run("plan", "llama3.1:8b", *arguments)
    assert outcome.code == 2
    lines = (outcome.stderr or outcome.envelope["errors"][0]["message"] + "\n").splitlines()
    assert len(lines) == 1 and said in lines[0]


def test_recipe_that_is_not_there_is_refused(run, tmp_path) -> None:
    outcome = run(*NAMED, "--recipe", str(tmp_path / "none.toml"))
    assert outcome.code == 4
    assert "none.toml: there is no such file — " in outcome.stderr


def test_store_that_is_not_there_is_a_failure(run, tmp_path) -> None:
    outcome = run("plan", "--store", str(tmp_path / "none"), *MACHINE, "--json")
    assert outcome.code == 1
    assert outcome.envelope["errors"][0]["code"].startswith("store")


def test_host_that_is_down_is_one_line(run) -> None:
    outcome = run("plan", "--host", "http://127.0.0.1:1", *MACHINE)
    assert outcome.code == 1
    assert outcome.stderr.startswith("llamaexit: ") and outcome.stderr.count("\n") == 1


def test_nothing_is_written_unless_asked(run, stored, isolated) -> None:
    before = sorted(isolated.rglob("*"))
    assert run("plan", *stored).code == 0
    assert sorted(isolated.rglob("*")) == before


def test_verbose_shows_figures_that_the_short_form_leaves_out(run) -> None:
    short, full = run(*NAMED).stdout, run(*NAMED, "-v").stdout
    assert "Digest" in full and "Digest" not in short


def test_plan_without_network_peers_asks_nobody(run, monkeypatch) -> None:
    import socket

    asked: list[object] = []

    def refuse(self: socket.socket, address: object) -> None:
        asked.append(address)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert run(*NAMED).code == 0
    assert all(isinstance(address, tuple) and address[0] == "127.0.0.1" for address in asked)


def test_json_plan_holds_no_path_of_a_recipe_file(run) -> None:
    text = json.dumps(run(*NAMED, "--json").envelope["data"]["decisions"])
    assert "/recipes/" not in text
