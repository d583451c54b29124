"""Check what the smoke tests of a rule mean: questions that can be put, and expectations that can be met or missed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

from llamaexit.recipes.model import Expect, Message, SmokeCheck, Tool, kebab
from llamaexit.recipes.patterns import check_pattern
from llamaexit.recipes.problems import Finding, did_you_mean

if TYPE_CHECKING:
    from llamaexit.recipes.positions import Key

T = TypeVar("T")

MOST_CHECKS = 200
"""Questions of one rule: each takes seconds, for the old model and for the new one."""
MOST_TOKENS = 8192
"""The longest answer that may be asked for."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MAY_BE_EMPTY = frozenset({"equals", "not_equals"})
_ANY_TEXT = Expect()


def smoke_findings(checks: tuple[SmokeCheck, ...], at: Key) -> Iterator[Finding]:
    """Everything in a rule's smoke tests that has the right shape and still cannot be meant."""
    if len(checks) > MOST_CHECKS:
        yield Finding(at, f"are {len(checks)} smoke tests; at most {MOST_CHECKS} are allowed for one rule")
        return
    seen = Counter[str]()
    for number, check in enumerate(checks):
        here = (*at, number)
        seen[check.id] += 1
        if not _ID.fullmatch(check.id):
            yield Finding((*here, "id"), "must be letters, digits, dots and hyphens, and start with a letter or digit")
        elif seen[check.id] == 2:
            yield Finding((*here, "id"), f"{check.id!r} is also the id of another smoke test of this rule", "duplicate")
        if not 1 <= check.max_tokens <= MOST_TOKENS:
            yield Finding((*here, "max-tokens"), f"must be 1 to {MOST_TOKENS} tokens")
        yield from _question(check, here)
        yield from _tools(check.tools, (*here, "tools"))
        yield from _expectations(check, (*here, "expect"))


def _question(check: SmokeCheck, at: Key) -> Iterator[Finding]:
    if check.messages and check.ask:
        yield Finding((*at, "messages"), "stand beside ask; one of the two is enough")
    elif not check.messages and not check.ask.strip():
        yield Finding(at, "asks nothing; give `ask` or `messages`")
    if check.suffix and check.door != "generate":
        yield Finding((*at, "route"), f"is {check.door}, but a suffix can only be asked for through generate")
    for name in ("messages", "tools"):
        if getattr(check, name) and check.door == "generate":
            yield Finding((*at, name), "cannot be sent through the route generate")
    if check.format == "json-schema" and check.expect.json_schema is None:
        yield Finding((*at, "format"), "is json-schema, so `expect.json-schema` has to give one")
    yield from _conversation(check, (*at, "messages"))


def _conversation(check: SmokeCheck, at: Key) -> Iterator[Finding]:
    for number, message in enumerate(check.messages):
        for text in _turn(message):
            yield Finding((*at, number), text)
    if check.messages and check.messages[-1].role not in ("user", "tool"):
        yield Finding(
            (*at, len(check.messages) - 1, "role"), "must be user or tool: a conversation ends with what is answered"
        )
    if check.system and check.messages and check.messages[0].role == "system":
        yield Finding((*at, 0, "role"), "is system, beside the key `system`; one of the two is enough")


def _turn(message: Message) -> Iterator[str]:
    if message.tool_calls and message.role != "assistant":
        yield "has tool-calls, which only an assistant makes"
    if message.tool_name and message.role != "tool":
        yield "has a tool-name, which only the answer of a tool has"
    if not message.content and not message.tool_calls:
        yield "says nothing"


def _tools(tools: tuple[Tool, ...], at: Key) -> Iterator[Finding]:
    names = [tool.name for tool in tools]
    for number, tool in enumerate(tools):
        if not tool.name.strip():
            yield Finding((*at, number, "name"), "is empty")
        elif tool.name in names[:number]:
            yield Finding((*at, number, "name"), f"{tool.name!r} is also the name of another tool", "duplicate")
        if tool.parameters:
            yield from _schema(tool.parameters, (*at, number, "parameters"))


def _expectations(check: SmokeCheck, at: Key) -> Iterator[Finding]:
    expect = check.expect
    if expect == _ANY_TEXT:
        yield Finding(at, "expects nothing; any answer would do")
    yield from _texts(expect, at)
    for name, pattern in (("regex", expect.regex), ("not-regex", expect.not_regex)):
        if pattern:
            yield from _refused(check_pattern, pattern, (*at, name))
    if expect.json_schema is not None:
        yield from _schema(expect.json_schema, (*at, "json-schema"))
    offered = [tool.name for tool in check.tools]
    if expect.tool is not None and offered and expect.tool.name not in offered:
        near = did_you_mean(expect.tool.name, offered)
        yield Finding((*at, "tool", "name"), f"no tool of this smoke test is called {expect.tool.name!r}{near}")
    if expect.tool is not None and expect.not_tool:
        yield Finding((*at, "not-tool"), "contradicts `tool`")
    for name in _about_tools(expect):
        if not offered:
            yield Finding((*at, name), "expects something of tools, but the smoke test offers none")


def _about_tools(expect: Expect) -> Iterator[str]:
    if expect.tool is not None:
        yield "tool"
    if expect.not_tool:
        yield "not-tool"
    if expect.is_valid_openai_tools_call:
        yield "is-valid-openai-tools-call"
    if expect.finish_reason == "tool_calls":
        yield "finish-reason"


def _texts(expect: Expect, at: Key) -> Iterator[Finding]:
    """Texts and lists of texts that are there and empty: everything contains nothing."""
    for field in fields(Expect):
        value = getattr(expect, field.name)
        if value == "" and field.name not in _MAY_BE_EMPTY:
            yield Finding((*at, kebab(field.name)), "is empty")
        elif isinstance(value, tuple):
            for number, text in enumerate(value):
                if not text:
                    yield Finding((*at, kebab(field.name), number), "is empty")


def _schema(schema: dict[str, object], at: Key) -> Iterator[Finding]:
    from llamaexit.recipes.schemas import check_schema

    yield from _refused(check_schema, schema, at)


def _refused(check: Callable[[T], None], value: T, at: Key) -> Iterator[Finding]:
    try:
        check(value)
    except ValueError as error:
        yield Finding(at, str(error))
