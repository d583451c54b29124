"""Nothing that is set for git on this machine counts when a recipe is fetched: neither files nor variables.

Each trap is shown to work first, on a plain git: a test in which nothing could happen would prove nothing.
"""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from git_repository import GitRepository, GitServer, answering
from recipe_texts import recipe

from llamaexit.recipes.sources import Unresolved
from llamaexit.sharing.remote import RemoteSources

Finder = Callable[..., RemoteSources]
Maker = Callable[..., GitRepository]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the traps are shell scripts")


@pytest.fixture
def team(make_repository: Maker) -> GitRepository:
    repository = make_repository("team.git")
    repository.commit({"team.toml": recipe("team")})
    return repository


@pytest.fixture
def sprung(tmp_path: Path) -> Path:
    """The file that a trap makes when it is run."""
    return tmp_path / "sprung"


@pytest.fixture
def trap(tmp_path: Path, sprung: Path) -> Path:
    """A program that leaves a trace, hands out a password, and goes on as what it stands for."""
    script = tmp_path / "trap"
    script.write_text(
        f"#!/bin/sh\necho $0 $* >> {sprung}\n"
        'case "$1" in git) exec "$@";; get) echo username=u; echo password=p;; *name*|*word*) echo u;; esac\n'
    )
    script.chmod(0o755)
    return script


def plain_git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Git as it is called when nobody takes care."""
    return subprocess.run(["git", *arguments], capture_output=True, timeout=20)


def fetched(finder: Finder, reference: str) -> str:
    return finder().resolve(reference, None).text


def test_programs_named_in_the_settings_of_the_user_are_not_run(
    isolated: Path, team: GitRepository, finder: Finder, trap: Path, sprung: Path
) -> None:
    (isolated / ".gitconfig").write_text(
        f'[uploadpack]\n\tpackObjectsHook = {trap}\n[core]\n\tsshCommand = {trap}\n\tfsmonitor = {trap}\n'
        f"\thooksPath = {trap.parent}\n[alias]\n\tfetch = !{trap}\n[protocol]\n\tallow = always\n"
    )  # fmt: skip
    assert plain_git("clone", "-q", "--depth=1", team.folder.as_uri(), str(isolated / "clone")).returncode == 0
    assert sprung.exists()
    sprung.unlink()
    assert 'name = "team"' in fetched(finder, f"{team.url}@main#team.toml")
    assert not sprung.exists()


@pytest.mark.parametrize("place", [".gitconfig", ".config/git/config"])
def test_addresses_are_not_rewritten(
    isolated: Path, team: GitRepository, make_repository: Maker, finder: Finder, place: str
) -> None:
    evil = make_repository("evil.git")
    evil.commit({"team.toml": recipe("evil")})
    settings = isolated / place
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f'[url "{evil.folder.as_uri()}"]\n\tinsteadOf = {team.folder.as_uri()}\n')
    listed = plain_git("ls-remote", team.folder.as_uri(), "refs/heads/main").stdout
    assert listed.startswith(evil.git("rev-parse", "HEAD").encode())
    assert 'name = "team"' in fetched(finder, f"{team.url}@main#team.toml")


def test_settings_of_a_repository_around_the_cache_or_the_current_folder_do_not_count(
    isolated: Path, team: GitRepository, make_repository: Maker, finder: Finder, cache: Path
) -> None:
    evil = make_repository("evil.git")
    evil.commit({"team.toml": recipe("evil")})
    for around in (Path.cwd(), cache.parent):
        plain_git("init", "-q", str(around))
        with (around / ".git" / "config").open("a") as config:
            config.write(f'[url "{evil.folder.as_uri()}"]\n\tinsteadOf = {team.folder.as_uri()}\n')
    listed = plain_git("ls-remote", team.folder.as_uri(), "refs/heads/main").stdout
    assert listed.startswith(evil.git("rev-parse", "HEAD").encode())
    assert 'name = "team"' in fetched(finder, f"{team.url}@main#team.toml")


def test_nobody_is_asked_for_a_password_and_none_is_handed_out(
    isolated: Path, team: GitRepository, git_server: GitServer, finder: Finder, trap: Path, sprung: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (isolated / ".gitconfig").write_text(f"[credential]\n\thelper = {trap}\n[core]\n\taskPass = {trap}\n")
    (isolated / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (isolated / ".netrc").chmod(stat.S_IRUSR)
    monkeypatch.setenv("SSH_ASKPASS", str(trap))
    monkeypatch.setenv("GIT_ASKPASS", str(trap))
    git_server.answer = answering(401, {"WWW-Authenticate": 'Basic realm="x"'})
    plain_git("ls-remote", git_server.web("team.git"))
    assert sprung.exists() and "authorization" in git_server.headers
    sprung.unlink()
    git_server.headers = {}
    with pytest.raises(Unresolved, match="or it is not public"):
        fetched(finder, f"{git_server.url('team.git')}@main#team.toml")
    assert not sprung.exists()
    assert git_server.headers and "authorization" not in git_server.headers


def test_variables_of_git_do_not_count(
    isolated: Path, team: GitRepository, make_repository: Maker, finder: Finder, trap: Path, sprung: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    evil = make_repository("evil.git")
    evil.commit({"team.toml": recipe("evil")})
    trace = isolated / "trace"
    settings = isolated / "settings"
    settings.write_text(f"[uploadpack]\n\tpackObjectsHook = {trap}\n")
    for name, value in {
        "GIT_CONFIG_GLOBAL": str(settings),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{evil.folder.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": team.folder.as_uri(),
        "GIT_TRACE": str(trace),
        "GIT_DIR": str(evil.folder / ".git"),
        "GIT_WORK_TREE": str(isolated),
        "GIT_OBJECT_DIRECTORY": str(isolated / "objects"),
        "GIT_TEMPLATE_DIR": str(isolated),
        "GIT_SSH_COMMAND": str(trap),
        "GIT_PROXY_COMMAND": str(trap),
        "GIT_ALLOW_PROTOCOL": "ext",
        "GIT_NAMESPACE": "other",
    }.items():
        monkeypatch.setenv(name, value)
    plain_git("ls-remote", team.folder.as_uri())
    assert trace.exists()
    trace.unlink()
    before = sorted(path.name for path in isolated.iterdir())
    assert 'name = "team"' in fetched(finder, f"{team.url}@main#team.toml")
    assert sorted(path.name for path in isolated.iterdir()) == before
    assert not sprung.exists()


def test_hooks_of_a_repository_on_this_machine_are_not_run(
    isolated: Path, team: GitRepository, finder: Finder, trap: Path, sprung: Path
) -> None:
    hooks = team.folder / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "post-merge", "reference-transaction", "post-rewrite", "post-upload-pack"):
        (hooks / name).write_text(trap.read_text())
        (hooks / name).chmod(0o755)
    team.git("branch", "spring-the-trap")
    assert sprung.exists()
    sprung.unlink()
    team.git("config", "uploadpack.packObjectsHook", str(trap))
    team.git("config", "core.fsmonitor", str(trap))
    assert 'name = "team"' in fetched(finder, f"{team.url}@main#team.toml")
    assert not sprung.exists()


def test_ssh_asks_nobody_and_accepts_no_unknown_key(
    tmp_path: Path, finder: Finder, sprung: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "ssh").write_text(
        f'#!/bin/sh\necho "$*" >> {sprung}\necho "Host key verification failed." >&2\nexit 255\n'
    )
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(Unresolved, match=r"the ssh key of git\.example is not known on this machine"):
        finder().resolve("git+ssh://git@git.example:2222/acme/exit.git@main#team.toml", None)
    arguments = sprung.read_text()
    for wanted in (
        "BatchMode=yes", "StrictHostKeyChecking=yes", "PermitLocalCommand=no", "ForwardAgent=no",
        "-p 2222 git@git.example git-upload-pack '/acme/exit.git'",
    ):  # fmt: skip
        assert wanted in arguments


def test_a_git_in_the_current_folder_is_not_the_git_of_this_machine(
    team: GitRepository, finder: Finder, trap: Path, sprung: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("git").write_text(trap.read_text())
    Path("git").chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([".", ""]))
    with pytest.raises(Unresolved, match=r"git is needed to fetch that, and it is not installed"):
        fetched(finder, f"{team.url}@main#team.toml")
    assert not sprung.exists()


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(
    team: GitRepository, git_server: GitServer, finder: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert plain_git("ls-remote", git_server.web("team.git")).returncode != 0
    assert 'name = "team"' in fetched(finder, f"{git_server.url('team.git')}@main#team.toml")


def test_certificates_are_looked_at_and_may_come_from_an_authority_of_ones_own(
    team: GitRepository, served: Path, finder: Finder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")
    with GitServer(served, certificate=tmp_path / "server.pem") as server:
        reference = f"{server.url('team.git')}@main#team.toml"
        assert reference.startswith("git+https://127.0.0.1:")
        with pytest.raises(Unresolved, match=r"127\.0\.0\.1 shows a TLS certificate that is not accepted"):
            fetched(finder, reference)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
        assert 'name = "team"' in fetched(finder, reference)
