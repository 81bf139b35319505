"""Which version is meant, what speaks against it, and how is the choice put into the environment's entry?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.errors import NotSo, WrongUse

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.drafting.writing import Desk, Entry
    from reconciler.model.deployment import Allotment
    from reconciler.model.version import Version

_EXAMPLE = "write it like v1=90,v2=10, with percentages that add up to 100"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Versions with their shares, and how each is written in a manifest."""

    traffic: tuple[Allotment, ...]
    written: tuple[tuple[str, float], ...]
    origin: str
    """Where the choice comes from, in words."""

    @property
    def words(self) -> str:
        """The versions as people call them."""
        from reconciler.model.version import spoken

        return spoken(self.traffic)


def named(connection: Connection, app: str, text: str) -> Chosen:
    """The version that a reference means. Raises UnknownReference with the nearest there is."""
    from reconciler.views.resolving import version

    return _whole(connection, version(connection, app, text), text, f"asked for as {text}")


def split(connection: Connection, app: str, text: str) -> Chosen:
    """A split by hand, `v1=90,v2=10`. Raises WrongUse, UnknownReference."""
    from reconciler.model.deployment import Allotment
    from reconciler.views.resolving import version

    parts: list[Allotment] = []
    written: list[tuple[str, float]] = []
    for piece in text.split(","):
        name, _, share = (part.strip() for part in piece.rpartition("="))
        percent = _percent(share.removesuffix("%"), piece)
        found = version(connection, app, name)
        if any(part.version == found.id for part in parts):
            raise WrongUse(f"{name[:100]} is named twice in the split", _EXAMPLE)
        part = Allotment(version=found.id, number=found.number, name=found.name, percent=percent)
        parts.append(part)
        written.append((name, percent))
    total = sum(part.percent for part in parts)
    if abs(total - 100) > 1e-6:
        raise WrongUse(f"the shares add up to {total:g} and not to 100", _EXAMPLE)
    traffic = tuple(sorted(parts, key=lambda part: part.number))
    return Chosen(traffic=traffic, written=tuple(written), origin="split by hand")


def _percent(text: str, piece: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise WrongUse(f"{piece.strip()[:100]!r} is no version with its share", _EXAMPLE) from None
    if not 0 <= value <= 100:
        raise WrongUse(f"{piece.strip()[:100]!r}: a share is between 0 and 100", _EXAMPLE)
    return value


def upstream(desk: Desk, entry: Entry) -> Chosen:
    """What completed in the environment that this one follows, or else the branch's newest content. Raises NotSo."""
    from reconciler.desired import Tracked
    from reconciler.planner.promotions import candidate
    from reconciler.store import versions

    follows, recorded, app = entry.wanted.follows, entry.picture.recorded, entry.picture.name
    remedy = (
        f"name a version with --version, over HTTP as `version`; `reconciler versions list {app}` shows those it has"
    )
    if isinstance(follows, Tracked):
        source = candidate(entry.picture.record(follows.environment), recorded)
        if source is None or len(source.traffic) != 1:
            said = "runs a split" if source is not None else "has completed nothing that can be promoted"
            raise NotSo(f"{follows.environment}, which {entry.environment} follows, {said}", remedy)
        version_id, origin = (
            source.traffic[0].version,
            f"which completed in {follows.environment} ({_deployment(source)})",
        )
    else:
        if recorded.content is None:
            raise NotSo(f"no content of {app} has been published yet", remedy)
        version_id, origin = recorded.content, f"the newest content of {desk.place.followed}"
    found = versions.by_id(desk.connection, [version_id])[version_id]
    return _whole(desk.connection, found, None, origin)


def running(desk: Desk, entry: Entry) -> Chosen:
    """What runs there now. Raises NotSo where nothing does, or a split."""
    from reconciler.store import versions

    here = entry.record.running
    if here is None or len(here.traffic) != 1:
        said = "a split runs" if here is not None and here.traffic else "nothing runs"
        raise NotSo(f"{said} in {entry.environment}", "name a version with --version, over HTTP as `version`")
    version_id = here.traffic[0].version
    found = versions.by_id(desk.connection, [version_id])[version_id]
    return _whole(desk.connection, found, None, f"which runs there ({_deployment(here)})")


def _deployment(found: Any) -> str:
    return f"deployment {found.number}, {found.id}"


def _whole(connection: Connection, found: Version, written: str | None, origin: str) -> Chosen:
    from reconciler.planner.promotions import whole

    return Chosen(traffic=whole(found), written=((written or reference(connection, found), 100),), origin=origin)


def reference(connection: Connection, found: Version) -> str:
    """What a manifest calls a version: its name, else its number, or its digest where that means another."""
    from reconciler.model.version import label
    from reconciler.store import versions

    short = label(found.number, found.name)
    meant = versions.find(connection, found.app, short)
    return short if meant is not None and meant.id == found.id else found.id.removeprefix("sha256:")[:16]


def against(desk: Desk, entry: Entry, chosen: Chosen, *, allowed: bool) -> list[str]:
    """What is known against these versions there, as warnings; taken for a refusal unless it is `allowed`.

    Raises NotSo. Both went wrong before: what a revert took back, and what failed or was rolled back in this place.
    """
    from reconciler.model.version import label
    from reconciler.store import commits

    said: list[str] = []
    for part in chosen.traffic:
        name = label(part.number, part.name)
        if row := commits.withdrawal(desk.connection, part.version):
            said.append(f"{name} was taken back: {row.commit[:10]} reverts {row.reverts[:10]}")
        if bad := entry.record.suspicions.get(part.version):
            said.append(f"{name} is suspect: it {bad.why} in {entry.environment} (deployment {bad.number})")
    if said and not allowed:
        trailer = f"Allow-Suspect: {entry.picture.name}/{entry.environment}"
        raise NotSo(
            "; ".join(said),
            f"`--allow-suspect`, or over HTTP `allow_suspect`, writes it all the same, with the trailer `{trailer}`",
        )
    return said


def without_effect(entry: Entry) -> list[str]:
    """What decides there in place of the entry at this moment, as warnings."""
    found = []
    if entry.wanted.chosen_by == "season":
        names = ", ".join(season.name for season in entry.wanted.seasons)
        found.append(f"the season {names} decides what runs in {entry.environment} until it ends")
    if entry.record.hold is not None:
        hold = entry.record.hold
        found.append(f"{entry.environment} is held by {hold.by} since {hold.since:%Y-%m-%d %H:%M} UTC: {hold.reason}")
    return found


def pinned(entry: Entry, chosen: Chosen, now: datetime) -> bytes:
    """The file with these versions in place of what the entry says now."""
    from reconciler.manifest import editing_choices as choices

    if len(chosen.written) == 1:
        version = chosen.written[0][0]
        data = choices.pin(entry.data, entry.place, version)
        return _over_schedule(entry, data, now, {"version": version})
    data = choices.split(entry.data, entry.place, chosen.written)
    traffic = [{"version": name, "percent": _number(percent)} for name, percent in chosen.written]
    return _over_schedule(entry, data, now, {"traffic": traffic})


def tracking(entry: Entry, source: str | None, now: datetime) -> bytes:
    """The file with the entry following `source`, None for the environment's default."""
    from reconciler.manifest import editing_choices as choices

    return _over_schedule(entry, choices.track(entry.data, entry.place, source), now, {})


def _number(percent: float) -> float:
    return int(percent) if percent == int(percent) else percent


def _over_schedule(entry: Entry, data: bytes, now: datetime, choice: dict[str, Any]) -> bytes:
    """A planned change whose moment has passed lies over the entry: then its choice is this one too."""
    if entry.wanted.scheduled_at is None:
        return data
    from reconciler import schedule
    from reconciler.manifest.editing import change, document
    from reconciler.manifest.editing_choices import CHOICES

    place = entry.place
    wanted = document(place.path, data, place.ordinal)
    planned = (wanted["spec"]["environments"][place.environment] or {}).get("schedule") or []
    passed = [
        (schedule.instant(one["at"], one.get("timezone")), number)
        for number, one in enumerate(planned)
        if schedule.instant(one["at"], one.get("timezone")) <= now
    ]
    if not passed:
        return data
    _, number = max(passed, key=lambda pair: pair[0])
    in_force = planned[number]
    if not any(key in in_force for key in CHOICES):
        return data
    planned[number] = {key: value for key, value in in_force.items() if key not in CHOICES} | choice
    return change(place.path, data, place.ordinal, wanted)


def same(entry: Entry, traffic: Sequence[Allotment]) -> bool:
    """Whether these versions run there already, and git asks for them."""
    from reconciler.planner.promotions import Found, find

    here = entry.record.running
    record = replace(entry.record, hold=None)
    asked = find(entry.wanted.choice, entry.wanted, entry.picture.recorded, record)
    wish = asked.traffic if isinstance(asked, Found) else ()
    return here is not None and tuple(here.traffic) == tuple(traffic) == tuple(wish)
