"""Where stores are looked for, and what is said when one cannot be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llamaexit.ollama import places
from llamaexit.ollama.places import Place, barrier, default_stores, usable_stores


def found(candidates: tuple[Place, ...], root: Path) -> list[tuple[str, str]]:
    return [(place.path.relative_to(root).as_posix(), place.label) for place in candidates]


def test_looks_in_the_places_of_a_linux_installation(tmp_path: Path) -> None:
    home = tmp_path / "home" / "ada"
    for volume in [
        "var/lib/docker/volumes/ollama",
        "var/lib/docker/volumes/db",
        "home/ada/.local/share/docker/volumes/x_Ollama",
    ]:
        (tmp_path / volume / "_data" / "models").mkdir(parents=True)
    looked_at = default_stores({}, home=home, root=tmp_path)
    assert found(looked_at, tmp_path) == [
        ("home/ada/.ollama/models", "your own store"),
        ("usr/share/ollama/.ollama/models", "store of the ollama service"),
        ("var/snap/ollama/common/models", "store of the Ollama snap"),
        ("var/lib/docker/volumes/ollama/_data/models", "Docker volume ollama"),
        ("home/ada/.local/share/docker/volumes/x_Ollama/_data/models", "Docker volume x_Ollama"),
    ]


@pytest.mark.parametrize("system", ["darwin", "windows"])
def test_looks_only_below_the_home_directory_elsewhere(tmp_path: Path, system: str) -> None:
    looked_at = default_stores({}, system=system, home=tmp_path / "ada", root=tmp_path)
    assert found(looked_at, tmp_path) == [("ada/.ollama/models", "your own store")]


def test_the_place_the_user_names_comes_first(tmp_path: Path) -> None:
    looked_at = default_stores({"OLLAMA_MODELS": f' "{tmp_path / "mine"}" '}, home=tmp_path / "ada", root=tmp_path)
    assert looked_at[0] == Place(tmp_path / "mine", "OLLAMA_MODELS", named=True)


def test_a_place_that_comes_up_twice_is_looked_at_once(tmp_path: Path) -> None:
    own = tmp_path / "ada" / ".ollama" / "models"
    looked_at = default_stores(
        {"OLLAMA_MODELS": f"{own}{os.sep}"}, system="darwin", home=tmp_path / "ada", root=tmp_path
    )
    assert [place.label for place in looked_at] == ["OLLAMA_MODELS"]


def test_without_a_home_the_places_of_the_system_remain(tmp_path: Path) -> None:
    labels = [place.label for place in default_stores({}, home=None, root=tmp_path)]
    assert labels == ["store of the ollama service", "store of the Ollama snap"]


def test_looks_at_the_windows_side_under_wsl_only(tmp_path: Path) -> None:
    store = tmp_path / "mnt/c/Users/Ada/.ollama/models"
    store.mkdir(parents=True)
    (tmp_path / "mnt/c/Users/Public").mkdir()
    assert default_stores({}, wsl=True, root=tmp_path)[-1] == Place(store, "Windows side, user Ada")
    assert store not in [place.path for place in default_stores({}, wsl=False, root=tmp_path)]


def test_empty_places_are_passed_over_in_silence(tmp_path: Path) -> None:
    (tmp_path / "real" / "manifests").mkdir(parents=True)
    (tmp_path / "hollow").mkdir()
    real = Place(tmp_path / "real", "real")
    assert usable_stores([Place(tmp_path / "gone", "gone"), Place(tmp_path / "hollow", "hollow"), real]) == (
        (real,),
        (),
    )


def test_a_named_place_without_a_store_is_reported(tmp_path: Path) -> None:
    usable, (told,) = usable_stores([Place(tmp_path / "gone", "OLLAMA_MODELS", named=True)])
    assert usable == ()
    assert told.message.startswith(f"OLLAMA_MODELS names {tmp_path / 'gone'}, which is no model store: ")


class TestBarriers:
    """Modes are looked at as another user, because root may read everything."""

    @pytest.fixture(autouse=True)
    def _as_another(self, monkeypatch: pytest.MonkeyPatch) -> None:
        if os.name == "nt":
            pytest.skip("modes of POSIX")

        def access(path: Path, mode: int, **_: bool) -> bool:
            bits = {os.X_OK: 0o001, os.R_OK: 0o004}[mode]
            return bool(path.stat().st_mode & bits) or self.closed not in (path, *path.parents)

        monkeypatch.setattr(os, "access", access)
        monkeypatch.setattr(os, "getgroups", lambda: [])

    closed: Path

    def service(self, tmp_path: Path, mode: int, monkeypatch: pytest.MonkeyPatch, owner: str = "ollama") -> Path:
        self.closed = tmp_path / "ollama"
        store = self.closed / ".ollama" / "models"
        store.mkdir(parents=True)
        self.closed.chmod(mode)
        monkeypatch.setattr("llamaexit.ollama.places._user", lambda number: owner)
        monkeypatch.setattr("llamaexit.ollama.places._group", lambda number: "ollama")
        return store

    def test_names_directory_owner_and_mode(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = self.service(tmp_path, 0o700, monkeypatch)
        told = barrier(store)
        assert told.message == (
            f"{store} may not be read: enter permission is missing on {self.closed} (ollama:ollama, drwx------)"
        )
        assert told.hint == "sudo -u ollama llamaexit …, or ask the running server (--host)"

    def test_advises_the_group_where_the_group_may(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = self.service(tmp_path, 0o750, monkeypatch)
        assert barrier(store).hint.startswith("join the group (sudo usermod -aG ollama $USER, then log in again)")

    def test_does_not_advise_a_group_one_is_in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = self.service(tmp_path, 0o750, monkeypatch)
        monkeypatch.setattr(os, "getgroups", lambda: [self.closed.stat().st_gid])
        assert barrier(store).hint.startswith("sudo -u ollama")

    def test_advises_root_where_the_directory_is_roots(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = self.service(tmp_path, 0o700, monkeypatch, owner="root")
        assert barrier(store).hint.startswith("sudo llamaexit")

    def test_tells_listing_from_entering(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.service(tmp_path, 0o711, monkeypatch)
        assert f"read permission is missing on {self.closed} (" in barrier(self.closed).message

    def test_a_place_that_may_not_be_read_is_reported_with_the_way_out(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = self.service(tmp_path, 0o700, monkeypatch)

        def refuse(path: Path) -> None:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(os, "scandir", refuse)
        usable, (told,) = usable_stores([Place(store, "store of the ollama service")])
        assert usable == ()
        assert f"enter permission is missing on {self.closed}" in told.message

    def test_owners_without_a_name_are_given_by_number(self, tmp_path: Path) -> None:
        import grp
        import pwd

        known = {entry.pw_uid for entry in pwd.getpwall()} | {entry.gr_gid for entry in grp.getgrall()}
        nobody = next(number for number in range(70_000, 80_000) if number not in known)
        assert (places._user(nobody), places._group(nobody)) == (str(nobody), str(nobody))

    def test_a_way_that_seems_open_is_reported_without_guessing(self, tmp_path: Path) -> None:
        self.closed = tmp_path / "nothing is closed"
        told = barrier(tmp_path)
        assert told.message == f"{tmp_path} may not be read"
        assert told.hint == "run as a user who may, or ask the running server (--host)"
