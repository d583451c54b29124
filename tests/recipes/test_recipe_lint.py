"""Lint rules of recipes: each has a case where it speaks and a near one where it must not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaexit.errors import UsageError
from llamaexit.recipes.lint.globs import can_both_match
from llamaexit.recipes.lint.registry import all_rules
from llamaexit.recipes.lint.run import Allowed, Linted, chosen, lint_recipes
from llamaexit.recipes.needs import NEVER_AUTOMATIC
from llamaexit.recipes.pack import recipe_folder
from llamaexit.recipes.problems import Problem

Write = Callable[..., Path]
TODAY = dt.date(2026, 11, 25)
LONG = 'caveats = ["CONTEXT"]'


def rule(
    rule_id: str = "x", use: str = "chat", match: str = '"llama3.1:8b"', targets: str = "", more: str = LONG
) -> str:
    """The text of one rule; targets are TOML, qwen3:8b without any."""
    given_targets = targets or '{ model = "qwen3:8b" }'
    condition = f"match = [{match}]\n" if match else ""
    return f'[[rules]]\nid = "{rule_id}"\nuse = "{use}"\n{condition}{more}\ntargets = [{given_targets}]\n'


def model(name: str = "acme/bot:7b", more: str = "") -> str:
    return f'[[models]]\nname = "{name}"\nfamily = "acme"\nvendor = "ACME"\n{more}\n'


def target(name: str, more: str = "") -> str:
    return f'{{ model = "{name}"{more} }}'


EXAMPLE = (
    '[[examples]]\ntitle = "t"\nhost = {{ ram = "8GiB" }}\nmodels = [{{ name = "a", expect = {{ action = "{}" }} }}]\n'
)
BASE = 'schema = 1\nname = "base"\ndeprecated = { replaced-by = "other" }\n' + rule("old")
FINE = 'schema = 1\nname = "fine"\n' + rule("old")
EXTENDS = 'extends = ["fine.toml"]\n'

# rule, what makes it speak, the key it names, what it says, and a near case in which it is silent.
# The file begins with two lines, beside it lie base.toml, which is deprecated, and fine.toml.
CASES = [
    pytest.param("unreadable", "a = = 1", "", "is not TOML: invalid value", "summary = '='", id="unreadable"),
    pytest.param(
        "needs-newer", 'requires-llamaexit = ">=99"\nzzz = 1', "requires-llamaexit", "needs llamaexit >=99",
        'requires-llamaexit = ">=0.1"', id="needs-newer",
    ),
    pytest.param("unknown-key", "sumary = 1", "sumary", "did you mean 'summary'?", 'summary = "x"', id="unknown-key"),
    pytest.param("invalid-value", "summary = 1", "summary", "must be text", 'summary = "1"', id="invalid-value"),
    pytest.param(
        "unknown-target", rule(targets=target("acme/bot:7b")), "rules[0].targets[0].model", "no recipe describes",
        model() + rule(targets=target("acme/bot:7b")), id="unknown-target",
    ),
    pytest.param(
        "unknown-name", rule(more='caveats = ["NOPE"]'), "rules[0].caveats[0]", "no recipe explains the caveat 'NOPE'",
        '[caveats]\nNOPE = "x"\n' + rule(more='caveats = ["NOPE"]'), id="unknown-name",
    ),
    pytest.param("duplicate", rule() + rule(), "rules[1].id", "is also the id", rule() + rule("y"), id="duplicate"),
    pytest.param(
        "bad-extends", 'extends = ["../x.toml"]', "extends[0]", "leads out of", 'extends = ["fine.toml"]',
        id="bad-extends",
    ),
    pytest.param(
        "duplicate-rule", rule() + rule("y"), "rules[1]", "says what rule 'x' says already",
        rule() + rule("y", use="tools"), id="duplicate-rule",
    ),
    pytest.param(
        "shadowed-rule", rule(match='"llama3*"', targets=f'{target("qwen3:8b")}, {target("qwen3:14b")}')
        + rule("y", match='"llama3*"', targets=target("qwen3:14b")),
        "rules[1]", "never counts: rule 'x' has tried all of its targets by then",
        rule(match='"llama3*"') + rule("y", match='"llama3*"', targets=target("qwen3:14b")), id="shadowed-rule",
    ),
    pytest.param(
        "shadowed-rule", rule(match="", targets=f'{target("qwen3:8b")}, {target("qwen3:14b")}')
        + rule("y", match="", more='generation = ["llama2"]', targets=target("qwen3:14b")),
        "rules[1]", "never counts",
        rule(match="", more='generation = ["llama2"]', targets=f'{target("qwen3:8b")}, {target("qwen3:14b")}')
        + rule("y", match="", targets=target("qwen3:14b")), id="shadowed-rule of a kind",
    ),
    pytest.param(
        "order-decides", rule() + rule("y", targets=target("qwen3:14b")), "rules[1]",
        "names llama3.1:8b, like rule 'x': only their order in the file decides which target comes first",
        rule() + rule("y", match='"llama3*"', targets=target("qwen3:14b")), id="order-decides by name",
    ),
    pytest.param(
        "order-decides", rule(match='"llama3*"') + rule("y", match='"*:8b"', targets=target("qwen3:14b")), "rules[1]",
        "matches names (*:8b) that llama3* matches, too",
        rule(match='"llama3*"') + rule("y", match='"mistral*"', targets=target("qwen3:14b")),
        id="order-decides by pattern",
    ),
    pytest.param(
        "order-decides", rule(match="", more="max-parameters = 10.0")
        + rule("y", match="", more="min-parameters = 9.0", targets=target("qwen3:14b")),
        "rules[1]", "is for the same kind of models",
        rule(match="", more="max-parameters = 10.0")
        + rule("y", match="", more="min-parameters = 10.0", targets=target("qwen3:14b")), id="order-decides by size",
    ),
    pytest.param(
        "order-decides", rule(match="", more='generation = ["llama2"]')
        + rule("y", match="", targets=target("qwen3:14b")), "rules[1]", "is for the same kind of models",
        rule(match="", more="max-parameters = 10.0") + rule("y", match="", targets=target("qwen3:14b")),
        id="order-decides by generation, and a size goes first",
    ),
    pytest.param(
        "unreachable-rule", rule(match='"mistral:7b"'), "rules[0].match", "is for what is not Llama (mistral:7b)",
        rule(match='"mistral:7b", "llama3.1:8b"'), id="unreachable-rule",
    ),
    pytest.param(
        "replacement-cycle", model("acme/a:7b") + model("acme/b:7b") + rule(match='"acme/a:7b"',
        targets=target("acme/b:7b"))
        + rule("y", match='"acme/b:7b"', targets=target("acme/a:7b")),
        "rules[0].targets", "lead round in a circle: acme/a:7b → acme/b:7b → acme/a:7b",
        model("acme/a:7b") + model("acme/b:7b") + rule(match='"acme/a:7b"', targets=target("acme/b:7b"))
        + rule("y", use="code", match='"acme/b:7b"', targets=target("acme/a:7b")), id="replacement-cycle",
    ),
    pytest.param(
        "replacement-cycle", model("acme/a:7b") + rule(match='"acme/a:7b"', targets=target("acme/a:7b")),
        "rules[0].targets", "lead round in a circle: acme/a:7b → acme/a:7b",
        rule(match='"deepseek-r1:8b"', use="reasoning", targets=target("deepseek-r1:8b")),
        id="replacement-cycle of one, unless other weights have the name",
    ),
    pytest.param(
        "replacement-cycle", model("acme/a:7b") + model("acme/b:7b")
        + rule(match='"acme/a*"', targets=target("acme/b:7b")) + rule("y", match='"*/B"', targets=target("acme/a:7b")),
        "rules[0].targets", "lead round in a circle: acme/a:7b → acme/b:7b → acme/a:7b",
        model("acme/a:7b") + model("acme/b:7b") + rule(match='"acme/a*"', targets=target("acme/b:7b"))
        + rule("y", match='"acme/c*"', targets=target("acme/a:7b")), id="replacement-cycle over patterns",
    ),
    pytest.param(
        "replacement-cycle", model("acme/a:7b") + model("acme/b:7b") + rule(match='"acme/a:7b"',
        targets=target("acme/b:7b")) + rule("y", match='"acme/*"', targets=target("acme/a:7b")),
        "rules[0].targets", "lead round in a circle: acme/a:7b → acme/b:7b → acme/a:7b",
        model("acme/a:7b") + rule(match='"acme/*"', targets=target("acme/a:7b")),
        id="replacement-cycle over a pattern, unless it means what its own rule leads to",
    ),
    pytest.param(
        "replacement-cycle", model("acme/a:7b") + model("acme/b:7b")
        + rule(match='"acme/a*"', targets=target("acme/b:7b"))
        + rule("y", match='"acme/b*"', targets=target("acme/a:7b")),
        "rules[0].targets", "acme/a:7b → acme/b:7b → acme/a:7b",
        rule(match='"qwen3*"', targets=target("qwen2.5:7b"))
        + rule("y", match='"qwen2.5*"', targets=target("qwen3:8b")),
        id="replacement-cycle over patterns, unless a plan keeps what they mean",
    ),
    pytest.param(
        "replacement-cycle", model("acme/a:7b") + model("acme/b:7b") + rule(match='"acme/a:7b"',
        targets=target("acme/b:7b")) + rule("y", match='"acme/b*"', targets=target("acme/a:7b")),
        "rules[0].targets", "acme/a:7b → acme/b:7b → acme/a:7b",
        model("acme/a:7b") + model("acme/b:7b") + rule(match='"acme/a:7b"', targets=target("acme/b:7b"))
        + rule("y", match='"acme/b*"', more='generation = ["llama2"]', targets=target("acme/a:7b")),
        id="replacement-cycle over patterns, unless more than the name has to fit",
    ),
    pytest.param(
        "disables-nothing", 'disable = ["fine/old"]', "disable[0]", "no rule is called 'fine/old'",
        EXTENDS + 'disable = ["fine/old"]', id="disables-nothing",
    ),
    pytest.param(
        "replaces-nothing", EXTENDS + rule("fine/odl"), "rules[0].id",
        "'fine' has no rule 'odl' that this could replace; did you mean 'fine/old'?", EXTENDS + rule("fine/old"),
        id="replaces-nothing",
    ),
    pytest.param(
        "own-name-in-id", rule("team/x"), "rules[0].id", "has the name of its recipe in it; 'x' is enough",
        rule("chat/x"),
        id="own-name-in-id",
    ),
    pytest.param(
        "unpinned-source", 'extends = ["git+https://example.com/x.git@main#a.toml"]', "extends[0]", "name a commit",
        f'extends = ["git+https://example.com/x.git@{"a" * 40}#a.toml"]', id="unpinned-source of git",
    ),
    pytest.param(
        "unpinned-source", 'extends = ["https://example.com/a.toml"]', "extends[0]", "to no sha256",
        f'extends = ["https://example.com/a.toml#sha256={"a" * 64}"]', id="unpinned-source of the web",
    ),
    pytest.param(
        "deprecated-recipe", 'extends = ["base.toml"]', "extends", "base is deprecated; other takes its place", EXTENDS,
        id="deprecated-recipe",
    ),
    pytest.param(
        "overdue-deprecation", "deprecated = { until = 2026-11-24 }", "deprecated.until",
        "was 2026-11-24, which is over",
        "deprecated = { until = 2026-11-25 }", id="overdue-deprecation of a recipe",
    ),
    pytest.param(
        "overdue-deprecation", rule(more="deprecated = { until = 2026-01-01 }"), "rules[0].deprecated.until",
        "which is over",
        rule(more='deprecated = { reason = "x" }'), id="overdue-deprecation of a rule",
    ),
    pytest.param(
        "unknown-successor", rule(more='deprecated = { replaced-by = "yy" }') + rule("y", use="code"),
        "rules[0].deprecated.replaced-by", "no rule is called 'yy'",
        rule(more='deprecated = { replaced-by = "y" }') + rule("y", use="code"), id="unknown-successor",
    ),
    pytest.param(
        "unknown-successor", rule(more='deprecated = { replaced-by = "y" }')
        + rule("y", use="code", more='deprecated = { replaced-by = "team/x" }'),
        "rules[0].deprecated.replaced-by", "leads in a circle: team/x → team/y → team/x",
        rule(more='deprecated = { replaced-by = "y" }')
        + rule("y", use="code", more='deprecated = { replaced-by = "replace-chat/chat/llama3.1:8b" }'),
        id="unknown-successor in a circle",
    ),
    pytest.param(
        "misspelled-model", rule(match='"lama3.1:8b"'), "rules[0].match[0]", "did you mean 'llama3.1:8b'?",
        rule(match='"support-bot", "llama3.1:team"'), id="misspelled-model",
    ),
    pytest.param(
        "only-latest", rule(match='"llama3.1"'), "rules[0].match[0]", "means llama3.1:latest only",
        rule(match='"support-bot"'), id="only-latest",
    ),
    pytest.param(
        "llama-target", rule(targets=target("deepseek-r1:70b")), "rules[0].targets[0].model",
        "deepseek-r1:70b is built on Llama", rule(targets=target("deepseek-r1:32b")), id="llama-target",
    ),
    pytest.param(
        "cloud-target", rule(targets=target("deepseek-v3.1:671b-cloud")), "rules[0].targets[0].model",
        "only runs on somebody else's servers", rule(targets=target("deepseek-v3.1:671b")), id="cloud-target",
    ),
    pytest.param(
        "weak-target", rule(use="tools", targets=target("qwen2.5:7b")), "rules[0].targets[0].model",
        "Ollama lists qwen2.5:7b as working poorly for tools", rule(targets=target("qwen2.5:7b")), id="weak-target",
    ),
    pytest.param(
        "unfit-target", rule(use="vision"), "rules[0].targets[0].model", "qwen3:8b has no vision, which vision needs",
        rule(use="vision", targets=target("qwen3-vl:8b-instruct")), id="unfit-target",
    ),
    pytest.param(
        "denied-licence", '[policy]\nlicences-allowed = ["MIT"]\n' + rule(), "rules[0].targets[0].model",
        "licence Apache-2.0 is not allowed by team", '[policy]\nlicences-allowed = ["open-source"]\n' + rule(),
        id="denied-licence",
    ),
    pytest.param(
        "denied-target", '[policy]\ndeny-vendors = ["alibaba*"]\n' + rule(), "rules[0].targets[0].model",
        "vendor Alibaba Qwen is denied by team", '[policy]\ndeny-vendors = ["DeepSeek"]\n' + rule(),
        id="denied-target for its vendor",
    ),
    pytest.param(
        "denied-target", '[policy]\nmax-download = "5GB"\n' + rule(), "rules[0].targets[0].model",
        "download of 5.2 GB is over the 5GB of team", '[policy]\nmax-download = "6GB"\n' + rule(),
        id="denied-target for its size",
    ),
    pytest.param(
        "denied-target", '[policy]\nthinking = "avoid"\n' + rule(), "rules[0].targets[0].model",
        "thinks by default, which team avoids", '[policy]\nthinking = "allow"\n' + rule(),
        id="denied-target for thinking",
    ),
    pytest.param(
        "loses-capability", rule(targets=target("deepseek-r1:8b")), "rules[0].targets[0].model",
        "deepseek-r1:8b has no tools, which llama3.1:8b has",
        rule(targets=target("deepseek-r1:8b", ', accept-loss = ["tools"]')), id="loses-capability",
    ),
    pytest.param(
        "loses-capability", rule(match='"llama3.2-vision:11b"'), "rules[0].targets[0].model", "has no vision",
        rule(match='"llama3.2*"', more='caveats = ["CONTEXT"]\naccept-loss = ["tools"]'),
        id="loses-capability, and a pattern means models with and without",
    ),
    pytest.param(
        "loses-capability", rule(match='"llama3.2-vision:11b"'), "rules[0].targets[0].model", "has no vision",
        rule(match='"llama3.2-vision:11b"', more='caveats = ["CONTEXT", "NO_VISION"]'),
        id="loses-capability, and known",
    ),
    pytest.param(
        "loses-context", rule(more=""), "rules[0].targets[0].model", "qwen3:8b holds 40960 tokens, llama3.1:8b 131072",
        rule(more='accept-loss = ["context"]'), id="loses-context",
    ),
    pytest.param(
        "loses-context", rule(more=""), "rules[0].targets[0].model", "holds 40960 tokens", rule(more=LONG),
        id="loses-context, and known",
    ),
    pytest.param(
        "idle-accept-loss", rule(use="tools", more='caveats = ["CONTEXT"]\naccept-loss = ["tools"]'),
        "rules[0].accept-loss[0]",
        "tools is what tools needs, and is never given up",
        rule(use="tools", more='accept-loss = ["context"]'), id="idle-accept-loss of what the use needs",
    ),
    pytest.param(
        "idle-accept-loss", rule(targets=target("qwen3:8b", ', accept-loss = ["vision"]')),
        "rules[0].targets[0].accept-loss[0]", "no vision is lost",
        rule(match='"support-bot"', targets=target("qwen3:8b", ', accept-loss = ["vision"]')),
        id="idle-accept-loss of nothing",
    ),
    pytest.param(
        "idle-exception", '[policy]\ndeny-origins = ["China"]\n[policy.exceptions]\n"qwen3:8" = "SEC-1"\n',
        'policy.exceptions."qwen3:8"', "no recipe describes 'qwen3:8'; did you mean 'qwen3:8b'?",
        '[policy]\ndeny-origins = ["China"]\n[policy.exceptions]\n"qwen3:8b" = "SEC-1"\n',
        id="idle-exception for a name nobody knows",
    ),
    pytest.param(
        "idle-exception", '[policy]\ndeny-vendors = ["DeepSeek"]\n[policy.exceptions]\n"qwen3:*" = "SEC-1"\n',
        'policy.exceptions."qwen3:*"', "nothing that it could lift denies 'qwen3:*'",
        '[policy]\ndeny-vendors = ["DeepSeek"]\n[policy.exceptions]\n"*:1.5b" = "SEC-1"\n',
        id="idle-exception for what is allowed anyway",
    ),
    pytest.param(
        "never-automatic", rule(use="embedding", match='"my-embedder"', targets=target("qwen3-embedding:8b")),
        "rules[0].use",
        "embedding models are never replaced without a person",
        rule(use="embedding", match='"my-embedder"', targets=target("qwen3-embedding:8b"),
             more='automatic = false\ndecide = "Decide when to index again."'), id="never-automatic",
    ),
    pytest.param(
        "stale-facts", "checked = 2026-05-28", "checked", "was 181 days ago", "checked = 2026-05-29", id="stale-facts"
    ),
    pytest.param(
        "undated-facts", model(), "models", "are facts, and `checked` does not say", "checked = 2026-11-01\n" + model(),
        id="undated-facts",
    ),
    pytest.param("no-examples", rule(), "", "has no example", rule() + EXAMPLE.format("keep"), id="no-examples"),
    pytest.param(
        "no-examples", "[policy]\nmin-context = 8192", "", "has no example", '[caveats]\nX = "y"',
        id="no-examples of texts"
    ),
    pytest.param(
        "no-negative-example", rule() + EXAMPLE.format("replace"), "examples", "only say what is replaced",
        rule() + EXAMPLE.format("blocked"), id="no-negative-example",
    ),
]  # fmt: skip


@pytest.fixture
def lint(tmp_path: Path) -> Callable[..., Linted]:
    """Lint a recipe of this text that follows the schema and the name."""

    def linted(text: str, *select: str) -> Linted:
        (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")
        (tmp_path / "fine.toml").write_text(FINE, encoding="utf-8")
        path = tmp_path / "team.toml"
        path.write_text(f'schema = 1\nname = "team"\n{text}\n', encoding="utf-8")
        return lint_recipes([str(path)], today=TODAY, select=select)

    return linted


@pytest.mark.parametrize(("name", "text", "key", "said", "near"), CASES)
def test_a_rule_speaks_where_it_should(
    lint: Callable[..., Linted], name: str, text: str, key: str, said: str, near: str
) -> None:
    (finding,) = lint(text, name).findings
    assert (finding.rule, finding.problem.key) == (name, key)
    assert said in finding.problem.text
    assert finding.severity == all_rules()[name].severity


@pytest.mark.parametrize(("name", "text", "key", "said", "near"), CASES)
def test_a_rule_is_silent_where_it_should_be(
    lint: Callable[..., Linted], name: str, text: str, key: str, said: str, near: str
) -> None:
    assert lint(near, name).findings == ()


def test_every_rule_has_a_case() -> None:
    assert {case.values[0] for case in CASES} == set(all_rules())


@pytest.mark.parametrize("name", sorted(all_rules()))
def test_every_rule_says_what_it_is_and_why(name: str) -> None:
    found = all_rules()[name]
    assert found.summary and not found.summary.endswith(".") and "\n" not in found.summary
    assert found.more.endswith(".")


def test_all_findings_come_at_once_from_the_top_with_their_places(lint: Callable[..., Linted]) -> None:
    text = 'verison = "1"\n' + rule(targets=f"{target('deepseek-r1:70b')}, {target('nope:1b')}") + rule(use="chatt")
    found = [
        (finding.rule, finding.problem.line, finding.problem.column)
        for finding in lint(text, "unknown-*", "llama-target", "invalid-value").findings
    ]
    assert found == [
        ("unknown-key", 3, 1),
        ("llama-target", 9, 14),
        ("unknown-target", 9, 45),
        ("invalid-value", 12, 1),
    ]


def test_recipes_that_are_named_together_have_nothing_to_do_with_each_other(write: Write) -> None:
    first, second = write("team", rule()), write("team", rule(), folder="other")
    linted = lint_recipes([str(first), str(second)], today=TODAY, select=["duplicate*"])
    assert linted.findings == ()


def test_what_is_wrong_with_a_file_that_two_extend_is_told_once(write: Write) -> None:
    base = write("base", "zzz = 1")
    paths = [write(name, 'extends = ["base.toml"]') for name in ("a", "b")]
    found = lint_recipes([str(path) for path in paths], today=TODAY, select=["unknown-key"]).findings
    assert [finding.problem.file for finding in found] == [str(base)]


def test_builtin_recipes_have_nothing_to_find() -> None:
    files = [str(path) for path in sorted(recipe_folder().glob("*.toml"))]
    linted = lint_recipes(files, today=dt.date(2026, 11, 25))
    assert [f"{finding.problem}" for finding in linted.findings] == []
    assert len(linted.files) > 20


def test_a_builtin_recipe_is_linted_by_its_name_like_by_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    old = dt.date(2028, 1, 1)
    by_name = lint_recipes(["builtin:replace-chat"], today=old).findings
    by_file = lint_recipes([str(recipe_folder() / "replace-chat.toml")], today=old).findings
    assert [finding.rule for finding in by_name] == [finding.rule for finding in by_file] == ["stale-facts"]
    assert by_name[0].problem.file == "builtin:replace-chat.toml"


@pytest.mark.parametrize(
    ("select", "ignore", "expected"),
    [
        (["unknown-key"], [], {"unknown-key"}),
        (["unknown-*"], ["unknown-target"], {"unknown-key", "unknown-name", "unknown-successor"}),
        ([], ["*[!t]"], {name for name in all_rules() if name.endswith("t")}),
    ],
    ids=["one", "a pattern without one", "all but a pattern"],
)
def test_rules_are_chosen_by_id_and_pattern(select: list[str], ignore: list[str], expected: set[str]) -> None:
    assert {one.id for one in chosen(select, ignore)} == expected


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_choosing_a_rule_that_does_not_exist_is_refused_with_the_nearest(option: str) -> None:
    arguments = (["unknwn-key"], []) if option == "--select" else ([], ["unknwn-key"])
    with pytest.raises(UsageError, match=f"{option}: no lint rule is called 'unknwn-key'") as caught:
        chosen(*arguments)
    assert caught.value.hint == "did you mean 'unknown-key'?"


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        ("match = []  # lint: allow unreachable-rule", True),
        ("match = []  # because; lint: allow order-decides, unreachable-rule", False),
        ("match = []  # lint: allow order-decides, unreachable-rule", True),
        ("match = []  # lint: allow unreachable-*", True),
        ("match = []  # lint: allow order-decides", False),
        ("match = []", False),
    ],
)
def test_a_comment_lets_a_finding_on_its_line_pass(line: str, allowed: bool) -> None:
    comments = Allowed(f"a = 1\n{line}\n")
    assert comments.at(Problem("f", "t", line=2), "unreachable-rule") is allowed
    assert not comments.at(Problem("f", "t", line=3), "unreachable-rule")


def test_a_comment_of_its_own_is_about_the_line_below() -> None:
    comments = Allowed("# lint: allow unreachable-rule\nmatch = []\n")
    assert comments.at(Problem("f", "t", line=2), "unreachable-rule")
    assert not comments.at(Problem("f", "t", line=1), "unreachable-rule")


def test_a_comment_is_heard(lint: Callable[..., Linted]) -> None:
    text = rule(match='"mistral:7b"').replace('["mistral:7b"]', '["mistral:7b"]  # lint: allow unreachable-rule')
    assert lint(text, "unreachable-rule").findings == ()


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("*", "anything", True),
        ("llama3*", "*:8b", True),
        ("llama3*", "mistral*", False),
        ("a?c", "ab*", True),
        ("a?c", "abd", False),
        ("llama[23]:*", "llama3*", True),
        ("llama[23]:*", "llama4*", False),
        ("[a-c]x", "bx", True),
        ("[a-c]x", "dx", False),
        ("[!a]x", "bx", True),
        ("A*", "a1", True),
        ("[", "[", True),
        ("", "", True),
        ("", "a", False),
        ("**a**", "a", True),
        ("*a*b*c*", "*c*b*a*", True),
    ],
)
def test_patterns_that_can_mean_one_name_are_told_from_those_that_cannot(one: str, other: str, meet: bool) -> None:
    assert can_both_match(one, other) is can_both_match(other, one) is meet


@given(st.text("ab*?", max_size=8), st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_patterns_that_match_a_name_can_both_match(one: str, other: str, name: str) -> None:
    from fnmatch import fnmatchcase

    if fnmatchcase(name, one) and fnmatchcase(name, other):
        assert can_both_match(one, other)


def test_patterns_of_absurd_length_are_not_compared() -> None:
    assert not can_both_match("a?" * 5000, "?a" * 5000)


def test_patterns_of_absurd_length_with_stars_are_compared_by_their_ends() -> None:
    assert can_both_match("a*" * 5000, "*a" * 5000)
    assert not can_both_match("a*" * 5000 + "a", "*a" * 5000 + "b")


def test_uses_that_need_a_person_are_those_a_plan_never_replaces() -> None:
    from llamaexit.planning.decide import HUMAN_ONLY

    assert set(HUMAN_ONLY) == NEVER_AUTOMATIC


def test_a_thousand_rules_are_compared_in_reasonable_time(lint: Callable[..., Linted]) -> None:
    """Half a million pairs take a second or two; the point is that they do not take minutes."""
    import time

    text = "".join(rule(f"r{number}", match=f'"bot-{number}", "x{number}*"') for number in range(1000))
    started = time.perf_counter()
    assert lint(text, "order-decides", "shadowed-rule", "duplicate-rule").findings == ()
    assert time.perf_counter() - started < 60
