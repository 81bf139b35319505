"""Does a group go back as one when the process is killed while one of its apps fails?"""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.daemon import Live, environment_manifest, exec_target, waiting
from tests.world import app_manifest

SCRIPT = """
test -e broken || exit 0
while test -e {place}/slow; do echo x > {place}/begun; sleep 0.05; done
exit 3
"""
PAIR = ("basket", "shop")


def manifests(live: Live) -> dict[str, str | bytes | None]:
    target = exec_target(SCRIPT.format(place=live.directory))
    spec: dict[str, Any] = {"apps": list(PAIR), "environments": ["live"]}
    group = {"apiVersion": "reconciler/v1", "kind": "Group", "metadata": {"name": "checkout"}, "spec": spec}
    return {
        "live.yaml": environment_manifest("live", "latest", target=target, retry={"limit": 0}),
        "group.yaml": json.dumps(group),
    }


def test_what_moved_together_goes_back_together_over_a_kill(live: Live) -> None:
    (live.directory / "slow").touch()
    files = manifests(live)
    for name in PAIR:
        files |= {f"{name}.yaml": app_manifest(name, environments=["live"]), f"{name}/index.html": "one"}
    live.commit("Begin", files)
    live.start()
    for name in PAIR:
        live.wait_for(lambda name=name: live.story("live", name)[-1][1] == "completed", f"{name} is there")  # type: ignore[misc]
    live.commit("Two", {"basket/index.html": "two", "basket/broken": "", "shop/index.html": "two"})
    live.wait_for(lambda: (live.directory / "begun").exists(), "basket is being deployed")
    live.wait_for(lambda: live.story("live")[-1] == ("release", "completed", [2]), "shop is there")
    live.kill()
    (live.directory / "slow").unlink()
    live.start()
    for name in PAIR:
        back = ("auto-rollback", "completed", [1])
        live.wait_for(lambda name=name, back=back: live.story("live", name)[-1] == back, f"{name} went back")  # type: ignore[misc]
    assert [what for what, _ in waiting(live, "live")] == ["group"]
    live.kill()
    live.start()
    live.commit("Three", {"basket/index.html": "three", "basket/broken": None})
    live.wait_for(lambda: live.story("live", "basket")[-1] == ("release", "completed", [3]), "basket is mended")
    live.wait_for(lambda: live.story("live")[-1] == ("release", "completed", [2]), "shop came along")
    assert [len(live.history(name, "live")) for name in PAIR] == [4, 4]
