"""How does the wish for a version in an environment become a commit: which version, which words, which entry?

Behind `promote` and `pin`, and what pages ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.drafting import committing
from reconciler.errors import NotSo, UnknownReference, WrongUse

if TYPE_CHECKING:
    from reconciler.drafting.choosing import Chosen
    from reconciler.drafting.committing import How
    from reconciler.drafting.reports import Report
    from reconciler.drafting.writing import Desk, Entry
    from reconciler.views.including import Between


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one environment is to run: `version`, `traffic` and `track` exclude each other."""

    app: str
    environment: str
    version: str | None = None
    traffic: str | None = None
    track: str | None = None
    at: datetime | None = None
    wall: tuple[str, str | None] | None = None
    """`at` as it is written: an instant, or a wall time with its zone."""
    allow_suspect: bool = False
    allow_rollback: bool = False
    reason: str = ""
    """Why, in a person's words; part of the message."""
    verb: str = "promote"


def at_odds(given: Sequence[str], spelled: Callable[[str], str]) -> str:
    """Why these of `version`, `traffic`, `track`, `at` and `timezone` cannot be said together; '' where they can.

    `spelled` is how whoever asks calls them.
    """
    choices = [spelled(one) for one in ("version", "traffic", "track") if one in given]
    if len(choices) > 1:
        return f"{' and '.join(choices)} exclude each other"
    if "at" in given and choices and "version" not in given:
        return f"{spelled('at')} takes one version"
    if "timezone" in given and "at" not in given:
        return f"{spelled('timezone')} goes with {spelled('at')}"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """What an entry becomes, and the words for it."""

    subject: str
    told: list[str]
    edit: Callable[[], bytes]
    words: str
    """For the name of the branch."""
    chosen: Chosen | None = None
    warnings: list[str] = field(default_factory=list)


def report(desk: Desk, asked: Asked, how: How) -> Report:
    """The commit for that, and what it would do. Raises WrongUse, NotSo, ManifestError."""
    from reconciler.drafting import choosing, reports
    from reconciler.model.version import spoken
    from reconciler.views.including import between

    entry = desk.entry(asked.app, asked.environment)
    choice = _tracking(desk, entry, asked) if asked.track is not None else _choice(desk, entry, asked)
    here = entry.record.running
    runs = f"{spoken(here.traffic)} (deployment {here.number}, {here.id})" if here else "nothing"
    included = (
        between(desk.connection, asked.app, here.traffic if here else (), choice.chosen.traffic)
        if choice.chosen
        else None
    )
    here_it_is = f"{asked.app}/{asked.environment}"
    trailers = [("Allow-Suspect", here_it_is)] if choice.warnings else []
    trailers += [("Allow-Rollback", here_it_is)] if asked.allow_rollback else []
    warnings = [*choice.warnings, *choosing.without_effect(entry)]
    told = [*choice.told, f"{asked.environment} runs {runs} until then."]
    why = [f"    {' '.join(asked.reason.split())}"] if asked.reason else []
    message = committing.message(how, choice.subject, [*why, " ".join(told), *_listed(included)], trailers)
    data = choice.edit()
    if data == entry.data:
        raise NotSo(
            f"{entry.place.path} says so already at {desk.place.head[:10]}, and nothing would change",
            f"`reconciler why {asked.app} {asked.environment}` tells what runs there, and what is waited for",
        )
    draft = desk.draft({entry.place.path: data}, message, committing.signature(how.actor, desk.now))
    plan = desk.foresee(draft.commit, asked.app, asked.at or desk.now)
    return reports.Report(
        app=asked.app,
        environment=asked.environment,
        headline=f"{choice.subject}; it runs {spoken(here.traffic) if here else 'nothing'} now",
        facts={"traffic": _traffic(choice.chosen), "at": asked.wall[0] if asked.wall else None},
        included=included,
        effects=reports.effects(plan, asked.app, [asked.environment]),
        warnings=warnings,
        trailers=[key for key, _ in (*trailers, *committing.overrides(how))],
        draft=draft,
        branch=how.branch
        or committing.branch_name(desk.settings, asked.verb, asked.app, asked.environment, choice.words),
    )


def _traffic(chosen: Chosen | None) -> list[dict[str, Any]] | None:
    if chosen is None:
        return None
    return [
        {"version": part.version, "number": part.number, "name": part.name, "percent": part.percent}
        for part in chosen.traffic
    ]


def _listed(included: Between | None) -> list[str]:
    """The commits that come along, indented: no line of them is taken for a trailer or a claim."""
    from reconciler.words import counted, plain

    if included is None or not included.commits:
        return []
    several = included.commits
    does = "It leaves out" if included.backwards else "It includes"
    lines = [f"    {row.id[:10]} {plain(row.subject)[:100]}" for row in several[:20]]
    more = [f"    and {len(several) - 20} more"] if len(several) > 20 else []
    return ["\n".join([f"{does} {counted(len(several), 'commit')}:", *lines, *more])]


def _choice(desk: Desk, entry: Entry, asked: Asked) -> _Choice:
    from reconciler.drafting import choosing

    app, environment = asked.app, asked.environment
    if asked.traffic is not None:
        chosen = choosing.split(desk.connection, app, asked.traffic)
    elif asked.version is not None:
        chosen = choosing.named(desk.connection, app, asked.version)
    elif asked.verb == "pin":
        chosen = choosing.running(desk, entry)
    else:
        chosen = choosing.upstream(desk, entry)
    if asked.verb == "promote" and asked.at is None and choosing.same(entry, chosen.traffic):
        raise NotSo(
            f"{environment} runs {chosen.words} of {app} already, and git asks for it",
            f"`reconciler pin {app} {environment}` keeps it there when something newer comes",
        )
    warnings = choosing.against(desk, entry, chosen, allowed=asked.allow_suspect)
    told = [f"Version {chosen.words}, {chosen.origin}."]
    if asked.wall is not None:
        from reconciler.manifest.editing_choices import plan

        at, zone = asked.wall
        reference = chosen.written[0][0]
        return _Choice(
            subject=f"Promote {app} {chosen.words} to {environment} at {at}{f' {zone}' if zone else ''}",
            told=told,
            edit=lambda: plan(entry.data, entry.place, at, zone, reference),
            words=chosen.words,
            chosen=chosen,
            warnings=warnings,
        )
    told.append(f"It stays there until `reconciler promote {app} --to {environment} --track` lets it follow again.")
    subjects = {
        "promote": f"Promote {app} {chosen.words} to {environment}",
        "pin": f"Pin {app} to {chosen.words} in {environment}",
    }
    subject = f"Split {app} in {environment}: {chosen.words}" if asked.traffic is not None else subjects[asked.verb]
    return _Choice(
        subject=subject,
        told=told,
        edit=lambda: choosing.pinned(entry, chosen, desk.now),
        words="split" if asked.traffic is not None else chosen.words,
        chosen=chosen,
        warnings=warnings,
    )


def _tracking(desk: Desk, entry: Entry, asked: Asked) -> _Choice:
    from reconciler.desired import Tracked, upstream
    from reconciler.drafting import choosing
    from reconciler.model.environment import LATEST
    from reconciler.store import declared
    from reconciler.words import instead

    app = entry.picture.app
    assert app is not None
    environments = entry.picture.scene.environments
    source = asked.track or None
    known = [LATEST, *declared.documents(desk.connection, "Environment")]
    if source is not None and source not in known:
        raise UnknownReference(f"there is no environment {source[:100]} to follow", instead(source, known))
    if source == asked.environment:
        raise WrongUse(f"{source} cannot follow itself", "name another environment, or latest")
    default = environments[asked.environment].spec.track
    follows = upstream(app, source or default, environments)
    words = follows.environment if isinstance(follows, Tracked) else "the branch"
    return _Choice(
        subject=f"Let {asked.app} in {asked.environment} follow {words} again",
        told=[f"What {asked.environment} was pinned to by hand is taken away."],
        edit=lambda: choosing.tracking(entry, source, desk.now),
        words=f"follow-{source or default}",
    )
