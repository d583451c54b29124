"""`llamaexit recipe allow`: what the user's settings come to say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

TEAM = "git+https://github.com/acme/*"
REPOSITORY = "git+https://github.com/acme/team.git"


@pytest.fixture
def settings(isolated: Path) -> Path:
    """Where the user's settings lie; they are not there yet."""
    return isolated / ".config" / "llamaexit" / "settings.toml"


@pytest.fixture
def site(isolated: Path) -> Path:
    """Where the settings of the machine lie; they are not there yet."""
    file = isolated / "etc" / "xdg" / "llamaexit" / "settings.toml"
    file.parent.mkdir(parents=True)
    return file


def patterns(outcome) -> tuple[list[str], list[str]]:
    data = outcome.envelope["data"]
    return [one["pattern"] for one in data["sources"]], [one["pattern"] for one in data["registries"]]


def test_first_pattern_makes_the_file(run, settings: Path) -> None:
    outcome = run("recipe", "allow", TEAM, "hf.co/acme")
    assert (outcome.code, outcome.stderr) == (0, "")
    assert outcome.stdout.splitlines()[:2] == [f"Allowed     {TEAM}", "            hf.co/acme"]
    assert settings.read_text() == (
        "# What llamaexit may fetch recipes from, and which registries recipes may name.\n\n"
        f'[trust]\nsources = ["{TEAM}"]\nregistries = ["hf.co/acme"]\n'
    )


def test_answer_says_what_is_allowed_and_what_is_new(run, settings: Path) -> None:
    run("recipe", "allow", TEAM)
    data = run("recipe", "allow", TEAM, REPOSITORY, "--json").envelope["data"]
    assert data == {
        "sources": [{"pattern": TEAM, "file": str(settings)}, {"pattern": REPOSITORY, "file": str(settings)}],
        "registries": [],
        "only_site": False,
        "cooldown_days": 0,
        "added": [REPOSITORY],
        "removed": [],
    }


@pytest.mark.parametrize(
    ("pattern", "host"),
    [
        ("git+https://github.com/*", "github.com"),
        ("https://intranet.example:8443/*", "intranet.example:8443"),
        ("huggingface.co", "hf.co"),
        (TEAM, None),
        ("hf.co/acme", None),
    ],
)
def test_allowing_all_of_a_host_says_who_that_is(run, pattern: str, host: str | None) -> None:
    said = "that is everybody who can publish at"
    text = " ".join(run("recipe", "allow", pattern).stdout.split())
    assert f"{said} {host} Written to" in text if host else said not in text


def test_what_is_allowed_already_is_not_written_again(run, settings: Path) -> None:
    run("recipe", "allow", TEAM)
    before = settings.stat().st_mtime_ns, settings.read_bytes()
    outcome = run("recipe", "allow", "git+https://GitHub.com:443/acme/*")
    assert (outcome.code, (settings.stat().st_mtime_ns, settings.read_bytes())) == (0, before)
    assert outcome.stdout == f"{TEAM} is allowed already.\n"


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        (f"{REPOSITORY}@main#deep/team.toml", REPOSITORY),
        ("https://intranet.example/a.toml#sha256=" + "a" * 64, "https://intranet.example/a.toml"),
        ("git+https://github.com/*@main#team.toml", "git+https://github.com/%2A"),
        ("HF.co/Acme", "hf.co/acme"),
    ],
    ids=["an address in a repository", "an address of a file", "a star that is a name", "other case"],
)
def test_whole_address_stands_for_its_source(run, settings: Path, text: str, allowed: str) -> None:
    assert run("recipe", "allow", text, "--json").envelope["data"]["added"] == [allowed]


def test_what_was_allowed_is_taken_back(run, settings: Path) -> None:
    run("recipe", "allow", TEAM, REPOSITORY, "hf.co/acme")
    outcome = run("recipe", "allow", "--remove", TEAM, "hf.co/acme")
    assert (outcome.code, outcome.stdout.splitlines()[0]) == (0, f"Taken back  {TEAM}")
    assert patterns(run("recipe", "allow", "--list", "--json")) == ([REPOSITORY], [])


def test_comments_stay_and_a_link_is_followed(run, settings: Path, tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles.toml"
    kept.write_text(f'# mine\n[trust]\nsources = [\n    "{TEAM}", # platform\n]\n')
    settings.parent.mkdir(parents=True)
    try:
        settings.symlink_to(kept)
    except OSError:
        pytest.skip("links need a privilege on Windows")
    assert run("recipe", "allow", REPOSITORY).code == 0
    assert settings.is_symlink()
    assert kept.read_text() == f'# mine\n[trust]\nsources = [\n    "{TEAM}", # platform\n    "{REPOSITORY}",\n]\n'


def test_list_says_which_file_allows_what(run, settings: Path, site: Path) -> None:
    site.write_text('[trust]\nregistries = ["registry.acme.example"]\ncooldown-days = 3\n')
    run("recipe", "allow", TEAM)
    text = run("recipe", "allow", "--list").stdout
    assert text.index(str(site)) < text.index("registry.acme.example") < text.index(str(settings)) < text.index(TEAM)
    assert "Cooldown    3 days" in text


def test_empty_list_says_what_that_means(run) -> None:
    assert run("recipe", "allow", "--list").stdout.startswith("Nothing is allowed: recipes come from files")


def test_where_the_site_decides_alone_nothing_can_be_allowed(run, settings: Path, site: Path) -> None:
    run("recipe", "allow", TEAM)
    before = settings.read_bytes()
    site.write_text('[trust]\nonly = true\nregistries = ["registry.acme.example"]\n')
    outcome = run("recipe", "allow", REPOSITORY, "--json")
    assert (outcome.code, outcome.envelope["errors"]) == (
        4,
        [
            {
                "code": "untrusted",
                "message": f"{site} alone decides what is allowed on this machine",
                "hint": "ask whoever looks after it",
            }
        ],
    )
    assert settings.read_bytes() == before
    assert patterns(run("recipe", "allow", "--list", "--json")) == ([], ["registry.acme.example"])
    assert run("recipe", "allow", "--remove", TEAM).code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a source or a registry to allow"),
        (["--remove"], "name a source or a registry to take back"),
        (["--list", TEAM], "--list lists what is allowed"),
        (["--list", "--remove"], "--list lists what is allowed"),
        (["--remove", TEAM], f"{TEAM} is not among what you allow"),
        (["git+https://github.com/acme*"], "a * stands for all that is left of a path"),
        (["git+https://user:secret@github.com/acme/*"], "user and password do not belong in an address"),
        (["git@github.com:acme/team.git"], "write it as git+ssh://git@HOST/PATH.git"),
        (["hf.co/acme/bot"], "name the host and the owner alone"),
        ([TEAM, "hf.co/*"], "is no registry"),
        (["team.toml"], "looks like a file of this machine, which nobody has to allow"),
        (["git+https://github.com"], "'git+https://github.com' is no source: names a host, and no repository there"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(run, settings: Path, arguments: list[str], message: str) -> None:
    outcome = run("recipe", "allow", *arguments)
    (line,) = outcome.stderr.splitlines()
    assert (outcome.code, outcome.stdout, settings.exists()) == (2, "", False)
    assert message in line and "secret" not in line


def test_what_the_site_allows_cannot_be_taken_back_by_the_user(run, site: Path) -> None:
    site.write_text(f'[trust]\nsources = ["{TEAM}"]\n')
    outcome = run("recipe", "allow", "--remove", TEAM)
    assert (outcome.code, f"it is {site} that allows it" in outcome.stderr) == (2, True)


def test_settings_that_cannot_be_followed_are_not_written_to(run, settings: Path) -> None:
    settings.parent.mkdir(parents=True)
    settings.write_text("[trust]\nsources = [1]\n")
    outcome = run("recipe", "allow", TEAM)
    assert (outcome.code, settings.read_text()) == (4, "[trust]\nsources = [1]\n")
    assert outcome.stderr.startswith(f"llamaexit: {settings}:2:12: trust.sources[0]: must be text")


def test_file_that_cannot_be_written_is_one_line(run, settings: Path) -> None:
    settings.parent.parent.mkdir()
    settings.parent.write_text("a file where a folder should be")
    outcome = run("recipe", "allow", TEAM)
    (line,) = outcome.stderr.splitlines()
    assert outcome.code == 1 and line.startswith(f"llamaexit: cannot write {settings}: ")
