"""Which settings the *server* runs with, as far as they can be seen from outside.

The API tells none of them. They are environment variables of the server process, which systemd, launchd, the desktop
app and Docker each set in their own way, so the caller's own environment is the weakest witness. Only a server on
this machine leaves traces that can be read (reference: Ollama's envconfig/config.go, app/store, app/server).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from llamaexit.errors import UsageError
from llamaexit.ollama.host import DEFAULT_PORT, resolve
from llamaexit.snapshot import Setting

PROCESS = "server process"
ENVIRONMENT = "environment"
APP = "desktop app"

_DEVICES = frozenset(
    {
        "CUDA_VISIBLE_DEVICES",
        "GGML_VK_VISIBLE_DEVICES",
        "GPU_DEVICE_ORDINAL",
        "HIP_VISIBLE_DEVICES",
        "HSA_OVERRIDE_GFX_VERSION",
        "ROCR_VISIBLE_DEVICES",
    }
)
_SECRET = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASSWORD|PASS|AUTH)(?:_|$)")
_MAX_FILE = 1 << 20
_UNIT_FOLDERS = ("etc", "run", "usr/local/lib", "usr/lib", "lib")
_UNIT = "ollama.service"


@dataclass(frozen=True, slots=True)
class Traces:
    """Where a server on this machine leaves traces. Tests and other systems give their own places.

    unit_folders: systemd's folders, the strongest first. app_database: SQLite file of the desktop app. agents: launchd
    property lists.
    """

    proc: Path | None = None
    unit_folders: tuple[Path, ...] = ()
    app_database: Path | None = None
    agents: tuple[Path, ...] = ()

    @classmethod
    def of_this_machine(
        cls, environ: Mapping[str, str], platform: str = sys.platform, root: Path = Path("/")
    ) -> Traces:
        """The places of this operating system, whose file system starts at `root`; nothing is read yet."""
        home = environ.get("USERPROFILE" if platform == "win32" else "HOME")
        if platform == "linux":
            folders = [root / folder / "systemd/system" for folder in _UNIT_FOLDERS]
            if home:
                folders.append(Path(home, ".config/systemd/user"))
            return cls(proc=root / "proc", unit_folders=tuple(folders))
        if platform == "darwin" and home:
            return cls(
                app_database=Path(home, "Library/Application Support/Ollama/db.sqlite"),
                agents=(Path(home, "Library/LaunchAgents/homebrew.mxcl.ollama.plist"),),
            )
        if platform == "win32" and (local := environ.get("LOCALAPPDATA")):
            return cls(app_database=Path(local, "Ollama", "db.sqlite"))
        return cls()


@dataclass(frozen=True, slots=True)
class _Process:
    """A running `ollama serve`; `environ` is None when this user may not read it."""

    environ: dict[str, str] | None


def read_settings(
    environ: Mapping[str, str], *, port: int = DEFAULT_PORT, traces: Traces | None = None
) -> dict[str, Setting]:
    """The settings of the Ollama server on this machine that listens on `port`, by variable name.

    What a server process shows is complete, so nothing else counts then. Otherwise unit files and the desktop app come
    before the caller's `environ`, which does not count at all when another user's server is seen to run.
    Secrets are never among them. Nothing that cannot be read is an error.
    """
    if traces is None:
        traces = Traces.of_this_machine(environ)
    processes = list(_processes(traces.proc)) if traces.proc else []
    for process in processes:
        if process.environ is not None and _listens_on(process.environ, port):
            return _settings(process.environ, PROCESS)
    others = any(process.environ is None for process in processes)
    found = {} if others else _settings(environ, ENVIRONMENT)
    found |= _unit_settings(traces.unit_folders)
    found |= _agent_settings(traces.agents)
    if traces.app_database is not None:
        found |= _app_settings(traces.app_database)
    return found


def go_bool(text: str) -> bool:
    """A setting as a truth value: Go's ParseBool, and true for anything it cannot parse."""
    return text.strip().strip("\"'") not in ("", "0", "f", "F", "false", "FALSE", "False")


def _settings(variables: Mapping[str, str], source: str) -> dict[str, Setting]:
    """The variables that matter, cleaned as Ollama cleans them; empty ones count as unset."""
    found = {}
    for name in sorted(variables):
        if not (name in _DEVICES or name.startswith(("OLLAMA_", "LLAMA_ARG_"))) or _SECRET.search(name):
            continue
        if value := variables[name].strip().strip("\"'"):
            found[name] = Setting(value, source)
    return found


def _listens_on(variables: Mapping[str, str], port: int) -> bool:
    try:
        return resolve(variables.get("OLLAMA_HOST")).port == port
    except UsageError:
        return False


def _processes(proc: Path) -> Iterator[_Process]:
    """The Ollama servers among the running processes. Their runners have the same name, but no `serve`."""
    try:
        folders = [entry for entry in os.scandir(proc) if entry.name.isdigit()]
    except OSError:
        return
    for folder in folders:
        if _read(f"{folder.path}/comm").strip() != b"ollama":
            continue
        arguments = _read(f"{folder.path}/cmdline").split(b"\0")
        if b"serve" not in arguments[1:]:
            continue
        raw = _read(f"{folder.path}/environ")
        yield _Process(_environ(raw) if raw else None)


def _environ(raw: bytes) -> dict[str, str]:
    pairs = (entry.decode("utf-8", "replace").partition("=") for entry in raw.split(b"\0"))
    return {name: value for name, separator, value in pairs if separator}


def _read(path: str | Path) -> bytes:
    """The content of a small file, empty when it cannot be had. There may be hundreds to ask for in /proc."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a Path costs more than reading
            return file.read(_MAX_FILE)
    except (OSError, ValueError):  # ValueError: a zero byte in a path that a unit file names
        return b""


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a folder on the way that may not be entered
        return False


# -- systemd ---------------------------------------------------------------------------------------------------------


def _unit_settings(folders: Iterable[Path]) -> dict[str, Setting]:
    """`Environment=` and `EnvironmentFile=` of the service and its drop-ins, as systemd.exec(5) reads them."""
    folders = tuple(folders)
    unit = next((path for folder in folders if _exists(path := folder / _UNIT)), None)
    if unit is None:
        return {}
    drop_ins: dict[str, Path] = {}
    for folder in reversed(folders):  # of two drop-ins with the same name the stronger folder's counts
        drop_ins |= {path.name: path for path in _drop_ins(folder / f"{_UNIT}.d")}
    assigned: dict[str, Setting] = {}
    files: list[tuple[str, str]] = []
    for path, source in [
        (unit, "systemd unit"),
        *((drop_ins[name], f"systemd drop-in {name}") for name in sorted(drop_ins)),
    ]:
        for key, value in _service_lines(_read(path).decode("utf-8", "replace")):
            if key == "Environment":
                assigned = {**assigned, **_assignments(_words(value), source)} if value else {}
            elif key == "EnvironmentFile":
                files = [*files, (value.removeprefix("-"), source)] if value else []
    for name, source in files:  # files count more than lines, wherever they stand
        lines = _read(name).decode("utf-8", "replace").splitlines()
        words = [line.strip() for line in lines if line.strip() and line.strip()[0] not in "#;"]
        assigned |= _assignments(words, f"{source}: {name}")
    return assigned


def _drop_ins(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == ".conf")
    except OSError:
        return []


def _service_lines(text: str) -> Iterator[tuple[str, str]]:
    """Key and value of each line in the section [Service], continued lines joined."""
    section = ""
    for line in re.sub(r"\\\n[ \t]*", " ", text).splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif section == "Service" and line and line[0] not in "#;":
            key, _, value = line.partition("=")
            yield key.strip(), value.strip()


def _words(value: str) -> list[str]:
    """The assignments of one `Environment=` line, quotes taken off."""
    import shlex

    try:
        return shlex.split(value)
    except ValueError:
        return value.split()


def _assignments(words: Iterable[str], source: str) -> dict[str, Setting]:
    pairs = (word.partition("=") for word in words)
    return _settings({name: value.replace("%%", "%") for name, separator, value in pairs if separator}, source)


# -- launchd and the desktop app ---------------------------------------------------------------------------------------


def _agent_settings(agents: Iterable[Path]) -> dict[str, Setting]:
    """`EnvironmentVariables` of launchd property lists."""
    found: dict[str, Setting] = {}
    for path in agents:
        raw = _read(path)
        if not raw:
            continue
        import plistlib
        from xml.parsers.expat import ExpatError

        try:
            variables = plistlib.loads(raw).get("EnvironmentVariables", {})
        except (plistlib.InvalidFileException, ExpatError, ValueError, AttributeError):
            continue
        if isinstance(variables, dict):
            texts = {str(name): value for name, value in variables.items() if isinstance(value, str)}
            found |= _settings(texts, f"launchd {path.name}")
    return found


def _app_settings(database: Path) -> dict[str, Setting]:
    """What the desktop app passes to the server it starts (app/server/server.go). Its database is only read."""
    row = _app_row(database)
    variables: dict[str, str] = {}
    if row.get("expose"):
        variables["OLLAMA_HOST"] = "0.0.0.0"
    if row.get("browser"):
        variables["OLLAMA_ORIGINS"] = "*"
    models = row.get("models")
    if isinstance(models, str) and models and _exists(Path(models)):
        variables["OLLAMA_MODELS"] = models
    length = row.get("context_length")
    if isinstance(length, int) and length > 0:
        variables["OLLAMA_CONTEXT_LENGTH"] = str(length)
    return _settings(variables, APP)


def _app_row(database: Path) -> dict[str, object]:
    if not _exists(database):
        return {}
    import sqlite3
    from contextlib import closing

    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=0.2)) as connection:
            cursor = connection.execute("SELECT * FROM settings LIMIT 1")  # the columns differ between releases
            row = cursor.fetchone()
            return dict(zip((column[0] for column in cursor.description), row, strict=True)) if row else {}
    except sqlite3.Error:
        return {}
