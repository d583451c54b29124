from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamaexit.recipes.sources import Unresolved, is_elsewhere
from llamaexit.sharing.addresses import GitAddress, WebAddress, parse_address

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HASH = "ab" * 32


@pytest.mark.parametrize(
    ("reference", "source", "rev", "path"),
    [
        pytest.param(
            "git+https://github.com/acme/exit.git@v1#team.toml",
            "git+https://github.com/acme/exit.git", "v1", "team.toml", id="a tag over https",
        ),
        pytest.param(
            "git+https://github.com/acme/exit@main#a/b c.toml".replace(" ", "-"),
            "git+https://github.com/acme/exit", "main", "a/b-c.toml", id="a file in a folder",
        ),
        pytest.param(
            "git+ssh://git@github.com/acme/exit.git@release/1.x#team.toml",
            "git+ssh://git@github.com/acme/exit.git", "release/1.x", "team.toml", id="a branch with a slash, over ssh",
        ),
        pytest.param(
            "git+ssh://host:2222/acme/exit.git@main#team.toml",
            "git+ssh://host:2222/acme/exit.git", "main", "team.toml", id="ssh as whoever one is",
        ),
        pytest.param(
            "git+file:///srv/git/exit.git@main#team.toml",
            "git+file:///srv/git/exit.git", "main", "team.toml", id="a repository on this machine",
        ),
        pytest.param(
            "git+file:///C:/git/exit@main#team.toml", "git+file:///C:/git/exit", "main", "team.toml", id="on a drive",
        ),
        pytest.param(
            "git+http://127.0.0.1:8080/exit.git@main#team.toml",
            "git+http://127.0.0.1:8080/exit.git", "main", "team.toml", id="plain http to this machine",
        ),
        pytest.param(
            f"git+https://[2001:DB8::1]:8443/exit@{COMMIT.upper()}#team.toml",
            "git+https://[2001:db8::1]:8443/exit", COMMIT, "team.toml", id="a commit in capitals, by an IPv6 address",
        ),
        pytest.param(
            "git+https://dev.azure.com/acme/My%20Project/_git/exit@main#team.toml",
            "git+https://dev.azure.com/acme/My%20Project/_git/exit", "main", "team.toml", id="a space in percent form",
        ),
        pytest.param(
            "git+https://git.example/~jo/exit+more.git@v1.0+build#team.toml",
            "git+https://git.example/~jo/exit+more.git", "v1.0+build", "team.toml", id="a home and plus signs",
        ),
        pytest.param(
            "git+https://git.example/exit@refs/tags/v1#team.toml",
            "git+https://git.example/exit", "refs/tags/v1", "team.toml", id="a tag by its whole name",
        ),
    ],
)  # fmt: skip
def test_a_git_address_has_a_repository_a_revision_and_a_path(reference: str, source: str, rev: str, path: str) -> None:
    address = parse_address(reference)
    assert isinstance(address, GitAddress)
    assert (address.source, address.rev, address.path) == (source, rev, path)
    assert address.url == source.removeprefix("git+")
    assert parse_address(address.spelled) == address


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("git+https://GitHub.COM/a/b@main#x.toml", "git+https://github.com/a/b@main#x.toml"),
        ("GIT+HTTPS://github.com/a/b@main#x.toml", "git+https://github.com/a/b@main#x.toml"),
        ("git+https://github.com:443/a/b@main#x.toml", "git+https://github.com/a/b@main#x.toml"),
        ("git+ssh://git@h:22/a/b@main#x.toml", "git+ssh://git@h/a/b@main#x.toml"),
        ("git+http://localhost:80/a/b@main#x.toml", "git+http://localhost/a/b@main#x.toml"),
        ("git+https://h/%61/b@main#x.toml", "git+https://h/a/b@main#x.toml"),
        ("git+https://h/ä/b@main#x.toml", "git+https://h/%C3%A4/b@main#x.toml"),
        ("git+https://h/%c3%a4/b@main#x.toml", "git+https://h/%C3%A4/b@main#x.toml"),
        ("git+https://[0:0:0:0:0:0:0:1]/b@main#x.toml", "git+https://[::1]/b@main#x.toml"),
        (f"https://H:443/x.toml#sha256={HASH.upper()}", f"https://h/x.toml#sha256={HASH}"),
    ],
)
def test_one_address_has_one_spelling(first: str, second: str) -> None:
    assert parse_address(first).spelled == second == parse_address(second).spelled


@pytest.mark.parametrize(
    ("reference", "other"),
    [
        ("git+https://h/a/b@main#x.toml", "git+https://h/a/B@main#x.toml"),
        ("git+https://h/a%40b@main#x.toml", "git+https://h/a@b@main#x.toml".replace("a@b", "ab")),
        ("git+https://h:8443/a/b@main#x.toml", "git+https://h/a/b@main#x.toml"),
        ("git+https://h/a/b@main#x.toml", "git+ssh://h/a/b@main#x.toml"),
        ("git+ssh://git@h/a/b@main#x.toml", "git+ssh://h/a/b@main#x.toml"),
    ],
)
def test_what_differs_stays_different(reference: str, other: str) -> None:
    assert parse_address(reference).spelled != parse_address(other).spelled
    assert parse_address(reference).source != parse_address(other).source


def test_a_web_address_has_a_hash() -> None:
    address = parse_address(f"https://intranet.example/recipes/team.toml#sha256={HASH}")
    assert address == WebAddress("https://intranet.example/recipes/team.toml", HASH)
    assert (address.source, address.pinned) == ("https://intranet.example/recipes/team.toml", True)


@pytest.mark.parametrize(
    ("rev", "pinned"),
    [(COMMIT, True), (COMMIT + "0" * 24, True), (COMMIT[:39], False), ("main", False), ("v" + COMMIT[1:], False)],
)
def test_only_a_whole_commit_pins(rev: str, pinned: bool) -> None:
    assert parse_address(f"git+https://h/x@{rev}#a.toml").pinned is pinned


@pytest.mark.parametrize(
    ("reference", "here"),
    [
        ("git+file:///srv/x@main#a.toml", True),
        ("git+http://127.9.9.9/x@main#a.toml", True),
        ("git+https://[::1]:1/x@main#a.toml", True),
        ("git+ssh://git@localhost/x@main#a.toml", True),
        (f"http://localhost:8000/x.toml#sha256={HASH}", True),
        ("git+https://localhost.example/x@main#a.toml", False),
        ("git+https://10.0.0.1/x@main#a.toml", False),
    ],
)
def test_whether_an_address_stays_on_this_machine(reference: str, here: bool) -> None:
    assert parse_address(reference).on_this_machine is here


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        pytest.param("git+https://h/x.git#a.toml", "names no revision", id="no revision"),
        pytest.param(
            "https://h/x.git@v1#a.toml",
            r"for a file in a git repository write git\+https://",
            id="a file in a repository without git+",
        ),
        pytest.param("git+https://h/x.git@#a.toml", "revision after @ is empty", id="an empty revision"),
        pytest.param("git+https://h/x.git@main", "names no file of the repository", id="no path"),
        pytest.param("git+https://h/x.git@main#", "names no file of the repository", id="an empty path"),
        pytest.param("git+https://h@main#a.toml", "names a host, and no repository there", id="no repository"),
        pytest.param("git+https://h/@main#a.toml", "names nothing at h", id="an empty repository"),
        pytest.param("git+https:///x.git@main#a.toml", "names no host", id="no host"),
        pytest.param("git+https://u:secret@h/x@main#a.toml", "user and password do not belong", id="a password"),
        pytest.param("git+https://token@h/x@main#a.toml", "user and password do not belong", id="a token"),
        pytest.param("git+https://git@h/x@main#a.toml", "user and password do not belong", id="git@ over https"),
        pytest.param("git+ssh://root@h/x@main#a.toml", "only git@ does", id="another user over ssh"),
        pytest.param("git+ssh://git:pw@h/x@main#a.toml", "only git@ does", id="a password over ssh"),
        pytest.param("git+https://h/x?token=1@main#a.toml", "query", id="a query"),
        pytest.param(f"https://h/x.toml?token=1#sha256={HASH}", "query", id="a query of a file"),
        pytest.param("git+https://h/x@main#a.toml?b.toml", "query", id="a query in the path"),
        pytest.param("git+https://h/x@main#a.toml#b.toml", "second #", id="two fragments"),
        pytest.param("git+https://h/x@main#../a.toml", "has to be a path in the repository", id="a path upwards"),
        pytest.param("git+https://h/x@main#a/../../b.toml", "has to be a path in", id="a path up in the middle"),
        pytest.param("git+https://h/x@main#/etc/a.toml", "has to be a path in", id="an absolute path"),
        pytest.param("git+https://h/x@main#a//b.toml", "has to be a path in", id="an empty part"),
        pytest.param("git+https://h/x@main#./a.toml", "has to be a path in", id="a dot"),
        pytest.param("git+https://h/x@main#a\\b.toml", "has to be a path in", id="a backslash"),
        pytest.param("git+https://h/x@main#a.txt", "does not end in .toml", id="another kind of file"),
        pytest.param("git+https://h/x@main#-a.toml", "starts with a dash", id="a path like an option"),
        pytest.param("git+https://h/x@--upload-pack=x#a.toml", "starts with a dash", id="a revision like an option"),
        pytest.param("git+ssh://-oProxyCommand=x/y@main#a.toml", "starts with a dash", id="a host like an option"),
        pytest.param("git+ssh://git@-h/y@main#a.toml", "starts with a dash", id="a host like an option after git@"),
        pytest.param("git+ssh://h/-x@main#a.toml", "starts with a dash", id="a repository like an option"),
        pytest.param("git+https://h/x@a..b#a.toml", "is no name of a branch", id="a range of commits"),
        pytest.param("git+https://h/x@main~1#a.toml", "is no name of a branch", id="a commit before a branch"),
        pytest.param("git+https://h/x@a:b#a.toml", "is no name of a branch", id="a refspec"),
        pytest.param("git+https://h/x@+refs/heads/*#a.toml", "is no name of a branch", id="a pattern of refs"),
        pytest.param("git+https://h/x@a.lock#a.toml", "is no name of a branch", id="a name git refuses"),
        pytest.param("git+https://h/x@.a#a.toml", "is no name of a branch", id="a hidden name"),
        pytest.param("git+https://h/a/../b@main#a.toml", "has to be a plain path", id="a repository upwards"),
        pytest.param("git+https://h/a/%2e%2E/b@main#a.toml", "has to be a plain path", id="upwards in disguise"),
        pytest.param("git+https://h/a%2fb@main#a.toml", "has to be a plain path", id="a slash in disguise"),
        pytest.param("git+https://h/a%00b@main#a.toml", "has to be a plain path", id="a NUL in disguise"),
        pytest.param("git+https://h/a%0ab@main#a.toml", "has to be a plain path", id="a line end in disguise"),
        pytest.param("git+https://h//b@main#a.toml", "has to be a plain path", id="an empty part of a repository"),
        pytest.param("git+https://h/b/@main#a.toml", "has to be a plain path", id="a slash at the end"),
        pytest.param("git+https://h/a%zzb@main#a.toml", "two hexadecimal digits", id="a broken percent form"),
        pytest.param("git+https://h/%ff@main#a.toml", "is not UTF-8", id="bytes that are no text"),
        pytest.param("git+https://h/a\u202eb@main#a.toml", "control characters", id="text that runs backwards"),
        pytest.param("git+https://h/a\nb@main#a.toml", "control characters", id="a line end"),
        pytest.param("git+https://h/a b@main#a.toml", "spaces", id="a space"),
        pytest.param("git+https://h\u0430st.example/x@main#a.toml", "not written in ASCII", id="a Cyrillic letter"),
        pytest.param("git+https://h%61/x@main#a.toml", "is no host", id="a host in percent form"),
        pytest.param("git+https://h..example/x@main#a.toml", "is no host", id="an empty label"),
        pytest.param("git+https://h.example./x@main#a.toml", "is no host", id="a dot at the end of the host"),
        pytest.param("git+https://h*/x@main#a.toml", "is no host", id="a pattern of hosts"),
        pytest.param("git+https://h:0/x@main#a.toml", "is no port", id="port 0"),
        pytest.param("git+https://h:/x@main#a.toml", "is no port", id="an empty port"),
        pytest.param("git+https://h:99999/x@main#a.toml", "is no port", id="a port too high"),
        pytest.param("git+https://[::1/x@main#a.toml", "IPv6|is no host", id="a bracket that stays open"),
        pytest.param("git+https://[fe80::1%25eth0]/x@main#a.toml", "IPv6", id="a zone"),
        pytest.param("git+https://[::ffff:127.0.0.1]/x@main#a.toml", "IPv4 inside", id="this machine in disguise"),
        pytest.param("git+https://127.1/x@main#a.toml", "no address of four numbers", id="a short address"),
        pytest.param("git+https://2130706433/x@main#a.toml", "no address of four numbers", id="an address as a number"),
        pytest.param("git+https://0x7f.0.0.1/x@main#a.toml", "is no host|no address", id="a hexadecimal address"),
        pytest.param("git+https://0x7f000001/x@main#a.toml", "no address of four numbers", id="one hexadecimal number"),
        pytest.param("git+http://h/x@main#a.toml", "not encrypted", id="plain http to another machine"),
        pytest.param("git+http://127.0.0.1.example/x@main#a.toml", "not encrypted", id="looks like this machine"),
        pytest.param(f"http://h/x.toml#sha256={HASH}", "not encrypted", id="a file over plain http"),
        pytest.param("git+file://srv/x@main#a.toml", "absolute path", id="a file on a host"),
        pytest.param("git+file:///~/x@main#a.toml", "~ means nothing", id="a file in a home"),
        pytest.param("git+file:///a/../b@main#a.toml", "has to be a plain path", id="a file upwards"),
        pytest.param("https://h/x.toml", "sha256sum", id="a file without a hash"),
        pytest.param("https://h/x.toml#sha256=12", "64 hexadecimal digits", id="a short hash"),
        pytest.param(f"https://h/x.toml#md5={HASH}", "64 hexadecimal digits", id="another hash"),
        pytest.param(f"https://u:p@h/x.toml#sha256={HASH}", "user and password", id="a password for a file"),
        pytest.param("ext::sh -c id", "recipes come from", id="a command"),
        pytest.param("git+ext::sh", "recipes come from", id="a command in git's clothes"),
        pytest.param("git+ftp://h/x@main#a.toml", "recipes come from", id="another protocol for git"),
        pytest.param("file:///etc/passwd", "recipes come from", id="a file address"),
        pytest.param("ftp://h/x.toml", "recipes come from", id="another protocol"),
        pytest.param("git@github.com:acme/exit.git", "write it as git\\+ssh://", id="the way git writes ssh"),
        pytest.param("git+https://h/" + "a" * 2000 + "@main#a.toml", "longer than 2,000", id="too long"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(reference: str, reason: str) -> None:
    assert is_elsewhere(reference)
    with pytest.raises(Unresolved, match=reason) as refused:
        parse_address(reference)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 300
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "reference",
    ["team.toml", "../team.toml", "C:\\team.toml", "C:/team.toml", "d:team.toml", "builtin:fallback", "~/a.toml",
     "/srv/git+https/x.toml", "a@b.toml", "", "github.com/acme/x.toml"],
)  # fmt: skip
def test_files_and_builtin_recipes_are_no_addresses(reference: str) -> None:
    assert not is_elsewhere(reference)


_TEXTS = st.text(st.sampled_from("h.-:@/%2e~[]1ä+"), min_size=1, max_size=12)


@given(
    start=st.sampled_from(["git+https://h/", "git+https://", "git+file:///", "git+ssh://git@h:2/", "https://"]),
    place=_TEXTS, rev=st.sampled_from(["main", "v1", "-x", "a/b"]) | _TEXTS, path=_TEXTS,
)  # fmt: skip
def test_whatever_is_accepted_is_spelled_in_one_way(start: str, place: str, rev: str, path: str) -> None:
    end = f"#sha256={HASH}" if start == "https://" else f"@{rev}#{path}.toml"
    try:
        address = parse_address(start + place + end)
    except Unresolved:
        return
    assert parse_address(address.spelled) == address
    assert address.spelled.isprintable() and " " not in address.spelled
    assert not {"", ".", ".."} & set(address.source.split("://")[1].lstrip("/").split("/"))
