from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaexit.errors import UsageError
from llamaexit.ollama.host import resolve, stated


@pytest.mark.parametrize(
    ("value", "url"),
    [
        pytest.param(None, "http://127.0.0.1:11434", id="unset"),
        pytest.param("", "http://127.0.0.1:11434", id="empty"),
        pytest.param(' "" ', "http://127.0.0.1:11434", id="empty in quotes"),
        pytest.param("h", "http://h:11434", id="host"),
        pytest.param("1.2.3.4", "http://1.2.3.4:11434", id="address"),
        pytest.param("h:1234", "http://h:1234", id="host and port"),
        pytest.param(" 'h:1234' ", "http://h:1234", id="blanks and quotes are trimmed"),
        pytest.param(":1234", "http://127.0.0.1:1234", id="port alone"),
        pytest.param("http://h", "http://h:80", id="http means port 80"),
        pytest.param("https://h", "https://h:443", id="https means port 443"),
        pytest.param("HTTPS://h", "https://h:443", id="scheme in capitals"),
        pytest.param("https://h/path/x", "https://h:443/path/x", id="path is kept"),
        pytest.param("http://h:1/", "http://h:1", id="a slash at the end is no path"),
        pytest.param("http://", "http://127.0.0.1:80", id="scheme alone"),
        pytest.param("ollama.com", "https://ollama.com:443", id="ollama.com is https"),
        pytest.param("[::1]", "http://[::1]:11434", id="IPv6 in brackets"),
        pytest.param("::1", "http://[::1]:11434", id="IPv6 bare"),
        pytest.param("[::1]:1234", "http://[::1]:1234", id="IPv6 and port"),
        pytest.param("h:0", "http://h:0", id="port 0"),
        pytest.param("h:65535", "http://h:65535", id="last port"),
    ],
)
def test_value_means_what_it_means_to_ollama(value: str | None, url: str) -> None:
    assert resolve(value).url == url
    assert resolve(value).note is None


@pytest.mark.parametrize("value", ["h:abc", "h:", "h:65536", "h:-1", "h:1_0", "h: 1", "h:99999999999"])
def test_bad_port_becomes_the_default_with_a_note(value: str) -> None:
    host = resolve(value)
    assert host.url == "http://h:11434"
    assert host.note is not None
    assert "11434" in host.note


@pytest.mark.parametrize("value", ["h:abc", "http://127.0.0.1:99999", "0.0.0.0:x", "h:-1"])
def test_bad_port_that_was_just_typed_is_an_error(value: str) -> None:
    with pytest.raises(UsageError, match=r"--host: '(abc|99999|x|-1)' is not a port"):
        stated(value)


def test_address_that_was_just_typed_means_what_it_means_to_ollama() -> None:
    assert stated("0.0.0.0:1234") == resolve("0.0.0.0:1234")


def test_bad_port_after_a_scheme_becomes_the_default_of_the_scheme() -> None:
    assert resolve("https://h:x").url == "https://h:443"


@pytest.mark.parametrize(
    ("value", "url"),
    [
        pytest.param("0.0.0.0", "http://127.0.0.1:11434", id="IPv4"),
        pytest.param("0.0.0.0:1234", "http://127.0.0.1:1234", id="IPv4 with port"),
        pytest.param("::", "http://[::1]:11434", id="IPv6"),
        pytest.param("[::]:1234", "http://[::1]:1234", id="IPv6 with port"),
    ],
)
def test_address_to_listen_on_becomes_loopback_with_a_note(value: str, url: str) -> None:
    host = resolve(value)
    assert host.url == url
    assert host.note is not None
    assert "listen" in host.note


def test_both_notes_are_given() -> None:
    note = resolve("0.0.0.0:x").note
    assert note is not None
    assert "listen" in note
    assert "not a port" in note


@pytest.mark.parametrize("value", ["user:secret@h:1", "http://user:secret@h", "http://secret@h/x"])
def test_user_and_password_are_refused_without_repeating_them(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(value)
    assert "secret" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    "value", ["ftp://h", "file:///etc/passwd", "foo bar", "h:1:2", "http://h/a b", "<html>", "[::1"]
)
def test_garbage_is_one_usage_error(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(value)
    assert "\n" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("value", "loopback"),
    [("localhost", True), ("api.localhost", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", True),
     ("localhost.example.com", False), ("10.0.0.1", False), ("ollama.com", False)],
)  # fmt: skip
def test_loopback_is_told_by_the_address(value: str, loopback: bool) -> None:
    assert resolve(value).loopback is loopback


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_usage_error(value: str) -> None:
    try:
        host = resolve(value)
    except UsageError:
        return
    assert host.scheme in ("http", "https")
    assert 0 <= host.port <= 65535
    assert host.url.isprintable()
    again = resolve(host.url)
    assert (again.name, again.port, again.path) == (host.name, host.port, host.path)
