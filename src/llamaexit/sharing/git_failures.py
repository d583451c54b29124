"""What git says when it fails, in our words."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from llamaexit.ollama.texts import printable
from llamaexit.sharing.addresses import GitAddress

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (
            r"could not resolve proxy|from proxy|connect tunnel failed|proxy (connect|authentication)",
            "the proxy that the environment names does not lead to {host}",
        ),
        (r"could not resolve host|name or service not known|nodename nor servname", "there is no host {host}"),
        (
            r"host key verification failed",
            "the ssh key of {host} is not known on this machine; connect once by hand and compare it",
        ),
        (
            r"permission denied \(|too many authentication failures",
            "{host} does not let you in; is your ssh key in the agent, and known there?",
        ),
        (
            r"returned error: 30\d|redirect",
            "{host} redirects to another address, which is not followed; name the repository by its own address",
        ),
        (
            r"could not read (username|password)|authentication failed|returned error: (401|403|404|407)|not found"
            r"|does not appear to be a git repository|does not exist|no such file",
            "there is no repository {url}, or it is not public",
        ),
        (r"dubious ownership", "{url} belongs to another user of this machine, which git refuses to read"),
        (r"not our ref|unadvertised object|couldn't find remote ref|no such remote ref", "{url} has no commit {rev}"),
        (r"certificate", "{host} shows a TLS certificate that is not accepted"),
        (
            r"failed to connect|couldn't connect|connection (refused|timed out|reset|closed)|no route to host"
            r"|network is unreachable|operation timed out",
            "{host} cannot be reached",
        ),
        (r"dumb http transport|shallow capabilities", "{url} is served without git's own protocol"),
        (r"early eof|hung up|unexpected disconnect|rpc failed|bad (line|band)|protocol error", "{host} broke off"),
        (r"mismatched algorithms|object format", "the id of the commit is of another kind than {url} has"),
        (r"fsck|index-pack failed", "{url} holds an object that git refuses as damaged"),
    )
)
_OF_THE_SERVER = "remote error: "


def in_words(said: str, address: GitAddress) -> str:
    """Why git failed, from what it wrote. What the other side wrote through it is left out."""
    own = [line for line in said.splitlines() if not line.startswith("remote:")]
    host = urlsplit(address.url).hostname or "this machine"
    for pattern, words in _PATTERNS:
        if any(pattern.search(line) for line in own):
            return words.format(host=host, url=address.url, rev=address.rev)
    last = printable(next((line for line in reversed(own) if line.strip()), "it says nothing")).removeprefix("fatal: ")
    if last.startswith(_OF_THE_SERVER):
        return f"{host} refuses {address.url} and says {last.removeprefix(_OF_THE_SERVER)[:100]!r}"
    return f"git cannot fetch {address.url}: {last[:200]}"
