"""Models read from a store on disk: the same facts as from a server, and nothing broken that is hidden or followed."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gguf_bytes import STRING, UINT32, key, model
from llamaexit import gguf
from llamaexit.errors import StoreError
from llamaexit.ollama import store as store_module
from llamaexit.ollama.store import StoreContents, read_store
from llamaexit.ollama.texts import licence_headings, scalar_metadata, template_tokens
from llamaexit.snapshot import InstalledModel
from llamaexit.units import gb
from store_files import MEDIA, StoreFiles

LLAMA3 = "{{ .System }}<|start_header_id|>user<|end_header_id|>{{ .Prompt }}<|eot_id|>"
NO_LINKS = pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")


@pytest.fixture
def files(tmp_path: Path) -> StoreFiles:
    return StoreFiles(tmp_path / "made")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "RETRY_AFTER", 0.0)


def by_name(contents: StoreContents) -> dict[str, InstalledModel]:
    return {entry.name: entry for entry in contents.models}


def only(files: StoreFiles) -> InstalledModel:
    (entry,) = read_store(files.root).models
    return entry


# -- as the server ------------------------------------------------------------------------------------------------


def answer(recordings: Path, case: str) -> Any:
    return json.loads((recordings / f"{case}.json").read_text("utf-8"))["response"]["json"]


def shown(recordings: Path) -> dict[str, Any]:
    return {
        f"{case}:{tag}": answer(recordings, f"show-{case}{suffix}")
        for case, tag, suffix in [
            ("llama3.1", "8b", "_8b"),
            ("mistral", "7b", "_7b"),
            ("qwen3", "8b", "_8b"),
            ("qwen2.5-coder", "7b", "_7b"),
            ("team-bot", "latest", ""),
        ]
    }


def test_lists_what_the_server_lists(store: Path, recordings: Path) -> None:
    listed = {entry["name"]: entry for entry in answer(recordings, "tags")["models"]}
    ours = by_name(read_store(store))
    assert set(listed) < set(ours)
    for name, entry in listed.items():
        found, details = ours[name], entry["details"]
        assert (found.digest, found.size, found.problem) == (entry["digest"], entry["size"], None)
        assert (found.format, found.family, list(found.families)) == (
            details["format"], details["family"], details["families"],
        )  # fmt: skip
        assert (found.parameter_size, found.quantization) == (details["parameter_size"], details["quantization_level"])
        assert found.context_length == details["context_length"]


def test_shows_what_the_server_shows(store: Path, recordings: Path) -> None:
    ours = by_name(read_store(store))
    for name, show in shown(recordings).items():
        found = ours[name]
        # the server answers in no stable order
        assert sorted(found.capabilities or ()) == sorted(show["capabilities"]), name
        # the server never shows general.name
        kept = {key: value for key, value in found.metadata.items() if key != "general.name"}
        assert kept == scalar_metadata(show["model_info"]), name
        assert found.parameter_count == show["model_info"]["general.parameter_count"]
        assert found.template_tokens == template_tokens(show["template"])
        assert found.licences == licence_headings(show.get("license", ""))
        assert found.parent == (show["details"]["parent_model"] or None)
        assert found.system == ("system" in show)
        assert found.weights_digest is not None
        assert found.weights_digest in show["modelfile"]


def test_reads_the_parameters_of_a_derived_model(store: Path) -> None:
    bot = by_name(read_store(store))["team-bot:latest"]
    assert bot.parameters == {"num_ctx": 8192, "stop": ["<|eot_id|>", "END"], "temperature": 0.3}


@pytest.mark.skipif(os.name == "nt", reason="a port in a directory name")
def test_names_models_of_other_registries_in_full(store: Path) -> None:
    assert "localhost:5999/library/qwen3:4b" in by_name(read_store(store))


def test_a_copy_shares_everything_and_a_derived_model_all_but_its_texts(store: Path) -> None:
    ours = by_name(read_store(store))
    base, derived, alone = ours["llama3.1:8b"], ours["team-bot:latest"], ours["qwen3:8b"]
    assert base.weights_digest == derived.weights_digest
    assert base.exclusive == 0
    assert derived.exclusive == 29 + 73
    assert alone.exclusive == alone.size


def test_counts_blobs_that_no_manifest_names(store: Path) -> None:
    contents = read_store(store)
    named = {layer.digest.removeprefix("sha256:") for entry in contents.models for layer in entry.layers}
    orphans = [
        path for path in (store / "blobs").iterdir() if path.name.removeprefix("sha256-") not in named
    ]  # fmt: skip
    assert orphans
    assert contents.orphaned == sum(path.stat().st_size for path in orphans)
    assert any(text.startswith(f"{len(orphans)} blobs (0.5 MB) of no model") for text in contents.problems)


def test_the_header_of_shared_weights_is_read_once(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    original = gguf.read_header

    def counting(path: Path, **options: Any) -> gguf.Header:
        read.append(path)
        return original(path, **options)

    monkeypatch.setattr(gguf, "read_header", counting)
    models = read_store(store).models
    assert len(read) == len({entry.weights_digest for entry in models}) < len(models)


def test_writes_nothing(store: Path) -> None:
    def state() -> list[tuple[str, int, int]]:
        paths = sorted(store.rglob("*"))
        return [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths]

    before = state()
    read_store(store)
    assert state() == before


# -- what a model is made of --------------------------------------------------------------------------------------


def test_reads_texts_and_parameters_of_every_layer(files: StoreFiles) -> None:
    files.model(
        "mine:v1",
        files.layer("model", model(), **{"from": "llama3.1:8b"}),
        files.layer("template", LLAMA3),
        files.layer("system", "You are Ada."),
        files.layer("params", {"temperature": 0.1, "stop": ["<|eot_id|>"]}),
        files.layer("messages", [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]),
        files.layer("license", "LLAMA 3.1 COMMUNITY LICENSE AGREEMENT\nLlama 3.1 Version Release Date"),
        files.layer("license", "**Llama 3.1** **Acceptable Use Policy**"),
        files.layer("adapter", b"lora"),
        config={"model_format": "gguf", "model_family": "llama", "requires": "0.30.0"},
    )
    found = only(files)
    assert found.problem is None
    assert found.parent == "llama3.1:8b"
    assert found.template_tokens == ("<|end_header_id|>", "<|eot_id|>", "<|start_header_id|>")
    assert (found.system, found.messages, found.adapter) == (True, 2, True)
    assert found.parameters == {"temperature": 0.1, "stop": ["<|eot_id|>"]}
    assert found.licences == ("LLAMA 3.1 COMMUNITY LICENSE AGREEMENT", "Llama 3.1 Acceptable Use Policy")
    assert found.requires == "0.30.0"
    assert [layer.kind for layer in found.layers][-1] == "config"
    assert all(layer.present for layer in found.layers)


def test_reads_shape_and_weights_from_the_header(files: StoreFiles) -> None:
    files.model("m:1", files.layer("model", model(tokens=100, width=64)))
    found = only(files)
    assert found.shape is not None
    assert found.weights is not None
    assert (found.shape.vocab, found.shape.hidden, found.shape.source) == (100, 64, "gguf")
    assert found.weights.total == 4 * (64 * 100 + 64 * 32)
    assert found.parameter_count == 64 * 100 + 64 * 32


def test_keeps_the_name_that_only_the_file_tells(files: StoreFiles) -> None:
    named = key("general.name", STRING, "Meta Llama 3.1 8B")
    files.model("m:1", files.layer("model", model(metadata=[named])))
    assert only(files).metadata["general.name"] == "Meta Llama 3.1 8B"


def test_counts_the_projector_and_sees_with_it(files: StoreFiles) -> None:
    projector = model("clip")
    files.model("llava:7b", files.layer("model", model()), files.layer("projector", projector))
    found = only(files)
    assert found.projector_size == len(projector)
    assert found.capabilities == ("completion", "vision")


def test_embedding_models_are_told_by_their_pooling(files: StoreFiles) -> None:
    files.model("embed:1", files.layer("model", model("bert", metadata=[key("bert.pooling_type", UINT32, 1)])))
    assert only(files).capabilities == ("embedding",)


def test_describes_safetensors_models_without_a_header(files: StoreFiles) -> None:
    files.model(
        "mlx:1",
        files.layer("tensor", b"weights", name="model.embed"),
        files.layer("json", "{}", name="config.json"),
        config={"model_format": "safetensors", "capabilities": ["completion", "tools"], "context_length": 32768},
    )
    found = only(files)
    assert (found.format, found.problem, found.shape) == ("safetensors", None, None)
    assert found.capabilities == ("completion", "tools")
    assert found.context_length == 32768


def test_cloud_models_run_elsewhere(files: StoreFiles) -> None:
    files.model(
        "gpt-oss:120b-cloud",
        config={
            "remote_host": "https://ollama.com:443",
            "remote_model": "gpt-oss:120b",
            "capabilities": ["completion"],
        },
    )
    found = only(files)
    assert found.remote == "https://ollama.com:443"
    assert found.problem is None
    assert found.capabilities == ("completion",)


def test_a_model_without_weights_says_so(files: StoreFiles) -> None:
    files.model("empty:1", files.layer("template", "{{ .Prompt }}"))
    assert only(files).problem == "it has no weights"


def test_an_old_manifest_without_config_is_read(files: StoreFiles) -> None:
    files.manifest("old:1", {"schemaVersion": 2, "layers": [files.layer("model", model())]})
    found = only(files)
    assert found.problem is None
    assert found.metadata["general.architecture"] == "llama"


def test_blobs_of_very_old_stores_are_found(files: StoreFiles) -> None:
    if os.name == "nt":
        pytest.skip("a colon in a file name")
    layer = files.layer("model", model())
    files.model("old:1", layer)
    blob = files.blob_path(layer["digest"])
    blob.rename(blob.with_name(layer["digest"]))
    assert only(files).problem is None


def test_control_characters_do_not_get_through(files: StoreFiles) -> None:
    evil = "\x1b]0;owned\x07"
    files.model(
        "m:1",
        files.layer("model", model(metadata=[key("general.name", STRING, evil)]), **{"from": evil}),
        files.layer("license", evil),
        config={"model_format": "gguf", "model_family": evil, "model_type": evil, "requires": evil},
    )
    found = only(files)
    texts = [
        found.family,
        found.parameter_size,
        found.parent,
        found.requires,
        *found.licences,
        found.metadata["general.name"],
    ]
    assert all(text and text.isprintable() for text in texts)


# -- what is broken -----------------------------------------------------------------------------------------------

DIGEST = "sha256:" + "0" * 64


def layers(*entries: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "layers": entries}).encode()


BROKEN: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "its manifest is broken: it is empty"),
    "half a file": (b'{"schemaVersion":2,"lay', "its manifest is broken: it is not JSON ("),
    "no UTF-8": (b'{"layers": "\xff"}', "its manifest is broken: it is not JSON ("),
    "a list": (b"[]", "its manifest is broken: it is not a JSON object"),
    "deep nesting": (b"[" * 100_000, "its manifest is broken: it is nested too deeply"),
    "a number of a million digits": (b"9" * 1_000_000, "its manifest is broken: it is not JSON ("),
    "layers that are no list": (b'{"layers": {"a": 1}}', "its manifest is broken: its layers are no list"),
    "a layer that is no object": (layers(7), "its manifest is broken: layer 1 is not a JSON object"),
    "a layer without digest": (layers({"mediaType": "x", "size": 1}), "layer 1 lacks its mediaType or digest"),
    "a layer without size": (layers({"mediaType": "x", "digest": DIGEST}), "layer 1 has no size"),
    "a negative size": (layers({"mediaType": "x", "digest": DIGEST, "size": -1}), "layer 1 has no size"),
    "a size that is text": (layers({"mediaType": "x", "digest": DIGEST, "size": "9"}), "layer 1 has no size"),
    "a size that is true": (layers({"mediaType": "x", "digest": DIGEST, "size": True}), "layer 1 has no size"),
    "a config that is text": (b'{"config": "x", "layers": []}', "its config is not a JSON object"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN, ids=[case.replace(" ", "-") for case in BROKEN])
def test_lists_a_manifest_that_is(files: StoreFiles, case: str) -> None:
    content, problem = BROKEN[case]
    files.manifest("bad:1", content)
    files.model("good:1", files.layer("model", model()))
    bad, good = read_store(files.root).models
    assert (bad.name, good.name) == ("bad:1", "good:1")
    assert problem in (bad.problem or "")
    assert bad.digest == hashlib.sha256(content).hexdigest()
    assert good.problem is None


def test_reads_a_manifest_once_more_before_calling_it_broken(
    files: StoreFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.model("m:1", files.layer("model", model()))
    path = files.path("m:1")
    whole = path.read_bytes()
    path.write_bytes(whole[:40])
    monkeypatch.setattr(time, "sleep", lambda seconds: path.write_bytes(whole))
    assert only(files).problem is None


@pytest.mark.parametrize(
    "digest",
    ["sha256-../../../etc/passwd", "sha256:../secret", "../secret", "sha256:" + "0" * 63, "sha512:" + "0" * 128, ""],
)
def test_never_follows_a_digest_that_is_none(files: StoreFiles, digest: str) -> None:
    (files.root / "secret").write_text("<|eot_id|> secret")
    entry = {"mediaType": f"{MEDIA}template", "digest": digest, "size": 17}
    files.model("m:1", files.layer("model", model()), entry)
    found = only(files)
    assert "is no digest and was not followed" in (found.problem or "")
    assert found.template_tokens == ()
    assert not next(layer for layer in found.layers if layer.kind == "template").present


def test_names_a_missing_blob(files: StoreFiles) -> None:
    layer = files.layer("model", model())
    files.model("m:1", layer)
    files.blob_path(layer["digest"]).unlink()
    found = only(files)
    assert found.problem == f"its model blob {layer['digest'][7:19]} ({gb(layer['size'])}) is missing"
    assert found.capabilities is None
    assert [(entry.kind, entry.present) for entry in found.layers] == [("model", False), ("config", True)]


def test_reads_the_header_of_a_blob_that_was_cut(files: StoreFiles) -> None:
    data = model()
    layer = files.layer("model", data)
    files.model("m:1", layer)
    files.blob_path(layer["digest"]).write_bytes(data[:-1])
    found = only(files)
    assert found.problem == f"its model blob {layer['digest'][7:19]} has {len(data) - 1} bytes instead of {len(data)}"
    assert found.metadata["general.architecture"] == "llama"


def test_names_a_blob_that_is_still_being_pulled(files: StoreFiles) -> None:
    layer = {"mediaType": f"{MEDIA}model", "digest": DIGEST, "size": 5_000_000_000}
    files.model("m:1", layer)
    partial = files.blob_path(DIGEST + "-partial")
    partial.write_bytes(bytes(4096))
    os.truncate(partial, 5_000_000_000)
    contents = read_store(files.root)
    assert "has only been pulled in part (" in (contents.models[0].problem or "")
    if hasattr(partial.stat(), "st_blocks"):
        # sparse: the file claims its full size from the first byte on
        assert contents.partial < 1_000_000
    assert any("1 unfinished download (" in text for text in contents.problems)


def test_weights_that_are_no_gguf_are_named(files: StoreFiles) -> None:
    files.model("m:1", files.layer("model", b"<html>not found</html>"))
    found = only(files)
    assert "its model blob is no use: " in (found.problem or "")
    assert "not a GGUF file" in (found.problem or "")
    assert found.capabilities is None


@pytest.mark.parametrize(
    ("kind", "content"), [("params", "[1]"), ("params", "{"), ("messages", "{}"), ("messages", "7")]
)
def test_a_broken_text_blob_is_named(files: StoreFiles, kind: str, content: str) -> None:
    files.model("m:1", files.layer("model", model()), files.layer(kind, content))
    found = only(files)
    assert f"its {kind} blob is broken: " in (found.problem or "")
    assert (found.parameters, found.messages) == ({}, 0)
    assert found.metadata["general.architecture"] == "llama"


def test_a_text_blob_of_many_megabytes_is_not_read(files: StoreFiles) -> None:
    files.model("m:1", files.layer("model", model()), files.layer("system", "x" * (store_module.MAX_BLOB + 1)))
    assert only(files).problem == "its system blob cannot be read: it is larger than 4 MiB"


def test_config_values_of_wrong_types_count_as_absent(files: StoreFiles) -> None:
    wrong = {
        "model_format": 7,
        "model_family": [],
        "model_families": "llama",
        "context_length": "big",
        "capabilities": 1,
    }
    files.model("m:1", files.layer("model", model()), config=wrong)
    found = only(files)
    assert (found.format, found.family, found.families) == ("", "", ())
    assert found.context_length == 4096


@pytest.mark.parametrize("tag", [".DS_Store", "x~", "sp ace"])
def test_names_files_that_are_no_models(files: StoreFiles, tag: str) -> None:
    files.model("m:1", files.layer("model", model()))
    (files.path("m:1").parent / tag).write_bytes(b"x")
    contents = read_store(files.root)
    assert [entry.name for entry in contents.models] == ["m:1"]
    assert any(tag in text and "is no model name" in text for text in contents.problems)


def test_files_on_other_levels_are_passed_over(files: StoreFiles) -> None:
    files.model("m:1", files.layer("model", model()))
    (files.root / "manifests" / ".DS_Store").write_bytes(b"x")
    (files.root / "manifests" / "registry.ollama.ai" / "library" / "note").write_bytes(b"x")
    deeper = files.path("m:1").parent / "deep" / "er"
    deeper.mkdir(parents=True)
    (deeper / "5").write_bytes(b"x")
    contents = read_store(files.root)
    assert [entry.name for entry in contents.models] == ["m:1"]
    assert contents.problems == ()


def test_a_backup_beside_a_manifest_is_a_model_of_its_own(files: StoreFiles) -> None:
    files.model("m:8b", files.layer("model", model()))
    files.model("m:8b.bak", files.layer("model", model()))
    contents = read_store(files.root)
    assert [entry.name for entry in contents.models] == ["m:8b", "m:8b.bak"]
    assert {entry.exclusive for entry in contents.models} == {0}


def test_names_that_differ_only_in_case_are_pointed_out(files: StoreFiles) -> None:
    files.model("Bot:1", files.layer("model", model()))
    files.model("bot:1", files.layer("model", model()))
    contents = read_store(files.root)
    if len(contents.models) == 1:
        pytest.skip("this file system ignores case")
    assert any("Bot:1 and bot:1 differ only in case" in text for text in contents.problems)


@NO_LINKS
def test_follows_a_linked_store(files: StoreFiles, tmp_path: Path) -> None:
    files.model("m:1", files.layer("model", model()))
    link = tmp_path / "link"
    link.symlink_to(files.root)
    assert [entry.name for entry in read_store(link).models] == ["m:1"]


@NO_LINKS
def test_a_link_to_nothing_is_named(files: StoreFiles) -> None:
    files.model("m:1", files.layer("model", model()))
    (files.path("m:1").parent / "gone").symlink_to(files.root / "nothing")
    contents = read_store(files.root)
    assert [entry.name for entry in contents.models] == ["m:1"]
    assert any("is a link to nothing" in text for text in contents.problems)


@NO_LINKS
def test_a_blob_that_links_to_nothing_is_missing(files: StoreFiles) -> None:
    layer = files.layer("model", model())
    files.model("m:1", layer)
    blob = files.blob_path(layer["digest"])
    blob.unlink()
    blob.symlink_to(files.root / "nothing")
    assert "is missing" in (only(files).problem or "")


@NO_LINKS
def test_a_directory_that_links_to_itself_ends(files: StoreFiles) -> None:
    files.model("m:1", files.layer("model", model()))
    (files.root / "manifests" / "registry.ollama.ai" / "loop").symlink_to(files.root / "manifests")
    assert "m:1" in by_name(read_store(files.root))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_fifos_are_never_opened(files: StoreFiles) -> None:
    layer = files.layer("model", model())
    files.model("m:1", layer)
    files.blob_path(layer["digest"]).unlink()
    os.mkfifo(files.blob_path(layer["digest"]))
    os.mkfifo(files.path("m:1").parent / "fifo")
    found = by_name(read_store(files.root))
    assert "is missing" in (found["m:1"].problem or "")
    assert found["m:fifo"].problem == "its manifest is broken: it is not a regular file"


def test_a_store_without_blobs_lists_what_is_missing(files: StoreFiles) -> None:
    files.model("m:1", files.layer("model", model()))
    for blob in (files.root / "blobs").iterdir():
        blob.unlink()
    (files.root / "blobs").rmdir()
    assert (only(files).problem or "").count("is missing") == 2


# -- the store itself ---------------------------------------------------------------------------------------------


def test_takes_the_directory_above_for_the_store(files: StoreFiles) -> None:
    files.model("m:1", files.layer("model", model()))
    above = files.root.parent / "dot-ollama"
    above.mkdir()
    files.root.rename(above / "models")
    contents = read_store(above)
    assert contents.path == above / "models"
    assert [entry.name for entry in contents.models] == ["m:1"]


def test_an_empty_store_has_no_models(files: StoreFiles) -> None:
    contents = read_store(files.root)
    assert (contents.models, contents.problems, contents.used) == ((), (), 0)


@pytest.mark.parametrize("there", [True, False], ids=["empty-directory", "nothing"])
def test_says_when_there_is_no_store(tmp_path: Path, there: bool) -> None:
    path = tmp_path / "elsewhere"
    if there:
        path.mkdir()
    with pytest.raises(StoreError) as caught:
        read_store(path)
    assert caught.value.message == f"{path} is no model store: there is no directory {path / 'manifests'}"
    assert "manifests and blobs" in (caught.value.hint or "")


@contextmanager
def without_privileges() -> Iterator[None]:
    """Nobody's permissions for as long as this lasts; tests in containers often run as root, who may read all."""
    if os.geteuid() != 0:
        yield
        return
    # loaded now, because the interpreter's own directory may be out of reach after that
    for name in ("grp", "pwd"):
        importlib.import_module(name)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_parents(tmp_path: Path) -> Iterator[None]:
    """Make the way to the temporary directory passable for everybody, and close it again."""
    changed: list[tuple[Path, int]] = []
    for parent in [tmp_path, *tmp_path.parents]:
        info = parent.stat()
        if info.st_uid == os.geteuid() and not info.st_mode & 0o001:
            changed.append((parent, info.st_mode))
            parent.chmod(info.st_mode | 0o011)
    yield
    for parent, mode in changed:
        parent.chmod(mode)


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
@pytest.mark.usefixtures("open_parents")
@pytest.mark.parametrize(
    ("closed", "mode", "missing"),
    [("manifests", 0o000, "enter"), ("manifests", 0o111, "read"), ("", 0o000, "enter"), ("blobs", 0o000, "enter")],
)
def test_says_which_permission_is_missing_on_which_directory(
    files: StoreFiles, closed: str, mode: int, missing: str
) -> None:
    files.model("m:1", files.layer("model", model()))
    folder = files.root / closed
    folder.chmod(mode)
    try:
        with without_privileges(), pytest.raises(StoreError) as caught:
            read_store(files.root)
    finally:
        folder.chmod(0o755)
    assert f"{missing} permission is missing on {folder} (" in caught.value.message
    assert "--host" in (caught.value.hint or "")


@pytest.mark.skipif(os.name == "nt", reason="modes of POSIX")
@pytest.mark.usefixtures("open_parents")
def test_a_model_directory_that_is_closed_does_not_hide_the_others(files: StoreFiles) -> None:
    files.model("a:1", files.layer("model", model()))
    files.model("b:1", files.layer("model", model()))
    closed = files.path("b:1").parent
    closed.chmod(0)
    try:
        with without_privileges():
            contents = read_store(files.root)
    finally:
        closed.chmod(0o755)
    assert [entry.name for entry in contents.models] == ["a:1"]
    assert any(f"permission is missing on {closed}" in text for text in contents.problems)


def test_thousands_of_models_are_read_in_one_go(files: StoreFiles) -> None:
    layer = files.layer("model", model())
    content = json.dumps({"schemaVersion": 2, "layers": [layer]}).encode()
    for index in range(2000):
        files.manifest(f"copy{index}:1", content)
    contents = read_store(files.root)
    assert len(contents.models) == 2000
    assert {entry.problem for entry in contents.models} == {None}
