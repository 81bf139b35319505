"""A daemon that runs sees what is changed by hand, tells it, and puts it right where that is wished."""

from __future__ import annotations

import json

from tests.commands import typed
from tests.e2e.daemon import Live, environment_manifest
from tests.world import app_manifest

PAGE = "index.html"


def environments(**drift: object) -> str:
    """`told` only tells what has drifted, `mended` puts it right."""
    told = environment_manifest("told", "latest", drift={"check": "1s", **drift})
    return f"{told}\n---\n{environment_manifest('mended', 'latest', drift={'check': '1s', 'repair': True})}"


def begin(live: Live) -> None:
    places = ["told", "mended"]
    live.commit(
        "Begin",
        {"environments.yaml": environments(), "shop.yaml": app_manifest(environments=places), f"shop/{PAGE}": "one"},
    )
    live.start()
    for place in places:
        live.wait_for(lambda place=place: live.runs(place) == "one", f"it runs in {place}")


def drift(live: Live, environment: str) -> str | None:
    """What `reconciler status` says of it."""
    done = typed("--config", live.config, "status", "-o", "json", at=live.directory)
    (here,) = [one for one in done.json if one["environment"] == environment]
    assert here["in_sync"] is (here["drift"] is None and here["active"] is None)
    return here["drift"] and here["drift"]["detail"]


def test_it_is_seen_told_and_put_right(live: Live) -> None:
    begin(live)
    for place in ("told", "mended"):
        (live.released(place) / PAGE).write_text("mine")
    live.wait_for(lambda: live.runs("mended") == "one", "what was changed is put right")
    live.wait_for(lambda: drift(live, "told") == "index.html was changed", "what was changed is told")
    assert live.runs("told") == "mine"
    live.wait_for(lambda: live.story("mended")[-1] == ("repair", "completed", [1]), "it is recorded")
    assert live.story("told") == [("release", "completed", [1])]
    seen = [json.loads(line) for line in live.log.splitlines() if '"event": "drift"' in line]
    assert {(one["environment"], one["detail"]) for one in seen} == {
        ("told", "index.html was changed"),
        ("mended", "index.html was changed"),
    }
    live.commit("Wish it", {"environments.yaml": environments(repair=True)})
    live.wait_for(lambda: live.runs("told") == "one", "it is put right once that is wished")
    live.wait_for(lambda: drift(live, "told") is None, "it is told no more")


def test_killed_over_a_repair_it_is_put_right_once(live: Live) -> None:
    begin(live)
    (live.released("mended") / PAGE).write_text("mine")
    live.wait_for(lambda: live.story("mended")[-1][0] == "repair", "a repair is written down")
    live.kill()
    live.start()
    live.wait_for(lambda: live.runs("mended") == "one", "what was changed is put right")
    live.wait_for(lambda: live.story("mended")[-1][1] == "completed", "it is recorded")
    assert live.story("mended")[1:] == [("repair", "completed", [1])]


def test_the_command_tells_it_by_its_exit_status(live: Live) -> None:
    begin(live)
    live.terminate()
    command = ("--config", live.config, "drift")
    well = typed(*command, at=live.directory)
    assert (well.status, well.out) == (0, "0 of 2 have drifted\n")
    (live.released("told") / PAGE).unlink()
    done = typed(*command, "shop", "--environment", "told", at=live.directory)
    assert done.status == 1
    assert done.out == "shop in told has drifted: index.html is missing\n1 of 1 has drifted\n"
    assert typed(*command, "--environment", "mended", at=live.directory).status == 0
    listed = typed(*command, "-o", "json", at=live.directory)
    assert [(one["environment"], one["drift"]) for one in listed.json] == [
        ("mended", None),
        ("told", {"detail": "index.html is missing"}),
    ]
    assert typed(*command, "shpo", at=live.directory).err.startswith("error: there is no app shpo")


def test_a_run_once_looks_at_every_file_first_where_it_is_told_to(live: Live) -> None:
    begin(live)
    live.terminate()
    for place in ("told", "mended"):
        (live.released(place) / PAGE).write_text("mine")
    assert typed("--config", live.config, "run", "--once", at=live.directory).status == 0
    done = typed("--config", live.config, "run", "--once", "--check-drift", at=live.directory)
    assert done.status == 1
    assert "one place has drifted from what was deployed" in done.err
    assert (live.runs("told"), live.runs("mended")) == ("mine", "one")
    assert typed("--config", live.config, "run", "--check-drift", at=live.directory).status == 2
