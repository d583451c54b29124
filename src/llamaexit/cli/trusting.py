"""Asking a person at a terminal about sources and registries that the settings do not allow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from llamaexit.cli.confirm import terminal_there, typed
from llamaexit.sharing.locking import strictness
from llamaexit.sharing.trust import Untrusted, place_of

if TYPE_CHECKING:
    from rich.console import Console

    from llamaexit.recipes.library import Library
    from llamaexit.recipes.sources import RecipeText
    from llamaexit.sharing.addresses import Address
    from llamaexit.sharing.trust import Foreign, Trust


def somebody_there(*, as_json: bool) -> bool:
    """Whether there is a person to ask; a program that wants JSON is none, nor is a CI job with a terminal."""
    return not as_json and strictness(None, os.environ) != "ci" and terminal_there()


class Asking:
    """A `sharing.remote.Gate` with a person at it.

    What somebody typed may be contacted: they mean it. What only a recipe names is asked about before. Whether any of
    it is used is asked once everything is there (`settle`), since only then it can be shown what that would lead to.
    """

    def __init__(self, trust: Trust) -> None:
        self._trust = trust
        self._open: list[str] = []

    def check(self, address: Address, named_in: RecipeText | None) -> None:
        """Raises Untrusted for what may not be contacted, or not in the opinion of whoever sits there."""
        source = address.source
        if self._trust.allows(source) or source in self._open:
            return
        place = place_of(address, named_in) if named_in is not None else ""
        refusal = self._trust.refusal(source, place)
        if self._trust.settings.decided_by_site is not None:
            raise refusal  # whatever they answer, it would not count
        if named_in is not None and not _may_contact(refusal):
            raise Untrusted(f"{source} was not contacted, and nothing was changed", hint=refusal.hint)
        self._open.append(source)

    def settle(self, library: Library | None, foreign: Sequence[Foreign]) -> None:
        """Show what recipes from sources that are not allowed would lead to, and ask whether to use them.

        library: None where only registries are in question. foreign: models from registries that are not allowed.
        Raises Untrusted unless the answer is yes.
        """
        if foreign and (
            self._trust.settings.decided_by_site is not None or any(one.registry is None for one in foreign)
        ):
            raise self._trust.refusal_of(foreign)
        if not self._open and not foreign:
            return
        from llamaexit.cli.talk import tell

        def show(console: Console) -> None:
            from llamaexit.report.recipe_trust import print_offer

            print_offer(library, self._open, foreign, console)

        tell(show)
        answer = typed("Use this? [y]es for this time, [a]lways, [N]o: ")
        if answer in ("a", "always"):
            self._remember(foreign)
        elif answer not in ("y", "yes"):
            what = [*self._open, *(str(one.registry) for one in foreign)]
            raise Untrusted(f"not allowed, and nothing was changed: {', '.join(what)}")

    def _remember(self, foreign: Sequence[Foreign]) -> None:
        from llamaexit.cli.output import complain
        from llamaexit.cli.settings import save
        from llamaexit.sharing.patterns import SourcePattern
        from llamaexit.sharing.settings import Change

        sources = tuple(map(SourcePattern.parse, self._open))
        registries = tuple(one.registry for one in foreign if one.registry is not None)
        complain(f"llamaexit: allowed in {save(allow=Change(sources, registries))}")


def _may_contact(refusal: Untrusted) -> bool:
    from llamaexit.cli.talk import tell
    from llamaexit.report.recipe_trust import print_refusal

    tell(lambda console: print_refusal(refusal.message, console))
    return typed("Contact it? [y/N] ") in ("y", "yes")
