"""The settings of this machine and its user: where they lie, and writing what a person allowed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llamaexit.sharing.settings import Change, Settings

_LOCK = ".settings.lock"
"""Held while the settings are read and written, so that two runs that allow something do not undo each other's."""
_WAIT = 10.0
_HEAD = "# What llamaexit may fetch recipes from, and which registries recipes may name.\n\n"


def settings_here() -> Settings:
    """What the user and the site allow. Raises SettingsError."""
    from llamaexit.sharing.settings import read_settings

    return read_settings(_user_folder(), _site_folder())


def save(*, allow: Change | None = None, remove: Change | None = None) -> Path:
    """Change the user's settings, comments and all else kept; the file they are in. Raises SettingsError."""
    from filelock import FileLock, Timeout

    from llamaexit.cli.output import OutputError, reason, rewrite, write_new
    from llamaexit.sharing.settings import SETTINGS_FILE, SettingsError, edited

    settings_here()  # what cannot be understood is not written to
    folder = _user_folder()
    if folder is None:
        raise SettingsError("there is no home directory to keep settings in", hint="set HOME")
    file = folder / SETTINGS_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / _LOCK, timeout=_WAIT):
            settings_here()  # another run may have written since
            text = file.read_bytes().decode("utf-8-sig") if file.exists() else _HEAD
            written = edited(text, allow, remove)
            if file.exists():
                rewrite(file, written.encode())
            else:
                write_new(file, written)
    except Timeout:
        raise OutputError(f"cannot write {file}: another llamaexit does, and comes to no end") from None
    except OSError as error:
        raise OutputError(f"cannot write {file}: {reason(error)}", hint="write it by hand") from error
    return file


def _user_folder() -> Path | None:
    from platformdirs import user_config_path

    try:
        return _fixed(user_config_path("llamaexit", appauthor=False))
    except (RuntimeError, KeyError):  # no home directory at all
        return None


def _site_folder() -> Path | None:
    from platformdirs import site_config_path

    return _fixed(site_config_path("llamaexit", appauthor=False))


def _fixed(folder: Path) -> Path | None:
    """A folder that lies where it lies, wherever one is: with a relative XDG_CONFIG_HOME a project would be asked."""
    return folder if folder.is_absolute() else None
