"""Whose signatures are asked for, and have not been looked at yet?

Only commits whose versions would enter an environment that asks for signatures: what runs there has been let in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.desired import Desired, Tracked
from reconciler.planner.promotions import entering, in_line, whole
from reconciler.planner.recorded import RecordedApp


def unjudged(wanted: Mapping[str, Desired], app: RecordedApp) -> set[str]:
    """The commits of one app whose signatures are to be judged before it is planned."""
    asking = [one for one in wanted.values() if one.gates is not None and one.gates.signed and one.gates.mode != "off"]
    commits = {commit for one in asking for commit in _entering(one, app)}
    return {commit for commit in commits if commit and commit not in app.signatures}


def _entering(wanted: Desired, app: RecordedApp) -> Iterator[str]:
    name = wanted.environment
    record = app.record(name)
    ids = {app.content, *app.references.values()}
    for choice in (wanted.choice, wanted.base_choice):
        upstream = app.environments.get(choice.environment) if isinstance(choice, Tracked) else None
        if upstream is not None:
            ids |= {part.version for deployment in in_line(upstream, app, record) for part in deployment.traffic}
    for version in (app.versions[one] for one in ids if one is not None and one in app.versions):
        if entering(whole(version), record, app):
            yield version.commit
