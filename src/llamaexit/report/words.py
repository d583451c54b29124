"""How figures and verdicts are worded, the same in text and in Markdown. No colours, no layout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from llamaexit.units import gb, gib

if TYPE_CHECKING:
    from llamaexit.memory.estimate import Basis, Estimate, Fit, Interval
    from llamaexit.planning.plan import Decision, Download, Figures, Plan, TargetChoice, Thinking, Totals, Version
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
    size, place = f"{ranged(new.true_size)} at {new.context} tokens", placed(new.unloaded)
    if not same_place(new.now, new.unloaded):
        place += " once the loaded models have left"
    if old is not None:
        size += f"; the old one takes {gib(old.true_size.expected)}"
        same = same_place(old.unloaded, new.unloaded)
        place += ", like the old one" if same else f"; the old one {placed(old.unloaded)}"
    if same_place(new.now, new.unloaded):
        return [size, place]
    return [size, place, f"right now, beside what is loaded: {placed(new.now)}"]


def same_place(one: Fit, other: Fit) -> bool:
    """Whether two verdicts come to the same for the user."""
    return one.placement == other.placement and abs(one.gpu_share - other.gpu_share) <= _SAME_SHARE


def reckoned(estimate: Estimate) -> str:
    """How an estimate came about: the weights, and whose choice the context was."""
    made = f"{BASIS[estimate.basis]}; context: {estimate.context_source}"
    shown, true = estimate.unloaded.ps.expected, estimate.true_size.expected
    if abs(shown - true) > _MISREPORT * max(true, 1):
        made += f"; `ollama ps` will show {gib(shown)}"
    return made


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
    if needed.needed is None:
        return f"{needed.present} here; no lowest version known" if needed.present else "no lowest version known"
    if needed.present is None:
        return f"{needed.needed} or later; the version here is not known"
    return f"{needed.needed} or later; {needed.present} here"


def thinking(facts: Thinking) -> str:
    """Whether the model reasons aloud before it answers, and what a client can do about it."""
    if facts.supported is None:
        return "not known"
    if not facts.supported:
        return "never"
    start = {True: "by default", False: "only when asked", None: "supported; its default is not known"}[facts.default]
    if facts.can_disable is False:
        return f"{start}, and it cannot be switched off"
    if facts.default and facts.can_disable:
        return f"{start}; {facts.how or 'clients can switch it off'}"
    return start


def figure(row: Figures) -> str:
    """Old and new value with the models they were measured on, which may be relatives of the two, and the source."""
    ahead = ", the old one is ahead" if row.favours == "old" else ""
    about = ", ".join(filter(None, (row.kind, row.source)))
    models = f"{row.old_model} → {row.new_model}"
    return f"{row.benchmark}: {row.old:g} → {row.new:g}{ahead} ({models}{f'; {about}' if about else ''})"


def figure_in_full(row: Figures) -> str:
    """A figure with the names of the models it was really measured on, and the note that goes with it."""
    about = "; ".join(filter(None, (row.setting, row.kind, row.source, row.note)))
    ahead = {"old": "the old one is ahead", "new": "", "tie": "a tie"}[row.favours]
    text = f"{row.benchmark}: {row.old_model} {row.old:g} → {row.new_model} {row.new:g}"
    return "; ".join(filter(None, (text, ahead))) + (f" ({about})" if about else "")


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


def totals(sums: Totals) -> list[str]:
    """Download, disk and time over all replacements."""
    about = "" if sums.exact else "about "
    lines = [f"{about}{gb(sums.download)} to download" if sums.download else "nothing to download"]
    if sums.seconds is not None and sums.bandwidth and sums.download:
        lines[0] += f", {duration(sums.seconds)} at {rate(sums.bandwidth)}"
    if sums.download:
        free = f"{gb(sums.disk_free)} free" if sums.disk_free is not None else "what is free is not known"
        lines.append(f"{about}{gb(sums.disk_peak)} more on disk while both are there; {free}")
    if sums.reclaimable:
        lines.append(f"{gb(sums.reclaimable)} can be had back later, once the old models are deleted")
    return lines


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
    return f"not verified: {listed(target.unverified)}"
