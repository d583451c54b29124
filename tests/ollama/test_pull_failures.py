"""What the error texts of a pull mean, and which of them are worth another try."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llamaexit.ollama.pull_failures import failure_in

MODEL = "qwen3:8b"
GET = 'pull model manifest: Get "https://registry.ollama.ai/v2/library/qwen3/manifests/8b": '
FILE = 'max retries exceeded: Get "https://files.example.com/sha256/ab?X-Amz-Signature=0123456789abcdef": '
NEWER = (
    "pull model manifest: 412: \n\nThe model you are attempting to pull requires a newer version of Ollama.\n\n"
    "Please download the latest version at:\n\n\thttps://ollama.com/download\n\n"
)
NEWER_STILL = (
    "pull model manifest: 412: \n\nThe model you are attempting to pull requires a newer version of Ollama that may be"
    " in pre-release.\n\nPlease see https://github.com/ollama/ollama/releases for more information.\n\n"
)
X509 = "tls: failed to verify certificate: x509: "

PASSING = [
    pytest.param(GET + "dial tcp: lookup registry.ollama.ai: no such host", "network", id="no name service"),
    pytest.param(
        GET + "dial tcp: lookup registry.ollama.ai on 127.0.0.53:53: server misbehaving", "network",
        id="a name service in trouble",
    ),
    pytest.param(
        GET + "dial tcp: lookup registry.ollama.ai: Temporary failure in name resolution", "network",
        id="a name service that is not up yet",
    ),
    pytest.param(GET + "dial tcp 104.21.75.227:443: i/o timeout", "network", id="no answer"),
    pytest.param(GET + "dial tcp 104.21.75.227:443: connect: connection refused", "network", id="refused"),
    pytest.param(GET + "dial tcp 104.21.75.227:443: connect: network is unreachable", "network", id="no network"),
    pytest.param(GET + "dial tcp [2606:4700::1]:443: connect: no route to host", "network", id="no route"),
    pytest.param(
        GET + "dial tcp 104.21.75.227:443: connectex: A connection attempt failed because the connected party did not"
        " properly respond after a period of time.", "network", id="no answer, on Windows",
    ),
    pytest.param(
        GET + "read tcp 10.0.0.5:51234->104.21.75.227:443: wsarecv: An existing connection was forcibly closed by the"
        " remote host.", "network", id="reset, on Windows",
    ),
    pytest.param(
        GET + "read tcp 10.0.0.5:51234->104.21.75.227:443: read: connection reset by peer", "network", id="reset"
    ),
    pytest.param(GET + "EOF", "network", id="hung up on"),
    pytest.param(GET + "unexpected EOF", "network", id="hung up on in the middle"),
    pytest.param(GET + "net/http: TLS handshake timeout", "network", id="a handshake that takes too long"),
    pytest.param(GET + "local error: tls: bad record MAC", "network", id="bytes that were damaged on the way"),
    pytest.param(GET + "context deadline exceeded", "network", id="a deadline of the server's own"),
    pytest.param(GET + "http2: server sent GOAWAY and closed the connection", "network", id="sent away"),
    pytest.param("max retries exceeded: unexpected EOF", "network", id="retries used up"),
    pytest.param(FILE + "dial tcp: lookup files.example.com: no such host", "network", id="a host of files unknown"),
    pytest.param("pull model manifest: 500: internal server error", "network", id="a registry that fails"),
    pytest.param("pull model manifest: 429: slow down", "network", id="a registry that is asked too often"),
    pytest.param("unexpected status code 503", "network", id="a host of files that fails"),
    pytest.param(GET + "Bad Gateway", "proxy", id="a proxy that fails"),
    pytest.param(
        GET + "proxyconnect tcp: dial tcp 10.0.0.1:3128: i/o timeout", "proxy", id="a proxy that does not answer"
    ),
    pytest.param(
        "digest mismatch, file must be downloaded again: want sha256:a, got sha256:b", "digest", id="a damaged file"
    ),
    pytest.param("context canceled", "cut", id="a download that somebody else gave up"),
]  # fmt: skip

LASTING = [
    pytest.param("pull model manifest: file does not exist", "missing", id="no such model"),
    pytest.param('model "qwen3:8b" not found', "missing", id="no such model, to an older puller"),
    pytest.param("file does not exist", "missing", id="a layer the registry has lost"),
    pytest.param(NEWER, "too-old", id="a server that is too old"),
    pytest.param(NEWER_STILL, "too-old", id="a server that is too old, by a pre-release"),
    pytest.param("pull model manifest: 412: ", "too-old", id="a server that is too old, without a word"),
    pytest.param(GET + X509 + "certificate signed by unknown authority", "tls", id="a proxy that reads along"),
    pytest.param(
        GET + X509 + "certificate has expired or is not yet valid: current time 2020-01-01T00:00:00Z is before"
        " 2026-01-01T00:00:00Z", "tls", id="a clock that is wrong",
    ),
    pytest.param(
        GET + X509 + "certificate is valid for *.corp.example, not registry.ollama.ai", "tls", id="another's name"
    ),
    pytest.param(GET + "remote error: tls: handshake failure", "tls", id="a handshake that fails"),
    pytest.param(
        GET + "proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused", "proxy", id="a proxy down"
    ),
    pytest.param(
        GET + "proxyconnect tcp: dial tcp: lookup proxy.corp.example: no such host", "proxy", id="a proxy unknown"
    ),
    pytest.param(
        GET + "proxyconnect tcp: " + X509 + "certificate signed by unknown authority", "proxy",
        id="a proxy that is not trusted",
    ),
    pytest.param(GET + "Proxy Authentication Required", "proxy", id="a proxy that wants a login"),
    pytest.param("pull model manifest: 407: who are you", "proxy", id="a proxy that wants a login, in plain http"),
    pytest.param(GET + "Forbidden", "proxy", id="a proxy that forbids it"),
    pytest.param(
        "pull model manifest: invalid character '<' looking for beginning of value", "proxy", id="a sign-in page"
    ),
    pytest.param("pull model manifest: unauthorized: access denied", "unauthorized", id="a private model"),
    pytest.param('pull model manifest: 401: {"error":"Invalid username or password."}', "unauthorized", id="401"),
    pytest.param("pull model manifest: 403: this repository is gated", "unauthorized", id="a gated model"),
    pytest.param(
        'pull model manifest: realm host "a" does not match original host "b"', "unauthorized", id="a realm elsewhere"
    ),
    pytest.param(
        "pull model manifest: open /usr/share/ollama/.ollama/id_ed25519: no such file or directory", "no-key",
        id="no key",
    ),
    pytest.param(
        "pull model manifest: open C:\\Users\\x\\.ollama\\id_ed25519: The system cannot find the file specified.",
        "no-key", id="no key, on Windows",
    ),
    pytest.param(
        "write /models/blobs/sha256-ab-partial: no space left on device", "disk-full", id="a full disk"
    ),
    pytest.param(
        "max retries exceeded: write C:\\m\\sha256-ab-partial: There is not enough space on the disk.", "disk-full",
        id="a full disk, on Windows",
    ),
    pytest.param("write /models/x: disk quota exceeded", "disk-full", id="a quota used up"),
    pytest.param(GET + "http: server gave HTTP response to HTTPS client", "insecure", id="no TLS there"),
    pytest.param(
        GET + "tls: first record does not look like a TLS handshake", "insecure", id="no TLS there, in newer words"
    ),
    pytest.param("insecure protocol http", "insecure", id="no TLS wanted"),
    pytest.param("invalid model name", "name", id="no name"),
    pytest.param("open /models/blobs/sha256-ab-partial: permission denied", "other", id="a store that is not its own"),
    pytest.param("http: no Location header in response", "other", id="a plain OCI registry"),
    pytest.param(
        "this model requires MLX support, but the MLX runtime is not available", "other", id="a model for other chips"
    ),
    pytest.param("pull model manifest: 400: not a GGUF repository", "other", id="a registry that says no"),
    pytest.param("something nobody has seen before", "other", id="something new"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), PASSING)
def test_another_try_is_worth_it_after(text: str, kind: str) -> None:
    failure = failure_in(text, MODEL, "0.24.0")
    assert (failure.kind, failure.retryable) == (kind, True)
    assert MODEL in failure.message and failure.message.isprintable()


@pytest.mark.parametrize(("text", "kind"), LASTING)
def test_another_try_is_not_worth_it_after(text: str, kind: str) -> None:
    failure = failure_in(text, MODEL, "0.24.0")
    assert (failure.kind, failure.retryable) == (kind, False)
    assert MODEL in failure.message and failure.message.isprintable()


@pytest.mark.parametrize(
    ("recording", "kind"),
    [
        ("pull-missing", "missing"),
        ("pull-too-old", "too-old"),
        ("pull-needs-insecure", "insecure"),
        ("pull-registry-unreachable", "network"),
    ],
)
def test_what_a_real_server_said_is_recognised(recording: str, kind: str, recordings: Path) -> None:
    lines = json.loads((recordings / f"{recording}.json").read_text("utf-8"))["response"]["lines"]
    assert failure_in(lines[-1]["error"], MODEL, None).kind == kind


@pytest.mark.parametrize(
    ("version", "words"), [("0.24.0", "newer Ollama than 0.24.0"), (None, "newer Ollama than the one there")]
)
def test_too_old_server_is_named_with_its_version(version: str | None, words: str) -> None:
    assert words in failure_in(NEWER, MODEL, version).message


def test_pre_release_that_is_needed_is_said_where_to_get() -> None:
    assert "ollama/ollama/releases" in (failure_in(NEWER_STILL, MODEL, "0.32.0").hint or "")
    assert "ollama.com/download" in (failure_in(NEWER, MODEL, "0.32.0").hint or "")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(GET + "Proxy Authentication Required", id="a proxy that wants a login"),
        pytest.param(GET + "Forbidden", id="a proxy that forbids it"),
        pytest.param(GET + X509 + "certificate signed by unknown authority", id="a proxy that reads along"),
        pytest.param(GET + "dial tcp 104.21.75.227:443: i/o timeout", id="no way out but through a proxy"),
    ],
)
def test_proxy_is_said_to_be_the_servers_and_where_to_set_it(text: str) -> None:
    hint = failure_in(text, MODEL, None).hint or ""
    assert "HTTPS_PROXY of the Ollama server (not of this command" in hint


@pytest.mark.parametrize(
    ("text", "model", "host"),
    [
        pytest.param(FILE + "i/o timeout", MODEL, "files.example.com", id="that files come from"),
        pytest.param("max retries exceeded: EOF", "hf.co/a/b:Q4_K_M", "hf.co", id="in the name of the model"),
        pytest.param("max retries exceeded: EOF", MODEL, "registry.ollama.ai", id="that Ollama takes by default"),
    ],
)
def test_host_that_was_not_reached_is_named_as_the_one(text: str, model: str, host: str) -> None:
    assert f" {host} " in failure_in(text, model, None).message


def test_addresses_are_not_repeated_since_they_are_signed() -> None:
    failure = failure_in(FILE + "i/o timeout", MODEL, None)
    assert "Signature" not in failure.message and failure.message.endswith(": i/o timeout")


def test_web_page_of_a_registry_is_cut_short() -> None:
    assert len(failure_in("pull model manifest: 500: " + "<p>no</p>" * 1000, MODEL, None).message) < 450


def test_control_characters_of_a_registry_do_not_reach_the_terminal() -> None:
    assert failure_in("bad \x1b[31m thing", MODEL, None).message.isprintable()
