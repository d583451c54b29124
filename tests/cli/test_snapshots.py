"""`llamaexit plan --snapshot`: one file, or a directory of them."""

from __future__ import annotations

import json

import examples
import pytest

from llamaexit.documents import SnapshotReader
from llamaexit.errors import DocumentError
from llamaexit.jsonable import dump, jsonable
from llamaexit.planning.planner import Planner

MACHINE = ("--gpu", "RTX 4090", "--ram", "64GiB")
GOOD = dump(examples.HERE)


@pytest.fixture
def snapshot(tmp_path):
    """A file with a snapshot."""
    file = tmp_path / "server.json"
    file.write_bytes(GOOD)
    return file


@pytest.fixture
def fleet(tmp_path):
    """A directory of three snapshots and a file that is something else."""
    directory = tmp_path / "fleet"
    directory.mkdir()
    for name in ("b", "a", "c"):
        (directory / f"{name}.json").write_bytes(GOOD)
    (directory / "notes.txt").write_text("not a snapshot")
    return directory


def changed(**values):
    """The bytes of a snapshot with some keys changed."""
    return json.dumps({**jsonable(examples.HERE), **values}).encode()


def test_snapshot_gives_the_plan_of_the_machine_it_was_taken_on(run, store, tmp_path) -> None:
    file = tmp_path / "here.json"
    run("inspect", "--store", str(store), *MACHINE, "--out", str(file))
    there = run("plan", "--snapshot", str(file), "--json").envelope["data"]
    here = run("plan", "--store", str(store), *MACHINE, "--json").envelope["data"]
    assert there["decisions"] == here["decisions"]


def test_answer_of_inspect_is_as_good_as_the_bare_snapshot(run, store, tmp_path) -> None:
    answer = run("inspect", "--store", str(store), "--json").stdout
    (tmp_path / "envelope.json").write_text(answer, "utf-8")
    (tmp_path / "bare.json").write_text(json.dumps(json.loads(answer)["data"]), "utf-8")
    plans = [run("plan", "--snapshot", str(tmp_path / f"{n}.json"), "--json").stdout for n in ("envelope", "bare")]
    assert plans[0] == plans[1]


def test_stated_hardware_is_laid_over_a_snapshot(run, snapshot) -> None:
    data = run("plan", "--snapshot", str(snapshot), "--gpu", "RTX 3090", "--json").envelope["data"]
    assert "RTX 3090" in data["basis"]["machine"]
    assert data["basis"]["overrides"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "not JSON", id="an empty file"),
        pytest.param(b'{"machine": ', "not JSON", id="half a file"),
        pytest.param(b"\xff\xfe\x00", "not JSON", id="bytes that are no text"),
        pytest.param(b"[1, 2]", "JSON, but no snapshot", id="another JSON"),
        pytest.param(b'{"a": 1}', "JSON, but no snapshot", id="an object without a schema"),
        pytest.param(changed(schema="llamaexit.snapshot/2"), "reads up to 1", id="a newer major version"),
        pytest.param(changed(schema="llamaexit.snapshot/x"), "not known", id="a version that is no number"),
        pytest.param(dump(examples.DESKTOP), "a llamaexit.plan document", id="a plan"),
        pytest.param(changed(machine={"cpu": {}}), "machine.", id="a snapshot that lacks a key"),
        pytest.param(changed(models="all"), "models", id="a snapshot with a key of the wrong type"),
        pytest.param(b'{"llamaexit": "0.1.0", "command": "inspect", "data": null}', "failed", id="a failed answer"),
        pytest.param(
            b'{"llamaexit": "0.1.0", "command": "plan", "data": {"plans": []}}', "no snapshot", id="another answer"
        ),
        pytest.param(b"[" * 100_000, "not JSON", id="hostile nesting"),
    ],
)
def test_document_that_is_no_snapshot_is_refused_in_one_line(run, tmp_path, content, said) -> None:
    file = tmp_path / "odd.json"
    file.write_bytes(content)
    outcome = run("plan", "--snapshot", str(file))
    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr.startswith(f"llamaexit: {file}: ") and outcome.stderr.count("\n") == 1
    assert said in outcome.stderr


def test_keys_of_a_later_release_are_ignored() -> None:
    assert SnapshotReader().parse(changed(weather="fine"), "x").models == examples.HERE.models


def test_snapshot_that_is_not_there_is_refused(run, tmp_path) -> None:
    outcome = run("plan", "--snapshot", str(tmp_path / "none.json"), "--json")
    assert outcome.code == 4
    error = outcome.envelope["errors"][0]
    assert (error["code"], error["hint"]) == ("document", "write one with llamaexit inspect --out FILE")


def test_file_larger_than_any_snapshot_is_not_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("llamaexit.documents.LARGEST", 10)
    (tmp_path / "big.json").write_bytes(b" " * 11)
    with pytest.raises(DocumentError, match="larger than any snapshot"):
        SnapshotReader().load(tmp_path / "big.json")


def test_directory_gives_a_plan_for_each_file_in_the_order_of_names(run, fleet) -> None:
    outcome = run("plan", "--snapshot", str(fleet), "--json")
    assert outcome.code == 0
    assert outcome.envelope["status"] == "success"
    plans = outcome.envelope["data"]["plans"]
    assert [entry["file"] for entry in plans] == ["a.json", "b.json", "c.json"]
    alone = run("plan", "--snapshot", str(fleet / "a.json"), "--json").envelope["data"]
    assert all(entry["plan"] == alone for entry in plans)


def test_bad_file_in_a_directory_does_not_stop_the_others(run, fleet) -> None:
    (fleet / "b.json").write_text("{}")
    outcome = run("plan", "--snapshot", str(fleet), "--json")
    assert (outcome.code, outcome.envelope["status"]) == (4, "partial")
    plans = outcome.envelope["data"]["plans"]
    assert [sorted(entry) for entry in plans] == [["file", "plan"], ["error", "file"], ["file", "plan"]]
    assert plans[1]["error"]["code"] == "document"
    assert [entry["message"] for entry in outcome.envelope["errors"]] == [plans[1]["error"]["message"]]


def test_bug_met_in_one_snapshot_is_reported_there(run, fleet, monkeypatch) -> None:
    seen: list[object] = []
    plan = Planner.plan

    def second_time_wrong(self, snapshot, options):
        seen.append(snapshot)
        if len(seen) == 2:
            raise ZeroDivisionError("oops")
        return plan(self, snapshot, options)

    monkeypatch.setattr(Planner, "plan", second_time_wrong)
    outcome = run("plan", "--snapshot", str(fleet), "--json")
    assert (outcome.code, outcome.envelope["status"]) == (1, "partial")
    assert [list(entry)[1] for entry in outcome.envelope["data"]["plans"]] == ["plan", "error", "plan"]
    assert outcome.envelope["errors"][0]["code"] == "internal"


def test_interruption_in_a_directory_still_ends_in_json(run, fleet, monkeypatch) -> None:
    def interrupted(self, snapshot, options):
        raise KeyboardInterrupt

    monkeypatch.setattr(Planner, "plan", interrupted)
    outcome = run("plan", "--snapshot", str(fleet), "--json")
    assert (outcome.code, outcome.envelope["exit_code"]) == (130, 130)
    assert outcome.envelope["data"] == {"plans": []}
    assert outcome.envelope["errors"][0]["code"] == "interrupted"


def test_directory_in_text_is_a_line_for_each_file(run, fleet) -> None:
    (fleet / "b.json").write_text("{}")
    outcome = run("plan", "--snapshot", str(fleet), "--check")
    assert outcome.code == 4
    assert outcome.stdout.startswith("a.json: ")
    assert "2 plans." in outcome.stdout
    assert "b.json" in outcome.stderr


def test_check_on_a_directory_tells_whether_any_machine_has_something_to_do(run, fleet) -> None:
    assert run("plan", "--snapshot", str(fleet), "--check").code == 3
    assert run("plan", "--snapshot", str(fleet), "--check", "--only", "mistral*").code == 0


def test_pattern_has_to_match_on_one_machine_of_a_directory(run, fleet) -> None:
    file = json.loads((fleet / "b.json").read_text())
    file = file.get("data", file)
    file["models"] = [model for model in file["models"] if model["name"] == "mistral:7b"]
    (fleet / "b.json").write_text(json.dumps(file))
    assert run("plan", "--snapshot", str(fleet), "--only", "llama*").code == 0
    outcome = run("plan", "--snapshot", str(fleet), "--only", "nosuch*", "--json")
    assert (outcome.code, outcome.envelope["status"]) == (2, "partial")
    assert [error["code"] for error in outcome.envelope["errors"]] == ["usage"]


def test_directory_without_snapshots_is_refused(run, tmp_path) -> None:
    outcome = run("plan", "--snapshot", str(tmp_path))
    assert outcome.code == 4
    assert "no .json file" in outcome.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--out", "plan.json"), ("--explain", "llama3.1:8b"), ("--markdown",), ("--host", "localhost"), ("--store", ".")],
    ids=" ".join,
)
def test_options_about_one_machine_are_refused_for_a_directory(run, fleet, arguments) -> None:
    outcome = run("plan", "--snapshot", str(fleet), *arguments)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert "--snapshot" in outcome.stderr
