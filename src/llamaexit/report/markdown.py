"""A plan in Markdown, for an issue or a chat: a table for the outcome, a list for each model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from llamaexit.report import figures, words

if TYPE_CHECKING:
    from llamaexit.planning.plan import Asked, Decision, Plan, TargetChoice

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")


def plan_markdown(plan: Plan) -> str:
    """The plan as Markdown text that ends in a newline."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield "## Off Llama: the plan"
    yield ""
    yield words.headline(plan)
    yield ""
    yield from _bullets(
        ("Machine", plan.basis.machine),
        ("Ollama", plan.basis.ollama.removeprefix("Ollama ")),
        ("Recipes", ", ".join(plan.basis.recipes)),
        ("Facts checked", plan.basis.facts_checked or ""),
        ("Policy", "; ".join(plan.basis.policy)),
        ("As stated, not measured", "; ".join(plan.basis.overrides)),
    )
    if plan.decisions:
        yield ""
        yield "| Model | Use | Becomes | Memory | On GPU | Download | Licence |"
        yield "|---|---|---|---:|---:|---:|---|"
        yield from (_table_row(decision) for decision in plan.decisions)
    for decision in plan.decisions:
        yield ""
        yield from _decision(decision)
    for asked in plan.asked:
        yield ""
        yield from _asked(asked)
    if plan.pending:
        yield ""
        yield "### Total"
        yield ""
        yield from (f"- {_plain(line)}" for line in words.totals(plan.totals, beside=words.old_are_here(plan)))
    remarks = [*plan.warnings, *plan.notes, *words.other_use(plan.decisions)]
    if remarks:
        yield ""
        yield from (f"> {_plain(remark)}" for remark in remarks)
    yield ""
    yield f"Plan `{plan.plan_id[:12]}`. Nothing has been changed."


def _table_row(decision: Decision) -> str:
    source, target = decision.source, decision.target
    if target is None:
        cells = [
            _code(source.model),
            ", ".join(decision.use.uses),
            {"keep": "kept"}.get(decision.action, decision.action),
        ]
        return f"| {' | '.join(cells)} | | | | |"
    new = target.fit
    cells = [
        _code(source.model),
        ", ".join(decision.use.uses),
        _code(target.model),
        words.old_and_new(source.fit, new),
        words.percent(new.unloaded.gpu_share) if new is not None else "",
        words.to_fetch(target),
        f"{_plain(target.licence.old)} → {_plain(target.licence.new)}",
    ]
    return f"| {' | '.join(cells)} |"


def _decision(decision: Decision) -> Iterator[str]:
    source, target = decision.source, decision.target
    outcome = (
        f" → {_code(target.model)}" if target is not None else f": {'kept' if decision.action == 'keep' else 'blocked'}"
    )
    yield f"### {_code(source.model)}{outcome}"
    yield ""
    for line in words.pressing(decision):
        yield f"> {_plain(line)}"
        yield ""
    if target is None:
        yield from _bullets(
            ("Why", decision.reason),
            ("Next step", decision.hint or ""),
            ("Could be", ", ".join(words.still_open(decision))),
        )
    else:
        yield from _bullets(
            ("Why it is Llama", words.lineage(source.lineage)),
            ("Use", f"{', '.join(decision.use.uses)} ({decision.use.text})"),
            ("Why this one", decision.reason),
            *_reckoned(decision, target),
            ("Download", words.download(target.download, target.installed)),
            ("Licence", words.licence(target.licence)),
            ("Ollama", words.version(target.version)),
            ("Thinks", words.thinking(target.thinking)),
        )
        changes = (c.text for c in (*target.caveats, *decision.caveats) if c.code not in words.PRESSING)
        yield from _sublist("What changes", changes)
        rows = [*target.evidence, *(row for row in target.counter_evidence if row not in target.evidence)]
        yield from _sublist("Figures", (figures.in_full(row, target.model) for row in rows))
        if target.unverified:
            yield from _bullets(("Unsure", words.unconfirmed(target)))
    yield from _sublist("Passed over", (f"{model}: {why}" for model, why in words.better_ranked(decision)))
    yield from _sublist("What happens", decision.happens)
    yield from _bullets(("Built on it", ", ".join(decision.derived)))


def _reckoned(decision: Decision, target: TargetChoice) -> list[tuple[str, str]]:
    if target.fit is None:
        return [("Memory", "cannot be reckoned: nothing is known about its size")]
    lines = [*words.memory(target.fit, decision.source.fit), *words.reckoned(target.fit)]
    return [("Memory", "; ".join(lines))]


def _asked(asked: Asked) -> Iterator[str]:
    yield f"### {_code(asked.name)}: cannot run here"
    yield ""
    yield from _bullets(
        ("What it is", asked.what),
        ("Why not", asked.why),
        ("Nearest", ", ".join(asked.nearest) or "nothing that loads on this machine"),
        ("Too large", ", ".join(asked.too_large)),
    )


def _bullets(*pairs: tuple[str, str]) -> Iterator[str]:
    yield from (f"- **{label}:** {_plain(text)}" for label, text in pairs if text)


def _sublist(label: str, items: Iterable[str]) -> Iterator[str]:
    several = list(items)
    if len(several) == 1:
        yield from _bullets((label, several[0]))
    elif several:
        yield f"- **{label}:**"
        yield from (f"  - {_plain(item)}" for item in several)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _code(name: str) -> str:
    """A name in backticks; the few names that hold one, or a bar, are escaped instead."""
    return _plain(name) if "`" in name or "|" in name else f"`{' '.join(name.split())}`"
