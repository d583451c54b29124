"""The Ollama of this user and the models in it: from the server where it answers, otherwise from the store on disk."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamaexit.errors import GgufError, OllamaError, StoreError
from llamaexit.ollama.described import (
    Tag,
    described,
    listed,
    missing_arrays,
    modelfile_of,
    read_loaded,
    read_tag,
)
from llamaexit.ollama.failures import Refused, TimedOut, TooOld, Unreachable
from llamaexit.ollama.host import Host, resolve, stated
from llamaexit.ollama.modelfile import Modelfile
from llamaexit.ollama.server import DEFAULT_TIMEOUT, Server
from llamaexit.ollama.settings import Traces, read_settings
from llamaexit.snapshot import InstalledModel, Loaded, OllamaFacts, Setting

if TYPE_CHECKING:
    from llamaexit.ollama.store import StoreContents

AT_ONCE = 8
"""Show calls that run side by side."""
PATIENCE = 8
"""Show calls that may run into the timeout before the rest is not asked at all."""
ROOT = Path("/")
"""Where the file system starts; tests put another one in its place."""

Inventory = tuple[OllamaFacts, tuple[InstalledModel, ...]]


def take_inventory(
    *,
    host: str | None = None,
    store: Path | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    environ: Mapping[str, str] = os.environ,
) -> Inventory:
    """What Ollama is here and which models it has, sorted by name.

    With `store` only that directory is read. Otherwise the server at `host` (or OLLAMA_HOST, or the default address)
    is asked; `timeout` is in seconds and for each request. A server that is down and was not named with `host` is no
    error: the models are then read from a store on this machine, or there are none, and `problems` says so.

    Raises UsageError for an address that is none, StoreError for a `store` that cannot be read, and OllamaError when
    the server that was named does not answer as it should: `host` has to work, and what OLLAMA_HOST names may be down
    but must not be something else.
    """
    if store is not None:
        return _from_store(store, _settings(resolve(None), environ))
    named = (environ.get("OLLAMA_HOST") or "").strip()
    address = stated(host) if host else resolve(named)
    notes = (address.note,) if address.note else ()
    settings = _settings(address, environ)
    try:
        with Server(address, timeout, api_key=environ.get("OLLAMA_API_KEY") or None) as server:
            return _from_server(server, settings, notes)
    except OllamaError as error:
        if host or (named and not isinstance(error, Unreachable)):
            raise
        return _without_server(address, settings, environ, (*notes, *_told(error)))


def _settings(address: Host, environ: Mapping[str, str]) -> dict[str, Setting]:
    if not address.loopback:
        return {}
    return read_settings(environ, port=address.port, traces=Traces.of_this_machine(environ, root=ROOT))


# -- from the server -------------------------------------------------------------------------------------------------


def _from_server(server: Server, settings: dict[str, Setting], notes: tuple[str, ...]) -> Inventory:
    version = server.version()
    tags = sorted((tag for tag in map(read_tag, server.tags()) if tag.name), key=lambda tag: _order(tag.name))
    survey = _Survey(server)
    models, loaded, problems = survey.look(tags)
    here = survey.store if survey.store and server.host.loopback else None
    store = _local(here) or _named_store(settings)
    if store is not None and here is not None:
        from llamaexit.ollama.layers import with_layers

        models, unlisted = with_layers(models, store)
        problems = (*problems, *unlisted)
    facts = OllamaFacts(
        source="server",
        url=server.url,
        version=version,
        store=str(store) if store else None,
        settings=settings,
        loaded=loaded,
        problems=(*notes, *problems),
    )
    return facts, models


def _order(name: str) -> tuple[str, str]:
    return name.lower(), name


def _local(store: str | None) -> Path | None:
    """The store the server names, if it is on this machine: a container's or a virtual machine's is not."""
    if store is None:
        return None
    path = Path(store)
    try:
        return path if stat.S_ISDIR(path.stat().st_mode) else None
    except PermissionError:
        return path  # it is here, and closed to us
    except (OSError, ValueError):
        return None


def _named_store(settings: Mapping[str, Setting]) -> Path | None:
    setting = settings.get("OLLAMA_MODELS")
    return _local(setting.value) if setting else None


class _Survey:
    """The show calls for a list of models: side by side, once for each manifest, and given up when it is no use."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._timeouts = 0
        self.store: str | None = None
        """The model store as the server sees it."""

    def look(self, tags: list[Tag]) -> tuple[tuple[InstalledModel, ...], tuple[Loaded, ...], tuple[str, ...]]:
        """The models, those in memory, and what went wrong in general. Raises OllamaError when the server goes away."""
        from concurrent.futures import ThreadPoolExecutor

        first = {tag.digest or tag.name: tag for tag in reversed(tags)}
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="show") as pool:
            try:
                ps = pool.submit(self._loaded)
                found = dict(zip(first, pool.map(self._model, first.values()), strict=True))
                loaded, problems = ps.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        models = (replace(found[tag.digest or tag.name], name=tag.name, modified_at=tag.modified_at) for tag in tags)
        return tuple(models), loaded, problems

    def _loaded(self) -> tuple[tuple[Loaded, ...], tuple[str, ...]]:
        try:
            return tuple(map(read_loaded, self._server.ps())), ()
        except OllamaError as error:
            return (), _told(error)

    def _model(self, tag: Tag) -> InstalledModel:
        if tag.remote:
            return listed(tag)  # a show of a cloud model may be sent on to the cloud
        if self._timeouts >= PATIENCE:
            return listed(tag, f"not asked: the server ran into the timeout with {PATIENCE} other models")
        try:
            show = self._server.show(tag.name)
            arrays = self._arrays(tag.name, show) if missing_arrays(show) else None
        except TooOld:
            raise
        except Unreachable as error:
            self._server.version()  # it may have closed one connection only; when it is gone, this says so
            return listed(tag, error.message)
        except Refused as error:
            return listed(tag, f"the server cannot show it ({error.status}): {error.reason}")
        except OllamaError as error:
            self._timeouts += isinstance(error, TimedOut)
            return listed(tag, error.message)
        modelfile = modelfile_of(show)
        self.store = modelfile.store or self.store
        return described(tag, show, arrays)

    def _arrays(self, name: str, show: Mapping[str, Any]) -> Mapping[str, Any]:
        """Metadata with per-layer arrays: from the file where it can be read, because a verbose answer holds the
        whole vocabulary."""
        if self._server.host.loopback:
            metadata = _file_metadata(modelfile_of(show))
            if metadata is not None:
                return metadata
        info = self._server.show(name, verbose=True).get("model_info")
        return info if isinstance(info, dict) else {}


def _file_metadata(modelfile: Modelfile) -> Mapping[str, Any] | None:
    from llamaexit.gguf import read_header

    if modelfile.weights_path is None:
        return None
    try:
        return read_header(Path(modelfile.weights_path)).metadata
    except (GgufError, OSError, ValueError):
        return None


# -- from the store --------------------------------------------------------------------------------------------------


def _from_store(store: Path, settings: dict[str, Setting], problems: Iterable[str] = ()) -> Inventory:
    from llamaexit.ollama.store import read_store

    return _stored(read_store(store), settings, problems)


def _stored(contents: StoreContents, settings: dict[str, Setting], problems: Iterable[str]) -> Inventory:
    facts = OllamaFacts(
        source="store",
        store=str(contents.path),
        settings=settings,
        problems=(*problems, *contents.problems),
    )
    return facts, contents.models


def _without_server(
    address: Host, settings: dict[str, Setting], environ: Mapping[str, str], problems: tuple[str, ...]
) -> Inventory:
    """The first store on this machine that holds models, when the server should be on this machine."""
    from llamaexit.ollama.store import read_store

    nothing = OllamaFacts(source="none", url=address.url, settings=settings, problems=problems)
    if not address.loopback:
        return nothing, ()
    stores, barriers = _stores(settings, environ)
    found: list[StoreContents] = []
    for path in stores:
        try:
            found.append(read_store(path))
        except StoreError as error:
            barriers = (*barriers, *_told(error))
    problems = (*problems, *barriers)
    if not found:
        return replace(nothing, problems=problems), ()
    best = next((contents for contents in found if contents.models), found[0])
    others = [f"there is another store at {other.path}" for other in found if other is not best and other.models]
    facts, models = _stored(best, settings, (*problems, *others))
    return replace(facts, url=address.url), models


def _stores(settings: Mapping[str, Setting], environ: Mapping[str, str]) -> tuple[list[Path], tuple[str, ...]]:
    """Stores that can be read, the likeliest first, and what stands in the way of others."""
    from llamaexit.ollama.store import default_stores, usable_stores

    windows = sys.platform == "win32"
    home = environ.get("USERPROFILE" if windows else "HOME")
    models = settings.get("OLLAMA_MODELS")
    places = default_stores(
        {**environ, "OLLAMA_MODELS": models.value} if models else environ,
        system="windows" if windows else sys.platform,
        home=Path(home) if home else None,
        wsl=not windows and "microsoft" in os.uname().release.lower(),
        root=ROOT,
    )
    usable, barriers = usable_stores(places)
    return [place.path for place in usable], tuple(f"{barrier.message}; {barrier.hint}" for barrier in barriers)


def _told(error: OllamaError | StoreError) -> tuple[str, ...]:
    """An error as a problem line, next step included."""
    return (f"{error.message}; {error.hint}" if error.hint else error.message,)
