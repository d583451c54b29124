"""Whether a source may be contacted and a registry named: the settings say so, and no recipe can."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llamaexit.recipes.load import load_library
from llamaexit.recipes.sources import RecipeText
from llamaexit.sharing.addresses import parse_address
from llamaexit.sharing.patterns import Registry, SourcePattern
from llamaexit.sharing.settings import Said, Settings
from llamaexit.sharing.trust import Trust, Untrusted

SOURCE = "git+https://github.com/acme/team.git"
REFERENCE = f"{SOURCE}@main#team.toml"
FILE = Path("settings.toml")


def trust(*patterns: str, only: bool = False) -> Trust:
    """What a user with these patterns trusts; with `only`, a site that leaves nothing else to allow."""
    said = Said(
        FILE,
        tuple(SourcePattern.parse(text) for text in patterns if "://" in text),
        tuple(Registry.parse(text) for text in patterns if "://" not in text),
        only,
    )
    return Trust(Settings(site=said) if only else Settings(user=said))


def written(text: str) -> RecipeText:
    return RecipeText(text, "team.toml", "/somewhere/team.toml")


def refusal(trusted: Trust, named_in: RecipeText | None = None, reference: str = REFERENCE) -> Untrusted:
    with pytest.raises(Untrusted) as caught:
        trusted.check(parse_address(reference), named_in)
    assert (caught.value.code, caught.value.exit_code) == ("untrusted", 4)
    return caught.value


def test_source_that_is_allowed_is_let_through() -> None:
    trust("git+https://github.com/acme/*").check(parse_address(REFERENCE), None)


def test_source_that_is_not_is_named_with_the_way_to_allow_it() -> None:
    error = refusal(trust("git+https://github.com/acme-2/*"))
    assert error.message == f"{SOURCE} is not among the sources of recipes that your settings allow"
    assert error.hint == f"if you trust it: llamaexit recipe allow {SOURCE}"


def test_recipe_that_names_it_is_told_with_the_line() -> None:
    text = 'schema = 1\nname = "team"\nextends = [\n  "other.toml",\n  "GIT+https://GitHub.com/acme/team.git@main#team.toml",\n]\n'
    assert refusal(trust(), written(text)).message.startswith(f"team.toml:5: {SOURCE} is not among")


def test_recipe_that_cannot_be_read_is_told_without_a_line() -> None:
    assert refusal(trust(), written("not TOML")).message.startswith(f"team.toml: {SOURCE} is not among")


def test_site_that_decides_alone_says_whom_to_ask() -> None:
    error = refusal(trust("hf.co", only=True))
    assert error.message == (
        f"{SOURCE} is not among the sources of recipes that the settings of this machine ({FILE}) allow"
    )
    assert error.hint == "they alone decide; ask whoever looks after this machine"


@pytest.mark.skipif(sys.platform == "win32", reason="the hint is for a POSIX shell")
@pytest.mark.parametrize(
    "repository", ["a;touch${IFS}x", "$(touch${IFS}x)", "'$(touch${IFS}x)'", "&touch${IFS}x", "!!"]
)
def test_command_in_the_hint_runs_nothing_that_the_address_says(repository: str, tmp_path: Path) -> None:
    reference = f"git+https://github.com/acme/{repository}.git@main#team.toml"
    hint = refusal(trust(), reference=reference).hint
    assert hint is not None
    command = hint.partition("llamaexit recipe allow ")[2]
    done = subprocess.run(
        ["sh", "-c", f"printf %s {command}"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == parse_address(reference).source
    assert [*tmp_path.iterdir()] == []


# -- registries


@pytest.fixture
def named(tmp_path: Path) -> Callable[..., list[tuple[str, str]]]:
    """The models of a recipe that are turned down, with their places: `named(TOML, "hf.co/acme")`."""

    def find(text: str, *patterns: str) -> list[tuple[str, str]]:
        file = tmp_path / "team.toml"
        file.write_text('schema = 1\nname = "team"\n' + text)
        found = trust(*patterns).foreign(load_library([file]).layers)
        return [(one.model, one.place.removeprefix(str(file))) for one in found]

    return find


def described(name: str, more: str = "") -> str:
    return f'[[models]]\nname = "{name}"\nfamily = "bot"\nvendor = "Acme"\n{more}'


RULE = '[[rules]]\nid = "chat"\nuse = "chat"\ntargets = [{ model = "qwen3:8b" }, { model = "%s" }]\n'
BOT = "registry.acme.example/team/bot:1"


def test_models_of_ollamas_own_registry_need_nobodys_consent(named) -> None:
    assert named(RULE % "somebody/bot" + described("somebody/bot") + described("bot:2")) == []


def test_model_of_another_registry_is_found_once_where_it_is_named_first(named) -> None:
    assert named(RULE % BOT + described(BOT) + described("registry.acme.example/team/other")) == [(BOT, ":6")]


def test_models_of_a_registry_that_is_allowed_are_not(named) -> None:
    assert named(RULE % BOT + described(BOT), "registry.acme.example/team") == []


def test_owner_that_only_looks_like_one_that_is_allowed_is_found(named) -> None:
    other = "registry.acme.example/team-2/bot"
    assert named(described(BOT) + described(other), "registry.acme.example/team") == [(other, ":8")]


def test_description_that_takes_the_place_of_a_known_target_counts_too(named) -> None:
    """The built-in rules name qwen3:8b, and would then mean this one."""
    assert named(described(BOT, 'also = ["qwen3:8b"]\n')) == [(BOT, ":4")]


def test_other_name_of_a_target_counts_too(named) -> None:
    assert named(described("bot", f'also = ["{BOT}"]\n')) == [(BOT, ":7")]


def test_no_key_of_a_recipe_allows_anything(tmp_path: Path) -> None:
    """What settings say is not understood in a recipe, wherever in it that stands."""
    from llamaexit.errors import RecipeError

    for text in ('[trust]\nregistries = ["registry.acme.example"]\n', '[policy]\nregistries = ["hf.co"]\n'):
        file = tmp_path / "team.toml"
        file.write_text('schema = 1\nname = "team"\n' + text)
        with pytest.raises(RecipeError, match="unknown key"):
            load_library([file])


def test_refusal_names_every_registry_once(tmp_path: Path) -> None:
    file = tmp_path / "team.toml"
    models = (BOT, "hf.co/Acme/bot:Q4", "hf.co/acme/other", "registry.acme.example/x/bot")
    file.write_text('schema = 1\nname = "team"\n' + "".join(map(described, models)))
    trusted = trust()
    error = trusted.refusal_of(trusted.foreign(load_library([file]).layers))
    assert error.message == (
        f"{file}:4: {BOT} comes from registry.acme.example/team, which is not among the registries that your settings "
        "allow, and 2 more such registries"
    )
    assert error.hint == (
        "if you trust it: llamaexit recipe allow registry.acme.example/team hf.co/acme registry.acme.example/x"
    )


def test_built_in_recipes_name_no_registry_but_ollamas_own() -> None:
    library = load_library()
    assert [target.name for target in library.targets if Registry.of(target.name) is not None] == []
    named = {choice.model for bound in library.rules for choice in bound.rule.targets}
    assert [model for model in named if Registry.of(model) is not None] == []
