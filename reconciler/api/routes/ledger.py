"""What happened, in order, and did anybody change it since?"""

from __future__ import annotations

import threading
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from sqlalchemy import Connection

from reconciler.api import asked, cursors, examples
from reconciler.api.answers import Answer, tagged
from reconciler.api.context import Context, context
from reconciler.api.problems import Refused
from reconciler.api.routes.reading import answers
from reconciler.api.routes.reading import router as reading
from reconciler.api.shapes import VERIFICATION, Fact, Verification
from reconciler.store import ledger
from reconciler.views import facts

router = reading("ledger")
_verifying = threading.Lock()
_PATIENCE = 30.0


@router.get("/ledger", summary="List facts", **answers(Fact, [examples.FACT], pages=True))
def listed(
    request: Request,
    given: Annotated[Context, Depends(context)],
    app: asked.OfApp = None,
    environment: asked.InEnvironment = None,
    kind: Annotated[
        str | None,
        Query(
            max_length=32, pattern=r"^[a-z-]+(\.[a-z-]+)?$", description="As `deployment.failed`, or its first word."
        ),
    ] = None,
    actor: Annotated[str | None, asked.word("Whose doing it was.")] = None,
    subject: Annotated[str | None, asked.word("A deployment's id, a commit.", 80)] = None,
    since: asked.Since = None,
    until: asked.Until = None,
    limit: asked.Limit = 100,
    cursor: asked.Cursor = None,
) -> Response:
    """Facts, newest first.

    What is rare is looked for piece by piece: a page may be empty and still lead to the next one.
    """
    now, before = given.now(), cursors.after_number(cursor)
    wanted = ledger.Filter(
        app=app,
        environment=environment,
        kind=kind,
        actor=actor,
        subject=subject,
        since=asked.past(since, now),
        until=asked.past(until, now),
        limit=limit,
    )

    def page(connection: Connection) -> Answer:
        found, below = facts.listed(connection, wanted, before)
        return Answer(found, cursors.written("s", below) if below is not None else None)

    return tagged(request, given, page, at=now if since is not None or until is not None else None)


@router.get("/ledger/verification", summary="Verify the ledger", **answers(Verification, examples.VERIFICATION))
def verified(request: Request, given: Annotated[Context, Depends(context)]) -> Response:
    """The chain of hashes, computed again and compared with every seal; of SQLite the store's file as well.

    It reads everything: it is done for one reader at a time.
    """

    def found(connection: Connection) -> dict[str, Any]:
        if not _verifying.acquire(timeout=_PATIENCE):
            raise Refused(
                429, "the ledger is being verified for somebody else", "ask again then", retry_after=_PATIENCE
            )
        try:
            damage, chain = ledger.damage(connection), ledger.verify(connection)
        finally:
            _verifying.release()
        made = Verification(
            sound=chain.broken_after is None and not damage,
            entries=chain.entries,
            unsealed=chain.unsealed,
            broken_after=chain.broken_after,
            damage=tuple(damage),
        )
        dumped: dict[str, Any] = VERIFICATION.dump_python(made, mode="json")
        return dumped

    return tagged(request, given, found, at=given.now())
