"""What a request that runs a model has to pass before the model is loaded, and the loading itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from standin import options as option_rules
from standin.behaviour import Think
from standin.handler import HungUp, Problem
from standin.installed import Installed
from standin.names import Name
from standin.options import BadOption
from standin.runners import Busy, Left, LoadFailed, WeightsMissing, Wish
from standin.store import Resident

if TYPE_CHECKING:
    from standin.server import Standin

Body = dict[str, Any]
BUSY = "server busy, please try again.  maximum pending requests exceeded"


def bind(standin: Standin, body: Body) -> None:
    """Raises Problem for values Go does not take when it reads the body."""
    try:
        option_rules.keep_alive(body.get("keep_alive"))
    except ValueError as error:
        raise Problem(400, str(error)) from None
    think = body.get("think")
    if standin.release.since(0, 9):
        levels = '"high", "medium", "low", "max", true, or false'
        if isinstance(think, str) and think not in ("high", "medium", "low", "max"):
            raise Problem(400, f'invalid think value: "{think}" (must be {levels})')
        if not isinstance(think, str | bool | None):
            raise Problem(400, f"think must be a boolean or string ({levels})")
    if not 0 <= int(body.get("top_logprobs") or 0) <= 20:
        raise Problem(400, "top_logprobs must be between 0 and 20")


def find(
    standin: Standin, body: Body, *, empty: tuple[int, str], missing: str | None = None, fold: bool = True
) -> Installed:
    """The model a body names. `empty` is the answer when it names none, `missing` that for one nobody has.

    `fold`: in any case. Raises Problem.
    """
    wanted = str(body.get("model") or "")
    if not wanted:
        raise Problem(*empty)
    name = Name.parse(wanted)
    if name is None:
        raise Problem(400, "invalid model name")
    store = standin.store
    with store.lock:
        name = store.existing(name) if fold else name
        try:
            return standin.resolve(name)
        except KeyError:
            raise Problem(404, missing or f"model '{wanted}' not found") from None
        except ValueError as error:
            raise Problem(500, str(error)) from None


def resolved_think(standin: Standin, model: Installed, body: Body) -> Think:
    """Whether this model thinks in this request; None when thinking is no matter at all. Raises Problem."""
    asked, release = body.get("think"), standin.release
    if not release.since(0, 9):
        return None
    if "thinking" in model.capabilities:
        return True if asked is None and release.since(0, 12, 4) else asked
    # 0.12.4 refused `false` as well, by mistake
    refuses = asked is not None if release.since(0, 12, 4) and not release.since(0, 12, 5) else bool(asked)
    if refuses:
        raise Problem(400, f'"{body["model"]}" does not support thinking')
    return asked


def require(model: Installed, body: Body, verb: str, *wanted: str) -> None:
    """Raises Problem unless the model can all of this. `verb` is the route's: chat or generate."""
    lacking = [capability for capability in wanted if capability not in model.capabilities]
    if "completion" in lacking:
        raise Problem(400, f'"{body["model"]}" does not support {verb}')
    if lacking:
        raise Problem(400, f"{model.name.full} does not support " + "\n".join(lacking))


def resolved_options(standin: Standin, model: Installed, body: Body) -> dict[str, Any]:
    """Defaults, over them what is stored, over that what is asked. Raises Problem for a wrong type in either."""
    try:
        return {
            **option_rules.defaults(standin.release, standin.num_ctx),
            **option_rules.checked(model.options),
            **option_rules.checked(body.get("options") or {}),
        }
    except BadOption as error:
        raise Problem(500, str(error)) from None


def acquire(standin: Standin, wish: Wish, wanted: str) -> tuple[Resident, float]:
    """A runner for a wish, and how long it took to load. `wanted` is the name as it was asked for.

    Raises Problem and HungUp.
    """
    try:
        return standin.runners.acquire(wish)
    except Busy:
        raise Problem(503, BUSY) from None
    except WeightsMissing:
        raise Problem(404, f'model "{wanted}" not found, try pulling it first') from None
    except LoadFailed as error:
        text = str(error)
        if "failed to load model" in text and standin.release.since(0, 30):
            text += (
                ": this model may be incompatible with your version of Ollama. If you previously pulled this model, "
                f"try updating it by running `ollama pull {wish.model.name.short}`"
            )
        raise Problem(500, text) from None
    except Left:
        raise HungUp from None
