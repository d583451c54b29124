"""Recipes from sources and registries that nobody allowed: refused without contact, or asked about at a terminal."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from git_repository import GitRepository, GitServer

from folders import files_below
from pseudo_terminal import Screen, at_terminal

PLAN = ("plan", "llama3.1:8b", "--gpu", "RTX 4090", "--ram", "64GiB")
USE = "Use this? [y]es for this time, [a]lways, [N]o:"
CONTACT = "Contact it? [y/N]"
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo terminals of this kind")

TEAM = """
schema = 1
name = "team"
version = "3"
summary = "What our team runs"

[policy]
deny-models = ["qwen3:4b*"]

[[rules]]
id = "chat"
use = "chat"
match = ["llama3.1:8b"]
targets = [{ model = "qwen3:8b" }]
"""
BOT = """
[[models]]
name = "registry.acme.example/team/bot:1"
family = "bot"
vendor = "Acme"
size = 4000000000
capabilities = ["completion"]

[[rules]]
id = "bot"
use = "chat"
targets = [{ model = "registry.acme.example/team/bot:1" }]
"""


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """A repository with team.toml (nothing but Ollama's library) and bot.toml (a registry of their own)."""
    made = GitRepository(tmp_path / "served" / "team.git")
    made.commit({"team.toml": TEAM, "bot.toml": TEAM + BOT})
    return made


@pytest.fixture
def server(repository: GitRepository) -> Iterator[GitServer]:
    """Serves it, and counts what it is asked."""
    with GitServer(repository.folder.parent) as running:
        yield running


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


def allow(file: Path, *sources: str, registries: tuple[str, ...] = (), more: str = "") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"[trust]\nsources = {json.dumps(sources)}\nregistries = {json.dumps(registries)}\n{more}")


# -- without a terminal

COMMANDS = {
    "plan": PLAN,
    "migrate": ("migrate",),
    "inspect": ("inspect",),
    "recipe list": ("recipe", "list"),
    "recipe show": ("recipe", "show", "team"),
    "recipe explain": ("recipe", "explain", "llama3.1:8b"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_unknown_source_is_refused_and_never_contacted(refused, server: GitServer, command) -> None:
    source = server.url("team.git")
    line = refused(*command, "--recipe", f"{source}@main#team.toml")
    assert line == (
        f"{source} is not among the sources of recipes that your settings allow — if you trust it: llamaexit recipe "
        f"allow {source}"
    )
    assert server.requests == []


def test_unknown_source_is_refused_also_where_examples_are_only_tried(refused, server: GitServer) -> None:
    assert "is not among the sources" in refused("recipe", "test", f"{server.url('team.git')}@main#team.toml")
    assert server.requests == []


def test_lint_tells_of_a_source_that_is_not_allowed_beside_everything_else(run, server: GitServer) -> None:
    Path("mine.toml").write_text(
        f'schema = 1\nname = "mine"\nextends = ["{server.url("team.git")}@main#team.toml"]\nnmae = 1\n'
    )
    Path("other.toml").write_text('schema = 1\nname = "other"\nsumary = "x"\n')
    outcome = run("recipe", "lint", "mine.toml", "other.toml", "--json")
    found = {(one["rule"], one["file"], one["line"]) for one in outcome.envelope["data"]["findings"]}
    assert {("bad-extends", "mine.toml", 3), ("unknown-key", "mine.toml", 4), ("unknown-key", "other.toml", 3)} <= found
    assert [error["code"] for error in outcome.envelope["errors"]] == ["untrusted", "lint"]
    assert outcome.code == 4
    assert server.requests == []


def test_unknown_source_of_a_file_is_never_contacted(refused, server: GitServer) -> None:
    file, address = server.web("team.toml"), "#sha256=" + "0" * 64
    assert refused(*PLAN, "--recipe", file + address).startswith(f"{file} is not among the sources")
    assert server.requests == []


@pytest.mark.parametrize("name", ["llamaexit.toml", "team.toml"], ids=["the recipe of a project", "a named recipe"])
def test_source_that_a_file_extends_is_refused_with_its_line(refused, server: GitServer, name: str) -> None:
    source = server.url("team.git")
    Path(name).write_text(f'schema = 1\nname = "mine"\nextends = [\n  "{source}@main#team.toml",\n]\n')
    line = refused(*PLAN, *(["--recipe", name] if name == "team.toml" else []))
    assert line.startswith(f"{name}:4: {source} is not among the sources of recipes that your settings allow — ")
    assert server.requests == []


def test_source_that_a_fetched_recipe_extends_is_refused_with_its_line(run, server, repository, settings) -> None:
    other = f"git+http://localhost:{server.port}/other.git"
    repository.commit({"more.toml": f'schema = 1\nname = "more"\nextends = ["{other}@main#a.toml"]\n'})
    allow(settings, server.url("team.git"))
    reference = f"{server.url('team.git')}@main#more.toml"
    outcome = run(*PLAN, "--recipe", reference)
    assert outcome.code == 4
    assert outcome.stderr.startswith(f"llamaexit: {reference}:3: {other} is not among the sources")
    assert [asked for asked in server.requests if "other.git" in asked] == []


def test_source_that_is_allowed_is_used(run, server: GitServer, settings: Path) -> None:
    allow(settings, f"git+http://127.0.0.1:{server.port}/*")
    outcome = run(*PLAN, "--recipe", f"{server.url('team.git')}@main#team.toml")
    assert outcome.code == 0, outcome.stderr
    assert "llama3.1:8b → qwen3:8b" in outcome.stdout


def test_json_stays_json(run, server: GitServer) -> None:
    outcome = run(*PLAN, "--recipe", f"{server.url('team.git')}@main#team.toml", "--json")
    (error,) = outcome.envelope["errors"]
    assert (outcome.code, error["code"], outcome.stderr) == (4, "untrusted", "")
    assert error["hint"].startswith("if you trust it: llamaexit recipe allow git+http://127.0.0.1:")


# -- registries


def test_registry_that_a_recipe_of_a_project_names_is_refused_with_its_line(refused) -> None:
    Path("llamaexit.toml").write_text(TEAM + BOT)
    assert refused(*PLAN) == (
        "llamaexit.toml:26: registry.acme.example/team/bot:1 comes from registry.acme.example/team, which is not among "
        "the registries that your settings allow — if you trust it: llamaexit recipe allow registry.acme.example/team"
    )


def test_registry_of_a_recipe_in_ones_own_folder_is_refused_too(refused, settings: Path) -> None:
    settings.parent.mkdir(parents=True)
    (settings.parent / "mine.toml").write_text(TEAM + BOT)
    assert "mine.toml:26: registry.acme.example/team/bot:1 comes from" in refused(*PLAN)


def test_registry_of_a_fetched_recipe_is_refused_though_its_source_is_allowed(run, server, settings: Path) -> None:
    allow(settings, server.url("team.git"))
    reference = f"{server.url('team.git')}@main#bot.toml"
    outcome = run(*PLAN, "--recipe", reference)
    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr.startswith(f"llamaexit: {reference}:26: registry.acme.example/team/bot:1 comes from")


def test_registry_that_is_allowed_may_be_named(run, settings: Path) -> None:
    Path("llamaexit.toml").write_text(TEAM + BOT)
    allow(settings, registries=("registry.acme.example",))
    assert run(*PLAN).code == 0


LOOKS = {
    "inspect": ("inspect",),
    "recipe list": ("recipe", "list"),
    "recipe show": ("recipe", "show", "team"),
    "recipe explain": ("recipe", "explain", "llama3.1:8b"),
    "recipe lint": ("recipe", "lint", "--ignore", "*-examples", "--ignore", "no-*"),
    "recipe test": ("recipe", "test"),
}


@pytest.mark.parametrize("command", LOOKS.values(), ids=LOOKS)
def test_recipe_with_a_registry_of_its_own_can_be_looked_at(run, command) -> None:
    """Nothing of it is pulled by that, and who is asked to allow a registry has to be able to look."""
    Path("llamaexit.toml").write_text(TEAM + BOT)
    assert "untrusted" not in run(*command, "--json").stdout


def test_settings_in_a_project_folder_do_not_count(refused, isolated: Path) -> None:
    Path("llamaexit.toml").write_text(TEAM + BOT)
    for folder in (Path(), Path(".config") / "llamaexit", Path("llamaexit"), Path(".llamaexit")):
        allow(folder / "settings.toml", registries=("registry.acme.example",))
    assert "which is not among the registries" in refused(*PLAN)


@posix
def test_project_folder_is_not_asked_either_where_the_environment_says_so(refused, monkeypatch) -> None:
    Path("llamaexit.toml").write_text(TEAM + BOT)
    for variable, folder in (("XDG_CONFIG_HOME", "mine"), ("XDG_CONFIG_DIRS", "everybodys")):
        monkeypatch.setenv(variable, folder)
        allow(Path(folder) / "llamaexit" / "settings.toml", registries=("registry.acme.example",))
    assert "which is not among the registries" in refused(*PLAN)


def test_settings_are_no_recipe(run, settings: Path) -> None:
    allow(settings, registries=("registry.acme.example",))
    (settings.parent / "mine.toml").write_text(TEAM)
    listed = run("recipe", "list", "--json").envelope["data"]["recipes"]
    assert [recipe["file"] for recipe in listed if not recipe["builtin"]] == [str(settings.parent / "mine.toml")]
    tested = run("recipe", "test", "--json").envelope["data"]
    assert "settings.toml" not in json.dumps(tested)


# -- settings that say more, or nothing that can be followed


def test_site_that_decides_alone_makes_what_the_user_allows_worthless(refused, server, settings, site) -> None:
    allow(settings, server.url("team.git"))
    allow(site, "git+https://git.acme.example/*", more="only = true\n")
    line = refused(*PLAN, "--recipe", f"{server.url('team.git')}@main#team.toml")
    assert line == (
        f"{server.url('team.git')} is not among the sources of recipes that the settings of this machine ({site}) "
        "allow — they alone decide; ask whoever looks after this machine"
    )
    assert server.requests == []


def test_what_the_site_allows_is_used(run, server: GitServer, site: Path) -> None:
    allow(site, server.url("team.git"), registries=("registry.acme.example/team",), more="only = true\n")
    assert run(*PLAN, "--recipe", f"{server.url('team.git')}@main#bot.toml").code == 0


@pytest.mark.parametrize("where", ["user", "site"])
def test_settings_that_cannot_be_followed_stop_whatever_rests_on_them(refused, settings, site, where) -> None:
    Path("llamaexit.toml").write_text(TEAM)
    file = settings if where == "user" else site
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('[trust]\nsources = ["git+https://github.com/acme*"]\n')
    assert refused(*PLAN).startswith(f"{file}:2:12: trust.sources[0]: 'git+https://github.com/acme*': a * stands for")


def test_plan_from_nothing_but_built_in_recipes_needs_no_settings(run, settings: Path) -> None:
    settings.parent.mkdir(parents=True)
    settings.write_text("not TOML")
    assert run(*PLAN).code == 0


# -- at a terminal


def asked(*arguments: str, press: dict[str, bytes], **env: str) -> Screen:
    return at_terminal(*arguments, columns=140, press=press, **env)


@posix
def test_what_a_source_would_lead_to_is_shown_and_asked_about(server: GitServer, settings: Path) -> None:
    screen = asked(*PLAN, "--recipe", f"{server.url('team.git')}@main#bot.toml", press={USE: b"y\n"})
    shown, _, rest = screen.text.partition(USE)
    assert (screen.code, settings.exists()) == (0, False)
    assert [line.rstrip() for line in shown.splitlines()] == [
        f"{server.url('team.git')} is not among the sources of recipes that your settings allow.",
        "  Recipe      team 3: What our team runs",
        "  Holds       2 rules and 1 description of a target",
        "  Would pull  - registry.acme.example/team/bot:1, about 4.0 GB",
        "              - qwen3:8b, 5.2 GB",
        "  Policy      models denied: qwen3:4b* (team)",
        "",
        "These registries are not among those that your settings allow.",
        "  Registry    registry.acme.example/team: registry.acme.example/team/bot:1, named in",
        f"              {server.url('team.git')}@main#bot.toml:26",
        "",
    ]
    assert "llama3.1:8b → qwen3:8b" in rest


@posix
@pytest.mark.parametrize("columns", [40, 80])
def test_question_about_a_source_breaks_between_words(server: GitServer, columns: int) -> None:
    source = server.url("team.git")
    Path("llamaexit.toml").write_text(f'schema = 1\nname = "mine"\nextends = ["{source}@main#team.toml"]\n')
    screen = at_terminal(*PLAN, columns=columns, press={CONTACT: b"n\n"})
    shown = [line.rstrip() for line in screen.text.partition(CONTACT)[0].splitlines()]
    assert max(map(len, shown)) <= columns
    assert " ".join(shown).strip() == (
        f"llamaexit.toml:3: {source} is not among the sources of recipes that your settings allow."
    )
    assert screen.text.splitlines()[len(shown)].startswith(CONTACT)


@posix
def test_always_is_remembered_with_what_was_there_kept(server: GitServer, settings: Path) -> None:
    settings.parent.mkdir(parents=True)
    settings.write_text("# mine\n[trust]\ncooldown-days = 7 # a week\n")
    reference = f"{server.url('team.git')}@main#bot.toml"
    assert asked(*PLAN, "--recipe", reference, press={USE: b"a\n"}).code == 0
    assert settings.read_text() == (
        f'# mine\n[trust]\ncooldown-days = 7 # a week\nsources = ["{server.url("team.git")}"]\n'
        'registries = ["registry.acme.example/team"]\n'
    )
    again = asked(*PLAN, "--recipe", reference, press={})
    assert (again.code, "settings allow" in again.text) == (0, False)


@posix
@pytest.mark.parametrize(
    ("keys", "code"),
    [(b"n\n", 4), (b"\n", 4), (b"yup\n", 4), (b"\x04", 4), (b"\x03", 130)],
    ids=["no", "nothing", "something else", "the end of the input", "^C"],
)
def test_everything_but_a_yes_leaves_all_as_it_was(server: GitServer, isolated: Path, keys: bytes, code: int) -> None:
    before = files_below(isolated / "work"), files_below(isolated / ".config")
    screen = asked(*PLAN, "--recipe", f"{server.url('team.git')}@main#team.toml", press={USE: keys})
    assert screen.code == code
    assert "nothing was changed" in screen.text.splitlines()[-1]
    assert (files_below(isolated / "work"), files_below(isolated / ".config")) == before
    assert "→" not in screen.text


@posix
@pytest.mark.parametrize("keys", [b"n\n", b"\n", b"\x04", b"\x03"], ids=["no", "nothing", "the end of the input", "^C"])
def test_what_only_a_file_names_is_not_contacted_without_a_yes(server: GitServer, keys: bytes) -> None:
    source = server.url("team.git")
    Path("llamaexit.toml").write_text(f'schema = 1\nname = "mine"\nextends = ["{source}@main#team.toml"]\n')
    screen = asked(*PLAN, press={CONTACT: keys})
    assert f"llamaexit.toml:3: {source} is not among the sources" in " ".join(screen.text.split())
    assert (screen.code, server.requests) == (130 if keys == b"\x03" else 4, [])
    assert screen.text.splitlines()[-1].startswith("llamaexit: ")  # whatever ended the line of the question


@posix
def test_what_a_file_names_is_asked_about_before_and_after_it_is_contacted(server: GitServer) -> None:
    Path("llamaexit.toml").write_text(
        f'schema = 1\nname = "mine"\nextends = ["{server.url("team.git")}@main#team.toml"]\n'
    )
    screen = asked(*PLAN, press={CONTACT: b"y\n", USE: b"y\n"})
    assert (screen.code, "Would pull  qwen3:8b" in screen.text) == (0, True)
    assert asked(*PLAN, press={CONTACT: b"y\n", USE: b"n\n"}).code == 4


@posix
def test_registry_that_a_file_names_is_asked_about(settings: Path) -> None:
    Path("llamaexit.toml").write_text(TEAM + BOT)
    assert asked(*PLAN, press={USE: b"a\n"}).code == 0
    assert 'registries = ["registry.acme.example/team"]' in settings.read_text()


@posix
@pytest.mark.parametrize(
    ("more", "env"), [(["--json"], {}), ([], {"CI": "true"})], ids=["a program that reads", "a CI job with a terminal"]
)
def test_nobody_is_asked_where_nobody_sits(server: GitServer, more: list[str], env: dict[str, str]) -> None:
    screen = asked(*PLAN, "--recipe", f"{server.url('team.git')}@main#team.toml", *more, press={}, **env)
    assert (screen.code, server.requests) == (4, [])


@posix
def test_nobody_is_asked_what_the_site_decides(server: GitServer, site: Path) -> None:
    allow(site, more="only = true\n")
    screen = asked(*PLAN, "--recipe", f"{server.url('team.git')}@main#team.toml", press={})
    assert (screen.code, server.requests) == (4, [])
    Path("llamaexit.toml").write_text(TEAM + BOT)
    assert asked(*PLAN, press={}).code == 4


@posix
def test_lint_fetches_what_was_typed_and_asks_nothing(server: GitServer) -> None:
    screen = asked("recipe", "lint", f"{server.url('team.git')}@main#team.toml", press={})
    assert "Use this?" not in screen.text and "no-examples" in screen.text


@posix
def test_strangers_cannot_draw_on_the_terminal(repository: GitRepository, server: GitServer) -> None:
    name = r"\u001b[2J\u001b[1;1HAll is well.\u001b]0;owned\u0007 \u202eevil"
    repository.commit({"team.toml": TEAM.replace("What our team runs", name)})
    screen = asked(*PLAN, "--recipe", f"{server.url('team.git')}@main#team.toml", press={})
    assert screen.code == 4
    assert "\x1b[2J" not in screen.raw and "\x1b]0" not in screen.raw and "\u202e" not in screen.raw
