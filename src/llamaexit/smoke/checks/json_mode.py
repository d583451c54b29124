"""With `format: "json"` and longer texts the answer is a JSON object with the keys it was asked for.

Nothing but the model itself sees to the keys here, so that reasoning may end up inside the JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamaexit.smoke.asked import prose
from llamaexit.smoke.check import Check, Finding, Tally
from llamaexit.smoke.shaped import parsed
from llamaexit.smoke.texts import cut_off, leaked

if TYPE_CHECKING:
    from llamaexit.smoke.bench import Bench

_PLACES = (("Porto", "Portugal"), ("Bergen", "Norway"), ("Arequipa", "Peru"))
_WORDS = 500
"""Words on either side of the one sentence that matters."""
_KEYS = ("city", "country")


def run(bench: Bench) -> Finding:
    dice = bench.random("json.mode")

    def ask(place: tuple[str, str]) -> str:
        city, country = place
        words = min(_WORDS, bench.subject.context // 5)
        before, after = prose(dice, words), prose(dice, words)
        question = (
            f"{before} The meeting took place in {city}, in {country}. {after}\n\nWhere did the meeting take place?"
            ' Return JSON with the keys "city" and "country".'
        )
        answer = bench.chat(question, format="json", max_tokens=200)
        value = parsed(answer.text)
        if value is None:
            return leaked(answer.text) or cut_off(answer.finish) or "the answer is not a JSON object and nothing else"
        missing = [key for key in _KEYS if not isinstance(value.get(key), str) or not value[key].strip()]
        return f"the JSON lacks {' and '.join(missing)}" if missing else ""

    return Tally().each(_PLACES, ask).finding()


CHECK = Check("json.mode", "writes JSON with the keys it is asked for", run, suites=("full",), reads=4200, writes=60)
