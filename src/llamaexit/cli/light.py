"""Commands whose options are converted by hand, so that starting one does not import pydantic.

Typer 0.26 and later convert every option with a pydantic TypeAdapter. Importing pydantic takes longer than a whole plan
does. The options of our commands are texts, paths, flags and numbers, for which calling the type is enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

_WORDS = {float: "a number"}


class LightCommand(TyperCommand):
    """A command for parameters of the types str, Path, float and bool, and lists of them.

    Releases of Typer that know no `get_runtime_param` convert by themselves and never look at it.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, `--help` among them, with our conversion in the place of Typer's."""
        return _lightened(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; what is wrong with them names this command, also where the parser forgets to."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if getattr(error, "ctx", ctx) is None:
                error.ctx = ctx  # type: ignore[attr-defined]
            raise


class LightGroup(TyperGroup):
    """The same for a group of commands, whose own options are converted on the way to every command."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, `--help` among them, with our conversion in the place of Typer's."""
        return _lightened(super().get_params(ctx))


def _lightened(parameters: Iterable[Any]) -> list[Any]:
    several = list(parameters)
    for parameter in several:
        parameter.get_runtime_param = _Conversion
        if parameter.metavar is None or parameter.param_type_name == "argument":
            # Typer's help would print the Python type, <bool> beside every switch
            parameter.display_type_rich = _no_type
    return several


def _no_type(ctx: Any) -> None:
    return None


class _Conversion:
    """What Typer asks a parameter for when it has a value."""

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        """The value of a parameter from what was written after it; several values give a list."""
        if param.multiple or param.nargs == -1:
            return [_converted(item, param, ctx) for item in value or ()]
        return None if value is None else _converted(value, param, ctx)


def _converted(text: Any, param: Any, ctx: Any) -> Any:
    annotation = param.type_descriptor.annotation
    kind = get_args(annotation)[0] if get_origin(annotation) is list else annotation
    try:
        return kind(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not {_WORDS.get(kind, 'valid')}", ctx=ctx, param=param) from None
