"""Which peers are measured over how many items, and what is left out?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.children import Cost, middle
from benchmarks.figures import Figure
from benchmarks.peers import Peer
from benchmarks.peers.ansible import Ansible
from benchmarks.peers.octodns import Octodns
from benchmarks.peers.salt import Salt

Make = Callable[[Path, int], Peer]
Part = Callable[[str, Callable[[], Iterable[Figure]]], bool]
PEERS: dict[str, tuple[Make, dict[int, int]]] = {
    "OctoDNS, one zone": (Octodns, {100: 3, 1_000: 3, 10_000: 3}),
    "salt-call": (Salt, {100: 3, 1_000: 3, 10_000: 1}),
    "ansible-pull, one task with a loop": (lambda place, count: Ansible(place, count, "loop"), {10: 1, 100: 1}),
    "ansible-pull, a task for each": (lambda place, count: Ansible(place, count, "tasks"), {10: 1, 100: 1}),
}
"""How each is made, and over how many items it is run how often after everything has been applied once.

ansible-pull needs 0.1 to 0.7 s for each item and each run, so that 1,000 would take ten minutes and 10,000 hours.
"""
ONLY_CHANGED = "ansible-pull -o"
ONLY_CHANGED_OVER = (100, 1_000, 10_000)


def peers(part: Part, place: Path, most: int) -> None:
    """Nothing to do, and one change, for each peer and each number of items up to the largest."""
    for name, (make, counts) in PEERS.items():
        for count, runs in ((count, runs) for count, runs in counts.items() if count <= most):
            part(
                f"{name}, {count:,}",
                lambda name=name, make=make, count=count, runs=runs: _both(  # type: ignore[misc]
                    name, make, place / "peer", count, runs
                ),
            )
            shutil.rmtree(place / "peer", ignore_errors=True)
    for count in (count for count in ONLY_CHANGED_OVER if count <= most):
        part(f"{ONLY_CHANGED}, {count:,}", lambda count=count: _only_changed(place / "peer", count))  # type: ignore[misc]
        shutil.rmtree(place / "peer", ignore_errors=True)


def _both(name: str, make: Make, place: Path, count: int, runs: int) -> list[Figure]:
    peer = make(place, count)
    idle = middle([peer.nothing_to_do() for _ in range(runs)])
    change = middle([peer.one_change() for _ in range(runs)])
    return [_figure(name, count, "nothing to do", idle), _figure(name, count, "one change", change)]


def _only_changed(place: Path, count: int) -> list[Figure]:
    peer = Ansible(place, count, "loop", only_changed=True, only_git=True)
    idle = middle([peer.nothing_to_do() for _ in range(3)])
    return [_figure(ONLY_CHANGED, count, "nothing to do, no new commit", idle)]


def _figure(name: str, count: int, doing: str, cost: Cost) -> Figure:
    return Figure(
        section="peers",
        name=name,
        size=count,
        what=f"{name}: {doing}",
        value=cost.wall,
        unit="s",
        cpu=cost.cpu,
        memory=cost.memory,
    )
