"""The names Ollama gives models: `[host/][namespace/]model[:tag]`.

Grammar, defaults and display form follow Ollama's types/model/name.go, the `:cloud` and `:local` endings its
internal/modelref. Names are compared after expansion to four parts, without regard to case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from llamaexit.errors import UsageError

DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
_MODEL_OR_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
_FORM = "names look like llama3.1:8b, user/model:tag or hf.co/user/repository:Q4_K_M"


class BadName(UsageError, ValueError):
    """A text that cannot name a model; Ollama answers `invalid model name` to it."""

    code = "model-name"


@dataclass(frozen=True, slots=True)
class Name:
    """A model name with all four parts. Two names are the same model entry when `key` is equal."""

    host: str
    namespace: str
    model: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> Name:
        """The name that `text` means to Ollama, defaults filled in.

        A scheme is dropped as Ollama's handlers drop it, `x:7b:cloud` becomes `x:7b-cloud` and `x:7b:local` becomes
        `x:7b`. Raises BadName (a UsageError and a ValueError).
        """
        bare = _without_source(text)
        if "@" in bare:
            raise BadName(
                f"{text!r} names a digest; Ollama only knows models by name and tag",
                hint="name the tag instead; a version that its tag has left cannot be pulled again",
            )
        rest, tag = bare, DEFAULT_TAG
        if bare.rfind(":") > bare.rfind("/"):
            rest, _, tag = bare.rpartition(":")
        rest, slash, model = rest.rpartition("/")
        if not slash:
            return cls._checked(text, DEFAULT_HOST, DEFAULT_NAMESPACE, model, tag)
        rest, slash, namespace = rest.rpartition("/")
        if not slash:
            return cls._checked(text, DEFAULT_HOST, namespace, model, tag)
        return cls._checked(text, rest.rpartition("://")[2], namespace, model, tag)

    @classmethod
    def _checked(cls, text: str, host: str, namespace: str, model: str, tag: str) -> Name:
        for part, value, pattern in (
            ("host", host, _HOST),
            ("namespace", namespace, _NAMESPACE),
            ("model", model, _MODEL_OR_TAG),
            ("tag", tag, _MODEL_OR_TAG),
        ):
            if not pattern.fullmatch(value):
                raise BadName(f"{text!r} is not a model name: {_fault(part, value)}", hint=_FORM)
        return cls(host, namespace, model, tag)

    @property
    def short(self) -> str:
        """As Ollama prints it: default host and namespace left out, the tag always there."""
        if self.host.lower() != DEFAULT_HOST:
            return self.full
        if self.namespace.lower() != DEFAULT_NAMESPACE:
            return f"{self.namespace}/{self.model}:{self.tag}"
        return f"{self.model}:{self.tag}"

    @property
    def full(self) -> str:
        """All four parts: `registry.ollama.ai/library/llama3.1:8b`."""
        return f"{self.host}/{self.namespace}/{self.model}:{self.tag}"

    @property
    def path(self) -> tuple[str, str, str, str]:
        """The four path parts of its manifest below `manifests/`."""
        return self.host, self.namespace, self.model, self.tag

    @property
    def key(self) -> str:
        """Equal for names that Ollama takes for the same (it ignores case since 0.4.3)."""
        return self.full.lower()

    @property
    def cloud(self) -> bool:
        """Whether requests for this name are sent to ollama.com: tag `cloud` or ending in `-cloud`."""
        tag = self.tag.lower()
        return tag == "cloud" or tag.endswith("-cloud")

    def __str__(self) -> str:
        return self.short


def same(a: str | Name, b: str | Name) -> bool:
    """Whether Ollama takes both for the same model. Raises BadName for a text that is no name."""
    return _name(a).key == _name(b).key


def _name(value: str | Name) -> Name:
    return value if isinstance(value, Name) else Name.parse(value)


def _without_source(text: str) -> str:
    """`text` without blanks around it and with a `:cloud` or `:local` ending folded into the tag."""
    bare = text.strip()
    rest, colon, ending = bare.rpartition(":")
    ending = ending.lower()
    if not colon or ending not in ("cloud", "local"):
        return bare
    if rest.lower().endswith((":cloud", ":local")):
        raise BadName(f"{text!r} ends in two of :cloud and :local", hint="use one of them")
    if ending == "local":
        return rest
    has_tag = rest.rfind(":") > rest.rfind("/")
    return f"{rest}-cloud" if has_tag else bare


def _fault(part: str, value: str) -> str:
    """What is wrong with one part, in words."""
    longest = 350 if part == "host" else 80
    if not value:
        return f"the {part} is empty"
    if len(value) > longest:
        return f"its {part} is longer than {longest} characters"
    if part == "namespace" and ":" in value:
        return f"a host such as {value!r} needs a namespace after it ({value}/library/…)"
    if part == "namespace" and "." in value:
        return f"the namespace {value!r} must not contain a dot"
    return f"the {part} {value!r} has a character that is not allowed there"
