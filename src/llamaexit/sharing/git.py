"""Asking repositories with the `git` of this machine, none of whose settings count.

Nothing is checked out and nothing in a repository is run. Git itself is not trusted to stop: each command has a time
and a size limit, and ends with all processes it started. What it hands out is checked by its reader (`objects`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from llamaexit.recipes.problems import did_you_mean
from llamaexit.recipes.read import MOST_BYTES
from llamaexit.recipes.sources import Unresolved
from llamaexit.sharing.addresses import GitAddress, is_commit
from llamaexit.sharing.git_failures import in_words
from llamaexit.sharing.tree import PICTURES

MOST_OBJECTS = 20_000
"""Folders, recipes and pictures of one commit."""
_LEAST_WAIT, _LONGEST_WAIT = 0.002, 0.05
_BETWEEN_WEIGHINGS = 0.25
"""Seconds; looking at the memory of processes takes longer than looking at files."""
_FOREIGN = ("GIT_", "SSH_ASKPASS", "GCM_", "NETRC")
_SSH = (
    "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o ForwardAgent=no -o ForwardX11=no -o ClearAllForwardings=yes"
    " -o PermitLocalCommand=no -o ControlMaster=no -o ControlPath=none"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long everything about one reference may take, in seconds, and how many bytes it may put onto the disk.

    memory: bytes that git and what it starts may have in memory together; it reads lists of branches into it at once.
    """

    seconds: float = 60.0
    bytes: int = 64 * 1024 * 1024
    memory: int = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GitObject:
    """One object of a repository. data: None where it is too large to be of use."""

    id: str
    kind: str
    size: int
    data: bytes | None


@dataclass(slots=True)
class Git:
    """What is asked of one repository, within one set of limits.

    scratch: an empty folder that belongs to this alone and is removed by whoever made it.
    """

    address: GitAddress
    scratch: Path
    limits: Limits = field(default_factory=Limits)
    _until: float = field(init=False)
    _runs: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.limits.seconds

    def commit_of_rev(self) -> str:
        """The commit that the branch or tag of the address means now. Raises Unresolved."""
        rev = self.address.rev
        branch, tag = _refs(rev)
        listed = self._listed(*(name for name in (branch, tag, tag and tag + "^{}") if name))
        of_branch, of_tag = listed.get(branch), listed.get(tag + "^{}") or listed.get(tag)
        if of_branch and of_tag:
            raise Unresolved(
                f"{rev!r} is a branch of {self.address.url} as well as a tag; write @{branch} or @{tag} instead"
            )
        found = of_branch or of_tag
        if found is None:
            self._no_such_rev()
        return found

    def objects(self, commit: str) -> Iterator[GitObject]:
        """What a recipe can need of a commit, the commit itself last. Raises Unresolved."""
        repository = self._fetched(commit)
        wanted = [f"{commit}^{{tree}}"]
        for object_id, kind, size in self._needed(commit, repository):
            if kind == "blob" and size > MOST_BYTES:
                yield GitObject(object_id, kind, size, None)
            else:
                wanted.append(object_id)
        yield from self._contents([*wanted, commit], repository)

    def _needed(self, commit: str, repository: Path) -> Iterator[tuple[str, str, int]]:
        """Id, kind and size of each folder, recipe and picture below a commit. The size of a folder is not told."""
        listing = self._run("ls-tree", "-r", "-t", "-l", "-z", "--full-tree", commit, repository=repository)
        known: set[str] = set()
        for line in listing.read_bytes().split(b"\0"):
            about, _, name = line.decode("utf-8", "surrogateescape").partition("\t")
            _, kind, object_id, size = about.split() if name else ("", "", "", "")
            if object_id in known or not (kind == "tree" or (kind == "blob" and _of_use(name))):
                continue
            known.add(object_id)
            if len(known) > MOST_OBJECTS:
                raise Unresolved(f"{self.address.url} has more than {MOST_OBJECTS:,} folders and recipes")
            yield object_id, kind, int(size) if kind == "blob" else 0

    def _contents(self, names: list[str], repository: Path) -> Iterator[GitObject]:
        wanted = self.scratch / "wanted"
        wanted.write_text("".join(name + "\n" for name in names), encoding="ascii")
        with self._run("cat-file", "--batch", repository=repository, stdin=wanted).open("rb") as out:
            for name in names:
                parts = out.readline().decode("ascii", "replace").split()
                if len(parts) != 3 or not is_commit(parts[0]) or not parts[2].isdigit():
                    raise Unresolved(f"{self.address.url} did not hand out {name}")
                if name is names[-1] and parts[1] != "commit":
                    raise Unresolved(f"{name} is no commit of {self.address.url}, but a {parts[1]}; name its commit")
                data = out.read(int(parts[2]))
                out.read(1)
                yield GitObject(parts[0], parts[1], len(data), data)

    def _fetched(self, commit: str) -> Path:
        repository = self.scratch / "repository"
        form = ["--object-format=sha256"] if len(commit) == 64 else []
        self._run("init", "--quiet", "--bare", "--template=", *form, str(repository))
        self._run(
            "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", self.address.url, commit,
            repository=repository,
        )  # fmt: skip
        return repository

    def _listed(self, *patterns: str) -> dict[str, str]:
        """Refs of the repository that a pattern names, with their ids."""
        text = (
            self._run("ls-remote", "--quiet", "--", self.address.url, *patterns).read_bytes().decode("utf-8", "replace")
        )
        pairs = (line.partition("\t") for line in text.splitlines())
        return {name: object_id for object_id, _, name in pairs if is_commit(object_id)}

    def _no_such_rev(self) -> NoReturn:
        rev = self.address.rev
        names = [name.split("/", 2)[2] for name in self._listed("refs/heads/*", "refs/tags/*") if name.count("/") > 1]
        if not names:
            raise Unresolved(f"{self.address.url} lists no branches and no tags; is it a git repository?")
        near = did_you_mean(rev, (name for name in names if not name.endswith("^{}")))
        digits = "; a commit is named by all digits of its id" if not near and _hexadecimal(rev) else ""
        raise Unresolved(f"{self.address.url} has no branch and no tag {rev!r}{near}{digits}")

    def _run(self, *arguments: str, repository: Path | None = None, stdin: Path | None = None) -> Path:
        """Run git to its end. Returns the file with what it said. Raises Unresolved."""
        self._runs += 1
        out, err = self.scratch / f"out-{self._runs}", self.scratch / f"err-{self._runs}"
        command = [find_git(), *_settings(self.address), *arguments]
        environment = _environment(self.address, self.scratch, repository)
        with out.open("wb") as stdout, err.open("wb") as stderr, (stdin or Path(os.devnull)).open("rb") as given:
            try:
                process = subprocess.Popen(
                    command, stdin=given, stdout=stdout, stderr=stderr, env=environment, cwd=self.scratch,
                    start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                raise Unresolved(f"git cannot be run: {error.strerror or error}") from error
            try:
                self._watch(process)
            finally:
                _end(process)
        if process.returncode != 0:
            with err.open("rb") as said:
                raise Unresolved(in_words(said.read(64 << 10).decode("utf-8", "replace"), self.address))
        return out

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until git ends, and not longer than is allowed, nor for more than is allowed."""
        wait, weighed = _LEAST_WAIT, time.monotonic()
        while True:
            try:
                process.wait(wait)
            except subprocess.TimeoutExpired:
                wait = min(2 * wait, _LONGEST_WAIT)
            if bytes_below(self.scratch) > self.limits.bytes:
                raise Unresolved(
                    f"{self.address.url} hands out more than {self.limits.bytes:,} bytes for one commit; "
                    "keep recipes in a small repository"
                )
            if process.returncode is not None:
                return
            if time.monotonic() - weighed > _BETWEEN_WEIGHINGS:
                weighed = time.monotonic()
                if _memory_of(process) > self.limits.memory:
                    raise Unresolved(
                        f"{self.address.url} answers with so much that git needs more than {self.limits.memory:,} "
                        "bytes of memory for it"
                    )
            if time.monotonic() > self._until:
                raise Unresolved(f"{self.address.url} did not answer completely within {self.limits.seconds:.0f} s")


def find_git() -> str:
    """The git of this machine. Raises Unresolved with what to do when there is none.

    Only absolute folders of the search path count: a program in the current folder is no git of this machine.
    """
    program = "git.exe" if os.name == "nt" else "git"
    for folder in os.get_exec_path():
        candidate = Path(folder) / program
        if candidate.is_absolute() and candidate.is_file() and os.access(candidate, os.X_OK):
            return str(candidate)
    raise Unresolved("git is needed to fetch that, and it is not installed; see https://git-scm.com/downloads")


def bytes_below(folder: Path) -> int:
    """Bytes of all files in a folder and below, as far as they can be seen while others write."""
    total, folders = 0, [str(folder)]
    while folders:
        with suppress(OSError), os.scandir(folders.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_size
    return total


def _refs(rev: str) -> tuple[str, str]:
    """The branch and the tag that a revision may mean, by their whole names; empty where it cannot mean one."""
    if rev.startswith("refs/heads/"):
        return rev, ""
    if rev.startswith("refs/tags/"):
        return "", rev
    return f"refs/heads/{rev}", f"refs/tags/{rev}"


def _of_use(name: str) -> bool:
    """Whether a file of that name can be a recipe or a picture."""
    return name.endswith(".toml") or name.lower().endswith(PICTURES)


def _hexadecimal(rev: str) -> bool:
    return len(rev) >= 7 and all(digit in "0123456789abcdef" for digit in rev.lower())


def _settings(address: GitAddress) -> list[str]:
    protocol = address.scheme.removeprefix("git+")
    settings = {
        "protocol.allow": "never",
        f"protocol.{protocol}.allow": "always",
        "protocol.version": "2",
        "http.followRedirects": "false",
        "http.sslVerify": "true",
        # should this process be killed, git gives up by itself
        "http.lowSpeedLimit": "1",
        "http.lowSpeedTime": "90",
        "credential.helper": "",
        "core.askPass": "",
        "core.hooksPath": os.devnull,
        "core.fsmonitor": "false",
        # objects that are larger go straight to the disk, and not through memory
        "core.bigFileThreshold": "1m",
        "submodule.recurse": "false",
        "fetch.recurseSubmodules": "false",
        "fetch.fsckObjects": "true",
        "transfer.fsckObjects": "true",
        "transfer.bundleURI": "false",
        "fetch.uriProtocols": "",
        # everything comes as one pack: its size can be watched while it grows
        "fetch.unpackLimit": "1",
        "pack.threads": "1",
        "gc.auto": "0",
        "maintenance.auto": "false",
    }
    if address.on_this_machine:
        settings["http.proxy"] = ""  # a proxy would look for it on its own machine
    # as Python's own ssl module does, which all other requests go through
    authorities = os.environ.get("SSL_CERT_FILE")
    if authorities and protocol == "https":
        settings["http.sslCAInfo"] = authorities
    return [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]


def _environment(address: GitAddress, scratch: Path, repository: Path | None) -> dict[str, str]:
    """The caller's variables without those that tell git, ssh or curl what to do; proxies stay."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_FOREIGN)}
    home = scratch / "home"
    home.mkdir(exist_ok=True)
    if os.name != "nt" or address.scheme != "git+ssh":  # ssh looks for its keys there, on Windows only
        kept["HOME"] = str(home)  # no .netrc, and for versions before 2.32 no .gitconfig
    kept.update(
        XDG_CONFIG_HOME=str(home),
        GIT_CONFIG_NOSYSTEM="1",
        GIT_CONFIG_GLOBAL=os.devnull,
        GIT_ATTR_NOSYSTEM="1",
        GIT_TERMINAL_PROMPT="0",
        GIT_ASKPASS="",
        GIT_SSH_COMMAND=_SSH,
        GIT_SSH_VARIANT="ssh",
        GIT_ALLOW_PROTOCOL=address.scheme.removeprefix("git+"),
        GIT_NO_REPLACE_OBJECTS="1",
        GIT_NO_LAZY_FETCH="1",
        GIT_CEILING_DIRECTORIES=str(scratch.resolve().parent),
        GIT_OPTIONAL_LOCKS="0",
        LC_ALL="C",
        LANGUAGE="",
    )
    if repository is not None:
        kept["GIT_DIR"] = str(repository)
    return kept


def _memory_of(process: subprocess.Popen[bytes]) -> int:
    """Bytes in memory of git and all it started."""
    import psutil  # type: ignore[import-untyped]  # ships no types

    total = 0
    with suppress(psutil.Error):
        parent = psutil.Process(process.pid)
        for one in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                total += one.memory_info().rss
    return total


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and everything it started, unless it has come to its end by itself."""
    if process.returncode is not None:
        return
    if sys.platform == "win32":
        import psutil  # type: ignore[import-untyped]  # ships no types

        with suppress(psutil.Error):
            parent = psutil.Process(process.pid)
            for child in (*parent.children(recursive=True), parent):
                with suppress(psutil.Error):
                    child.kill()
    else:
        import signal

        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
