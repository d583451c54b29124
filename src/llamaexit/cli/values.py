"""What the texts after options mean. Each function raises UsageError for what cannot be meant."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args

from llamaexit.cli.options import TYPED
from llamaexit.errors import UsageError
from llamaexit.units import parse_size

if TYPE_CHECKING:
    import datetime as dt

    from llamaexit.hardware import Overrides
    from llamaexit.migration.options import MigrationOptions
    from llamaexit.planning.options import PlanOptions
    from llamaexit.recipes.model import Use
    from llamaexit.smoke.model import Suite
    from llamaexit.snapshot import Verdict

_CONTEXT = re.compile(r"([0-9][0-9_,]*)\s*([kK]?)")
_STDOUT = Path("-")
_RATE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgKMG]?)(i?)(bit|b|B)(?:/s|ps)?\s*")
_AGE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([hdwHDW])\s*")
_BARE = re.compile(r"[0-9.\s]+")
_LARGEST_CONTEXT = 1 << 26
_LARGEST_SIZE = 1 << 50
_LONGEST_WAIT = 3600
_OLDEST = 24 * 36525
"""Hours in a century."""


def size_of(text: str, option: str) -> int:
    """Bytes meant by a size such as 24GiB. Only 0 goes without a unit: a bare 64 could be meant in three of them."""
    try:
        size = parse_size(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    except OverflowError:
        size = _LARGEST_SIZE + 1
    if 0 < size <= _LARGEST_SIZE and _BARE.fullmatch(text):
        unit = "GiB" if size < 4096 else "MiB" if size < 4096 * 1024 else "B"
        raise UsageError(f"{option} {text.strip()}: which unit?", hint=f"say {text.strip()}{unit}")
    if size > _LARGEST_SIZE:
        raise UsageError(f"{option} {text.strip()}: no machine has that much", hint="say a size such as 24GiB")
    return size


def context_of(text: str | None) -> int | None:
    """Tokens meant by `8192`, `8k` (8192) or `32k` (32768)."""
    if text is None:
        return None
    match = _CONTEXT.fullmatch(text.strip())
    tokens = int(match[1].replace(",", "").replace("_", "")) * (1024 if match[2] else 1) if match else 0
    if not 0 < tokens <= _LARGEST_CONTEXT:
        raise UsageError(f"--context: {text!r} is not a number of tokens such as 8192, 8k or 32k")
    return tokens


def rate_of(text: str | None) -> int | None:
    """Bytes a second meant by `100Mbit` or `12MB/s`; a small b is a bit, a capital B a byte."""
    if text is None:
        return None
    match = _RATE.fullmatch(text)
    if match is None:
        raise UsageError(f"--bandwidth: {text!r} is not a rate such as 100Mbit or 12MB/s")
    base = 1024 if match[3] else 1000
    per_second = float(match[1]) * base ** " KMG".index(match[2].upper() or " ")
    rate = int(per_second if match[4] == "B" else per_second / 8)
    if rate <= 0:
        raise UsageError(f"--bandwidth: {text!r} would never finish")
    return rate


def overrides_of(vram: list[str] | None, ram: str | None, gpu: list[str] | None) -> Overrides:
    """Hardware the user states instead of having it measured."""
    from llamaexit.hardware import Overrides

    cards = [part for text in vram or () for part in text.split(",")]
    return Overrides(
        vram=tuple(size_of(card, "--vram") for card in cards),
        ram=None if ram is None else size_of(ram, "--ram"),
        gpu=tuple(gpu or ()),
    )


def uses_of(texts: list[str] | None, models: list[str]) -> dict[str, tuple[Use, ...]]:
    """Uses by model out of `MODEL=USE[,USE]`; a bare `USE` belongs to the only model that is named."""
    from llamaexit.recipes.model import Use

    known = get_args(Use)
    uses: dict[str, tuple[Use, ...]] = {}
    for text in texts or ():
        model, equals, listed = text.rpartition("=")
        if not equals:
            if len(models) != 1:
                raise UsageError(f"--use: {text!r} does not say which model", hint="write --use MODEL=USE")
            model = models[0]
        written = [name.strip() for name in listed.split(",") if name.strip()]
        names = [name.lower() for name in written]
        wrong = next((name for name in written if name.lower() not in known), None)
        if not model or not names or wrong is not None:
            what = f"there is no use {wrong!r}" if wrong is not None else f"{text!r} names no use"
            raise UsageError(f"--use: {what}", hint="uses are " + ", ".join(known))
        uses[model] = uses.get(model, ()) + tuple(cast("Use", name) for name in names)
    return uses


def lineages_of(texts: list[str] | None) -> dict[str, Verdict]:
    """The user's own answers out of `MODEL=meta` or `MODEL=not-meta`."""
    answers: dict[str, Verdict] = {}
    for text in texts or ():
        model, _, verdict = text.rpartition("=")
        if not model or verdict not in ("meta", "not-meta"):
            raise UsageError(f"--lineage: {text!r} is not MODEL=meta or MODEL=not-meta")
        answers[model] = cast("Verdict", verdict)
    return answers


def thinking_of(text: str | None) -> Literal["avoid", "allow"] | None:
    """Whether targets that think by default are wanted; None leaves it to the recipes and to the use."""
    if text not in (None, "avoid", "allow"):
        raise UsageError(f"--thinking: {text!r} is neither avoid nor allow")
    return cast('Literal["avoid", "allow"] | None', text)


def timeout_of(text: str, option: str = "--timeout") -> float:
    """A wait in seconds that can be meant, such as `5` or `0.5`."""
    try:
        seconds = float(text)
    except ValueError:
        raise UsageError(f"{option}: {text!r} is not a number of seconds such as 5 or 0.5") from None
    if not 0 < seconds <= _LONGEST_WAIT:
        raise UsageError(f"{option}: {text!r} is not between 0 and {_LONGEST_WAIT} seconds")
    return seconds


def age_of(text: str) -> dt.timedelta:
    """A time that has passed, out of `14d`, `2w` or `36h`. Raises UsageError."""
    import datetime as dt

    match = _AGE.fullmatch(text)
    if match is None:
        raise UsageError(f"--older-than: {text!r} is not an age such as 14d, 2w or 36h")
    hours = float(match[1]) * {"h": 1, "d": 24, "w": 168}[match[2].lower()]
    if hours > _OLDEST:
        raise UsageError(f"--older-than: {text!r} is longer ago than any migration")
    return dt.timedelta(hours=hours)


def suite_of(text: str) -> Suite:
    """Which smoke tests are asked for."""
    from llamaexit.smoke.model import Suite

    known = get_args(Suite)
    if text not in known:
        raise UsageError(f"--suite: there is no suite {text!r}", hint=f"there are {', '.join(known)}")
    return cast("Suite", text)


def aliases_of(texts: list[str] | None) -> dict[str, str]:
    """Names and what they stand for out of `NAME=ROLE`."""
    from llamaexit.recipes.names import name_key

    aliases: dict[str, str] = {}
    for text in texts or ():
        name, _, role = (part.strip() for part in text.partition("="))
        if not name or not role:
            raise UsageError(f"--alias: {text!r} is not NAME=ROLE", hint="write --alias team-chat=chat")
        if any(name_key(name) == name_key(other) for other in aliases):
            raise UsageError(f"--alias: {name} is given twice")
        aliases[name] = role
    return aliases


def migration_options(
    *,
    stage: bool,
    only: list[str] | None,
    skip: list[str] | None,
    pull: bool,
    keep_going: bool,
    alias: list[str] | None,
    take_over: bool,
    accept: list[str] | None,
    suite: str,
    timeout: str | None,
    stall_timeout: str,
) -> MigrationOptions:
    """How a plan is to be carried out."""
    from llamaexit.migration.options import MigrationOptions

    return MigrationOptions(
        stage=stage,
        only=patterns_of(only, "--only"),
        skip=patterns_of(skip, "--skip"),
        pull=pull,
        keep_going=keep_going,
        aliases=aliases_of(alias),
        take_over=take_over,
        accept=patterns_of(accept, "--accept"),
        suite=suite_of(suite),
        answer_seconds=None if timeout is None else timeout_of(timeout),
        stall_seconds=timeout_of(stall_timeout, "--stall-timeout"),
    )


def plan_options(
    *,
    models: list[str],
    use: list[str] | None,
    context: str | None,
    only: list[str] | None,
    skip: list[str] | None,
    lineage: list[str] | None,
    thinking: str | None,
    bandwidth: str | None,
    explain: str | None,
) -> PlanOptions:
    """What is asked of the planner. `--explain MODEL` also asks for MODEL where others are named."""
    import datetime as dt

    from llamaexit.planning.options import PlanOptions

    named = [*models, explain] if explain and models and explain not in models else models
    return PlanOptions(
        models=tuple(dict.fromkeys(named)),
        uses=uses_of(use, models or ([explain] if explain else [])),
        context=context_of(context),
        only=patterns_of(only, "--only"),
        skip=patterns_of(skip, "--skip"),
        lineage=lineages_of(lineage),
        thinking=thinking_of(thinking),
        bandwidth=rate_of(bandwidth),
        today=dt.date.today(),
        everything=explain is not None,
    )


def patterns_of(texts: list[str] | None, option: str) -> tuple[str, ...]:
    """Glob patterns that can match something."""
    for text in texts or ():
        if not text.strip():
            raise UsageError(f"{option}: an empty pattern matches no model")
        if "[" in text and "]" not in text.partition("[")[2][1:]:
            raise UsageError(f"{option}: {text!r} is no pattern: its [ is never closed", hint="write [[] for a [")
    return tuple(texts or ())


def is_stdout(out: Path | None, *, as_json: bool, other: bool = False) -> bool:
    """Whether `--out -` asks for the bare document on standard output, where nothing else may go then."""
    if out != _STDOUT:
        return False
    if as_json or other:
        raise UsageError("--out - prints the document alone", hint="leave out the other option, or name a file")
    return True


def command_with(name: str, options: Mapping[str, object], *arguments: str) -> str:
    """A command line fit for a shell. Options that are None are left out, lists are options given several times.

    Of an option that takes no value, True gives the option itself, and False nothing.
    """
    import shlex

    words = ["llamaexit", name, *arguments]
    for option, value in options.items():
        several = value if isinstance(value, list | tuple) else [value]
        if isinstance(value, bool):
            words += [option] if value else []
        else:
            words += [word for one in several if one is not None for word in (option, str(one))]
    return shlex.join(words)


def locked_again(locked: bool | None) -> dict[str, object]:
    """The options with which another command holds to the lock as this one does, for `command_with`."""
    return {"--locked": locked is True, "--no-locked": locked is False}


def migration_of(out: Path | None, options: Mapping[str, object], *, here: bool) -> str | None:
    """The command that carries out a plan: the one in a file, or one made anew with the same options.

    here: it is for the models and the machine as they are; None for every other plan that is not in a file.
    """
    if not here:
        return None
    if out is not None:
        return command_with("migrate", {"--host": options["--host"]}, str(out))
    return f"{command_with('migrate', options)} --apply"


_FOR_THIS_RUN = {
    "--out": 1, "--explain": 1, "--check": 0, "--verbose": 0, "-v": 0, "--debug": 0, "--dry-run": 0, "--": 0,
}  # fmt: skip
"""Options that say how this one run answers, and how many words follow each."""


def command_again() -> str:
    """The command line as it was typed, fit for a shell, without what was about this run only."""
    import shlex

    return shlex.join(["llamaexit", *_without(TYPED.get(), _FOR_THIS_RUN)])


def _without(typed: tuple[str, ...], unwanted: Mapping[str, int]) -> Collection[str]:
    kept: list[str] = []
    words = iter(typed)
    for word in words:
        option, equals, _ = word.partition("=")
        if option not in unwanted:
            kept.append(word)
        elif unwanted[option] and not equals:
            next(words, None)
    return kept
