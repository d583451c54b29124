"""Writing to the terminal, a pipe or a file, whatever it can take: any encoding, any width, a reader that left."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from llamaexit.errors import REFUSED, LlamaexitError

if TYPE_CHECKING:
    from rich.console import Console

_PLAINER = str.maketrans(
    {
        "→": "->",
        "–": "-",
        "—": "-",
        "…": "...",
        "·": "-",
        "×": "x",
        "≥": ">=",
        "≤": "<=",
        "−": "-",
        "’": "'",
        "⋯": "...",
    }
)
_HEAD = 2048
"""Bytes at the beginning of a page that say what it is."""
_NARROWEST = 40
_USUAL = 80
_WIDE_ENOUGH = 140


class OutputError(LlamaexitError):
    """A file that was to be written could not be."""

    code = "output"


class OverwriteError(OutputError):
    """A file of somebody else's stands where one of ours should go."""

    exit_code = REFUSED


class StdoutError(OutputError):
    """Standard output takes nothing: its disk is full, say. There is only stderr left to say so."""


def fitted(text: str, stream: TextIO) -> str:
    """`text` as `stream` can show it: plainer signs, then question marks, where its encoding has no such character."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAINER).encode(encoding, "replace").decode(encoding)
    return text


def write_text(text: str) -> None:
    """Print to stdout. A reader that went away (`| head`) is not an error."""
    with _to_stdout():
        sys.stdout.write(fitted(text, sys.stdout))
        sys.stdout.flush()


def write_json(chunks: Iterable[bytes]) -> None:
    """Write JSON to stdout as UTF-8, which is what JSON is, whatever the locale."""
    for chunk in chunks:
        with _to_stdout():
            sys.stdout.buffer.write(chunk)
    with _to_stdout():
        sys.stdout.buffer.flush()


def complain(text: str) -> None:
    """Print a line to stderr. With stderr closed there is nobody to tell."""
    try:
        sys.stderr.write(fitted(text, sys.stderr) + "\n")
        sys.stderr.flush()
    except OSError:
        pass


@contextmanager
def _to_stdout() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # Otherwise the interpreter flushes stdout once more when it exits, and complains about the same thing.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise StdoutError(f"cannot write to standard output: {reason(error)}") from error


def reason(error: OSError) -> str:
    """Why the system refused, without the number and the path."""
    return (error.strerror or str(error)).lower()


def console_for(stream: TextIO) -> Console:
    """A console that renders into memory as `stream` would be written to: its width, and colour only on a terminal."""
    import io

    from rich.console import Console, detect_legacy_windows

    terminal = stream.isatty() and os.environ.get("TERM") != "dumb" and not detect_legacy_windows()
    coloured = terminal and not os.environ.get("NO_COLOR")
    width = max(_NARROWEST, min(_columns(stream), _WIDE_ENOUGH))
    return Console(
        file=io.StringIO(), width=width, force_terminal=terminal, no_color=not coloured, legacy_windows=False,
        highlight=False, markup=False, emoji=False,
    )  # fmt: skip


def _columns(stream: TextIO) -> int:
    import shutil

    if stream.isatty() and not os.environ.get("COLUMNS"):
        with suppress(OSError, ValueError):  # shutil only looks at standard output, which may be a pipe
            return os.get_terminal_size(stream.fileno()).columns or _USUAL
    return shutil.get_terminal_size((_USUAL, 24)).columns


def rendered(console: Console) -> str:
    """What was printed on a console made by `console_for`, without the blanks that pad tables."""
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in text.split("\n"))


def write_document(path: Path, content: bytes, schema: str) -> None:
    """Put one of our documents at `path` whole or not at all: written beside it, synced, then moved over it.

    It takes the place of nothing but an empty file and a document of the same kind. A link is followed; a device or a
    pipe is written to as it is.
    """
    from llamaexit.documents import kind_of

    kind = schema.partition("/")[0]
    _write(path, content, lambda present: kind_of(present) == kind, kind.removeprefix("llamaexit."))


def write_page(path: Path, text: str, mark: str) -> None:
    """Put a page for people at `path`, as `write_document` does. `mark`: what only such pages begin with."""
    _write(path, text.encode(), lambda present: mark.encode() in present[:_HEAD], "report")


def write_new(path: Path, text: str) -> None:
    """Put a text of its own at `path`, where there is nothing yet, or only an empty file."""
    try:
        target = _led_to(path)
        if target.is_dir():
            raise OutputError(f"cannot write {path}: it is a directory", hint="name a file")
        if target.exists() and target.stat().st_size:
            raise OverwriteError(f"{path} is there already", hint="choose another name, or move it away")
        _replace(target, text.encode())
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason(error)}", hint=_elsewhere(error)) from error


def rewrite(path: Path, content: bytes) -> None:
    """Put new content into a file that is there, whole or not at all. A link is followed, permissions stay."""
    import shutil

    try:
        target = _led_to(path)
        _replace(target, content, lambda temporary: shutil.copymode(target, temporary))
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason(error)}", hint=_elsewhere(error)) from error


def _write(path: Path, content: bytes, is_ours: Callable[[bytes], bool], kind: str) -> None:
    try:
        target = _led_to(path)
        if target.is_dir():
            raise OutputError(f"cannot write {path}: it is a directory", hint="name a file")
        if target.exists() and not target.is_file():
            target.write_bytes(content)
        else:
            _refuse_to_destroy(target, path, is_ours, kind)
            _replace(target, content)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {reason(error)}", hint=_elsewhere(error)) from error


def _led_to(path: Path) -> Path:
    circle = OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    try:
        target = path.resolve()
    except RuntimeError as error:  # what Python before 3.13 says of links that go round in circles
        raise circle from error
    if target.is_symlink():  # and what later ones leave as it is
        raise circle
    return target


def _refuse_to_destroy(target: Path, path: Path, is_ours: Callable[[bytes], bool], kind: str) -> None:
    from llamaexit.documents import LARGEST

    size = target.stat().st_size if target.exists() else 0
    if size == 0 or (size <= LARGEST and is_ours(target.read_bytes())):
        return
    raise OverwriteError(
        f"{path} is there already, and is no {kind} of llamaexit", hint="choose another name, or move it away"
    )


def _elsewhere(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "make the folder first, or name another one"
    return "name a file in a folder you may write to" if isinstance(error, PermissionError) else "name another file"


def _replace(target: Path, content: bytes, prepare: Callable[[Path], None] | None = None) -> None:
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if prepare is not None:
            prepare(temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
