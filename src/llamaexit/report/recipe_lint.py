"""Findings of `recipe lint`: for people, for GitHub's annotations, and as SARIF 2.1.0 for code scanning."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from rich.text import Text

from llamaexit import __version__
from llamaexit.printable import in_one_line
from llamaexit.recipes.sources import BUILTIN, is_elsewhere
from llamaexit.report import words
from llamaexit.report.layout import INDENT, Page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from llamaexit.recipes.lint.registry import LintRule
    from llamaexit.recipes.lint.run import Finding, Linted
    from llamaexit.recipes.problems import Problem

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_SHOWN = 1000
"""Findings that are shown to people."""
_STYLES = {"error": "red", "warning": "yellow"}


def print_findings(linted: Linted, console: Console) -> None:
    """Every finding with its place, one below the other."""
    page = Page(console)
    for finding in linted.findings[:MOST_SHOWN]:
        problem = finding.problem
        head = Text(problem.place).append(": ").append(finding.severity, style=_STYLES[finding.severity])
        console.print(head.append(f" {finding.rule}", style="bold"), soft_wrap=True)
        page.line(problem.said, indent=INDENT)
    more = len(linted.findings) - MOST_SHOWN
    if more > 0:
        page.line(f"… and {more:,} more, which --format json, github and sarif all have.")
    if linted.findings and not linted.count("error"):
        page.line(summary(linted))
    elif not linted.findings:
        page.line(f"{words.counted(len(linted.files), 'recipe')}, nothing found.")


def summary(linted: Linted) -> str:
    """How much was found, in one line."""
    counts = [(linted.count("error"), "error"), (linted.count("warning"), "warning")]
    found = words.listed(words.counted(number, noun) for number, noun in counts if number)
    files = {finding.problem.file for finding in linted.findings}
    return f"{found} in {in_one_line(next(iter(files))) if len(files) == 1 else words.counted(len(files), 'file')}"


def lint_document(linted: Linted) -> dict[str, Any]:
    """What `recipe lint --json` answers."""
    return {
        "files": list(linted.files),
        "errors": linted.count("error"),
        "warnings": linted.count("warning"),
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity,
                "file": finding.problem.file,
                "line": finding.problem.line,
                "column": finding.problem.column,
                "key": finding.problem.key,
                "text": finding.problem.text,
            }
            for finding in linted.findings
        ],
    }


def github(linted: Linted) -> str:
    """Workflow commands, from which GitHub Actions makes annotations."""
    return "".join(f"{_annotation(finding)}\n" for finding in linted.findings)


def sarif(linted: Linted, rules: Iterable[LintRule], base: Path) -> dict[str, Any]:
    """A SARIF log. Files below `base` are named relative to it, as code scanning wants them."""
    known = list(rules)
    index = {rule.id: number for number, rule in enumerate(known)}
    driver = {
        "name": "llamaexit",
        "semanticVersion": __version__,
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": f"{rule.summary}."},
                "fullDescription": {"text": " ".join(f"{rule.summary}. {rule.more}".split())},
                "defaultConfiguration": {"level": rule.severity},
            }
            for rule in known
        ],
    }
    results = [
        {
            "ruleId": finding.rule,
            "ruleIndex": index[finding.rule],
            "level": finding.severity,
            "message": {"text": finding.problem.said},
            "locations": [{"physicalLocation": _location(finding.problem, base)}],
        }
        for finding in linted.findings
    ]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}


def _location(problem: Problem, base: Path) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(problem.file, base)}}
    if problem.line is not None:
        location["region"] = {"startLine": problem.line, "startColumn": problem.column or 1}
    return location


def _uri(file: str, base: Path) -> str:
    if file.startswith(BUILTIN) or is_elsewhere(file):
        return file
    path = (base / file).resolve()
    if path.is_relative_to(base.resolve()):
        return quote(path.relative_to(base.resolve()).as_posix())
    return path.as_uri()


def _annotation(finding: Finding) -> str:
    problem = finding.problem
    properties = {"file": in_one_line(problem.file), "line": problem.line, "col": problem.column, "title": finding.rule}
    written = ",".join(
        f"{name}={_escaped(str(value), ':,')}" for name, value in properties.items() if value is not None
    )
    return f"::{finding.severity} {written}::{_escaped(problem.said)}"


def _escaped(text: str, more: str = "") -> str:
    for sign in ("%", "\r", "\n", *more):
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text
