"""Is there still what the person was looking at when they asked?

What stands somewhere is the newest deployment that has reached the target, or may at any moment. A page sends its id
along, so that nobody decides about something that they have never seen.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection

from reconciler.errors import NotSo, WrongUse
from reconciler.model.version import spoken
from reconciler.store import deployments
from reconciler.views.looking import NONE as NONE
from reconciler.views.looking import looked_at as looked_at

_EXPECTED = re.compile(r"[0-9a-f]{1,64}|none")
_AGAIN = "look at it again, then ask once more"


def require(connection: Connection, app: str, environment: str | None, expected: str | None) -> None:
    """Check that `expected` (None: nothing is) still stands there. Raises NotSo with what is there now; WrongUse."""
    if expected is None:
        return
    if environment is None:
        raise WrongUse(
            "a deployment is expected, but of no environment", "name the environment, or leave out what is expected"
        )
    if not _EXPECTED.fullmatch(expected):
        raise WrongUse(
            f"{expected[:100]} cannot be what stands there", "expect the id of a deployment, or `none` for nothing"
        )
    found = deployments.standing(connection, app, environment)
    if (found.id if found is not None else NONE) == expected:
        return
    if found is None:
        raise NotSo(f"{app} has not been deployed to {environment}, so {expected} does not stand there", _AGAIN)
    runs = spoken(found.traffic) if found.traffic else "nothing, since it is retired"
    raise NotSo(
        f"{app} in {environment} has changed meanwhile: deployment {found.number} ({found.id}) is {found.status} there "
        f"now, with {runs}",
        _AGAIN,
    )
