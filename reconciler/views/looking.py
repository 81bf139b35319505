"""Which deployment is somebody looking at who is shown how an app stands?

What stands somewhere is the newest deployment that has reached the target, or may at any moment. A page sends its id
along with a wish (`wishes/expecting`), so that nobody decides about something that they have never seen.
"""

from __future__ import annotations

from reconciler.model.output import Standing

NONE = "none"
"""What is looked at where nothing has been deployed yet."""


def looked_at(standing: Standing) -> str:
    """The id of the deployment that stands there, or `none`."""
    if standing.active is not None:
        return standing.active.id
    if standing.doubt is not None:
        return standing.doubt.deployment
    return standing.deployment.id if standing.deployment is not None else NONE
