"""Write the pages under docs/reference that are made from the code: the commands and the schemas.

python tools/reference.py            rewrites them
python tools/reference.py --check    changes nothing, fails when one of them is out of date
"""

from __future__ import annotations

import difflib
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from llamaexit.cli.app import app
from llamaexit.report.schema import schema_of

PAGES = Path(__file__).resolve().parents[1] / "docs" / "reference"
DOCUMENTS = ("plan", "recipe", "snapshot")


def pages() -> dict[Path, str]:
    """Every generated file with what it should hold."""
    written = {PAGES / "commands.md": "\n".join(_commands())}
    for name in DOCUMENTS:
        written[PAGES / "schemas" / f"{name}.json"] = json.dumps(schema_of(name), indent=2) + "\n"
    return written


def _commands() -> Iterator[str]:
    """The command reference. The tree of commands is read rather than `--help`, whose look changes with Typer."""
    yield "# Commands"
    yield ""
    yield "<!-- Made by tools/reference.py: change the commands, then run `make reference`. -->"
    yield ""
    root = typer.main.get_command(app)
    yield from _command("llamaexit", root)


def _command(name: str, command: Any) -> Iterator[str]:
    children = getattr(command, "commands", {})
    parameters = [one for one in command.params if not getattr(one, "hidden", False)]
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    options = [one for one in parameters if one.param_type_name == "option"]
    if name != "llamaexit":
        yield f"## `{name}`"
        yield ""
    yield inspect.cleandoc(command.help or "")
    yield ""
    words = [name, *(_placeholder(one) for one in arguments)]
    yield "```text"
    yield " ".join([*words, "[OPTIONS]" if options else "", "COMMAND" if children else ""]).replace("  ", " ").rstrip()
    yield "```"
    yield ""
    yield from _table("argument", [(f"`{_label(one)}`", one) for one in arguments])
    yield from _table("option", [(_spelling(one), one) for one in options])
    for child in children.values():
        if not child.hidden:
            yield from _command(f"{name} {child.name}", child)


def _label(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _placeholder(argument: Any) -> str:
    word = _label(argument) + ("..." if argument.nargs == -1 else "")
    return word if argument.required else f"[{word}]"


def _spelling(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    return names if option.is_flag else f"{names} `{option.metavar or option.type.name.upper()}`"


def _table(heading: str, rows: list[tuple[str, Any]]) -> Iterator[str]:
    described = [(name, one) for name, one in rows if getattr(one, "help", None)]
    if not described:
        return
    yield f"| {heading} | meaning |"
    yield "|---|---|"
    for name, parameter in described:
        meaning = " ".join(parameter.help.split())
        if choices := getattr(parameter.type, "choices", None):
            meaning += " One of " + ", ".join(f"`{getattr(one, 'value', one)}`" for one in choices) + "."
        default = parameter.default
        if isinstance(default, int | float | str) and not isinstance(default, bool):
            meaning += f" Default: {default:g}." if isinstance(default, float) else f" Default: {default}."
        yield f"| {_cell(name)} | {_cell(meaning)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    stale = 0
    for path, text in pages().items():
        present = path.read_text("utf-8") if path.is_file() else ""
        if present == text:
            continue
        if arguments == ["--check"]:
            stale += 1
            lines = difflib.unified_diff(
                present.splitlines(), text.splitlines(), f"{path.name} (as committed)", "as it should be", lineterm=""
            )
            print("\n".join([*lines][:40]))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            print(f"wrote {path.relative_to(PAGES.parents[1])}")
    if stale:
        print("error: pages made from the code are out of date\n  next: make reference", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
