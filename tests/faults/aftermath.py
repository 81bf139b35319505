"""What must be so after every fault, whatever it was?

Nothing is lost, nothing is there twice, the ledger is sound, nothing is left to do, `doctor` finds nothing, and the
daemon is as quiet as before. Faults, and how a person hears of them, are the tests' affair.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from reconciler.model.deployment import Deployment
from tests.commands import Done
from tests.commands import typed as type_command
from tests.e2e.daemon import Live
from tests.world import CHAIN

ENDED = {"completed", "failed", "aborted"}
RESTING = 0.5
"""Seconds over which a daemon with nothing to do is watched."""
MOST_LINES = 25
"""So many lines of log may a fault of a few seconds cost."""


def check(
    live: Live, *apps: str, environments: Sequence[str] = CHAIN, lines: int = MOST_LINES, found: Sequence[str] = ()
) -> None:
    """Everything, on a daemon that runs and whose apps run what git asks for; waits until it is at rest.

    `found` are the things that `doctor` is right to find.
    """
    names = apps or ("shop",)
    live.wait_for(lambda: all(ended(live, app) for app in names), "every deployment has ended")
    for app in names:
        versions_of_commits(live, app)
        for environment in environments:
            recorded_once(live, app, environment)
            if live.released(environment, app).parent.is_dir():
                released_once(live, app, environment)
    live.wait_for(lambda: verified(live), "the ledger is sound and sealed")
    nothing_to_do(live)
    doctor(live, found)
    no_storm(live, lines)


def ended(live: Live, app: str) -> bool:
    """Whether no deployment of an app is under way."""
    return {one.status for one in live.history(app)} <= ENDED


def versions_of_commits(live: Live, app: str) -> None:
    """Each content that a commit gave the bundle is one version, in the order of the commits, numbered without gaps."""
    touched = live.repo.git("log", "--reverse", "--format=%H", "--", app).splitlines()
    contents = list(dict.fromkeys(live.repo.tree(commit, app) for commit in touched))
    found = live.versions(app)
    assert [version.number for version in found] == list(range(1, len(found) + 1))
    assert [live.repo.tree(version.commit, app) for version in found] == contents


def recorded_once(live: Live, app: str, environment: str) -> None:
    """Numbers without gaps, one deployment for each decision; no version is lost: it was deployed, or a later one."""
    history = live.history(app, environment)
    assert [one.number for one in history] == list(range(1, len(history) + 1))
    assert max(Counter(one.id for one in history).values(), default=1) == 1
    decisions = Counter((one.cause, one.commit, one.rolled_back_from, _content(one)) for one in history)
    assert max(decisions.values(), default=1) == 1, decisions
    deployed = {part.number for one in history for part in one.traffic}
    versions = {version.number for version in live.versions(app)}
    assert all(number in deployed or any(other > number for other in deployed) for number in versions)


def _content(one: Deployment) -> str:
    return json.dumps([[(part.version, part.percent) for part in one.traffic], one.config], sort_keys=True, default=str)


def released_once(live: Live, app: str, environment: str) -> None:
    """One release directory for each deployment that completed, none that nobody recorded, the last one in use."""
    place = live.released(environment, app).parent
    history = live.history(app, environment)
    names = [path.name for path in (place / "releases").iterdir()]
    completed = [one.id for one in history if one.status == "completed"]
    own = {name.partition(".")[0] for name in names}
    assert not [name for name in names if name.startswith(".")], names
    assert set(completed[-10:]) <= own <= {one.id for one in history}
    assert os.readlink(place / "current") == f"releases/{completed[-1]}"
    assert {path.name for path in place.iterdir()} <= {
        "current",
        "releases",
        "traffic.json",
        "triggers.json",
        ".reconciler",
    }


def command(live: Live, *arguments: object) -> Done:
    """Type a command beside the daemon."""
    return type_command(*arguments, "--config", live.config, at=live.directory)


def verified(live: Live) -> bool:
    """Whether the ledger is sound; it must never be anything else, but the newest facts may not be sealed yet."""
    done = command(live, "audit", "verify", "-o", "json")
    assert done.status == 0, done.out + done.err
    assert done.json["sound"]
    return bool(done.json["unsealed"] == 0)


def nothing_to_do(live: Live) -> None:
    """The plan is empty."""
    planned = command(live, "plan", "-o", "json")
    assert planned.status == 0, planned.err
    assert planned.json["actions"] == [], planned.json
    assert planned.json["waiting"] == [], planned.json


def doctor(live: Live, found: Sequence[str] = ()) -> None:
    """`doctor` finds nothing but what it may."""
    said = wrong(live)
    assert set(said) == set(found), said


def wrong(live: Live) -> dict[str, str]:
    """What `doctor` says of each check that it does not find good."""
    done = command(live, "doctor", "-o", "json")
    return {one["check"]: one["detail"] for one in done.json if one["status"] != "good"}


def no_storm(live: Live, lines: int = MOST_LINES) -> None:
    """A bounded log, and a daemon at rest that uses hardly any time of the processor and says nothing."""
    said = live.log.splitlines()
    assert len(said) <= lines, live.log
    assert live.process is not None
    before = processor_seconds(live.process.pid)
    live.pause_for(RESTING)
    assert processor_seconds(live.process.pid) - before < RESTING / 2
    assert len(live.log.splitlines()) <= len(said) + 1, live.log


def processor_seconds(pid: int) -> float:
    """What a process and its children that have ended used of the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def said(live: Live, event: str) -> list[dict[str, Any]]:
    """What the daemon logged under a name."""
    lines = (json.loads(line) for line in live.log.splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == event]


def growing(live: Live, event: str, by: float = 1.3) -> list[float]:
    """The seconds between one line of the log and the next of this name: each pause is longer than the one before."""
    moments = [datetime.fromisoformat(line["timestamp"]) for line in said(live, event)]
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    assert all(later > earlier * by for earlier, later in pairwise(pauses)), pauses
    return pauses
