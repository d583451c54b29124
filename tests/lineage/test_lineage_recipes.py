"""The built-in recipes and the rules agree about every record."""

from __future__ import annotations

from lineage_cases import digest, installed, judged, named

from llamaexit.lineage import assess
from llamaexit.lineage.records import Records
from llamaexit.recipes.library import Library
from llamaexit.recipes.model import Origin, Recipe


def test_every_recorded_model_is_what_its_record_says_by_name_alone(library: Library) -> None:
    wrong = [
        (name, lineage.verdict)
        for origin in library.origins
        for name in (origin.name, *origin.also)
        if (lineage := judged(named(name), library)).verdict != origin.lineage or lineage.origin != origin.name
    ]

    assert len(library.origins) >= 200
    assert wrong == []


def test_every_recorded_quantization_is_what_its_record_says(library: Library) -> None:
    wrong = [
        (origin.name, tag.tag)
        for origin in library.origins
        for tag in origin.tags
        if judged(named(f"{origin.name.partition(':')[0]}:{tag.tag}"), library).verdict != origin.lineage
    ]

    assert wrong == []


def test_every_recorded_manifest_is_recognised_under_any_name(library: Library) -> None:
    for origin in library.origins:
        for manifest in origin.manifests:
            lineage = judged(installed("some-name:v1", digest=digest(manifest)), library)
            assert (lineage.verdict, lineage.origin) == (origin.lineage, origin.name)


def test_every_recorded_blob_is_recognised_under_any_name(library: Library) -> None:
    for origin in library.origins:
        for blob in origin.blobs:
            lineage = judged(installed("some-name:v1", weights_digest=digest(blob)), library)
            known = library.origin_by_blob(blob)
            assert known is not None
            assert (lineage.verdict, lineage.origin) == (origin.lineage, known.name)


def test_every_target_is_what_its_record_says_by_name_alone(library: Library) -> None:
    wrong = [
        (target.name, lineage.verdict)
        for target in library.targets
        if (lineage := judged(named(target.name), library)).verdict != target.origin
    ]

    assert wrong == []


def test_every_llama_record_has_a_generation(library: Library) -> None:
    known = {"llama1", "llama2", "codellama", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4"}

    assert {origin.generation for origin in library.origins if origin.lineage == "meta"} == known


def test_a_recorded_shape_leads_to_the_recorded_verdict_or_to_a_question(library: Library) -> None:
    """Shapes alone: what the rules read out of a record's shape never contradicts the record."""
    from llamaexit.shape import Shape

    for origin in library.origins:
        shape = origin.shape
        if shape is None or not shape.layers:
            continue
        read = Shape(
            shape.architecture, shape.layers, shape.hidden, shape.heads, shape.kv_heads, shape.head_dim, shape.head_dim,
            shape.feed_forward, shape.vocab, origin.context,
        )  # fmt: skip
        tokenizer = {"tokenizer.ggml.pre": "llama-bpe"} if 128256 <= shape.vocab <= 128264 else {}
        model = installed("some-name:v1", {"general.architecture": shape.architecture, **tokenizer}, shape=read)
        assert judged(model, library).verdict in (origin.lineage, "unknown"), origin.name


class OneRecipe:
    """A library with the records of one recipe: what a team could write for its own models."""

    def __init__(self, *origins: Origin) -> None:
        self.origins = Recipe(schema=1, name="team", origins=origins).origins
        self._by_name = {origin.name: origin for origin in origins}

    def origin(self, name: str) -> Origin | None:
        return self._by_name.get(name)

    def origin_by_manifest(self, digest: str) -> None:
        return None

    def origin_by_blob(self, digest: str) -> None:
        return None

    def target(self, name: str) -> None:
        return None

    def target_names(self) -> tuple[str, ...]:
        return ()


def test_a_team_can_record_models_of_its_own_namespace() -> None:
    library: Records = OneRecipe(Origin(name="acme/helper:latest", lineage="not-meta", why="trained on Qwen by us"))

    lineage = assess(installed("acme/helper:latest", {"general.architecture": "llama"}), library, {})

    assert lineage.verdict == "not-meta"
    assert lineage.evidence[0].text == "the recipes know acme/helper:latest as trained on Qwen by us"


def test_a_library_without_any_llama_has_no_nearest_record() -> None:
    lineage = assess(installed("x:1", {"general.architecture": "llama4"}), OneRecipe(), {})

    assert (lineage.verdict, lineage.origin, lineage.generation) == ("meta", None, "llama4")


def test_a_record_without_a_known_size_or_generation_is_the_last_choice() -> None:
    library: Records = OneRecipe(
        Origin(name="mystery:latest", lineage="meta", why="said so", generation="llama9"),
        Origin(name="llama3:8b", lineage="meta", why="release", generation="llama3", parameter_count=8_030_000_000),
    )

    by_size = assess(installed("odd:8b", {"general.basename": "some-llama"}), library, {})
    by_generation = assess(installed("odd:8b", {"general.basename": "llama-7b"}), library, {})

    assert (by_size.origin, by_generation.origin) == ("llama3:8b", "llama3:8b")


def test_a_moved_tag_whose_records_have_no_architecture_is_asked_about() -> None:
    library: Records = OneRecipe(
        Origin(name="mixed:8b", lineage="not-meta", why="today", manifests=("aaaaaaaaaaaa",)),
        Origin(name="mixed:8b-old", lineage="meta", why="earlier"),
    )

    assert assess(installed("mixed:8b", {"general.architecture": "llama"}), library, {}).verdict == "unknown"
