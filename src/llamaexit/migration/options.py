"""How a plan is to be carried out, and where: plain values, kept in the journal so that a run can go on as it began."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from llamaexit.smoke.model import Suite


@dataclass(frozen=True, slots=True)
class MigrationOptions:
    """What the user asked for.

    stage: stop before anything is switched. only, skip: glob patterns on source names. pull: False where targets have
    to be installed already (air-gap). keep_going: go on with the other models when one fails. aliases: neutral names to
    point at a target, each with the use or the source it stands for. take_over: let the names of the old library models
    mean the new ones. accept: sources that are switched whatever their verdict. suite: which smoke tests.
    answer_seconds: the longest wait for one answer of a model (None: by what the check needs). stall_seconds: how long
    a pull may stand still. overlap: pull the next model while one is tested.
    """

    stage: bool = False
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    pull: bool = True
    keep_going: bool = False
    aliases: dict[str, str] = field(default_factory=dict)
    take_over: bool = False
    accept: tuple[str, ...] = ()
    suite: Suite = "quick"
    answer_seconds: float | None = None
    stall_seconds: float = 120.0
    overlap: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Which Ollama is worked on, and where runs are kept.

    host: base URL. timeout: seconds for the short calls. store: the directory of its model store when that is on this
    machine, for the free disk; None when it cannot be seen. api_key: as OLLAMA_API_KEY.
    """

    host: str
    state: Path
    timeout: float = 30.0
    store: Path | None = None
    api_key: str | None = None
