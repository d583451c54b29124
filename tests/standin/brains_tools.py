"""Scripted models for what goes beyond talking: tools, long prompts, gaps in code, pictures, vectors, labels.

`ToolUser` is good at tools; what others do wrong is put around it, so that a test says exactly one thing:

    standin.behaviours["m:latest"] = CallInText(ToolUser())
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from standin.behaviour import Behaviour, Echo, Said, ToolCall, Traits, Turn

Rule = tuple[re.Pattern[str], str, Callable[[re.Match[str]], dict[str, Any]]]


def _rule(pattern: str, tool: str, **arguments: Any) -> Rule:
    """A request that calls for a tool; `\\1` in an argument is what the pattern's group found."""

    def filled(match: re.Match[str]) -> dict[str, Any]:
        return {
            name: match.expand(value) if isinstance(value, str) else value(match) if callable(value) else value
            for name, value in arguments.items()
        }

    return re.compile(pattern, re.DOTALL), tool, filled


RULES = (
    _rule(r"^(?!.*°C).*(?:\bin|\bto|weather) ([A-Z][a-z]+)", "get_weather", city=r"\1"),
    _rule(r"mail about the invoice from (\w+)", "search_mail", query=r"invoice \1"),
    _rule(r"needs (\d+) minutes", "set_timer", minutes=lambda match: int(match[1])),
    _rule(r"order (\d+)", "get_order", id=r"\1"),
    _rule(r"file called (\S+) with exactly this content:\n(.*)", "write_file", path=r"\1", content=r"\2"),
    _rule(r"Create the file (\S+) that says (.*) and nothing else", "write_file", path=r"\1", content=r"\2"),
    _rule(r"what is in (/\S+)\.", "read_file", path=r"\1"),
    _rule(r"files are in (\S+)\?", "list_directory", path=r"\1"),
    _rule(r"use of (\S+) below (\S+)\.", "search_files", pattern=r"\1", path=r"\2"),
    _rule(r"Rename (\S+) to (\S+)\.", "move_file", source=r"\1", destination=r"\2"),
    _rule(r"Delete (\S+),", "delete_file", path=r"\1"),
    _rule(r"Run `(.*)` in the shell", "run_shell", command=r"\1"),
    _rule(r"Fetch (\S+) and", "fetch_url", url=r"\1"),
    _rule(r"on the web who maintains (\w+)", "search_web", query=r"maintainer of \1"),
    _rule(r'Commit everything with the message "(.*)"', "git_commit", message=r"\1"),
    _rule(r"last (\d+) commits", "git_log", count=lambda match: int(match[1])),
    _rule(r"tests in (\S+)\.", "run_tests", path=r"\1"),
    _rule(r"rows of the table (\w+)", "query_database", sql=r"SELECT count(*) FROM \1 WHERE price > 10"),
    _rule(r"Mail (\S+) that (.*)", "send_mail", to=r"\1", subject="Deployment", body=r"\2"),
)


def names_of(turn: Turn) -> list[str]:
    """The tools on offer."""
    return [tool["function"]["name"] for tool in turn.tools]


def wanted(turn: Turn) -> ToolCall | None:
    """The call that a request asks for."""
    for pattern, tool, arguments in RULES:
        if tool in names_of(turn) and (match := pattern.search(turn.last)):
            return ToolCall(tool, arguments(match))
    return None


@dataclass(frozen=True)
class ToolUser:
    """Calls the right tool where one is needed, reads what tools answer, and talks otherwise. Thinks when it may."""

    traits: Traits = field(default_factory=Traits)
    inner: Behaviour = field(default_factory=Echo)

    def say(self, turn: Turn) -> Said:
        thinking = "Let me see which tool helps here." if turn.think else ""
        if turn.messages and turn.messages[-1]["role"] == "tool":
            return Said(f"The tool says: {turn.last}", thinking)
        if call := wanted(turn):
            return Said("", thinking, (call,))
        return self.inner.say(turn)


@dataclass(frozen=True)
class _Around:
    """A model that does all as another one does, but for what it says of calls."""

    inner: Behaviour = field(default_factory=ToolUser)

    @property
    def traits(self) -> Traits:
        return self.inner.traits

    def say(self, turn: Turn) -> Said:
        said = self.inner.say(turn)
        return self.changed(said, turn) if said.tool_calls else said

    def changed(self, said: Said, turn: Turn) -> Said:
        raise NotImplementedError


class CallInText(_Around):
    """Writes the JSON of its call into its answer, as qwen2.5-coder does."""

    def changed(self, said: Said, turn: Turn) -> Said:
        call = said.tool_calls[0]
        return Said(json.dumps({"name": call.name, "arguments": call.arguments}))


class CallInXml(_Around):
    """Leaves out the opening tag, so that the rest of its call stays in the text, as qwen3-coder does."""

    def changed(self, said: Said, turn: Turn) -> Said:
        call = said.tool_calls[0]
        inside = "".join(f"<parameter={name}>\n{value}\n</parameter>\n" for name, value in call.arguments.items())
        return Said(f"<function={call.name}>\n{inside}</function>\n</tool_call>")


@dataclass(frozen=True)
class BrokenCall(_Around):
    """Its calls cannot be parsed: the server ends the answer with an error, in the stream once it has begun."""

    error: str = "XML syntax error on line 4: element <parameter> closed by </function>"
    begins: bool = True

    def changed(self, said: Said, turn: Turn) -> Said:
        return Said("One moment." if self.begins else "", error=self.error)


class WrongTool(_Around):
    """Calls the last tool on offer, or one that is not on offer where there is no other."""

    def changed(self, said: Said, turn: Turn) -> Said:
        others = [name for name in names_of(turn) if name != said.tool_calls[0].name]
        return replace(said, tool_calls=(ToolCall(others[-1] if others else "lookup", said.tool_calls[0].arguments),))


class ArgumentsAsText(_Around):
    """Gives arguments as a text of JSON on every route."""

    def changed(self, said: Said, turn: Turn) -> Said:
        texts: Any = [ToolCall(call.name, json.dumps(call.arguments)) for call in said.tool_calls]  # type: ignore[arg-type]
        return replace(said, tool_calls=tuple(texts))


class NoArguments(_Around):
    """Calls the right tool and forgets what for."""

    def changed(self, said: Said, turn: Turn) -> Said:
        return replace(said, tool_calls=tuple(ToolCall(call.name) for call in said.tool_calls))


class TwiceTheCall(_Around):
    """Makes every call twice."""

    def changed(self, said: Said, turn: Turn) -> Said:
        return replace(said, tool_calls=said.tool_calls * 2)


class PlansOnly(_Around):
    """While it thinks it plans the call, and then says it is done."""

    def changed(self, said: Said, turn: Turn) -> Said:
        if not turn.think:
            return said
        return Said("Done.", f"I will call {said.tool_calls[0].name} now.")


class StripsMarkup(_Around):
    """Loses whatever looks like a tag in its arguments."""

    def changed(self, said: Said, turn: Turn) -> Said:
        calls = [
            ToolCall(call.name, {name: re.sub(r"<[^<>]*>", "", str(value)) for name, value in call.arguments.items()})
            for call in said.tool_calls
        ]
        return replace(said, tool_calls=tuple(calls))


@dataclass(frozen=True)
class CallsAlways:
    """Calls the first tool on offer whatever it is asked, tool answers included."""

    traits: Traits = field(default_factory=Traits)

    def say(self, turn: Turn) -> Said:
        if not turn.tools:
            return Said("Hello.")
        properties = turn.tools[0]["function"]["parameters"]["properties"]
        return Said("", tool_calls=(ToolCall(names_of(turn)[0], dict.fromkeys(properties, "Oslo")),))


@dataclass(frozen=True)
class CallsNever:
    """Talks about what it would do."""

    traits: Traits = field(default_factory=Traits)

    def say(self, turn: Turn) -> Said:
        return Said("I am afraid I cannot look that up.")


@dataclass(frozen=True)
class FormatWins:
    """With a format in the request it keeps to that and calls nothing, as Ollama makes models do."""

    value: str = '{"answer": "It is mild."}'
    inner: Behaviour = field(default_factory=ToolUser)

    @property
    def traits(self) -> Traits:
        return self.inner.traits

    def say(self, turn: Turn) -> Said:
        return Said(self.value) if turn.format is not None else self.inner.say(turn)


@dataclass(frozen=True)
class CodeReader:
    """Reads the codes in a long text: all of what the server left of it, or only its `memory` last characters."""

    memory: int | None = None
    traits: Traits = field(default_factory=Traits)

    def say(self, turn: Turn) -> Said:
        text = turn.last
        if turn.truncated:
            text = text[len(text) // 2 :]
        if self.memory is not None:
            text = text[-self.memory :]
        codes = re.findall(r"code is (\w+)\.", text)
        return Said(" and ".join(codes) or "I see no codes.")


@dataclass(frozen=True)
class Completer:
    """Fills a gap with what `fill` makes of the text before it."""

    fill: Callable[[str], str] = lambda before: "a + b" if before.endswith("return ") else "pass"
    traits: Traits = field(default_factory=Traits)

    def say(self, turn: Turn) -> Said:
        return Said(self.fill(turn.prompt or ""))


@dataclass(frozen=True)
class Looker:
    """Reads the letters in a picture, or says `sees` of any. font: rows of dots, leftmost in the highest bit."""

    font: Mapping[str, tuple[int, ...]]
    sees: str | None = None
    too_big: int | None = None
    """Pixels from which on the runner crashes."""
    traits: Traits = field(default_factory=Traits)

    def say(self, turn: Turn) -> Said:
        if not turn.images:
            return Said("There is no picture.")
        width, height, rows = pixels(turn.images[-1])
        if self.too_big is not None and width * height >= self.too_big:
            return Said(error="model runner has unexpectedly stopped, this may be due to resource limitations")
        return Said(self.sees if self.sees is not None else f"The word is {letters(rows, self.font).title()}.")


@dataclass(frozen=True)
class Embedder:
    """Gives vectors by topic. turn: mixes the numbers, as another model of the same size would. size: how many."""

    size: int = 64
    other: int = 0
    constant: bool = False
    traits: Traits = field(default_factory=Traits)

    def say(self, turn: Turn) -> Said:
        raise AssertionError("an embedding model says nothing")

    def embed(self, text: str) -> list[float]:
        """Texts that share a topic point nearly the same way."""
        topic = "" if self.constant else "money" if re.search(r"paid|payment", text, re.IGNORECASE) else "else"
        return [a + 0.1 * b for a, b in zip(self._noise(topic), self._noise(text), strict=True)]

    def _noise(self, text: str) -> list[float]:
        numbers: list[float] = []
        while len(numbers) < self.size:
            seed = hashlib.sha256(f"{self.other} {len(numbers)} {text}".encode()).digest()
            numbers += [byte / 127.5 - 1 for byte in seed]
        return numbers[: self.size]


@dataclass(frozen=True)
class Guard:
    """Labels requests. `form`: how it says `safe` or `unsafe`."""

    form: Callable[[bool], str] = lambda harmful: "unsafe\nS9" if harmful else "safe"
    wrong: str = ""
    """Words of requests it takes for harmful, though they are not."""
    traits: Traits = field(default_factory=Traits)

    def say(self, turn: Turn) -> Said:
        harmful = re.search(r"bomb|threaten|forge", turn.last) is not None
        return Said(self.form(harmful or bool(self.wrong and re.search(self.wrong, turn.last))))


def pixels(png: bytes) -> tuple[int, int, list[list[tuple[int, int, int]]]]:
    """Width, height and rows of a PNG file of eight-bit RGB without filters; every checksum is checked."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n"), "no PNG file"
    place, data, width, height = 8, b"", 0, 0
    while place < len(png):
        size, kind = struct.unpack_from(">I4s", png, place)
        content = png[place + 8 : place + 8 + size]
        (checksum,) = struct.unpack_from(">I", png, place + 8 + size)
        assert checksum == zlib.crc32(kind + content), f"a wrong checksum in {kind!r}"
        if kind == b"IHDR":
            width, height, *form = struct.unpack(">IIBBBBB", content)
            assert form == [8, 2, 0, 0, 0]
        data += content if kind == b"IDAT" else b""
        place += 12 + size
    assert png.endswith(b"IEND\xaeB`\x82")
    raw = zlib.decompress(data)
    step = 3 * width + 1
    assert len(raw) == height * step
    lines = [raw[at : at + step] for at in range(0, len(raw), step)]
    assert all(line[0] == 0 for line in lines), "a filter"
    return width, height, [list(zip(line[1::3], line[2::3], line[3::3], strict=True)) for line in lines]


def letters(rows: list[list[tuple[int, int, int]]], font: Mapping[str, tuple[int, ...]]) -> str:
    """The letters in a picture, found by their dots: the paper is what the corner has, the rest is ink."""
    paper = rows[0][0]
    inked = [y for y, row in enumerate(rows) if any(pixel != paper for pixel in row)]
    across = [x for x in range(len(rows[0])) if any(rows[y][x] != paper for y in inked)]
    if not inked:
        return ""
    dot = (inked[-1] - inked[0] + 1) // 7
    left, top = across[0], inked[0]
    by_shape = {shape: letter for letter, shape in font.items()}
    read = ""
    # the first letter may begin with empty columns, so every start within a letter is tried
    for start in range(left - 2 * dot, left + 1, dot):
        attempt = ""
        for at in range(start, across[-1] + 1, 6 * dot):
            shape = tuple(
                sum(_ink(rows, at + column * dot, top + row * dot, paper) << (4 - column) for column in range(5))
                for row in range(7)
            )
            attempt += by_shape.get(shape, "?")
        if attempt.count("?") < max(read.count("?"), 1) or not read:
            read = attempt
    return read


def _ink(rows: list[list[tuple[int, int, int]]], x: int, y: int, paper: tuple[int, int, int]) -> bool:
    return 0 <= x < len(rows[0]) and rows[y][x] != paper
