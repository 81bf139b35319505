"""What does the command cost that does one thing and ends, interpreter start and all; and the peers beside it?

`plan` with nothing changed stands beside OctoDNS (B10), `run --once` beside Salt and ansible-pull (B11), in turns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.children import Cost, middle, ours
from benchmarks.figures import Figure
from benchmarks.peers import Peer
from benchmarks.repository import publish
from benchmarks.stores import Asking
from benchmarks.world import World

RUNS = 5
CHECK = "--check-drift"


def in_turns(several: Sequence[Callable[[], Cost]], runs: int = RUNS) -> list[Cost]:
    """Run them A B A B, once to warm up and then so often; the medians of each."""
    for one in several:
        one()
    found: list[list[Cost]] = [[] for _ in several]
    for _ in range(runs):
        for one, costs in zip(several, found, strict=True):
            costs.append(one())
    return [middle(costs) for costs in found]


def plan(world: World) -> Cost:
    """One-shot `plan` with nothing to do."""
    cost = ours(world.file, "plan")
    assert "nothing to do" in cost.output.lower(), cost.output[:500]
    return cost


def once(world: World, *options: str) -> Cost:
    """One-shot `run --once` with nothing to do."""
    before = _deployments(world)
    cost = ours(world.file, "run", "--once", *options)
    assert _deployments(world) == before, "something was deployed though nothing had changed"
    return cost


def looking(world: World) -> Cost:
    """The same, reading every released file."""
    return once(world, CHECK)


def b10(world: World, octodns: Peer | None) -> list[Figure]:
    """`plan` beside OctoDNS with as many records."""
    bounds = {1_000: 0.8, 10_000: 0.15}
    ways: list[Callable[[], Cost]] = [lambda: plan(world)]
    if octodns is not None:
        ways.append(octodns.nothing_to_do)
    cost, *other = in_turns(ways)
    peer = other[0] if other else None
    return [
        Figure(
            section="targets",
            name="B10",
            size=world.size,
            what="one-shot `plan`, nothing changed",
            value=cost.wall,
            unit="s",
            limit=peer.wall if peer else None,
            against="OctoDNS" if peer else "",
            bound=bounds.get(world.size) if peer else None,
            per="×",
            cpu=cost.cpu,
            memory=cost.memory,
        )
    ]


def b11(world: World, salt: Peer, ansible: Peer) -> list[Figure]:
    """`run --once` beside what Salt does with as many files, and ansible-pull that sees no new commit."""
    prove_that_it_looks(world)
    peers = [("salt-call", salt, 0.3), ("ansible-pull -o", ansible, 0.5)]
    cost, *others = in_turns([lambda: looking(world), *(peer.nothing_to_do for _, peer, _ in peers)], 3)
    return [
        Figure(
            section="targets",
            name="B11",
            size=world.size,
            what=f"one-shot `run --once {CHECK}`, nothing changed, every file read",
            value=cost.wall,
            unit="s",
            limit=other.wall,
            against=name,
            bound=bound,
            per="×",
            cpu=cost.cpu,
            memory=cost.memory,
        )
        for (name, _, bound), other in zip(peers, others, strict=True)
    ]


def prove_that_it_looks(world: World) -> None:
    """What somebody else wrote into a released file must be noticed, or the terms would not be equal."""
    file = next((world.state / "releases").glob("*/*/current")).resolve() / "index.html"
    was = file.read_bytes()
    file.write_bytes(b"somebody was here\n")
    cost = ours(world.file, "run", "--once", CHECK, statuses=(1,))
    assert "drift" in cost.output, cost.output[-500:]
    file.write_bytes(was)
    looking(world)


def ours_among_peers(world: World) -> list[Figure]:
    """Our own lines in the table of peers: nothing to do, and one change."""
    corpus = world.corpus
    runs = 3 if world.size <= 10_000 else 1
    resting, quick, close = (middle([way(world) for _ in range(runs)]) for way in (plan, once, looking))
    look = "a look at the files of one app-environment"
    each = max(close.wall - quick.wall, 0.0) / world.size
    found = [
        _row(world.size, "`reconciler plan`: nothing to do", resting),
        _row(world.size, "`reconciler run --once`: nothing to do", quick),
        _row(world.size, f"`reconciler run --once {CHECK}`: nothing to do", close),
        Figure(section="costs", name="look", size=world.size, what=look, value=each, unit="s"),
    ]
    costs = []
    world.advance(corpus.steps[-1].back)
    for step in corpus.singles:
        for commit in (step.forward, step.back):
            before = _deployments(world)
            publish(corpus.home, commit)
            costs.append(ours(world.file, "run", "--once"))
            assert _deployments(world) == before + 1, "one change makes one deployment"
    found.append(_row(world.size, "`reconciler run --once`: one change", middle(costs)))
    return found


def _row(size: int, what: str, cost: Cost) -> Figure:
    return Figure(
        section="peers",
        name="reconciler",
        size=size,
        what=what,
        value=cost.wall,
        unit="s",
        cpu=cost.cpu,
        memory=cost.memory,
    )


def _deployments(world: World) -> int:
    store = Asking(world.store)
    try:
        return int(store.one("SELECT count(*) FROM deployments WHERE status = 'completed'"))
    finally:
        store.close()
