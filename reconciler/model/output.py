"""How do nouns look from outside: in `-o json`, over HTTP and in exports?

Pure conversions from the values inside to the declared shapes, and from those to JSON. Instants are RFC 3339 in UTC.
What is internal (the grounds of a deployment, counts of attempts) stays inside. Plans are in `shown`. Nothing is looked
up here.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from reconciler.model.deployment import Allotment, Deployment, Event
from reconciler.model.rollout import Mixture, progress_json
from reconciler.model.shape import Config, Instant, shape
from reconciler.model.version import Version

INTERNAL = {"grounds", "attempts", "next_attempt_at", "rollout"}
"""Fields of a deployment that nobody outside needs."""


@shape
class Wanted:
    """What should run: versions with their shares, and the environment's settings over theirs."""

    traffic: tuple[Allotment, ...] | None
    """None where it is not known yet, such as before anything was promoted."""
    config: Config = Field(default_factory=dict)


@shape
class Wait:
    """What is held back, by what, until when; `until` None: until somebody or something acts."""

    waits_for: Annotated[str, Field(alias="for")]
    until: Instant | None = None
    detail: str
    id: str | None = None
    """What `approve` and `retry` take, where a person can act on it."""
    what: str = ""
    """What an approval is missing for, in words."""
    authors: tuple[str, ...] = ()
    """Whose approval does not count, since they wrote it; in lower case."""
    approved_by: tuple[str, ...] = ()
    """Who has approved it already."""
    elsewhere: bool = False
    """Whether it is the start of a deployment that is made elsewhere, as it was reported."""


@shape
class Approvable:
    """Something that waits for people's approval."""

    app: str
    environment: str
    id: str
    """What `approve` takes."""
    what: str
    """What is to be approved, in words."""
    detail: str
    authors: tuple[str, ...]
    """Whose approval does not count, in lower case."""
    approved_by: tuple[str, ...]
    """Who has approved it already."""
    elsewhere: bool
    """Whether it is the start of a deployment that is made elsewhere, as it was reported."""


@shape
class Refusal:
    """What a rule stopped, with its numbers and the way out."""

    rule: str
    detail: str
    id: str | None = None
    """What `retry` takes, where a person can act on it."""


@shape
class Hold:
    """An environment that differs from git, since when, and why."""

    since: Instant
    by: str
    """A person, or the reconciler where it went back by itself."""
    reason: str
    deployment: str | None
    """The id of the deployment that went wrong or was left."""
    branch: str | None = None
    """Where the commit lies that makes git say the same, once it is written."""
    remedy: str = ""


@shape
class Doubt:
    """The last deployment did not end well: what completed before it may run, or what it tried, or half of it."""

    since: Instant
    deployment: str
    """The id of the one that did not end well."""
    reason: str
    remedy: str


@shape
class DriftShown:
    """Something else runs there than the newest deployment left."""

    since: Instant
    """When it was seen first."""
    detail: str
    remedy: str


@shape
class TriggersRefused:
    """Routes, domains and crons that the target did not take."""

    error: str
    """What it said."""
    attempts: int
    """How many times they were handed over in vain."""
    again_at: Instant | None
    """When they are handed over again."""
    remedy: str


@shape
class PauseShown:
    """A pause in force."""

    by: str
    reason: str
    until: Instant


@shape
class Standing:
    """How one app stands in one environment. `deployment` is what runs: the newest that completed."""

    app: str
    environment: str
    deployment: Deployment | None
    desired: Wanted | None
    in_sync: bool
    waiting: tuple[Wait, ...] = ()
    refused: tuple[Refusal, ...] = ()
    held: Hold | None = None
    paused: PauseShown | None = None
    seasons: tuple[str, ...] = ()
    active: Deployment | None = None
    """The deployment that is still to end, if there is one."""
    orphaned: bool = False
    """It left git and stays as it is."""
    due: str | None = None
    """What will be released as soon as the reconciler looks, in words."""
    doubt: Doubt | None = None
    """Why nobody knows for sure what runs, where that is so."""
    mixture: Mixture | None = None
    """What runs in place of it since a rollout failed on its way, where that is known."""
    drift: DriftShown | None = None
    """What was seen to run in place of that, where somebody else changed it."""
    triggers: TriggersRefused | None = None
    """Why its routes, domains and crons are not as git has them, where the target did not take them."""
    elsewhere: Deployment | None = None
    """What was reported to have started there, made elsewhere, and has not ended."""


@shape
class Edge:
    """Something that will change without a new commit."""

    at: Instant
    cause: str
    app: str
    """'' where it is not about one app alone, as with a freeze."""
    environment: str
    name: str
    """The season's, freeze's or train's; '' where nothing has a name."""
    detail: str
    cancel: str = ""
    """How it is called off or put off, with the place in git."""
    place: str = ""
    """The file and line in git of that; '' where nobody knows one."""
    since: Instant | None = None
    """When what ends here began, where it lasts."""
    until: Instant | None = None
    """When what begins here ends, where it lasts."""


@shape
class Step:
    """One link of the chain from a commit to what runs. `remedy` is what a person can do about it."""

    number: int
    about: str
    text: str
    remedy: str = ""
    facts: dict[str, Any] = Field(default_factory=dict)


VERSION = TypeAdapter(Version)
DEPLOYMENT = TypeAdapter(Deployment)
EVENT = TypeAdapter(Event)
STANDING = TypeAdapter(Standing)
EDGE = TypeAdapter(Edge)
APPROVABLE = TypeAdapter(Approvable)
_DEPLOYMENTS = ("deployment", "active", "elsewhere")
"""What a standing has of them."""


def version_json(version: Version) -> dict[str, Any]:
    """A version; secrets are references."""
    dumped: dict[str, Any] = VERSION.dump_python(version, mode="json")
    return dumped


def deployment_json(deployment: Deployment, events: Sequence[Event] | None = None) -> dict[str, Any]:
    """A deployment, with what happened to it where `events` are given."""
    dumped: dict[str, Any] = DEPLOYMENT.dump_python(deployment, mode="json", exclude=INTERNAL)
    dumped["duration_seconds"] = deployment.duration_seconds
    dumped["rollout"] = progress_json(deployment.rollout) if deployment.rollout else None
    if events is not None:
        dumped["events"] = [EVENT.dump_python(event, mode="json") for event in events]
    return dumped


def standing_json(standing: Standing) -> dict[str, Any]:
    """How an app stands in an environment."""
    dumped: dict[str, Any] = STANDING.dump_python(standing, mode="json", exclude=set(_DEPLOYMENTS))
    shown = {name: getattr(standing, name) for name in _DEPLOYMENTS}
    for name, found in shown.items():
        dumped[name] = deployment_json(found) if found else None
    order = ("app", "environment", "deployment", "desired", "in_sync")
    return {name: dumped.pop(name) for name in order} | dumped


def approvable_json(one: Approvable) -> dict[str, Any]:
    """Something that waits for approval."""
    dumped: dict[str, Any] = APPROVABLE.dump_python(one, mode="json")
    return dumped


def edge_json(edge: Edge) -> dict[str, Any]:
    """An entry of the calendar; how it is called off is part of its detail."""
    dumped: dict[str, Any] = EDGE.dump_python(edge, mode="json", exclude={"cancel", "place", "since", "until"})
    dumped["detail"] = "; ".join(part for part in (edge.detail, edge.cancel) if part)
    return dumped
