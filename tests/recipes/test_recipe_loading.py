"""How recipes combine: who wins, what is overridden, where each value comes from."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from llamaexit.errors import RecipeError
from llamaexit.recipes import model
from llamaexit.recipes.library import Library
from llamaexit.recipes.load import load_library, recipe_text

RULE = """
[[rules]]
id = "{id}"
use = "chat"
match = ["llama3.1:8b"]
targets = [{{ model = "{model}", why = "{why}" }}]
"""
Problems = Callable[..., list[str]]
Write = Callable[..., Path]


def rule(rule_id: str, model: str = "qwen3:8b", why: str = "ours") -> str:
    return RULE.format(id=rule_id, model=model, why=why)


def rules_of(library: Library, recipe: str) -> list[str]:
    return [bound.rule.id for bound in library.rules if bound.recipe == recipe]


def test_recipes_count_from_builtin_over_user_and_project_to_the_command_line(write: Write, tmp_path: Path) -> None:
    first, second = write("first", rule("one")), write("second", rule("two"))
    write("mine", rule("three"), folder="config")
    project = write("llamaexit", rule("four"), folder="project")
    library = load_library([first, second], project=project.parent, user=tmp_path / "config")
    own = [entry.name for entry in library.loaded if not entry.builtin]
    assert own == ["mine", "llamaexit", "first", "second"]
    ranks = {bound.recipe: bound.precedence for bound in library.rules}
    assert ranks["fallback"] < ranks["mine"] < ranks["llamaexit"] < ranks["first"] < ranks["second"]
    assert [bound.rule.id for bound in library.rules][:4] == ["two", "one", "four", "three"]


def test_a_project_file_can_be_named_by_itself(write: Write) -> None:
    project = write("llamaexit", rule("four"), folder="project")
    assert rules_of(load_library(project=project), "llamaexit") == ["four"]


def test_missing_user_and_project_recipes_are_no_error(tmp_path: Path) -> None:
    library = load_library(project=tmp_path, user=tmp_path / "nowhere")
    assert all(entry.builtin for entry in library.loaded)


def test_files_of_the_user_folder_count_in_the_order_of_their_names(write: Write, tmp_path: Path) -> None:
    write("b", rule("b"), folder="config")
    write("a", rule("a"), folder="config")
    (tmp_path / "config" / "notes.txt").write_text("not a recipe")
    library = load_library(user=tmp_path / "config")
    assert [entry.name for entry in library.loaded if not entry.builtin] == ["a", "b"]


def test_a_rule_knows_its_recipe_file_and_line(write: Write) -> None:
    path = write("team", "", rule("one"), rule("two"))
    library = load_library([path])
    lines = path.read_text().splitlines()
    for rule_id in ("one", "two"):
        bound = library.rule(rule_id)
        assert bound is not None
        assert (bound.recipe, bound.file) == ("team", str(path))
        assert lines[bound.line - 1 : bound.line + 1] == ["[[rules]]", f'id = "{rule_id}"']


def test_rules_written_as_an_array_have_lines_too(write: Write) -> None:
    path = write(
        "team",
        "rules = [",
        '  { id = "one", use = "chat", targets = [{ model = "qwen3:8b" }] },',
        '  { id = "two", use = "chat", targets = [{ model = "qwen3:8b" }] },',
        "]",
    )
    library = load_library([path])
    assert [bound.line for bound in library.rules if bound.recipe == "team"] == [4, 5]


def test_a_header_inside_a_text_is_not_taken_for_a_rule(write: Write) -> None:
    path = write("team", 'summary = """', "[[rules]]", '"""', rule("one"))
    bound = load_library([path]).rule("one")
    assert bound is not None
    assert path.read_text().splitlines()[bound.line] == 'id = "one"'


def test_a_rule_that_names_one_below_it_replaces_the_whole_rule(write: Write) -> None:
    key = "replace-chat/chat/llama3.1:8b"
    library = load_library([write("team", rule(key, "qwen3:4b-instruct"))])
    (bound,) = [bound for bound in library.rules if bound.key == key]
    assert bound.recipe == "team"
    assert bound.rule.caveats == ()
    assert [choice.model for choice in bound.rule.targets] == ["qwen3:4b-instruct"]
    assert library.rule(key) == bound


def test_rules_of_one_id_in_two_recipes_have_nothing_to_do_with_each_other(write: Write, library: Library) -> None:
    with_team = load_library([write("team", rule("chat/llama3.1:8b"))])
    assert {bound.key for bound in with_team.rules} == {
        *(bound.key for bound in library.rules),
        "team/chat/llama3.1:8b",
    }


def test_every_recipe_above_can_replace_a_rule_again(write: Write) -> None:
    base = write("base", rule("a"))
    middle = write("middle", rule("base/a", "qwen3:14b"))
    top = write("top", rule("base/a", "qwen3:4b"))
    library = load_library([base, middle, top])
    assert [(bound.key, bound.recipe) for bound in library.rules if bound.precedence] == [("base/a", "top")]


def test_a_rule_cannot_replace_one_above_it(write: Write) -> None:
    library = load_library([write("low", rule("high/a")), write("high", rule("a"))])
    assert [bound.key for bound in library.rules if bound.precedence] == ["high/a", "low/high/a"]


def test_a_recipe_can_replace_a_rule_that_another_has_disabled(write: Write) -> None:
    base, middle = write("base", rule("a")), write("middle", 'disable = ["base/a"]')
    top = write("top", rule("base/a", "qwen3:4b"))
    library = load_library([base, middle, top])
    assert [(bound.key, bound.recipe) for bound in library.rules if bound.precedence] == [("base/a", "top")]


def test_a_rule_is_found_by_its_key_and_else_by_its_id_in_the_strongest_recipe(write: Write) -> None:
    library = load_library([write("low", rule("a")), write("high", rule("a"), rule("chat/llama3.1:8b"))])
    assert [getattr(library.rule(name), "key", None) for name in ("low/a", "a", "chat/llama3.1:8b", "nope")] == [
        "low/a",
        "high/a",
        "high/chat/llama3.1:8b",
        None,
    ]


def test_a_recipe_disables_rules_below_it(write: Write) -> None:
    library = load_library(
        [write("team", 'disable = ["replace-chat/chat/llama3.1:8b", "replace-medical/*", "fallback/medical*"]')]
    )
    assert library.rule("chat/llama3.1:8b") is None
    assert [bound.rule.id for bound in library.rules if bound.rule.use == "medical"] == []
    assert library.rule("chat/llama3.1:70b") is not None
    assert library.warnings == ()


def test_a_recipe_does_not_disable_rules_above_it_or_its_own(write: Write) -> None:
    below = write("below", 'disable = ["below/mine", "above/theirs"]', rule("mine"))
    above = write("above", rule("theirs"))
    library = load_library([below, above])
    assert library.rule("mine") is not None
    assert library.rule("theirs") is not None


def test_disabling_takes_what_replaced_a_rule_along(write: Write) -> None:
    base, middle = write("base", rule("a")), write("middle", rule("base/a", "qwen3:14b"))
    library = load_library([base, middle, write("top", 'disable = ["base/a"]')])
    assert [bound.key for bound in library.rules if bound.precedence] == []


@pytest.mark.parametrize(
    ("entry", "meant"),
    [
        ("replace-chat/chat/lama3.1:8b", "did you mean 'replace-chat/chat/llama3.1:8b'?"),
        ("chat/llama3.1:8b", "with its recipe it is 'replace-chat/chat/llama3.1:8b'"),
    ],
    ids=["a slip of the keyboard", "an id without its recipe"],
)
def test_disabling_nothing_is_worth_a_warning(write: Write, entry: str, meant: str) -> None:
    path = write("team", f'disable = ["{entry}"]')
    assert load_library([path]).warnings == (f"{path}: disable: no rule is called {entry!r}; {meant}",)


def test_what_a_recipe_extends_counts_below_it_in_order(write: Write) -> None:
    write("base", rule("base"))
    write("extra", rule("extra"))
    team = write("team", 'extends = ["base.toml", "./extra.toml", "builtin:fallback"]', rule("team"))
    library = load_library([team])
    assert [entry.name for entry in library.loaded if not entry.builtin] == ["base", "extra", "team"]


def test_a_recipe_that_two_others_extend_counts_once(write: Write) -> None:
    write("base", rule("base"))
    write("left", 'extends = ["base.toml"]')
    write("right", 'extends = ["base.toml"]')
    top = write("top", 'extends = ["left.toml", "right.toml"]')
    library = load_library([top])
    assert [entry.name for entry in library.loaded if not entry.builtin] == ["base", "left", "right", "top"]


def test_a_recipe_may_extend_another_folder_of_its_repository(write: Write, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write("base", rule("base"), folder="shared")
    team = write("team", 'extends = ["../shared/base.toml"]', folder="service")
    assert load_library([team]).rule("base") is not None


def test_policy_is_merged_key_by_key_and_says_who_decided(write: Write) -> None:
    base = write(
        "base", "[policy]", 'deny-vendors = ["DeepSeek"]', 'max-download = "20GB"', "min-context = 8192",
        'licences-allowed = ["open-source"]', "min-gpu-share = 0.5", 'thinking = "avoid"',
    )  # fmt: skip
    team = write("team", "[policy]", 'max-download = "40GB"', "deny-vendors = []", 'thinking = "allow"')
    policy = load_library([base, team]).policy
    assert policy.max_download is not None
    assert (policy.max_download.value, policy.max_download.recipe) == ("40GB", "team")
    assert policy.deny_vendors is not None
    assert (policy.deny_vendors.value, policy.deny_vendors.recipe) == ((), "team")
    assert policy.min_context is not None
    assert (policy.min_context.value, policy.min_context.recipe) == (8192, "base")
    assert policy.deny_models is None
    assert policy.in_words() == (
        "licences allowed: open-source (base)",
        "vendors denied: none (team)",
        "largest download: 40GB (team)",
        "smallest context: 8192 tokens (base)",
        "smallest share on the GPU: 50% (base)",
        "thinking: allow (team)",
    )


def test_pins_are_merged_target_by_target(write: Write) -> None:
    base = write("base", "[policy.pins]", '"qwen3:8b" = "500a1f067a9f"', '"qwen3:14b" = "aaaaaaaaaaaa"')
    team = write("team", "[policy.pins]", '"Qwen3:14B" = "bdbd181c33f2"')
    policy = load_library([base, team]).policy
    eight, fourteen = policy.pin("QWEN3:8b"), policy.pin("qwen3:14b")
    assert eight is not None
    assert (eight.value, eight.recipe) == ("500a1f067a9f", "base")
    assert fourteen is not None
    assert (fourteen.value, fourteen.recipe) == ("bdbd181c33f2", "team")
    assert policy.pins is not None
    assert len(policy.pins.value) == 2
    assert policy.pins.recipe == "base, team"
    assert policy.pin("qwen3:4b") is None
    assert policy.in_words() == ("pinned by digest: qwen3:8b, Qwen3:14B (base, team)",)


def test_a_team_adds_targets_of_any_family(write: Write) -> None:
    team = write(
        "team",
        "[[models]]",
        'name = "registry.example.com/team/support:7b"',
        'family = "mistral"',
        'vendor = "ACME"',
        'licence = "own"',
        'also = ["registry.example.com/team/support:prod"]',
        "[licences.own]",
        'name = "ACME internal"',
        'summary = "For ACME only."',
        rule("chat/own", "registry.example.com/team/support:prod"),
    )
    library = load_library([team])
    found = library.target("REGISTRY.example.com/team/support:7b")
    assert found is not None
    assert found[0].vendor == "ACME"
    assert library.target("registry.example.com/team/support:prod") == (found[0], None)
    assert library.licence("own") is not None
    assert len(library.targets) == 194


def test_a_team_corrects_the_facts_of_a_builtin_target(write: Write) -> None:
    team = write("team", "[[models]]", 'name = "qwen3:8b"', 'family = "qwen"', 'vendor = "ACME mirror"', "size = 5")
    library = load_library([team])
    found = library.target("qwen3:8b")
    assert found is not None
    assert (found[0].vendor, found[0].size) == ("ACME mirror", 5)
    assert len(library.targets) == 193
    assert library.target("qwen3:14b") is not None


def test_a_team_says_what_its_own_models_are_built_on(write: Write) -> None:
    team = write(
        "team", "[[origins]]", 'name = "team-bot"', 'lineage = "meta"', 'why = "trained here"',
        'generation = "llama3.1"', 'manifests = ["0123456789ab"]', 'blobs = ["ba9876543210"]', 'uses = ["rag"]',
        'tags = [{ tag = "q8", quant = "q8_0" }]',
    )  # fmt: skip
    library = load_library([team])
    found = library.origin("team-bot")
    assert found is not None
    assert found.why == "trained here"
    assert library.origin("TEAM-BOT:latest") is found
    assert library.origin("team-bot:q8") is found
    assert library.origin_by_manifest("0123456789ab") is found
    assert library.origin_by_blob("sha256:ba9876543210ffff") is found
    assert library.uses("team-bot") == ("rag",)
    assert len(library.origins) == 208


def test_a_team_explains_caveats_and_closed_models_of_its_own(write: Write) -> None:
    team = write(
        "team", "[caveats]", 'HOUSE = "Ask the platform team first."', "[[closed]]", 'match = ["claude*"]',
        'name = "Claude"', 'vendor = "Anthropic"', 'why = "Not ours to run."', 'nearest = ["qwen3:8b"]',
        "[sources.wiki]", 'what = "our wiki"',
        "[[rules]]", 'id = "x"', 'use = "chat"', 'caveats = ["HOUSE", "TEMPLATE"]',
        'targets = [{ model = "qwen3:8b" }]',
    )  # fmt: skip
    library = load_library([team])
    assert library.caveat("HOUSE") == "Ask the platform team first."
    assert library.caveat("TEMPLATE")
    closed = library.closed("claude-sonnet")
    assert closed is not None
    assert closed.why == "Not ours to run."
    source = library.source("wiki")
    assert source is not None
    assert source.what == "our wiki"


def test_only_recipes_with_a_date_grow_stale(write: Write) -> None:
    dated = write("dated", "checked = 2026-01-01")
    undated = write("undated")
    library = load_library([dated, undated])
    stale = [entry.name for entry in library.stale(dt.date(2026, 11, 24)) if not entry.builtin]
    assert stale == ["dated"]


def test_a_needed_ollama_version_is_passed_on(write: Write) -> None:
    team = write("team", 'requires-ollama = ">=0.30"')
    assert load_library([team]).requires_ollama == (("team", ">=0.30"),)


@pytest.mark.parametrize("wanted", [">=0.1", "==0.1.*", ">0.0.1,<99", ""])
def test_a_recipe_for_this_version_of_llamaexit_loads(write: Write, wanted: str) -> None:
    assert load_library([write("team", f'requires-llamaexit = "{wanted}"')])


def test_a_recipe_for_a_newer_llamaexit_is_refused_before_anything_else(write: Write, problems: Problems) -> None:
    team = write("team", 'requires-llamaexit = ">=99"', "no-such-key = 1", "[policy]", 'thinking = "no-such-word"')
    assert problems(team) == ["team.toml:3:1: requires-llamaexit: needs llamaexit >=99, and this is 0.1.0"]


def test_of_two_reasons_for_a_newer_llamaexit_the_release_it_takes_is_told(tmp_path: Path, problems: Problems) -> None:
    path = tmp_path / "team.toml"
    path.write_text('schema = 2\nname = "team"\nrequires-llamaexit = ">=99"\n')
    assert problems(path) == ["team.toml:3:1: requires-llamaexit: needs llamaexit >=99, and this is 0.1.0"]


@pytest.mark.parametrize(
    ("release", "wanted", "fits"),
    [
        ("0.2.0", ">=0.2", True),
        ("0.2.0rc1", ">=0.2", False),
        ("0.2.0rc1", ">=0.2rc1", True),
        ("0.2.0rc1", ">=0.1", True),
        ("0.2.0.dev3", "<0.2", False),
        ("0.2.0.dev3", ">=0.1,<0.3", True),
    ],
)
def test_a_pre_release_counts_as_what_it_is(
    write: Write, problems: Problems, monkeypatch: pytest.MonkeyPatch, release: str, wanted: str, fits: bool
) -> None:
    monkeypatch.setattr("llamaexit.__version__", release)
    assert (problems(write("team", f'requires-llamaexit = "{wanted}"')) == []) is fits


def test_a_recipe_and_a_rule_can_be_on_their_way_out(write: Write) -> None:
    team = write(
        "team", "[deprecated]", "since = 2026-11-01", 'replaced-by = "../platform.toml"', "[[rules]]", 'id = "x"',
        'use = "chat"', 'targets = [{ model = "qwen3:8b" }]', "[rules.deprecated]", 'reason = "Too slow."',
    )  # fmt: skip
    library = load_library([team])
    assert library.loaded[-1].deprecated == model.Deprecation(dt.date(2026, 11, 1), replaced_by="../platform.toml")
    bound = library.rule("team/x")
    assert bound is not None
    assert bound.rule.deprecated == model.Deprecation(reason="Too slow.")


@pytest.mark.parametrize(
    ("deprecation", "words"),
    [
        (model.Deprecation(), "is deprecated"),
        (
            model.Deprecation(dt.date(2026, 11, 1), dt.date(2027, 2, 1), "team/new", "Too slow."),
            "is deprecated since 2026-11-01 and goes on until 2027-02-01: Too slow; team/new takes its place",
        ),
        (model.Deprecation(until=dt.date(2026, 11, 24)), "is deprecated and was to be gone by 2026-11-24"),
        (model.Deprecation(until=dt.date(2026, 11, 25)), "is deprecated and goes on until 2026-11-25"),
    ],
)
def test_what_is_on_its_way_out_says_so_in_words(deprecation: model.Deprecation, words: str) -> None:
    assert deprecation.in_words(dt.date(2026, 11, 25)) == words


def test_a_recipe_in_a_newer_language_is_refused_before_anything_else(tmp_path: Path, problems: Problems) -> None:
    path = tmp_path / "team.toml"
    path.write_text('schema = 2\nname = "team"\nnew-key = 1\n')
    assert problems(path) == [
        "team.toml:1:1: schema: is 2, a newer version of the language than this llamaexit knows (1)"
    ]


def test_the_text_of_a_recipe_can_be_shown(write: Write, library: Library) -> None:
    team = write("team", rule("one"))
    entry, text = recipe_text(load_library([team]), "team")
    assert (entry.name, text) == ("team", team.read_text())
    entry, text = recipe_text(library, "replace-chat")
    assert entry.builtin
    assert text.startswith("# Replacements for chat")


def test_showing_a_recipe_that_is_not_there_suggests_one(library: Library) -> None:
    with pytest.raises(RecipeError, match=r"no recipe is called 'replace-chats'; did you mean 'replace-chat'\?"):
        recipe_text(library, "replace-chats")


def test_a_recipe_with_a_byte_order_mark_loads(tmp_path: Path) -> None:
    path = tmp_path / "team.toml"
    path.write_bytes(b'\xef\xbb\xbfschema = 1\r\nname = "team"\r\n' + rule("one").replace("\n", "\r\n").encode())
    bound = load_library([path]).rule("one")
    assert bound is not None
    assert bound.line == 4


def test_many_recipes_of_many_rules_all_count(write: Write) -> None:
    paths = [write(f"r{number}", *(rule(f"{number}/{i}") for i in range(20))) for number in range(40)]
    library = load_library(paths)
    assert len([bound for bound in library.rules if bound.precedence]) == 800


DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = [
    pytest.param(example, id=f"{page.name} {number}")
    for page in (
        DOCS / "reference/recipes.md",
        DOCS / "explanation/how-recipes-combine.md",
        DOCS / "how-to/own-smoke-tests.md",
    )
    for number, example in enumerate(re.findall(r"^```toml\n(schema.*?)^```", page.read_text("utf-8"), re.M | re.S))
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_recipe_shown_in_the_documentation_loads(tmp_path: Path, example: str) -> None:
    path = tmp_path / "example.toml"
    path.write_text(example, encoding="utf-8")
    library = load_library([path])
    assert library.warnings == ()


@pytest.mark.parametrize(
    "cls", [cls for cls in vars(model).values() if is_dataclass(cls)], ids=lambda cls: cls.__name__
)
def test_every_key_of_the_language_is_in_the_reference(cls: type) -> None:
    known = set(re.findall(r"`([a-z-]+)`", (DOCS / "reference/recipes.md").read_text("utf-8")))
    assert {model.kebab(field.name) for field in fields(cls)} <= known
