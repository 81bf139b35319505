"""Why does this run here? The chain from the commit and the manifest's line, through the layers, to what runs."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from reconciler.desired import Choice, Desired, Latest, Tracked
from reconciler.model.deployment import Deployment
from reconciler.model.entry import EnvironmentEntry
from reconciler.model.output import Standing, Step
from reconciler.model.season import Season
from reconciler.model.version import Version, canonical, label, spoken
from reconciler.planner.promotions import candidate
from reconciler.planner.recorded import Touch
from reconciler.schedule import rfc3339, to_the_second
from reconciler.store import declared, gates
from reconciler.views.forecast import chosen
from reconciler.views.pictures import Picture
from reconciler.views.standings import standings
from reconciler.words import counted

Field = tuple[str | int, ...]
Located = Callable[[str, int, Field], tuple[int, int] | None]
"""Line and column of a field of a file's document, None where nobody can tell."""
Link = tuple[str, str, str, dict[str, Any]]
"""What it is about, the sentence, what a person can do, facts."""

_LOOKS = {
    "new": "published it as new content",
    "changed": "published it",
    "restored": "returned to its content, which had been published before",
    "reverted": "took back {reverts}, and so returned to its content",
    "reapplied": "brought its content back",
}


def chain(connection: Connection, picture: Picture, environment: str, now: datetime, locate: Located) -> list[Step]:
    """The links of the chain for one app in one environment at `now` (UTC), in order."""
    standing = next(s for s in standings(picture, now) if s.environment == environment)
    links = [
        *_manifest(connection, picture, environment, locate),
        *_content(picture),
        *_layers(picture, environment),
        *_promotion(picture, environment),
        *runs(standing),
        *elsewhere_started(standing),
        *_held(standing),
        *_drifted(standing),
        *_triggers(standing),
        *_waits(picture, standing),
        *_checks(connection, picture, environment),
        *_next(picture, environment),
    ]
    return numbered(links)


def numbered(links: Iterable[Link]) -> list[Step]:
    """Links as they are shown."""
    return [
        Step(number=number, about=about, text=text, remedy=remedy, facts=facts)
        for number, (about, text, remedy, facts) in enumerate(links, start=1)
    ]


def _manifest(connection: Connection, picture: Picture, environment: str, locate: Located) -> Iterator[Link]:
    row = picture.row
    if picture.app is None:
        text = f"{picture.name} has left git; it was declared in {row.path}"
        yield "manifest", text, _left(picture, environment, "restore the manifest"), {}
        return
    kinds = {one.kind for one in declared.in_files(connection, [row.path]) if one.ordinal == row.ordinal}
    by_set = "AppSet" in kinds
    field: Field = ("spec", "template", "spec") if by_set else ("spec",)
    field = (*field, "environments", environment)
    place = locate(row.path, row.ordinal, field)
    where = f"{row.path}:{place[0]}:{place[1]}" if place else row.path
    facts = {"path": row.path, "line": place[0] if place else None}
    made = "an AppSet in " if by_set else ""
    if environment in picture.app.spec.environments:
        yield "manifest", f"{made}{where} places {picture.name} in {environment}", "", facts
    else:
        text = f"{made}{row.path} does not place {picture.name} in {environment} any more"
        yield "manifest", text, _left(picture, environment, f"add {environment} to its environments again"), facts
    touch = picture.record(environment).touch
    if touch is not None:
        yield "commit", f"{_commit(touch)} changed this entry or a season over it last", "", _touch_facts(touch)


def _left(picture: Picture, environment: str, back: str) -> str:
    """What a person does about an orphan: what runs is stopped only where its environment says so."""
    declared_so = picture.scene.environments.get(environment)
    if declared_so is not None and declared_so.spec.prune:
        return f"the Environment {environment} prunes, so it is to be retired there; to keep it, {back}"
    return f"it goes on running as it is, orphaned: {back}, or set prune: true on the Environment {environment}"


def _commit(touch: Touch) -> str:
    return f"{touch.commit[:10]} by {touch.author} ({touch.subject})"


def _touch_facts(touch: Touch) -> dict[str, Any]:
    return {"commit": touch.commit, "author": touch.author, "at": rfc3339(touch.at), "look": touch.look}


def _content(picture: Picture) -> Iterator[Link]:
    recorded = picture.recorded
    if recorded.content is None:
        if picture.app is not None:
            yield "version", "no content of it has been published yet", "", {}
        return
    version, touch = recorded.versions[recorded.content], recorded.content_touch
    looked = ""
    if touch is not None:
        reverts = ", ".join(commit[:10] for commit in touch.reverts) or "an earlier commit"
        looked = f": {_commit(touch)} {_LOOKS[touch.look].format(reverts=reverts)}"
    facts = {"version": version.id, "number": version.number, "name": version.name}
    if touch is not None:
        facts |= _touch_facts(touch)
    yield "version", f"the branch asks for {_named(version)}{looked}", "", facts
    if taken := recorded.withdrawn.get(version.id):
        yield "version", f"{taken.commit[:10]} took that version back", "", {"commit": taken.commit}


def _named(version: Version) -> str:
    name = label(version.number, version.name)
    digest = version.id.removeprefix("sha256:")[:12]
    return f"{name} ({digest})" if version.name is None else f"{name} (v{version.number}, {digest})"


def _layers(picture: Picture, environment: str) -> Iterator[Link]:
    wanted = picture.wanted.get(environment)
    if wanted is None or picture.app is None:
        return
    entry = picture.app.spec.environments[environment]
    base = _base(entry, wanted, picture)
    settings = f", with {canonical(entry.config)}" if entry.config else ""
    yield "base", f"{base}{settings}", "", {"config": entry.config}
    if wanted.scheduled_at is not None:
        text = f"its schedule's entry of {to_the_second(wanted.scheduled_at)} is in force: {chosen(wanted.base_choice)}"
        yield "schedule", text, "", {"at": rfc3339(wanted.scheduled_at), "config": dict(wanted.base_config)}
    by_name = {season.name: season for season in picture.scene.seasons}
    for active in wanted.seasons:
        text = (
            f"the season {active.name} holds until {to_the_second(active.window.until)}: {_sets(by_name[active.name])}"
        )
        facts = {"name": active.name, "from": rfc3339(active.window.start), "until": rfc3339(active.window.until)}
        yield "season", text, "", facts


def _base(entry: EnvironmentEntry, wanted: Desired, picture: Picture) -> str:
    choice: Choice = wanted.base_choice
    if wanted.scheduled_at is None:
        said = chosen(choice)
    else:
        said = "what its entry says" if entry.version or entry.traffic or entry.track else "the Environment's default"
    if isinstance(choice, (Tracked, Latest)) and not entry.track:
        track = picture.scene.environments[wanted.environment].spec.track
        return f"{wanted.environment} takes {said} (the Environment tracks {track})"
    return f"{wanted.environment} takes {said}"


def _sets(season: Season) -> str:
    spec = season.spec
    parts = [canonical(spec.config)] if spec.config else []
    if spec.version:
        parts.append(spec.version)
    if spec.traffic:
        parts.append(", ".join(f"{share.version} {share.percent:g} %" for share in spec.traffic))
    return " and ".join(parts) or "nothing"


def _promotion(picture: Picture, environment: str) -> Iterator[Link]:
    wanted = picture.wanted.get(environment)
    if wanted is None or not isinstance(wanted.choice, Tracked):
        return
    upstream = wanted.choice.environment
    record = picture.recorded.environments.get(upstream)
    source = candidate(record, picture.recorded) if record else None
    if source is None:
        text = f"{upstream} has nothing to promote at present"
        yield "promotion", text, f"`reconciler why {picture.name} {upstream}` tells why", {}
        return
    facts = {
        "deployment": source.id,
        "environment": upstream,
        "at": rfc3339(source.finished_at) if source.finished_at else None,
    }
    text = f"deployment {source.number} completed in {upstream} with {spoken(source.traffic)}"
    yield "promotion", f"{text} at {_at(source.finished_at)}", "", facts


def _at(moment: datetime | None) -> str:
    return to_the_second(moment) if moment else "an unknown moment"


def runs(standing: Standing) -> Iterator[Link]:
    """What completed last, what a rollout left there, and what is under way."""
    running = standing.deployment
    if running is None:
        yield "deployment", f"nothing has completed in {standing.environment} yet", "", {}
    elif not running.traffic:
        yield "deployment", f"deployment {running.number} retired it here: {running.reason}", "", _facts(running)
    else:
        text = f"deployment {running.number} runs {spoken(running.traffic)} since {_at(running.finished_at)}"
        reason = f": {running.cause}, because {running.reason}" if running.reason else f": {running.cause}"
        yield "deployment", f"{text}{reason}", "", _facts(running)
    mixture = standing.mixture
    if mixture is not None:
        text = f"{spoken(mixture.traffic)} run together since {to_the_second(mixture.since)}: {mixture.reason}"
        yield "deployment", text, mixture.remedy, {"deployment": mixture.deployment}
    active = standing.active
    if active is not None:
        text = f"deployment {active.number} ({spoken(active.traffic)}) is {active.status}: {active.reason}"
        yield "deployment", text, f"`reconciler abort {active.id} --reason …` stops it", _facts(active)


def elsewhere_started(standing: Standing) -> Iterator[Link]:
    """What was reported to have started there, made elsewhere."""
    one = standing.elsewhere
    if one is not None:
        by = f", as {one.deployed_by} reported" if one.deployed_by else ""
        text = f"deployment {one.number} ({spoken(one.traffic)}), made elsewhere, is started{by}"
        remedy = "nothing: whoever deploys it reports its end, or that it was aborted"
        yield "elsewhere", text, remedy, _facts(one)


def _facts(deployment: Deployment) -> dict[str, Any]:
    return {
        "deployment": deployment.id,
        "number": deployment.number,
        "status": deployment.status,
        "cause": deployment.cause,
        "commit": deployment.commit,
        "deployed_by": deployment.deployed_by,
    }


def _held(standing: Standing) -> Iterator[Link]:
    held = standing.held
    if held is not None:
        text = f"it differs from git, held by {held.by}, since {to_the_second(held.since)}: {held.reason}"
        facts = {"by": held.by, "since": rfc3339(held.since), "deployment": held.deployment, "branch": held.branch}
        yield "held", text, held.remedy, facts


def _drifted(standing: Standing) -> Iterator[Link]:
    drift = standing.drift
    if drift is not None:
        text = f"it has drifted, as was seen first at {to_the_second(drift.since)}: {drift.detail}"
        yield "drift", text, drift.remedy, {"since": rfc3339(drift.since), "detail": drift.detail}


def _triggers(standing: Standing) -> Iterator[Link]:
    refused = standing.triggers
    if refused is not None:
        tried = counted(refused.attempts, "time")
        text = f"the target refused its routes, domains or crons {tried}: {refused.error}"
        again_at = rfc3339(refused.again_at) if refused.again_at else None
        yield "triggers", text, refused.remedy, {"error": refused.error, "again_at": again_at}


def _waits(picture: Picture, standing: Standing) -> Iterator[Link]:
    yield from waits_elsewhere(standing)
    ours = [wait for wait in standing.waiting if not wait.elsewhere]
    for wait in ours:
        until = f" until {to_the_second(wait.until)}" if wait.until else ""
        facts = {"for": wait.waits_for, "until": rfc3339(wait.until) if wait.until else None}
        remedy = _remedy(picture, standing, wait.waits_for)
        yield "waiting", f"it waits for {_ARTICLES[wait.waits_for]}{until}: {wait.detail}", remedy, facts
    for refusal in standing.refused:
        yield "refused", f"refused ({refusal.rule}): {refusal.detail}", "", {"rule": refusal.rule}
    if standing.due:
        text = f"this is due and not begun yet: {standing.due}"
        yield "due", text, "the reconciler begins it with its next look; `reconciler doctor` tells whether it runs", {}
    elif standing.in_sync and not ours:
        yield "in sync", "nothing is left to do here", "", {}


def waits_elsewhere(standing: Standing) -> Iterator[Link]:
    """Which starts of deployments that are made elsewhere wait for people."""
    for wait in (one for one in standing.waiting if one.elsewhere):
        text = f"{wait.what} is to start, as is {wait.detail}"
        yield "elsewhere", text, "", {"for": wait.waits_for, "until": None, "id": wait.id}


def _checks(connection: Connection, picture: Picture, environment: str) -> Iterator[Link]:
    """How the checks of what stands at the gate fared, with what they printed."""
    plan = picture.plan
    keys = {one.key for one in plan.waiting if one.environment == environment}
    keys |= {one.key for one in plan.refused if one.environment == environment}
    for key in sorted(key for key in keys if key):
        for row in gates.ended_checks(connection, picture.name, environment, key):
            last = " ".join(row.output.split())[-200:]
            printed = f"; it printed: {last}" if last else ""
            facts = {"check": row.name, "verdict": row.verdict, "at": rfc3339(row.at), "output": row.output}
            yield (
                "check",
                f"the check {row.name} {row.verdict} at {to_the_second(row.at)}: {row.detail}{printed}",
                "",
                facts,
            )


_ARTICLES = {
    "repair": "the next repair",
    "manifest": "its manifest",
    "pause": "the end of a pause",
    "deployment": "another deployment",
    "dependency": "an app that it depends on",
    "promotion": "a promotion",
    "retry": "the next attempt",
    "version": "content",
    "soak": "its soak",
    "checks": "the checks of its gate",
    "approval": "an approval",
    "signature": "a signature",
    "train": "a release train",
    "freeze": "the end of a freeze",
    "experiment": "the end of an experiment",
    "group": "the apps that it moves with",
    "rollout": "a rollout",
}


def _remedy(picture: Picture, standing: Standing, waits_for: str) -> str:
    app, environment = standing.app, standing.environment
    wanted = picture.wanted.get(environment)
    match waits_for:
        case "manifest":
            return "mend the file and push"
        case "pause" if wanted is not None and wanted.pause is not None:
            return "remove the pause from the manifest to go on sooner"
        case "pause":
            return f"`reconciler resume {app} {environment}` goes on sooner"
        case "retry" if standing.active is not None:
            return f"nothing: it is tried again by itself; `reconciler retry {standing.active.id}` tries it now"
        case "promotion" if wanted is not None and isinstance(wanted.choice, Tracked):
            return f"`reconciler why {app} {wanted.choice.environment}` tells what happens there"
        case "dependency":
            return "`reconciler status` shows how that one stands"
        case "rollout" if standing.active is not None:
            return f"nothing: it goes on by itself; `reconciler abort {standing.active.id} --reason …` undoes it"
        case _:
            return ""


def _next(picture: Picture, environment: str) -> Iterator[Link]:
    wanted = picture.wanted.get(environment)
    if wanted is not None and wanted.next_edge is not None:
        moment = rfc3339(wanted.next_edge)
        text = f"without a new commit, the next change can come at {to_the_second(wanted.next_edge)}"
        yield "next", text, f"`reconciler calendar --until {moment}` tells which", {"at": moment}
