"""Smoke tests in a recipe: what can be said, what is refused and how, and that pictures come along."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from llamaexit.recipes.load import load_library
from llamaexit.recipes.model import Call, Message, SmokeCheck
from llamaexit.recipes.pictures import LARGEST_PICTURE, MOST_PICTURES

Problems = Callable[..., list[str]]
Write = Callable[..., Path]
RULE = ("[[rules]]", 'id = "x"', 'use = "chat"', 'targets = [{ model = "qwen3:8b" }]', "[[rules.smoke]]")
"""The lines before a smoke test: a test file starts with two of its own, so what follows is line 8."""
ASKED = ('id = "q"', 'ask = "Where is order 4711?"')
TOOL = 'tools = [{ name = "get_order", parameters = { type = "object" } }]'
EXPECT = 'expect = { contains = "x" }'
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


def loaded(path: Path) -> tuple[SmokeCheck, ...]:
    bound = load_library([path]).rule("x")
    assert bound is not None
    return bound.rule.smoke


def test_a_question_with_tools_and_several_expectations_is_understood(write: Write) -> None:
    path = write(
        "team", *RULE, *ASKED, 'system = "You are a clerk."', 'route = "v1"', 'think = "default"', "max-tokens = 99",
        'level = "warn"', "[[rules.smoke.tools]]", 'name = "get_order"', 'description = "Look up an order"',
        'parameters = { type = "object", properties = { id-no = { type = "string" } } }', "[rules.smoke.expect]",
        'tool = { name = "get_order", arguments = { id-no = "4711" } }', "max-seconds = 20",
        'not-icontains-any = ["sorry", "cannot"]',
    )  # fmt: skip
    (check,) = loaded(path)
    assert (check.door, check.think, check.max_tokens, check.level) == ("v1", "default", 99, "warn")
    assert check.tools[0].parameters == {"type": "object", "properties": {"id-no": {"type": "string"}}}
    assert check.expect.tool == Call("get_order", {"id-no": "4711"})
    assert check.expect.max_seconds == 20.0
    assert check.expect.not_icontains_any == ("sorry", "cannot")


def test_a_conversation_is_understood(write: Write) -> None:
    path = write(
        "team", *RULE, 'id = "q"', EXPECT, "[[rules.smoke.messages]]", 'role = "user"', 'content = "Look it up"',
        "[[rules.smoke.messages]]", 'role = "assistant"', 'tool-calls = [{ name = "f", arguments = { a = 1 } }]',
        "[[rules.smoke.messages]]", 'role = "tool"', 'tool-name = "f"', 'content = "17"',
    )  # fmt: skip
    assert loaded(path)[0].messages == (
        Message("user", "Look it up"),
        Message("assistant", tool_calls=(Call("f", {"a": 1}),)),
        Message("tool", "17", tool_name="f"),
    )


@pytest.mark.parametrize(
    ("lines", "door"),
    [
        pytest.param((), "chat", id="a question goes to chat"),
        pytest.param(('suffix = "x"',), "generate", id="a gap to fill goes to generate"),
        pytest.param(('route = "v1"',), "v1", id="a route that is named is taken"),
    ],
)
def test_the_route_follows_from_the_question(write: Write, lines: tuple[str, ...], door: str) -> None:
    assert loaded(write("team", *RULE, *ASKED, EXPECT, *lines))[0].door == door


CASES = [
    pytest.param(["id = 'q'", EXPECT], "7:1", "smoke[0]: asks nothing; give `ask` or `messages`", id="no question"),
    pytest.param([*ASKED], "7:1", "smoke[0].expect: is missing", id="no expectation"),
    pytest.param(
        [*ASKED, "expect = {}"], "10:1", "smoke[0].expect: expects nothing; any answer would do", id="an empty one"
    ),
    pytest.param(
        [*ASKED, 'expect = { contians = "x" }'], "10:12",
        "smoke[0].expect.contians: unknown key; did you mean 'contains'?", id="a misspelled assertion",
    ),
    pytest.param(
        [*ASKED, 'expect = { not_regex = "x" }'], "10:12",
        "smoke[0].expect.not_regex: unknown key; did you mean 'not-regex'?", id="an underscore for a hyphen",
    ),
    pytest.param(
        [*ASKED, 'expect = { contains = ["x"] }'], "10:12", "smoke[0].expect.contains: must be text, not a list",
        id="a list for a text",
    ),
    pytest.param(
        [*ASKED, 'expect = { contains = "" }'], "10:12", "smoke[0].expect.contains: is empty", id="an empty text"
    ),
    pytest.param(
        [*ASKED, 'expect = { contains-any = ["a", ""] }'], "10:33", "smoke[0].expect.contains-any[1]: is empty",
        id="an empty text in a list",
    ),
    pytest.param(
        [*ASKED, "expect = { regex = '(a' }"], "10:12",
        "smoke[0].expect.regex: is not a pattern: unclosed group", id="a pattern that is none",
    ),
    pytest.param(
        [*ASKED, r"expect = { regex = '(a)\1' }"], "10:12",
        "smoke[0].expect.regex: is not a pattern: backreferences are not supported", id="a back-reference",
    ),
    pytest.param(
        [*ASKED, "expect = { not-regex = '(?:a{999}){999}' }"], "10:12",
        "smoke[0].expect.not-regex: is a pattern that needs too much memory: make its repetitions smaller",
        id="a pattern that would fill the memory",
    ),
    pytest.param(
        [*ASKED, f"expect = {{ regex = '{'a' * 501}' }}"], "10:12",
        "smoke[0].expect.regex: is a pattern of 501 characters; at most 500 are allowed", id="a pattern without end",
    ),
    pytest.param(
        [*ASKED, 'expect = { language = "dk" }'], "10:12", "smoke[0].expect.language: must be ar, cs, de, el, en, es, "
        "fi, fr, he, hi, it, ja, ko, nl, pl, pt, ru, sv, th, tr, uk or zh, not the text 'dk'", id="no language",
    ),
    pytest.param(
        [*ASKED, "expect = { max-seconds = -1 }"], "10:12",
        "smoke[0].expect.max-seconds: must not be negative, and is -1.0", id="less than no time",
    ),
    pytest.param(
        [*ASKED, 'expect = { json-schema = { type = "objekt" } }'], "10:12",
        "smoke[0].expect.json-schema: is not a JSON Schema: type: 'objekt' is not valid under any of the given schemas",
        id="a schema that is none",
    ),
    pytest.param(
        [*ASKED, 'expect = { json-schema = { "$ref" = "https://example.com/s.json" } }'], "10:12",
        "smoke[0].expect.json-schema: refers to 'https://example.com/s.json', which is not in the schema itself",
        id="a schema from somewhere else",
    ),
    pytest.param(
        [*ASKED, 'expect = { json-schema = { "$ref" = "#/definitions/a" } }'], "10:12",
        "smoke[0].expect.json-schema: refers to '#/definitions/a', which is not in the schema itself",
        id="a reference that leads nowhere",
    ),
    pytest.param(
        [*ASKED, 'expect = { json-schema = { items = { pattern = "(?=a)" } } }'], "10:12",
        "smoke[0].expect.json-schema: has the pattern '(?=a)', which is not a pattern: look-around, including "
        "look-ahead and look-behind, is not supported", id="a pattern in a schema that cannot be searched for",
    ),
    pytest.param(
        [*ASKED, 'expect = { json-schema = { patternProperties = {} } }'], "10:12",
        "smoke[0].expect.json-schema: uses patternProperties, which is not supported: name the properties",
        id="names of properties as patterns",
    ),
    pytest.param(
        [*ASKED, EXPECT, 'format = "json-schema"'], "11:1",
        "smoke[0].format: is json-schema, so `expect.json-schema` has to give one", id="a schema nobody gave",
    ),
    pytest.param(
        [*ASKED, 'expect = { tool = { name = "get_order" } }'], "10:12",
        "smoke[0].expect.tool: expects something of tools, but the smoke test offers none", id="a tool of nobody's",
    ),
    pytest.param(
        [*ASKED, TOOL, 'expect = { tool = { name = "get_ordr" } }'], "11:21",
        "smoke[0].expect.tool.name: no tool of this smoke test is called 'get_ordr'; did you mean 'get_order'?",
        id="a tool that is not offered",
    ),
    pytest.param(
        [*ASKED, TOOL, 'expect = { tool = { name = "get_order" }, not-tool = true }'], "11:43",
        "smoke[0].expect.not-tool: contradicts `tool`", id="a call and none",
    ),
    pytest.param(
        [*ASKED, 'tools = [{ name = "f", parameters = { type = 3 } }]', EXPECT], "10:24",
        "smoke[0].tools[0].parameters: is not a JSON Schema: type: 3 is not valid under any of the given schemas",
        id="a tool whose parameters are no schema",
    ),
    pytest.param(
        [*ASKED, 'tools = [{ name = "f" }, { name = "f" }]', EXPECT], "10:28",
        "smoke[0].tools[1].name: 'f' is also the name of another tool", id="two tools of one name",
    ),
    pytest.param(
        [*ASKED, EXPECT, TOOL, 'route = "generate"'], "11:1",
        "smoke[0].tools: cannot be sent through the route generate", id="tools through a route without them",
    ),
    pytest.param(
        [*ASKED, EXPECT, 'suffix = "x"', 'route = "chat"'], "12:1",
        "smoke[0].route: is chat, but a suffix can only be asked for through generate", id="a gap in a conversation",
    ),
    pytest.param(
        [*ASKED, EXPECT, 'messages = [{ role = "user", content = "x" }]'], "11:1",
        "smoke[0].messages: stand beside ask; one of the two is enough", id="two questions",
    ),
    pytest.param(
        ["id = 'q'", EXPECT, 'messages = [{ role = "user", content = "x" }, { role = "assistant", content = "y" }]'],
        "10:49", "smoke[0].messages[1].role: must be user or tool: a conversation ends with what is answered",
        id="a conversation that is over",
    ),
    pytest.param(
        ["id = 'q'", EXPECT, 'messages = [{ role = "user" }]'], "10:13", "smoke[0].messages[0]: says nothing",
        id="a message without content",
    ),
    pytest.param(
        ["id = 'q'", EXPECT, 'messages = [{ role = "user", content = "x", tool-name = "f" }]'], "10:13",
        "smoke[0].messages[0]: has a tool-name, which only the answer of a tool has", id="a tool that is a user",
    ),
    pytest.param(
        ["id = 'q'", EXPECT, 'messages = [{ role = "user", content = "x", tool-calls = [{ name = "f" }] }]'], "10:13",
        "smoke[0].messages[0]: has tool-calls, which only an assistant makes", id="a user who calls tools",
    ),
    pytest.param(
        ["id = 'q'", EXPECT, 'system = "s"',
         'messages = [{ role = "system", content = "t" }, { role = "user", content = "x" }]'],
        "11:15", "smoke[0].messages[0].role: is system, beside the key `system`; one of the two is enough",
        id="two system messages",
    ),
    pytest.param(
        ['id = "a b"', ASKED[1], EXPECT], "8:1",
        "smoke[0].id: must be letters, digits, dots and hyphens, and start with a letter or digit", id="a blank in it",
    ),
    pytest.param(
        [*ASKED, EXPECT, "[[rules.smoke]]", *ASKED, EXPECT], "12:1",
        "smoke[1].id: 'q' is also the id of another smoke test of this rule", id="two of one id",
    ),
    pytest.param(
        [*ASKED, 'tools = [{ name = " " }]', EXPECT], "10:12", "smoke[0].tools[0].name: is empty", id="a nameless tool",
    ),
    pytest.param(
        [*ASKED, "expect = { is-valid-openai-tools-call = true }"], "10:12",
        "smoke[0].expect.is-valid-openai-tools-call: expects something of tools, but the smoke test offers none",
        id="calls without tools",
    ),
    pytest.param(
        [*ASKED, 'expect = { finish-reason = "tool_calls" }'], "10:12",
        "smoke[0].expect.finish-reason: expects something of tools, but the smoke test offers none",
        id="an end because of tools without tools",
    ),
    pytest.param(
        [*ASKED, "expect = { not-tool = true }"], "10:12",
        "smoke[0].expect.not-tool: expects something of tools, but the smoke test offers none",
        id="no call, without tools",
    ),
    pytest.param(
        [*ASKED, EXPECT, "max-tokens = 100000"], "11:1", "smoke[0].max-tokens: must be 1 to 8192 tokens",
        id="an answer without end",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "place", "expected"), CASES)
def test_one_problem_is_told_with_its_place(
    write: Write, problems: Problems, lines: list[str], place: str, expected: str
) -> None:
    assert problems(write("team", *RULE, *lines)) == [f"team.toml:{place}: rules[0].{expected}"]


def test_more_questions_than_anybody_waits_for_are_refused(write: Write, problems: Problems) -> None:
    many = [line for number in range(201) for line in ("[[rules.smoke]]", f'id = "q{number}"', 'ask = "?"', EXPECT)]
    found = problems(write("team", *RULE[:-1], *many))
    assert found == ["team.toml:7:1: rules[0].smoke: are 201 smoke tests; at most 200 are allowed for one rule"]


def pictured(write: Write, *lines: str) -> Path:
    return write("team", *RULE, *ASKED, EXPECT, *lines, folder="recipe")


def test_a_picture_beside_the_recipe_is_carried_in_it(write: Write, tmp_path: Path) -> None:
    path = pictured(write, 'image = "pictures/receipt.png"')
    (tmp_path / "recipe/pictures").mkdir()
    (tmp_path / "recipe/pictures/receipt.png").write_bytes(PNG)
    (check,) = loaded(path)
    assert base64.b64decode(check.image_data) == PNG
    assert check.image == "pictures/receipt.png"


def test_a_picture_written_into_the_recipe_is_taken_as_it_is(write: Write) -> None:
    text = base64.b64encode(PNG).decode()
    assert loaded(pictured(write, f'image-data = "{text}"'))[0].image_data == text


PICTURES = [
    pytest.param("../receipt.png", PNG, "'../receipt.png' leads out of the recipe's folder", id="outside the folder"),
    pytest.param("link.png", PNG, "'link.png' leads out of the recipe's folder", id="a link that leads outside"),
    pytest.param("/etc/hostname", None, "'/etc/hostname' is not a relative path", id="an absolute path"),
    pytest.param("~/x.png", None, "'~/x.png' is not a relative path", id="a home directory"),
    pytest.param("x.png", None, "'x.png': there is no such file", id="no file"),
    pytest.param(".", None, "'.' is not a regular file", id="a folder"),
    pytest.param("text.png", b"hello", "is neither a PNG nor a JPEG picture", id="a text called png"),
    pytest.param(
        "big.png", PNG + b"0" * LARGEST_PICTURE,
        "is larger than 262,144 bytes: a plan carries its pictures with it", id="a photograph",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "expected"), PICTURES)
def test_a_picture_that_cannot_be_carried_is_refused(
    write: Write, problems: Problems, tmp_path: Path, name: str, content: bytes | None, expected: str
) -> None:
    path = pictured(write, f"image = '{name}'")
    if name == "link.png":
        outside = tmp_path / "outside.png"
        outside.write_bytes(PNG)
        try:
            (path.parent / name).symlink_to(outside)
        except OSError:
            pytest.skip("this system does not let us make links")
    elif content is not None:
        (path.parent / name).write_bytes(content)
    (problem,) = problems(path)
    assert problem.replace("\\", "/") == f"recipe/team.toml:11:1: rules[0].smoke[0].image: {expected}"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_in_place_of_a_picture_is_refused_without_waiting_for_it(write: Write, problems: Problems) -> None:
    path = pictured(write, 'image = "pipe.png"')
    os.mkfifo(path.parent / "pipe.png")
    assert problems(path) == ["recipe/team.toml:11:1: rules[0].smoke[0].image: 'pipe.png' is not a regular file"]


def test_a_picture_given_twice_is_refused(write: Write, problems: Problems) -> None:
    path = pictured(write, 'image = "x.png"', 'image-data = "aGVsbG8="')
    assert problems(path) == [
        "recipe/team.toml:11:1: rules[0].smoke[0].image: stands beside image-data; one of the two is enough"
    ]


def test_links_that_go_round_in_circles_are_no_picture(write: Write, problems: Problems) -> None:
    path = pictured(write, 'image = "a.png"')
    try:
        (path.parent / "a.png").symlink_to(path.parent / "b.png")
        (path.parent / "b.png").symlink_to(path.parent / "a.png")
    except OSError:
        pytest.skip("this system does not let us make links")
    (problem,) = problems(path)
    assert problem.startswith("recipe/team.toml:11:1: rules[0].smoke[0].image: 'a.png' cannot be read: ")


def test_text_that_is_not_base64_is_no_picture(write: Write, problems: Problems) -> None:
    assert problems(pictured(write, 'image-data = "pictures/x.png!"')) == [
        "recipe/team.toml:11:1: rules[0].smoke[0].image-data: is not base64"
    ]


def test_all_pictures_of_a_recipe_together_are_limited(write: Write, problems: Problems, tmp_path: Path) -> None:
    count = MOST_PICTURES // LARGEST_PICTURE + 1
    checks = [
        line for number in range(count)
        for line in ("[[rules.smoke]]", f'id = "q{number}"', 'ask = "?"', EXPECT, 'image = "x.png"')
    ]  # fmt: skip
    path = write("team", *RULE[:-1], *checks)
    (tmp_path / "x.png").write_bytes(PNG.ljust(LARGEST_PICTURE, b"0"))
    assert problems(path) == [
        f"team.toml:{6 + 5 * count}:1: rules[0].smoke[{count - 1}].image: is one too many: all pictures of a recipe "
        "have at most 4,194,304 bytes together"
    ]
