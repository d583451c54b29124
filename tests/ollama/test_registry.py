"""What the registry is asked, what is made of its answers, and what is kept of them."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import llamaexit
from gguf_bytes import model
from llamaexit.errors import GgufError, RegistryError
from llamaexit.gguf import parse_header
from llamaexit.ollama import registry as registry_module
from llamaexit.ollama import web
from llamaexit.ollama.cache import default_cache_dir
from llamaexit.ollama.manifest import MEDIA_TYPE
from llamaexit.ollama.names import Name
from llamaexit.ollama.registry import (
    NeedsNewerOllama,
    NoSuchModel,
    Registry,
    RegistryUnreachable,
    RemoteManifest,
    blob_url,
    user_agent,
)
from llamaexit.snapshot import Layer
from registry_standin import RegistryStandIn

WEIGHTS = model("qwen3", tokens=30_000)
CONFIG = {"model_format": "gguf", "model_family": "qwen3", "requires": "0.30.0"}


@pytest.fixture
def standin() -> Iterator[RegistryStandIn]:
    with RegistryStandIn() as server:
        server.publish("library/qwen3:8b", ("model", WEIGHTS), ("license", b"Apache"), config=CONFIG)
        yield server


@pytest.fixture
def name(standin: RegistryStandIn) -> Name:
    return Name.parse(f"{standin.host}/library/qwen3:8b")


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "cache", timeout=5)


# -- manifests ----------------------------------------------------------------------------------------------------


def test_tells_digest_and_layers_of_a_name(standin: RegistryStandIn, registry: Registry, name: Name) -> None:
    remote = registry.manifest(name)
    config = json.dumps(CONFIG).encode()
    assert remote.digest == hashlib.sha256(standin.manifests["library/qwen3:8b"]).hexdigest()
    assert [(layer.kind, layer.size) for layer in remote.layers] == [
        ("model", len(WEIGHTS)),
        ("license", 6),
        ("config", len(config)),
    ]
    assert remote.size == remote.download == len(WEIGHTS) + 6 + len(config)
    assert remote.layers[0].digest == f"sha256:{hashlib.sha256(WEIGHTS).hexdigest()}"
    assert not remote.cached


def test_a_blob_that_occurs_twice_is_downloaded_once(standin: RegistryStandIn, registry: Registry) -> None:
    standin.publish("library/twice:1", ("license", b"same"), ("license", b"same"))
    remote = registry.manifest(Name.parse(f"{standin.host}/library/twice:1"))
    assert (remote.size, remote.download) == (8, 4)


def test_asks_as_the_server_would(standin: RegistryStandIn, registry: Registry, name: Name) -> None:
    registry.manifest(name, "0.33.0-rc2")
    (headers,) = standin.asked("registry")
    assert headers["accept"] == MEDIA_TYPE
    assert headers["user-agent"].startswith("ollama/0.33.0-rc2 (")
    assert headers["user-agent"].endswith(f") llamaexit/{llamaexit.__version__}")
    assert "authorization" not in headers


def test_without_a_version_asks_not_to_be_checked() -> None:
    assert user_agent(None).startswith("ollama/0.0.0 (")


def test_an_unknown_tag_is_named(standin: RegistryStandIn, registry: Registry) -> None:
    with pytest.raises(NoSuchModel) as caught:
        registry.manifest(Name.parse(f"{standin.host}/library/qwen3:9b"))
    assert caught.value.message == f"there is no {standin.host}/library/qwen3:9b at {standin.host}"


@pytest.mark.parametrize(("text", "page"), [("qwen3:9b", "library/qwen3"), ("user/x:1", "user/x")])
def test_an_unknown_tag_of_the_usual_registry_says_where_the_tags_are(
    monkeypatch: pytest.MonkeyPatch, text: str, page: str
) -> None:
    asked: list[str] = []

    def not_found(url: str, *_: Any, **__: Any) -> web.Answer:
        asked.append(url)
        return web.Answer(url, 404, b"")

    monkeypatch.setattr(registry_module, "get", not_found)
    with pytest.raises(NoSuchModel) as caught:
        Registry().manifest(Name.parse(text))
    assert caught.value.message == f"there is no {text} at registry.ollama.ai"
    assert (caught.value.hint or "").endswith(f"https://ollama.com/{page}/tags")
    tag = text.rpartition(":")[2]
    assert asked == [f"https://registry.ollama.ai/v2/{page}/manifests/{tag}"]


def test_a_version_that_is_too_old_learns_it_in_advance(
    standin: RegistryStandIn, registry: Registry, name: Name
) -> None:
    standin.requires["library/qwen3:8b"] = (0, 30, 0)
    with pytest.raises(NeedsNewerOllama, match=r"would refuse it to Ollama 0\.12\.6"):
        registry.manifest(name, "0.12.6")
    assert registry.manifest(name, "0.33.0").digest
    assert registry.manifest(name).digest


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "only to those it knows"),
        (403, "only to those it knows"),
        (429, "asked too often"),
        (500, "answered 500"),
        (204, "answered 204"),
    ],
)
def test_other_refusals_are_told(
    standin: RegistryStandIn, registry: Registry, name: Name, status: int, told: str
) -> None:
    standin.faults.statuses = [status]
    with pytest.raises(RegistryError, match=told):
        registry.manifest(name)


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"[]", b'{"layers":[{"mediaType":"x","digest":"sha256:../x","size":1}]}']
)
def test_an_answer_that_is_no_manifest_is_refused(
    standin: RegistryStandIn, registry: Registry, name: Name, body: bytes
) -> None:
    standin.manifests["library/qwen3:8b"] = body
    with pytest.raises(RegistryError, match="manifest of "):
        registry.manifest(name)


def test_a_manifest_that_breaks_off_is_no_manifest(standin: RegistryStandIn, registry: Registry, name: Name) -> None:
    standin.faults.cut_manifest = True
    with pytest.raises(RegistryUnreachable, match="broke off in the middle"):
        registry.manifest(name)


def test_a_huge_manifest_is_not_read(standin: RegistryStandIn, registry: Registry, name: Name) -> None:
    standin.faults.manifest_length = 1 << 40
    with pytest.raises(RegistryError, match="more than the 8388608 expected"):
        registry.manifest(name)


def test_a_registry_that_is_not_there_is_told(registry: Registry) -> None:
    with pytest.raises(RegistryUnreachable) as caught:
        registry.manifest(Name.parse("localhost:1/library/qwen3:8b"))
    assert "localhost cannot be reached: connection refused" in caught.value.message
    assert "without --online" in (caught.value.hint or "")


@pytest.mark.parametrize("fault", ["delay", "drip"])
def test_a_registry_that_hangs_is_given_up(
    standin: RegistryStandIn, name: Name, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(web, "SLOWEST", 1 << 40)
    setattr(standin.faults, fault, 0.5 if fault == "delay" else 0.02)
    started = time.monotonic()
    with pytest.raises(RegistryUnreachable, match="did not answer in time"):
        Registry(timeout=0.2).manifest(name)
    assert time.monotonic() - started < 3


# -- the cache ----------------------------------------------------------------------------------------------------


def test_a_manifest_is_asked_for_once_an_hour(
    standin: RegistryStandIn, registry: Registry, name: Name, tmp_path: Path
) -> None:
    first = registry.manifest(name)
    again = Registry(tmp_path / "cache").manifest(name)
    assert (again.digest, again.layers, again.cached) == (first.digest, first.layers, True)
    assert len(standin.asked("registry")) == 1


def test_a_tag_that_moved_is_noticed_when_the_kept_manifest_is_too_old(
    standin: RegistryStandIn, name: Name, tmp_path: Path
) -> None:
    registry = Registry(tmp_path, max_age=0)
    old = registry.manifest(name)
    moved = standin.publish("library/qwen3:8b", ("model", b"other weights"))
    assert registry.manifest(name).digest == moved != old.digest


def test_a_clock_that_went_back_makes_kept_manifests_worthless(
    standin: RegistryStandIn, registry: Registry, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.manifest(name)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 86_400)
    assert not registry.manifest(name).cached


def test_another_version_of_ollama_is_asked_anew(standin: RegistryStandIn, registry: Registry, name: Name) -> None:
    registry.manifest(name, "0.33.0")
    standin.requires["library/qwen3:8b"] = (0, 30, 0)
    with pytest.raises(NeedsNewerOllama):
        registry.manifest(name, "0.24.0")


def test_says_when_a_kept_manifest_was_fetched(registry: Registry, name: Name, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_780_000_000.0)
    assert registry.manifest(name).fetched_at == "2026-05-28T20:26:40Z"
    monkeypatch.setattr(time, "time", lambda: 1_780_000_600.0)
    kept = registry.manifest(name)
    assert (kept.cached, kept.fetched_at) == (True, "2026-05-28T20:26:40Z")


@pytest.mark.parametrize("damage", [b"", b"{", b"[]\nx", b"null\n", b'{"format":"llamaexit.cache/9"}\n{}'])
def test_a_damaged_cache_is_as_good_as_none(
    standin: RegistryStandIn, registry: Registry, name: Name, tmp_path: Path, damage: bytes
) -> None:
    whole = (registry.manifest(name), registry.header(registry.manifest(name)))
    for path in (tmp_path / "cache").rglob("*"):
        if path.is_file():
            path.write_bytes(damage)
    again = registry.manifest(name)
    assert (again.digest, again.cached, registry.header(again)) == (whole[0].digest, False, whole[1])


def test_a_kept_manifest_that_was_tampered_with_is_not_used(registry: Registry, name: Name, tmp_path: Path) -> None:
    registry.manifest(name)
    (path,) = (path for path in (tmp_path / "cache").rglob("*") if path.is_file())
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"size": 6', b'"size": 7'))
    assert path.read_bytes() != whole
    assert not registry.manifest(name).cached


@pytest.mark.parametrize("kind", ["a file", "read-only", "none"])
def test_a_cache_that_cannot_be_written_is_no_error(
    standin: RegistryStandIn, name: Name, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Path | None = tmp_path / "cache"
    if kind == "a file":
        (tmp_path / "cache").write_bytes(b"")
    elif kind == "read-only":
        # modes do not stop root, who often runs the tests
        def refuse(*_: Any, **__: Any) -> None:
            raise PermissionError(13, "read-only")

        monkeypatch.setattr(Path, "mkdir", refuse)
    else:
        folder = None
    registry = Registry(folder)
    remote = registry.manifest(name)
    assert registry.header(remote) == parse_header(lambda at, size: WEIGHTS[at : at + size], len(WEIGHTS))
    assert len(standin.asked("registry", "manifests")) == 1
    registry.manifest(name)
    assert len(standin.asked("registry", "manifests")) == 2


def test_a_full_disk_leaves_no_half_entry(
    registry: Registry, name: Name, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    registry.manifest(name)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_the_cache_lies_below_the_users_cache_directory(isolated: Path) -> None:
    folder = default_cache_dir()
    assert folder is not None
    assert folder.name == "llamaexit" or "llamaexit" in folder.parts


# -- configs and headers ------------------------------------------------------------------------------------------


def test_reads_what_the_model_requires(standin: RegistryStandIn, registry: Registry, name: Name) -> None:
    remote = registry.manifest(name)
    assert registry.config(remote) == CONFIG
    assert registry.config(remote) == CONFIG
    assert len(standin.asked("data")) == 1


def test_a_config_with_another_content_than_its_name_is_refused(
    standin: RegistryStandIn, registry: Registry, name: Name
) -> None:
    remote = registry.manifest(name)
    layer = remote.of("config")
    assert layer is not None
    standin.blobs[layer.digest] = b"x" * layer.size
    with pytest.raises(RegistryError, match="another config"):
        registry.config(remote)


def test_a_config_that_is_no_json_is_told(standin: RegistryStandIn, registry: Registry, name: Name) -> None:
    remote = registry.manifest(name)
    digest = f"sha256:{hashlib.sha256(b'{').hexdigest()}"
    standin.blobs[digest] = b"{"
    broken = RemoteManifest(name, remote.digest, 1, 1, (Layer("config", digest, 1),), "")
    with pytest.raises(RegistryError, match="is broken: it is not JSON"):
        registry.config(broken)


def test_reads_the_header_in_a_few_ranges(
    standin: RegistryStandIn, registry: Registry, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "FIRST_WINDOW", 4096)
    header = registry.header(registry.manifest(name))
    assert header == parse_header(lambda at, size: WEIGHTS[at : at + size], len(WEIGHTS))
    ranges = [headers["range"] for headers in standin.asked("data")]
    assert ranges[:2] == ["bytes=0-4095", "bytes=4096-12287"]
    fetched = sum(last - first + 1 for first, last in (map(int, text[6:].split("-")) for text in ranges))
    assert fetched < len(WEIGHTS) / 2
    assert all("authorization" not in headers for headers in standin.asked("data"))


def test_follows_the_redirect_once_for_all_ranges(
    standin: RegistryStandIn, registry: Registry, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "FIRST_WINDOW", 4096)
    registry.header(registry.manifest(name))
    assert len(standin.asked("registry", "blobs")) == 1
    assert len(standin.asked("data")) > 2


def test_asks_again_where_the_data_lies_when_the_address_ran_out(
    standin: RegistryStandIn, registry: Registry, name: Name, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "FIRST_WINDOW", 4096)
    original = registry_module._Ranges.read

    def expiring(self: registry_module._Ranges, offset: int, size: int) -> bytes:
        standin.faults.data_statuses = [403] if offset > 0 and not standin.faults.data_statuses else []
        return original(self, offset, size)

    monkeypatch.setattr(registry_module._Ranges, "read", expiring)
    assert registry.header(registry.manifest(name)) is not None
    assert len(standin.asked("registry", "blobs")) > 1


def test_takes_a_location_that_comes_with_200(standin: RegistryStandIn, registry: Registry, name: Name) -> None:
    standin.faults.location_with_200 = True
    assert registry.header(registry.manifest(name)) is not None


def test_a_server_that_sends_everything_is_stopped(standin: RegistryStandIn, registry: Registry, name: Name) -> None:
    standin.faults.ignore_range = True
    with pytest.raises(RegistryError, match="sends the whole file instead of a range"):
        registry.header(registry.manifest(name))


def test_a_server_that_sends_another_range_is_not_believed(
    standin: RegistryStandIn, registry: Registry, name: Name
) -> None:
    standin.faults.wrong_range = True
    with pytest.raises(RegistryError, match="sends another range than it was asked for"):
        registry.header(registry.manifest(name))


def test_a_blob_of_another_size_than_the_manifest_says_is_not_believed(
    standin: RegistryStandIn, registry: Registry, name: Name
) -> None:
    remote = registry.manifest(name)
    layer = remote.of("model")
    assert layer is not None
    standin.blobs[layer.digest] = WEIGHTS + b"more"
    with pytest.raises(RegistryError, match="another range"):
        registry.header(remote)


def test_weights_that_are_no_gguf_are_told(standin: RegistryStandIn, registry: Registry) -> None:
    standin.publish("library/odd:1", ("model", b"<html>" * 100))
    with pytest.raises(GgufError, match="not a GGUF file"):
        registry.header(registry.manifest(Name.parse(f"{standin.host}/library/odd:1")))


def test_a_missing_blob_is_told(standin: RegistryStandIn, registry: Registry, name: Name) -> None:
    remote = registry.manifest(name)
    standin.blobs.clear()
    with pytest.raises(RegistryError):
        registry.header(remote)


def test_a_model_without_gguf_has_no_header(standin: RegistryStandIn, registry: Registry) -> None:
    standin.publish("library/mlx:1", ("tensor", b"x"))
    remote = registry.manifest(Name.parse(f"{standin.host}/library/mlx:1"))
    assert registry.header(remote) is None
    assert registry.config(remote) == {}


def test_a_header_is_fetched_once_whatever_its_age(standin: RegistryStandIn, name: Name, tmp_path: Path) -> None:
    remote = Registry(tmp_path).manifest(name)
    first = Registry(tmp_path, max_age=0).header(remote)
    asked = len(standin.asked("data"))
    assert Registry(tmp_path, max_age=0).header(remote) == first
    assert len(standin.asked("data")) == asked


# -- addresses ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("qwen3:8b", "https://registry.ollama.ai/v2/library/qwen3/blobs/sha256:0"),
        ("hf.co/user/Repo-GGUF:Q4_K_M", "https://hf.co/v2/user/Repo-GGUF/blobs/sha256:0"),
        ("registry.corp.example:8443/team/bot:1", "https://registry.corp.example:8443/v2/team/bot/blobs/sha256:0"),
        ("localhost:5000/library/x:1", "http://localhost:5000/v2/library/x/blobs/sha256:0"),
        ("127.0.0.1:5000/library/x:1", "http://127.0.0.1:5000/v2/library/x/blobs/sha256:0"),
        ("127.0.0.1.evil.example/library/x:1", "https://127.0.0.1.evil.example/v2/library/x/blobs/sha256:0"),
    ],
)
def test_each_registry_is_asked_under_its_own_name(text: str, url: str) -> None:
    assert blob_url(Name.parse(text), Layer("model", "sha256:0", 0)) == url


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("http://cdn.example/x", "is not encrypted"),
        ("ftp://cdn.example/x", "is no web address"),
        ("file:///etc/passwd", "is no web address"),
        ("http://[", "an address that is none"),
        ("http://localhost:notaport/x", "an address that is none"),
        ("/v2/library/qwen3/blobs/sha256:loop", "redirects more than 5 times"),
    ],
)
def test_redirects_to_elsewhere_are_not_followed(
    standin: RegistryStandIn, registry: Registry, name: Name, target: str, told: str
) -> None:
    remote = registry.manifest(name)
    standin.blobs["sha256:loop"] = b""
    standin.faults.redirect_to = target
    with pytest.raises(RegistryError, match=told):
        registry.header(remote)


def test_a_remote_registry_cannot_send_us_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def redirecting(address: Any, url: str, *_: Any) -> web.Answer:
        assert address.hostname == "registry.example"
        return web.Answer(url, 307, b"", {"location": "http://127.0.0.1:11434/api/tags"})

    monkeypatch.setattr(web, "_get", redirecting)
    with pytest.raises(web.WebError, match="redirects to this very machine"):
        web.get("https://registry.example/v2/x", {}, timeout=1, limit=10)


def test_unencrypted_registries_are_not_asked() -> None:
    with pytest.raises(web.WebError, match="only HTTPS is used"):
        web.get("http://registry.example/v2/x", {}, timeout=1, limit=10)


@pytest.mark.skipif(os.name == "nt", reason="the system's proxy settings come first there")
@pytest.mark.parametrize("proxy", ["socks5://proxy.example:1080", "http://"])
def test_a_proxy_of_another_kind_is_told(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(web.WebError, match=r"the proxy .* is of no use here"):
        web.get("https://registry.example/v2/x", {}, timeout=1, limit=10)
