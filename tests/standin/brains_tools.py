"""Skills and habits of models beyond talking: tools, long prompts, gaps in code, pictures, labels; and vectors.

AGENT.but(writes_calls_as_json)        # good at tools, but for the form of its calls
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

from standin.behaviour import Said, ToolCall, Traits, Turn
from standin.brains import LLAMA, QWEN, Habit, Skill

Rule = tuple[re.Pattern[str], str, Callable[[re.Match[str]], dict[str, Any]]]
Pixel = tuple[int, int, int]
XML_ERROR = "XML syntax error on line 4: element <parameter> closed by </function>"


def _rule(pattern: str, tool: str, /, **arguments: Any) -> Rule:
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
    _rule(r"Create the file (\S+) that says (.*) & nothing else", "write_file", path=r"\1", content=r"\2"),
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


def offered(turn: Turn) -> list[str]:
    """The names of the tools on offer."""
    return [tool["function"]["name"] for tool in turn.tools]


def reads_tool_answers(turn: Turn) -> str | None:
    return f"The tool says: {turn.last}" if turn.messages and turn.messages[-1]["role"] == "tool" else None


def uses_tools(turn: Turn) -> Said | None:
    """Makes the call that a request asks for, if the tool for it is on offer."""
    for pattern, tool, arguments in RULES:
        if tool in offered(turn) and (match := pattern.search(turn.last)):
            return Said(tool_calls=(ToolCall(tool, arguments(match)),))
    return None


def leaves_tools_alone_for_a_format(turn: Turn) -> str | None:
    """With a format in the request it keeps to that and calls nothing, as Ollama makes models do."""
    return json.dumps({"answer": "It is mild."}) if turn.format is not None and turn.tools else None


def calls_always(turn: Turn) -> Said | None:
    """Calls the first tool on offer whatever it is asked, answers of tools included."""
    if not turn.tools:
        return None
    properties = turn.tools[0]["function"]["parameters"]["properties"]
    return Said(tool_calls=(ToolCall(offered(turn)[0], dict.fromkeys(properties, "Oslo")),))


def _about_calls(change: Callable[[Turn, Said], Said]) -> Habit:
    """A habit that shows when there is a call to make."""
    return lambda turn, said: change(turn, said) if said.tool_calls else said


def _with_arguments(change: Callable[[dict[str, Any]], Any]) -> Habit:
    def changed(turn: Turn, said: Said) -> Said:
        return replace(said, tool_calls=tuple(ToolCall(c.name, change(c.arguments)) for c in said.tool_calls))

    return _about_calls(changed)


def _json_call(turn: Turn, said: Said) -> Said:
    call = said.tool_calls[0]
    return Said(json.dumps({"name": call.name, "arguments": call.arguments}), said.thinking)


def _xml_call(turn: Turn, said: Said) -> Said:
    call = said.tool_calls[0]
    inside = "".join(f"<parameter={name}>\n{value}\n</parameter>\n" for name, value in call.arguments.items())
    return Said(f"<function={call.name}>\n{inside}</function>\n</tool_call>", said.thinking)


def _another_tool(turn: Turn, said: Said) -> Said:
    others = [name for name in offered(turn) if name != said.tool_calls[0].name]
    return replace(said, tool_calls=(ToolCall(others[-1] if others else "lookup", said.tool_calls[0].arguments),))


writes_calls_as_json = _about_calls(_json_call)
"""As qwen2.5-coder does."""
writes_calls_as_xml = _about_calls(_xml_call)
"""Leaves out the opening tag, so that the rest of the call stays in the text, as qwen3-coder does."""
calls_another_tool = _about_calls(_another_tool)
calls_twice = _about_calls(lambda turn, said: replace(said, tool_calls=said.tool_calls * 2))
talks_instead_of_calling = _about_calls(lambda turn, said: Said("I am afraid I cannot look that up.", said.thinking))
talks_for_ever = _about_calls(lambda turn, said: Said("I could look that up for you, and then ", endless=True))
gives_arguments_as_text = _with_arguments(json.dumps)
forgets_arguments = _with_arguments(lambda arguments: {})
hears_another_city = _with_arguments(lambda arguments: {**arguments, "city": "Atlantis"})
strips_markup = _with_arguments(lambda a: {name: re.sub(r"<[^<>]*>", "", str(value)) for name, value in a.items()})


def breaks_calls(begun: str = "", error: str = XML_ERROR) -> Habit:
    """Its calls cannot be parsed: the answer ends in an error, in the middle of a stream that has begun."""
    return _about_calls(lambda turn, said: Said(begun, error=error))


def plans_only(turn: Turn, said: Said) -> Said:
    """When it thinks, it plans the call and then says it is done."""
    if not turn.think or not said.tool_calls:
        return said
    return Said("Done.", f"I will call {said.tool_calls[0].name} now.")


def finds_codes(turn: Turn) -> str | None:
    """The codes in all that the server left of a long text: when it cut, that is the end."""
    if not re.search(r"code is \w+\.", turn.last):
        return None
    text = turn.last[len(turn.last) // 2 :] if turn.truncated else turn.last
    return " and ".join(re.findall(r"code is (\w+)\.", text))


def remembers_only_the_end(turn: Turn) -> str | None:
    """Reads everything and has forgotten how it began."""
    codes = re.findall(r"code is (\w+)\.", turn.last)
    return codes[-1] if codes else None


def fills_gaps(turn: Turn) -> str | None:
    if turn.suffix is None:
        return None
    return "a + b" if (turn.prompt or "").endswith("return ") else "pass"


def reads_pictures(font: Mapping[str, tuple[int, ...]]) -> Skill:
    """Reads the word in a picture. font: rows of dots of each letter, leftmost in the highest bit."""

    def read(turn: Turn) -> str | None:
        return f"The word is {letters(pixels(turn.images[-1])[2], font).title()}." if turn.images else None

    return read


def sees(text: str) -> Skill:
    """Says the same of every picture."""
    return lambda turn: text if turn.images else None


def crashes_over_pictures_of(edge: int) -> Habit:
    """The runner dies of pictures that are so many pixels wide, or more."""
    error = "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error"

    def habit(turn: Turn, said: Said) -> Said:
        return Said(error=error) if any(size_of(image)[0] >= edge for image in turn.images) else said

    return habit


def labels(form: Callable[[bool], str], *, takes_for_harmful: str = "^$") -> Skill:
    """Labels requests; `form` is how it says whether one is harmful."""
    return lambda turn: form(re.search(f"bomb|threaten|forge|{takes_for_harmful}", turn.last) is not None)


@dataclass(frozen=True)
class Embedder:
    """A model that gives vectors of `size` numbers by topic. other: another model. constant: sees no topics."""

    size: int = 64
    other: int = 0
    constant: bool = False
    traits: Traits = field(default_factory=Traits)

    def say(self, turn: Turn) -> Said:
        raise AssertionError("an embedding model says nothing")

    def embed(self, text: str) -> list[float]:
        """Texts that share a topic point nearly the same way."""
        topic = text if self.constant else "money" if re.search(r"paid|payment", text, re.IGNORECASE) else "else"
        return [a + 0.1 * b for a, b in zip(self._noise(topic), self._noise(text), strict=True)]

    def _noise(self, text: str) -> list[float]:
        numbers: list[float] = []
        while len(numbers) < self.size:
            seed = hashlib.sha256(f"{self.other} {len(numbers)} {text}".encode()).digest()
            numbers += [byte / 127.5 - 1 for byte in seed]
        return numbers[: self.size]


AGENT = QWEN.can(reads_tool_answers, uses_tools, finds_codes)
"""A good model with tools that can think."""
OLD_AGENT = LLAMA.can(reads_tool_answers, uses_tools, finds_codes)
"""A good model with tools that cannot think."""


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG file."""
    width, height = struct.unpack_from(">II", png, 16)
    return width, height


def pixels(png: bytes) -> tuple[int, int, list[bytes]]:
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
    return width, height, [line[1:] for line in lines]


def pixel(rows: list[bytes], x: int, y: int) -> Pixel:
    """Red, green and blue of one place."""
    red, green, blue = rows[y][3 * x : 3 * x + 3]
    return red, green, blue


def letters(rows: list[bytes], font: Mapping[str, tuple[int, ...]]) -> str:
    """The letters in a picture, found by their dots: the paper is what the corner has, the rest is ink."""
    paper = pixel(rows, 0, 0)
    width = len(rows[0]) // 3
    blank = bytes(paper) * width
    inked = [y for y, row in enumerate(rows) if row != blank]
    if not inked:
        return ""
    dot = (inked[-1] - inked[0] + 1) // 7
    across = [x for x in range(width) if any(pixel(rows, x, y) != paper for y in inked[::dot])]
    left, top = across[0], inked[0]
    by_shape = {shape: letter for letter, shape in font.items()}

    def ink(x: int, y: int) -> bool:
        return 0 <= x < width and pixel(rows, x, y) != paper

    read = ""
    # the first letter may begin with empty columns, so every start within a letter is tried
    for start in range(left - 2 * dot, left + 1, dot):
        attempt = ""
        for at in range(start, across[-1] + 1, 6 * dot):
            shape = tuple(
                sum(ink(at + column * dot, top + row * dot) << (4 - column) for column in range(5)) for row in range(7)
            )
            attempt += by_shape.get(shape, "?")
        if not read or attempt.count("?") < read.count("?"):
            read = attempt
    return read
