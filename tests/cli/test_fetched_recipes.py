"""Commands about recipes that come from a repository: as for files, with addresses in place of paths."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest
from git_repository import GitRepository, GitServer

TEAM = """\
schema = 1
name = "team"
version = "3"
summary = "What our team runs"
extends = ["base/policy.toml"]

[[rules]]
id = "chat"
use = "chat"
match = ["llama3.1:8b"]
targets = [{ model = "qwen3:4b-instruct" }]

[[examples]]
title = "A workstation"
host = { gpu = ["RTX 4090"], ram = "64GiB", ollama = "0.33.0" }

[[examples.models]]
name = "llama3.1:8b"
expect = { action = "replace", target = "qwen3:4b-instruct", rule = "chat" }
"""
POLICY = 'schema = 1\nname = "policy"\nversion = "1"\nsummary = "What is allowed"\n\n[policy]\nmax-download = "20GB"\n'


@pytest.fixture
def repository(tmp_path: Path, isolated: Path) -> GitRepository:
    """A repository that the settings allow."""
    made = GitRepository(tmp_path / "served" / "team.git")
    made.commit({"team.toml": TEAM, "base/policy.toml": POLICY})
    settings = isolated / ".config" / "llamaexit" / "settings.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(f"[trust]\nsources = {json.dumps([made.url])}\n")
    return made


@pytest.fixture
def address(repository: GitRepository) -> str:
    return f"{repository.url}@main#team.toml"


def test_list_names_the_address_of_each(run, repository: GitRepository, address: str) -> None:
    listed = run("recipe", "list", "--recipe", address, "--json").envelope["data"]["recipes"]
    assert {one["name"]: one["file"] for one in listed if not one["file"].startswith("builtin:")} == {
        "team": address,
        "policy": f"{repository.url}@main#base/policy.toml",
    }


def test_show_tells_the_address_with_the_lines_of_rules(run, address: str) -> None:
    shown = run("recipe", "show", "team", "--recipe", address)
    assert shown.code == 0
    assert f"{address}:7" in "".join(shown.stdout.split())


def test_explain_tells_where_the_winner_and_the_policy_stand(run, repository: GitRepository, address: str) -> None:
    explained = run("recipe", "explain", "llama3.1:8b", "--recipe", address, "--json").envelope["data"]
    said = json.dumps(explained)
    assert f'"file": "{address}", "line": 7' in said
    assert f'"file": "{repository.url}@main#base/policy.toml"' in said


def test_examples_are_tried(run, address: str) -> None:
    tried = run("recipe", "test", address, "--verbose")
    assert tried.code == 0, tried.stderr
    assert "1 example" in tried.stdout


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
def test_lint_names_the_address_in_every_form(run, repository: GitRepository, form: str) -> None:
    repository.commit({"team.toml": 'colour = "red"\n' + TEAM})
    address = f"{repository.url}@main#team.toml"
    linted = run("recipe", "lint", address, "--format", form)
    assert linted.code == 1
    written = address.replace(":", "%3A") if form == "github" else address
    assert written in linted.stdout
    assert "colour" in linted.stdout


def test_the_command_that_a_plan_proposes_next_has_the_address_in_it(run, address: str) -> None:
    planned = run("plan", "llama3.1:8b", "--gpu", "RTX 4090", "--ram", "64GiB", "--recipe", address)
    assert planned.code == 0, planned.stderr
    assert f"--recipe '{address}' \\ --explain llama3.1:8b" in " ".join(planned.stdout.split())


def test_a_changed_cache_is_one_line_with_the_folder_to_delete(run, isolated: Path, address: str) -> None:
    assert run("recipe", "list", "--recipe", address).code == 0
    (folder,) = (isolated / ".cache" / "llamaexit" / "recipes" / "git").iterdir()
    for stored in folder.glob("objects/*/*"):
        stored.write_bytes(stored.read_bytes().replace(b"qwen3:4b-instruct", b"qwen3:1b-instruct"))
    refused = run("recipe", "list", "--recipe", address)
    (line,) = refused.stderr.splitlines()
    assert (refused.code, refused.stdout) == (4, "")
    assert f"{folder}: the cache was changed" in line and "delete this folder" in line
    (error,) = run("recipe", "list", "--recipe", address, "--json").envelope["errors"]
    assert error["code"] == "cache"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_an_interrupted_fetch_leaves_neither_files_nor_processes(isolated: Path, repository: GitRepository) -> None:
    with GitServer(repository.folder.parent) as server:
        asked = threading.Event()

        def answer(request: http.server.BaseHTTPRequestHandler) -> None:
            asked.set()
            server.stopping.wait(30)

        server.answer = answer
        settings = isolated / ".config" / "llamaexit" / "settings.toml"
        settings.write_text(f"[trust]\nsources = {json.dumps([server.url('team.git')])}\n")
        before = sorted(isolated.rglob("*"))
        command = [sys.executable, "-m", "llamaexit", "plan", "--recipe", f"{server.url('team.git')}@main#team.toml"]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert asked.wait(20)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=20)
        assert (running.returncode, out) == (130, ""), err
        assert sorted(isolated.rglob("*")) == before
        lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
        assert not [line for line in lines if str(server.port) in line and "git" in line]


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("git+https://user:secret@git.example/x@main#a.toml", "user and password do not belong in an address"),
        ("git+ssh://-oProxyCommand=touch%20x/x@main#a.toml", "starts with a dash"),
        ("git+https://git.example/x@--upload-pack=touch#a.toml", "starts with a dash"),
        ("ext::sh -c touch% x", "recipes come from git+https://"),
        ("https://git.example/a.toml", "names no hash"),
    ],
)
def test_what_is_no_address_is_one_line(run, isolated: Path, reference: str, reason: str) -> None:
    before = sorted(isolated.rglob("*"))
    refused = run("plan", "llama3.1:8b", "--recipe", reference)
    (line,) = refused.stderr.splitlines()
    assert (refused.code, refused.stdout) == (4, "")
    assert reason in line and "secret@" not in line.partition("user and password")[2]
    assert sorted(isolated.rglob("*")) == before


SECRET = "git+https://{}@git.example.com/team.git@v1#team.toml"
LOOKS = {
    "list": ("recipe", "list", "--recipe"),
    "lint": ("recipe", "lint"),
    "test": ("recipe", "test"),
    "fmt": ("recipe", "fmt"),
    "lock": ("recipe", "lock"),
    "allow": ("recipe", "allow"),
}


@pytest.mark.parametrize("login", ["somebody:s3cret", "s3cret"], ids=["a password", "a token"])
@pytest.mark.parametrize("command", LOOKS.values(), ids=LOOKS)
def test_what_is_secret_in_an_address_is_repeated_nowhere(run, command: tuple[str, ...], login: str) -> None:
    outcome = run(*command, SECRET.format(login))
    assert outcome.code != 0
    assert "s3cret" not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize(
    "reference",
    ["git+https://git.example.com/team.git#team.toml", "gti+https://git.example.com/team.git@v1#team.toml"],
    ids=["no revision", "no known scheme"],
)
def test_address_that_is_wrong_as_a_whole_is_said_once(run, reference: str) -> None:
    stderr = run("recipe", "list", "--recipe", reference).stderr
    assert stderr.startswith(f"llamaexit: {reference}: ")
    assert stderr.count(reference) == 1


def test_fetched_recipe_is_not_formatted(run, address: str) -> None:
    outcome = run("recipe", "fmt", address)
    assert outcome.code == 2
    assert outcome.stderr == f"llamaexit: {address} is no file of yours — format it where it lies\n"
