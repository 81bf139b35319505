"""Where is a message sent? The address behind a reference, read when it is needed and kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.errors import PersonNeeded, ReconcilerError
from reconciler.model.app import SecretReference
from reconciler.targets.secrets import Blanker, resolve


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


def address(source: str, environ: Mapping[str, str]) -> tuple[str, Blanker]:
    """The address behind `env:NAME` or `file:PATH`, and what keeps it out of words. Raises NotDelivered."""
    try:
        found = resolve([SecretReference(name="to", source=source)], environ)
    except PersonNeeded as error:
        raise NotDelivered(error.message.removeprefix("no value for the secret ")) from None
    value = found["to"].strip()
    return value, Blanker({"to": value})
