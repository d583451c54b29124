"""From findings to a verdict: the strongest decides, the rest is kept, contradictions are said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from llamaexit.lineage import words
from llamaexit.lineage.catalogue import Build, catalogue_of, shortened
from llamaexit.lineage.finding import Finding, fit, weaker
from llamaexit.lineage.header import architecture_of, header_findings
from llamaexit.lineage.kin import Kin, billions, plausible
from llamaexit.lineage.relatives import Ancestor, Relatives, name_key, parsed
from llamaexit.lineage.traits import trait_findings
from llamaexit.snapshot import Evidence, InstalledModel, Lineage, Verdict

if TYPE_CHECKING:
    from llamaexit.lineage.records import Records

_INDEPENDENT = {"shape": "shape", "tokenizer": "tokens", "template": "tokens", "local-name": "name"}
"""Supports that do not follow from one another: a tokenizer brings its chat tokens along."""
_UNDECIDED = (9, True, 0)
"""Sort key behind every finding."""
_CALLED = {
    "manifest-digest": "the manifest digest",
    "weights-digest": "the digest of the weights",
    "architecture": "the architecture",
    "shape": "the shape",
    "same-weights": "a model with the same weights",
    "base-model": "the base model in the file",
    "licence-key": "the licence in the file",
    "basename": "the name in the file",
    "parent": "the model it was built from",
    "family": "the family",
    "name-tag": "the name",
    "library-name": "the name",
    "published-name": "the name",
    "local-name": "the name",
    "licence-text": "the licence",
}


def assess(model: InstalledModel, library: Records, models: Mapping[str, InstalledModel]) -> Lineage:
    """The lineage of one model. `models` are the installed ones, for parents and shared weights; keys do not matter.

    For many models `assess_all` is quicker: it indexes the installed ones once.
    """
    key = name_key(model.name)
    others = [other for other in models.values() if name_key(other.name) != key]
    return _Assessor(library, (model, *others)).lineage(model)


def assess_all(models: Iterable[InstalledModel], library: Records) -> tuple[InstalledModel, ...]:
    """The same models, each with its lineage."""
    assessor = _Assessor(library, models)
    return tuple(replace(model, lineage=assessor.lineage(model)) for model in assessor.relatives.models)


def with_answer(lineage: Lineage, verdict: Verdict) -> Lineage:
    """The lineage after a person has said what it is. What was found stays as evidence."""
    said = {"meta": "is Llama", "not-meta": "is not Llama", "unknown": "is open"}[verdict]
    evidence = [Evidence("stated", verdict, "proof", f"you said that it {said}")]
    evidence += [one for one in lineage.evidence if one.rule not in ("stated", "question")]
    if lineage.verdict not in ("unknown", verdict):
        found = next((one.text for one in lineage.evidence if one.verdict == lineage.verdict), "")
        evidence.insert(
            1, Evidence("contradiction", verdict, "support", f"what you said is against what was found: {found}")
        )
    if verdict == "not-meta":
        return Lineage(verdict, tuple(evidence))
    return replace(lineage, verdict=verdict, evidence=tuple(evidence))


def is_matter_of_policy(lineage: Lineage) -> bool:
    """Whether an unknown lineage is open by choice: what the weights are is known, whether to leave them is not."""
    return lineage.verdict == "unknown" and any(
        one.verdict == "unknown" and one.strength != "support" for one in lineage.evidence
    )


def question(lineage: Lineage) -> str | None:
    """What would settle an unknown lineage, in one sentence; None when nothing is open."""
    return next((one.text for one in lineage.evidence if one.rule == "question"), None)


class _Assessor:
    """Assesses the models of one snapshot. Findings and conclusions are made once a model."""

    def __init__(self, library: Records, models: Iterable[InstalledModel]) -> None:
        self.catalogue = catalogue_of(library)
        self.relatives = Relatives(models)
        self.kin = Kin(self.catalogue)
        self._own: dict[int, tuple[Finding, ...]] = {}
        self._complete: dict[int, tuple[Finding, ...]] = {}
        self._speakers: dict[str, InstalledModel] = {}
        self._concluded: dict[int, Lineage] = {}

    def lineage(self, model: InstalledModel) -> Lineage:
        """The conclusion about one of the models this was made with."""
        known = self._concluded.get(id(model))
        if known is None:
            known = self._concluded[id(model)] = self._conclude(model)
        return known

    def _conclude(self, model: InstalledModel) -> Lineage:
        findings = list(self._findings(model))
        speaker = self._speaker(model)
        if speaker is not model:
            findings += self._same_weights(speaker)
            findings.sort(key=_order)
        deciding = next((finding for finding in findings if finding.decides), None)
        verdict: Verdict = deciding.verdict if deciding is not None else "unknown"
        shown = [*findings]
        if deciding is None or verdict == "unknown":
            shown.insert(0, _question(model, findings, deciding))
        elif (contradiction := _contradiction(findings, deciding)) is not None:
            shown.append(contradiction)
        return Lineage(verdict, tuple(finding.evidence for finding in shown), *self._place(model, verdict, findings))

    def _place(
        self, model: InstalledModel, verdict: Verdict, findings: list[Finding]
    ) -> tuple[str | None, str | None, str | None]:
        """Origin, generation and base in words. For an open verdict: those it would have if it is Llama."""
        exact = _exact(findings, verdict)
        if exact is not None:
            return exact.origin, exact.generation, exact.base
        if verdict == "not-meta":
            return None, None, _base(findings, verdict)
        told = [f.generation for f in findings if f.verdict == "meta" and f.generation]
        generation = plausible(told, billions(model))
        if verdict == "unknown" and generation is None:
            return None, None, None
        near = self.kin.nearest(model, generation)
        return near.name if near is not None else None, generation, _base(findings, "meta")

    def _findings(self, model: InstalledModel) -> tuple[Finding, ...]:
        """What the model and its parents tell, strongest first."""
        known = self._complete.get(id(model))
        if known is None:
            findings = [*self._without_relatives(model), *self._from_parents(model)]
            if (agreement := _agreement(findings)) is not None:
                findings.append(agreement)
            known = self._complete[id(model)] = tuple(sorted(findings, key=_order))
        return known

    def _without_relatives(self, model: InstalledModel) -> tuple[Finding, ...]:
        own = self._own.get(id(model))
        if own is None:
            own = self._own[id(model)] = tuple(self._collect(model))
        return own

    def _collect(self, model: InstalledModel) -> Iterator[Finding]:
        build = Build.of(model, architecture_of(model) if model.source != "named" else None)
        told = [*self.catalogue.by_digest(build), *header_findings(model)]
        others = any(finding.rule == "basename" and finding.verdict == "not-meta" for finding in told)
        told += trait_findings(model, claimed_by_others=others)
        yield from told
        if model.adapter:
            yield Finding(
                "adapter", "unknown", "support", "it adds an adapter to these weights, which fits no other base"
            )
        name = parsed(model.name)
        cloud = model.remote is not None or (name is not None and name.cloud)
        if cloud:
            where = fit(model.remote or "ollama.com")
            yield Finding("remote", "unknown", "support", f"it runs on {where}; nothing of it is on this machine")
        if name is not None:
            # what is not here can only be something that somebody published
            published = cloud or model.source == "named"
            exact = any(finding.strength in ("proof", "strong") for finding in told)
            yield from self.catalogue.by_name(name, build, published=published, exact=exact)

    def _from_parents(self, model: InstalledModel) -> Iterator[Finding]:
        """Up to the first ancestor that settles it. What shares the weights is left to the same-weights rule."""
        for ancestor in self.relatives.ancestors(model):
            if ancestor.same_weights:
                continue
            for finding in self._parent(model, ancestor):
                yield finding
                if finding.decides:
                    return

    def _parent(self, model: InstalledModel, ancestor: Ancestor) -> Iterator[Finding]:
        chain = " FROM ".join(fit(name) for name in ancestor.path)
        if ancestor.model is None:
            yield self._missing_parent(model, ancestor.noted, chain)
        elif ancestor.same_weights is False:
            yield Finding("parent", "unknown", "support", f"it was built FROM {chain}, which holds other weights now")
        else:
            told = [f for f in self._without_relatives(ancestor.model) if f.decides]
            if told:
                best = min(told, key=_order)
                text = f"it was built FROM {chain}: {best.text}"
                yield replace(best, rule="parent", strength=weaker(best.strength, "strong"), text=text)

    def _missing_parent(self, model: InstalledModel, noted: str, chain: str) -> Finding:
        """Only the name of a parent that is gone is left; Ollama may also have noted a file."""
        name = parsed(noted)
        if name is None:
            reading = words.read(noted.replace("\\", "/").rstrip("/").rpartition("/")[2])
            llama = reading is not None and reading.verdict == "meta"
            generation = reading.generation if reading is not None else None
            text = f"it was built from the file {chain}"
            return Finding("parent", "meta" if llama else "unknown", "support", text, generation)
        text = f"it was built FROM {chain}, which is not here any more"
        build = Build(None, shortened(model.weights_digest), architecture_of(model))
        for finding in self.catalogue.by_name(name, build, published=False):
            return replace(finding, rule="parent", text=f"{text}; {finding.text}")
        return Finding("parent", "unknown", "support", text)

    def _speaker(self, model: InstalledModel) -> InstalledModel:
        """The one of all models with these weights that tells most about them; the others follow it."""
        weights = self.relatives.weights(model)
        if weights is None:
            return model
        known = self._speakers.get(weights)
        if known is None:
            sharing = self.relatives.sharing(model)
            known = min(sharing, key=self._says_most) if len(sharing) > 1 else model
            self._speakers[weights] = known
        return known

    def _says_most(self, model: InstalledModel) -> tuple[tuple[int, bool, int], bool, bool, int, str]:
        findings = self._findings(model)
        best = next((finding.order for finding in findings if finding.decides), _UNDECIDED)
        recorded = any(finding.rule == "name-tag" and finding.origin for finding in findings)
        return best, not recorded, model.parent is not None, len(model.name), model.name

    def _same_weights(self, speaker: InstalledModel) -> Iterator[Finding]:
        best = next((finding for finding in self._findings(speaker) if finding.decides), None)
        if best is None:
            return
        said = self.lineage(speaker)
        text = f"it has the same weights as {speaker.name}: {best.text}"
        yield Finding("same-weights", best.verdict, best.strength, text, said.generation, said.base, said.origin)


def _order(finding: Finding) -> tuple[int, bool, int]:
    return finding.order


def _agreement(findings: Iterable[Finding]) -> Finding | None:
    """Two independent supports together are likely; a shape alone, or a name alone, is not."""
    kinds: dict[str, Finding] = {}
    for finding in findings:
        if finding.decides:
            return None
        if finding.verdict == "meta" and finding.rule in _INDEPENDENT:
            kinds.setdefault(_INDEPENDENT[finding.rule], finding)
    if len(kinds) < 2:
        return None
    agreeing = tuple(kinds.values())
    generation = next((f.generation for f in agreeing if f.generation), None)
    signs = " and ".join(f"its {f.rule.removeprefix('local-')}" for f in agreeing)
    return Finding("agreement", "meta", "likely", f"{signs} agree on Llama, though each alone says little", generation)


def _contradiction(findings: list[Finding], deciding: Finding) -> Finding | None:
    """What points the other way. Chat tokens and tokenizers are left out: every family borrows those."""
    against = [f for f in findings if f.rule in _CALLED and f.verdict not in (deciding.verdict, "unknown")]
    if not against:
        return None
    what = " and ".join(dict.fromkeys(_CALLED[f.rule] for f in against))
    said = "Llama" if against[0].verdict == "meta" else "not Llama"
    text = f"{what} would say {said}, but weighs less: {deciding.text}"
    return Finding("contradiction", deciding.verdict, "support", text)


def _question(model: InstalledModel, findings: list[Finding], deciding: Finding | None) -> Finding:
    """What a person would have to find out."""
    card = "the model card, or whoever made it, would settle it by naming the base model"
    hint = next((f for f in findings if f.verdict == "meta" or f.rule in ("name-tag", "library-name", "parent")), None)
    if deciding is not None:
        text = (
            f"{deciding.text}; as far as is known that is Llama's architecture without Meta's weights or licence: "
            "say whether you want to leave it, too"
        )
    elif hint is not None:
        text = f"{hint.text}; {card}"
    elif model.source == "named":
        text = f"it is not installed and the recipes do not know its name; {card}"
    elif model.remote is not None:
        text = f"nothing of it is here to look at; {card}"
    elif model.problem is not None:
        text = f"its file cannot be read ({fit(model.problem)}); {card}"
    else:
        text = f"nothing in it names its base model; {card}"
    return Finding("question", "unknown", "support", text)


def _exact(findings: list[Finding], verdict: Verdict) -> Finding | None:
    """The record that describes these very weights.

    A name does not count against a stronger finding of another generation: `llama3.1:8b` may be a copy of something.
    """
    trusted: str | None = None
    for finding in findings:
        if finding.verdict != verdict or not finding.decides:
            continue
        if finding.origin is not None and (trusted is None or _family(finding.generation) == _family(trusted)):
            return finding
        if finding.rule in ("architecture", "base-model"):
            trusted = trusted or finding.generation
    return None


def _family(generation: str | None) -> str:
    """Generations that call themselves by one another's names: Llama 3.3 was made from 3.1, Code Llama from 2."""
    return "llama2" if generation == "codellama" else (generation or "").partition(".")[0]


def _base(findings: list[Finding], verdict: Verdict) -> str | None:
    return next((f.base for f in findings if f.verdict == verdict and f.base), None)
