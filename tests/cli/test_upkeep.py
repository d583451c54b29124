"""`llamaexit status` and `retire`, on a stand-in after a migration."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from scene import BOT, OLD, llama_models, plan_for

from llamaexit.jsonable import dump
from llamaexit.ollama.changes import Changes
from llamaexit.ollama.registry import NoSuchModel, RegistryUnreachable
from standin import Registry, Store

APPLY = ("--apply", "--yes", "--suite", "none")


class Library:
    """The registry as `retire` asks it: some names with their digests; `error` is what it says to everything."""

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}
        self.error: Exception | None = None

    def manifest(self, name, server_version=None):
        if self.error is not None:
            raise self.error
        if name.short not in self.digests:
            raise NoSuchModel(f"{name.short} is not there")
        return SimpleNamespace(digest=self.digests[name.short])


@pytest.fixture
def library(monkeypatch):
    found = Library()
    monkeypatch.setattr("llamaexit.cli.online.registry_here", lambda timeout, **_: found)
    return found


@pytest.fixture
def migrated(start_standin, monkeypatch, isolated, run, library):
    """A server after a migration: the bot is rebuilt, the library Llama stays beside its target."""
    registry = Registry()
    server = start_standin(Store.of(*llama_models()), registry=registry)
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    (isolated / "work" / "plan.json").write_bytes(dump(plan_for(server, registry)))
    library.digests[OLD] = names(server)[OLD]
    assert run("migrate", "plan.json", *APPLY).code == 0
    return server


def names(server):
    """What every name means, ours included."""
    return {name.short: entry.digest for name, entry in server.store.manifests.items()}


def test_after_a_migration_everything_is_as_it_was_left(run, migrated) -> None:
    outcome = run("status", "--check")
    assert (outcome.code, outcome.stdout.splitlines()[0]) == (0, "Everything is as the migrations left it.")


def test_name_that_somebody_changed_is_noticed(run, migrated) -> None:
    with Changes(migrated.url) as changes:
        changes.copy("mistral:7b", BOT)
    assert run("status").code == 0
    outcome = run("status", "--check", "--json")
    (drift,) = outcome.envelope["data"]["drifts"]
    assert (outcome.code, outcome.envelope["status"], drift["name"]) == (3, "success", BOT)


def test_server_that_is_down_is_a_failure_with_what_is_known_all_the_same(run, migrated) -> None:
    migrated.stop()
    outcome = run("status", "--json")
    assert (outcome.code, outcome.envelope["status"]) == (1, "partial")
    assert outcome.envelope["data"]["runs"] == 1
    assert outcome.envelope["errors"][0]["code"] == "ollama-unreachable"


def test_status_before_any_migration(run, start_standin) -> None:
    outcome = run("status", "--check", "--host", start_standin().url)
    assert (outcome.code, outcome.stdout.splitlines()[0]) == (0, "Nothing was migrated here yet.")


def test_old_models_stay_for_two_weeks_by_default(run, migrated) -> None:
    before = names(migrated)
    outcome = run("retire", "--yes")
    assert (outcome.code, outcome.stdout.splitlines()[0]) == (0, "Nothing to delete.")
    assert "it stays until" in outcome.stdout
    assert names(migrated) == before


def test_dry_run_deletes_nothing_and_names_the_command_that_does(run, migrated) -> None:
    before = names(migrated)
    outcome = run("retire", "--older-than", "0d", "--dry-run")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert f"Deletes     {OLD} (replaced by run" in outcome.stdout
    assert outcome.stdout.endswith("\nNext        llamaexit retire --older-than 0d\n")
    assert names(migrated) == before


def test_deleting_needs_a_yes(run, migrated) -> None:
    before = names(migrated)
    outcome = run("retire", "--older-than", "0d")
    assert (outcome.code, outcome.stdout) == (4, "")
    assert "1 old model to delete." in outcome.stderr
    assert names(migrated) == before


def test_what_can_be_pulled_again_is_deleted_and_the_users_own_is_kept(run, migrated) -> None:
    before = names(migrated)
    outcome = run("retire", "--older-than", "0d", "--yes")
    assert (outcome.code, outcome.stdout.splitlines()[0]) == (0, f"Deleted: {OLD}.")
    assert "is a model of your own: it cannot be pulled again" in " ".join(outcome.stdout.split())
    assert set(before) - set(names(migrated)) == {OLD}


def test_force_deletes_the_users_own_too(run, migrated) -> None:
    before = names(migrated)
    backup = f"llamaexit-keep/{next(iter(name for name in before if name.startswith('llamaexit-keep')))[15:]}"
    run("retire", "--older-than", "0d", "--force", "--yes")
    assert set(before) - set(names(migrated)) == {OLD, backup}


@pytest.mark.parametrize(
    ("error", "why"),
    [
        pytest.param(None, "another build in its registry now", id="another build"),
        pytest.param(RegistryUnreachable("no network"), "no network", id="no answer"),
    ],
)
def test_what_may_not_be_had_again_is_kept(run, migrated, library, error, why) -> None:
    library.error, library.digests[OLD] = error, "f" * 64
    outcome = run("retire", "--older-than", "0d", "--yes")
    assert outcome.stdout.startswith("Nothing to delete.")
    assert why in " ".join(outcome.stdout.split())


def test_retire_as_json_is_pure(run, migrated) -> None:
    outcome = run("retire", "--older-than", "0d", "--yes", "--json")
    data = outcome.envelope["data"]
    assert [old["name"] for old in data["retired"]["gone"]] == [OLD]
    assert [json.loads(line)["event"] for line in outcome.stderr.splitlines()] == ["run-began", "step"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["--older-than", "soon"], "--older-than: 'soon' is not an age such as 14d, 2w or 36h", id="words"),
        pytest.param(["--older-than", "14"], "--older-than: '14' is not an age", id="no unit"),
        pytest.param(["--older-than", "99999999w"], "longer ago than any migration", id="before computers"),
        pytest.param(["--dry-run", "--yes"], "--yes answers what --dry-run does not ask", id="yes to nothing"),
    ],
)
def test_what_cannot_be_meant_is_one_line_with_exit_code_2(run, arguments, said) -> None:
    outcome = run("retire", *arguments)
    assert (outcome.code, outcome.stdout, outcome.stderr.count("\n")) == (2, "", 1)
    assert said in outcome.stderr


@pytest.mark.parametrize("command", ["status", "retire"])
def test_address_that_is_none_is_one_line(run, command) -> None:
    outcome = run(command, "--host", "ftp://x")
    assert (outcome.code, outcome.stdout, outcome.stderr.count("\n")) == (2, "", 1)
