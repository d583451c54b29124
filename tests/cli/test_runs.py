"""Runs from the command line, on a stand-in that really pulls, copies and creates: migrate, look, go on, go back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
from planning_cases import MACHINES
from scene import BOT, OLD, llama_models, plan_for

from llamaexit.jsonable import dump
from llamaexit.ollama.changes import Changes
from llamaexit.ollama.registry import NoSuchModel, RemoteManifest
from llamaexit.snapshot import Layer
from standin import Pace, Registry, Store

APPLY = ("--apply", "--yes", "--suite", "none")
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to one process, and no pty")


@pytest.fixture
def place(start_standin, monkeypatch, isolated):
    """A server with a library Llama and a bot built on it, a registry with what replaces them, and plan.json."""

    def at(pace=None):
        registry = Registry()
        options = {} if pace is None else {"pace": pace}
        server = start_standin(Store.of(*llama_models()), registry=registry, **options)
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        plan = plan_for(server, registry)
        (isolated / "work" / "plan.json").write_bytes(dump(plan))
        target = plan.decisions[0].target
        return SimpleNamespace(server=server, plan=plan, target=target.model)

    return at


def names(server):
    """What every name means, ours included."""
    return {name.short: entry.digest for name, entry in server.store.manifests.items()}


class StandinRegistry:
    """The registry of a stand-in, as planning asks it: it has the models that were published there."""

    def __init__(self, digests):
        self.digests = digests

    def manifest(self, name, server_version=None):
        if name.short not in self.digests:
            raise NoSuchModel(f"{name.short} is not there")
        layers = (Layer("model", "sha256:" + "1" * 64, 100_000),)
        return RemoteManifest(name, self.digests[name.short], 100_000, 100_000, layers, "2026-11-25T03:00:00Z")

    def config(self, remote):
        return {}

    def header(self, remote):
        return None


def newest(run):
    """The id of the newest run."""
    return run("history", "--json").envelope["data"]["runs"][0]["id"]


def test_migration_and_rollback_end_where_they_began(run, place) -> None:
    here = place()
    before = names(here.server)
    done = run("migrate", "plan.json", *APPLY, "--alias", "team-chat=llama3.1:8b")
    assert (done.code, done.stdout.splitlines()[0]) == (
        0, f"Done: {BOT} and team-chat:latest mean a new model now.",
    )  # fmt: skip
    after = names(here.server)
    assert after[OLD] == before[OLD] and after[BOT] != before[BOT]
    assert after["team-chat:latest"] == after[here.target]

    undone = run("rollback", "--yes", "--purge")
    assert undone.code == 0
    assert undone.stdout.startswith("Undone: no name means anything else than before.\n")
    assert f"let {BOT} mean the old {before[BOT][:12]} again" in undone.stderr
    assert names(here.server) == before


def test_migration_without_a_plan_takes_digests_from_the_registry(run, place, monkeypatch) -> None:
    here = place()
    digests = {d.target.model: d.target.digest for d in here.plan.decisions}
    monkeypatch.setattr("llamaexit.cli.online.registry_here", lambda timeout, **_: StandinRegistry(digests))
    monkeypatch.setattr("llamaexit.hardware.read_machine", lambda store: MACHINES["an RTX 4090"])
    done = run("migrate", *APPLY, "--use", f"{OLD}=chat", "--use", f"{BOT}=chat")
    assert (done.code, done.stdout.splitlines()[0]) == (0, f"Done: {BOT} means a new model now.")
    assert "made now, with the registry's sizes and digests" in done.stderr
    assert "- pull qwen3:4b-instruct, 0.1 MB" in done.stderr
    plan = run("show", "--json").envelope["data"]["plan"]
    assert {d["target"]["digest"] for d in plan["decisions"]} == set(digests.values())


def test_rollback_shows_what_it_would_do_and_does_nothing_without_a_yes(run, place) -> None:
    here = place()
    run("migrate", "plan.json", *APPLY)
    before = names(here.server)
    outcome = run("rollback")
    assert (outcome.code, outcome.stdout) == (4, "")
    assert f"Restores    - let {BOT} mean the old" in outcome.stderr
    assert "not confirmed: there is no terminal to ask on — add --yes" in outcome.stderr
    assert names(here.server) == before


def test_rollback_that_has_nothing_to_undo_asks_nobody(run, place) -> None:
    place()
    run("migrate", "plan.json", *APPLY, "--only", OLD)
    outcome = run("rollback")
    assert (outcome.code, outcome.stdout.splitlines()[0]) == (0, "Undone: no name means anything else than before.")


def test_rollback_twice_is_refused_in_one_line(run, place) -> None:
    place()
    run("migrate", "plan.json", *APPLY)
    run("rollback", "--yes")
    outcome = run("rollback", "--yes")
    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr.startswith("llamaexit: run ") and "was rolled back already" in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_rollback_as_json_is_pure(run, place) -> None:
    place()
    run("migrate", "plan.json", *APPLY)
    outcome = run("rollback", "--yes", "--json")
    assert (outcome.envelope["command"], outcome.envelope["data"]["state"]) == ("rollback", "rolled-back")
    assert json.loads(outcome.stderr.splitlines()[0])["event"] == "run-began"


def test_staged_run_is_switched_by_resume(run, place) -> None:
    here = place()
    before = names(here.server)
    staged = run("migrate", "plan.json", *APPLY, "--stage")
    assert staged.stdout.startswith("Pulled and tested, not switched, as asked:")
    assert names(here.server)[BOT] == before[BOT]
    resumed = run("resume")
    assert (resumed.code, resumed.stdout.splitlines()[0]) == (0, f"Done: {BOT} means a new model now.")
    assert names(here.server)[BOT] != before[BOT]


def test_resume_of_a_run_that_is_done_is_refused(run, place) -> None:
    place()
    run("migrate", "plan.json", *APPLY)
    outcome = run("resume", "--json")
    assert (outcome.code, outcome.envelope["errors"][0]["code"]) == (4, "refused")


def test_run_is_about_the_ollama_it_began_on_wherever_the_environment_points(run, place, monkeypatch) -> None:
    place()
    run("migrate", "plan.json", *APPLY, "--stage")
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:1")
    assert run("resume").code == 0


def test_stale_plan_is_refused_and_says_what_changed(run, place) -> None:
    here = place()
    with Changes(here.server.url) as changes:
        changes.delete(BOT)
    outcome = run("migrate", "plan.json", *APPLY)
    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr.splitlines()[-1].startswith(
        f"llamaexit: the plan is no longer true: {BOT} is gone — plan again"
    )
    assert run("history", "--json").envelope["data"]["runs"] == []


def test_history_lists_runs_newest_first(run, place) -> None:
    place()
    run("migrate", "plan.json", *APPLY, "--stage")
    run("rollback", "--yes")
    time.sleep(1.1)  # ids of runs tell seconds apart
    run("migrate", "plan.json", *APPLY)
    lines = run("history").stdout.splitlines()
    assert lines[0].startswith("RUN")
    assert [line.split()[1] for line in lines[1:] if line[:2] == "20"] == ["Done", "Rolled"]


def test_history_without_runs_is_no_failure(run) -> None:
    outcome = run("history")
    assert (outcome.code, outcome.stdout.splitlines()[0]) == (0, "No runs yet.")


@pytest.mark.parametrize("part", [slice(0, 20), slice(-4, None), slice(0, 0)], ids=["whole", "end", "left out"])
def test_show_finds_a_run_by_a_part_of_its_id(run, place, part) -> None:
    place()
    run("migrate", "plan.json", *APPLY)
    name = newest(run)
    outcome = run("show", *filter(None, [name[part]]))
    assert outcome.code == 0
    assert f"Run         {name}\n" in outcome.stdout


def test_show_tells_steps_names_backups_and_the_way_back(run, place) -> None:
    here = place()
    old = names(here.server)[BOT]
    run("migrate", "plan.json", *APPLY)
    text = " ".join(run("show").stdout.split())
    for said in (f"pull {here.target}", "built again on", f"llamaexit-keep/{old}:latest", "llamaexit rollback"):
        assert said in text


def test_show_as_json_is_the_run(run, place) -> None:
    place()
    run("migrate", "plan.json", *APPLY)
    data = run("show", "--json").envelope["data"]
    assert (data["state"], [change["what"] for change in data["changes"]]) == ("committed", ["pulled", "rebuilt"])


@pytest.mark.parametrize("command", ["show", "resume", "rollback", "report"])
def test_run_that_is_not_there_is_one_line(run, command) -> None:
    outcome = run(command, "2026")
    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr.startswith("llamaexit: there are no runs in ") and outcome.stderr.count("\n") == 1


def test_run_that_is_meant_by_nothing_is_one_line(run, place) -> None:
    place()
    run("migrate", "plan.json", *APPLY)
    outcome = run("show", "1999")
    assert (outcome.code, outcome.stderr) == (
        4, "llamaexit: no run with the id '1999' — llamaexit history lists them\n",
    )  # fmt: skip


def test_damaged_journal_is_one_line_and_the_history_still_lists_it(run, place, isolated) -> None:
    place()
    run("migrate", "plan.json", *APPLY)
    (journal,) = isolated.rglob("journal.jsonl")
    journal.write_bytes(b"{}\n" + journal.read_bytes())
    outcome = run("show")
    assert (outcome.code, outcome.stdout, outcome.stderr.count("\n")) == (1, "", 1)
    assert "Damaged" in run("history").stdout


def test_report_is_markdown_unless_a_page_is_asked_for(run, place) -> None:
    place()
    run("migrate", "plan.json", *APPLY)
    name = newest(run)
    assert run("report").stdout.startswith(f"# Off Llama: run `{name}`")
    assert run("report", "--markdown").stdout == run("report").stdout
    page = run("report", "--html").stdout
    assert page.startswith("<!DOCTYPE html>") and f"<title>Off Llama: run {name}" in page


def test_report_is_written_to_a_file_and_again_over_it(run, place, tmp_path) -> None:
    place()
    run("migrate", "plan.json", *APPLY)
    for option in ("--html", "--markdown"):
        target = tmp_path / f"run{option}"
        for _ in range(2):
            outcome = run("report", option, "--out", str(target))
            assert (outcome.code, outcome.stdout) == (0, f"The report of run {newest(run)} is in {target}.\n")
        assert "Off Llama: run" in target.read_text("utf-8")


def test_report_does_not_write_over_a_file_of_somebody_else(run, place, tmp_path) -> None:
    place()
    run("migrate", "plan.json", *APPLY)
    (tmp_path / "notes.md").write_text("# Notes\n")
    outcome = run("report", "--out", str(tmp_path / "notes.md"))
    assert (outcome.code, (tmp_path / "notes.md").read_text()) == (4, "# Notes\n")
    assert "is there already, and is no report of llamaexit" in outcome.stderr


def test_report_cannot_be_both(run) -> None:
    outcome = run("report", "--html", "--markdown")
    assert (outcome.code, outcome.stderr) == (2, "llamaexit: --html and --markdown exclude each other\n")


def interrupted(arguments, server, **streams):
    """A migration that gets ^C while it downloads."""
    command = [sys.executable, "-m", "llamaexit", *arguments]
    with subprocess.Popen(command, **streams) as process:
        deadline = time.monotonic() + 30
        while not any(entry.path == "/api/pull" for entry in server.log) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@posix
def test_interruption_says_that_nothing_was_switched_and_how_to_go_on(run, place) -> None:
    here = place(Pace(bytes_per_second=20_000))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    code, out, err = interrupted(("migrate", "plan.json", *APPLY), here.server, **pipes)
    assert (code, out.decode().startswith("Not finished, and nothing was switched yet: ")) == (130, True)
    assert err.decode().splitlines()[-1] == (
        f"llamaexit: interrupted; nothing was switched — go on with llamaexit resume {newest(run)}"
    )
    here.server.pace = Pace()
    assert run("resume").code == 0
