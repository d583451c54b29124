"""What is allowed, compared part by part: what must match, and above all what must not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaexit.recipes.sources import Unresolved
from llamaexit.sharing.addresses import parse_address
from llamaexit.sharing.patterns import BadPattern, Registry, SourcePattern

SHA = "#sha256=" + "0" * 64


def means(pattern: str, reference: str) -> bool:
    """Whether a pattern allows the source of a whole reference."""
    return SourcePattern.parse(pattern).means(parse_address(reference).source)


@pytest.mark.parametrize(
    ("pattern", "reference"),
    [
        ("git+https://github.com/acme/team.git", "git+https://github.com/acme/team.git@main#a.toml"),
        ("git+https://github.com/acme/*", "git+https://github.com/acme/team.git@main#a.toml"),
        ("git+https://gitlab.com/acme/*", "git+https://gitlab.com/acme/group/team.git@v1#deep/a.toml"),
        ("git+https://git.acme.example/*", "git+https://git.acme.example/any.git@main#a.toml"),
        ("git+https://GitHub.com/acme/*", "GIT+HTTPS://GITHUB.COM/acme/team.git@main#a.toml"),
        ("git+https://github.com:443/acme/*", "git+https://github.com/acme/team.git@main#a.toml"),
        ("git+https://github.com/acme/*", "git+https://github.com:443/acme/team.git@main#a.toml"),
        ("git+https://github.com/%61cme/*", "git+https://github.com/acm%65/team.git@main#a.toml"),
        ("git+ssh://git@github.com/acme/team.git", "git+ssh://git@github.com:22/acme/team.git@main#a.toml"),
        ("git+file:///srv/recipes/*", "git+file:///srv/recipes/team@main#a.toml"),
        ("https://intranet.example/recipes/*", f"https://intranet.example/recipes/a.toml{SHA}"),
        ("https://intranet.example/a.toml", f"https://Intranet.example:443/a.toml{SHA}"),
    ],
)
def test_source_is_meant(pattern: str, reference: str) -> None:
    assert means(pattern, reference)


@pytest.mark.parametrize(
    ("pattern", "reference"),
    [
        ("git+https://github.com/acme/*", "git+https://github.com/acme-evil/team.git@main#a.toml"),
        ("git+https://github.com/acme/*", "git+https://github.com/Acme/team.git@main#a.toml"),
        ("git+https://github.com/acme/*", "git+https://github.com/acme@main#a.toml"),
        ("git+https://github.com/acme/*", "git+https://github.com.evil.example/acme/team.git@main#a.toml"),
        ("git+https://github.com/acme/*", "git+https://evil.example/github.com/acme/team.git@main#a.toml"),
        ("git+https://github.com/acme/*", "git+https://evil.github.com/acme/team.git@main#a.toml"),
        ("git+https://github.com/acme/*", "git+https://github.com:8443/acme/team.git@main#a.toml"),
        ("git+https://github.com/acme/*", "git+ssh://git@github.com/acme/team.git@main#a.toml"),
        ("git+https://github.com/acme/*", f"https://github.com/acme/team.toml{SHA}"),
        ("git+https://github.com/acme/*", "git+https://github.com/acme%2dother/team.git@main#a.toml"),
        ("git+https://github.com/acme/team", "git+https://github.com/acme/team.git@main#a.toml"),
        ("git+https://github.com/acme/team.git", "git+https://github.com/acme/team.git/more@main#a.toml"),
        ("git+ssh://git@github.com/acme/*", "git+ssh://github.com/acme/team.git@main#a.toml"),
        ("git+file:///srv/recipes/*", "git+file:///srv/recipes-of-others/team@main#a.toml"),
        ("https://intranet.example/recipes/*", f"https://intranet.example/recipes.toml{SHA}"),
        ("https://intranet.example/a.toml", f"https://intranet.example/A.toml{SHA}"),
    ],
)
def test_source_that_only_looks_like_it_is_not_meant(pattern: str, reference: str) -> None:
    assert not means(pattern, reference)


@pytest.mark.parametrize(
    "reference",
    [
        "git+https://github.com/acme/../evil/team.git@main#a.toml",
        "git+https://github.com/acme/%2e%2e/evil/team.git@main#a.toml",
        "git+https://github.com/acme/..%2fevil/team.git@main#a.toml",
        "git+https://github.com/acme%2fevil/team.git@main#a.toml",
        "git+https://github.com/acme//evil/team.git@main#a.toml",
        "git+https://github.com/acme\\..\\evil/team.git@main#a.toml",
        "git+https://github.com@evil.example/acme/team.git@main#a.toml",
        "git+https://github.com:token@evil.example/acme/team.git@main#a.toml",
        "git+https://evil.example#@github.com/acme/team.git@main#a.toml",
        "git+https://evil.example?@github.com/acme/team.git@main#a.toml",
        "git+https://gіthub.com/acme/team.git@main#a.toml",
        "git+https://github.com/acme/\u202eteam.git@main#a.toml",
    ],
    ids=[
        "a step up", "an escaped step up", "a step up and an escaped slash", "an escaped slash", "an empty part",
        "backslashes", "an allowed host as user", "an allowed host as user with a password",
        "the host hidden before a fragment", "the host hidden before a query", "a letter of another alphabet",
        "a direction mark",
    ],
)  # fmt: skip
def test_detour_does_not_get_as_far_as_being_compared(reference: str) -> None:
    with pytest.raises(Unresolved):
        parse_address(reference)


def test_star_in_an_address_is_no_wildcard_once_it_is_allowed() -> None:
    source = parse_address("git+https://github.com/*@main#a.toml").source
    allowed = SourcePattern.parse(source)
    assert allowed.means(source)
    assert not allowed.means("git+https://github.com/anybody/team.git")


def test_pattern_is_kept_in_the_spelling_of_addresses() -> None:
    assert str(SourcePattern.parse("git+https://GitHub.com:443/acme/*")) == "git+https://github.com/acme/*"
    assert SourcePattern.parse("git+https://github.com/a%63me/*") == SourcePattern.parse(
        "git+https://github.com/acme/*"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("git+https://github.com/acme*", "a \\* stands for all that is left of a path"),
        ("git+https://github.com/*/team.git", "a \\* stands for all that is left of a path"),
        ("git+https://*/acme/*", "a \\* stands for all that is left of a path"),
        ("git+https://*.example/acme", "a \\* stands for all that is left of a path"),
        ("*://github.com/acme/*", "a \\* stands for all that is left of a path"),
        ("git+https://*", "'git\\+https://\\*' is no source: names a host, and no repository there"),
        ("git+*", "a \\* stands for all that is left of a path"),
        ("*", "a \\* stands for all that is left of a path"),
        ("", "is no source"),
        ("git+https://github.com/acme/team.git@main", "without @REV"),
        ("git+https://github.com/acme/team.git@main#a.toml", "without @REV"),
        (f"https://intranet.example/a.toml{SHA}", "without @REV"),
        ("git+https://user:secret@github.com/acme/*", "do not belong in an address"),
        ("git+https://github.com/acme/../*", "plain path"),
        ("git+https://github.com/acme/%2e%2e/*", "plain path"),
        ("git+http://github.com/acme/*", "not encrypted"),
        ("http://intranet.example/*", "not encrypted"),
        ("ext::sh -c true", "is no source"),
        ("git@github.com:acme/team.git", "git\\+ssh://git@HOST"),
        ("/srv/recipes/*", "is no source"),
    ],
)
def test_text_that_allows_nothing_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadPattern, match=reason):
        SourcePattern.parse(text)


@pytest.mark.parametrize("rest", ["/*", "/a*", "/team.git", "/team.git@main#a.toml", ""])
def test_refusal_does_not_repeat_a_password(rest: str) -> None:
    with pytest.raises(BadPattern) as caught:
        SourcePattern.parse(f"git+https://user:secret@github.com/acme{rest}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "model",
    [
        "qwen3:8b", "qwen3", "library/qwen3:8b", "acme/bot:1", "registry.ollama.ai/acme/bot", "Registry.Ollama.AI/a/b",
        "registry.ollama.ai:443/library/qwen3:8b", "https://registry.ollama.ai/library/qwen3",
    ],
)  # fmt: skip
def test_ollamas_own_registry_is_nobody_elses(model: str) -> None:
    assert Registry.of(model) is None


@pytest.mark.parametrize(
    ("pattern", "model"),
    [
        ("registry.acme.example", "registry.acme.example/team/bot:1"),
        ("Registry.ACME.example", "registry.acme.EXAMPLE/Team/bot"),
        ("registry.acme.example/team", "registry.acme.example/team/bot:1"),
        ("registry.acme.example:443", "registry.acme.example/team/bot"),
        ("registry.acme.example", "https://registry.acme.example:443/team/bot"),
        ("registry.acme.example:5000", "registry.acme.example:5000/team/bot"),
        ("hf.co/acme", "hf.co/Acme/bot-GGUF:Q4_K_M"),
        ("hf.co/acme", "huggingface.co/acme/bot-GGUF:Q4_K_M"),
        ("huggingface.co/acme", "hf.co/acme/bot-GGUF"),
        ("hf.co", "hf.co/anybody/bot"),
    ],
)
def test_registry_is_meant(pattern: str, model: str) -> None:
    registry = Registry.of(model)
    assert registry is not None and Registry.parse(pattern).means(registry)


@pytest.mark.parametrize(
    ("pattern", "model"),
    [
        ("hf.co/acme", "hf.co/acme-evil/bot:Q4"),
        ("hf.co/acme", "hf.co/evil/acme"),
        ("registry.acme.example", "evil.registry.acme.example/team/bot"),
        ("registry.acme.example", "registry.acme.example.evil.com/team/bot"),
        ("registry.acme.example", "registry.acme.example:5000/team/bot"),
        ("registry.acme.example:5000", "registry.acme.example/team/bot"),
        ("registry.acme.example/team", "registry.acme.example/team2/bot"),
        ("registry.acme.example/team", "registry.acme.example/other/team"),
        ("registry.ollama.ai", "registry.ollama.ai.evil.com/library/qwen3"),
        ("localhost", "localhost:5999/library/bot"),
    ],
)
def test_registry_that_only_looks_like_it_is_not_meant(pattern: str, model: str) -> None:
    registry = Registry.of(model)
    assert registry is not None and not Registry.parse(pattern).means(registry)


@pytest.mark.parametrize(
    "text",
    [
        "", "/", "/acme", "hf.co/", "hf.co/acme/bot", "hf.co/acme/*", "hf.co/*", "*.example", "hf.co/acme:Q4", "a b",
        "https://registry.acme.example", "user@registry.acme.example", "registry.acme.example:port", "hf.co/../acme",
        "hf.co/%61cme", "gіthub.com", "-x", "registry.acme.example.",
    ],
)  # fmt: skip
def test_text_that_is_no_registry_is_refused(text: str) -> None:
    with pytest.raises(BadPattern, match="is no registry"):
        Registry.parse(text)


def test_narrowest_pattern_for_a_model_is_told_by_its_registry() -> None:
    assert str(Registry.of("huggingface.co/Acme/bot:Q4")) == "hf.co/acme"
    assert str(Registry.of("registry.acme.example:5000/team/bot")) == "registry.acme.example:5000/team"


_PARTS = st.lists(
    st.sampled_from(["acme", "acme-evil", "acm", "Acme", "team", "team.git", "a"]), min_size=1, max_size=4
)


@given(_PARTS, _PARTS)
def test_pattern_means_what_has_the_same_parts_at_its_beginning(allowed: list[str], parts: list[str]) -> None:
    reference = f"git+https://github.com/{'/'.join(parts)}@main#a.toml"
    wanted = len(parts) > len(allowed) and parts[: len(allowed)] == allowed
    assert means(f"git+https://github.com/{'/'.join(allowed)}/*", reference) == wanted
    assert means(f"git+https://github.com/{'/'.join(allowed)}", reference) == (parts == allowed)


_GARBAGE = st.text(st.sampled_from("git+https://@#?*%2e.:\\[]a-é\u202e\0\n "), max_size=40)


@given(
    st.one_of(st.text(max_size=60), _GARBAGE, _GARBAGE.map("git+https://".__add__), _GARBAGE.map("https://".__add__))
)
def test_whatever_is_written_is_understood_or_refused(text: str) -> None:
    for parse in (SourcePattern.parse, Registry.parse):
        try:
            pattern = parse(text)
        except BadPattern:
            continue
        assert parse(str(pattern)) == pattern
