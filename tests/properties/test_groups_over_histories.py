"""Whatever happens to three apps of a group: is it planned once, do they enter together, is nobody left behind?"""

from __future__ import annotations

import json
import subprocess
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.deployment import ROLLBACKS, Deployment
from reconciler.model.plan import Plan
from reconciler.store import declared
from reconciler.views.planning import plan_apps
from reconciler.views.scene import scene_of
from tests.strategies import examples
from tests.world import World, app_manifest

APPS = ("basket", "pay", "shop")
SCRIPT = {"type": "exec", "command": ["/bin/sh", "-c", "test ! -e broken"]}

one = st.sampled_from(APPS)
steps = st.one_of(
    st.tuples(st.just("publish"), st.sets(one, min_size=1)),
    st.tuples(st.just("publish broken"), one),
    st.tuples(st.just("revert"), st.none()),
    st.tuples(st.just("pause"), one),
    st.tuples(st.just("pin"), one),
    st.tuples(st.just("later"), st.sampled_from((10, 40))),
    st.tuples(st.just("retry"), one),
)


def manifest(kind: str, name: str, spec: dict[str, Any]) -> str:
    return json.dumps({"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})


class Story:
    """Three apps in two environments; in live they move together, and basket soaks there."""

    def __init__(self, directory: Path) -> None:
        self.world = World(directory)
        self.pinned: set[str] = set()
        self.changes: list[str] = []
        self.count = 0
        target = {"type": "directory", "path": "releases/sandbox"}
        live = {"track": "sandbox", "target": SCRIPT, "retry": {"limit": 0}}
        files: dict[str, str | bytes | None] = {
            "sandbox.yaml": manifest("Environment", "sandbox", {"target": target}),
            "live.yaml": manifest("Environment", "live", live),
            "group.yaml": manifest("Group", "checkout", {"apps": list(APPS), "environments": ["live"]}),
        }
        for name in APPS:
            files |= {f"{name}.yaml": self.app(name), f"{name}/index.html": "one"}
        self.world.commit("Begin", files)
        self.world.settle()
        self.world.later(minutes=30)
        self.world.settle()

    def app(self, name: str, **live: Any) -> str:
        gates = {"gates": {"soak": "30m"}} if name == "basket" else {}
        return app_manifest(name, environments={"sandbox": {}, "live": {**gates, **live}})

    def tell(self, what: str, of: Any) -> None:
        """One thing happens, and all that follows from it."""
        self.count += 1
        match what:
            case "publish":
                files: dict[str, str | bytes | None] = {f"{name}/index.html": f"text {self.count}" for name in of}
                files |= {f"{name}/broken": None for name in of if (self.world.repo.path / name / "broken").exists()}
                self.changes.append(self.world.commit("Publish", files))
            case "publish broken":
                text = {f"{of}/index.html": f"text {self.count}", f"{of}/broken": ""}
                self.changes.append(self.world.commit("Break", text))
            case "revert" if self.changes:
                self.revert(self.changes.pop())
            case "pause":
                until = self.world.now + timedelta(minutes=20)
                self.world.wish("pause", app=of, environment="live", reason="tea", until=until)
            case "pin":
                self.pinned ^= {of}
                pin = {"version": "v1"} if of in self.pinned else {}
                self.world.commit("Pin", {f"{of}.yaml": self.app(of, **pin)})
            case "later":
                self.world.later(minutes=of)
            case "retry":
                bad = [d for d in self.world.history(of, "live") if d.status == "failed"]
                if bad:
                    self.world.wish("retry", app=of, environment="live", subject=bad[-1].id)
        self.world.settle()

    def revert(self, change: str) -> None:
        try:
            self.world.repo.revert(change)
        except subprocess.CalledProcessError:  # it no longer fits what came since
            self.world.repo.git("revert", "--abort")
            return
        self.world.repo.push()

    def plans(self) -> dict[str, Plan]:
        with self.world.running() as found, found.database.read() as connection:
            scene = scene_of(connection)
            batches = plan_apps(connection, declared.app_names(connection), scene, self.world.now)
            return {name: plan for batch in batches for name, plan in batch.items()}

    def histories(self) -> dict[str, list[Deployment]]:
        return {name: self.world.history(name, "live") for name in APPS}


def check_moves(histories: dict[str, list[Deployment]]) -> None:
    """Those of one move entered at one moment."""
    moves: dict[str, list[Deployment]] = {}
    for several in histories.values():
        for deployment in several:
            if deployment.grounds.move:
                key = f"{deployment.grounds.move} {deployment.created_at}"
                moves.setdefault(key, []).append(deployment)
    for several in moves.values():
        assert {d.app for d in several} == set(several[0].grounds.moved_with)


def check_nobody_is_left(histories: dict[str, list[Deployment]], pinned: set[str]) -> None:
    """Where the last thing that an app did was to go back from a move, nobody still stands in it."""
    for name, several in histories.items():
        last = several[-1]
        left = next((d for d in several if d.id == last.rolled_back_from), None)
        if last.cause not in ROLLBACKS or left is None or not left.grounds.move:
            continue
        for other in set(left.grounds.moved_with) - {name} - pinned:
            end = histories[other][-1]
            first = len({d.traffic for d in histories[other]}) == 1
            assert first or (end.grounds.move, end.created_at) != (left.grounds.move, left.created_at), (name, other)


@given(st.lists(steps, min_size=3, max_size=9))
@examples(6)
def test_whatever_happens_to_a_group(told: list[tuple[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        story = Story(Path(directory))
        for what, of in told:
            story.tell(what, of)
            assert {name: plan.actions for name, plan in story.plans().items() if plan.actions} == {}
            histories = story.histories()
            assert not [d for several in histories.values() for d in several if d.active]
            check_moves(histories)
            check_nobody_is_left(histories, story.pinned)
