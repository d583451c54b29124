from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaexit.errors import UsageError
from llamaexit.ollama.names import BadName, Name, same

FIRST = string.ascii_letters + string.digits + "_"


def part(further: str, longest: int) -> st.SearchStrategy[str]:
    return st.builds(str.__add__, st.sampled_from(FIRST), st.text(FIRST + further, max_size=longest - 1))


MODEL = part(".-", 80)
NAMES = st.builds(
    Name, part(".-", 40) | st.just("registry.ollama.ai"), part("-", 80) | st.just("library"), MODEL, MODEL
)


@pytest.mark.parametrize(
    ("text", "full"),
    [
        pytest.param("llama3.1", "registry.ollama.ai/library/llama3.1:latest", id="model alone"),
        pytest.param("llama3.1:8b", "registry.ollama.ai/library/llama3.1:8b", id="model and tag"),
        pytest.param("  llama3.1:8b\n", "registry.ollama.ai/library/llama3.1:8b", id="blanks around it"),
        pytest.param("user/bot", "registry.ollama.ai/user/bot:latest", id="namespace"),
        pytest.param("a/b/c:d", "a/b/c:d", id="host"),
        pytest.param("localhost:5000/library/m", "localhost:5000/library/m:latest", id="host with port, no tag"),
        pytest.param("http://h:1/n/m:t", "h:1/n/m:t", id="scheme is dropped"),
        pytest.param("hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
                     "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M", id="Hugging Face"),
        pytest.param("qwen3-coder:480b-cloud", "registry.ollama.ai/library/qwen3-coder:480b-cloud", id="cloud tag"),
        pytest.param("gpt-oss:cloud", "registry.ollama.ai/library/gpt-oss:cloud", id="cloud ending without a tag"),
        pytest.param("gpt-oss:20b:cloud", "registry.ollama.ai/library/gpt-oss:20b-cloud", id="cloud after a tag"),
        pytest.param("gpt-oss:20b:LOCAL", "registry.ollama.ai/library/gpt-oss:20b", id="local ending after a tag"),
        pytest.param("gpt-oss:local", "registry.ollama.ai/library/gpt-oss:latest", id="local ending without a tag"),
        pytest.param(f"{'m' * 80}:{'t' * 80}", f"registry.ollama.ai/library/{'m' * 80}:{'t' * 80}", id="80 letters"),
    ],
)  # fmt: skip
def test_name_is_expanded_to_four_parts(text: str, full: str) -> None:
    assert Name.parse(text).full == full


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "the model is empty", id="empty"),
        pytest.param("m:", "the tag is empty", id="empty tag"),
        pytest.param("/m", "the namespace is empty", id="empty namespace"),
        pytest.param("bad name", "not allowed", id="blank inside"),
        pytest.param("-m", "not allowed", id="starts with a dash"),
        pytest.param("../../etc/passwd", "not a model name", id="path upwards"),
        pytest.param("..:..", "not allowed", id="dots"),
        pytest.param("m\x00", "not allowed", id="zero byte"),
        pytest.param("mödel", "not allowed", id="letters beyond ASCII"),
        pytest.param("localhost:5000/model", "needs a namespace", id="host with port but no namespace"),
        pytest.param("my.name/model", "must not contain a dot", id="namespace with a dot"),
        pytest.param("llama3.1@sha256:" + "0" * 64, "names a digest", id="digest"),
        pytest.param("x:local:cloud", "two of", id="both endings"),
        pytest.param("m" * 81, "longer than 80", id="81 characters of model"),
        pytest.param("m:" + "t" * 81, "longer than 80", id="81 characters of tag"),
        pytest.param("n" * 81 + "/m", "longer than 80", id="81 characters of namespace"),
        pytest.param("h" * 351 + "/n/m", "longer than 350", id="351 characters of host"),
    ],
)
def test_text_that_is_no_name_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadName, match=reason) as caught:
        Name.parse(text)
    assert isinstance(caught.value, UsageError)
    assert caught.value.hint
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "short"),
    [
        pytest.param(
            "registry.ollama.ai/library/llama3.1", "llama3.1:latest", id="defaults are left out, the tag is not"
        ),
        pytest.param("Registry.Ollama.AI/Library/llama3.1:8b", "llama3.1:8b", id="defaults in another case"),
        pytest.param("user/bot", "user/bot:latest", id="namespace stays"),
        pytest.param("hf.co/library/m:t", "hf.co/library/m:t", id="namespace stays after another host"),
    ],
)
def test_short_form_is_what_ollama_prints(text: str, short: str) -> None:
    assert Name.parse(text).short == short


@pytest.mark.parametrize(
    ("text", "cloud"),
    [
        ("gpt-oss:cloud", True),
        ("gpt-oss:120b-Cloud", True),
        ("gpt-oss:120b:cloud", True),
        ("name-cloud", False),
        ("name-cloud:8b", False),
        ("gpt-oss:20b", False),
    ],
)
def test_cloud_is_told_by_the_tag_alone(text: str, cloud: bool) -> None:
    assert Name.parse(text).cloud is cloud


@given(NAMES)
def test_every_name_survives_its_full_and_its_short_form(name: Name) -> None:
    if name.tag.lower() in ("cloud", "local"):
        return  # an ending, which parsing takes away
    assert Name.parse(name.full) == name
    assert same(name.short, name)


@given(NAMES)
def test_names_that_differ_in_case_are_the_same(name: Name) -> None:
    shouted = Name(*(part.upper() for part in name.path))
    assert same(name, shouted)
    assert name.key == shouted.key


@given(NAMES, NAMES)
def test_names_are_the_same_only_when_all_four_parts_are(a: Name, b: Name) -> None:
    assert same(a, b) == ([part.lower() for part in a.path] == [part.lower() for part in b.path])


@given(st.text(max_size=200))
def test_any_text_is_a_name_or_a_usage_error(text: str) -> None:
    try:
        name = Name.parse(text)
    except BadName:
        return
    assert len(name.path) == 4
    assert all(part and part not in (".", "..") and "/" not in part and "\\" not in part for part in name.path)
