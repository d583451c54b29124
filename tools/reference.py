"""Write the pages under docs/reference that are made from the code: commands, lint rules, smoke tests, schemas.

python tools/reference.py            rewrites them
python tools/reference.py --check    changes nothing, fails when one of them is out of date
"""

from __future__ import annotations

import difflib
import enum
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer

from llamaexit.cli.app import app
from llamaexit.recipes.docstrings import field_texts
from llamaexit.recipes.lint.registry import all_rules
from llamaexit.report.schema import schema_of
from llamaexit.smoke.check import CHAT_USES, TEXT_USES, Check
from llamaexit.smoke.registry import CHECKS

PAGES = Path(__file__).resolve().parents[1] / "docs" / "reference"
DOCUMENTS: tuple[Literal["plan", "recipe", "snapshot"], ...] = ("plan", "recipe", "snapshot")


def pages() -> dict[Path, str]:
    """Every generated file with what it should hold."""
    written = {
        PAGES / "commands.md": "\n".join(_commands()),
        PAGES / "recipe-lint.md": "\n".join(_lint_rules()),
        PAGES / "recipes.md": _with_keys((PAGES / "recipes.md").read_text("utf-8")),
        PAGES / "smoke-tests.md": "\n".join(_smoke_tests()),
    }
    for name in DOCUMENTS:
        written[PAGES / "schemas" / f"{name}.json"] = json.dumps(schema_of(name), indent=2) + "\n"
    return written


def _smoke_tests() -> Iterator[str]:
    """The smoke tests, each in the words of its own module."""
    yield "# Smoke tests"
    yield ""
    yield "<!-- Made by tools/reference.py: change src/llamaexit/smoke/checks, then run `make reference`. -->"
    yield ""
    yield "What `llamaexit migrate --apply` and `llamaexit smoke` ask a model. The old model is asked first, with the"
    yield "same questions; only what it could do and the new one cannot stops a switch. Temperature is 0, the seed is"
    yield "fixed, thinking is off unless the check is about it, and the context is the planned one. Random words in the"
    yield "questions change with every run. `--suite full` adds what takes longer. A recipe can add"
    yield "[tests of its own](../how-to/own-smoke-tests.md)."
    yield ""
    yield "| check | a model that passes | suite | put to |"
    yield "|---|---|---|---|"
    for check in CHECKS:
        suite = "quick, full" if "quick" in check.suites else "full"
        yield f"| [`{check.id}`](#{check.id.replace('.', '-')}) | {_cell(check.title)} | {suite} | {_uses(check)} |"
    yield ""
    for check in CHECKS:
        yield f"({check.id.replace('.', '-')})="
        yield f"## `{check.id}`"
        yield ""
        yield inspect.cleandoc(sys.modules[check.run.__module__].__doc__ or "")
        if check.advisory:
            yield ""
            yield "Whatever it finds is told, and never stops a switch."
        yield ""


def _uses(check: Check) -> str:
    if check.uses >= TEXT_USES:
        return "all but embedding and guard models"
    if check.uses == CHAT_USES:
        return "all that chat"
    return ", ".join(sorted(check.uses))


_KEYS = re.compile(r"(?<=<!-- keys of )(\w+) -->\n.*?(?=<!-- end of keys -->)", re.DOTALL)
_SECTIONS = {
    "Recipe": {
        "deprecated": "deprecated", "policy": "policy", "rules": "rules", "models": "models", "origins": "origins",
        "closed": "closed", "examples": "examples", "licences": "licences", "sources": "sources",
    },
    "Rule": {"targets": "rulestargets", "smoke": "rulessmoke", "deprecated": "deprecated"},
    "SmokeCheck": {"expect": "rulessmokeexpect"},
    "Target": {"thinking": "thinking", "shape": "shape", "scores": "scores", "tags": "tags"},
    "Origin": {"shape": "shape", "scores": "scores", "tags": "tags"},
    "Example": {"host": "host", "models": "examplesmodels"},
    "ExampleModel": {"expect": "expect"},
}  # fmt: skip
"""Keys that have a section of their own on the page, and its anchor."""


def _with_keys(page: str) -> str:
    """The page about recipes, with the tables of keys that stand between its marks made anew."""

    def table(found: re.Match[str]) -> str:
        sections = _SECTIONS.get(found[1], {})
        rows = [f"| {_key(key, sections)} | {_cell(text)} |" for key, text in field_texts()[found[1]].items()]
        return "\n".join([f"{found[1]} -->", "", "| key | meaning |", "|---|---|", *rows, "", ""])

    return _KEYS.sub(table, page)


def _key(key: str, sections: dict[str, str]) -> str:
    return f"[`{key}`](#{sections[key]})" if key in sections else f"`{key}`"


_LINT = """\
# Lint rules for recipes

<!-- Made by tools/reference.py: change the docstrings of the rules, then run `make reference`. -->

`llamaexit recipe lint` says everything that is wrong with recipes, and what is probably not meant, in one go:

```console
$ llamaexit recipe lint team.toml
$ llamaexit recipe lint --strict --ignore no-examples
$ llamaexit recipe lint --format sarif > lint.sarif
```

Without a file it looks at the recipe of this folder and at those in your own. Each recipe is looked at with what it
extends, and apart from the others that are named. `--format` is `text`, `json`, `github` (annotations in GitHub
Actions) or `sarif` (code scanning). It exits with 1 when there is an error; with `--strict` a warning is enough. Where
a reference may not be followed (a source that is not allowed, a recipe that is not as it was locked), it says so beside
everything else and exits with 4.

`--select` and `--ignore` take ids of rules, and patterns such as `*-target`. A comment lets one finding pass, at the
end of its line or on the line above:

```toml
schema = 1
name = "team"

[[rules]]
id = "wizard"
use = "code"
match = ["wizardcoder:33b"]  # lint: allow unreachable-rule
targets = [{ model = "qwen3-coder:30b" }]
```
"""


def _lint_rules() -> Iterator[str]:
    """What each lint rule looks for, out of its docstring."""
    rules = all_rules().values()
    yield _LINT
    yield "| rule | severity | finds |"
    yield "|---|---|---|"
    for rule in rules:
        yield f"| [`{rule.id}`](#{rule.id}) | {rule.severity} | {_cell(rule.summary)}. |"
    for rule in rules:
        yield ""
        yield f"## `{rule.id}`"
        yield ""
        yield f"*{rule.severity.capitalize()}.* {rule.summary}."
        yield ""
        yield rule.more
    yield ""


@dataclass(frozen=True)
class Parameter:
    """One argument or option, as the function of a command declares it."""

    spelling: str
    meaning: str
    panel: str
    many: bool
    optional: bool
    is_option: bool


def _commands() -> Iterator[str]:
    """The command reference. It reads what we declared: both `--help` and Typer's objects change with its release."""
    yield "# Commands"
    yield ""
    yield "<!-- Made by tools/reference.py: change the commands, then run `make reference`. -->"
    yield ""
    yield from _section("llamaexit", str(app.info.help), _parameters(_callback(app)), "COMMAND")
    yield from _group("llamaexit", app)


def _group(prefix: str, group: typer.Typer) -> Iterator[str]:
    for command in group.registered_commands:
        function = command.callback
        assert function is not None
        name = f"{prefix} {command.name or function.__name__.removesuffix('_').replace('_', '-')}"
        yield f"## `{name}`"
        yield ""
        yield from _section(name, function.__doc__ or "", _parameters(function))
    for registered in group.registered_groups:
        assert registered.typer_instance is not None
        yield from _group(f"{prefix} {registered.name}", registered.typer_instance)


def _callback(group: typer.Typer) -> Callable[..., Any]:
    assert group.registered_callback is not None
    assert group.registered_callback.callback is not None
    return group.registered_callback.callback


def _section(name: str, text: str, parameters: list[Parameter], last: str = "") -> Iterator[str]:
    yield inspect.cleandoc(text)
    yield ""
    arguments = [one for one in parameters if not one.is_option]
    options = [one for one in parameters if one.is_option]
    words = [one.spelling + ("..." if one.many else "") for one in arguments]
    words = [f"[{word}]" if one.optional else word for word, one in zip(words, arguments, strict=True)]
    yield "```text"
    yield " ".join([name, *words, *(["[OPTIONS]"] if options else []), *([last] if last else [])])
    yield "```"
    yield ""
    yield from _table("argument", arguments)
    for panel in dict.fromkeys(one.panel for one in options):
        yield from _table(panel or "option", [one for one in options if one.panel == panel])


def _parameters(function: Callable[..., Any]) -> list[Parameter]:
    hints = get_type_hints(function, include_extras=True)
    return [_parameter(hints[name], one) for name, one in inspect.signature(function).parameters.items()]


def _parameter(hint: Any, declared: inspect.Parameter) -> Parameter:
    kind, info = get_args(hint)[:2]
    kinds = set(get_args(kind)) - {type(None)} or {kind}
    many = any(get_origin(one) is list for one in kinds)
    is_option = not isinstance(info, type(typer.Argument()))
    placeholder = info.metavar or declared.name.upper()
    if is_option:
        # Inside Annotated, Typer keeps the first spelling where a default would otherwise stand.
        names = [one for one in (info.default, *(info.param_decls or ())) if isinstance(one, str)]
        # one that can be said and denied is written --this/--no-this
        names = [part for name in names for part in name.split("/")] or ["--" + declared.name.replace("_", "-")]
        spelling = ", ".join(f"`{name}`" for name in names) + ("" if bool in kinds else f" `{placeholder}`")
    else:
        spelling = placeholder
    return Parameter(
        spelling, _meaning(info.help or "", kinds, declared.default), info.rich_help_panel or "", many,
        declared.default is not inspect.Parameter.empty, is_option,
    )  # fmt: skip


def _meaning(text: str, kinds: set[Any], default: Any) -> str:
    text = " ".join(text.split())
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            text += " One of " + ", ".join(f"`{member.value}`" for member in kind) + "."
    if isinstance(default, int | float | str) and not isinstance(default, bool):
        text += f" Default: {default}."
    return text


def _table(heading: str, rows: list[Parameter]) -> Iterator[str]:
    if not rows:
        return
    yield f"| {heading[:1].lower()}{heading[1:]} | meaning |"
    yield "|---|---|"
    for row in rows:
        spelling = row.spelling if row.is_option else f"`{row.spelling}`"
        yield f"| {_cell(spelling)} | {_cell(row.meaning)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def same(path: Path, present: str, wanted: str) -> bool:
    """Whether a page says what it should. Schemas may word it otherwise: releases of pydantic differ in that."""
    if present == wanted or path.suffix != ".json" or not present:
        return present == wanted
    return bool(_without_words(json.loads(present)) == _without_words(json.loads(wanted)))


def _without_words(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_words(one) for one in schema]
    if isinstance(schema, dict):
        return {
            key: _without_words(value)
            for key, value in schema.items()
            if not (key in ("title", "description") and isinstance(value, str))
        }
    return schema


def stale() -> Iterator[str]:
    """For each page that is out of date, what would change."""
    for path, wanted in pages().items():
        present = path.read_text("utf-8") if path.is_file() else ""
        if not same(path, present, wanted):
            lines = difflib.unified_diff(
                present.splitlines(), wanted.splitlines(), f"{path.name} as committed", f"{path.name} now", lineterm=""
            )
            yield "\n".join([*lines][:40])


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        changes = [*stale()]
        if changes:
            print(*changes, "error: pages made from the code are out of date", "  next: make reference", sep="\n")
        return 1 if changes else 0
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
