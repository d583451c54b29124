"""What is said about a recipe that is wrong: file, line, column, key path, the fault, and the way out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llamaexit.errors import REFUSED, RecipeError
from llamaexit.recipes.load import load_library

Problems = Callable[..., list[str]]
Write = Callable[..., Path]
TARGET = 'targets = [{ model = "qwen3:8b" }]'
RULE = ("[[rules]]", 'id = "x"', 'use = "chat"')
MODEL = ("[[models]]", 'name = "team/x:1b"', 'family = "qwen"', 'vendor = "ACME"')
EXAMPLE = ("[[examples]]", 'title = "t"', 'host = { ram = "32GiB" }')
ORIGIN = ("[[origins]]", 'name = "team-bot"', 'lineage = "meta"', 'why = "ours"')

# the file starts with two lines, so the first line given here is line 3
CASES = [
    pytest.param(
        ['sumary = "x"'], "3:1: sumary: unknown key; did you mean 'summary'?", id="a misspelled key at the top"
    ),
    pytest.param(["zzzz = 1"], "3:1: zzzz: unknown key", id="a key that resembles nothing"),
    pytest.param(['min_ollama = "1"'], "3:1: min_ollama: unknown key", id="a key of another table"),
    pytest.param(
        ["[policy]", 'deny_models = ["x"]'],
        "4:1: policy.deny_models: unknown key; did you mean 'deny-models'?",
        id="an underscore for a hyphen",
    ),
    pytest.param(
        [*RULE, "[[rules.targets]]", 'modle = "qwen3:8b"'],
        "7:1: rules[0].targets[0].modle: unknown key; did you mean 'model'?",
        id="a misspelled key that has to be there is one problem",
    ),
    pytest.param(
        [*RULE, 'targets = [{ model = "qwen3:8b", rol = "best" }]'],
        "6:34: rules[0].targets[0].rol: unknown key; did you mean 'role'?",
        id="a misspelled key in an inline table",
    ),
    pytest.param(["summary = 3"], "3:1: summary: must be text, not the number 3", id="a number for text"),
    pytest.param(["summary = true"], "3:1: summary: must be text, not true", id="a boolean for text"),
    pytest.param(['extends = "x"'], "3:1: extends: must be a list, not the text 'x'", id="text for a list"),
    pytest.param(["extends = [1]"], "3:12: extends[0]: must be text, not the number 1", id="a number in a list"),
    pytest.param(["rules = 3"], "3:1: rules: must be a list, not the number 3", id="a number for rules"),
    pytest.param(["rules = [3]"], "3:10: rules[0]: must be a table, not the number 3", id="a number for a rule"),
    pytest.param(["[[policy]]"], "3:1: policy: must be a table, not a list", id="a list for a table"),
    pytest.param(
        ["[policy]", "min-context = 4.5"],
        "4:1: policy.min-context: must be a whole number, not the number 4.5",
        id="a fraction",
    ),
    pytest.param(
        ["[policy]", 'min-gpu-share = "80%"'],
        "4:1: policy.min-gpu-share: must be a number, not the text '80%'",
        id="text for a number",
    ),
    pytest.param(
        [*RULE, 'automatic = "no"', TARGET],
        "6:1: rules[0].automatic: must be true or false, not the text 'no'",
        id="text for a boolean",
    ),
    pytest.param(
        ["caveats = 1"], "3:1: caveats: must be a table, not the number 1", id="a number for a table of texts"
    ),
    pytest.param(
        ['checked = "soon"'],
        "3:1: checked: must be a date such as 2026-11-23, not the text 'soon'",
        id="text for a date",
    ),
    pytest.param(
        ["[[rules]]", 'id = "x"', 'use = "chatt"', TARGET],
        "5:1: rules[0].use: must be chat, tools, code, fim, vision, reasoning, embedding, guard, edge, rag, "
        "long-context, roleplay, math, sql, medical or text, not the text 'chatt'; did you mean 'chat'?",
        id="a use that does not exist",
    ),
    pytest.param(
        ["[policy]", 'thinking = "never"'],
        "4:1: policy.thinking: must be avoid or allow, not the text 'never'",
        id="a word that is not among the two",
    ),
    pytest.param(["[[rules]]", 'use = "chat"', TARGET], "3:1: rules[0].id: is missing", id="a rule without an id"),
    pytest.param(
        [*RULE, 'targets = [{ model = "qwen3:8b" }, { role = "best" }]'],
        "6:36: rules[0].targets[1].model: is missing",
        id="a target without a model",
    ),
    pytest.param(
        [*RULE, "min-parameters = nan", TARGET],
        "6:1: rules[0].min-parameters: must be a finite number",
        id="not a number",
    ),
    pytest.param(
        [*RULE, "max-parameters = inf", TARGET], "6:1: rules[0].max-parameters: must be a finite number", id="infinity"
    ),
    pytest.param(
        ["[licences.own]", 'nam = "x"', 'summary = "y"'],
        "4:1: licences.own.nam: unknown key; did you mean 'name'?",
        id="a misspelled key under a name of one's own",
    ),
    pytest.param(
        ['[licences."my licence"]', 'summary = "y"'],
        '3:1: licences."my licence".name: is missing',
        id="a key missing under a quoted name",
    ),
    # meaning
    pytest.param(
        [*RULE, 'targets = [{ model = "qwen3:8bb" }]'],
        "6:14: rules[0].targets[0].model: no recipe describes the model 'qwen3:8bb'; did you mean 'qwen3:8b'?",
        id="a target nobody describes",
    ),
    pytest.param(
        [*RULE, 'caveats = ["THINK_DEFALT"]', TARGET],
        "6:12: rules[0].caveats[0]: no recipe explains the caveat 'THINK_DEFALT'; did you mean 'THINK_DEFAULT'?",
        id="a caveat nobody explains",
    ),
    pytest.param(
        [*RULE, 'targets = [{ model = "qwen3:8b", caveats = ["NOPE!"] }]'],
        "6:45: rules[0].targets[0].caveats[0]: no recipe explains the caveat 'NOPE!'",
        id="a caveat of a target nobody explains",
    ),
    pytest.param(
        ["[policy]", 'licences-allowed = ["MIT", "open-sorce"]'],
        "4:28: policy.licences-allowed[1]: no recipe describes the licence 'open-sorce'; did you mean 'open-source'?",
        id="a licence nobody describes in a policy",
    ),
    pytest.param(
        [*MODEL, 'licence = "Apache"'],
        "7:1: models[0].licence: no recipe describes the licence 'Apache'; did you mean 'Apache-2.0'?",
        id="a licence nobody describes in a model",
    ),
    pytest.param(
        [*RULE, 'generation = ["llama3.9"]', TARGET],
        "6:15: rules[0].generation[0]: no recipe knows the generation 'llama3.9'; did you mean 'llama3.3'?",
        id="a generation nobody knows",
    ),
    pytest.param(
        [*MODEL, 'scores = [{ benchmark = "b", value = 1.0, source = "x" }]'],
        "7:43: models[0].scores[0].source: no recipe has the source 'x'",
        id="a source nobody has",
    ),
    pytest.param(
        [*RULE, *RULE[:0], TARGET, "[[rules.counter-evidence]]", 'benchmark = "b"', 'old-model = "o"', "old = 1.0",
         'new-model = "n"', "new = 1.0", 'favours = "old"', 'source = "qwen3-repoo"'],
        "14:1: rules[0].counter-evidence[0].source: no recipe has the source 'qwen3-repoo'; did you mean 'qwen3-repo'?",
        id="a source of counter-evidence nobody has",
    ),
    pytest.param(
        ["[policy]", 'max-download = "lots"'],
        "4:1: policy.max-download: 'lots' is not a size such as 24GiB, 20GB or 512MiB",
        id="a size that is none",
    ),
    pytest.param(
        ["[policy]", "min-gpu-share = 1.5"],
        "4:1: policy.min-gpu-share: must be between 0 and 1, not 1.5",
        id="a share above one",
    ),
    pytest.param(
        ["[policy]", "min-gpu-share = -0.5"],
        "4:1: policy.min-gpu-share: must be between 0 and 1, not -0.5",
        id="a share below zero",
    ),
    pytest.param(
        ["[policy]", "min-context = 0"], "4:1: policy.min-context: must be at least 1 token", id="a context of nothing"
    ),
    pytest.param(
        ["[policy]", 'deny-models = ["qwen*", " "]'],
        "4:25: policy.deny-models[1]: is empty",
        id="a denial of nothing",
    ),
    pytest.param(
        ["[policy.exceptions]", '"qwen3:8b" = " "'],
        '4:1: policy.exceptions."qwen3:8b": is empty: say why, and who has allowed it',
        id="an exception without a reason",
    ),
    pytest.param(
        ["[policy.exceptions]", *(f'"qwen3:{number}b" = "SEC-142"' for number in range(101))],
        "3:1: policy.exceptions: are 101; at most 100 are allowed: deny less, or use patterns",
        id="more exceptions than anybody can mean",
    ),
    pytest.param(
        ["[policy.exceptions]", '" " = "SEC-142"'],
        '4:1: policy.exceptions." ": is for no model: the name is empty',
        id="an exception for nothing",
    ),
    pytest.param(
        ["[policy.pins]", '"qwen3:8b" = "latest"'],
        '4:1: policy.pins."qwen3:8b": must be a digest of 12 to 64 hex digits, as `ollama list` prints them, '
        "not 'latest'",
        id="a pin that is no digest",
    ),
    pytest.param(
        ["[policy.pins]", '"qwen3:8" = "500a1f067a9f"'],
        "4:1: policy.pins.\"qwen3:8\": no recipe describes the model 'qwen3:8'; did you mean 'qwen3:8b'?",
        id="a pin of a model nobody describes",
    ),
    pytest.param(
        ['version = "one"'], "3:1: version: must be a version such as 1.2, not 'one'", id="a version that is none"
    ),
    pytest.param(
        ['requires-ollama = "0.30 or newer"'],
        "3:1: requires-ollama: must be a version range such as '>=0.30,<1', not '0.30 or newer'",
        id="a range of Ollama versions that is none",
    ),
    pytest.param(
        ['requires-llamaexit = "new"'],
        "3:1: requires-llamaexit: must be a version range such as '>=0.1,<2', not 'new'",
        id="a range of llamaexit versions that is none",
    ),
    pytest.param(
        [*MODEL, 'min-ollama = "new"'],
        "7:1: models[0].min-ollama: must be a version such as 1.2, not 'new'",
        id="an Ollama version of a model that is none",
    ),
    pytest.param(
        [*MODEL, 'released = "last year"'],
        "7:1: models[0].released: must be a date such as 2026-11-23 or 2026-11, not 'last year'",
        id="a release date that is none",
    ),
    pytest.param(
        [*MODEL, 'digest = "xyz"'],
        "7:1: models[0].digest: must be a digest of 12 to 64 hex digits, as `ollama list` prints them, not 'xyz'",
        id="a digest that is none",
    ),
    pytest.param(
        [*ORIGIN, 'manifests = ["46e0c10c039e", "1"]'],
        "7:30: origins[0].manifests[1]: must be a digest of 12 to 64 hex digits, as `ollama list` prints them, not '1'",
        id="a manifest digest that is none",
    ),
    pytest.param(
        [*MODEL, "size = -1"], "7:1: models[0].size: must not be negative, and is -1", id="a size below zero"
    ),
    pytest.param(
        [*MODEL, "[models.shape]", 'architecture = "qwen3"', "layers = -4"],
        "9:1: models[0].shape.layers: must not be negative, and is -4",
        id="a number of layers below zero",
    ),
    pytest.param(
        ["[[models]]", 'name = "a b"', 'family = "x"', 'vendor = "y"'],
        "4:1: models[0].name: 'a b' is not a model name: the model 'a b' has a character that is not allowed there",
        id="a name that Ollama would not take",
    ),
    pytest.param(
        [*RULE, TARGET, *RULE, TARGET], "8:1: rules[1].id: 'x' is also the id of rules[0]", id="two rules of one id"
    ),
    pytest.param(
        [*MODEL, *MODEL],
        "8:1: models[1].name: 'team/x:1b' is also the name of models[0]",
        id="two entries for one model",
    ),
    pytest.param(
        [*RULE, 'targets = [{ model = "qwen3" }, { model = "QWEN3:latest" }]'],
        "6:35: rules[0].targets[1].model: 'QWEN3:latest' is also the model of targets[0]",
        id="one target twice under two spellings",
    ),
    pytest.param(
        ["[[rules]]", 'id = "my rule"', 'use = "chat"', TARGET],
        "4:1: rules[0].id: must be text without blanks and without the signs * ? [ ]",
        id="an id that cannot be told from a pattern",
    ),
    pytest.param(
        [*RULE, 'match = ["llama3.1:8b", ""]', TARGET], "6:25: rules[0].match[1]: is empty", id="a match of nothing"
    ),
    pytest.param(
        [*RULE, "min-parameters = 8.0", "max-parameters = 8.0", TARGET],
        "7:1: rules[0].max-parameters: must be larger than min-parameters (8.0)",
        id="a range of sizes that holds nothing",
    ),
    pytest.param(
        [*RULE, "automatic = false", TARGET],
        "6:1: rules[0].automatic: is false, so `decide` has to say what a person decides",
        id="a decision left to nobody",
    ),
    pytest.param(
        list(RULE),
        "3:1: rules[0]: has no targets; give some, or say with `automatic = false` and `decide` what a person decides",
        id="a rule without targets",
    ),
    pytest.param(
        ["[[closed]]", 'match = ["x"]', 'name = "X"', 'vendor = "Y"', 'why = "z"', 'nearest = ["qwen3:88b"]'],
        "8:12: closed[0].nearest[0]: no recipe describes the model 'qwen3:88b'; did you mean 'qwen3:8b'?",
        id="a nearest model nobody describes",
    ),
    pytest.param(
        [*RULE, TARGET, "[rules.deprecated]", "since = 2026-11-02", "until = 2026-11-01"],
        "9:1: rules[0].deprecated.until: must not lie before `since` (2026-11-02)",
        id="an end before the beginning",
    ),
    # examples: the models are on line 6
    pytest.param(
        [*EXAMPLE, "models = []"],
        "6:1: examples[0].models: is empty: an example is about at least one model",
        id="an example about nothing",
    ),
    pytest.param(
        [*EXAMPLE, 'models = [{ name = "llama3.1:8b" }]'],
        "6:11: examples[0].models[0].expect: is missing",
        id="an example that expects nothing",
    ),
    pytest.param(
        [*EXAMPLE, 'models = [{ name = "llama3.1:8b", expect = { action = "replce" } }]'],
        "6:46: examples[0].models[0].expect.action: must be replace, keep, blocked or closed, not the text 'replce'; "
        "did you mean 'replace'?",
        id="an action that does not exist",
    ),
    pytest.param(
        [*EXAMPLE, 'models = [{ name = "llama3.1:8b", expect = { action = "replace", target = "qwen3:8bb" } }]'],
        "6:66: examples[0].models[0].expect.target: no recipe describes the model 'qwen3:8bb'; "
        "did you mean 'qwen3:8b'?",
        id="an expected target nobody describes",
    ),
    pytest.param(
        [*EXAMPLE, 'models = [{ name = "llama3.1:8b", expect = { action = "keep", target = "qwen3:8b" } }]'],
        "6:63: examples[0].models[0].expect.target: is given, but the action is keep, which has none",
        id="a target where nothing is replaced",
    ),
    pytest.param(
        [*EXAMPLE, 'models = [{ name = "a:1b", expect = { action = "replace", rejected = { "qwen3:8b" = "slow" } } }]'],
        '6:72: examples[0].models[0].expect.rejected."qwen3:8b": must be capability, context, policy, licence, '
        "lineage, cloud, weak, ollama-version, memory, gpu-share, disk, download, unknown-model, pin, thinking or "
        "ranked-lower, not the text 'slow'",
        id="a reason that does not exist",
    ),
    pytest.param(
        [*EXAMPLE, 'models = [{ name = "a:1b", expect = { action = "replace", target = "qwen3:8b", '
         'rejected = { "QWEN3:8b" = "memory" } } }]'],
        "6:80: examples[0].models[0].expect.rejected: names 'qwen3:8b', which is the target",
        id="a target that is expected and rejected",
    ),
    pytest.param(
        [*EXAMPLE, 'models = [{ name = "a:1b", expect = { action = "keep" } }, '
         '{ name = "A:1B", expect = { action = "keep" } }]'],
        "6:62: examples[0].models[1].name: 'A:1B' is also the name of models[0]",
        id="one model twice in an example",
    ),
    pytest.param(
        [*EXAMPLE, 'models = [{ name = "a b", expect = { action = "keep" } }]'],
        "6:13: examples[0].models[0].name: 'a b' is not a model name: the model 'a b' has a character that is not "
        "allowed there",
        id="an example with a name that Ollama would not take",
    ),
    pytest.param(
        [*EXAMPLE, 'models = [{ name = "a", digest = "latest", expect = { action = "keep" } }]'],
        "6:25: examples[0].models[0].digest: must be a digest of 12 to 64 hex digits, not 'latest'",
        id="an example with a digest that is none",
    ),
    pytest.param(
        ["[[examples]]", 'title = "t"', 'host = { ram = "lots" }',
         'models = [{ name = "a", expect = { action = "keep" } }]'],
        "5:10: examples[0].host.ram: 'lots' is not a size such as 24GiB, 20GB or 512MiB",
        id="memory that is no size",
    ),
    pytest.param(
        ["[[examples]]", 'title = "t"', 'host = { ram = "0" }',
         'models = [{ name = "a", expect = { action = "keep" } }]'],
        "5:1: examples[0].host: ram: a machine has some memory; give a size such as ram 32GiB",
        id="a machine without memory",
    ),
    pytest.param(
        ["[[examples]]", 'title = "t"', 'host = { ram = "8GiB", gpu = ["RTX 3060"] }',
         'models = [{ name = "a", expect = { action = "keep" } }]'],
        "5:1: examples[0].host: gpu: RTX 3060 is sold with 8 GiB or 12 GiB; add vram 12GiB",
        id="a card that is sold in two sizes",
    ),
    pytest.param(
        ["[[examples]]", 'title = "t"', 'host = { ram = "8GiB", ollama = "new" }',
         'models = [{ name = "a", expect = { action = "keep" } }]'],
        "5:24: examples[0].host.ollama: must be a version of Ollama such as 0.30.0, not 'new'",
        id="a host with an Ollama version that is none",
    ),
    pytest.param(
        [*EXAMPLE, 'models = [{ name = "a", expect = { action = "keep" } }]', *EXAMPLE,
         'models = [{ name = "a", expect = { action = "keep" } }]'],
        "8:1: examples[1].title: is also the title of examples[0]",
        id="two examples of one title",
    ),
    # extends
    pytest.param(
        ['extends = ["missing.toml"]'], "missing.toml: there is no such file", id="an extended file that is not there"
    ),
    pytest.param(
        ['extends = ["builtin:replace-chats"]'],
        "3:12: extends[0]: no built-in recipe is called 'replace-chats'; did you mean 'replace-chat'?",
        id="a built-in recipe that does not exist",
    ),
    pytest.param(
        ['extends = ["replace-chat"]'],
        "3:12: extends[0]: there is no such file; did you mean builtin:replace-chat?",
        id="a built-in recipe that is called like a file",
    ),
    pytest.param(
        ['extends = ["https://example.com/x.toml"]'],
        "3:12: extends[0]: 'https://example.com/x.toml' is an address, and only files of this machine are looked at "
        "here",
        id="a web address",
    ),
    pytest.param(
        ['extends = ["git+ssh://git@example.com/x.git@v1#a.toml"]'],
        "3:12: extends[0]: 'git+ssh://git@example.com/x.git@v1#a.toml' is an address, and only files of this machine "
        "are looked at here",
        id="a git address",
    ),
    pytest.param(
        ['extends = ["/etc/passwd"]'], "3:12: extends[0]: '/etc/passwd' is not a relative path", id="an absolute path"
    ),
    pytest.param(
        ['extends = ["~/x.toml"]'], "3:12: extends[0]: '~/x.toml' is not a relative path", id="a home directory"
    ),
    pytest.param(
        ['extends = [""]'],
        "3:12: extends[0]: must be a relative path, builtin:NAME or an address",
        id="an empty reference",
    ),
    pytest.param(
        ['extends = ["team.toml"]'],
        "3:12: extends[0]: goes round in a circle: team.toml extends team.toml",
        id="a recipe that extends itself",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), CASES)
def test_one_problem_is_told_with_its_place(write: Write, problems: Problems, lines: list[str], expected: str) -> None:
    prefix = "" if expected.startswith("missing.toml") else "team.toml:"
    assert problems(write("team", *lines)) == [prefix + expected]


def test_a_recipe_that_leads_out_of_its_folder_is_refused(write: Write, problems: Problems) -> None:
    write("base")
    team = write("team", 'extends = ["../base.toml"]', folder="inner")
    expected = "inner/team.toml:3:12: extends[0]: '../base.toml' leads out of inner, the folder or repository it is in"
    assert [problem.replace("\\", "/") for problem in problems(team)] == [expected]


def test_a_link_that_leads_out_of_the_folder_is_refused(write: Write, problems: Problems, tmp_path: Path) -> None:
    outside = write("base")
    team = write("team", 'extends = ["link.toml"]', folder="inner")
    try:
        (tmp_path / "inner" / "link.toml").symlink_to(outside)
    except OSError:
        pytest.skip("this system does not let us make links")
    assert "leads out of inner" in problems(team)[0]


def test_a_circle_over_three_files_is_told_once(write: Write, problems: Problems) -> None:
    write("b", 'extends = ["c.toml"]')
    write("c", 'extends = ["a.toml"]')
    a = write("a", 'extends = ["b.toml"]')
    assert problems(a) == [
        "c.toml:3:12: extends[0]: goes round in a circle: a.toml extends b.toml extends c.toml extends a.toml"
    ]


def test_a_chain_that_is_too_long_is_refused(write: Write, problems: Problems) -> None:
    for number in range(12):
        write(f"r{number}", f'extends = ["r{number + 1}.toml"]')
    write("r12")
    found = problems(write("top", 'extends = ["r0.toml"]'))
    assert found == ["r6.toml:3:12: extends[0]: extends a recipe that extends a recipe, more than 8 deep"]


def test_all_problems_of_all_files_come_at_once_from_the_top(write: Write, problems: Problems) -> None:
    first = write(
        "a", "sumary = 1", 'version = "x"', "[policy]", 'thinking = "never"', 'max-download = "lots"', *RULE[:2],
        'use = "chatt"', "[[rules]]", 'id = "y"', 'use = "chat"', 'targets = [{ model = "nope" }, { modle = "x" }]',
    )  # fmt: skip
    second = write("b", "extends = 3")
    found = problems(second, first)
    assert [problem.split(": ")[0] + " " + problem.split(": ")[1] for problem in found] == [
        "a.toml:3:1 sumary",
        "a.toml:4:1 version",
        "a.toml:6:1 policy.thinking",
        "a.toml:7:1 policy.max-download",
        "a.toml:10:1 rules[0].use",
        "a.toml:14:14 rules[1].targets[0].model",
        "a.toml:14:34 rules[1].targets[1].modle",
        "b.toml:3:1 extends",
    ]


@pytest.mark.parametrize(
    ("head", "told"),
    [
        ("schema = 1", ["team.toml name"]),
        ("", ["team.toml name", "team.toml schema"]),
        ('schema = "1"\nname = 5', ["team.toml:1:1 schema", "team.toml:2:1 name"]),
        ('schema = 1\nname = "team"\nrequires-llamaexit = "new"', ["team.toml:3:1 requires-llamaexit"]),
    ],
    ids=["no name", "no name and no schema", "wrong types", "a range that is none"],
)
def test_what_is_wrong_with_the_head_hides_nothing_else(
    tmp_path: Path, problems: Problems, head: str, told: list[str]
) -> None:
    path = tmp_path / "team.toml"
    path.write_text("\n".join([head, 'version = "x"', *RULE, 'targets = [{ model = "nope" }]']))
    found = [" ".join(problem.split(": ")[:2]) for problem in problems(path)]
    line = 2 + head.count("\n")
    rest = [f"team.toml:{line}:1 version", f"team.toml:{line + 4}:14 rules[0].targets[0].model"]
    assert sorted(found) == sorted([*told, *rest])


def test_a_word_that_is_nearly_right_hides_nothing_behind_it(write: Write, problems: Problems) -> None:
    team = write(
        "team",
        "[[rules]]", 'id = "x"', 'use = "chatt"', 'accept-loss = ["tool", "zzz"]', 'targets = [{ model = "nope" }]',
        *RULE, TARGET,
    )  # fmt: skip
    found = problems(team)
    assert [" ".join(problem.split(": ")[:2]) for problem in found] == [
        "team.toml:5:1 rules[0].use",
        "team.toml:6:16 rules[0].accept-loss[0]",
        "team.toml:6:24 rules[0].accept-loss[1]",
        "team.toml:7:14 rules[0].targets[0].model",
        "team.toml:9:1 rules[1].id",
    ]
    assert found[0].endswith("not the text 'chatt'; did you mean 'chat'?")
    assert found[-1].endswith("'x' is also the id of rules[0]")


def test_the_error_names_the_first_problem_and_refuses(write: Write) -> None:
    path = write("team", "sumary = 1", "zzzz = 1")
    with pytest.raises(RecipeError) as caught:
        load_library([path])
    error = caught.value
    assert error.exit_code == REFUSED
    assert error.message.startswith(f"2 problems in {path}; the first: {path}:3:1: sumary: unknown key")
    assert len(error.problems) == 2


def test_a_single_problem_is_the_message(write: Write) -> None:
    path = write("team", "zzzz = 1")
    with pytest.raises(RecipeError) as caught:
        load_library([path])
    assert caught.value.message == f"{path}:3:1: zzzz: unknown key"


def test_more_problems_than_anybody_reads_are_counted(write: Write, problems: Problems) -> None:
    found = problems(write("team", *(f"zzzz{number} = 1" for number in range(250))))
    assert len(found) == 101
    assert found[-1] == "and 150 more"


def test_names_are_not_called_unknown_while_a_file_that_may_hold_them_is_unreadable(
    write: Write, problems: Problems, tmp_path: Path
) -> None:
    (tmp_path / "base.toml").write_text("not toml")
    team = write("team", 'extends = ["base.toml"]', *RULE, 'targets = [{ model = "team/own:7b" }]')
    assert len(problems(team)) == 1


def test_a_faulty_entry_is_not_called_unknown_on_top(write: Write, problems: Problems) -> None:
    team = write("team", *MODEL[:3], *RULE, 'targets = [{ model = "team/x:1b" }]')
    assert problems(team) == ["team.toml:3:1: models[0].vendor: is missing"]


def test_two_recipes_of_one_name_cannot_be_told_apart(write: Write, problems: Problems) -> None:
    first, second = write("team"), write("team", folder="other")
    found = problems(first, second)
    assert [problem.replace("\\", "/") for problem in found] == [
        "other/team.toml:2:1: name: 'team' is also the name of team.toml"
    ]


def test_a_recipe_may_not_bear_the_name_of_a_builtin_one(write: Write, problems: Problems) -> None:
    assert problems(write("fallback")) == ["fallback.toml:2:1: name: 'fallback' is the name of a built-in recipe"]


def test_the_same_file_twice_is_no_conflict(write: Write, problems: Problems) -> None:
    team = write("team", *RULE, TARGET)
    assert problems(team, team) == []


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ("0", "must be 1; this llamaexit knows no other version of the language"),
        ('"1"', "must be 1; this llamaexit knows no other version of the language"),
        ("2", "is 2, a newer version of the language than this llamaexit knows (1)"),
    ],
)
def test_another_version_of_the_language_is_refused(
    tmp_path: Path, problems: Problems, schema: str, expected: str
) -> None:
    path = tmp_path / "team.toml"
    path.write_text(f'schema = {schema}\nname = "team"\n')
    assert problems(path) == [f"team.toml:1:1: schema: {expected}"]


def test_a_date_where_a_list_belongs_is_called_a_date(write: Write, problems: Problems) -> None:
    assert problems(write("team", "extends = 2026-01-01")) == [
        "team.toml:3:1: extends: must be a list, not the date 2026-01-01"
    ]


def test_more_files_than_anybody_needs_are_refused(write: Write, problems: Problems) -> None:
    paths = [write(f"r{number}") for number in range(260)]
    assert problems(*paths) == ["r256.toml: is one recipe too many; 256 files are the limit"]


def test_no_word_of_the_validator_reaches_the_user(write: Write, problems: Problems) -> None:
    team = write("team", "a = 1", "summary = [1]", "extends = {}", "[policy]", "pins = 3", "thinking = 4")
    for problem in problems(team):
        for word in ("pydantic", "http", "dataclass", "Input", "valid ", "tuple", "dict", "str ", "int "):
            assert word not in problem


@pytest.mark.parametrize("name", ["a/b", "two words", "", "*", "a[b]", "-x", "caf\u00e9"])
def test_a_recipe_needs_a_name_that_rules_can_be_called_by(tmp_path: Path, problems: Problems, name: str) -> None:
    path = tmp_path / "team.toml"
    path.write_text(f'schema = 1\nname = "{name}"\n', encoding="utf-8")
    assert problems(path) == [
        "team.toml:2:1: name: must be at most 100 letters, digits, dots, hyphens and underscores, and start with a "
        "letter or digit"
    ]


def test_more_examples_than_can_be_planned_are_refused(
    write: Write, problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamaexit.recipes.examples.MOST_EXAMPLES", 1)
    models = 'models = [{ name = "a", expect = { action = "keep" } }]'
    two = [*EXAMPLE, models, *EXAMPLE[:1], 'title = "u"', *EXAMPLE[2:], models]
    assert problems(write("team", *two)) == ["team.toml:3:1: examples: are 2 examples; at most 1 are allowed"]


def test_more_models_in_an_example_than_can_be_planned_are_refused(
    write: Write, problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamaexit.recipes.examples.MOST_EXAMPLES", 1)
    one = '{{ name = "{}", expect = {{ action = "keep" }} }}'
    models = f"models = [{one.format('a')}, {one.format('b')}]"
    assert problems(write("team", *EXAMPLE, models)) == [
        "team.toml:6:1: examples[0].models: are 2 models; at most 1 are allowed"
    ]


def test_an_example_without_a_title_is_refused(write: Write, problems: Problems) -> None:
    models = 'models = [{ name = "a", expect = { action = "keep" } }]'
    lines = ["[[examples]]", 'title = " "', EXAMPLE[2], models]
    assert problems(write("team", *lines)) == ["team.toml:4:1: examples[0].title: is empty"]
