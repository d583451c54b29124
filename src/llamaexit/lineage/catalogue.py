"""What the recipes know about a model: by digest, by blob, by name and tag.

A digest is proof. A name is not: tags move to other weights, and anybody may call a model `llama3.1:8b`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from llamaexit.lineage import words
from llamaexit.lineage.finding import Finding, fit
from llamaexit.ollama.names import DEFAULT_HOST, DEFAULT_NAMESPACE, DEFAULT_TAG, Name
from llamaexit.snapshot import InstalledModel, Strength, Verdict

if TYPE_CHECKING:
    from llamaexit.lineage.records import Records
    from llamaexit.recipes.model import Origin

_HEX = 12
_QUANTIZATION = re.compile(r"[:-](?:i?q[0-9]|fp?16|bf16|mxfp)", re.IGNORECASE)
"""Tags that name a quantization stay with their weights; only the short ones (`8b`, `latest`) have ever moved."""
_SIZE = re.compile(r"[0-9]+x[0-9]+b|[0-9]+(?:\.[0-9]+)?[bm]")
_ALL_IN_LIBRARY: dict[Verdict, str] = {
    "meta": "every {0} in the Ollama library is Llama",
    "not-meta": "no {0} in the Ollama library is Llama",
    "unknown": "every {0} in the Ollama library only looks like Llama",
}


class Build(NamedTuple):
    """What is known about the one build that carries a name here: first hex digits of its digests, architecture."""

    manifest: str | None = None
    weights: str | None = None
    architecture: str | None = None

    @classmethod
    def of(cls, model: InstalledModel, architecture: str | None) -> Build:
        """The build of an installed model."""
        return cls(shortened(model.digest), shortened(model.weights_digest), architecture)

    def recorded_in(self, origin: Origin) -> bool | None:
        """Whether a record describes this very build; None when there is nothing to compare."""
        pairs = ((self.manifest, origin.manifests), (self.weights, origin.blobs))
        known = [digest in digests for digest, digests in pairs if digest and digests]
        return any(known) if known else None


def shortened(digest: str | None) -> str | None:
    """The first 12 hex digits of a digest, with or without `sha256:`; None for what is too short to be one."""
    if digest is None:
        return None
    bare = digest.strip().lower().removeprefix("sha256:").removeprefix("sha256-")
    return bare[:_HEX] if len(bare) >= _HEX else None


def size_label(tag: str) -> str | None:
    """The size a tag begins with: `8b` of `8b-instruct-q4_0`, `16x17b`; None for `latest`."""
    match = _SIZE.match(tag.lower())
    return match[0] if match else None


@lru_cache(maxsize=8)
def catalogue_of(records: Records) -> Catalogue:
    """The indexes over a library, built once for all the models and machines it is asked about."""
    return Catalogue(records)


class Catalogue:
    """The records of a library, indexed the way lineage asks. Indexes are built when they are first needed."""

    def __init__(self, records: Records) -> None:
        self.records = records

    @cached_property
    def origins(self) -> tuple[Origin, ...]:
        """All records of the source side."""
        return tuple(self.records.origins)

    @cached_property
    def _by_model(self) -> dict[str, tuple[Origin, ...]]:
        index: dict[str, tuple[Origin, ...]] = {}
        for origin in self.origins:
            model = origin.name.partition(":")[0].lower()
            index[model] = (*index.get(model, ()), origin)
        return index

    @cached_property
    def _target_names(self) -> dict[str, tuple[str, ...]]:
        index: dict[str, list[str]] = {}
        for name in self.records.target_names():
            index.setdefault(name.partition(":")[0].lower(), []).append(name)
        return {model: tuple(names) for model, names in index.items()}

    def _verdicts(self, model: str) -> frozenset[Verdict]:
        """What all models under one library name are."""
        targets = (self.records.target(name) for name in self._target_names.get(model, ()))
        sources = (origin.lineage for origin in self._by_model.get(model, ()))
        return frozenset((*sources, *(found[0].origin for found in targets if found is not None)))

    def by_digest(self, build: Build) -> Iterator[Finding]:
        """Proof: the recipes know this manifest, or these weights."""
        if build.manifest and (origin := self.records.origin_by_manifest(build.manifest)) is not None:
            yield _recorded("manifest-digest", "proof", f"its manifest digest is that of {origin.name}", origin)
        if build.weights and (origin := self.records.origin_by_blob(build.weights)) is not None:
            yield _recorded("weights-digest", "proof", f"its weights are byte for byte those of {origin.name}", origin)

    def by_name(self, name: Name, build: Build, *, published: bool, exact: bool = False) -> Iterator[Finding]:
        """What a name says.

        Library names are looked up; of others only the words are read. published: the name was given by a publisher,
        not by the user, and so says a little more. exact: leave out what the other tags of a library name are, which
        has to go through all records and adds nothing where the model itself has told more.
        """
        name = _without_cloud(name)
        in_library = name.namespace.lower() == DEFAULT_NAMESPACE
        found = tuple(self._library_name(name, build, exact) if in_library else self._own_record(name, build))
        if name.host.lower() != DEFAULT_HOST:
            # registries of one's own mirror the library under the same namespace, or hold anything else under it
            found = tuple(_as_published(finding) for finding in found if finding.decides)
        yield from found or _read(name, published or not in_library)

    def _own_record(self, name: Name, build: Build) -> Iterator[Finding]:
        """Names outside the library are known only to recipes a team wrote itself."""
        if (origin := self.records.origin(name.short)) is not None:
            yield self._known_tag(name.short.lower(), origin, build)

    def _library_name(self, name: Name, build: Build, exact: bool) -> Iterator[Finding]:
        short = f"{name.model}:{name.tag}".lower()
        if (origin := self.records.origin(short)) is not None:
            yield self._known_tag(short, origin, build)
        elif (found := self.records.target(short)) is not None:
            target = found[0]
            text = _known_as(short, target.base or target.vendor)
            yield Finding("name-tag", target.origin, "likely", text, base=target.base or None)
        elif not exact:
            yield from self._unknown_tag(name.model.lower(), name.tag)

    def _known_tag(self, short: str, origin: Origin, build: Build) -> Finding:
        text = _known_as(short, origin.base or origin.why)
        if _QUANTIZATION.search(short) or build.recorded_in(origin) is not False:
            return _recorded("name-tag", "likely", text, origin)
        rivals = tuple(self._rivals(origin))
        if not rivals:
            return _recorded("name-tag", "likely", f"{text}, in another build than this one", origin)
        possible = [candidate for candidate in (origin, *rivals) if _fits(candidate, build)]
        if len({candidate.lineage for candidate in possible}) != 1:
            text = f"{short} has meant different models, and this build is none of those the recipes know"
            return Finding("name-tag", "unknown", "support", text)
        best = possible[0]
        if best is not origin:
            text = f"{short} has meant different models, and architecture {build.architecture} fits only {best.name}"
        return _recorded("name-tag", "likely", text, best)

    def _rivals(self, origin: Origin) -> Iterator[Origin]:
        """Records under the same library name and size with another verdict: what a moved tag may have meant."""
        model, _, tag = origin.name.lower().partition(":")
        for other in self._by_model.get(model, ()):
            same_size = size_label(other.name.partition(":")[2]) == size_label(tag)
            if same_size and other.lineage != origin.lineage:
                yield other

    def _unknown_tag(self, model: str, tag: str) -> Iterator[Finding]:
        verdicts = self._verdicts(model)
        if len(verdicts) > 1:
            text = f"the Ollama library has Llama and others under {model}, and {fit(tag)} is no tag the recipes know"
            yield Finding("library-name", "unknown", "support", text)
        for verdict in verdicts if len(verdicts) == 1 else ():
            generations = {origin.generation for origin in self._by_model.get(model, ())}
            generation = generations.pop() if len(generations) == 1 else None
            yield Finding("library-name", verdict, "likely", _ALL_IN_LIBRARY[verdict].format(model), generation or None)


def _read(name: Name, published: bool) -> Iterator[Finding]:
    reading = words.read(name.model) or (words.read(name.tag) if name.tag != DEFAULT_TAG else None)
    if reading is None:
        return
    text = f"its name says {reading.words}"
    if published:
        yield Finding("published-name", reading.verdict, "likely", text, reading.generation)
    else:
        # what a user calls a model of their own may hint at Llama; it never clears one
        verdict: Verdict = "meta" if reading.verdict == "meta" else "unknown"
        yield Finding("local-name", verdict, "support", text, reading.generation)


def _recorded(rule: str, strength: Strength, text: str, origin: Origin) -> Finding:
    return Finding(
        rule, origin.lineage, strength, text, origin.generation or None, origin.base or None, origin=origin.name
    )


def _known_as(short: str, what: str) -> str:
    return f"the recipes know {short} as {what}"


def _fits(origin: Origin, build: Build) -> bool:
    """Whether a record can describe this build, as far as the architectures of both are known."""
    recorded = origin.shape.architecture if origin.shape is not None else None
    return recorded is None or build.architecture is None or recorded.lower() == build.architecture


def _as_published(finding: Finding) -> Finding:
    return replace(finding, rule="published-name", text=f"going by its name, {finding.text}")


def _without_cloud(name: Name) -> Name:
    """The name a cloud model would have without its ending."""
    if not name.cloud:
        return name
    return Name(name.host, name.namespace, name.model, name.tag[: -len("cloud")].rstrip("-") or DEFAULT_TAG)
