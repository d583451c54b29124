"""More runs for the report page: a full suite, half a baseline, no tests, and strangers who try to break the page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import examples
from run_samples import BOT, BOT_TESTED, COMMITTED, LLAMA, QWEN, REFUSED_VERDICT, RUNS, exchange, result, rows, suite

from llamaexit.migration.record import Backup, Change, Failure, Run, StepRecord, Tested
from llamaexit.smoke.model import Comparison, Exchange, Measured, Residency

EVIL = (
    "<script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>\"'><svg onload=alert(1)>"
    "</pre></details></style></title>--><!-- &lt;b&gt; {{ 7 * 7 }} {% raw %} ]]> "
    "\x1b[31mred\x1b]8;;http://evil.example\x07 \x00\x7f\x9b \u202egnp.exe\u202c \u200b\ufeff\U000e0041 \ud800 "
    "| a | b |\n# no heading\n- no list\r\n```\n~~~\n````text\n[link](http://evil.example) ![i](http://evil.example/i) "
    "<http://evil.example> `code` **bold** _em_ ~~gone~~ $x$ @everyone #1\u2028\u2029\x85"
)
"""What a model, a server or a recipe of ill will could say."""
LONG = "A" * 1_000_000
WORD = "x" * 400
"""Longer than any screen is wide, with no place to break it."""

TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}  # fmt: skip


def checks(model: str, *, worse: bool = False) -> list[Any]:
    """A full suite for chat and tools, with realistic questions and answers."""
    called = {"function": {"name": "get_weather", "arguments": {"city": "Oslo"}}}
    text = '{"name": "get_weather", "arguments": {"city": "Oslo"}}'
    tool_answer: dict[str, Any] = {"content": text} if worse else {"content": "", "tool_calls": [called]}
    tools = Exchange(
        "/api/chat",
        {
            "model": model, "stream": False, "think": False, "tools": [TOOL],
            "messages": [{"role": "user", "content": "What is the weather in Oslo right now?"}],
            "options": {"temperature": 0, "seed": 42, "num_ctx": 8192, "num_predict": 256},
        },
        200, {"message": {"role": "assistant", **tool_answer}, "done_reason": "stop", "eval_count": 24}, None, 0.9,
    )  # fmt: skip
    window = exchange("Code 1 is KWOTBA. " + "The quick brown fox jumps. " * 900 + "Give both codes.", "KWOTBA, ZUNIPE")
    found = [
        result("load.residency", "loads and stays in memory"),
        result("sane.text", "answers in plain text", exchanges=(exchange("Reply with exactly: KWOTBA", "KWOTBA"),)),
        result("stop.clean", "stops by itself"),
        result("system.obey", "obeys a system prompt"),
        result("think.naive", "answers clients that say nothing about thinking"),
        result("think.off.chat", "thinking can be switched off on /api/chat"),
        result("think.off.generate", "thinking can be switched off on /api/generate"),
        result("think.off.v1", "thinking can be switched off on /v1"),
        result("json.schema", "keeps to a JSON schema", won=(True,) * 5),
        result("json.v1", "keeps to a JSON schema on /v1"),
        result("tools.single", "calls a tool", exchanges=(tools, tools, tools)),
        result("tools.restraint", "leaves tools alone that are not needed", "warn", "called a tool for a greeting"),
        result("tools.choice", "chooses between tools"),
        result("tools.roundtrip", "uses what a tool answered"),
        result("ctx.window", "sees the whole context", exchanges=(window,), won=(True,)),
        result("stream.shape", "streams as clients expect", won=(True,)),
        result("lang.stay", "stays in the language it is asked in", "skip", "not in the quick suite", won=()),
        result("vision.read", "reads pictures", "skip", "no use of vision is planned", exchanges=(), won=()),
    ]
    if worse:
        found[10] = replace(
            found[10], outcome="fail", fault="wrong", won=(False, False, False),
            reason="3 of 3 calls came as text in the answer instead of in tool_calls",
        )  # fmt: skip
    return found


FULL_FIGURES = (
    Measured("tokens_per_second", "tokens/s", 41.2, 58.4, 1.42, "new"),
    Measured("first_content_seconds", "seconds", 0.62, 0.41, 0.66, "new"),
    Measured("prompt_tokens_per_second", "tokens/s", 1480.0, 1390.0, 0.94, None),
    Measured("second_turn_seconds", "seconds", 0.31, 0.92, 2.97, "old"),
    Measured("load_seconds", "seconds", 2.4, 2.9, 1.21, "old"),
)
FULL_PROOF = (
    "44 different prompts: 1 only the old model answered well, 3 only the new one (sign test: no difference shown). "
    "No failure in 44 prompts leaves a fault that hits one prompt in 15 unlikely."
)
FULL_OLD = suite("llama3.1:8b", LLAMA, *checks("llama3.1:8b"), size=6_657_199_308)
FULL_NEW = replace(
    suite("qwen3:8b", QWEN, *checks("qwen3:8b")), residency=Residency(7_086_696_038, 5_669_356_830, 8192)
)
FULL_BAD = suite("qwen3:8b", QWEN, *checks("qwen3:8b", worse=True), size=7_086_696_038)
FULL_TESTED = Tested(
    "llama3.1:8b", "qwen3:8b", FULL_OLD, FULL_NEW,
    Comparison(
        "go", "does all that the old one did", rows(FULL_OLD, FULL_NEW), FULL_FIGURES, FULL_PROOF,
        "llama3.1:8b was tested first, with the same questions.",
    ),
)  # fmt: skip
FULL_REFUSED = Tested(
    "llama3.1:8b", "qwen3:8b", FULL_OLD, FULL_BAD,
    Comparison(
        "no-go", "calls a tool: the old model does it, the new one does not",
        rows(FULL_OLD, FULL_BAD, "tools.single"), FULL_FIGURES, FULL_PROOF,
        "llama3.1:8b was tested first, with the same questions.",
    ),
)  # fmt: skip

FULL = replace(COMMITTED, tests=(FULL_TESTED, BOT_TESTED))
"""A full suite; a fifth of the new model lies in main memory."""
FULL_NO_GO = replace(REFUSED_VERDICT, tests=(FULL_REFUSED,))

FIM_NEW = suite("qwen2.5-coder:7b", "9" * 64, *checks("qwen2.5-coder:7b")[:5], size=5_476_083_302)
NO_BASELINE = replace(
    COMMITTED,
    plan=replace(COMMITTED.plan, decisions=(examples.FIM,)),
    tests=(
        Tested(
            "codellama:7b-code", "qwen2.5-coder:7b", None, FIM_NEW,
            Comparison(
                "not-enough-evidence", "nothing to compare with", tuple(
                    replace(row, old=None) for row in rows(FIM_NEW, FIM_NEW)
                ),
                (Measured("tokens_per_second", "tokens/s", None, 71.0, None),), "3 prompts a check.",
                "codellama:7b-code is not installed, so nothing is known about how it did.",
            ),
        ),
    ),
    changes=(Change("qwen2.5-coder:7b", None, "9" * 64, "pulled", "qwen2.5-coder:7b", "codellama:7b-code"),),
    backups=(),
    left_out=(),
)  # fmt: skip
"""The old model is only named: there is nothing to compare the new one with."""

OLD_DOES_NOT_LOAD = replace(
    COMMITTED,
    tests=(
        replace(
            FULL_TESTED,
            old=replace(FULL_OLD, results=(), residency=None, failed_to_load="unable to load model", fault="broken"),
            comparison=replace(
                FULL_TESTED.comparison,
                rows=tuple(replace(row, old=None) for row in FULL_TESTED.comparison.rows),
                figures=tuple(replace(f, old=None, ratio=None, better=None) for f in FULL_FIGURES),
                baseline="llama3.1:8b does not load, so anything is better.",
            ),
        ),
    ),
)

UNTESTED = replace(
    COMMITTED,
    options=replace(COMMITTED.options, suite="none"),
    tests=(),
    steps=tuple(step for step in COMMITTED.steps if step.phase != "test"),
)
"""Switched without any test, as asked for with --suite none."""

NOTHING = replace(
    COMMITTED, plan=examples.NOTHING, steps=(), tests=(), changes=(), backups=(), left_out=(), state="unfinished"
)
"""A journal that hardly began."""


def _evil_run() -> Run:
    evil = replace(
        result("own.evil", EVIL, "fail", EVIL, own=True, fault="wrong"),
        exchanges=(
            exchange(EVIL, EVIL, error=EVIL),
            exchange(LONG, LONG),
            Exchange("/api/chat\x1b[0m" + EVIL, {"messages": EVIL, EVIL: {EVIL: [EVIL] * 100}}, 0, None, EVIL, 0.0),
            Exchange("/v1", {"messages": [{"role": EVIL, "content": [{"text": EVIL}, 7]}]}, 200, _deep(50), None, 1.0),
            Exchange("/x", {"messages": [7, None], "prompt": None}, 200, {"choices": [7], "message": [EVIL]}, None, 1),
        ),
    )  # fmt: skip
    old = suite(EVIL, LLAMA, replace(evil, outcome="pass"))
    new = suite(EVIL, QWEN, evil, replace(evil, id=EVIL), replace(evil, id="long", title=LONG, reason=LONG))
    comparison = Comparison(
        "no-go", EVIL, (*rows(old, new, "own.evil"), replace(rows(old, new)[0], id=EVIL)),
        (Measured(EVIL, EVIL, 1.0, 1e300, 1e300, "old"), Measured("tokens_per_second", "tokens/s", -1.0, 1e12, -1e12)),
        EVIL, LONG,
    )  # fmt: skip
    source = replace(examples.CHAT.source, model=EVIL)
    target = examples.CHAT.target
    assert target is not None
    decision = replace(
        examples.CHAT, source=source, reason=EVIL, hint=EVIL, target=replace(target, model=WORD),
        rejected=(replace(examples.CHAT.rejected[0], model=EVIL, text=EVIL),),
    )  # fmt: skip
    return replace(
        COMMITTED,
        state="failed",
        host=f"http://{WORD}",
        ollama_version=EVIL,
        began_at=EVIL,
        ended_at=EVIL,
        plan=replace(
            COMMITTED.plan, decisions=(decision,),
            basis=replace(examples.BASIS, machine=EVIL, recipes=(EVIL,), policy=(LONG,)),
        ),
        options=replace(COMMITTED.options, only=(EVIL,), aliases={EVIL: WORD}),
        tests=(Tested(EVIL, WORD, old, new, comparison),),
        steps=(StepRecord(EVIL, EVIL, "stage", "failed", LONG, 0.1),),
        changes=(Change(EVIL, BOT, QWEN, "taken-over", EVIL, EVIL),),
        backups=(Backup(EVIL, EVIL, BOT),),
        left_out=((EVIL, EVIL),),
        conflicts=((EVIL, LONG),),
        failure=Failure(EVIL, EVIL, EVIL),
    )  # fmt: skip


def _deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"message": {"content": EVIL}, "big": 10**400, "image": "QUFB" * 5000}
    for _ in range(levels):
        value = {"deeper": value}
    return value | {"message": {"role": "assistant", "content": None, "thinking": EVIL, "tool_calls": [EVIL, _PICTURE]}}


_PICTURE = {"images": ["iVBORw0KGgo" * 3000]}

HOSTILE = _evil_run()
"""Every text that may come from a stranger is one that tries to get out of its place."""

MORE_RUNS = {
    "full suite": FULL,
    "full suite, no-go": FULL_NO_GO,
    "no baseline": NO_BASELINE,
    "old does not load": OLD_DOES_NOT_LOAD,
    "untested": UNTESTED,
    "nothing": NOTHING,
}
ALL_RUNS = {**RUNS, **MORE_RUNS, "hostile": HOSTILE}
