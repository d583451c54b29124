"""Plans for a directory of snapshots: one after the other, each handed on as soon as it is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamaexit.cli.answer import Problem, Result, Stream
from llamaexit.cli.mentions import Mentions
from llamaexit.errors import FAILED, INTERRUPTED, PENDING, REFUSED, DocumentError, LlamaexitError

if TYPE_CHECKING:
    from llamaexit.cli.plan_request import Request
    from llamaexit.planning.plan import Plan
    from llamaexit.recipes.library import Library


@dataclass(slots=True)
class Tally:
    """What came of the files so far."""

    done: int = 0
    unfinished: bool = False
    problems: list[Problem] = field(default_factory=list)
    exit_code: int = 0

    def fail(self, problem: Problem, exit_code: int) -> None:
        """Count one failure; the first one decides the exit code, an interruption overrules it."""
        self.problems.append(problem)
        if self.exit_code == 0 or exit_code == INTERRUPTED:
            self.exit_code = exit_code


def plan_directory(directory: Path, library: Library, request: Request) -> Result:
    """A plan for every `*.json` in a directory, in the order of their names. One bad file does not stop the others.

    Raises DocumentError when there are none.
    """
    files = sorted(path for path in directory.iterdir() if path.suffix == ".json" and path.is_file())
    if not files:
        raise DocumentError(
            f"{directory}: no .json file in it", hint="write snapshots there with llamaexit inspect --out"
        )
    tally = Tally()
    plans = _plans(files, library, request, tally)
    if request.as_json:
        return Result(Stream(_as_json(plans), lambda: tuple(tally.problems), lambda: _code(tally, request)), "")
    text = "".join(f"{line}\n" for line in _as_lines(plans, tally))
    return Result(None, text, exit_code=_code(tally, request), problems=tuple(tally.problems))


def _plans(
    files: list[Path], library: Library, request: Request, tally: Tally
) -> Iterator[tuple[Path, Plan | Problem]]:
    from llamaexit.documents import SnapshotReader
    from llamaexit.hardware import override
    from llamaexit.planning.planner import Planner

    reader, planner, mentions = SnapshotReader(), Planner(library), Mentions(request.options)
    try:
        for file in files:
            try:
                snapshot = reader.load(file)
                machine = override(snapshot.machine, request.overrides)
                plan = planner.plan(replace(snapshot, machine=machine), request.options)
                mentions.met(snapshot, plan)
            except LlamaexitError as error:
                problem = Problem(error.code, error.message, error.hint)
                tally.fail(problem, REFUSED if isinstance(error, DocumentError) else error.exit_code)
                yield file, problem
            except Exception as error:  # one snapshot of many: say so there, and go on with the others
                problem = Problem("internal", f"{file}: unexpected {type(error).__name__}: {error}")
                tally.fail(problem, FAILED)
                yield file, problem
            else:
                tally.done += 1
                tally.unfinished = tally.unfinished or plan.unfinished
                yield file, plan
        if tally.done and (unmet := mentions.unmet()) is not None:
            tally.fail(Problem(unmet.code, unmet.message, unmet.hint), unmet.exit_code)
    except KeyboardInterrupt:
        tally.fail(Problem("interrupted", "interrupted, nothing was changed"), INTERRUPTED)


def _as_json(plans: Iterator[tuple[Path, Plan | Problem]]) -> Iterator[bytes]:
    from pydantic import TypeAdapter

    from llamaexit.jsonable import dump
    from llamaexit.planning.plan import Plan

    write = TypeAdapter[Any](Plan).dump_json
    yield b'{"plans":['
    start = b""
    for file, outcome in plans:
        yield start + b'{"file":' + dump(file.name)
        if isinstance(outcome, Problem):
            yield b',"error":' + dump(outcome) + b"}"
        else:
            yield b',"plan":' + write(outcome) + b"}"
        start = b","
    yield b"]}"


def _as_lines(plans: Iterator[tuple[Path, Plan | Problem]], tally: Tally) -> Iterator[str]:
    from llamaexit.report import words

    for file, outcome in plans:
        if not isinstance(outcome, Problem):
            yield f"{file.name}: {words.headline(outcome)[:-1]}; {words.totals(outcome.totals)[0]}"
    yield f"{words.counted(tally.done, 'plan')}. Nothing has been changed."


def _code(tally: Tally, request: Request) -> int:
    return tally.exit_code or (PENDING if request.check and tally.unfinished else 0)
