"""Runs built by hand for the report and command line tests: one developer's desktop, and every way a run can end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import examples

from llamaexit.migration.options import MigrationOptions
from llamaexit.migration.record import Backup, Change, Failure, Run, RunSummary, StepRecord, Tested
from llamaexit.smoke.model import (
    CheckResult,
    Comparison,
    Exchange,
    Fault,
    Measured,
    Outcome,
    Residency,
    Row,
    Subject,
    SuiteResult,
)

RUN = "20261125-074615-3f2a"
HOST = "http://127.0.0.1:11434"
LLAMA = examples.CHAT_SOURCE.digest or ""
BOT = "a" * 64
QWEN = "500a1f067a9f" + "0" * 52
NEW_BOT = "e" * 64

PLAN = replace(examples.DESKTOP, asked=())
"""llama3.1:8b and team-bot:latest are to become qwen3:8b; one model is skipped, two need a person, one is kept."""

LEFT_OUT = (
    ("codellama:7b-code", "left out with --skip"),
    ("llama-guard3:8b", examples.GUARD.reason),
    ("hf.co/someone/mystery-7b-gguf:Q4_K_M", examples.UNKNOWN.reason),
)


def exchange(asked: str, answered: str | None, *, status: int = 200, error: str | None = None, **more: Any) -> Exchange:
    """One question on /api/chat with its answer."""
    request = {
        "model": "qwen3:8b", "messages": [{"role": "user", "content": asked}], "stream": False, "think": False, **more,
    }  # fmt: skip
    body = None if answered is None else {"message": {"role": "assistant", "content": answered}, "done_reason": "stop"}
    return Exchange("/api/chat", request, status, body, error, 0.8)


def result(
    check: str, title: str, outcome: Outcome = "pass", reason: str = "", *, fault: Fault = "", **more: Any
) -> CheckResult:
    """What one check found."""
    facts: dict[str, Any] = {"won": (outcome == "pass",) * 3, "exchanges": (exchange("Say hello.", "hello"),), **more}
    return CheckResult(check, title, outcome, fault, reason, seconds=2.4, **facts)


LOAD = result("load.residency", "loads and stays in memory")
SANE = result("sane.text", "answers in plain text", exchanges=(exchange("Reply with exactly: KWOTBA", "KWOTBA"),))
STOP = result("stop.clean", "stops by itself")
NAIVE = result(
    "think.naive", "answers clients that say nothing about thinking", "warn",
    "thinks for 412 tokens before it answers", figures={"first_content_seconds": 3.1},
)  # fmt: skip
SCHEMA = result("json.schema", "keeps to a JSON schema")
TOOLS = result("tools.single", "calls a tool")
LANGUAGE = result("lang.stay", "stays in the language it is asked in", "skip", "not in the quick suite", won=())
SPEED = result(
    "perf.rate", "speed", figures={"tokens_per_second": 58.0, "first_content_seconds": 0.41}, exchanges=(), won=()
)
BROKEN_SCHEMA = result(
    "json.schema", "keeps to a JSON schema", "fail", "2 of 3 answers are not the JSON that was asked for",
    fault="wrong", won=(True, False, False),
    exchanges=(
        exchange("Anna is 31 and likes a and b.", '{"name": "Anna", "age": 31, "tags": ["a", "b"]}'),
        exchange("Bo is 7.\nGive name, age and tags.", 'Sure! Here is the JSON:\n```json\n{"name": "Bo"}\n```'),
        exchange("Cy, 54, c.", '{"name": "Cy"}'),
    ),
)  # fmt: skip


def suite(name: str, digest: str, *results: CheckResult, size: int = 6_657_199_308, **more: Any) -> SuiteResult:
    """The results of one model."""
    subject = Subject(name, digest, ("chat", "tools"), ("completion", "tools"), 8192, thinks=name == "qwen3:8b")
    residency = Residency(size, size, 8192)
    facts: dict[str, Any] = {"residency": residency, **more}
    return SuiteResult(subject, "quick", 1234, "2026-11-25T07:53:10Z", 41.2, results, **facts)


OLD = suite(
    "llama3.1:8b", LLAMA, LOAD, SANE, STOP, replace(NAIVE, outcome="pass", reason=""), SCHEMA, TOOLS, LANGUAGE,
    replace(SPEED, figures={"tokens_per_second": 41.0, "first_content_seconds": 0.6}),
)  # fmt: skip
NEW = suite("qwen3:8b", QWEN, LOAD, SANE, STOP, NAIVE, SCHEMA, TOOLS, LANGUAGE, SPEED, size=7_086_696_038)
BAD = suite("qwen3:8b", QWEN, LOAD, SANE, STOP, NAIVE, BROKEN_SCHEMA, TOOLS, LANGUAGE, SPEED, size=7_086_696_038)
FIGURES = (
    Measured("tokens_per_second", "tokens/s", 41.0, 58.0, 1.41, "new"),
    Measured("first_content_seconds", "seconds", 0.6, 0.41, 0.68, "new"),
    Measured("second_turn_seconds", "seconds", 0.3, 0.9, 3.0, "old"),
    Measured("gpu_share", "share", 1.0, 1.0, None),
    Measured("memory", "bytes", 6_657_199_308, 7_086_696_038, 1.06),
)
PROOF = "3 different prompts a check: a fault that hits one prompt in five would be missed half the time."


def rows(old: SuiteResult, new: SuiteResult, blocking: str = "") -> tuple[Row, ...]:
    """Both results of every check side by side."""
    found = []
    for one in new.results:
        before = old.result(one.id)
        worse = one.id == blocking
        meaning = "the old model does it, the new one does not" if worse else one.reason
        found.append(Row(one.id, one.title, before.outcome if before else None, one.outcome, meaning, worse))
    return tuple(found)


GO = Comparison("go", "does all that the old one did", rows(OLD, NEW), FIGURES, PROOF, "tested first")
NO_GO = Comparison(
    "no-go", "keeps to a JSON schema: the old model does it, the new one does not", rows(OLD, BAD, "json.schema"),
    FIGURES, PROOF, "tested first",
)  # fmt: skip
CHAT_TESTED = Tested("llama3.1:8b", "qwen3:8b", OLD, NEW, GO)
OLD_BOT = replace(OLD, subject=replace(OLD.subject, name="team-bot:latest", digest=BOT))
NEW_BOT_SUITE = replace(NEW, subject=replace(NEW.subject, name=f"llamaexit-stage/{RUN}-2:latest", digest=NEW_BOT))
BOT_TESTED = Tested("team-bot:latest", "qwen3:8b", OLD_BOT, NEW_BOT_SUITE, GO)
CHAT_REFUSED = Tested("llama3.1:8b", "qwen3:8b", OLD, BAD, NO_GO)

STEPS = (
    StepRecord(
        "backup team-bot:latest", "keep the present team-bot:latest under a backup name", "stage", "done",
        "kept as aaaaaaaaaaaa", 0.1,
    ),
    StepRecord("pull qwen3:8b", "pull qwen3:8b", "stage", "done", "qwen3:8b is 500a1f067a9f", 402.0),
    StepRecord(
        "test llama3.1:8b", "test qwen3:8b against llama3.1:8b", "test", "done", "does all that the old one did", 84.0
    ),
    StepRecord(
        "build team-bot:latest", "prepare team-bot:latest on qwen3:8b, under a name of ours", "stage", "done",
        "keeps SYSTEM, num_ctx 8192 and temperature 0.2", 0.4,
    ),
    StepRecord(
        "test team-bot:latest", "test the new team-bot:latest against team-bot:latest", "test", "done",
        "does all that the old one did", 80.0,
    ),
    StepRecord(
        "switch team-bot:latest", "let team-bot:latest mean the one built on qwen3:8b", "switch", "done",
        "team-bot:latest is eeeeeeeeeeee (it was aaaaaaaaaaaa)", 0.1,
    ),
    StepRecord(
        "switch team-chat:latest", "let team-chat:latest mean qwen3:8b", "switch", "done",
        "team-chat:latest is 500a1f067a9f", 0.1,
    ),
    StepRecord("tidy", "remove the names the new models were prepared under", "switch", "done", "1 removed", 0.1),
)  # fmt: skip


def waiting(
    steps: tuple[StepRecord, ...], done: int, last: str = "waiting", detail: str = ""
) -> tuple[StepRecord, ...]:
    """The first `done` steps as they are, the one after them in state `last`, the others not begun."""
    here = [replace(steps[done], state=last, detail=detail)]  # type: ignore[arg-type]
    after = [replace(step, state="waiting", detail="", seconds=None) for step in steps[done + 1 :]]
    return (*steps[:done], *here, *after)


PULLED = Change("qwen3:8b", None, QWEN, "pulled", "qwen3:8b", "llama3.1:8b")
REBUILT = Change("team-bot:latest", BOT, NEW_BOT, "rebuilt", "qwen3:8b", "team-bot:latest")
ALIAS = Change("team-chat:latest", None, QWEN, "alias", "qwen3:8b", "llama3.1:8b")
TAKEN_OVER = Change("llama3.1:8b", LLAMA, QWEN, "taken-over", "qwen3:8b", "llama3.1:8b")
BACKUP = Backup(f"llamaexit-keep/{BOT}:latest", "team-bot:latest", BOT)

COMMITTED = Run(
    id=RUN,
    state="committed",
    host=HOST,
    ollama_version="0.24.1",
    llamaexit_version="0.2.0",
    began_at="2026-11-25T07:46:15Z",
    ended_at="2026-11-25T07:56:02Z",
    plan=PLAN,
    options=MigrationOptions(skip=("codellama*",), aliases={"team-chat": "llama3.1:8b"}),
    steps=STEPS,
    tests=(CHAT_TESTED, BOT_TESTED),
    changes=(PULLED, REBUILT, ALIAS),
    backups=(BACKUP,),
    left_out=LEFT_OUT,
)
"""Everything went well: team-bot is rebuilt, team-chat is new, llama3.1:8b stays beside qwen3:8b."""

BESIDE = replace(
    COMMITTED,
    steps=STEPS[1:3],
    options=MigrationOptions(only=("llama3.1:8b",)),
    tests=(CHAT_TESTED,),
    changes=(PULLED,),
    backups=(),
    left_out=(("team-bot:latest", "not among --only"), *LEFT_OUT),
)
"""A library model alone: nothing is switched, clients have to be pointed at the new name."""

TAKEN = replace(
    BESIDE,
    options=MigrationOptions(only=("llama3.1:8b",), take_over=True),
    changes=(PULLED, TAKEN_OVER),
    backups=(Backup(f"llamaexit-keep/{LLAMA}:latest", "llama3.1:8b", LLAMA),),
)
"""The library name means the new model."""

STAGED = replace(
    COMMITTED,
    state="staged",
    options=replace(COMMITTED.options, stage=True),
    steps=STEPS[:5],
    changes=(PULLED,),
)

REFUSED_VERDICT = replace(
    COMMITTED,
    state="failed",
    steps=waiting(STEPS, 2, "failed", NO_GO.reason),
    tests=(CHAT_REFUSED,),
    changes=(PULLED,),
    failure=Failure(
        "no-go",
        f"llama3.1:8b is not switched to qwen3:8b: {NO_GO.reason}",
        f"llamaexit show {RUN} tells what was asked; --accept llama3.1:8b switches all the same",
    ),
)
"""The new model cannot do what the old one could: stopped before the switch."""

ACCEPTED = replace(
    COMMITTED,
    options=replace(COMMITTED.options, accept=("llama3.1:8b",)),
    tests=(replace(CHAT_REFUSED, accepted=True), BOT_TESTED),
)

PULL_FAILED = replace(
    COMMITTED,
    state="failed",
    steps=waiting(STEPS, 1, "failed", "qwen3:8b could not be pulled: no space left on device"),
    tests=(),
    changes=(),
    failure=Failure(
        "disk-full", "qwen3:8b could not be pulled: no space left on device",
        f"free some disk; then llamaexit resume {RUN}",
    ),
)  # fmt: skip

INTERRUPTED = replace(
    COMMITTED,
    state="unfinished",
    steps=waiting(STEPS, 1, "begun"),
    tests=(),
    changes=(),
    failure=Failure("interrupted", "interrupted", f"llamaexit resume {RUN}", 130),
)

HALFWAY = replace(
    COMMITTED,
    state="failed",
    steps=waiting(STEPS, 6, "failed", "team-chat:latest was changed by somebody else"),
    changes=(PULLED, REBUILT),
    failure=Failure(
        "changed",
        "team-chat:latest was changed by somebody else: it was not there when the run began, it is bbbbbbbbbbbb now",
        f"llamaexit resume {RUN} goes on, llamaexit rollback {RUN} goes back",
        5,
    ),
)
"""One of two names was switched."""

PARTLY = replace(
    COMMITTED,
    options=replace(COMMITTED.options, keep_going=True),
    tests=(CHAT_REFUSED, BOT_TESTED),
    changes=(PULLED, REBUILT),
    failure=Failure("partly", f"not migrated: llama3.1:8b: {NO_GO.reason}", None, 1),
)
"""One of two models was migrated, as --keep-going asks."""

ROLLED_BACK = replace(
    COMMITTED,
    state="rolled-back",
    steps=(
        *STEPS,
        StepRecord(
            "restore team-bot:latest", "let team-bot:latest mean the old aaaaaaaaaaaa again", "undo", "done",
            "team-bot:latest is aaaaaaaaaaaa again", 0.1,
        ),
    ),
    changes=(PULLED,),
)  # fmt: skip

CONFLICT = replace(
    ROLLED_BACK,
    changes=(PULLED, REBUILT),
    conflicts=(("team-bot:latest", "team-bot:latest is cccccccccccc now, which this run did not make: left as it is"),),
    failure=Failure(
        "conflict", "left as they are, since somebody else changed them: team-bot:latest",
        "the old models are kept; llamaexit show names their backups", 5,
    ),
)  # fmt: skip

ROLLING_BACK = replace(
    COMMITTED,
    state="rolling-back",
    failure=Failure(
        "ollama-unreachable", f"no Ollama server at {HOST}: connection refused",
        f"llamaexit rollback {RUN} goes on", 5,
    ),
)  # fmt: skip

BAD_LOAD = replace(
    REFUSED_VERDICT,
    tests=(
        Tested(
            "llama3.1:8b", "qwen3:8b", OLD,
            suite(
                "qwen3:8b", QWEN, residency=None, failed_to_load="model requires more system memory (9.1 GiB) than is"
                " available (6.2 GiB)", fault="no-fit",
            ),
            Comparison("no-go", "qwen3:8b does not load", (), (), "", "tested first"),
        ),
    ),
)  # fmt: skip
"""The new model does not load at all."""

RUNS = {
    "committed": COMMITTED,
    "beside": BESIDE,
    "taken over": TAKEN,
    "staged": STAGED,
    "no-go": REFUSED_VERDICT,
    "accepted": ACCEPTED,
    "pull failed": PULL_FAILED,
    "interrupted": INTERRUPTED,
    "half-way": HALFWAY,
    "partly": PARTLY,
    "rolled back": ROLLED_BACK,
    "conflict": CONFLICT,
    "rolling back": ROLLING_BACK,
    "does not load": BAD_LOAD,
}
"""Every way a run can end, by a name for tests."""

DAMAGED = RunSummary(
    "20261101-101500-0001", "unfinished", "", "", None, (),
    Failure("journal", "20261101-101500-0001: line 7 of its journal is damaged"),
)  # fmt: skip
HISTORY = (
    COMMITTED.summary,
    replace(REFUSED_VERDICT, id="20261124-180000-77aa", began_at="2026-11-24T18:00:00Z").summary,
    replace(PARTLY, id="20261124-170000-beef", began_at="2026-11-24T17:00:00Z").summary,
    replace(INTERRUPTED, id="20261123-090000-c0de", began_at="2026-11-23T09:00:00Z", ended_at=None).summary,
    replace(CONFLICT, id="20261120-120000-0f0f").summary,
    DAMAGED,
)
"""Runs as the history lists them, the newest first."""
