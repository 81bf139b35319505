"""Which options and arguments do verbs share, and how is what was typed read?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from reconciler.errors import ReconcilerError, WrongUse
from reconciler.wishes import saying

F = TypeVar("F", bound=Callable[..., Any])

_CONFIG = "reconciler.config"
_CONTEXT = {"help_option_names": ["-h", "--help"]}


def _remember(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_CONFIG] = value


config_option = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(),
    expose_value=False,
    callback=_remember,
    help="Settings; by default reconciler.yaml, if there is one.",
)
"""Before or after the verb."""


def config_file() -> str | None:
    """The settings file that was named."""
    found: str | None = click.get_current_context().meta.get(_CONFIG)
    return found


def verb(function: Callable[..., Any]) -> click.Command:
    """A command with `--config`, named by its first line of documentation."""
    return click.command(context_settings=_CONTEXT)(config_option(function))


def nouns(function: Callable[..., Any]) -> click.Group:
    """A group of verbs that belong to one noun."""
    return click.group(context_settings=_CONTEXT)(config_option(function))


def output_option(*more: str) -> Callable[[F], F]:
    """`-o`, with text and json and whatever else this verb can print; passed as `form`."""
    forms = click.Choice(["text", "json", *more])
    return click.option("-o", "--output", "form", type=forms, default="text", help="How it is printed.")


class Moment(click.ParamType[datetime]):
    """A moment: ISO 8601, or a length of time from now. `ago`: a length of time leads back instead of forward.

    A wall time without an offset is this machine's, and what it was taken for is said.
    """

    name = "time"

    def __init__(self, *, ago: bool = False) -> None:
        self.ago = ago

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant in UTC."""
        if isinstance(value, datetime):
            return value
        try:
            return self._read(str(value))
        except ReconcilerError as error:
            self.fail(f"{error.message}. {error.next_step}.", param, ctx)

    def _read(self, text: str) -> datetime:
        from datetime import UTC

        from reconciler import schedule
        from reconciler.engine import clock

        if text[:1].isdigit() and text[-1:] in "dhms" and "-" not in text:
            length = schedule.duration(text)
            try:
                return clock.system() - length if self.ago else clock.system() + length
            except OverflowError:
                raise WrongUse(f"{text} from now is no date", "give a shorter time") from None
        value = schedule.wall(text)
        try:
            moment = value.astimezone(UTC)
        except (OverflowError, OSError, ValueError):
            raise WrongUse(f"{text} is no moment on this machine", "add an offset, such as Z") from None
        if value.tzinfo is None:
            _tell_local(text, moment)
        return moment


def _tell_local(text: str, moment: datetime) -> None:
    """Nobody is to find out later on which clock a wall time was read."""
    from reconciler.cli import printing

    printing.note(f"{text} has no offset and is taken as this machine's time: {printing.when(moment)}")


class Recorded(click.ParamType[str]):
    """The name of something that is recorded: any text, and what is recorded where a shell completes what is typed."""

    def __init__(self, what: str, names: Callable[[Any, str], Iterable[str]]) -> None:
        self.name = what
        self._names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """The text as it was typed: whether there is such a thing is asked later."""
        return str(value)

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - as click calls it
        incomplete: str,
    ) -> list[CompletionItem]:
        """Names that begin with what was typed; none where the store does not answer."""
        from reconciler.cli import opened

        try:
            with ctx.scope(cleanup=False), opened.store(opened.settings()) as store, store.read() as connection:
                return [CompletionItem(name) for name in self._names(connection, incomplete) if name.isprintable()]
        except ReconcilerError:
            return []


_OFFERED = 200


def _apps(connection: Any, beginning: str) -> Iterable[str]:
    from itertools import takewhile

    from reconciler.store import declared

    following = declared.names_after(connection, beginning, _OFFERED)
    # What is typed out already is not behind itself.
    whole = [beginning] if beginning and beginning in declared.known_names(connection) else []
    return [*whole, *takewhile(lambda name: name.startswith(beginning), following)]


def _environments(connection: Any, beginning: str) -> Iterable[str]:
    from reconciler.store import declared

    return sorted(name for name in declared.documents(connection, "Environment") if name.startswith(beginning))


APP = Recorded("app", _apps)
ENVIRONMENT = Recorded("environment", _environments)
MOMENTS = "2026-12-01T09:00+01:00, or 2h from now; without an offset it is this machine's time"
"""How a moment is written, for the help of an option."""
MOMENT = Moment()
AGO = Moment(ago=True)


def reason_option(said: str = "Why; it is recorded.", *, required: bool = False) -> Callable[[F], F]:
    """`--reason`; one that is `required` has to say something."""
    if required:
        return click.option("--reason", required=True, metavar="TEXT", callback=_said, help=said)
    return click.option("--reason", default="", metavar="TEXT", help=said)


def _said(_context: click.Context, option: click.Parameter, value: str) -> str:
    try:
        return saying.reason(value, required=True)
    except WrongUse as error:
        raise click.BadParameter(f"{error.next_step}.", param=option) from None


def actor_option(function: F) -> F:
    """`--actor`: who asks. Anything that tells people who it was: an address as a rule, or the name of a robot."""
    said = (
        f"Who asks, in one line of at most {saying.LONGEST_NAME} letters; it is recorded. By default git's user.email."
    )
    return click.option("--actor", metavar="EMAIL", callback=_somebody, help=said)(function)


def _somebody(_context: click.Context, option: click.Parameter, value: str | None) -> str:
    try:
        return saying.name(_git_email() if value is None else value)
    except WrongUse as error:
        example = "such as --actor you@example.com (or set git's user.email)"
        raise click.BadParameter(f"{error.next_step}, {example}.", param=option) from None


def _git_email() -> str:
    import subprocess

    try:
        done = subprocess.run(
            ["git", "config", "--get", "user.email"], capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError:
        return ""
    return done.stdout.decode("utf-8", "replace")
