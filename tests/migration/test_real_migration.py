"""Whole migrations on a real Ollama, through the command line: pull, prepare, test, switch, and back again.

What the tests need is told in `real_ollama`. Models so small say nothing of sense, so that what tests of models say is
either foreseen or overruled; what is looked at here is what becomes of names and layers.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from llamaexit.migration.names import backup_name
from llamaexit.ollama.parameters import parse_parameters
from llamaexit.planning.sources import STAGE_NAMESPACE
from real_ollama import ADDRESS, OURS, RealOllama, at_registry, needs_registry, weights

pytestmark = needs_registry

SYSTEM = "You are the bot of these tests."
MESSAGES = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello, <team>."}]
BOT = f"{OURS}/bot:v1"
LLAMA = "llama3.1:8b"
QWEN = "qwen3:8b"
SLOW = "slow:14b"
GREETING = "Hi"
RECIPE = """
schema = 1
name = "tests"

[policy]
thinking = "allow"

[[rules]]
id = "bots"
use = "chat"
match = ["{source}"]

[[rules.targets]]
model = "{target}"
why = "It is what the registry of the tests has."
{smoke}
[[models]]
name = "{target}"
family = "qwen"
vendor = "Alibaba"
licence = "Apache-2.0"
capabilities = ["completion"]
context = 6144
"""
SMOKE = """
[[rules.smoke]]
id = "as-before"
ask = {ask}
max-tokens = 16
expect.equals = {answer}
"""


@pytest.fixture
def ollama() -> Iterator[RealOllama]:
    server = RealOllama(ADDRESS)
    try:
        yield server
    finally:
        server.clean()


class Bot:
    """A custom model built on a Llama, and the command line set to migrate it and nothing else."""

    def __init__(self, ollama: RealOllama, folder: Path) -> None:
        self.ollama = ollama
        self.folder = folder
        base = ollama.install(LLAMA)
        parameters = {"num_ctx": 6144, "temperature": 0}
        request = {"from": base, "system": SYSTEM, "messages": MESSAGES, "parameters": parameters, "stream": False}
        assert ollama.json("POST", "/api/create", {"model": ollama.own(BOT), **request})["status"] == "success"
        self.before = ollama.tags()
        self.digest = self.before[BOT]
        self.backup = ollama.own(backup_name(self.digest))

    def recipe(self, target: str, *, source: str = BOT, smoke: str = "") -> list[str]:
        """Options by which the target is chosen, and one model is migrated and nothing else."""
        file = self.folder / "recipe.toml"
        name = self.ollama.own(at_registry(target))
        file.write_text(RECIPE.format(source=source, target=name, smoke=smoke), encoding="utf-8")
        registry = name.rpartition("/")[0]
        if registry:
            subprocess.run([sys.executable, "-m", "llamaexit", "recipe", "allow", registry], check=True)
        return ["--recipe", str(file), "--only", source, "--lineage", f"{source}=meta"]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "llamaexit", *arguments, "--host", self.ollama.url, "--json"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})

    def run(self, *arguments: str, exits: int = 0) -> dict[str, Any]:
        """What a command answers, which has to end with this exit code."""
        with self.start(*arguments) as process:
            answer, talk = process.communicate(timeout=300)
        assert process.returncode == exits, f"{process.returncode}\n{answer[-2000:]}\n{talk[-2000:]}"
        found: dict[str, Any] = json.loads(answer)
        return found

    def migrate(self, *arguments: str, exits: int = 0) -> dict[str, Any]:
        return self.run("migrate", "--apply", "--yes", *arguments, exits=exits)

    def answer(self, ask: str = GREETING, of: str = BOT) -> str:
        """What a model says."""
        message = {"role": "user", "content": ask}
        options = {"num_predict": 16, "temperature": 0, "seed": 1}
        request = {"model": of, "messages": [message], "stream": False, "options": options}
        return str(self.ollama.json("POST", "/api/chat", request)["message"]["content"])

    def as_before(self) -> str:
        """A smoke test that wants what the old model says, and the new one does not."""
        old = self.answer()
        if self.answer(of=at_registry(QWEN)).strip() == old.strip():
            pytest.skip("both models of the registry give the same answer")
        return SMOKE.format(ask=json.dumps(GREETING), answer=json.dumps(old))

    def parent(self) -> str:
        return str(self.ollama.show(BOT)["details"]["parent_model"])

    @contextmanager
    def pulling(self) -> Iterator[subprocess.Popen[str]]:
        """A migration to the slow model, whose pull has begun to bring something."""
        with self.start("migrate", "--apply", "--yes", "--suite", "none", *self.recipe(SLOW)) as process:
            assert process.stderr is not None
            for line in process.stderr:
                event = json.loads(line)
                if event["event"] == "pull" and event["completed"]:
                    break
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.kill()


@pytest.fixture
def bot(ollama: RealOllama, tmp_path: Path) -> Iterator[Bot]:
    bot = Bot(ollama, tmp_path)
    yield bot
    for name in ollama.tags().keys() - bot.before.keys():
        if name.startswith(f"{STAGE_NAMESPACE}/"):
            ollama.adopt(name)


def test_custom_model_comes_to_stand_on_the_new_base_with_all_that_was_its_own(bot: Bot, ollama: RealOllama) -> None:
    bot.migrate("--suite", "none", *bot.recipe(QWEN))
    tags, shown = ollama.tags(), ollama.show(BOT)
    assert tags[bot.backup] == bot.digest != tags[BOT]
    assert bot.parent() == at_registry(QWEN)
    assert (shown["system"], shown["messages"]) == (SYSTEM, MESSAGES)
    below = parse_parameters(ollama.show(at_registry(QWEN)).get("parameters", ""))
    assert parse_parameters(shown["parameters"]) == {**below, "num_ctx": 6144, "temperature": 0}
    assert bot.answer()


def test_names_nobody_asked_to_change_stay_as_they_were(bot: Bot, ollama: RealOllama) -> None:
    bot.migrate("--suite", "none", *bot.recipe(QWEN))
    tags = ollama.tags()
    made = {name for name in tags if name not in bot.before}
    assert made == {bot.backup, at_registry(QWEN)}
    assert {name for name, digest in bot.before.items() if tags.get(name) != digest} == {BOT}


def test_rollback_brings_the_very_old_model_back(bot: Bot, ollama: RealOllama) -> None:
    said = bot.answer()
    run = bot.migrate("--suite", "none", *bot.recipe(QWEN))["data"]["id"]
    bot.run("rollback", run, "--yes")
    assert ollama.tags()[BOT] == bot.digest
    assert bot.answer() == said


def test_purge_leaves_nothing_of_the_run(bot: Bot, ollama: RealOllama) -> None:
    run = bot.migrate("--suite", "none", *bot.recipe(QWEN))["data"]["id"]
    bot.run("rollback", run, "--purge", "--yes")
    assert ollama.tags() == bot.before


def test_purge_keeps_the_backup_that_another_run_goes_back_by(bot: Bot, ollama: RealOllama) -> None:
    """Two bots of one digest share a backup."""
    twin = ollama.own(f"{OURS}/twin:v1")
    ollama.copy(BOT, twin)
    first, second = (
        bot.migrate("--suite", "none", *bot.recipe(QWEN, source=source))["data"]["id"] for source in (BOT, twin)
    )
    bot.run("rollback", first, "--purge", "--yes")
    tags = ollama.tags()
    assert tags[BOT] == tags[bot.backup] == bot.digest != tags[twin]
    bot.run("rollback", second, "--yes")
    assert ollama.tags()[twin] == bot.digest


class TestWhereModelsAreTested:
    @pytest.fixture(autouse=True)
    def able(self, bot: Bot, ollama: RealOllama) -> None:
        """Nothing else is asked of a model that cannot even repeat a word."""
        for name in (BOT, ollama.install(QWEN)):
            if "MODAVI" not in bot.answer("Reply with exactly this word and nothing else: MODAVI", of=name):
                pytest.skip(f"{name} of the registry cannot repeat a word")

    def test_model_that_does_as_well_is_switched_to(self, bot: Bot) -> None:
        run = bot.migrate("--suite", "quick", *bot.recipe(QWEN))["data"]
        assert run["tests"][0]["comparison"]["verdict"] == "go"
        for role in ("old", "new"):
            outcomes = {result["id"]: result["outcome"] for result in run["tests"][0][role]["results"]}
            assert outcomes["load.residency"] == outcomes["sane.text"] == "pass"
        assert bot.parent() == at_registry(QWEN)

    def test_answer_only_the_old_model_gives_stops_the_switch(self, bot: Bot, ollama: RealOllama) -> None:
        answer = bot.migrate("--suite", "quick", *bot.recipe(QWEN, smoke=bot.as_before()), exits=1)
        assert answer["errors"][0]["code"] == "no-go"
        assert ollama.tags()[BOT] == bot.digest

    def test_it_is_switched_to_all_the_same_where_that_is_accepted(self, bot: Bot) -> None:
        run = bot.migrate("--suite", "quick", "--accept", BOT, *bot.recipe(QWEN, smoke=bot.as_before()))["data"]
        assert run["tests"][0]["comparison"]["verdict"] == "no-go" and run["tests"][0]["accepted"]
        assert bot.parent() == at_registry(QWEN)


def test_stage_switches_nothing_until_it_is_resumed(bot: Bot, ollama: RealOllama) -> None:
    run = bot.migrate("--stage", "--suite", "none", *bot.recipe(QWEN))["data"]["id"]
    assert ollama.tags()[BOT] == bot.digest and at_registry(QWEN) in ollama.tags()
    bot.run("resume", run)
    assert bot.parent() == at_registry(QWEN)


def test_name_that_somebody_changed_meanwhile_is_not_written_over(bot: Bot, ollama: RealOllama) -> None:
    run = bot.migrate("--stage", "--suite", "none", *bot.recipe(QWEN))["data"]["id"]
    ollama.copy(at_registry(LLAMA), BOT)
    theirs = ollama.tags()[BOT]
    bot.run("resume", run, exits=1)
    assert ollama.tags()[BOT] == theirs
    bot.run("rollback", run, "--purge", "--yes")
    assert ollama.tags()[BOT] == theirs


class TestWhileItPulls:
    def test_interrupted_it_keeps_what_has_come_and_goes_on(self, bot: Bot, ollama: RealOllama) -> None:
        with bot.pulling() as process:
            process.send_signal(signal.SIGINT)
            answer, _ = process.communicate(timeout=60)
        assert process.returncode == 130
        run = json.loads(answer)["data"]["id"]
        assert at_registry(SLOW) not in ollama.tags() and ollama.tags()[BOT] == bot.digest
        with ollama.pulling(SLOW) as events:
            first = next(event for event in events if event.get("digest") == weights(SLOW))
        assert first["completed"] > 0
        bot.run("resume", run)
        assert bot.parent() == at_registry(SLOW)

    def test_killed_it_goes_on_from_its_journal(self, bot: Bot, ollama: RealOllama) -> None:
        with bot.pulling() as process:
            process.kill()
        assert ollama.tags()[BOT] == bot.digest
        bot.run("resume")
        assert bot.parent() == at_registry(SLOW) and ollama.tags()[bot.backup] == bot.digest

    def test_killed_it_is_undone(self, bot: Bot, ollama: RealOllama) -> None:
        with bot.pulling() as process:
            process.kill()
        bot.run("rollback", "--purge", "--yes")
        assert ollama.tags() == bot.before

    def test_second_migration_is_refused(self, bot: Bot, ollama: RealOllama) -> None:
        with bot.pulling():
            answer = bot.migrate("--suite", "none", *bot.recipe(QWEN), exits=4)
            assert ollama.tags() == {**bot.before, bot.backup: bot.digest}
        assert answer["errors"][0]["code"] == "locked"
