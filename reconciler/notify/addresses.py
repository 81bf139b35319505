"""Where is a message sent, and with which token? What a reference leads to, read when needed and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import PersonNeeded, ReconcilerError
from reconciler.targets.secrets import value_of


class NotDelivered(ReconcilerError):
    """A message did not arrive, or nobody knows (`unsure`); `after` seconds it may be tried again.

    `for_good`: no further attempt helps.
    """

    def __init__(
        self, message: str, *, after: float | None = None, for_good: bool = False, unsure: bool = False
    ) -> None:
        super().__init__(message)
        self.after = after
        self.for_good = for_good
        self.unsure = unsure


def behind(name: str, source: str, environ: Mapping[str, str]) -> str:
    """The address or the token behind `env:NAME` or `file:PATH`. Raises NotDelivered, which calls it `name`."""
    try:
        return value_of(name, source, environ).strip()
    except PersonNeeded as error:
        raise NotDelivered(error.message.removeprefix("no value for the secret ")) from None
