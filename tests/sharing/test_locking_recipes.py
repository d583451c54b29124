"""What goes into a lock, what it then holds recipes to, and what it says has changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from git_repository import GitRepository
from recipe_texts import recipe

from llamaexit.errors import RecipeError
from llamaexit.recipes.library import Library
from llamaexit.recipes.load import load_library
from llamaexit.sharing.lock import Lock, LockedTarget, LockError, text_hash
from llamaexit.sharing.locking import LockPins, Strict, Watched, strictness
from llamaexit.sharing.taking import Asked, Cooldown, Roots, Taken, lock_of, take
from llamaexit.sharing.updating import Change, Difference, compare_libraries, compare_locks, locked_library

NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)
REGISTRY = {"qwen3:8b": "aa" * 32, "qwen3:14b": "bb" * 32, "qwen3:4b": "cc" * 32}
CHAT = """
[[rules]]
id = "chat"
use = "chat"
match = ["llama3.1:8b"]
[[rules.targets]]
model = "qwen3:8b"
why = "better"
"""


@dataclass
class Project:
    """A folder with a lock, and what finds recipes for it."""

    folder: Path
    finder: Callable
    lock: Lock | None = None
    registry: dict[str, str] = field(default_factory=lambda: dict(REGISTRY))
    asked: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "llamaexit.lock"

    def take(self, *named: str, afresh: bool = False, cooldown: int = 0, now: dt.datetime = NOW) -> Taken:
        project = self.folder / "llamaexit.toml"
        remembered = () if named or self.lock is None else self.lock.roots
        roots = Roots(project if project.exists() else None, named, remembered)
        return take(
            roots, self.lock, self.file, lambda pins: self.finder(pins=pins), afresh=afresh,
            cooldown=Cooldown(cooldown, now),
        )  # fmt: skip

    def lock_now(self, *named: str, **options) -> Lock:
        """Lock what is named, or what was locked before, and remember it."""
        afresh = options.get("afresh", False)
        self.lock, _ = lock_of(self.take(*named, **options), self.lock, self.ask, afresh=afresh)
        return self.lock

    def ask(self, names: Sequence[str]) -> Asked:
        self.asked += names
        return Asked({name: self.registry[name] for name in names if name in self.registry})

    def load(self, *named: str, strict: Strict = "", **options) -> tuple[Library, LockPins]:
        """Use recipes as a command does."""
        pins = LockPins(self.file, self.lock, strict)
        sources = Watched(self.finder(pins=pins, **options), pins)
        project = self.folder / "llamaexit.toml"
        return load_library(named, project=project if project.exists() else None, sources=sources), pins

    def changes(self, new: Lock, library: Library) -> tuple[Change, ...]:
        assert self.lock is not None
        project = self.folder / "llamaexit.toml"
        before, notes = locked_library(
            self.lock, self.file, project if project.exists() else None, lambda pins: self.finder(pins=pins)
        )
        assert notes == ()
        return compare_libraries(before, library)


@pytest.fixture
def project(isolated, finder) -> Project:
    return Project(isolated / "work", finder)


@pytest.fixture
def team(make_repository) -> GitRepository:
    """A repository with team.toml, which extends base.toml beside it."""
    made = make_repository("team.git")
    made.commit({
        "team.toml": recipe("team", extends=["base.toml"], more=CHAT),
        "base.toml": recipe("base", more='[policy]\ndeny-models = ["qwen3:30b*"]\n'),
    })  # fmt: skip
    return made


@pytest.fixture
def reference(team) -> str:
    return f"{team.url}@main#team.toml"


def write(project: Project, name: str, text: str) -> Path:
    path = project.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")
    return path


# -- what goes in


def test_lock_has_every_recipe_with_its_commit_and_hash(project, team, reference) -> None:
    text = recipe("project", extends=[reference, "policies/eu.toml"])
    write(project, "llamaexit.toml", text)
    write(project, "policies/eu.toml", recipe("eu"))
    lock = project.lock_now()
    commit = team.git("rev-parse", "main")
    assert lock.roots == ("llamaexit.toml",)
    assert [(entry.reference, entry.commit, entry.committed) for entry in lock.recipes] == [
        (f"{team.url}@main#base.toml", commit, "2026-11-02T09:00:00Z"),
        (reference, commit, "2026-11-02T09:00:00Z"),
        ("llamaexit.toml", "", ""),
        ("policies/eu.toml", "", ""),
    ]
    assert lock.recipe("llamaexit.toml").sha256 == text_hash(text)


def test_lock_of_files_alone_contacts_nobody_and_needs_no_git(project, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    write(project, "llamaexit.toml", recipe("project", more=CHAT))
    lock = project.lock_now()
    assert [entry.reference for entry in lock.recipes] == ["llamaexit.toml"]
    assert lock.targets == (LockedTarget("qwen3:8b", "sha256:" + "aa" * 32, "registry"),)


def test_references_on_the_command_line_are_roots_beside_the_project(project, reference) -> None:
    write(project, "llamaexit.toml", recipe("project"))
    assert project.lock_now(reference).roots == tuple(sorted((reference, "llamaexit.toml")))


def test_roots_are_remembered_for_the_next_time(project, reference) -> None:
    write(project, "own.toml", recipe("own"))
    first = project.lock_now(reference, "own.toml")
    assert project.lock_now() == first


def test_a_remembered_address_does_not_count_as_typed(project, reference) -> None:
    seen = []

    class Gate:
        def check(self, address, named_in):
            seen.append((address.spelled, None if named_in is None else named_in.shown_as))

    project.lock_now(reference)
    roots = Roots(None, (), project.lock.roots)
    take(
        roots, project.lock, Path("llamaexit.lock"), lambda pins: project.finder(pins=pins, gate=Gate()), afresh=True,
        cooldown=Cooldown(0, NOW),
    )  # fmt: skip
    assert seen == [(reference, "llamaexit.lock")]


def test_text_of_a_file_is_locked_whatever_its_line_endings(project) -> None:
    path = write(project, "llamaexit.toml", recipe("project"))
    first = project.lock_now()
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert project.lock_now() == first


def test_locked_reference_stays_when_its_branch_moves(project, team, reference) -> None:
    first = project.lock_now(reference)
    team.commit({"team.toml": recipe("team", more=CHAT.replace("better", "best"))})
    assert project.lock_now() == first


def test_new_reference_to_a_locked_branch_comes_from_the_same_commit(project, team, reference) -> None:
    first = project.lock_now(reference)
    team.commit({"team.toml": recipe("team"), "base.toml": recipe("base", more="[caveats]\nX = 'new'\n")})
    second = project.lock_now(reference, f"{team.url}@main#base.toml")
    assert {entry.commit for entry in second.recipes} == {first.recipes[0].commit}


def test_taking_afresh_moves_to_where_the_branch_is(project, team, reference) -> None:
    project.lock_now(reference)
    commit = team.commit({"team.toml": recipe("team", more=CHAT.replace("better", "best"))})
    lock = project.lock_now(afresh=True)
    assert {(entry.reference, entry.commit) for entry in lock.recipes} == {(reference, commit)}


def test_everything_wrong_is_told_and_nothing_is_locked(project, team) -> None:
    team.commit({"bad.toml": 'schema = 1\nname = "bad"\nno = 1\nnor = 2\n'})
    with pytest.raises(RecipeError) as caught:
        project.take(f"{team.url}@main#bad.toml")
    assert len(caught.value.problems) == 2


def test_same_commit_with_another_hash_in_the_lock_is_refused(project, reference) -> None:
    lock = project.lock_now(reference)
    project.lock = replace(lock, recipes=tuple(replace(entry, sha256="0" * 64) for entry in lock.recipes))
    for afresh in (False, True):
        with pytest.raises(LockError, match="is not what was locked: sha256"):
            project.take(afresh=afresh)


# -- targets


def test_targets_of_own_rules_are_locked_and_those_of_built_in_rules_are_not(project) -> None:
    more = CHAT + '[[rules.targets]]\nmodel = "qwen3:14b"\n[[rules.targets]]\nmodel = "deepseek-v3.1:671b-cloud"\n'
    write(project, "llamaexit.toml", recipe("project", more=more))
    assert [target.model for target in project.lock_now().targets] == ["qwen3:14b", "qwen3:8b"]


def test_target_of_a_rule_that_is_disabled_is_not_locked(project) -> None:
    write(project, "base.toml", recipe("base", more=CHAT))
    write(project, "llamaexit.toml", recipe("project", extends=["base.toml"], more='disable = ["base/chat"]\n'))
    assert project.lock_now().targets == ()


def test_registry_that_cannot_be_asked_leaves_the_digest_of_the_catalogue(project) -> None:
    project.registry.clear()
    write(project, "llamaexit.toml", recipe("project", more=CHAT))
    (target,) = project.lock_now().targets
    stated = load_library().target("qwen3:8b")[0].digest
    assert (target.hex, target.seen) == (stated, "recipe")


def test_target_nobody_knows_a_digest_of_is_left_out_and_told(project) -> None:
    more = '[[models]]\nname = "acme/own:7b"\nfamily = "own"\nvendor = "Acme"\n' + CHAT.replace(
        "qwen3:8b", "acme/own:7b"
    )
    write(project, "llamaexit.toml", recipe("project", more=more))
    lock, notes = lock_of(project.take(), None, project.ask, afresh=False)
    assert lock.targets == ()
    assert notes == ("acme/own:7b is not locked: no registry could be asked, and no recipe states its digest",)


def test_locked_build_stays_when_the_tag_moves_and_is_not_asked_for_again(project) -> None:
    write(project, "llamaexit.toml", recipe("project", more=CHAT))
    first = project.lock_now()
    project.registry["qwen3:8b"] = "ee" * 32
    assert project.lock_now() == first
    assert project.asked == ["qwen3:8b"]


def test_taking_afresh_moves_to_what_the_tag_is(project) -> None:
    write(project, "llamaexit.toml", recipe("project", more=CHAT))
    project.lock_now()
    project.registry["qwen3:8b"] = "ee" * 32
    assert project.lock_now(afresh=True).targets[0].hex == "ee" * 32


def test_registry_that_went_away_does_not_make_a_lock_worse(project) -> None:
    write(project, "llamaexit.toml", recipe("project", more=CHAT))
    first = project.lock_now()
    project.registry.clear()
    assert project.lock_now(afresh=True) == first


def pinned(digest: str) -> str:
    return f'[policy.pins]\n"qwen3:8b" = "{digest}"\n'


def test_pin_of_the_policy_goes_before_the_registry(project) -> None:
    write(project, "llamaexit.toml", recipe("project", more=pinned("sha256:" + "ff" * 32) + CHAT))
    lock, notes = lock_of(project.take(), None, project.ask, afresh=False)
    assert lock.targets == (LockedTarget("qwen3:8b", "sha256:" + "ff" * 32, "recipe"),)
    assert notes == (f"qwen3:8b is {'a' * 12} in the registry now, project pins {'f' * 12}",)


def test_pin_that_agrees_with_the_registry_is_locked_in_full(project) -> None:
    write(project, "llamaexit.toml", recipe("project", more=pinned("a" * 12) + CHAT))
    assert project.lock_now().targets == (LockedTarget("qwen3:8b", "sha256:" + "aa" * 32, "registry"),)


def test_new_pin_replaces_what_was_locked(project) -> None:
    write(project, "llamaexit.toml", recipe("project", more=CHAT))
    project.lock_now()
    write(project, "llamaexit.toml", recipe("project", more=pinned("sha256:" + "ff" * 32) + CHAT))
    assert project.lock_now().targets[0].hex == "ff" * 32


# -- cooldown


def test_first_lock_of_a_young_commit_is_refused_with_the_day_it_will_do(project, reference) -> None:
    now = dt.datetime(2026, 11, 5, 8, 59, tzinfo=dt.UTC)
    with pytest.raises(LockError) as caught:
        project.take(reference, cooldown=3, now=now)
    assert "of 2026-11-02, and has to be 3 days old before it is locked" in caught.value.message
    assert "lock it from 2026-11-06 on" in caught.value.hint
    assert "--cooldown-days 0" in caught.value.hint


def test_commit_is_old_enough_to_the_second(project, reference) -> None:
    at = dt.datetime(2026, 11, 5, 9, 0, tzinfo=dt.UTC)
    assert project.take(reference, cooldown=3, now=at).recipes


def test_commit_of_the_last_second_there_is_will_never_be_old_enough(project, team) -> None:
    team.commit({"team.toml": recipe("team", more=CHAT)}, at="@253402300799 +0000")
    with pytest.raises(LockError, match="of 9999-12-31, and has to be 3 days old"):
        project.take(f"{team.url}@main#team.toml", cooldown=3, now=dt.datetime(2026, 11, 5, tzinfo=dt.UTC))


def test_young_commit_is_held_back_at_the_locked_one(project, team, reference) -> None:
    first = project.lock_now(reference)
    young = team.commit({"team.toml": recipe("team", extends=["nowhere.toml"])}, at="2026-11-24T10:00:00Z")
    taken = project.take(afresh=True, cooldown=7)
    assert taken.recipes and {entry.commit for entry in taken.recipes} == {first.recipes[0].commit}
    (held,) = taken.held_back
    assert (held.reference, held.commit, held.ready) == (reference, young, dt.date(2026, 12, 2))


def test_nothing_that_a_young_commit_names_is_followed(project, team, reference, make_repository) -> None:
    other = make_repository("other.git")
    other.commit({"other.toml": recipe("other")})
    project.lock_now(reference)
    team.commit(
        {"team.toml": recipe("team", extends=[f"{other.url}@main#other.toml"])}, at="2026-11-24T10:00:00Z"
    )  # fmt: skip
    asked = []

    class Gate:
        def check(self, address, named_in):
            asked.append(address.source)

    take(
        Roots(None, (reference,)), project.lock, project.file, lambda pins: project.finder(pins=pins, gate=Gate()),
        afresh=True, cooldown=Cooldown(7, NOW),
    )  # fmt: skip
    assert set(asked) == {team.url}


def test_what_is_locked_already_is_not_held_back(project, reference) -> None:
    first = project.lock_now(reference)
    taken = project.take(afresh=True, cooldown=3650)
    assert {entry.commit for entry in taken.recipes} == {first.recipes[0].commit}
    assert taken.held_back == ()


def test_commit_that_was_chosen_by_its_id_has_no_cooldown(project, team) -> None:
    commit = team.git("rev-parse", "main")
    assert project.take(f"{team.url}@{commit}#team.toml", cooldown=3650).recipes


# -- holding recipes to it


@pytest.mark.parametrize(
    ("option", "ci", "meaning"),
    [
        pytest.param(None, None, "", id="nothing said"),
        pytest.param(None, "true", "ci", id="CI"),
        pytest.param(None, "1", "ci", id="CI in a number"),
        pytest.param(None, "False", "", id="CI denied"),
        pytest.param(None, " 0 ", "", id="CI denied in a number"),
        pytest.param(None, "", "", id="CI empty"),
        pytest.param(False, "true", "", id="--no-locked in CI"),
        pytest.param(True, None, "asked", id="--locked"),
        pytest.param(True, "true", "asked", id="--locked in CI"),
    ],
)
def test_who_wants_only_what_is_locked(option, ci, meaning) -> None:
    assert strictness(option, {} if ci is None else {"CI": ci}) == meaning


def test_locked_commit_is_used_when_the_branch_has_moved(project, team, reference) -> None:
    project.lock_now(reference)
    team.commit({"team.toml": recipe("team", more=CHAT.replace("better", "best"))})
    library, pins = project.load(reference)
    assert library.rule("team/chat").rule.targets[0].why == "better"
    assert pins.warnings == ()


def test_locked_recipes_need_no_network_once_they_are_in_the_cache(project, team, reference) -> None:
    project.lock_now(reference)
    team.folder.rename(team.folder.with_name("gone.git"))
    library, _ = project.load(reference, strict="asked", offline=True)
    assert {entry.name for entry in library.loaded if not entry.builtin} == {"team", "base"}


@pytest.mark.parametrize("strict", ["", "ci", "asked"])
@pytest.mark.parametrize(("key", "value"), [("sha256", "0" * 64), ("commit", "f" * 40)])
def test_lock_that_was_changed_by_hand_is_noticed(project, reference, key, value, strict) -> None:
    lock = project.lock_now(reference)
    project.lock = replace(lock, recipes=tuple(replace(entry, **{key: value}) for entry in lock.recipes))
    with pytest.raises((LockError, RecipeError)) as caught:
        project.load(reference, strict=strict)
    assert caught.value.exit_code == 4
    assert "\n" not in caught.value.message


def test_fetched_recipe_the_lock_lacks_is_a_warning(project, team, reference) -> None:
    write(project, "llamaexit.toml", recipe("project"))
    project.lock_now()
    _, pins = project.load(reference)
    assert [line.partition(" is not in ")[0] for line in pins.warnings] == [reference, f"{team.url}@main#base.toml"]


@pytest.mark.parametrize("strict", ["ci", "asked"])
def test_fetched_recipe_the_lock_lacks_is_refused_before_contact_when_locked(project, reference, strict) -> None:
    write(project, "llamaexit.toml", recipe("project", extends=[reference]))
    project.lock = Lock(("llamaexit.toml",), (_local(project, "llamaexit.toml"),))
    asked = []

    class Gate:
        def check(self, address, named_in):
            asked.append(address)

    with pytest.raises(LockError) as caught:
        project.load(strict=strict, gate=Gate())
    assert caught.value.message.startswith(f"{reference} is not in {project.file}")
    assert asked == []


def _local(project: Project, name: str):
    from llamaexit.sharing.lock import LockedRecipe

    return LockedRecipe(name, text_hash((project.folder / name).read_text("utf-8")))


def test_recipe_beside_a_locked_one_has_to_be_locked_itself(project, team, reference) -> None:
    lock = project.lock_now(reference)
    project.lock = replace(lock, recipes=tuple(one for one in lock.recipes if one.reference == reference))
    with pytest.raises(LockError) as caught:
        project.load(reference, strict="asked")
    assert caught.value.message.startswith(f"{team.url}@main#base.toml is not in ")


def test_branch_that_is_not_locked_is_not_asked_for_when_locked(project, team) -> None:
    from llamaexit.sharing.addresses import parse_address

    address = parse_address(f"{team.url}@main#team.toml")
    with pytest.raises(LockError, match="is not in"):
        LockPins(project.file, Lock(), "ci").commit_of(address)
    assert LockPins(project.file, Lock()).commit_of(address) is None


def test_recipe_from_the_web_that_the_lock_lacks_is_refused_before_contact(project) -> None:
    project.lock = Lock()
    with pytest.raises(LockError, match="is not in"):
        project.load(f"https://intranet.invalid/x.toml#sha256={'0' * 64}", strict="asked")


def test_local_file_may_differ_unless_locked(project) -> None:
    write(project, "llamaexit.toml", recipe("project"))
    project.lock_now()
    write(project, "llamaexit.toml", recipe("project", more=CHAT))
    assert project.load()[0].rule("project/chat") is not None
    with pytest.raises(LockError) as caught:
        project.load(strict="ci")
    assert "llamaexit.toml is not what was locked: sha256" in caught.value.message
    assert caught.value.hint == "lock it as it is now: llamaexit recipe lock"


def test_file_the_lock_lacks_is_refused_when_locked_with_the_command_that_locks_it(project) -> None:
    write(project, "llamaexit.toml", recipe("project"))
    project.lock_now()
    other = write(project, "own.toml", recipe("own"))
    assert project.load(str(other))
    with pytest.raises(LockError) as caught:
        project.load(str(other), strict="asked")
    assert f"llamaexit recipe lock {other}" in caught.value.hint


@pytest.mark.parametrize(("strict", "refused"), [("", False), ("ci", False), ("asked", True)])
def test_without_a_lock_files_are_refused_only_where_locked_was_said(project, strict, refused) -> None:
    write(project, "llamaexit.toml", recipe("project"))
    if not refused:
        assert project.load(strict=strict)
        return
    with pytest.raises(LockError, match=r"there is no .*llamaexit\.lock"):
        project.load(strict=strict)


@pytest.mark.parametrize(("strict", "refused"), [("", False), ("ci", True), ("asked", True)])
def test_without_a_lock_fetched_recipes_are_refused_in_ci_as_well(project, reference, strict, refused) -> None:
    if not refused:
        assert project.load(reference, strict=strict)
        return
    with pytest.raises(LockError, match=r"there is no .*llamaexit\.lock"):
        project.load(reference, strict=strict)


def test_built_in_recipes_need_no_lock(project) -> None:
    assert project.load("builtin:replace-chat", strict="asked")


def test_builds_of_a_lock_are_known_by_name(project) -> None:
    lock = Lock(targets=(LockedTarget("Qwen3", "sha256:" + "aa" * 32, "registry"),))
    assert LockPins(project.file, lock).digests == {"qwen3:latest": "aa" * 32}
    assert LockPins(project.file, None).digests == {}


# -- what changed


def test_equal_locks_do_not_differ(project, reference) -> None:
    lock = project.lock_now(reference)
    assert not compare_locks(lock, lock).different


def test_moved_branch_and_moved_tag_are_told_by_name(project, team, reference) -> None:
    old = project.lock_now(reference)
    project.registry["qwen3:8b"] = "ee" * 32
    commit = team.commit({"base.toml": recipe("base")})
    comparison = compare_locks(old, project.lock_now(afresh=True))
    assert comparison.different
    team_change = next(change for change in comparison.recipes if change.name == reference)
    assert team_change.differences == (Difference("commit", old.recipe(reference).commit, commit),)
    (target,) = comparison.targets
    assert (target.name, target.how) == ("qwen3:8b", "changed")
    assert target.differences == (Difference("digest", "sha256:" + "aa" * 32, "sha256:" + "ee" * 32),)


def updated(project: Project) -> dict[tuple[str, str], Change]:
    taken = project.take(afresh=True)
    new, _ = lock_of(taken, project.lock, project.ask, afresh=True)
    return {(change.kind, change.name): change for change in project.changes(new, taken.library)}


def test_changed_rule_is_told_key_by_key(project, team, reference) -> None:
    project.lock_now(reference)
    more = CHAT.replace("better", "best").replace('use = "chat"', 'use = "chat"\nautomatic = false\ndecide = "Ask."')
    team.commit({"team.toml": recipe("team", extends=["base.toml"], more=more)})
    changes = updated(project)
    assert set(changes) == {("rule", "team/chat")}
    change = changes["rule", "team/chat"]
    assert (change.how, change.place) == ("changed", f"{reference}:7")
    assert set(change.differences) == {
        Difference("automatic", None, "false"),
        Difference("decide", None, "Ask."),
        Difference("targets[qwen3:8b].why", "better", "best"),
    }


def test_another_target_is_told_with_what_it_says_and_without_what_the_old_one_said(project, team, reference) -> None:
    project.lock_now(reference)
    more = CHAT.replace("qwen3:8b", "qwen3:4b").replace("better", "smaller")
    team.commit({"team.toml": recipe("team", extends=["base.toml"], more=more)})
    assert set(updated(project)["rule", "team/chat"].differences) == {
        Difference("targets", "qwen3:8b", "qwen3:4b"),
        Difference("targets[qwen3:4b].why", None, "smaller"),
    }


def test_what_a_target_says_no_more_is_told(project, team, reference) -> None:
    project.lock_now(reference)
    more = CHAT.replace('why = "better"\n', "")
    team.commit({"team.toml": recipe("team", extends=["base.toml"], more=more)})
    assert set(updated(project)["rule", "team/chat"].differences) == {
        Difference("targets[qwen3:8b].why", "better", None)
    }


def test_added_and_removed_rules_are_told_with_what_they_say(project, team, reference) -> None:
    project.lock_now(reference)
    team.commit({"team.toml": recipe("team", extends=["base.toml"], more=CHAT.replace('"chat"\nuse', '"talk"\nuse'))})
    changes = updated(project)
    assert {key: change.how for key, change in changes.items()} == {
        ("rule", "team/chat"): "removed",
        ("rule", "team/talk"): "added",
    }
    assert Difference("targets", None, "qwen3:8b") in changes["rule", "team/talk"].differences
    assert Difference("targets", "qwen3:8b", None) in changes["rule", "team/chat"].differences


def test_order_of_targets_is_a_change(project, team) -> None:
    reference = f"{team.url}@main#two.toml"
    first, second = '[[rules.targets]]\nmodel = "qwen3:14b"\n', '[[rules.targets]]\nmodel = "qwen3:4b"\n'
    team.commit({"two.toml": recipe("two", more=CHAT + first + second)})
    project.lock_now(reference)
    team.commit({"two.toml": recipe("two", more=CHAT + second + first)})
    (change,) = updated(project).values()
    assert change.differences == (
        Difference("targets", "qwen3:8b, qwen3:14b, qwen3:4b", "qwen3:8b, qwen3:4b, qwen3:14b"),
    )


def test_order_of_rules_is_a_change(project, team) -> None:
    reference = f"{team.url}@main#two.toml"
    other = CHAT.replace('"chat"\nuse', '"other"\nuse')
    team.commit({"two.toml": recipe("two", more=CHAT + other)})
    project.lock_now(reference)
    team.commit({"two.toml": recipe("two", more=other + CHAT)})
    assert ("order", "rules") in updated(project)


def test_policy_facts_and_licences_are_told(project, team) -> None:
    reference = f"{team.url}@main#facts.toml"
    model = '[[models]]\nname = "acme/own:7b"\nfamily = "own"\nvendor = "Acme"\nlicence = "acme"\n'
    licence = '[licences.acme]\nname = "Acme"\nopen-source = {}\ncommercial = true\nsummary = "Ours."\n'
    origin = '[[origins]]\nname = "acme/old:8b"\nlineage = "{}"\nwhy = "Known."\n'
    policy = '[policy]\nthinking = "{}"\n[policy.pins]\n"qwen3:8b" = "{}"\n'
    team.commit({"facts.toml": recipe("facts", more=policy.format("avoid", "a" * 12) + model + "min-ollama = '0.30'\n"
                                      + licence.format("false") + origin.format("meta"))})  # fmt: skip
    project.lock_now(reference)
    team.commit({"facts.toml": recipe("facts", more=policy.format("allow", "b" * 12) + model
                                      + licence.format("true") + origin.format("not-meta"))})  # fmt: skip
    changes = updated(project)
    assert {key: change.differences for key, change in changes.items()} == {
        ("policy", "thinking"): (Difference("value", "avoid", "allow"),),
        ("policy", "pins"): (Difference("value.qwen3:8b", "a" * 12, "b" * 12),),
        ("model", "acme/own:7b"): (Difference("min-ollama", "0.30", None),),
        ("licence", "acme"): (Difference("open-source", None, "true"),),
        ("origin", "acme/old:8b"): (Difference("lineage", "meta", "not-meta"),),
    }


def test_comment_changes_the_lock_and_nothing_that_recipes_say(project, team, reference) -> None:
    old = project.lock_now(reference)
    team.commit({"team.toml": recipe("team", extends=["base.toml"], more=CHAT + "# a remark\n")})
    assert updated(project) == {}
    assert compare_locks(old, project.lock_now(afresh=True)).different


def test_rules_of_a_recipe_that_is_not_extended_any_more_are_gone(project, team, reference) -> None:
    write(project, "llamaexit.toml", recipe("project", extends=[reference]))
    project.lock_now()
    write(project, "llamaexit.toml", recipe("project"))
    changes = updated(project)
    assert changes["rule", "team/chat"].how == "removed"
    assert changes["policy", "deny-models"].how == "removed"


def test_recipe_that_is_extended_only_now_is_new(project, team, reference) -> None:
    write(project, "llamaexit.toml", recipe("project"))
    project.lock_now()
    write(project, "llamaexit.toml", recipe("project", extends=[reference]))
    changes = updated(project)
    assert changes["rule", "team/chat"].how == "added"
    assert changes["recipe", "team"].how == "added"


def test_built_in_rule_that_is_disabled_is_told(project, team, reference) -> None:
    project.lock_now(reference)
    rule = load_library().rules[0].key
    team.commit({"base.toml": recipe("base", more=f'disable = ["{rule}"]\n[policy]\ndeny-models = ["qwen3:30b*"]\n')})
    changes = updated(project)
    assert changes["rule", rule].how == "removed"
    assert ("recipe", "base") in changes


def test_source_that_is_not_allowed_any_more_is_not_compared(project, team, reference) -> None:
    from llamaexit.sharing.trust import Untrusted

    class Gate:
        def check(self, address, named_in):
            raise Untrusted(f"{address.source} is not allowed")

    lock = project.lock_now(reference)
    library, notes = locked_library(lock, project.file, None, lambda pins: project.finder(pins=pins, gate=Gate()))
    assert all(entry.builtin for entry in library.loaded)
    assert [note.partition(" cannot be had")[0] for note in notes] == [f"{team.url}@main#base.toml", reference]


def test_locked_commit_that_cannot_be_had_any_more_is_told_and_not_guessed(project, team, reference, cache) -> None:
    import shutil

    lock = project.lock_now(reference)
    team.git("checkout", "-q", "--orphan", "new")
    team.commit({"team.toml": recipe("team")})
    team.git("branch", "-M", "new", "main")
    team.git("reflog", "expire", "--expire=now", "--all")
    team.git("gc", "-q", "--prune=now")
    shutil.rmtree(cache)
    _, notes = locked_library(lock, project.file, None, lambda pins: project.finder(pins=pins))
    assert [note.partition(" cannot be had")[0] for note in notes] == [f"{team.url}@main#base.toml", reference]
