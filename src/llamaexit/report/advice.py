"""What people do after a run: what to edit in clients, how to go on, and how to go back."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llamaexit.recipes.names import name_key
from llamaexit.report import words
from llamaexit.report.outcome import moved, replacements

if TYPE_CHECKING:
    from llamaexit.migration.record import Run, Tested
    from llamaexit.planning.plan import Decision, TargetChoice

_DEFAULT_HOST = "http://127.0.0.1:11434"


@dataclass(frozen=True, slots=True)
class Command:
    """Something to type, and what it does."""

    text: str
    does: str


@dataclass(frozen=True, slots=True)
class Edit:
    """What to change where clients name a model."""

    name: str
    lines: tuple[str, ...]


def client_edits(run: Run) -> tuple[Edit, ...]:
    """What to edit in clients, for each model the run replaced. Nothing while there is nothing to move to."""
    if run.state == "rolled-back":
        return ()
    return tuple(
        Edit(decision.source.model, tuple(_edits(run, decision, target)))
        for decision, target, test in replacements(run)
        if _there(run, target, test)
    )


def _there(run: Run, target: TargetChoice, test: Tested | None) -> bool:
    """Whether clients can use the new model, or could once it is switched."""
    if run.state in ("committed", "staged"):
        return test is None or test.accepted or test.comparison.verdict == "go"
    return any(change.target == target.model for change in moved(run))


def _edits(run: Run, decision: Decision, target: TargetChoice) -> Iterator[str]:
    source = decision.source.model
    about = [
        change for change in moved(run) if change.source is not None and name_key(change.source) == name_key(source)
    ]
    names = {name_key(change.name) for change in about}
    if name_key(source) in names:
        yield f"The name stays: {source} means {_new(decision, target)} now."
    elif decision.rebuild is not None:
        yield f"The name stays: once switched, {source} means {_new(decision, target)}."
    else:
        yield f"Name {target.model} where {source} stands now."
    for change in about:
        if change.what == "alias":
            yield f"{change.name} means it, too."
    yield from _thinking(target)
    if target.set_context is not None and decision.rebuild is None:
        yield (
            f"Ask for num_ctx {target.set_context} (options.num_ctx; /v1 cannot ask, set OLLAMA_CONTEXT_LENGTH there): "
            "Ollama's default does not fit this machine."
        )
    told = {"THINK_DEFAULT", "THINK_ONLY", "SET_CONTEXT"} if target.thinking.default else {"SET_CONTEXT"}
    for caveat in (*target.caveats, *decision.caveats):
        if caveat.code not in told:
            yield _sentence(caveat.text)


def _thinking(target: TargetChoice) -> Iterator[str]:
    thinking = target.thinking
    if not thinking.default:
        return
    if thinking.can_disable is False:
        yield "It always thinks before it answers: give it a larger token budget and a longer timeout."
        return
    yield (
        'It thinks before it answers unless told not to: send "think": false to /api/chat and /api/generate, '
        '"reasoning_effort": "none" to /v1; or give it a larger token budget and a longer timeout.'
    )


def _new(decision: Decision, target: TargetChoice) -> str:
    return f"the one built on {target.model}" if decision.rebuild is not None else target.model


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def next_commands(run: Run) -> tuple[Command, ...]:
    """How to go on with a run that is not at its end."""
    match run.state:
        case "staged":
            return (Command(_command(run, "resume"), "switches to what was staged"),)
        case "failed" | "unfinished":
            return (Command(_command(run, "resume"), "goes on; what is done already is not done again"),)
        case "rolling-back":
            return (Command(_command(run, "rollback"), "goes on with the rollback"),)
        case _:
            return ()


def way_back(run: Run) -> tuple[Command, ...]:
    """How to undo a run with llamaexit; nothing where there is nothing to undo."""
    if run.state == "rolling-back" or not (run.changes or run.backups):
        return ()
    purge = Command(_command(run, "rollback", "--purge"), "removes what the run downloaded and its backups, too")
    if run.state == "rolled-back":
        return (purge,)
    names = words.listed(change.name for change in moved(run))
    does = f"puts back what {names} meant before" if names else "takes back what was prepared"
    return Command(_command(run, "rollback"), f"{does}; what was downloaded stays"), purge


def by_hand(run: Run) -> tuple[Command, ...]:
    """The way back for names that were switched, with nothing but Ollama."""
    backups = {backup.digest: backup.name for backup in run.backups}
    return tuple(
        Command(f"ollama cp {shlex.quote(backups[item.before])} {shlex.quote(item.name)}", f"brings back {item.name}")
        for item in moved(run)
        if item.before is not None and item.before in backups
    )


def later(run: Run) -> tuple[Command, ...]:
    """What is left to do once nobody misses the old models."""
    if run.state != "committed":
        return ()
    text = " ".join(["llamaexit retire", *_place(run)])
    return (Command(text, "deletes old models that can be pulled again, and nothing else does"),)


def _command(run: Run, name: str, *more: str) -> str:
    return " ".join(["llamaexit", name, run.id, *more, *_place(run)])


def _place(run: Run) -> list[str]:
    return [] if run.host == _DEFAULT_HOST else ["--host", shlex.quote(run.host)]


def back_note(run: Run) -> str:
    """What to know about going back, beside the commands; empty where they say it all."""
    if run.state == "rolled-back":
        return (
            "The run was undone. Clients that were edited for it have to be edited back: "
            'a Llama answers a request with "think": true with an error.'
        )
    if not (run.changes or run.backups):
        return "There is nothing to undo: the run changed nothing."
    return "Clients that were edited for the new models have to be edited back, too." if client_edits(run) else ""
