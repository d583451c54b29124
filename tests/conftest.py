"""What every test has: a home of its own, no Ollama in sight, and the recordings of a real one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from standin import Standin, Store

DATA = Path(__file__).parent / "data"
NOWHERE = "http://127.0.0.1:1"
"""An address nothing listens on: port 1 needs privileges nobody gives a test."""
_HOME_VARIABLES = {
    "HOME": "",
    "USERPROFILE": "",
    "APPDATA": "AppData/Roaming",
    "LOCALAPPDATA": "AppData/Local",
    "XDG_CONFIG_HOME": ".config",
    "XDG_CONFIG_DIRS": "etc/xdg",
    # where platformdirs looks on Windows before it asks the system; so settings lie at the same places everywhere
    "WIN_PD_OVERRIDE_LOCAL_APPDATA": ".config",
    "WIN_PD_OVERRIDE_COMMON_APPDATA": "etc/xdg",
    "XDG_CACHE_HOME": ".cache",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_RUNTIME_DIR": "run",
}
_FOREIGN_PREFIXES = ("OLLAMA_", "LLAMA_ARG_", "LLAMAEXIT_", "HF_", "XDG_")
_FOREIGN = frozenset(
    {
        "ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "CI", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES",
        "ROCR_VISIBLE_DEVICES", "GGML_VK_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "HSA_OVERRIDE_GFX_VERSION",
    }
)  # fmt: skip
KEPT = "LLAMAEXIT_TEST_OLLAMA"
"""The one variable of ours that may come from outside: the address of a real server for the tests marked `ollama`."""

# a busy machine is no reason for a property to fail
hypothesis.settings.register_profile("llamaexit", deadline=None)
hypothesis.settings.load_profile("llamaexit")


@pytest.fixture(autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Home, XDG folders and the current directory are empty temporary ones, and OLLAMA_HOST points nowhere.

    So no test can read or write what belongs to the person running it. Returns the home directory.
    """
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name != KEPT and (name.startswith(_FOREIGN_PREFIXES) or name.upper() in _FOREIGN):
            monkeypatch.delenv(name)
    for name, below in _HOME_VARIABLES.items():
        monkeypatch.setenv(name, str(home / below))
    monkeypatch.setenv("OLLAMA_HOST", NOWHERE)
    # the places an Ollama service keeps its models and its settings in
    root = home / "root"
    root.mkdir()
    monkeypatch.setattr("llamaexit.ollama.inventory.ROOT", root)
    here = home / "work"
    here.mkdir()
    monkeypatch.chdir(here)
    return home


@pytest.fixture
def recordings() -> Path:
    """What a real Ollama 0.33.0-rc2 answered, one JSON file for each request."""
    return DATA / "recordings" / "ollama-0.33.0-rc2"


@pytest.fixture(scope="session")
def _store_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return materialised_store(tmp_path_factory.mktemp("store") / "models")


@pytest.fixture
def store(_store_template: Path, tmp_path: Path) -> Path:
    """The model store of the recorded server, as a directory of the test's own that it may change."""
    return Path(shutil.copytree(_store_template, tmp_path / "models"))


def materialised_store(target: Path) -> Path:
    """The recorded store as Ollama lays it out. In git the colon of `localhost:5999` is an underscore, because Windows
    cannot check such a directory out."""
    shutil.copytree(DATA / "store-ollama-0.33.0-rc2", target)
    if os.name != "nt":
        (target / "manifests" / "localhost_5999").rename(target / "manifests" / "localhost:5999")
    return target


@pytest.fixture
def standin(store: Path) -> Iterator[Standin]:
    """A running Ollama stand-in that serves the recorded store."""
    with Standin(Store.from_directory(store)) as server:
        yield server


@pytest.fixture
def start_standin() -> Iterator[Callable[..., Standin]]:
    """Start stand-ins with a store or options of the test's own: `start_standin(store, latency=0.1)`."""
    running: list[Standin] = []

    def start(store: Store | None = None, **options: Any) -> Standin:
        server = Standin(store if store is not None else Store(), **options)
        running.append(server)
        return server.start()

    yield start
    for server in running:
        server.stop()
