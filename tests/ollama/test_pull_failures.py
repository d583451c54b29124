"""What the error texts of a pull mean, and which of them are worth another try."""

from __future__ import annotations

import pytest

from llamaexit.ollama.pull_failures import failure_in

GET = 'pull model manifest: Get "https://registry.ollama.ai/v2/library/x/manifests/8b": '


@pytest.mark.parametrize(
    ("text", "kind", "retryable"),
    [
        pytest.param("pull model manifest: file does not exist", "missing", False, id="no such model"),
        pytest.param("file does not exist", "missing", False, id="a layer the registry has lost"),
        pytest.param(
            "pull model manifest: 412: \n\nThe model you are attempting to pull requires a newer version of Ollama.\n\n"
            "Please download the latest version at:\n\n\thttps://ollama.com/download\n\n",
            "too-old", False, id="a server that is too old",
        ),
        pytest.param(
            "pull model manifest: 412: \n\nThe model requires a newer version of Ollama that is in pre-release.",
            "too-old", False, id="a server that is too old, by a pre-release",
        ),
        pytest.param("pull model manifest: 500: internal server error", "network", True, id="a registry that fails"),
        pytest.param(GET + "dial tcp: lookup registry.ollama.ai: no such host", "network", True, id="no name service"),
        pytest.param(GET + "dial tcp 1.2.3.4:443: i/o timeout", "network", True, id="no answer"),
        pytest.param(GET + "dial tcp 1.2.3.4:443: connect: connection refused", "network", True, id="refused"),
        pytest.param(GET + "read tcp: connection reset by peer", "network", True, id="reset"),
        pytest.param("max retries exceeded: unexpected EOF", "network", True, id="retries used up"),
        pytest.param(GET + "net/http: TLS handshake timeout", "network", True, id="a handshake that takes too long"),
        pytest.param(
            GET + "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            "tls", False, id="a proxy that reads along",
        ),
        pytest.param(
            GET + "proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused", "proxy", False,
            id="a proxy that is down",
        ),
        pytest.param(GET + "Proxy Authentication Required", "proxy", False, id="a proxy that wants a login"),
        pytest.param("pull model manifest: unauthorized: access denied", "unauthorized", False, id="a private model"),
        pytest.param(
            'realm host "a" does not match original host "b"', "unauthorized", False, id="a realm elsewhere"
        ),
        pytest.param(
            "open /usr/share/ollama/.ollama/id_ed25519: no such file or directory", "no-key", False, id="no key"
        ),
        pytest.param(
            "digest mismatch, file must be downloaded again: want sha256:a, got sha256:b", "digest", True,
            id="a damaged file",
        ),
        pytest.param(
            "write /models/blobs/sha256-ab-partial: no space left on device", "disk-full", False, id="a full disk"
        ),
        pytest.param(
            "max retries exceeded: write C:\\x: There is not enough space on the disk.", "disk-full", False,
            id="a full disk on Windows",
        ),
        pytest.param(GET + "http: server gave HTTP response to HTTPS client", "insecure", False, id="no TLS there"),
        pytest.param("invalid model name", "name", False, id="no name"),
        pytest.param("this model requires MLX support", "other", False, id="something new"),
    ],
)  # fmt: skip
def test_text_means(text: str, kind: str, retryable: bool) -> None:
    failure = failure_in(text, "qwen3:8b", "0.24.0")
    assert (failure.kind, failure.retryable) == (kind, retryable)
    assert "qwen3:8b" in failure.message and "\n" not in failure.message


def test_too_old_server_is_named_with_its_version() -> None:
    assert "0.24.0" in failure_in("412: requires a newer version", "x", "0.24.0").message
    assert "than the one there" in failure_in("412: requires a newer version", "x", None).message


def test_control_characters_of_a_registry_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in failure_in("bad \x1b[31m thing", "x", None).message
