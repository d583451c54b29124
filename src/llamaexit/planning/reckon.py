"""Estimates for a plan, each worked out once: of the models that are there and of the targets that may come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.memory import estimate, spec_of_installed, spec_of_origin, spec_of_target
from llamaexit.planning.plan import Download
from llamaexit.planning.question import GIVEN
from llamaexit.recipes.names import name_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llamaexit.memory import Estimate, ModelSpec
    from llamaexit.planning.candidates import Candidate
    from llamaexit.planning.options import RemoteFacts
    from llamaexit.recipes.model import Origin, Tag, Target
    from llamaexit.snapshot import InstalledModel, Snapshot


class Reckoner:
    """What models take on one machine. Answers are kept, since several sources share candidates.

    catalogue: specs of published targets by name, filled as they are needed. locked: the builds that targets have to
    be, by `name_key`.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        installed: Mapping[str, InstalledModel],
        remote: Mapping[str, RemoteFacts],
        catalogue: dict[str, ModelSpec | None],
        locked: Mapping[str, str],
    ) -> None:
        self._machine = snapshot.machine
        self._ollama = snapshot.ollama
        self._installed = installed
        self._remote = {name_key(name): facts for name, facts in remote.items()}
        self._catalogue = catalogue
        self._locked = locked
        self._kept: dict[tuple[str, int | None, str], Estimate] = {}

    def source(
        self, model: InstalledModel, origin: Origin | None, tag: Tag | None, context: int | None
    ) -> Estimate | None:
        """What the old model takes; from its own header where there is one, else from its record in the recipes.

        tag: the file of the record that the model is, where that is not the record's own.
        """
        spec = spec_of_installed(model)
        if spec is None and origin is not None:
            spec = spec_of_origin(origin, tag)
        return self._estimate(f"source {model.name}", spec, context, GIVEN)

    def target(self, candidate: Candidate, context: int | None, whose: str) -> Estimate | None:
        """What a candidate takes at `context` tokens, which `whose` choice is, or at Ollama's default for it.

        None when its size is not known.
        """
        here, remote = self.here(candidate), self.remote(candidate)
        spec = spec_of_installed(here) if here is not None else None
        if spec is None and remote is not None:
            spec = remote.spec
        if spec is None:
            spec = self._published(candidate.model, candidate.target, candidate.tag)
        return self._estimate(candidate.model, spec, context, whose)

    def loads(self, model: str, target: Target, tag: Tag | None) -> bool:
        """Whether a published model loads here at Ollama's default context; what cannot be reckoned may."""
        found = self._estimate(model, self._published(model, target, tag), None, GIVEN)
        return found is None or found.unloaded.placement != "none"

    def here(self, candidate: Candidate) -> InstalledModel | None:
        """The installed model of the candidate's name, if there is one that works and is the locked build."""
        key = name_key(candidate.model)
        model = self._installed.get(key)
        if model is None or model.problem is not None:
            return None
        return model if (model.digest or "").startswith(self._locked.get(key, "")) else None

    def remote(self, candidate: Candidate) -> RemoteFacts | None:
        """What the registry said about the candidate, if it was asked, and if that matters.

        Where the locked build is installed, nothing is pulled, whatever the tag means by now.
        """
        key = name_key(candidate.model)
        return None if key in self._locked and self.here(candidate) is not None else self._remote.get(key)

    def download(self, candidate: Candidate) -> Download:
        """Bytes of a pull. Layers that other models here hold already are not fetched again."""
        here, remote = self.here(candidate), self.remote(candidate)
        if here is not None and (remote is None or remote.digest == here.digest):
            return Download(here.size, here.size, True, "installed here")
        if remote is not None:
            local = {layer.digest for model in self._installed.values() for layer in model.layers if layer.present}
            have = sum(size for digest, size in remote.layers if digest in local)
            return Download(remote.size, have, True, f"registry manifest of {remote.fetched_at or 'today'}")
        target, tag = candidate.target, candidate.tag
        if tag is not None and tag.size:
            return Download(tag.size, 0, tag.exact, _catalogue(tag.exact, target.size_as_of if target else ""))
        if target is not None and target.size and tag is None:
            return Download(target.size, 0, target.exact, _catalogue(target.exact, target.size_as_of))
        return Download(0, 0, False, "not known")

    def _published(self, model: str, target: Target | None, tag: Tag | None) -> ModelSpec | None:
        """A target as its recipe describes it: the same for every machine, so kept from plan to plan."""
        if target is None:
            return None
        key = name_key(model)
        if key not in self._catalogue:
            self._catalogue[key] = spec_of_target(target, tag)
        return self._catalogue[key]

    def _estimate(self, name: str, spec: ModelSpec | None, context: int | None, whose: str) -> Estimate | None:
        if spec is None:
            return None
        key = (name, context, whose)
        if key not in self._kept:
            self._kept[key] = estimate(spec, self._machine, self._ollama, context=context, context_source=whose)
        return self._kept[key]


def _catalogue(exact: bool, as_of: str) -> str:
    return f"catalogue{f' of {as_of}' if as_of else ''}, {'exact bytes' if exact else 'rounded'}"
