"""Recipes from a web server, whose hash is named with them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from git_repository import GitServer, answering, endless, hanging
from recipe_texts import recipe

from llamaexit.errors import RecipeError
from llamaexit.recipes.load import load_library
from llamaexit.recipes.read import Unreadable
from llamaexit.recipes.sources import Unresolved
from llamaexit.sharing.addresses import WebAddress
from llamaexit.sharing.remote import RemoteSources
from llamaexit.sharing.web import fetch_file

Finder = Callable[..., RemoteSources]

TEXT = recipe("team", extends=["builtin:fallback"]).encode()
NO_TEXT = b"name = \xff"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def reference(git_server: GitServer) -> str:
    """The address of a recipe that is served."""
    git_server.answer = answering(200, body=TEXT)
    return f"{git_server.web('team.toml')}#sha256={sha256(TEXT)}"


def test_a_file_is_fetched_once(reference: str, git_server: GitServer, finder: Finder) -> None:
    first, second = finder(), finder(offline=True)
    for sources in (first, second):
        library = load_library([reference], sources=sources)
        assert [one.file for one in library.loaded if not one.builtin] == [reference]
    assert git_server.requests == ["GET /team.toml"]
    assert [one.cached for one in (*first.fetched, *second.fetched)] == [False, True]
    (fetched,) = second.fetched
    assert (fetched.commit, fetched.committed, fetched.sha256) == ("", "", sha256(TEXT))


def test_line_ends_of_windows_do_not_change_the_hash(git_server: GitServer, finder: Finder) -> None:
    text = TEXT.replace(b"\n", b"\r\n")
    git_server.answer = answering(200, body=text)
    sources = finder()
    found = sources.resolve(f"{git_server.web('team.toml')}#sha256={sha256(text)}", None)
    assert found.text.encode() == TEXT
    assert sources.fetched[0].sha256 == sha256(text)


def test_another_file_than_the_one_named_is_not_looked_at(git_server: GitServer, finder: Finder, cache: Path) -> None:
    git_server.answer = answering(200, body=NO_TEXT)
    with pytest.raises(RecipeError) as refused:
        load_library([f"{git_server.web('team.toml')}#sha256={sha256(TEXT)}"], sources=finder())
    assert f"its sha256 is {sha256(NO_TEXT)}" in refused.value.message
    assert refused.value.exit_code == 4 and not cache.exists()


@pytest.mark.parametrize(
    ("status", "headers", "reason"),
    [
        (
            302,
            {"Location": "https://elsewhere.example/team.toml"},
            "redirects to https://elsewhere.example/team.toml, wh",
        ),
        (301, {"Location": "/other.toml"}, "redirects to /other.toml, which is not followed"),
        (308, {"Location": "file:///etc/passwd"}, "redirects to file:///etc/passwd, which is not followed"),
        (404, {}, "answers 404: there is no such file, or it is not public"),
        (401, {"WWW-Authenticate": "Basic"}, "answers 401: there is no such file, or it is not public"),
        (500, {}, "answers 500"),
        (206, {}, "answers 206"),
    ],
)
def test_other_answers_are_told(
    git_server: GitServer, finder: Finder, cache: Path, status: int, headers: dict[str, str], reason: str
) -> None:
    git_server.answer = answering(status, headers, TEXT)
    with pytest.raises(Unresolved, match=reason):
        finder().resolve(f"{git_server.web('team.toml')}#sha256={sha256(TEXT)}", None)
    assert git_server.requests == ["GET /team.toml"]
    assert "authorization" not in git_server.headers and not cache.exists()


def test_a_file_that_never_ends_is_left(git_server: GitServer, finder: Finder, cache: Path) -> None:
    git_server.answer = endless(git_server, b"", bytes(65536), "text/plain")
    with pytest.raises(Unresolved, match="more than the 1048576 bytes expected"):
        finder().resolve(f"{git_server.web('team.toml')}#sha256={sha256(TEXT)}", None)
    assert not cache.exists()


def test_a_server_that_says_nothing_is_left(git_server: GitServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamaexit.ollama.web.SLOWEST", 1 << 40)  # bytes a second: no time for a slow transfer
    git_server.answer = hanging(git_server)
    started = time.monotonic()
    with pytest.raises(Unresolved, match="did not answer in time"):
        fetch_file(WebAddress(git_server.web("team.toml"), sha256(TEXT)), timeout=0.3)
    assert time.monotonic() - started < 5


def test_a_file_that_is_no_text_is_told(git_server: GitServer, finder: Finder) -> None:
    git_server.answer = answering(200, body=NO_TEXT)
    with pytest.raises(Unreadable, match="is not UTF-8 text"):
        finder().resolve(f"{git_server.web('team.toml')}#sha256={sha256(NO_TEXT)}", None)


def test_a_file_names_no_others_by_paths(git_server: GitServer, finder: Finder) -> None:
    text = recipe("team", extends=["base.toml"]).encode()
    git_server.answer = answering(200, body=text)
    with pytest.raises(RecipeError, match=r"names others by their own addresses, with #sha256=…"):
        load_library([f"{git_server.web('team.toml')}#sha256={sha256(text)}"], sources=finder())
    assert git_server.requests == ["GET /team.toml"]


def test_certificates_are_looked_at(
    served: Path, finder: Finder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    with GitServer(served, certificate=tmp_path / "server.pem") as server:
        server.answer = answering(200, body=TEXT)
        reference = f"{server.web('team.toml')}#sha256={sha256(TEXT)}"
        with pytest.raises(Unresolved, match="TLS certificate is not accepted"):
            finder().resolve(reference, None)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        assert finder().resolve(reference, None).text.encode() == TEXT
