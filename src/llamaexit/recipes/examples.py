"""Examples in recipes: the machine one is about, and what cannot be meant in one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llamaexit.errors import UsageError
from llamaexit.recipes.model import Example, ExampleModel, Expected, Host
from llamaexit.recipes.names import digest_key, name_key
from llamaexit.recipes.problems import Finding
from llamaexit.units import parse_size

if TYPE_CHECKING:
    from llamaexit.recipes.positions import Key
    from llamaexit.snapshot import Machine


MOST_EXAMPLES = 500
"""Examples of one recipe, and models of one example: each is planned."""
ROOMY = 1 << 50
"""Bytes of a disk that nobody says anything about."""


def machine_of(host: Host) -> Machine:
    """The machine of an example. Raises ValueError or UsageError for sizes and cards that cannot be meant."""
    from llamaexit.hardware import Overrides, override
    from llamaexit.snapshot import Cpu, Disk, Machine, Ram, System

    bare = Machine(system=System(host.os), cpu=Cpu(None, None, None), ram=Ram(0, 0))
    cards, gpu = tuple(parse_size(size) for size in host.vram), host.gpu
    stated = override(bare, Overrides(vram=cards, ram=parse_size(host.ram), gpu=gpu))
    free = parse_size(host.disk) if host.disk else ROOMY
    return Machine(stated.system, stated.cpu, stated.ram, stated.gpus, Disk("", free, free))


def is_negative(expected: Expected) -> bool:
    """Whether an example says of a model that something must not happen to it."""
    return expected.action != "replace" or bool(expected.rejected)


def example_findings(examples: tuple[Example, ...], at: Key) -> Iterator[Finding]:
    """Everything in examples that has the right shape and still cannot be meant, but for unknown names."""
    if len(examples) > MOST_EXAMPLES:
        yield Finding(at, f"are {len(examples)} examples; at most {MOST_EXAMPLES} are allowed")
        return
    titles: dict[str, int] = {}
    for number, example in enumerate(examples):
        here = (*at, number)
        if not example.title.strip():
            yield Finding((*here, "title"), "is empty")
        elif (first := titles.setdefault(example.title, number)) != number:
            yield Finding((*here, "title"), f"is also the title of examples[{first}]", "duplicate")
        yield from _host(example.host, (*here, "host"))
        yield from _models(example.models, (*here, "models"))


def _host(host: Host, at: Key) -> Iterator[Finding]:
    sizes = [("ram", host.ram), ("disk", host.disk or "0"), *(("vram", size) for size in host.vram)]
    for name, size in sizes:
        try:
            parse_size(size)
        except ValueError as error:
            yield Finding((*at, name), str(error))
            return
    try:
        machine_of(host)
    except UsageError as error:
        # written for options, which are called the same
        yield Finding(at, "; ".join(part for part in (error.message, error.hint) if part).replace("--", ""))
    if host.ollama:
        from llamaexit.ollama.version import parse_version

        if parse_version(host.ollama) is None:
            yield Finding((*at, "ollama"), f"must be a version of Ollama such as 0.30.0, not {host.ollama[:80]!r}")


def _models(models: tuple[ExampleModel, ...], at: Key) -> Iterator[Finding]:
    if not models:
        yield Finding(at, "is empty: an example is about at least one model")
    if len(models) > MOST_EXAMPLES:
        yield Finding(at, f"are {len(models)} models; at most {MOST_EXAMPLES} are allowed")
        return
    names: dict[str, int] = {}
    for number, model in enumerate(models):
        here = (*at, number)
        yield from _name(model.name, (*here, "name"))
        if model.parent:
            yield from _name(model.parent, (*here, "parent"))
        if (first := names.setdefault(name_key(model.name), number)) != number:
            yield Finding((*here, "name"), f"{model.name!r} is also the name of models[{first}]", "duplicate")
        if model.digest and not _is_digest(model.digest):
            yield Finding((*here, "digest"), f"must be a digest of 12 to 64 hex digits, not {model.digest[:80]!r}")
        yield from _expectation(model.expect, (*here, "expect"))


def _expectation(expected: Expected, at: Key) -> Iterator[Finding]:
    for name in ("target", "rule"):
        if expected.action != "replace" and getattr(expected, name):
            yield Finding((*at, name), f"is given, but the action is {expected.action}, which has none")
    if expected.target and name_key(expected.target) in map(name_key, expected.rejected):
        yield Finding((*at, "rejected"), f"names {expected.target!r}, which is the target")


def _is_digest(text: str) -> bool:
    key = digest_key(text)
    return len(key) == 12 and len(text) <= 71 and all(digit in "0123456789abcdef" for digit in key)


def _name(value: str, at: Key) -> Iterator[Finding]:
    from llamaexit.ollama.names import Name

    try:
        Name.parse(value)
    except ValueError as error:
        yield Finding(at, str(error))
