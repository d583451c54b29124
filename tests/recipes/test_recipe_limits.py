"""Recipes that are hostile, huge or no recipes at all: one clear line each, in little time and memory."""

from __future__ import annotations

import os
import random
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llamaexit.errors import RecipeError
from llamaexit.recipes.load import load_library
from llamaexit.recipes.pack import recipe_folder
from llamaexit.recipes.positions import find_places

Problems = Callable[..., list[str]]
HEAD = 'schema = 1\nname = "team"\n'
SEED = 20261123
ROUNDS = 300


def test_a_file_of_50_megabytes_is_refused_without_reading_it(tmp_path: Path, problems: Problems) -> None:
    path = tmp_path / "team.toml"
    with path.open("wb") as file:
        file.truncate(50 * 1000 * 1000)
    tracemalloc.start()
    found = problems(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == ["team.toml: is 50,000,000 bytes long; a recipe file has at most 1,048,576"]
    assert peak < 8_000_000


def test_a_file_just_within_the_limit_loads(tmp_path: Path) -> None:
    path = tmp_path / "team.toml"
    path.write_text(HEAD + "#" * (1024 * 1024 - len(HEAD)))
    assert load_library([path])


def test_a_file_just_above_the_limit_is_refused(tmp_path: Path, problems: Problems) -> None:
    path = tmp_path / "team.toml"
    path.write_text(HEAD + "#" * (1024 * 1024 - len(HEAD) + 1))
    assert problems(path) == ["team.toml: is 1,048,577 bytes long; a recipe file has at most 1,048,576"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"\xff\xfe", "team.toml:1: is not UTF-8 text", id="another encoding"),
        pytest.param(b"a = 1\n# caf\xe9\n", "team.toml:2: is not UTF-8 text", id="Latin-1 on line 2"),
        pytest.param(b"a = ", "team.toml: is not TOML: invalid value at the end of the file", id="a value cut off"),
        pytest.param(b"a = 1\na = 2\n", "team.toml:2:6: is not TOML: cannot overwrite a value", id="a key twice"),
        pytest.param(b"{}", "team.toml:1:1: is not TOML: invalid statement", id="JSON"),
        pytest.param(b"\x00", "team.toml:1:1: is not TOML: invalid statement", id="a null byte"),
        pytest.param(b"a = " + b"9" * 5000, "team.toml: is not TOML: exceeds the limit", id="a number without end"),
        pytest.param(b"a = " + b"[" * 100_000, "nested more than 16 levels deep", id="arrays without end"),
        pytest.param(b"a = " + b"{a=" * 100_000, "nested more than 16 levels deep", id="inline tables without end"),
        pytest.param(b"a = " + b"[" * 40 + b"]" * 40, "nested more than 16 levels deep", id="40 arrays in each other"),
        pytest.param(b"a." * 100_000 + b"a = 1", "nested more than 16 levels deep", id="a key of 100,000 parts"),
        pytest.param(b"[" + b"a." * 100_000 + b"a]", "nested more than 16 levels deep", id="a header of 100,000 parts"),
        pytest.param(b"", "team.toml: schema: is missing", id="an empty file"),
    ],
)
def test_what_is_no_recipe_is_one_clear_line(tmp_path: Path, problems: Problems, content: bytes, expected: str) -> None:
    path = tmp_path / "team.toml"
    path.write_bytes(content)
    started = time.perf_counter()
    found = problems(path)
    assert expected in found[0]
    assert found[0].startswith("team.toml")
    assert len(found[0]) < 250
    # the point is that hostile input does not keep the tool busy; the slowest of these takes 0.1 s
    assert time.perf_counter() - started < 10


def test_a_folder_is_not_a_recipe(tmp_path: Path, problems: Problems) -> None:
    folder = tmp_path / "team.toml"
    folder.mkdir()
    assert problems(folder) == ["team.toml: is a folder, not a recipe file"]


def test_a_missing_file_is_named(tmp_path: Path, problems: Problems) -> None:
    assert problems(tmp_path / "team.toml") == ["team.toml: there is no such file"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_nobody_writes_to_does_not_hang(tmp_path: Path, problems: Problems) -> None:
    os.mkfifo(tmp_path / "team.toml")
    assert problems(tmp_path / "team.toml") == ["team.toml: is not a regular file"]


def test_a_file_one_may_not_read_says_so(tmp_path: Path, problems: Problems, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "team.toml"
    path.write_text(HEAD)
    opened = Path.open

    # root may read everything, so the refusal is staged
    def refused(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refused)
    assert problems(path) == ["team.toml: cannot be read: permission denied"]


def test_links_that_go_round_in_circles_are_refused(tmp_path: Path, problems: Problems) -> None:
    try:
        (tmp_path / "a.toml").symlink_to(tmp_path / "b.toml")
        (tmp_path / "b.toml").symlink_to(tmp_path / "a.toml")
    except OSError:
        pytest.skip("this system does not let us make links")
    (found,) = problems(tmp_path / "a.toml")
    assert found.startswith("a.toml: cannot be read: ")


def test_twenty_thousand_unknown_keys_are_refused_in_one_go(tmp_path: Path, problems: Problems) -> None:
    path = tmp_path / "team.toml"
    path.write_text(HEAD + "".join(f"k{number} = 1\n" for number in range(20_000)))
    found = problems(path)
    assert len(found) == 101
    assert found[-1] == "and 19900 more"


def test_a_recipe_can_name_the_environment_and_nothing_happens(tmp_path: Path) -> None:
    path = tmp_path / "team.toml"
    path.write_text(HEAD + 'summary = "$HOME ${HOME} %PATH% $(touch pwned) {0} ~"\n')
    loaded = load_library([path]).loaded[-1]
    assert loaded.summary == "$HOME ${HOME} %PATH% $(touch pwned) {0} ~"
    assert list(tmp_path.iterdir()) == [path]


MUTATIONS = [
    "", "[", "]", "[[", "]]", "{", "}", '"', "'", '"""', "=", ".", ",", "\n", "#", "\\", "\x00", "é", "-1", "nan",
    "1e999", "true", "2026-01-01", "99999999999999999999", "[policy]\n", "[[rules]]\n", "[[models]]\n", "\t", "_",
]  # fmt: skip


def mutated(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 6)):
        start = chance.randrange(len(text) + 1)
        end = min(len(text), start + chance.choice((0, 0, 1, 5, 40, 400)))
        middle = chance.choice(MUTATIONS)
        if chance.random() < 0.2:
            other = chance.randrange(len(text) + 1)
            middle = text[other : other + chance.choice((3, 30, 300))]
        text = text[:start] + middle + text[end:]
    return text


def beginning(name: str) -> str:
    """The first few entries of a built-in recipe."""
    text = (recipe_folder() / f"{name}.toml").read_text(encoding="utf-8")
    return text[: text.rindex("\n[[", 0, 6000) + 1].replace(name, "team", 1)


def test_mutated_recipes_load_or_are_refused_and_nothing_else(tmp_path: Path) -> None:
    """A bounded fuzz run with a fixed seed, so that a failure can be had again."""
    chance = random.Random(SEED)
    texts = [beginning(name) for name in ("llama", "qwen3", "replace-tools")]
    texts += [
        HEAD + '[policy]\nmax-download = "20GB"\ndeny-vendors = ["x"]\n[policy.pins]\n"qwen3:8b" = "500a1f067a9f"\n'
    ]
    path = tmp_path / "team.toml"
    loaded = 0
    for _ in range(ROUNDS):
        path.write_text(mutated(chance.choice(texts), chance), encoding="utf-8", errors="replace")
        try:
            load_library([path])
            loaded += 1
        except RecipeError as error:
            assert error.problems
            assert all(problem.startswith(str(path)) for problem in error.problems if not problem.startswith("and "))
    assert 0 < loaded < ROUNDS


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(content=st.binary(max_size=300))
def test_arbitrary_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "team.toml"
    path.write_bytes(content)
    with pytest.raises(RecipeError):
        load_library([path])


@given(st.text(max_size=300))
def test_looking_for_places_in_any_text_ends(text: str) -> None:
    for line, column in find_places(text).values():
        assert 1 <= line <= text.count("\n") + 1
        assert column >= 1
