"""Everything about one decision: the evidence, every candidate with its rule and its file, and the arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from llamaexit.report import words
from llamaexit.report.layout import INDENT, Page
from llamaexit.report.plan import print_basis, print_decision
from llamaexit.units import gb, gib

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.memory.estimate import Estimate, Family
    from llamaexit.planning.plan import Decision, Plan, Rejected, SourceFacts

_CHOSEN = "chosen"
_LOWER = "ranked-lower"
_FAMILIES: dict[Family, str] = {
    "server": "llama-server of Ollama 0.30 and later",
    "engine": "Ollama's own engine",
    "runner": "the llama.cpp runner of older Ollama",
}


def print_explanation(plan: Plan, decision: Decision, console: Console, *, places: Mapping[str, str]) -> None:
    """Print one decision of a plan in full. `places` says for each rule in which recipe and file it stands."""
    page = Page(console)
    print_basis(page, plan.basis)
    page.blank()
    print_decision(page, decision, verbose=True, more_follows=True)
    page.blank()
    _source(page, decision.source)
    if decision.target is not None and decision.target.fit is not None:
        page.blank()
        _arithmetic(page, decision.target.fit)
    page.blank()
    _candidates(page, decision, places)
    page.blank()
    for note in words.other_use([decision]):
        page.row("Note", note, indent=0)
        page.blank()
    page.line("Nothing has been changed.")


def _source(page: Page, source: SourceFacts) -> None:
    page.line(f"What is known about {source.model}", "bold")
    page.row("Lineage", f"{source.lineage.verdict}" + (f": {source.lineage.base}" if source.lineage.base else ""))
    page.items("Evidence", [f"{item.text} ({item.rule}, {item.strength})" for item in source.lineage.evidence])
    page.row("Digest", source.digest or "not installed here")
    size = gb(source.size) if source.size else "not known"
    if source.exclusive is not None:
        shared = "; other models share the rest" if source.exclusive < source.size else ""
        size += f", of which deleting it alone would free {gb(source.exclusive)}{shared}"
    page.row("Size", size)
    page.row("Build", ", ".join(filter(None, (source.parameter_size, source.quantization))) or "not known")
    page.row("Context", f"{source.context} tokens" if source.context else "not known")
    known = source.capabilities
    page.row("Can do", "not known" if known is None else ", ".join(known) or "nothing listed")
    page.row("Built from", source.parent or ())
    page.row("Licence", source.licence)
    if source.fit is not None:
        page.row("Memory", words.ranged(source.fit.true_size))
        page.row("", [words.placed(source.fit.unloaded), *words.reckoned(source.fit)])


def _arithmetic(page: Page, estimate: Estimate) -> None:
    page.line(f"How the memory of {estimate.model} adds up", "bold")
    fit = estimate.unloaded
    rows: list[list[str | Text]] = [[part.name, part.where, gib(part.size, 2), part.basis] for part in fit.parts]
    rows.append([Text("ollama ps will show"), "", gib(fit.ps.expected, 2), ""])
    page.table(("PART", "WHERE", "SIZE", "FROM"), rows, right=(2,), wrap=(3,), indent=2)
    for device in fit.devices:
        total = f" of {gib(device.total)}" if device.total is not None else ""
        free = f", {gib(device.free)} free now" if device.free is not None else ""
        page.row(device.device, f"loses {gib(device.size)}{total}{free}")
    page.row("Host", f"loses {gib(fit.host)}" if fit.host else ())
    asked = words.counted(estimate.parallel, "request")
    page.row("Reckoned", f"as {_FAMILIES[estimate.family]} loads it, KV cache {estimate.kv_type}, {asked} at a time")


def _candidates(page: Page, decision: Decision, places: Mapping[str, str]) -> None:
    """Every candidate in the order of the rules; those that nothing speaks against but their rank in one list."""
    target = decision.target
    judged: list[tuple[int, str, str, str, str]] = [
        (r.rank, r.model, r.because, r.text, r.rule) for r in decision.rejected if r.because != _LOWER
    ]
    lower = [r for r in decision.rejected if r.because == _LOWER]
    if target is not None:
        # the rank of the winner is the one that no other candidate has
        taken = {r.rank for r in decision.rejected}
        rank = next(number for number in range(len(taken) + 1) if number not in taken)
        judged.append((rank, target.model, _CHOSEN, target.why, target.rule))
    if not judged and not lower:
        page.line("No candidates were judged.", "bold")
        return
    page.line(f"{words.counted(len(judged) + len(lower), 'candidate')}, in the order of the rules", "bold")
    for number, (_, model, because, text, rule) in enumerate(sorted(judged), start=1):
        verdict = Text(because, style="green" if because == _CHOSEN else "yellow")
        page.line(Text(f"{number:2}  {model}  ").append(verdict), indent=INDENT, hang=4)
        page.line(text, indent=INDENT + 4)
        page.line(_stands(rule, places), "dim", indent=INDENT + 4)
    for text, models in _by_text(lower).items():
        page.line(Text("Ranked lower: ", style="yellow").append(", ".join(models)), indent=INDENT, hang=4)
        page.line(text, indent=INDENT + 4)


def _by_text(rejected: Sequence[Rejected]) -> dict[str, list[str]]:
    """Models by what is said about them, in the order of their ranks."""
    found: dict[str, list[str]] = {}
    for one in sorted(rejected, key=lambda r: r.rank):
        found.setdefault(one.text, []).append(one.model)
    return found


def _stands(rule: str, places: Mapping[str, str]) -> str:
    place = places.get(rule, "")
    return f"rule {rule}{f', {place}' if place else ''}" if rule else "no rule"
