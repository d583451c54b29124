"""How a command answers: text or one JSON envelope, the same failures in both, and the exit code.

The envelope is `{"llamaexit", "command", "status", "exit_code", "data", "errors"}` (docs/reference/json-output.md).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import typer

from llamaexit import __version__
from llamaexit.cli.output import StdoutError, complain, console_for, rendered, write_json, write_text
from llamaexit.errors import FAILED, INTERRUPTED, PENDING, USAGE, LlamaexitError, RecipeError
from llamaexit.printable import in_one_line

if TYPE_CHECKING:
    from rich.console import Console

Status = Literal["success", "partial", "error"]


@dataclass(frozen=True, slots=True)
class Style:
    """How the user wants to be answered."""

    as_json: bool = False
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of `errors`: a stable code, one line, and the next step where there is one."""

    code: str
    message: str
    hint: str | None = None


@dataclass(frozen=True, slots=True)
class Stream:
    """Data too large to hold: JSON text in pieces. The other two are asked for once all of it is written."""

    chunks: Iterable[bytes]
    problems: Callable[[], tuple[Problem, ...]]
    exit_code: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Result:
    """What a command found. `text` renders it for people and is only called when that is wanted; bytes are JSON."""

    data: Any
    text: Callable[[Console], None] | str | bytes
    exit_code: int = 0
    problems: tuple[Problem, ...] = field(default=())


def answer(command: str, style: Style, body: Callable[[], Result]) -> NoReturn:
    """Run `body`, print what it found or why it could not, and leave with the exit code."""
    try:
        code = _answered(command, style, body)
    except StdoutError as error:
        _complain_about(_problems_of(error))
        code = error.exit_code
    raise typer.Exit(code)


def _answered(command: str, style: Style, body: Callable[[], Result]) -> int:
    try:
        return _show(command, style, body())
    except StdoutError:
        raise
    except LlamaexitError as error:
        return _fail(command, style, _problems_of(error), error.exit_code, error)
    except KeyboardInterrupt as error:
        return _fail(command, style, (Problem("interrupted", "interrupted, nothing was changed"),), INTERRUPTED, error)
    except Exception as error:
        return _fail(command, style, (_internal(error, style),), FAILED, error)


def answer_usage_error(command: str | None, message: str, style: Style) -> int:
    """Say what is wrong with a command line that no command got to see. command: the one it was meant for, if known."""
    hint = f"see llamaexit {command} --help" if command else "see llamaexit --help"
    message = " ".join(message.split()).removesuffix(".")
    return _fail(command, style, (Problem("usage", message[:1].lower() + message[1:], hint),), USAGE, None)


def envelope(command: str | None, data: Any, exit_code: int, problems: Sequence[Problem]) -> dict[str, Any]:
    """The one shape of every `--json` answer."""
    return {
        "llamaexit": __version__,
        "command": command,
        "status": _status(exit_code, problems, data),
        "exit_code": exit_code,
        "data": data,
        "errors": list(problems),
    }


def _status(exit_code: int, problems: Sequence[Problem], data: Any) -> Status:
    if not problems and exit_code in (0, PENDING):
        return "success"
    return "error" if data is None else "partial"


def _show(command: str, style: Style, result: Result) -> int:
    if style.as_json:
        if isinstance(result.data, Stream):
            return _stream(command, result.data)
        write_json(_json(envelope(command, result.data, result.exit_code, result.problems)))
        return result.exit_code
    if isinstance(result.text, bytes):
        write_json([result.text])
    elif isinstance(result.text, str):
        write_text(result.text)
    else:
        console = console_for(sys.stdout)
        result.text(console)
        write_text(rendered(console))
    _complain_about(result.problems)
    return result.exit_code


def _stream(command: str, stream: Stream) -> int:
    from llamaexit.jsonable import dump

    def pieces() -> Iterator[bytes]:
        yield b'{"llamaexit":' + dump(__version__) + b',"command":' + dump(command) + b',"data":'
        yield from stream.chunks
        problems, code = stream.problems(), stream.exit_code()
        rest = {"status": _status(code, problems, ()), "exit_code": code, "errors": problems}
        yield b"," + dump(rest)[1:] + b"\n"

    write_json(pieces())
    return stream.exit_code()


def _fail(
    command: str | None, style: Style, problems: Sequence[Problem], exit_code: int, error: BaseException | None
) -> int:
    if style.debug and error is not None:
        import traceback

        complain("".join(traceback.format_exception(error)).rstrip())
    if style.as_json:
        write_json(_json(envelope(command, None, exit_code, problems)))
    else:
        _complain_about(problems)
    return exit_code


def _json(value: dict[str, Any]) -> tuple[bytes, bytes]:
    from llamaexit.jsonable import dump

    return dump(value, indent=2 if sys.stdout.isatty() else None), b"\n"


def _complain_about(problems: Sequence[Problem]) -> None:
    for problem in problems:
        complain(in_one_line(f"llamaexit: {problem.message}" + (f" — {problem.hint}" if problem.hint else "")))


def _problems_of(error: LlamaexitError) -> tuple[Problem, ...]:
    if isinstance(error, RecipeError) and error.problems:
        *others, last = error.problems
        return (*(Problem(error.code, other) for other in others), Problem(error.code, last, error.hint))
    return (Problem(error.code, error.message, error.hint),)


def _internal(error: Exception, style: Style) -> Problem:
    said = " ".join(str(error).split())
    hint = None if style.debug else "this is a bug: please report it with what the same command says with --debug"
    return Problem("internal", f"unexpected {type(error).__name__}" + (f": {said}" if said else ""), hint)
