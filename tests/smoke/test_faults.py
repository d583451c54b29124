"""What it means when no answer comes back: texts are those of Ollama's server and of the runners below it."""

from __future__ import annotations

import pytest

from llamaexit.smoke.asking import unanswered
from smoke_cases import reply, streamed

REFUSALS = [
    (400, "registry.ollama.ai/library/llama3.1:8b does not support tools", "unsupported"),
    (400, '"llama3.1:8b" does not support thinking', "unsupported"),
    (501, "This server does not support embeddings. Start it with `--embeddings`", "unsupported"),
    (500, "image input is not supported - hint: …", "unsupported"),
    (500, "this model is missing data required for image input", "unsupported"),
    (412, "pull model manifest: 412: The model you are attempting to pull requires a newer version", "too-old"),
    (
        500,
        "llama runner process has terminated: error loading model: unknown model architecture: 'qwen35moe'",
        "too-old",
    ),
    (500, "'llama3.2-vision' is no longer compatible with your version of Ollama", "too-old"),
    (500, "model requires more system memory (19.3 GiB) than is available (14.8 GiB)", "no-fit"),
    (500, "llama-server process has terminated: exit status 1: cudaMalloc failed: out of memory", "no-fit"),
]


@pytest.mark.parametrize(("status", "error", "fault"), REFUSALS, ids=[error[:50] for _, error, _ in REFUSALS])
def test_what_the_server_refuses_for_good_is_a_failure_that_every_question_would_meet(
    status: int, error: str, fault: str
) -> None:
    problem = unanswered(reply({"error": error}, status, error=error), 20)
    assert problem is not None
    assert (problem.outcome, problem.fault, problem.lasting) == ("fail", fault, True)
    assert str(status) in problem.reason
    assert error in problem.reason


def test_a_runner_that_fails_at_one_question_may_answer_the_next() -> None:
    error = "XML syntax error on line 3: element <parameter> closed by </function>"
    problem = unanswered(reply({"error": error}, 500, error=error), 20)
    assert problem is not None
    assert (problem.outcome, problem.fault, problem.lasting) == ("fail", "broken", False)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 502, 503, 504])
def test_a_status_that_says_nothing_about_the_model_is_an_error(status: int) -> None:
    problem = unanswered(reply({"error": "busy"}, status, error="busy"), 20)
    assert problem is not None
    assert (problem.outcome, problem.fault, problem.lasting) == ("error", "broken", True)


def test_no_connection_is_an_error() -> None:
    problem = unanswered(reply(None, 0, error="connection refused"), 20)
    assert problem is not None
    assert (problem.outcome, problem.fault, problem.reason) == ("error", "broken", "connection refused")


def test_too_slow_is_an_error_that_says_how_long_was_waited() -> None:
    problem = unanswered(reply(None, 200, error="no answer within 20 s", timed_out=True), 20)
    assert problem is not None
    assert (problem.outcome, problem.fault, problem.reason) == ("error", "timeout", "no answer within 20 seconds")


def test_an_error_line_in_a_stream_is_a_failure_of_the_model() -> None:
    cut = streamed((0.1, {"message": {"content": "x"}}), (0.2, {"error": "unexpected EOF"}))
    problem = unanswered(reply(cut.body, chunks=cut.chunks, error="unexpected EOF"), 20)
    assert problem is not None
    assert (problem.outcome, problem.fault) == ("fail", "broken")
    assert problem.reason == "the answer ended in an error: unexpected EOF"


def test_a_stream_that_is_cut_is_an_error_of_the_connection() -> None:
    piece = streamed((0.1, {"message": {"content": "x"}}))
    error = "the answer broke off: the connection was closed without an answer"
    problem = unanswered(reply(piece.body, chunks=piece.chunks, error=error), 20)
    assert problem is not None
    assert (problem.outcome, problem.fault, problem.reason) == ("error", "broken", error)


def test_an_empty_body_is_an_error() -> None:
    problem = unanswered(reply(None), 20)
    assert problem is not None
    assert problem.outcome == "error"


def test_an_answer_is_no_problem() -> None:
    assert unanswered(reply({"message": {"content": "x"}, "done": True}), 20) is None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ('{"error":{"code":400,"message":"9 tokens exceed the context","n_ctx":4}}', "9 tokens exceed the context"),
        ('{"error":{"code":400}}', '{"error":{"code":400}}'),
        ('{"error":"x"}', '{"error":"x"}'),
        ("[1]", "[1]"),
        ("{", "{"),
    ],
)  # fmt: skip
def test_an_error_of_the_runner_is_told_without_the_json_around_it(error: str, told: str) -> None:
    problem = unanswered(reply({"error": error}, 400, error=error), 20)
    assert problem is not None
    assert problem.reason == f"the server answered 400: {told}"
