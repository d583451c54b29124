"""`llamaexit inspect`, from the command line to what it prints and writes."""

from __future__ import annotations

import json

import jsonschema
import pytest

from llamaexit.documents import SnapshotReader
from llamaexit.report.schema import schema_of


def test_models_of_a_server_are_listed_with_their_lineage(run, standin) -> None:
    outcome = run("inspect", "--host", standin.url)
    assert outcome.code == 0
    assert "3 of them Llama" in outcome.stdout
    assert "llamaexit plan" in outcome.stdout


def test_snapshot_follows_the_published_schema(run, store) -> None:
    data = run("inspect", "--store", str(store), "--json").envelope["data"]
    jsonschema.Draft202012Validator(schema_of("snapshot")).validate(data)
    assert all(model["lineage"]["verdict"] for model in data["models"])


def test_snapshot_that_was_written_is_the_one_that_was_printed(run, store, tmp_path) -> None:
    file = tmp_path / "here.json"
    outcome = run("inspect", "--store", str(store), "--json", "--out", str(file))
    assert json.loads(file.read_text("utf-8")) == outcome.envelope["data"]
    assert SnapshotReader().load(file).models


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        (["llama3*"], ["llama3.1:8b", "llama3.2:3b"]),
        (["mistral"], ["mistral:7b"]),
        (["MISTRAL:7B", "team-bot:latest"], ["mistral:7b", "team-bot:latest"]),
    ],
    ids=["a pattern", "a name without a tag", "several names, whatever their case"],
)
def test_only_models_that_were_asked_for_are_listed(run, store, pattern, names) -> None:
    data = run("inspect", *pattern, "--store", str(store), "--json").envelope["data"]
    assert [model["name"] for model in data["models"]] == names


def test_name_that_matches_nothing_is_refused(run, store) -> None:
    outcome = run("inspect", "gemma*", "--store", str(store))
    assert (outcome.code, outcome.stdout) == (2, "")
    assert "no model here matches 'gemma*'" in outcome.stderr


def test_next_command_plans_for_the_same_machine_and_models(run, store) -> None:
    arguments = ("--store", str(store), "--vram", "24GiB", "--timeout", "7")
    text = run("inspect", "llama*", *arguments).stdout.replace("\\\n", " ")
    assert " ".join(text.split("Next")[1].split()) == f"llamaexit plan --store {store} --vram 24GiB --only 'llama*'"


def test_saved_snapshot_is_shown_like_the_machine_it_was_taken_on(run, store, tmp_path) -> None:
    file = tmp_path / "here.json"
    here = run("inspect", "--store", str(store), "--out", str(file), "--json").envelope["data"]
    saved = run("inspect", "--snapshot", str(file), "--json").envelope["data"]
    assert saved == here
    text = run("inspect", "--snapshot", str(file), "--ram", "64GiB").stdout
    assert "3 of them Llama" in text and "64.0 GiB" in text
    assert f"llamaexit plan --snapshot {file} --ram 64GiB" in " ".join(text.replace("\\\n", " ").split())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--store", "."), "--snapshot is another machine"),
        (("--host", "localhost"), "--snapshot is another machine"),
        ((), "a directory, not a snapshot"),
    ],
    ids=["a snapshot and a store", "a snapshot and a host", "a directory"],
)
def test_saved_snapshot_is_one_file_and_not_this_machine(run, tmp_path, more, said) -> None:
    outcome = run("inspect", "--snapshot", str(tmp_path), *more)
    assert outcome.code == 2
    assert said in outcome.stderr


def test_snapshot_goes_to_standard_output_when_its_file_is_a_dash(run, store) -> None:
    bare = json.loads(run("inspect", "--store", str(store), "--out", "-").stdout)
    assert bare["schema"] == "llamaexit.snapshot/1"
    assert run("inspect", "--store", str(store), "--out", "-", "--json").code == 2


def test_file_that_is_no_snapshot_is_never_overwritten(run, store, tmp_path) -> None:
    file = tmp_path / "plan.json"
    run("plan", "llama3.1:8b", "--out", str(file))
    before = file.read_bytes()
    outcome = run("inspect", "--store", str(store), "--out", str(file))
    assert (outcome.code, file.read_bytes()) == (4, before)


def test_without_ollama_the_machine_is_still_shown(run) -> None:
    outcome = run("inspect")
    assert outcome.code == 0
    assert "RAM" in outcome.stdout
    assert "Problems" in outcome.stdout


def test_stated_hardware_is_shown_as_stated(run, store) -> None:
    data = run("inspect", "--store", str(store), "--gpu", "RTX 4090", "--ram", "64GiB", "--json").envelope["data"]
    assert data["machine"]["ram"]["total"] == 64 * 1024**3
    assert data["machine"]["overrides"]
