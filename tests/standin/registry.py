"""The registry a stand-in pulls from: names, the manifests they mean at the moment, and the blobs behind them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from standin.model import Model
from standin.release import Release
from standin.store import Blob, Name, Store

DEFAULT_HOST = "registry.ollama.ai"
TOO_OLD = (
    "412: \n\nThe model you are attempting to pull requires a newer version of Ollama.\n\n"
    "Please download the latest version at:\n\n\thttps://ollama.com/download\n\n"
)


class Unavailable(Exception):
    """The registry does not hand a manifest out; the text is what Ollama says of it."""


class Registry:
    """Models to pull. `plain` registries speak http only, so that pulling from them takes `insecure`.

    Publishing a model under a name that is taken moves the tag: whoever pulls it again gets the new manifest. Blobs
    that were published once stay, as on a real registry, though no name leads to them.
    """

    def __init__(
        self,
        *models: Model,
        content: Store | None = None,
        hosts: Iterable[str] = (DEFAULT_HOST,),
        plain: bool = False,
    ) -> None:
        self.content = content if content is not None else Store()
        self.hosts = frozenset(hosts)
        self.plain = plain
        for model in models:
            self.publish(model)

    def publish(self, model: Model) -> str:
        """Offer a model under its name from now on; the digest of its manifest, 64 hex digits."""
        return self.content.add(model)

    def withdraw(self, name: str) -> None:
        """Let a name mean nothing any more."""
        del self.content.manifests[Store.named(name)]

    def digest(self, name: str) -> str:
        """The digest of the manifest a name means now: 64 hex digits, as `/api/tags` shows it after a pull."""
        return self.content.manifests[Store.named(name)].digest

    def manifest(self, name: Name, *, insecure: bool, release: Release) -> bytes:
        """The manifest of a name, asked by an Ollama of this release. Raises Unavailable."""
        return fetched(self, name, insecure=insecure, release=release)

    def blob(self, digest: str) -> Blob | None:
        return self.content.blobs.get(digest)


def fetched(registry: Registry | None, name: Name, *, insecure: bool, release: Release) -> bytes:
    """What the server of a name answers, when there is one. Raises Unavailable."""
    scheme = "http" if insecure else "https"
    url = f"{scheme}://{name.host}/v2/{name.namespace}/{name.model}/manifests/{name.tag}"
    if registry is None or name.host not in registry.hosts:
        raise Unavailable(f'Get "{url}": {_unreachable(name.host)}')
    if registry.plain and not insecure:
        raise Unavailable(f'Get "{url}": tls: first record does not look like a TLS handshake')
    entry = registry.content.manifests.get(name)
    if entry is None:
        raise Unavailable("file does not exist")
    requires = registry.content.config(entry).get("requires", "")
    if requires and not release.since(*(int(part) for part in str(requires).split("."))):
        raise Unavailable(TOO_OLD)
    return entry.data


def _unreachable(host: str) -> str:
    """Nobody listens on this machine, and no other name can be looked up."""
    name, _, port = host.partition(":")
    try:
        address = "127.0.0.1" if name == "localhost" else str(ipaddress.ip_address(name))
    except ValueError:
        return f"dial tcp: lookup {name}: no such host"
    return f"dial tcp {address}:{port or 443}: connect: connection refused"
