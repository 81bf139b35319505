"""What follows from the measured and the assumed numbers: for one repository, for all, and what ends first?

Pure arithmetic; each number carries in words how it was computed.
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.quantities import DAY, Number, Scale


def one_repository(scale: Scale) -> list[Number]:
    """What the database, the leader and the directories of one repository bear."""
    s, many = scale, scale["shard"]
    log = max(s["log"], s["pg log"])
    return [
        Number("deployments in a second, mean", s.mean, "/s", "app-environments × deployments in a day ÷ 86,400 s"),
        Number("deployments in a second, busiest hour", s.busy, "/s", "mean × peak"),
        Number("rows in the database at first", many * s["rows"], "", "app-environments × rows"),
        Number(
            "bytes in the database at first", many * max(s["bytes"], s["pg bytes"]), "B", "app-environments × bytes"
        ),
        Number("deployments kept", s.kept, "", "app-environments × deployments in a day × 365 × years"),
        Number("rows added by them", s.kept * s["rows+"], "", "deployments kept × rows of each"),
        Number("bytes added by them", s.kept * s["bytes+"], "B", "deployments kept × bytes of each"),
        Number("rows written in a second, busiest hour", s.busy * s["rows+"], "/s", "deployments in a second × rows"),
        Number("bytes of log in a second, busiest hour", s.busy * log, "B/s", "deployments in a second × bytes of log"),
        Number("bytes of log in a day", s.mean * DAY * log, "B", "deployments in a day × bytes of log"),
        Number(
            "turns of the leader, part of a second",
            s.busy * s["turn"] / s["together"],
            "%",
            "commits in a second × one turn",
        ),
        Number(
            "processor of all daemons, part of one core",
            s.busy * s["cpu"],
            "%",
            "deployments in a second × processor of a change",
        ),
        Number(
            "fetching, part of a second", s.busy * s["fetch"] / s["together"], "%", "commits in a second × one fetch"
        ),
        Number(
            "polls of the repository in a second", s["daemons"] and 1 / s["poll"], "/s", "one leader, every interval"
        ),
        Number(
            "the longest that a push waits behind the hourly look",
            s["full_turn"],
            "s",
            "one turn of it: what was pushed comes before the next one",
        ),
        Number(
            "hourly look at every app, part of the hour",
            s.each("full") * many / 3600,
            "%",
            "measured ÷ its size × app-environments ÷ 3,600 s",
        ),
        Number(
            "looks for drift, part of a second",
            many * s["look"] / s["drift"],
            "%",
            "app-environments × one look ÷ the time between two",
        ),
        Number("directories of apps in each of 4 environments", many / 4, "", "app-environments ÷ 4"),
        Number(
            "files and directories released",
            many * s["files"] * (1 + s["keep"]),
            "",
            "app-environments × files × (1 + keep)",
        ),
        Number("bytes of the mirror", many * s["mirror"], "B", "app-environments × bytes of the mirror"),
        Number(
            "bytes added to it in a year, before they are packed",
            s.mean * DAY * 365 / s["together"] * s["mirror+"],
            "B",
            "commits in a day × 365 × bytes of each",
        ),
        Number("connections to the database", s["daemons"] * s["pool"], "", "daemons × connections of each"),
        Number("memory of its daemons at rest", s["daemons"] * s["resident"], "B", "daemons × memory at rest"),
        Number(
            "a revert that touches all of it, one daemon",
            many / s["carried"],
            "s",
            "app-environments ÷ deployments in a second",
        ),
        Number(
            "the same with its daemons", many / s["carried"] / s["daemons"], "s", "÷ daemons, where the target bears it"
        ),
    ]


def all_repositories(scale: Scale) -> list[Number]:
    """What all of them take together."""
    s, first = scale, max(scale["bytes"], scale["pg bytes"])
    return [
        Number("repositories, each with a database and daemons", s.shards, "", "all ÷ app-environments of one"),
        Number("daemons", s.shards * s["daemons"], "", "repositories × daemons of each"),
        Number("deployments in a second, mean", s.shards * s.mean, "/s", "repositories × mean of one"),
        Number("deployments in a second, busiest hour", s.shards * s.busy, "/s", "repositories × busiest of one"),
        Number(
            "bytes in all databases, at the end of the time kept",
            s["all"] * first + s.shards * s.kept * s["bytes+"],
            "B",
            "all × bytes + deployments kept × bytes of each",
        ),
        Number(
            "memory of all daemons at rest", s.shards * s["daemons"] * s["resident"], "B", "daemons × memory at rest"
        ),
        Number(
            "memory when all start from nothing at once",
            s.shards * s["highest"],
            "B",
            "one leader of each × the most of a cold start",
        ),
        Number(
            "processor in the busiest hour, cores",
            s.shards * s.busy * s["cpu"],
            "",
            "deployments in a second × processor of a change",
        ),
        Number(
            "cold start of everything, one repository on each machine",
            s["start"],
            "s",
            "as measured: they do not wait for each other",
        ),
        Number(
            "cold start of everything on ten machines",
            s["start"] * s.shards / 10,
            "s",
            "repositories ÷ 10, one after another",
        ),
        Number(
            "restart of everything on ten machines",
            s["restart"] * s.shards / 10,
            "s",
            "repositories ÷ 10, one after another",
        ),
        Number("polls of git servers in a second", s.shards / s["poll"], "/s", "repositories ÷ interval"),
        Number(
            "fetches from git servers in a second, busiest hour",
            s.shards * s.busy / s["together"],
            "/s",
            "commits in a second",
        ),
        Number(
            "connections, if one PostgreSQL served all",
            s.shards * s["daemons"] * s["pool"],
            "",
            "daemons × connections of each",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Limit:
    """Where something ends, how far away that is, and what is done then."""

    what: str
    room: float
    origin: str
    then: str


def limits(scale: Scale) -> list[Limit]:
    """What breaks first: the room that is left in one repository, as so many times what is assumed."""
    s, many = scale, scale["shard"]
    log = max(s["log"], s["pg log"])
    found = [
        Limit(
            "cold start within 60 s",
            60 / (s.each("start") * many),
            "60 s ÷ (cold start ÷ its size × app-environments)",
            "make two repositories of it: nothing is shared between them",
        ),
        Limit(
            "memory of a cold start within 1 GiB",
            2**30 / (s.each("highest") * many),
            "1 GiB ÷ the most memory",
            "make two repositories of it, or allow the first start more",
        ),
        Limit(
            "hourly look at every app within a tenth of the hour",
            360 / (s.each("full") * many),
            "360 s ÷ the look",
            "raise `full_pass`: it only guards against mistakes",
        ),
        Limit(
            "looks for drift, one after another",
            s["drift"] / (many * s["look"]),
            "the time between two looks ÷ app-environments ÷ one look",
            "look less often",
        ),
        Limit(
            "the leader's turns, one commit each",
            s["together"] / s["turn"] / s.busy,
            "1 s ÷ one turn ÷ commits in a second",
            "nothing: commits that come faster are noted together, and planned 250 a turn",
        ),
        Limit(
            "fetches, one for each commit",
            s["together"] / s["fetch"] / s.busy,
            "1 s ÷ one fetch ÷ commits in a second",
            "nothing: one fetch brings all commits that came meanwhile",
        ),
        Limit(
            "processor of one core",
            1 / (s["cpu"] * s.busy),
            "1 s ÷ processor of a change ÷ deployments in a second",
            "more daemons carry out; the leader's own part is its turns",
        ),
        Limit(
            "releases of one daemon on the directory target",
            s["carried"] / s.busy,
            "deployments carried out in a second ÷ those asked for",
            "more daemons, each with disks of its own",
        ),
        Limit(
            "the log of the database on its disk",
            s["disk"] / log / s.busy,
            "bytes that the disk takes ÷ bytes of log in a second",
            "a faster disk; then two repositories, each with its database",
        ),
        Limit(
            "connections of one PostgreSQL for each repository",
            s["served"] / (s["daemons"] * s["pool"]),
            "connections that it serves ÷ those of the daemons",
            "raise `max_connections`, or fewer daemons",
        ),
    ]
    return sorted(found, key=lambda one: one.room)
