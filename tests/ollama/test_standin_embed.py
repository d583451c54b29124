"""Vectors from the stand-in: their shape, and whose they are."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from standin import Model, Standin, Store, gguf
from standin.client import loaded, post

Start = Callable[..., Standin]


def embedder(name: str, width: int) -> Model:
    return Model(name, weights=gguf.llama("bert", hidden=width, context=64, extra={"bert.pooling_type": 1}))


@pytest.fixture
def server(start_standin: Start) -> Standin:
    return start_standin(Store.of(embedder("small:1", 32), embedder("large:1", 48), Model("chat:1")))


def vectors(server: Standin, model: str, text: object, **body: object) -> list[list[float]]:
    status, answer = post(server, "/api/embed", model=model, input=text, **body)
    assert status == 200, answer
    return list(answer["embeddings"])


def test_are_as_wide_as_the_model_and_of_length_one(server: Standin) -> None:
    (vector,) = vectors(server, "small:1", "hi")

    assert len(vector) == 32
    assert math.hypot(*vector) == pytest.approx(1)


def test_are_the_same_for_the_same_text_and_others_for_another_model(server: Standin) -> None:
    first, again, other = vectors(server, "small:1", ["hi", "hi", "ho"])

    assert first == again != other
    assert vectors(server, "large:1", "hi")[0][:32] != first


def test_may_be_made_shorter_and_have_length_one_again(server: Standin) -> None:
    (vector,) = vectors(server, "small:1", "hi", dimensions=8)

    assert len(vector) == 8
    assert math.hypot(*vector) == pytest.approx(1)


def test_of_nothing_are_none_and_load_the_model(server: Standin) -> None:
    assert vectors(server, "small:1", "") == []
    assert set(loaded(server)) == {"small:1"}


def test_count_the_tokens_of_all_texts(server: Standin) -> None:
    _, answer = post(server, "/api/embed", model="small:1", input=["a b", "c"])

    assert answer["prompt_eval_count"] == 7, "each has a token at both ends"


def test_of_a_text_that_is_too_long_are_of_its_beginning_unless_it_may_not_be_cut(server: Standin) -> None:
    long = "x " * 100

    assert vectors(server, "small:1", long) != vectors(server, "small:1", "x")
    status, answer = post(server, "/api/embed", model="small:1", input=long, truncate=False)
    assert (status, answer) == (400, {"error": "the input length exceeds the context length"})


def test_are_refused_by_a_chat_model_since_0_30(server: Standin) -> None:
    assert post(server, "/api/embed", model="chat:1", input="hi")[0] == 501
    server.version = "0.24.0"
    assert post(server, "/api/embed", model="chat:1", input="hi")[0] == 200


@pytest.mark.parametrize("wrong", [1, [1], {"a": 1}])
def test_are_of_texts_only(wrong: object, server: Standin) -> None:
    assert post(server, "/api/embed", model="small:1", input=wrong) == (400, {"error": "invalid input type"})


class TestOlderRoute:
    def test_gives_one_vector_as_it_comes(self, server: Standin) -> None:
        _, answer = post(server, "/api/embeddings", model="small:1", prompt="hi")

        assert len(answer["embedding"]) == 32
        assert math.hypot(*answer["embedding"]) != pytest.approx(1)

    def test_does_not_know_names_in_another_case(self, server: Standin) -> None:
        status, answer = post(server, "/api/embeddings", model="SMALL:1", prompt="hi")

        assert (status, answer) == (404, {"error": 'model "SMALL:1" not found, try pulling it first'})


class TestOpenAI:
    def test_gets_them_in_a_list(self, server: Standin) -> None:
        _, answer = post(server, "/v1/embeddings", model="small:1", input=["a", "b"])

        assert [entry["index"] for entry in answer["data"]] == [0, 1]
        assert answer["data"][0]["embedding"] == vectors(server, "small:1", "a")[0]
        assert answer["usage"] == {"prompt_tokens": 6, "total_tokens": 6}

    def test_has_to_send_something(self, server: Standin) -> None:
        status, answer = post(server, "/v1/embeddings", model="small:1", input=[])

        assert (status, answer["error"]["message"]) == (400, "invalid input")
