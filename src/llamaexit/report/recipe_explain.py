"""What recipes say about one model, for reading in a terminal: the winner, the losers, and where each stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from llamaexit.jsonable import jsonable
from llamaexit.planning.decide import MERELY_LOWER
from llamaexit.report import words
from llamaexit.report.layout import INDENT, Page

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.planning.explain import Applied, Candidate, Explanation, PolicyKey
    from llamaexit.recipes.library import LoadedRecipe, Overruled

_FOUND = {"user": "in your folder", "project": "the recipe of this folder", "command-line": "named with --recipe"}
_STYLES = {"chosen": "green", "earlier": "dim", "open": "", "ranked-lower": ""}
_UNJUDGED = ("earlier", "open")


def print_recipe_explanation(found: Explanation, console: Console) -> None:
    """Print what recipes say about a model, the strongest first."""
    page = Page(console)
    if found.asked is not None:
        _asked(page, found)
        return
    _outcome(page, found)
    page.blank()
    page.line(_heading(found), "bold")
    for number, applied in enumerate(found.rules, start=1):
        _rule(page, number, applied, found.policy)
    if found.overruled:
        page.blank()
        page.line("Overruled", "bold")
        for lost in found.overruled:
            _lost(page, lost)
    page.blank()
    _policy(page, found.policy)
    page.blank()
    _recipes(page, found.recipes)


def _asked(page: Page, found: Explanation) -> None:
    asked = found.asked
    assert asked is not None
    page.line(f"{asked.name} is {asked.what}", "bold")
    page.row("Why not", asked.why)
    page.row("Nearest", ", ".join(asked.nearest) or "nothing")


def _outcome(page: Page, found: Explanation) -> None:
    decision = found.decision
    assert decision is not None
    target = decision.target
    head = f"{found.model} → {target.model}" if target is not None else f"{found.model}: {decision.action}"
    page.line(head, "bold")
    if found.assumed:
        page.row("Lineage", "nobody knows whether it is Llama; this is what holds if it is", "yellow")
        page.row("Help", f"did you mean {found.near}?" if found.near else ())
    page.row("Use", f"{', '.join(decision.use.uses)} ({decision.use.text})")
    if target is None:
        page.row("Why", decision.reason)
        page.row("Help", decision.hint or ())
    else:
        place = next(applied.bound for applied in found.rules if applied.bound.key == target.rule)
        page.row("Rule", f"{target.rule}, {place.file}:{place.line}")
        page.row("Why this", target.why or ())
        page.row("Left out", "memory, disk and the version of Ollama, which llamaexit plan --explain reckons with")


def _heading(found: Explanation) -> str:
    if not found.rules:
        return "No rule is about it."
    counted = words.counted(len(found.rules), "rule")
    if found.decision is not None and found.decision.action == "keep":
        return f"{counted} would be about it if it were Llama, the strongest first"
    return f"{counted}, the strongest first"


def _rule(page: Page, number: int, applied: Applied, policy: tuple[PolicyKey, ...]) -> None:
    bound = applied.bound
    title = Text(f"{number:2}  ").append(bound.key, style="bold").append(f"  {bound.file}:{bound.line}", style="dim")
    page.line(title, indent=INDENT, hang=4)
    own = bound.key.startswith(f"{bound.recipe}/")
    page.line(applied.how if own else f"{applied.how}; of {bound.recipe}", indent=INDENT + 4)
    if not bound.rule.automatic:
        page.line(f"a person decides: {bound.rule.decide}", "yellow", indent=INDENT + 4)
    if bound.rule.deprecated is not None:
        page.line(bound.rule.deprecated.in_words(), "yellow", indent=INDENT + 4)
    if all(candidate.because in _UNJUDGED for candidate in applied.candidates):
        names = ", ".join(candidate.model for candidate in applied.candidates)
        page.line(f"targets: {names}" if names else "no targets", indent=INDENT + 4, hang=2)
        return
    for candidate in applied.candidates:
        page.line(_candidate(candidate, policy), indent=INDENT + 4, hang=2)


def _candidate(candidate: Candidate, policy: tuple[PolicyKey, ...]) -> Text:
    verdict = candidate.because.replace("-", " ")
    text = Text("- ", style="dim").append(candidate.model).append("  ")
    text.append(verdict, style=_STYLES.get(candidate.because, "yellow"))
    if candidate.because in _UNJUDGED or candidate.text == MERELY_LOWER:
        return text
    text.append(f": {candidate.text}" if candidate.text else "")
    place = next((_place(one.file, one.line) for one in policy if one.key == candidate.policy), "")
    return text.append(f" ({place})" if place else "")


def _lost(page: Page, lost: Overruled) -> None:
    bound = lost.bound
    title = Text(bound.key).append(f"  {bound.file}:{bound.line}", style="dim")
    page.line(title, indent=INDENT, hang=4)
    page.line(f"{lost.how} by {lost.recipe}, {_place(lost.file, lost.line)}", "yellow", indent=INDENT + 4)


def _policy(page: Page, policy: tuple[PolicyKey, ...]) -> None:
    if not policy:
        page.row("Policy", "none: everything the rules propose is allowed", indent=0)
        return
    page.line("Policy", "bold")
    for one in policy:
        page.line(Text(one.words).append(f"  {_place(one.file, one.line)}", style="dim"), indent=INDENT, hang=4)
        if one.cuts:
            page.line(f"cuts {', '.join(one.cuts)}", "yellow", indent=INDENT + 4)
        if one.passes:
            page.line(f"lets pass {', '.join(one.passes)}", "green", indent=INDENT + 4)


def _recipes(page: Page, recipes: tuple[LoadedRecipe, ...]) -> None:
    page.line("Recipes, the strongest first", "bold")
    for recipe in recipes:
        page.line(Text(recipe.name).append(f"  {recipe.file}", style="dim"), indent=INDENT, hang=4)
        page.line(_descent(recipe, recipes), indent=INDENT + 4)
    page.line("the built-in ones, below everything", indent=INDENT)


def _descent(recipe: LoadedRecipe, recipes: tuple[LoadedRecipe, ...]) -> str:
    above = [other.name for other in recipes if recipe.name in other.extends]
    parts = [_FOUND[recipe.named]] if recipe.named else []
    parts += [f"extended by {words.listed(above)}"] if above else []
    parts += [f"extends {words.listed(recipe.extends)}"] if recipe.extends else []
    return "; ".join(parts)


def _place(file: str, line: int | None) -> str:
    return f"{file}:{line}" if line is not None else file


def explanation_document(found: Explanation) -> dict[str, Any]:
    """What `recipe explain --json` answers."""
    decision = found.decision
    return {
        "model": found.model,
        "action": decision.action if decision is not None else "closed",
        "reason": decision.reason if decision is not None else found.asked.why if found.asked is not None else "",
        "uses": list(decision.use.uses) if decision is not None else [],
        "uses_from": decision.use.source if decision is not None else None,
        "target": decision.target.model if decision is not None and decision.target is not None else None,
        "did_you_mean": found.near,
        "nearest": list(found.asked.nearest) if found.asked is not None else [],
        "rules": [
            {
                "key": one.bound.key,
                "recipe": one.bound.recipe,
                "file": one.bound.file,
                "line": one.bound.line,
                "how": one.how,
                "candidates": jsonable(one.candidates),
            }
            for one in found.rules
        ],
        "overruled": [
            {
                "key": one.bound.key,
                "recipe": one.bound.recipe,
                "file": one.bound.file,
                "line": one.bound.line,
                "how": one.how,
                "by": {"recipe": one.recipe, "file": one.file, "line": one.line},
            }
            for one in found.overruled
        ],
        "policy": jsonable(found.policy),
        "recipes": [
            {"name": one.name, "file": one.file, "named": one.named, "extends": list(one.extends)}
            for one in found.recipes
        ],
    }
