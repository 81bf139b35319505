"""What must a target be able to do, and what do its surroundings lend it?

A target is the plug that carries a deployment out. A third party writes one class, names it in the entry
point group `reconciler.targets`, and runs `reconciler.targets.contract` against it:

    [project.entry-points."reconciler.targets"]
    pigeon = "pigeon_post:PigeonTarget"

Finding targets belongs to `registry`; what they are told is read in `settings`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from reconciler.errors import Aborted, PersonNeeded, WrongUse
from reconciler.model.app import Triggers
from reconciler.model.release import Release, ReleasedVersion
from reconciler.model.shape import NAME_PATTERN

GROUP = "reconciler.targets"
"""The entry point group that targets are found by."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the surroundings lend a target for one call. All of it may be used from any thread."""

    unpack: Callable[[str, Path], None]
    """Writes the files of a git tree (by its id) into a directory that exists and is empty. It keeps
    executable bits and makes symbolic links as they are in git: where those lead is for the target to check
    (`bundle.unpacked`). May raise OSError, and ReconcilerError when git does not answer; let the latter
    pass."""
    stop: threading.Event
    """Set when an abort was asked for: clean up and raise Aborted within seconds. Once the change can no
    longer be taken back (the switch is made, the command ended well) finish instead: what is true is
    completed."""
    say: Callable[[str], None]
    """Keeps a line of progress with the deployment. Never hand it a secret's value. Few and short: each one
    is stored; a command's whole output (up to 256 KiB) may be said once, in one call, at the end."""
    environ: Mapping[str, str] = field(repr=False)
    """The daemon's variables: secrets and names passed on are taken from here and from nowhere else."""
    fence: int = 0
    """For `triggers`, which are no deployment and have no number: grows whenever another daemon hands them over."""
    lineage: str = ""
    """Which recorded history `fence` was counted in."""

    def go_on(self) -> None:
        """Raise Aborted when an abort was asked for; call it between steps that can be taken back."""
        if self.stop.is_set():
            raise Aborted("the deployment was stopped before it took effect", "what ran before still runs")


@dataclass(frozen=True, slots=True)
class Running:
    """One version's part of the traffic, as a target sees it; `version` is its digest, `percent` 0 to 100."""

    version: str
    percent: float
    config: Mapping[str, Any] | None = field(default=None, compare=False)
    """The settings that it was given; None where the target cannot tell. A store that is made anew goes by them."""


def settings_of(record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The settings that a record kept beside a release holds; None where it holds none that could be any."""
    found = record.get("config")
    return found if isinstance(found, dict) else None


@dataclass(frozen=True, slots=True)
class Observed:
    """What runs of an app, as the target itself sees it."""

    deployment: str | None
    """The deployment that put it there; None when what runs is not what any one deployment left."""
    traffic: tuple[Running, ...]
    """The versions and their shares, in any order, as far as the target can tell."""
    changed: tuple[str, ...] = ()
    """What somebody else changed in what the deployment left, a short sentence each, as far as the target can tell."""


@runtime_checkable
class Target(Protocol):
    """Carries deployments out in one environment. Several threads use it at once, each for another app.

    Where a method fails it raises one of
    - `TryAgainLater`: nothing is wrong yet, another attempt may do; not counted as a failure;
    - `AttemptFailed`: counted, tried again until the limit is used up;
    - `PersonNeeded`: no attempt helps until somebody changes something (settings, a bundle, a secret, a
      right);
    - `Aborted`: `work.stop` was set, and the deployment did not become complete;
    - `Superseded`: a newer act took effect here, so nothing was done.

    A daemon that was away for longer than its lease (a paused machine, a stopped process) may come back in the middle
    of a call, when others have carried out the same deployment and newer ones. So that each is carried out once, an act
    whose (`number`, `fence`) is lower than that of an act of the same `lineage` that took effect here for this app,
    a retirement among them, changes nothing and raises `Superseded`; the check and the change are one step for
    whoever else acts here. The same numbers again are the same act, a higher fence goes on where the lower one was.
    A target that cannot do this at once with its change hands both numbers on to what can.

    Their message says what is wrong and their `next_step` what to do; neither they nor `output` hold a secret
    value. Anything else raised is a fault of the target, to be treated as `AttemptFailed`.
    """

    def deploy(self, release: Release, work: Work) -> None:
        """Make `release.traffic` (never empty) run, and return when it does.

        Idempotent by `release.deployment`: the process may be killed at any instruction and the call comes
        again with the same id and a fresh object, and must end as if undisturbed; a call for what already
        runs changes nothing. The same id may come with other shares, being the next step of a rollout: then
        only the shares change. Until the new traffic is complete the old one goes on; no moment shows a
        mixture. Calls for one app come one at a time. Names, texts and files come from people: nothing of
        them becomes shell text or a path unchecked.
        """
        ...

    def retire(self, release: Release, work: Work) -> None:
        """Make the app run no longer; `release.traffic` is empty. What does not run is retired already."""
        ...

    def triggers(self, app: str, triggers: Triggers, work: Work) -> None:
        """Apply routes, domains and crons as a whole, in place of the earlier ones.

        May come before any deployment and again with the same values, and never changes which version runs.
        `work.fence` tells older triggers from newer ones, as `number` and `fence` do for deployments.
        """
        ...

    def observe(self, app: str) -> Observed | None:
        """What runs of `app`, or None when nothing does. Changes nothing.

        After `deploy` has returned it names that deployment, its versions and shares. Raises `TryAgainLater`
        when the target does not answer: not to know is not the same as to know that nothing runs.
        """
        ...

    def close(self) -> None:
        """Give connections back. No call follows but another `close`."""
        ...


class TargetType(Protocol):
    """What an entry point names: usually the target's class.

    One that bears it says `apart = True`. While very many deployments are carried out, `deploy` and `retire` are then
    called in processes beside the daemon too: each makes a target of its own, so that all of them and the daemon's work
    on the same at once, and calls for one app, still one at a time, come now from here, now from there. So

    - nothing that another call needs is kept in the object or its module: it lies where the target carries things out;
    - a lock that keeps others out is one between processes, such as one on a file;
    - the type is found by whoever starts Python with the daemon's variables; until it is, calls come in the daemon;
    - such a process may be killed in a call, which then comes again in the daemon, with the same id and fence;
    - when the daemon is gone, `stop` is set, and five seconds later the process ends, wherever its calls are;
    - what is printed or logged there is lost; what is said (`Work.say`) and raised comes back: an error as the one of
      ours that it is, with `message`, `next_step` and `output`; one that is none of them by its name and text.
    """

    def __call__(self, environment: str, settings: Mapping[str, Any], data: Path) -> Target:
        """A target for `environment`, as its manifest's `spec.target` says without `type`.

        `data` is the daemon's data directory, which may not exist yet. Nothing is touched or connected to
        before the first call. Raises PersonNeeded with every complaint of `check`.
        """
        ...

    def check(self, settings: Mapping[str, Any]) -> list[str]:
        """What is wrong with `settings`, one sentence each, with the key and the remedy.

        Pure: no target is made, nothing is connected to, so that a pull request can be checked anywhere.
        """
        ...


_NAME = re.compile(NAME_PATTERN.removeprefix("^").removesuffix("$"))


def safe(name: str, what: str) -> str:
    """`name`, when it can be one part of a path. Names are checked where they are read, and here once more.

    Raises PersonNeeded, saying `what` the name is of.
    """
    if len(name) > 100 or not _NAME.fullmatch(name):
        raise PersonNeeded(
            f"the {what} {name[:100]!a} cannot be the name of a directory",
            "use letters, digits, '.', '_' and '-', beginning with a letter or digit, 100 at most",
        )
    return name


def largest(release: Release) -> ReleasedVersion:
    """The version with the largest share. Raises WrongUse when the traffic is empty: that is for `retire`."""
    return _some(release.largest)


def leading(release: Release) -> ReleasedVersion:
    """The version that a release is about. Raises WrongUse when the traffic is empty: that is for `retire`."""
    return _some(release.leading)


def _some(part: ReleasedVersion | None) -> ReleasedVersion:
    if part is None:
        raise WrongUse("a release without traffic cannot be deployed", "call retire instead")
    return part
