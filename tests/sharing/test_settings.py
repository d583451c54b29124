"""The settings of user and site: read strictly, put together, and edited with everything else left as it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llamaexit.sharing.patterns import Registry, SourcePattern
from llamaexit.sharing.settings import Change, Settings, SettingsError, edited, read_settings

TEAM = "git+https://github.com/acme/*"
OTHER = "git+https://github.com/other/team.git"


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """The user's config folder."""
    folder = tmp_path / "user"
    folder.mkdir()
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The config folder of the whole machine."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def write(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text)
    return file


def spelled(settings: Settings) -> tuple[list[str], list[str]]:
    return [*map(str, settings.sources)], [*map(str, settings.registries)]


def test_without_files_nothing_is_allowed(user: Path, site: Path) -> None:
    assert read_settings(user, site) == Settings()
    assert read_settings(user / "nowhere", None).sources == ()


def test_what_both_files_allow_counts(user: Path, site: Path) -> None:
    write(user, f'[trust]\nsources = ["{TEAM}"]\nregistries = ["hf.co/acme"]\n')
    write(site, f'[trust]\nsources = ["{OTHER}"]\nregistries = ["registry.acme.example"]\n')
    assert spelled(read_settings(user, site)) == ([OTHER, TEAM], ["registry.acme.example", "hf.co/acme"])


def test_where_the_site_says_only_the_user_allows_nothing(user: Path, site: Path) -> None:
    write(user, f'[trust]\nsources = ["{TEAM}"]\nregistries = ["hf.co/acme"]\n')
    file = write(site, f'[trust]\nonly = true\nsources = ["{OTHER}"]\n')
    settings = read_settings(user, site)
    assert spelled(settings) == ([OTHER], [])
    assert settings.decided_by_site == file


@pytest.mark.parametrize(("mine", "sites", "days"), [(7, 3, 7), (3, 7, 7), (None, 3, 3), (7, None, 7), (None, None, 0)])
def test_longest_cooldown_counts(user: Path, site: Path, mine: int | None, sites: int | None, days: int) -> None:
    for folder, said in ((user, mine), (site, sites)):
        write(folder, "[trust]\n" + (f"cooldown-days = {said}\n" if said is not None else ""))
    assert read_settings(user, site).cooldown_days == days


BAD = {
    "an unknown table": ("[trusts]\n", "1:1: trusts: unknown key; did you mean 'trust'?"),
    "an unknown key": ("[trust]\nsource = []\n", "2:1: trust.source: unknown key; did you mean 'sources'?"),
    "a table that is none": ("trust = true\n", "1:1: trust: must be a table"),
    "text for a list": (f'[trust]\nsources = "{TEAM}"\n', "2:1: trust.sources: must be a list"),
    "a number in a list": ("[trust]\nregistries = [1]\n", "2:15: trust.registries[0]: must be text"),
    "a wildcard in a host": (
        '[trust]\nsources = [\n  "git+https://*.example/a",\n]\n',
        "3:3: trust.sources[0]: 'git+https://*.example/a': a * stands for all that is left of a path, so it ends "
        "it: …/*",
    ),
    "no registry": (
        '[trust]\nregistries = ["hf.co/acme/bot"]\n',
        "2:15: trust.registries[0]: 'hf.co/acme/bot' is no registry: they look like registry.example.com or "
        "hf.co/acme; name the host and the owner alone",
    ),
    "a user who wants to decide alone": (
        "[trust]\nonly = true\n", "2:1: trust.only: only the settings of the whole machine can say so",
    ),
    "text for a number": (
        '[trust]\ncooldown-days = "7"\n', "2:1: trust.cooldown-days: must be a whole number of days, from 0 to 3650",
    ),
    "true for a number": (
        "[trust]\ncooldown-days = true\n", "2:1: trust.cooldown-days: must be a whole number of days, from 0 to 3650",
    ),
    "days before today": (
        "[trust]\ncooldown-days = -1\n", "2:1: trust.cooldown-days: must be a whole number of days, from 0 to 3650",
    ),
    "no TOML": ("[trust\n", "1:7: is not TOML: expected ']' at the end of a table declaration"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "problem"), BAD.values(), ids=BAD)
def test_what_cannot_be_followed_is_one_line_with_its_place(user: Path, text: str, problem: str) -> None:
    file = write(user, text)
    with pytest.raises(SettingsError) as caught:
        read_settings(user, None)
    assert caught.value.message == f"{file}:{problem}"
    assert (caught.value.exit_code, caught.value.code) == (4, "settings")


def test_only_of_a_site_has_to_be_true_or_false(site: Path) -> None:
    file = write(site, '[trust]\nonly = "yes"\n')
    with pytest.raises(SettingsError) as caught:
        read_settings(None, site)
    assert caught.value.message == f"{file}:2:1: trust.only: must be true or false"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda file: file.mkdir(), "is a folder, not a settings file"),
        (lambda file: file.write_bytes(b"\xff"), "is not UTF-8 text"),
        (lambda file: file.write_bytes(b"#" * 2_000_000), "is 2,000,000 bytes long; a settings file has at most"),
        (lambda file: file.symlink_to(file.with_name("gone")), "there is no such file"),
    ],
    ids=["a folder", "not text", "far too long", "a link that leads nowhere"],
)
def test_site_that_cannot_be_heard_is_not_taken_for_one_that_says_nothing(site: Path, make, reason: str) -> None:
    try:
        make(site / "settings.toml")
    except OSError:
        pytest.skip("links need a privilege on Windows")
    with pytest.raises(SettingsError, match=reason):
        read_settings(None, site)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="no folder is closed to root")
def test_site_in_a_closed_folder_is_not_taken_for_one_that_says_nothing(site: Path) -> None:
    write(site, "[trust]\nonly = true\n")
    site.chmod(0)
    try:
        with pytest.raises(SettingsError, match="permission denied"):
            read_settings(None, site)
    finally:
        site.chmod(0o700)


# -- editing


def change(*texts: str) -> Change:
    return Change(
        tuple(SourcePattern.parse(text) for text in texts if "://" in text),
        tuple(Registry.parse(text) for text in texts if "://" not in text),
    )


WRITTEN = f"""\
# ours, please ask Kim before you change it

[trust]
sources = [
    "{TEAM}", # the platform team
    # "git+https://github.com/old/*",
    "{OTHER}",
]
registries = ["hf.co/acme"] # their fine-tunes
cooldown-days = 7 # as agreed
"""


def test_comments_and_all_else_stay_where_something_is_added() -> None:
    text = edited(WRITTEN, allow=change("git+https://git.acme.example/*", "registry.acme.example"))
    added = [line for line in text.splitlines() if line not in WRITTEN.splitlines()]
    gone = [line for line in WRITTEN.splitlines() if line not in text.splitlines()]
    assert added == [
        '    "git+https://git.acme.example/*",',
        'registries = ["hf.co/acme", "registry.acme.example"] # their fine-tunes',
    ]
    assert gone == ['registries = ["hf.co/acme"] # their fine-tunes']


def test_comments_and_all_else_stay_where_something_is_taken_out() -> None:
    text = edited(WRITTEN, remove=change(OTHER, "hf.co/acme"))
    gone = [line for line in WRITTEN.splitlines() if line not in text.splitlines()]
    assert gone == [f'    "{OTHER}",', 'registries = ["hf.co/acme"] # their fine-tunes']
    assert "registries = [] # their fine-tunes" in text


def test_what_is_there_in_another_spelling_is_not_added_twice() -> None:
    assert edited(WRITTEN, allow=change("git+https://GITHUB.com:443/acme/*", "huggingface.co/ACME")) == WRITTEN


def test_added_and_taken_out_again_is_as_before() -> None:
    new = change("git+https://git.acme.example/*", "registry.acme.example")
    assert edited(edited(WRITTEN, allow=new), remove=new) == WRITTEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "[trust]\n",
        "[trust]\ncooldown-days = 3\n",
        "trust.cooldown-days = 3\n",
        "trust = { cooldown-days = 3 }\n",
        "trust = {}\n",
        f'trust.sources = ["{OTHER}"]\n',
        f"trust = {{ sources = ['{OTHER}'] }}\n",
        f'[trust]\r\nsources = ["{OTHER}"]\r\n',
        f'[trust]\nsources = ["{OTHER}"]  # no line end',
    ],
    ids=[
        "empty", "a comment", "an empty table", "another key", "a dotted key", "an inline table",
        "an empty inline table", "dotted sources", "inline sources", "line ends of Windows", "no line end",
    ],
)  # fmt: skip
def test_settings_can_be_edited_however_they_are_written(user: Path, text: str) -> None:
    before = write(user, text)
    kept = spelled(read_settings(user, None))
    before.write_bytes(edited(text, allow=change(TEAM, "hf.co/acme")).encode())
    settings = read_settings(user, None)
    assert spelled(settings) == ([*kept[0], TEAM], ["hf.co/acme"])
    assert settings.cooldown_days == (3 if "cooldown" in text else 0)
