"""`llamaexit recipe lock` and `recipe update`, and what a lock means to every other command."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from git_repository import GitRepository, GitServer
from planning_cases import MACHINES
from scene import OLD, llama_models, qwen

from folders import files_below, written
from llamaexit.ollama.registry import RegistryUnreachable
from registry_standin import RegistryStandIn
from standin import Registry, Standin, Store

PLAN = ("plan", OLD, "--gpu", "RTX 4090", "--ram", "64GiB", "--use", f"{OLD}=chat", "--thinking", "allow")
TEAM = """\
schema = 1
name = "team"
version = "1"

[[rules]]
id = "chat"
use = "chat"
match = ["llama3.1:8b"]
targets = [{ model = "qwen3:8b", why = "better" }]
"""
DIGEST = "ab" * 32


class NoRegistry:
    """A registry that cannot be reached."""

    def manifest(self, name, server_version=None):
        raise RegistryUnreachable("the registry cannot be reached: no route to host")


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    nobody = NoRegistry()
    monkeypatch.setattr("llamaexit.cli.online.registry_here", lambda timeout, **_: nobody)
    return nobody


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    made = GitRepository(tmp_path / "served" / "team.git")
    made.commit({"team.toml": TEAM})
    return made


@pytest.fixture
def server(repository: GitRepository) -> Iterator[GitServer]:
    """Serves the repository, and counts what it is asked."""
    with GitServer(repository.folder.parent) as running:
        yield running


@pytest.fixture
def settings(isolated: Path) -> Callable[..., None]:
    """Write the user's settings: sources, registries, and more lines."""
    file = isolated / ".config" / "llamaexit" / "settings.toml"

    def write(*sources: str, registries: tuple[str, ...] = (), more: str = "") -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"[trust]\nsources = {json.dumps(sources)}\nregistries = {json.dumps(registries)}\n{more}")

    return write


@pytest.fixture
def reference(server: GitServer, settings) -> str:
    """The address of team.toml on the branch, from a source that is allowed; the project extends it."""
    settings(server.url("team.git"))
    found = f"{server.url('team.git')}@main#team.toml"
    Path("llamaexit.toml").write_text(f'schema = 1\nname = "project"\nextends = ["{found}"]\n')
    return found


@pytest.fixture
def locked(run, reference: str) -> str:
    """The same, and locked."""
    outcome = run("recipe", "lock")
    assert outcome.code == 0, outcome.stderr
    return reference


def lock_file() -> str:
    return Path("llamaexit.lock").read_text("utf-8")


def why(outcome) -> str:
    """Why the plan of a command takes its target: words that tell one version of the recipe from another."""
    return outcome.envelope["data"]["decisions"][0]["target"]["why"]


# -- locking


def test_lock_is_written_and_told(run, reference, repository) -> None:
    outcome = run("recipe", "lock")
    assert outcome.code == 0
    assert outcome.stdout.startswith("llamaexit.lock  written: 2 recipes, 1 target\n")
    assert "registry.ollama.ai could not be asked" in " ".join(outcome.stdout.split())
    assert f'reference = "{reference}"\ncommit = "{repository.git("rev-parse", "main")}"\n' in lock_file()
    assert 'model = "qwen3:8b"\n' in lock_file()


def test_lock_answers_in_json(run, reference, repository) -> None:
    data = run("recipe", "lock", "--json").envelope["data"]
    assert (data["lock"], data["written"], data["different"]) == ("llamaexit.lock", True, True)
    assert [one["reference"] for one in data["recipes"]] == [reference, "llamaexit.toml"]
    assert data["recipes"][0]["commit"] == repository.git("rev-parse", "main")
    assert data["recipes"][1]["commit"] is None
    assert [(one["model"], one["seen"]) for one in data["targets"]] == [("qwen3:8b", "recipe")]
    assert {change["how"] for change in data["changes"]["recipes"]} == {"added"}


def test_locking_again_changes_nothing_and_asks_nobody(run, locked, server) -> None:
    before, asked = written(Path("llamaexit.lock")), len(server.requests)
    outcome = run("recipe", "lock")
    assert outcome.stdout.startswith("llamaexit.lock  is as it was: 2 recipes, 1 target\n")
    assert written(Path("llamaexit.lock")) == before
    assert len(server.requests) == asked


def test_files_alone_are_locked(run) -> None:
    Path("llamaexit.toml").write_text(TEAM)
    assert run("recipe", "lock").code == 0
    assert lock_file().count("[[recipes]]") == 1
    assert run(*PLAN, "--locked").code == 0


def test_named_recipe_is_locked_beside_the_project(run, refused) -> None:
    Path("llamaexit.toml").write_text(TEAM)
    Path("own.toml").write_text('schema = 1\nname = "own"\n')
    assert run("recipe", "lock", "own.toml").code == 0
    assert 'roots = [\n    "llamaexit.toml",\n    "own.toml",\n]\n' in lock_file()
    assert run(*PLAN, "--recipe", "own.toml", "--locked").code == 0


def test_file_that_is_gone_is_left_out_of_the_next_lock(run) -> None:
    Path("llamaexit.toml").write_text(TEAM)
    Path("own.toml").write_text('schema = 1\nname = "own"\n')
    run("recipe", "lock", "own.toml")
    Path("own.toml").unlink()
    outcome = run("recipe", "lock")
    assert (outcome.code, "Left out    own.toml\n" in outcome.stdout) == (0, True)
    assert 'roots = ["llamaexit.toml"]\n' in lock_file()


def test_nothing_to_lock_is_a_wrong_command_line(refused) -> None:
    line = refused("recipe", "lock", code=2)
    assert line == (
        "nothing to lock: there is no llamaexit.toml here — name a file or an address: llamaexit recipe lock FILE"
    )
    assert refused("recipe", "lock", "builtin:replace-chat", code=2).startswith("nothing to lock: none of builtin:")


def test_lock_is_not_written_unless_everything_could_be_resolved(run, reference, server) -> None:
    missing = f"{server.url('team.git')}@v9#team.toml"
    Path("llamaexit.toml").write_text(f'schema = 1\nname = "project"\nextends = ["{reference}", "{missing}"]\n')
    before = files_below(Path())
    outcome = run("recipe", "lock")
    assert (outcome.code, outcome.stdout) == (4, "")
    assert outcome.stderr.startswith("llamaexit: llamaexit.toml:3:")
    assert files_below(Path()) == before


def test_source_that_is_not_allowed_is_not_locked(refused, reference, settings, server) -> None:
    settings()
    assert "is not among the sources" in refused("recipe", "lock")
    assert server.requests == []


def test_registry_that_is_not_allowed_is_not_asked(refused, registry, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr("llamaexit.cli.online.registry_here", lambda *_, **__: asked.append(1))
    model = '[[models]]\nname = "registry.acme.example/team/bot:1"\nfamily = "bot"\nvendor = "Acme"\n'
    Path("llamaexit.toml").write_text(model_recipe("registry.acme.example/team/bot:1", model))
    assert "registry.acme.example/team" in refused("recipe", "lock")
    assert asked == []


def model_recipe(model: str, facts: str = "") -> str:
    return TEAM.replace("qwen3:8b", model) + facts


# -- registries


def test_build_in_the_registry_is_locked(run, settings, monkeypatch) -> None:
    from llamaexit.ollama.registry import Registry as Client

    monkeypatch.setattr("llamaexit.cli.online.registry_here", lambda timeout, **_: Client(None, timeout))
    with RegistryStandIn() as published:
        model = f"{published.host}/team/bot:1"
        digest = published.publish("team/bot:1", ("model", b"weights"), config={"model_family": "bot"})
        settings(registries=(published.host,))
        facts = f'[[models]]\nname = "{model}"\nfamily = "bot"\nvendor = "Acme"\n'
        Path("llamaexit.toml").write_text(model_recipe(model, facts))
        data = run("recipe", "lock", "--json").envelope["data"]
        assert data["targets"] == [{"model": model, "digest": f"sha256:{digest}", "seen": "registry"}]

        moved = published.publish("team/bot:1", ("model", b"other weights"), config={"model_family": "bot"})
        outcome = run("recipe", "update", "--check", "--json")
        assert outcome.code == 3
        (change,) = outcome.envelope["data"]["changes"]["targets"]
        assert change == {
            "name": model,
            "how": "changed",
            "differences": [{"key": "digest", "old": f"sha256:{digest}", "new": f"sha256:{moved}"}],
        }


def test_model_the_registry_does_not_have_is_told(run, settings, monkeypatch) -> None:
    from llamaexit.ollama.registry import Registry as Client

    monkeypatch.setattr("llamaexit.cli.online.registry_here", lambda timeout, **_: Client(None, timeout))
    with RegistryStandIn() as published:
        model = f"{published.host}/team/bot:1"
        settings(registries=(published.host,))
        facts = f'[[models]]\nname = "{model}"\nfamily = "bot"\nvendor = "Acme"\n'
        Path("llamaexit.toml").write_text(model_recipe(model, facts))
        data = run("recipe", "lock", "--json").envelope["data"]
        assert data["targets"] == []
        assert any(note.startswith("there is no") for note in data["notes"])


# -- a branch that moves


def test_locked_commit_is_planned_with_after_the_branch_moved(run, locked, repository, server) -> None:
    repository.commit({"team.toml": TEAM.replace("better", "best")})
    asked = len(server.requests)
    assert why(run(*PLAN, "--json")) == "better"
    assert len(server.requests) == asked


def test_check_says_what_would_change_and_writes_nothing(run, locked, repository, server) -> None:
    more = TEAM.replace("better", "best").replace('version = "1"', 'version = "2"')
    commit = repository.commit({"team.toml": more + '[policy]\ndeny-models = ["qwen3:30b*"]\n'})
    before = lock_file()
    outcome = run("recipe", "update", "--check")
    assert (outcome.code, lock_file()) == (3, before)
    text = outcome.stdout
    assert text.startswith("llamaexit.lock  would change: 1 recipe\n")
    assert f"{commit[:12]}" in text
    assert "  changed  team/chat" in text
    assert "targets[qwen3:8b].why\n                better → best\n" in text
    assert "  added    deny-models\n    value       qwen3:30b*\n" in text
    assert "version     1 → 2" in text
    assert text.endswith("Next        llamaexit recipe update\n")


def test_update_moves_and_is_then_up_to_date(run, locked, repository) -> None:
    commit = repository.commit({"team.toml": TEAM.replace("better", "best")})
    outcome = run("recipe", "update", "--json")
    data = outcome.envelope["data"]
    assert (outcome.code, data["written"], data["different"]) == (0, True, True)
    assert [(one["kind"], one["name"]) for one in data["changes"]["contents"]] == [("rule", "team/chat")]
    assert f'commit = "{commit}"' in lock_file()
    assert why(run(*PLAN, "--json")) == "best"
    again = run("recipe", "update", "--check")
    assert (again.code, again.stdout.splitlines()[0]) == (0, "llamaexit.lock  is up to date: 2 recipes, 1 target")


def test_of_a_file_that_was_changed_nothing_is_claimed(run, locked, repository) -> None:
    """Here it extends another tag, and did not extend nothing before."""
    repository.commit({"team.toml": TEAM.replace('version = "1"', 'version = "2"')})
    repository.tag("v2")
    project = Path("llamaexit.toml")
    project.write_text(project.read_text().replace("@main", "@v2"))
    data = run("recipe", "update", "--check", "--json").envelope["data"]
    assert [(one["kind"], one["name"]) for one in data["changes"]["contents"]] == [("recipe", "team")]
    assert [note for note in data["notes"] if "registry" not in note] == [
        "llamaexit.toml: what changed in it is not shown, since of files of your own no copy is kept"
    ]
    project.write_text(project.read_text().replace("@v2", "@main") + "# more\n")
    assert "Nothing that recipes say is different" not in run("recipe", "update", "--check").stdout


def test_update_without_a_lock_is_refused(refused, reference, server) -> None:
    assert refused("recipe", "update") == (
        "there is no llamaexit.lock here to update — llamaexit recipe lock writes one"
    )
    assert server.requests == []


def test_update_that_fails_leaves_the_lock_as_it_was(run, locked, repository) -> None:
    repository.commit({"team.toml": TEAM + "nonsense = 1\n"})
    before = lock_file()
    outcome = run("recipe", "update")
    assert (outcome.code, outcome.stdout, lock_file()) == (4, "", before)
    assert "unknown key" in outcome.stderr


# -- cooldown


@pytest.fixture
def young(repository) -> str:
    """A commit that is dated as late as anybody could wish."""
    return repository.commit({"team.toml": TEAM.replace("better", "best")}, at="2099-01-01T00:00:00Z")


def test_young_commit_is_held_back_as_the_settings_say(run, locked, settings, server, young) -> None:
    settings(server.url("team.git"), more="cooldown-days = 7\n")
    outcome = run("recipe", "update", "--check")
    assert outcome.code == 0
    assert "Held back\n" in outcome.stdout
    assert f"Commit      {young[:12]} of 2099-01-01\n    Until       2099-01-08\n" in outcome.stdout
    (held,) = run("recipe", "update", "--json").envelope["data"]["held_back"]
    assert (held["commit"], held["ready"]) == (young, "2099-01-08")
    assert why(run(*PLAN, "--json")) == "better"


def test_cooldown_of_the_command_line_counts_more_than_the_settings(run, locked, settings, server, young) -> None:
    settings(server.url("team.git"), more="cooldown-days = 7\n")
    assert run("recipe", "update", "--check", "--cooldown-days", "0").code == 3
    settings(server.url("team.git"))
    assert run("recipe", "update", "--check", "--cooldown-days", "7").code == 0


def test_first_lock_of_a_young_commit_is_refused(run, reference, young) -> None:
    outcome = run("recipe", "lock", "--cooldown-days", "7")
    assert (outcome.code, outcome.stdout, Path("llamaexit.lock").exists()) == (4, "", False)
    assert f"commit {young[:12]} of 2099-01-01, and has to be 7 days old" in outcome.stderr
    assert "--cooldown-days 0" in outcome.stderr
    assert run("recipe", "lock", "--cooldown-days", "0").code == 0


def test_cooldown_that_is_none_is_a_wrong_command_line(refused, reference) -> None:
    assert "--cooldown-days: -1 is not from 0 to 3650" in refused("recipe", "lock", "--cooldown-days", "-1", code=2)


# -- whatever is not as it was locked

COMMANDS = {
    "plan": PLAN,
    "migrate": ("migrate",),
    "inspect": ("inspect", "--store", "models"),
    "recipe list": ("recipe", "list"),
    "recipe show": ("recipe", "show", "project"),
    "recipe explain": ("recipe", "explain", OLD),
}
AT_WORK = {"recipe lint": ("recipe", "lint"), "recipe test": ("recipe", "test")}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_changed_file_is_refused_in_ci_by_every_command(run, locked, monkeypatch, command, store) -> None:
    shutil.copytree(store, "models")
    with Path("llamaexit.toml").open("a") as file:
        file.write("# by somebody\n")
    monkeypatch.setenv("CI", "true")
    outcome = run(*command)
    assert (outcome.code, outcome.stdout) == (4, "")
    assert "llamaexit.toml is not what was locked: sha256" in outcome.stderr
    assert "is not what was locked" not in run(*command, "--no-locked").stderr


@pytest.mark.parametrize("command", AT_WORK.values(), ids=AT_WORK)
def test_changed_file_is_looked_at_in_ci_before_it_is_locked(run, locked, monkeypatch, command) -> None:
    with Path("llamaexit.toml").open("a") as file:
        file.write("# by me\n")
    monkeypatch.setenv("CI", "true")
    assert "is not what was locked" not in run(*command).stderr
    outcome = run(*command, "--locked")
    assert outcome.code == 4
    assert "llamaexit.toml is not what was locked: sha256" in outcome.stderr


@pytest.mark.parametrize("command", AT_WORK.values(), ids=AT_WORK)
def test_fetched_recipe_that_is_not_locked_is_not_looked_at_in_ci(run, locked, monkeypatch, command) -> None:
    Path("llamaexit.lock").unlink()
    monkeypatch.setenv("CI", "true")
    outcome = run(*command)
    assert outcome.code == 4
    assert "there is no llamaexit.lock, and CI is set" in outcome.stderr


def test_lint_takes_what_is_locked_for_pinned(run, locked) -> None:
    assert "unpinned-source" not in run("recipe", "lint").stdout
    Path("llamaexit.lock").unlink()
    assert "unpinned-source" in run("recipe", "lint").stdout


def test_refusal_in_json_has_a_code_of_its_own(run, locked) -> None:
    with Path("llamaexit.toml").open("a") as file:
        file.write("# by somebody\n")
    (error,) = run(*PLAN, "--locked", "--json").envelope["errors"]
    assert error["code"] == "lock"
    assert error["hint"] == "lock it as it is now: llamaexit recipe lock"


def test_changed_file_goes_outside_of_ci(run, locked) -> None:
    with Path("llamaexit.toml").open("a") as file:
        file.write("# by me\n")
    assert run(*PLAN).code == 0


@pytest.mark.parametrize("how", [(), ("--locked",), ("--no-locked",)], ids=["", "--locked", "--no-locked"])
def test_lock_changed_by_hand_is_refused(refused, locked, how) -> None:
    text = lock_file()
    sha256 = text.partition('sha256 = "')[2][:64]
    Path("llamaexit.lock").write_text(text.replace(sha256, "0" * 64))
    assert refused(*PLAN, *how).startswith(
        f"{locked} is not what was locked: sha256 {sha256[:12]}, llamaexit.lock has 0"
    )


def test_lock_that_is_none_is_refused_with_its_place(refused, locked) -> None:
    Path("llamaexit.lock").write_text(lock_file().replace("[[targets]]", "[[target]]"))
    assert refused(*PLAN).startswith("llamaexit.lock:15:1: target: unknown key; did you mean 'targets'?")
    assert refused("recipe", "lock").endswith("restore it, or delete it and lock afresh: llamaexit recipe lock")


def test_cache_changed_by_hand_is_refused_and_not_mended(refused, locked, isolated) -> None:
    blobs = [path for path in (isolated / ".cache" / "llamaexit" / "recipes").rglob("*") if path.is_file()]
    changed = next(path for path in blobs if b"better" in path.read_bytes())
    changed.chmod(0o600)
    changed.write_bytes(changed.read_bytes().replace(b"better", b"bettor"))
    assert "the cache was changed" in refused(*PLAN)
    assert "the cache was changed" in refused(*PLAN, "--locked")
    assert "the cache was changed" in refused("recipe", "lock")


def test_locked_plan_needs_nobody_once_the_cache_is_filled(run, locked, repository, monkeypatch) -> None:
    shutil.rmtree(repository.folder)
    monkeypatch.setenv("PATH", "")
    assert why(run(*PLAN, "--locked", "--json")) == "better"


def test_lock_does_not_stand_in_for_trust(refused, locked, settings) -> None:
    settings()
    for command in (PLAN, ("recipe", "lock"), ("recipe", "update")):
        assert refused(*command).startswith("llamaexit.toml:3: ")


def test_address_that_only_the_lock_names_has_to_be_allowed_too(run, refused, locked, settings, server) -> None:
    Path("llamaexit.toml").unlink()
    Path("llamaexit.lock").write_text(lock_file().replace('roots = ["llamaexit.toml"]', f'roots = ["{locked}"]'))
    settings()
    asked = len(server.requests)
    line = refused("recipe", "update")
    assert line.startswith(f"llamaexit.lock: {server.url('team.git')} is not among the sources")
    assert len(server.requests) == asked


def test_recipe_in_ones_own_folder_is_refused_when_locked(run, refused, isolated, locked) -> None:
    mine = isolated / ".config" / "llamaexit" / "mine.toml"
    mine.write_text('schema = 1\nname = "mine"\n')
    assert run(*PLAN).code == 0
    line = refused(*PLAN, "--locked")
    assert line.startswith(f"{mine} is not in llamaexit.lock, and --locked was said")
    assert f"llamaexit recipe lock {mine}" in line


def test_fetched_recipe_the_lock_lacks_is_a_warning_outside_of_ci(run, locked, repository) -> None:
    repository.commit({"more.toml": 'schema = 1\nname = "more"\n'})
    more = locked.replace("@main#team.toml", "@" + repository.git("rev-parse", "main") + "#more.toml")
    outcome = run(*PLAN, "--recipe", more)
    assert outcome.code == 0
    assert outcome.stderr == (
        f"llamaexit: warning: {more} is not in llamaexit.lock; llamaexit recipe lock '{more}' puts it there\n"
    )


def test_fetched_recipe_that_a_locked_one_came_to_extend_is_locked_without_naming_it(run, locked, repository) -> None:
    repository.commit({"more.toml": 'schema = 1\nname = "more"\n'})
    more = locked.replace("@main#team.toml", "@" + repository.git("rev-parse", "main") + "#more.toml")
    project = Path("llamaexit.toml").read_text()
    Path("llamaexit.toml").write_text(project.replace("extends = [", f'extends = ["{more}", '))
    warning = f"llamaexit: warning: {more} is not in llamaexit.lock; llamaexit recipe lock puts it there\n"
    assert run(*PLAN).stderr == warning
    assert run("recipe", "lock").code == 0
    assert run(*PLAN).stderr == ""


def test_fetched_recipe_the_lock_lacks_is_refused_in_ci_before_contact(refused, locked, server, monkeypatch) -> None:
    monkeypatch.setenv("CI", "1")
    asked = len(server.requests)
    more = locked.replace("@main", "@other")
    assert refused(*PLAN, "--recipe", more).startswith(f"{more} is not in llamaexit.lock, and CI is set")
    assert len(server.requests) == asked


def test_without_a_lock_ci_takes_files_but_nothing_fetched(run, refused, reference, monkeypatch, server) -> None:
    monkeypatch.setenv("CI", "true")
    assert refused(*PLAN).startswith(f"there is no llamaexit.lock, and CI is set: {reference} may not be used without")
    assert server.requests == []
    Path("llamaexit.toml").write_text(TEAM)
    assert run(*PLAN).code == 0
    assert refused(*PLAN, "--locked").startswith("there is no llamaexit.lock, and --locked was said: llamaexit.toml")


def test_built_in_recipes_alone_need_no_lock(run) -> None:
    assert run(*PLAN, "--locked").code == 0


def test_next_command_holds_to_the_lock_as_well(run, locked) -> None:
    assert " --locked" in run(*PLAN, "--locked").stdout.partition("\nNext")[2]
    assert "locked" not in run(*PLAN).stdout.partition("\nNext")[2]


def test_locked_is_for_planning_and_not_for_a_plan_that_is_made(run, locked) -> None:
    assert run(*PLAN, "--out", "plan.json").code == 0
    outcome = run("migrate", "plan.json", "--locked")
    assert outcome.code == 2
    assert outcome.stderr.startswith("llamaexit: --locked is for planning, and plan.json is a plan already")


# -- builds


def lock_target(digest: str) -> None:
    Path("llamaexit.toml").write_text(TEAM)
    Path("llamaexit.lock").write_text(
        f'lock = 1\nroots = ["llamaexit.toml"]\n[[targets]]\nmodel = "qwen3:8b"\ndigest = "sha256:{digest}"\n'
        'seen = "registry"\n'
    )


def test_plan_expects_the_locked_build_and_says_so(run) -> None:
    lock_target(DIGEST)
    plan = run(*PLAN, "--json").envelope["data"]
    assert plan["decisions"][0]["target"]["digest"] == DIGEST
    assert "locked by digest: qwen3:8b" in plan["basis"]["policy"]


@pytest.fixture
def ollama(monkeypatch) -> Iterator[Standin]:
    """A server with a Llama, on a machine with one good card; it pulls from a registry that has qwen3:8b."""
    monkeypatch.setattr("llamaexit.hardware.read_machine", lambda store: MACHINES["an RTX 4090"])
    with Standin(Store.of(*llama_models()), registry=Registry(qwen("qwen3:8b"))) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        yield server


MIGRATE = (
    "migrate",
    "--only",
    OLD,
    "--use",
    f"{OLD}=chat",
    "--thinking",
    "allow",
    "--apply",
    "--yes",
    "--suite",
    "none",
)


def names(server: Standin) -> dict[str, str]:
    return {name.short: entry.digest for name, entry in server.store.manifests.items()}


def test_pull_that_brings_another_build_stops_before_anything_is_switched(run, ollama) -> None:
    lock_target(DIGEST)
    before = names(ollama)
    outcome = run(*MIGRATE, "--take-over")
    assert outcome.code == 1
    assert f"the plan was made for {DIGEST[:12]}: the tag has moved" in outcome.stderr
    after = names(ollama)
    assert {name: after[name] for name in before} == before


def test_pull_that_brings_the_locked_build_goes_on(run, ollama) -> None:
    assert ollama.registry is not None
    lock_target(ollama.registry.digest("qwen3:8b"))
    outcome = run(*MIGRATE)
    assert outcome.code == 0, outcome.stderr
    assert names(ollama)["qwen3:8b"] == ollama.registry.digest("qwen3:8b")
