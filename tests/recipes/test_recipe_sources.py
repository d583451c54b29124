"""From a reference to a recipe: what it may be, how far it reaches, and when two of them mean the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llamaexit.recipes import gather
from llamaexit.recipes.load import load_library
from llamaexit.recipes.pack import recipe_folder
from llamaexit.recipes.read import Unreadable
from llamaexit.recipes.sources import LocalSources, RecipeText, Unresolved

Problems = Callable[..., list[str]]
Write = Callable[..., Path]
RULE = '[[rules]]\nid = "x"\nuse = "chat"\ntargets = [{ model = "qwen3:8b" }]'


@pytest.fixture
def sources() -> LocalSources:
    return LocalSources({"fallback": "fallback.toml"})


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The names of the files of this test that are opened, in order."""
    opened: list[str] = []
    original = Path.open

    def noted(self: Path, *args: object, **kwargs: object) -> object:
        if self.is_relative_to(tmp_path):
            opened.append(self.name)
        return original(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", noted)
    return opened


def linked(link: Path, target: Path) -> None:
    try:
        link.symlink_to(target)
    except OSError:
        pytest.skip("this system does not let us make links")


def test_a_person_may_name_any_file(sources: LocalSources, write: Write) -> None:
    path = write("team", folder="a/b")
    found = sources.resolve(str(path), None)
    assert (found.text, found.shown_as, found.folder) == (path.read_text(), str(path), path.parent)
    assert found.builtin is None


def test_a_builtin_recipe_is_named_and_has_the_text_it_ships_with(sources: LocalSources) -> None:
    found = sources.resolve("builtin:fallback", None)
    assert (found.builtin, found.shown_as) == ("fallback", "builtin:fallback.toml")
    assert found.text == (recipe_folder() / "fallback.toml").read_text(encoding="utf-8")


def test_the_file_of_a_builtin_recipe_is_that_recipe(sources: LocalSources) -> None:
    path = recipe_folder() / "fallback.toml"
    found = sources.resolve(str(path), None)
    assert (found.builtin, found.shown_as) == ("fallback", str(path))


def test_two_ways_to_one_file_are_one_recipe(sources: LocalSources, write: Write, tmp_path: Path) -> None:
    path = write("team", folder="a")
    linked(tmp_path / "link.toml", path)
    ways = [str(path), str(tmp_path / "a" / ".." / "a" / "team.toml"), str(tmp_path / "link.toml")]
    assert len({sources.resolve(way, None).identity for way in ways}) == 1


def test_a_recipe_names_others_from_where_it_lies_itself(sources: LocalSources, write: Write) -> None:
    base = write("base", folder="a/b")
    team = sources.resolve(str(write("team", folder="a")), None)
    found = sources.resolve("b/base.toml", team)
    assert (found.folder, found.identity) == (base.parent, str(base.resolve()))


def test_a_whole_chain_stays_in_the_tree_of_its_first_recipe(
    sources: LocalSources, write: Write, tmp_path: Path
) -> None:
    """Without a repository that is the folder of the recipe somebody named, not that of each further one."""
    write("outside")
    write("sideways", folder="a")
    team = sources.resolve(str(write("team", folder="a")), None)
    write("base", folder="a/b")
    base = sources.resolve("b/base.toml", team)
    assert sources.resolve("../sideways.toml", base).folder == tmp_path / "a" / "b" / ".."
    with pytest.raises(Unresolved, match="leads out of a, the folder or repository it is in"):
        sources.resolve("../../outside.toml", base)


def test_a_link_in_the_tree_that_leads_out_of_it_is_not_followed(
    sources: LocalSources, write: Write, tmp_path: Path
) -> None:
    outside = write("outside")
    team = sources.resolve(str(write("team", folder="a")), None)
    linked(tmp_path / "a" / "link.toml", outside)
    with pytest.raises(Unresolved, match="leads out of a"):
        sources.resolve("link.toml", team)


def test_a_folder_linked_into_the_tree_is_not_followed_either(
    sources: LocalSources, write: Write, tmp_path: Path
) -> None:
    write("secret", folder="outside")
    team = sources.resolve(str(write("team", folder="a")), None)
    linked(tmp_path / "a" / "dir", tmp_path / "outside")
    with pytest.raises(Unresolved, match="leads out of a"):
        sources.resolve("dir/secret.toml", team)


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("builtin:nope", "no built-in recipe is called 'nope'"),
        ("builtin:falback", "did you mean 'fallback'"),
        ("builtin:../pyproject", "no built-in recipe is called '../pyproject'"),
        ("https://example.com/x.toml", "only files of this machine are looked at here"),
        ("file:///etc/passwd", "only files of this machine are looked at here"),
        ("git@example.com:team/x.git", "only files of this machine are looked at here"),
        ("github:acme/x", "neither a relative path nor builtin:NAME nor an address"),
        ("C:\\team.toml", "is not a relative path|leads out of|there is no such file"),
        ("/etc/passwd", "is not a relative path"),
        ("\\\\server\\share.toml", "is not a relative path"),
        ("~/x.toml", "is not a relative path"),
        ("a\0b", "must be a relative path, builtin:NAME or an address"),
        ("  ", "must be a relative path, builtin:NAME or an address"),
    ],
)
def test_a_recipe_may_not_name_everything(sources: LocalSources, write: Write, reference: str, reason: str) -> None:
    team = sources.resolve(str(write("team")), None)
    with pytest.raises((Unresolved, Unreadable), match=reason):
        sources.resolve(reference, team)


def test_a_builtin_recipe_cannot_be_made_to_read_files(sources: LocalSources) -> None:
    with pytest.raises(Unresolved, match="built-in recipes extend nothing"):
        sources.resolve("../pyproject.toml", sources.resolve("builtin:fallback", None))


def test_what_messages_call_a_recipe_is_shortened_to_its_last_part() -> None:
    assert RecipeText("", "a/b/c.toml", "x").brief == "c.toml"
    assert RecipeText("", "a\\b\\c.toml", "x").brief == "c.toml"


def test_a_builtin_recipe_on_the_command_line_changes_nothing() -> None:
    named, plain = load_library(["builtin:fallback"]), load_library()
    assert named.loaded == plain.loaded


def test_the_files_of_a_checkout_may_be_named_like_any_other() -> None:
    assert load_library([recipe_folder() / "fallback.toml"]).loaded == load_library().loaded


def test_a_file_that_many_extend_is_read_once(write: Write, reading: list[str]) -> None:
    write("base", RULE)
    write("left", 'extends = ["base.toml"]')
    top = write("top", 'extends = ["left.toml", "./base.toml", "././base.toml"]')
    reading.clear()
    load_library([top])
    assert sorted(reading) == ["base.toml", "left.toml", "top.toml"]


def test_no_more_files_are_opened_than_are_allowed(
    write: Write, reading: list[str], problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "MOST_FILES", 5)
    for number in range(30):
        write(f"r{number}")
    reading.clear()
    top = write("top", "extends = [" + ", ".join(f'"r{number}.toml"' for number in range(30)) + "]")
    assert problems(top) == ["r4.toml: is one recipe too many; 5 files are the limit"]
    assert len(reading) <= 7


def test_all_recipes_together_have_a_limit(write: Write, problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gather, "MOST_TOGETHER", 1000)
    first, second = write("a", "# " + "x" * 600), write("b", "# " + "x" * 600)
    assert problems(first, second) == ["b.toml: is too much: all recipes together have at most 1,000 bytes"]
