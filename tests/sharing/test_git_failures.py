"""What git and ssh say when they fail, in their wording, and what becomes of it."""

from __future__ import annotations

import pytest

from llamaexit.sharing.addresses import GitAddress
from llamaexit.sharing.git_failures import in_words

HTTPS = GitAddress("git+https", "https://git.example/acme/exit.git", "v1", "team.toml")
_RIGHTS = (
    "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\n"
    "and the repository exists.\n"
)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(
            "fatal: unable to access 'https://git.example/acme/exit.git/': Could not resolve host: git.example\n",
            "there is no host git.example", id="a host nobody knows",
        ),
        pytest.param(
            f"ssh: Could not resolve hostname git.example: Name or service not known\n{_RIGHTS}",
            "there is no host git.example", id="a host nobody knows, for ssh",
        ),
        pytest.param(
            "fatal: unable to access 'https://git.example/acme/exit.git/': Could not resolve proxy: proxy.example\n",
            "the proxy that the environment names does not lead to git.example", id="a proxy nobody knows",
        ),
        pytest.param(
            "fatal: unable to access 'https://git.example/acme/exit.git/': Received HTTP code 407 from proxy after "
            "CONNECT\n",
            "the proxy that the environment names does not lead to git.example", id="a proxy that wants a password",
        ),
        pytest.param(
            "fatal: unable to access 'https://git.example/acme/exit.git/': CONNECT tunnel failed, response 403\n",
            "the proxy that the environment names does not lead to git.example", id="a proxy that forbids it",
        ),
        pytest.param(
            f"Host key verification failed.\n{_RIGHTS}",
            "the ssh key of git.example is not known on this machine; connect once by hand and compare it",
            id="an unknown host key",
        ),
        pytest.param(
            f"git@git.example: Permission denied (publickey).\n{_RIGHTS}",
            "git.example does not let you in; is your ssh key in the agent, and known there?", id="no ssh key",
        ),
        pytest.param(
            f"ERROR: Repository not found.\n{_RIGHTS}",
            "there is no repository https://git.example/acme/exit.git, or it is not public", id="none over ssh",
        ),
        pytest.param(
            "fatal: could not read Username for 'https://git.example': terminal prompts disabled\n",
            "there is no repository https://git.example/acme/exit.git, or it is not public", id="a question for a name",
        ),
        pytest.param(
            "fatal: '/srv/none.git' does not appear to be a git repository\n" + _RIGHTS,
            "there is no repository https://git.example/acme/exit.git, or it is not public", id="none on the disk",
        ),
        pytest.param(
            "fatal: detected dubious ownership in repository at '/srv/x.git'\nTo add an exception for this directory,"
            f" call:\n\n\tgit config --global --add safe.directory /srv/x.git\n{_RIGHTS}",
            "https://git.example/acme/exit.git belongs to another user of this machine, which git refuses to read",
            id="somebody else's repository",
        ),
        pytest.param(
            "fatal: remote error: upload-pack: not our ref ffffffffffffffffffffffffffffffffffffffff\n",
            "https://git.example/acme/exit.git has no commit v1", id="no such commit",
        ),
        pytest.param(
            "error: Server does not allow request for unadvertised object ffffffffffffffffffffffffffffffffffffffff\n",
            "https://git.example/acme/exit.git has no commit v1", id="a server of before 2018",
        ),
        pytest.param(
            "fatal: unable to access 'https://git.example/acme/exit.git/': server certificate verification failed. "
            "CAfile: none CRLfile: none\n",
            "git.example shows a TLS certificate that is not accepted", id="a certificate, by GnuTLS",
        ),
        pytest.param(
            "fatal: unable to access 'https://git.example/acme/exit.git/': SSL certificate problem: self-signed "
            "certificate\n",
            "git.example shows a TLS certificate that is not accepted", id="a certificate, by OpenSSL",
        ),
        pytest.param(
            "fatal: unable to access 'https://git.example/acme/exit.git/': Failed to connect to git.example port 443 "
            "after 0 ms: Couldn't connect to server\n",
            "git.example cannot be reached", id="nobody listens",
        ),
        pytest.param(
            f"ssh: connect to host git.example port 22: Connection timed out\n{_RIGHTS}",
            "git.example cannot be reached", id="nobody listens, for ssh",
        ),
        pytest.param(
            "fatal: dumb http transport does not support shallow capabilities\n",
            "https://git.example/acme/exit.git is served without git's own protocol", id="plain files",
        ),
        pytest.param("fatal: the remote end hung up unexpectedly\n", "git.example broke off", id="it hung up"),
        pytest.param(
            "fatal: mismatched algorithms: client sha1; server sha256\n",
            "the id of the commit is of another kind than https://git.example/acme/exit.git has", id="another hash",
        ),
        pytest.param(
            "remote: not found, redirect, certificate\nfatal: something new\n",
            "git cannot fetch https://git.example/acme/exit.git: something new", id="what the server says is left out",
        ),
        pytest.param(
            "fatal: remote error: pay first\n",
            "git.example refuses https://git.example/acme/exit.git and says 'pay first'", id="the server's own words",
        ),
        pytest.param("", "git cannot fetch https://git.example/acme/exit.git: it says nothing", id="nothing at all"),
        pytest.param(
            "fatal: " + "\x1b[2J" * 200, "git cannot fetch https://git.example/acme/exit.git: " + (" [2J" * 200)[:200],
            id="signs for a terminal",
        ),
    ],
)  # fmt: skip
def test_failures_are_told_in_words(said: str, words: str) -> None:
    assert in_words(said, HTTPS) == words
