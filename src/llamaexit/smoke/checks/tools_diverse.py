"""Fourteen different requests to an agent with fifteen tools: leaks hang on the very words, so words have to vary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.texts import leaked
from llamaexit.smoke.tools import arguments_of, function, offered, spelled_out

if TYPE_CHECKING:
    from llamaexit.smoke.answer import Answer
    from llamaexit.smoke.bench import Bench

_WHOLE = {"type": "integer"}
_TOOLS = [
    function("read_file", "Read a text file", path="Path of the file"),
    function("write_file", "Write a text file", path="Path of the file", content="Its whole content"),
    function("list_directory", "List the files in a directory", path="Path of the directory"),
    function("search_files", "Search files for a pattern", pattern="What to look for", path="Where to look"),
    function("move_file", "Move or rename a file", source="From where", destination="To where"),
    function("delete_file", "Delete a file", path="Path of the file"),
    function("run_shell", "Run a shell command and return what it prints", command="The command line"),
    function("fetch_url", "Fetch a web page", url="Its address"),
    function("search_web", "Search the web", query="What to look for"),
    function("git_commit", "Commit all changes", message="The commit message"),
    function("git_log", "List the last commits", count=_WHOLE),
    function("run_tests", "Run the tests of a project", path="File or directory of tests"),
    function("query_database", "Run a query on the database", sql="The SQL statement"),
    function("send_mail", "Send a mail", to="Address", subject="Subject line", body="Text"),
    function("create_ticket", "Open a ticket", title="Title", description="What it is about"),
]
_NAMES = {tool["function"]["name"]: set(tool["function"]["parameters"]["required"]) for tool in _TOOLS}
_ASKS = (
    "Show me what is in /etc/hosts.",
    "Which files are in src/{word}/?",
    "Find every use of {word}_handler below lib/.",
    "Rename notes.txt to {word}.md.",
    "Delete build/{word}.o, please.",
    'Run `ls -la | grep "{word}" > out.txt` in the shell.',
    "Fetch https://example.com/{word}?a=1&b=<2> and tell me the title.",
    "Look up on the web who maintains {word}.",
    'Commit everything with the message "Fix {word}: don\'t crash on empty input".',
    "What were the last 5 commits?",
    "Run the tests in tests/test_{word}.py.",
    "How many rows of the table {word} have price > 10 and name <> 'x'?",
    "Mail ops@example.com that the deployment of {word} is done.",
    "Create the file {word}.html that says <b>hello</b> & nothing else.",
)
_MAY_LOSE = 1


def run(bench: Bench) -> Finding:
    in_text: list[bool] = []

    def ask(case: tuple[int, str]) -> str:
        number, question = case
        word = bench.word(f"tools.diverse {number}").lower()
        answer = offered(bench.chat, question.format(word=word), _TOOLS, 160)
        in_text.append(bool(spelled_out(answer.text)))
        return _malformed(answer)

    tally = Tally().each(enumerate(_ASKS), ask)
    return tally.finding(may_lose=0 if any(in_text) else _MAY_LOSE)


def _malformed(answer: Answer) -> str:
    """What is wrong with the form of an answer. Which tool is right is a matter of opinion here."""
    if problem := spelled_out(answer.text) or leaked(answer.text):
        return problem
    if not answer.calls:
        return "it calls no tool"
    for call in answer.calls:
        if call.name not in _NAMES:
            return f"it calls {call.name or 'a tool without a name'}, which it was not offered"
        given = arguments_of(call)
        if isinstance(given, str):
            return given
        if missing := _NAMES[call.name] - set(given):
            return f"it calls {call.name} without {', '.join(sorted(missing))}"
    return ""


# the tools are read once and then come from the cache
CHECK = Check(
    "tools.diverse", "makes well-formed calls to fifteen tools", run, uses=frozenset({"tools"}), suites=("full",),
    reads=1400 + 14 * 100, writes=14 * 45,
)  # fmt: skip
