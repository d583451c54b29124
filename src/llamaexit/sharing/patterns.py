"""What people allow: sources of recipes and registries of models, in one spelling each, compared part by part.

A pattern is never compared as text with text somebody else wrote: both are brought into the same spelling first, and
what cannot be is refused. So `acme` does not let `acme-evil` in, nor does a detour over `..`, a port or an escape.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from llamaexit.ollama.names import DEFAULT_HOST, Name
from llamaexit.recipes.sources import Unresolved, shown_reference

_ANY = "any.toml"
"""Stands in for `*` while the rest of a pattern is read."""
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?")
_OWNER = re.compile(r"[a-z0-9_][a-z0-9_-]{0,79}")
_SAME_REGISTRY = {"huggingface.co": "hf.co"}
"""Hosts that Ollama pulls the same models from."""


class BadPattern(ValueError):
    """A text that allows nothing, and why."""


@dataclass(frozen=True, slots=True)
class SourcePattern:
    """One source of recipes, or, ending in `/*`, everything below a path.

    spelled: as addresses spell it, with the `/*` where there is one.
    """

    spelled: str

    @classmethod
    def parse(cls, text: str) -> SourcePattern:
        """The pattern in a text. Raises BadPattern."""
        if "#" in text or "@" in text.partition("://")[2].partition("/")[2]:
            raise BadPattern(f"{_shown(text)}: what is allowed is the whole source, without @REV and what follows #")
        if "*" not in text:
            return cls(_source(text))
        if not text.endswith("/*") or text.count("*") > 1:
            raise BadPattern(f"{_shown(text)}: a * stands for all that is left of a path, so it ends it: …/*")
        return cls(_source(text.removesuffix("*") + _ANY).removesuffix(_ANY) + "*")

    def means(self, source: str) -> bool:
        """Whether a source, as addresses spell it, is meant."""
        if self.spelled.endswith("/*"):
            above = self.spelled.removesuffix("*")
            return source.startswith(above) and len(source) > len(above)
        return source == self.spelled

    @property
    def whole_host(self) -> str:
        """The host, where everything on it is meant; else empty."""
        host, _, path = self.spelled.partition("://")[2].partition("/")
        return host if path == "*" else ""

    def __str__(self) -> str:
        return self.spelled


def _source(text: str) -> str:
    """A source in the spelling of addresses, which also decide what may stand in one."""
    from llamaexit.sharing.addresses import parse_address

    whole = f"{text}@HEAD#{_ANY}" if text.lower().startswith("git+") else f"{text}#sha256={'0' * 64}"
    try:
        return parse_address(whole).source
    except Unresolved as error:
        reason = str(error).removeprefix(f"{_shown(whole)}: ").replace(_ANY, "*")
        raise BadPattern(f"{_shown(text.replace(_ANY, '*'))} is no source: {reason}") from error


def _shown(text: str) -> str:
    """A text as messages show it: not too long, and without what might be a password."""
    return repr(shown_reference(text))


@dataclass(frozen=True, slots=True)
class Registry:
    """Where models are pulled from: a host, and whose they are there. As a pattern without owner, all of the host."""

    host: str
    owner: str = ""

    @classmethod
    def parse(cls, text: str) -> Registry:
        """The pattern in a text: `HOST` or `HOST/OWNER`. Raises BadPattern."""
        host, slash, owner = text.lower().partition("/")
        if not _HOST.fullmatch(host) or (slash and not _OWNER.fullmatch(owner)):
            more = "; name the host and the owner alone" if owner.count("/") or ":" in owner else ""
            raise BadPattern(f"{text[:80]!r} is no registry: they look like registry.example.com or hf.co/acme{more}")
        return cls(_one_host(host), owner)

    @classmethod
    def of(cls, model: str) -> Registry | None:
        """The registry that Ollama would pull a model from; None for Ollama's own.

        Raises BadName for what is no name of a model: nobody can tell where that would be looked for.
        """
        name = Name.parse(model)
        host = _one_host(name.host.lower())
        return None if host == DEFAULT_HOST else cls(host, name.namespace.lower())

    def means(self, registry: Registry) -> bool:
        """Whether a registry is meant by this one as a pattern."""
        return self.host == registry.host and self.owner in ("", registry.owner)

    @property
    def whole_host(self) -> str:
        """The host, where everything on it is meant; else empty."""
        return "" if self.owner else self.host

    def __str__(self) -> str:
        return f"{self.host}/{self.owner}" if self.owner else self.host


def _one_host(host: str) -> str:
    host = host.removesuffix(":443")
    return _SAME_REGISTRY.get(host, host)
