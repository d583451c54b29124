"""One recipe from a web server, whose hash is known beforehand."""

from __future__ import annotations

import hashlib

from llamaexit.ollama.texts import printable
from llamaexit.ollama.web import WebError, get
from llamaexit.recipes.read import MOST_BYTES
from llamaexit.recipes.sources import Unresolved
from llamaexit.sharing.addresses import WebAddress


def fetch_file(address: WebAddress, *, timeout: float = 30.0) -> bytes:
    """The bytes an address names. timeout: seconds for connecting and the first bytes. Raises Unresolved."""
    try:
        answer = get(address.url, {"Accept-Encoding": "identity"}, timeout=timeout, limit=MOST_BYTES, follow=False)
    except WebError as error:
        raise Unresolved(str(error)) from error
    if "location" in answer.headers:
        to = printable(answer.headers["location"])[:200]
        raise Unresolved(f"{address.url} redirects to {to}, which is not followed; name the file by its own address")
    if answer.status != 200:
        reason = ": there is no such file, or it is not public" if answer.status in (401, 403, 404) else ""
        raise Unresolved(f"{address.url} answers {answer.status}{reason}")
    found = hashlib.sha256(answer.body).hexdigest()
    if found != address.sha256:
        raise Unresolved(f"{address.url} is another file than the one that is named: its sha256 is {found}")
    return answer.body
