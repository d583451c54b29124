"""What was fetched, kept on this machine, and checked again each time it is read.

Of a git repository the objects are kept that a recipe can need: commits, trees, and the files that are recipes or
pictures, each under its id. That is less than a repository, and on purpose: there is no configuration in it that
git would obey, nothing to check out, and reading it takes no git at all. Files from web servers lie under their
SHA-256.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar

from llamaexit.errors import REFUSED, LlamaexitError
from llamaexit.recipes.read import reason
from llamaexit.sharing.objects import framed, id_of

MOST_TREE = 4 * 1024 * 1024
"""Bytes of one commit or folder of a repository: some 100,000 entries."""
_HEADER = 64
_PRIVATE = 0o700
_SCRATCH = ".fetch-"
_ABANDONED = 3600
"""Seconds after which no fetch is still under way."""


class DamagedCache(LlamaexitError):
    """Something in the cache is not what was put there. It is neither used nor mended: somebody should know."""

    code: ClassVar[str] = "cache"
    exit_code: ClassVar[int] = REFUSED

    def __init__(self, folder: Path, what: str) -> None:
        super().__init__(
            f"{folder}: the cache was changed: {what}",
            hint="find out who did that, then delete this folder; the recipes are fetched again when needed",
        )


class CacheUnusable(Exception):
    """Why the cache cannot be used, as half a sentence: another run holds it, or the disk refuses."""


class TooLarge(Exception):
    """An object has more bytes than are wanted. size: how many."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size:,} bytes")
        self.size = size


class Repository:
    """The objects of one git repository. Reading takes no lock: what is there was there completely."""

    def __init__(self, cache: Path, source: str) -> None:
        """source: what the repository is called, the same for all references to it."""
        self.folder = cache / "git" / hashlib.sha256(source.encode()).hexdigest()[:32]
        self._source = source

    def has(self, commit: str) -> bool:
        """Whether a commit was fetched, and with it everything that can be asked of it."""
        return os.path.lexists(self._place(commit))

    def read(self, object_id: str, kind: str, most: int) -> bytes:
        """An object whose bytes were checked against its id. Raises TooLarge and DamagedCache."""
        try:
            content = _bytes_of(self._place(object_id), most + _HEADER)
        except FileNotFoundError:
            raise DamagedCache(self.folder, f"{kind} {object_id} is missing") from None
        except OSError as error:
            raise CacheUnusable(f"{self.folder} cannot be read: {reason(error)}") from error
        if content is None:
            raise DamagedCache(self.folder, f"{kind} {object_id} is no file")
        header, _, data = content[:_HEADER].partition(b"\0")
        said = header.removeprefix(kind.encode() + b" ")
        if said.isdigit() and int(said) > most:
            raise TooLarge(int(said))
        data = content[len(header) + 1 :]
        if id_of(content, object_id) != object_id or content != framed(kind, data):
            raise DamagedCache(self.folder, f"{kind} {object_id} does not have the bytes of that name")
        return data

    def write(self, object_id: str, kind: str, data: bytes) -> None:
        """Keep an object. Raises DamagedCache when something else has its name."""
        self._keep(object_id, framed(kind, data))

    def write_size(self, object_id: str, kind: str, size: int) -> None:
        """Keep of an object that is too large for a recipe only how large it is."""
        self._keep(object_id, b"%s %d\0" % (kind.encode(), size))

    @contextmanager
    def fetching(self, seconds: float) -> Iterator[Path]:
        """An empty folder to fetch into, gone afterwards; other runs that want this repository wait meanwhile.

        seconds: how long they may take. A fetch that fails leaves nothing behind. Raises CacheUnusable.
        """
        from filelock import FileLock, Timeout

        made: list[Path] = []
        try:
            made = private_folder(self.folder)
            self._expect_own_folders()
            with FileLock(self.folder / "lock", timeout=seconds):
                self._sweep()
                private_folder(self.folder)  # the run before this one may have removed it
                with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=self.folder, ignore_cleanup_errors=True) as empty:
                    yield Path(empty)
        except Timeout:
            raise CacheUnusable(f"another llamaexit is fetching {self._source} and does not come to an end") from None
        except OSError as error:
            raise CacheUnusable(f"the cache {self.folder} cannot be written: {reason(error)}") from error
        finally:
            self._leave(made)

    def _expect_own_folders(self) -> None:
        """Git is going to obey what lies in one of them, and who owns a folder can put another one in its place."""
        if sys.platform == "win32" or os.geteuid() == 0:
            return  # for root in a container all folders that are shared with it belong to somebody else
        cache = self.folder.parents[1]
        for folder in (cache.parent, cache, self.folder.parent, self.folder):
            if folder.stat().st_uid not in (0, os.geteuid()):
                raise CacheUnusable(f"the cache {folder} belongs to another user of this machine")

    def _sweep(self) -> None:
        """Remove what runs left behind that were killed."""
        for left in self.folder.glob(_SCRATCH + "*"):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > _ABANDONED:
                    shutil.rmtree(left, ignore_errors=True)

    def _leave(self, made: list[Path]) -> None:
        """Remove the folders that were made for a repository of which nothing is kept."""
        if (self.folder / "objects").exists():
            return
        # a run that waits for this lock goes on without it: fetching twice is slower, and otherwise the same
        with suppress(OSError):
            (self.folder / "lock").unlink(missing_ok=True)
        with suppress(OSError):
            for folder in reversed(made):
                folder.rmdir()

    def _place(self, object_id: str) -> Path:
        return self.folder / "objects" / object_id[:2] / object_id[2:]

    def _keep(self, object_id: str, content: bytes) -> None:
        place = self._place(object_id)
        try:
            if os.path.lexists(place):
                if _bytes_of(place, len(content) + 1) != content:
                    raise DamagedCache(self.folder, f"object {object_id} does not have the bytes of that name")
                return
            private_folder(place.parent)
            for folder in (self.folder, place.parent.parent, place.parent):
                if folder.is_symlink():  # nothing is written outside of the cache
                    raise DamagedCache(self.folder, f"{folder} is a link")
            if not os.path.lexists(self.folder / "source"):
                _publish(self.folder / "source", f"{self._source}\n".encode())
            _publish(place, content)
        except OSError as error:
            raise CacheUnusable(f"the cache {self.folder} cannot be written: {reason(error)}") from error


class WebFiles:
    """Files from web servers, by their SHA-256 in lower-case hex."""

    def __init__(self, cache: Path) -> None:
        self.folder = cache / "web"

    def read(self, sha256: str, most: int) -> bytes | None:
        """The bytes with that hash, checked; None when they were never fetched. Raises DamagedCache."""
        try:
            data = _bytes_of(self.folder / sha256, most + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CacheUnusable(f"{self.folder} cannot be read: {reason(error)}") from error
        if data is None or hashlib.sha256(data).hexdigest() != sha256:
            raise DamagedCache(self.folder, f"{sha256} does not have the bytes of that name")
        return data

    def write(self, sha256: str, data: bytes) -> None:
        """Keep bytes that have that hash."""
        try:
            private_folder(self.folder)
            _publish(self.folder / sha256, data)
        except OSError as error:
            raise CacheUnusable(f"the cache {self.folder} cannot be written: {reason(error)}") from error


def private_folder(folder: Path) -> list[Path]:
    """Make a folder and those above it that are missing, readable by nobody else. Returns them, uppermost first."""
    missing = [above for above in (folder, *folder.parents) if not above.exists()][::-1]
    for above in missing:
        above.mkdir(mode=_PRIVATE, exist_ok=True)
    return missing


def _bytes_of(place: Path, most: int) -> bytes | None:
    """The first bytes of a file; None for what is none: a link, a folder, or a pipe, which would be waited for."""
    carefully = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(place, os.O_RDONLY | carefully)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO) or place.is_dir():
            return None
        raise
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(handle)


def _publish(place: Path, content: bytes) -> None:
    """Write a file that is either not there or complete. Two runs that write it write the same."""
    handle, name = tempfile.mkstemp(prefix=".new-", dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        try:
            Path(name).replace(place)
        except PermissionError:  # Windows, while another run reads the file that it wrote before us
            if not place.is_file():
                raise
            Path(name).unlink()
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
