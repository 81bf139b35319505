"""A forge says that something was pushed: the branch is looked at now and not with the next poll.

What it says besides is not read: the payload is a nudge. Closed for a forge until a secret is set for it.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.concurrency import run_in_threadpool

from reconciler import telemetry
from reconciler.api import signatures
from reconciler.api.context import Context, context
from reconciler.api.problems import Refused
from reconciler.errors import PersonNeeded
from reconciler.model.shape import shape
from reconciler.schedule import spell
from reconciler.store import webhooks
from reconciler.words import instead

log = telemetry.logger("api")
router = APIRouter(tags=["webhooks"])
FORGES = tuple(signatures.SCHEMES)
Forge = Annotated[str, Path(description="What sends it.", json_schema_extra={"enum": [*FORGES]})]


@shape
class Taken:
    """The branch is looked at."""

    status: str = "accepted"


@router.post("/webhooks/{forge}", status_code=HTTPStatus.ACCEPTED)
async def webhook(forge: Forge, request: Request, given: Annotated[Context, Depends(context)]) -> Taken:
    """Look at the branch now. Signed as the forge signs with one of the secrets of `webhooks.<forge>`."""
    if forge not in FORGES:
        raise Refused(HTTPStatus.NOT_FOUND, f"there are no webhooks of {forge[:100]}", instead(forge, FORGES))
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    return await run_in_threadpool(_take, forge, headers, body, given)


def _take(forge: Forge, headers: dict[str, str], body: bytes, given: Context) -> Taken:
    now = given.now()
    if not signatures.signed(forge, headers, body, _secrets(given, forge)):
        raise Refused(
            HTTPStatus.UNAUTHORIZED,
            f"this is not signed with the secret that is set for {forge}",
            f"set the same secret there and in webhooks.{forge}",
        )
    if (off := signatures.clock_off(forge, headers, now)) is not None:
        raise _not_of_now(off)
    # With a bearer token nothing tells a delivery from the same one again: whoever has it may send as they like.
    again = signatures.can_be_replayed(headers, forge)
    delivery = now.isoformat() if again else signatures.delivery(forge, headers, body)
    with given.write() as transaction:
        fresh = webhooks.take(transaction, forge, delivery, now)
    if not fresh:
        raise Refused(HTTPStatus.CONFLICT, "this delivery has come before", "nothing is to be done about it")
    return Taken()


def _not_of_now(off: timedelta) -> Refused:
    """What is said of a right signature of another moment: nobody shall change a good secret for it."""
    when = f"{spell(off)} ago" if off > timedelta() else f"{spell(-off)} ahead"
    return Refused(
        HTTPStatus.UNAUTHORIZED,
        f"the secret is right, but by the clock here this was signed {when}: more than {spell(signatures.TOLERANCE)}",
        "check the clocks of the sender and of this machine, then have it signed and sent anew",
    )


def _secrets(given: Context, forge: Forge) -> list[str]:
    """The secrets as they are now: one that lies in a file may have been exchanged. Raises Refused."""
    try:
        found = given.webhook_secrets(forge)
    except PersonNeeded as error:
        raise _unreadable(given, forge, error) from error
    if not found:
        said = f"no secret is set for {forge}, so nothing is taken from it"
        raise Refused(HTTPStatus.FORBIDDEN, said, f"set webhooks.{forge} to a secret such as env:WEBHOOK_SECRET")
    return found


def _unreadable(given: Context, forge: str, error: PersonNeeded) -> Refused:
    """What anybody may know of a secret that cannot be read. Where it should lie is for the log alone."""
    if given.seldom.due(f"webhooks.{forge}", error.message, given.now()):
        log.warning("webhook.unreadable", forge=forge, error=error.message, next=error.next_step)
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        f"the webhook of {forge} has no readable secret here",
        "whoever runs the reconciler finds in its log why; send it again once that is mended",
    )
