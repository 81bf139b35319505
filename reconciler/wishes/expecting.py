"""Is there still what the person was looking at when they asked?

What stands somewhere is the newest deployment that has reached the target, or may at any moment. A page sends its id
along, so that nobody decides about something that they have never seen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import Connection

from reconciler.errors import AmbiguousReference, NotSo, WrongUse
from reconciler.model.deployment import EXTERNAL, Deployment
from reconciler.model.version import spoken
from reconciler.store import deployments, elsewhere, reports
from reconciler.views.looking import NONE as NONE
from reconciler.views.looking import looked_at as looked_at
from reconciler.views.resolving import SHORTEST

_EXPECTED = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}|{NONE}")
_AGAIN = "look at it again, then ask once more"


def require(connection: Connection, app: str, environment: str | None, expected: str | None) -> None:
    """Check that `expected` still stands there: an id or its beginning, or `none`; None expects nothing.

    Raises NotSo with what is there now; WrongUse; AmbiguousReference where several ids begin so.
    """
    if expected is None:
        return
    if environment is None:
        raise WrongUse(
            "a deployment is expected, but of no environment", "name the environment, or leave out what is expected"
        )
    found = deployments.standing(connection, app, environment)
    _compare(connection, app, environment, expected, (found,) if found is not None else ())


def require_of_any(connection: Connection, app: str, environment: str, expected: str | None) -> None:
    """What is expected stands there, where deployments are reported from elsewhere: one of those may have been looked
    at, or one of ours.

    Of the reported ones that is the newest, or what completed last. Raises as `require`.
    """
    if expected is None:
        return
    ours = deployments.standing(connection, app, environment)
    newest, completed = elsewhere.last_in(connection, app, [environment]).get(environment, (None, None))
    there = [one for one in (newest, completed, ours) if one is not None]
    _compare(connection, app, environment, expected, there)


def _compare(connection: Connection, app: str, environment: str, expected: str, there: Sequence[Deployment]) -> None:
    """Whether one of those that are there is expected; where there is none, `none`."""
    wanted = expected.lower()
    if not _EXPECTED.fullmatch(wanted):
        raise WrongUse(
            f"{expected[:100]} cannot be what stands there",
            f"expect the id of a deployment, or its first {SHORTEST} digits or more, or `{NONE}` for nothing",
        )
    if wanted == NONE and not there:
        return
    if any(one.id.startswith(wanted) for one in there):
        _require_one(connection, wanted)
        return
    if not there:
        raise NotSo(f"{app} has not been deployed to {environment}, so {wanted} does not stand there", _AGAIN)
    found = there[0]
    raise NotSo(
        f"{app} in {environment} has changed meanwhile: deployment {found.number} ({found.id}) is {found.status} there "
        f"now, with {_runs(found)}",
        _AGAIN,
    )


def _require_one(connection: Connection, beginning: str) -> None:
    """A beginning names one deployment alone. Raises AmbiguousReference."""
    ours = [row.id for row in deployments.beginning_with(connection, beginning, 2)]
    several = sorted({*ours, *(one.id for one in reports.beginning(connection, beginning))})
    if len(several) > 1 and beginning not in several:
        raise AmbiguousReference(
            f"several deployments have an id that begins with {beginning}: {', '.join(several)}",
            "give more digits of the one that is meant",
        )


def _runs(found: Deployment) -> str:
    if not found.traffic:
        return "nothing, since it is retired"
    return found.traffic[0].version if found.cause == EXTERNAL else spoken(found.traffic)
