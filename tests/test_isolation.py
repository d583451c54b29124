"""The tests cannot reach the files and the Ollama of the person who runs them."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


def test_home_and_current_directory_are_temporary(isolated: Path) -> None:
    temporary = Path(tempfile.gettempdir()).resolve()
    assert Path.home() == isolated
    assert Path.home().resolve().is_relative_to(temporary)
    assert Path.cwd().resolve().is_relative_to(temporary)


@pytest.mark.parametrize(
    "name", ["XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME", "XDG_STATE_HOME", "APPDATA", "LOCALAPPDATA"]
)
def test_configuration_folders_lie_below_the_temporary_home(name: str, isolated: Path) -> None:
    assert Path(os.environ[name]).is_relative_to(isolated)


def test_nothing_listens_where_ollama_host_points() -> None:
    host, port = os.environ["OLLAMA_HOST"].removeprefix("http://").split(":")
    with socket.socket() as sock:
        sock.settimeout(1)
        assert sock.connect_ex((host, int(port))) != 0


def test_no_other_ollama_variable_is_left() -> None:
    assert [name for name in os.environ if name.startswith("OLLAMA_")] == ["OLLAMA_HOST"]


def test_variables_of_the_caller_do_not_get_in(tmp_path: Path) -> None:
    tests = Path(__file__).parent
    shutil.copy(tests / "conftest.py", tmp_path)
    (tmp_path / "test_inner.py").write_text(
        """
import os
from pathlib import Path

def test_inner():
    assert "OLLAMA_MODELS" not in os.environ
    assert "HTTP_PROXY" not in os.environ
    assert os.environ["LLAMAEXIT_TEST_OLLAMA"] == "http://kept"
    assert Path.home() != Path("/home/somebody")
"""
    )
    environment = {
        **os.environ,
        "PYTHONPATH": str(tests),
        "HOME": "/home/somebody",
        "USERPROFILE": "/home/somebody",
        "OLLAMA_MODELS": "/srv/models",
        "HTTP_PROXY": "http://proxy.example:3128",
        "LLAMAEXIT_TEST_OLLAMA": "http://kept",
    }
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_inner.py"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
