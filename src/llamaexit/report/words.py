"""How figures and verdicts are worded, the same in text and in Markdown. No colours, no layout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from llamaexit.units import GIB, gb, gib

if TYPE_CHECKING:
    from llamaexit.memory.estimate import Basis, Estimate, Fit, Interval
    from llamaexit.planning.plan import (
        Decision,
        Download,
        LicenceChange,
        Plan,
        TargetChoice,
        Thinking,
        Totals,
        Version,
    )
    from llamaexit.snapshot import Lineage

BASIS: dict[Basis, str] = {
    "tensors": "from its tensor table",
    "manifest": "from the exact bytes of its manifest",
    "catalogue": "from a rounded catalogue size",
    "label": "from the quantization label alone",
    "measured": "measured",
}
"""How an estimate of the weights was made."""

_SAME_SHARE = 0.005
_MISREPORT = 0.03
_VAGUE = 0.2
"""Width of a range, as a share of what is expected, from which on the figure alone would mislead."""


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """`1 model`, `3 models`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    items = list(words)
    return f" {last} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def percent(share: float) -> str:
    """A share of 0 to 1 in whole per cent; what is not all of it never reads 100%, what is not nothing never 0%."""
    whole = round(share * 100)
    if whole == 100 and share < 1 - _SAME_SHARE / 100:
        whole = 99
    if whole == 0 and share > 0:
        whole = 1
    return f"{whole}%"


def placed(fit: Fit) -> str:
    """Where a model ends up."""
    match fit.placement:
        case "gpu":
            return "all on the GPU" if len(_gpus(fit)) < 2 else f"spread over {len(_gpus(fit))} GPUs"
        case "partial":
            return f"{fit.layers_on_gpu} of {fit.layers} layers on the GPU ({percent(fit.gpu_share)})"
        case "experts-in-ram":
            return f"experts in RAM, {percent(fit.gpu_share)} on the GPU"
        case "cpu":
            return "on the CPU"
        case "none":
            return f"does not fit: {fit.why}"


def _gpus(fit: Fit) -> list[str]:
    return [use.device for use in fit.devices if use.size > 0 and use.device not in ("cpu", "host")]


def ranged(size: Interval) -> str:
    """`6.3 GiB (6.1 to 6.6)`; without the range where it does not show at this precision."""
    low, high = gib(size.low), gib(size.high)
    if low == high:
        return gib(size.expected)
    short = low.removesuffix(" GiB") if high.endswith(" GiB") else low
    return f"{gib(size.expected)} ({short} to {high.removesuffix(' GiB') if low.endswith(' GiB') else high})"


def memory(new: Estimate, old: Estimate | None) -> list[str]:
    """What the new model takes and where it goes, against the old one; one entry per line."""
    size, place = ranged(new.true_size), placed(new.unloaded)
    if not same_place(new.now, new.unloaded):
        place += " once the loaded models have left"
    if old is not None and old.unloaded.placement != "none":
        size += f", {_compared(new, old)}"
        same = same_place(old.unloaded, new.unloaded)
        place += ", like the old model" if same else f"; the old model: {placed(old.unloaded)}"
    if same_place(new.now, new.unloaded) or new.now.placement == "none":
        return [size, place]
    return [size, place, f"right now, beside what is loaded: {placed(new.now)}"]


def _compared(new: Estimate, old: Estimate) -> str:
    """More or less memory than the old model takes; its own range where that is wide, its context if another."""
    size = old.true_size
    vague = size.high - size.low > _VAGUE * size.expected
    before = ranged(size).replace(" (", ", may be ").removesuffix(")") if vague else gib(size.expected)
    if old.context != new.context:
        before += f" with {old.context} tokens"
    difference = _as_shown(new.true_size.expected) - _as_shown(size.expected)
    if gib(new.true_size.expected) == gib(size.expected):
        return f"as much as the old model ({before})" if vague else "as much as the old model"
    which = "more" if difference > 0 else "less"
    in_doubt = vague and size.low <= new.true_size.high and new.true_size.low <= size.high
    return f"{'perhaps' if in_doubt else gib(abs(difference))} {which} than the old model ({before})"


def _as_shown(size: int) -> int:
    """Bytes of the figure that `gib` prints, so that printed figures add up."""
    return round(round(size / GIB, 1) * GIB) if size >= GIB // 10 else size


def old_and_new(old: Estimate | None, new: Estimate | None) -> str:
    """Memory before and after, in one cell of a table: `5.5 → 3.6 GiB`."""
    if new is None:
        return "not known"
    after = gib(new.true_size.expected)
    if old is None or old.unloaded.placement == "none":
        return after
    before, unit = gib(old.true_size.expected), after.rpartition(" ")[2]
    return f"{before.removesuffix(f' {unit}')} → {after}"


def to_fetch(target: TargetChoice) -> str:
    """The download in one cell of a table."""
    if target.installed:
        return "none"
    return gb(target.download.missing) if target.download.size else "not known"


def same_place(one: Fit, other: Fit) -> bool:
    """Whether two verdicts come to the same for the user."""
    return one.placement == other.placement and abs(one.gpu_share - other.gpu_share) <= _SAME_SHARE


def reckoned(estimate: Estimate) -> list[str]:
    """How an estimate came about: whose choice the context was, how the size is known, and what else to know."""
    context = f"context of {estimate.context} tokens for prompt and answer, {_whose(estimate.context_source)}"
    lines = [f"{context}; size {BASIS[estimate.basis]}"]
    shown, true = estimate.unloaded.ps.expected, estimate.true_size.expected
    if abs(shown - true) > _MISREPORT * max(true, 1):
        lines.append(f"`ollama ps` will show {gib(shown)}: Ollama's own figure leaves out part of the cache")
    return lines + [note for note in estimate.notes if not note.startswith(_SAID_ABOVE)]


_SAID_ABOVE = ("`ollama ps`", "no GPU takes part")
"""Notes of an estimate that the placement and the line about `ollama ps` say already."""


def _whose(source: str) -> str:
    """Whose choice a context was, after a comma."""
    settings = ("OLLAMA_CONTEXT_LENGTH", "num_ctx")
    return f"set by {source}" if source.startswith(settings) else source


def download(item: Download, installed: bool) -> str:
    """What a pull will fetch, and how we know."""
    if installed or item.missing == 0 < item.have:
        return "nothing, it is installed here"
    if item.size == 0:
        return "size not known"
    text = f"{'' if item.exact else 'about '}{gb(item.missing)}"
    if item.have:
        text += f", {gb(item.have)} of {gb(item.size)} are here already"
    return f"{text} ({item.source})" if item.source else text


def version(needed: Version) -> str:
    """The Ollama version a target needs, against the one that is there."""
    here = f"{needed.present} is here" if needed.present else "the version here is not known"
    if needed.needed is None:
        return f"no lowest version known; {here}"
    return f"{needed.needed} or later; {here}"


def thinking(facts: Thinking, *, brief: bool = False) -> str:
    """Whether the model reasons before it answers, and what a client can do about it; `brief` leaves out how."""
    if facts.supported is None:
        return "not known"
    if not facts.supported:
        return "never"
    start = {True: "by default", False: "only when asked", None: "supported; its default is not known"}[facts.default]
    if facts.can_disable is False:
        return f"{start}, and it cannot be switched off"
    if facts.default and facts.can_disable:
        return f"{start}; {facts.how if facts.how and not brief else 'clients can switch it off'}"
    return start


def licence(change: LicenceChange) -> str:
    """Old and new licence in one line."""
    return change.short or change.text


def lineage(facts: Lineage) -> str:
    """The strongest reason for the verdict."""
    return facts.evidence[0].text if facts.evidence else "no evidence"


def duration(seconds: int) -> str:
    """`45 s`, `7 min`, `2 h 5 min`."""
    if seconds < 90:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def rate(per_second: int) -> str:
    """Bytes a second as networks are sold: `100 Mbit/s`."""
    bits = per_second * 8
    for factor, unit in ((10**9, "Gbit/s"), (10**6, "Mbit/s"), (10**3, "kbit/s")):
        if bits >= factor:
            return f"{bits / factor:.3g} {unit}"
    return f"{bits} bit/s"


def totals(sums: Totals, *, beside: bool = True) -> list[str]:
    """Download, disk and time over all replacements. `beside`: old models are on the disk as well."""
    about = "" if sums.exact else "about "
    if not sums.download:
        lines = ["nothing to download"]
    else:
        lines = [f"{about}{gb(sums.download)} to download"]
        if sums.seconds is not None and sums.bandwidth:
            lines[0] += f", {duration(sums.seconds)} at {rate(sums.bandwidth)}"
        more = "as much" if sums.disk_peak == sums.download else f"{about}{gb(sums.disk_peak)}"
        free = f"{gb(sums.disk_free)} free" if sums.disk_free is not None else "what is free is not known"
        lines.append(f"{more} on disk{', beside the old models' if beside else ''}; {free}")
    if sums.reclaimable:
        lines.append(f"{gb(sums.reclaimable)} can be had back later, once the old models are deleted")
    return lines


def old_are_here(plan: Plan) -> bool:
    """Whether anything that is to be replaced is installed, so that old and new will be on the disk together."""
    return any(d.action == "replace" and d.source.installed for d in plan.decisions)


def headline(plan: Plan) -> str:
    """The outcome in one sentence."""
    total = len(plan.decisions)
    if total == 0:
        return "No Llama models here: nothing to do." if not plan.asked else "Nothing to plan."
    counts = {action: sum(d.action == action for d in plan.decisions) for action in ("replace", "blocked", "keep")}
    words = {"replace": "to replace", "blocked": "blocked", "keep": "to keep"}
    parts = [f"{counts[action]} {words[action]}" for action in counts if counts[action]]
    return f"{counted(total, 'model')}: {', '.join(parts)}."


def better_ranked(decision: Decision) -> list[tuple[str, str]]:
    """Candidates the rules prefer to the chosen one, and why each was passed over."""
    return [(r.model, r.text) for r in decision.rejected if r.because != "ranked-lower"]


def unconfirmed(target: TargetChoice) -> str:
    """What about a target nobody has verified yet."""
    return f"not verified: {listed(_GROUPS.get(group, group) for group in target.unverified)}"


_GROUPS = {
    "params": "number of parameters", "min_version": "lowest Ollama version", "sampling": "sampling settings",
    "fim": "fill in the middle", "release_date": "date of release",
}  # fmt: skip
"""Groups of facts whose name in a recipe is no word for people."""


def other_use(decisions: Iterable[Decision]) -> tuple[str, ...]:
    """What to do where a model serves something else than it is planned for; nothing where every use was stated."""
    taken = [d.source.model for d in decisions if d.target is not None and d.use.source in ("catalogue", "assumed")]
    if not taken:
        return ()
    which, name = (taken[0], taken[0]) if len(taken) == 1 else ("a model", "MODEL")
    return (f"if {which} serves something else here, say --use {name}=USE",)


PRESSING = frozenset({"BROKEN", "ALREADY_BROKEN", "SET_CONTEXT"})
"""Caveats that are told before anything else."""


def pressing(decision: Decision) -> list[str]:
    """What cannot wait: the old model does not load here, or the new one does not start as things are."""
    old, target = decision.source.fit, decision.target
    lines: list[str] = []
    if decision.action == "keep":
        return lines
    unloadable = old is not None and old.unloaded.placement == "none"
    if old is not None and unloadable:
        memory = old.unloaded.why.startswith("needs")  # else no Ollama of this version loads it, whatever the context
        lines.append(
            f"The old model does not load here{f' with {old.context} tokens' if memory else ''}: {old.unloaded.why}."
        )
    if target is None:
        return lines
    for caveat in (*target.caveats, *decision.caveats):
        if caveat.code in PRESSING and not (unloadable and caveat.code == "ALREADY_BROKEN"):
            lines.append(caveat.text)
    new = target.fit
    if new is not None and new.now.placement == "none" != new.unloaded.placement:
        lines.append(f"{target.model} does not start right now, beside what is loaded: {new.now.why}.")
    if target.version.enough is False:
        lines.append(f"{target.model} needs Ollama {target.version.needed} or later; {target.version.present} is here.")
    if not decision.automatic and decision.action == "replace":
        lines.append("Not automatic: a person has to confirm this one.")
    return lines


def still_open(decision: Decision) -> tuple[str, ...]:
    """Targets a person may choose from, unless the next step names them already."""
    said = decision.hint or ""
    return () if all(name in said for name in decision.proposals) else decision.proposals
