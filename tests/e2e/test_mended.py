"""Is what broke a manifest, and was mended, taken back with what came later only where it belongs to it?"""

from __future__ import annotations

from tests.e2e.daemon import environment_manifest
from tests.e2e.test_going_back import begin, go_back, shop
from tests.e2e.test_holds import branches, merge, message, standing
from tests.world import World

BROKEN = shop(bundl="x")
TOGETHER = {"others.yaml": environment_manifest("other", "latest")}


def reverted(world: World) -> list[str]:
    """The commits that the branch reverts."""
    (branch,) = branches(world)
    lines = message(world, branch).splitlines()
    return [line.removeprefix("This reverts commit ").rstrip(".") for line in lines if line.startswith("This reverts")]


def test_a_mistake_that_was_mended_is_not_taken_back_with_what_came_after_it(world: World):
    begin(world, "one")
    world.commit("A typo, and something else", {"shop.yaml": BROKEN, **TOGETHER})
    world.settle()
    world.commit("Mend it", {"shop.yaml": shop()})
    world.settle()
    two = world.commit("Say two", {"shop/index.html": "two"})
    world.settle()
    go_back(world)
    assert (world.runs("live"), reverted(world)) == ("one", [two])


def test_a_mistake_that_came_with_a_change_is_taken_back_with_it(world: World):
    begin(world, "one")
    typo = world.commit("Say two, with a typo", {"shop.yaml": BROKEN, "shop/index.html": "two"})
    world.settle()
    more = world.commit("Say three, still broken", {"shop/index.html": "three"})
    world.settle()
    mend = world.commit("Mend it", {"shop.yaml": shop()})
    world.settle()
    assert world.runs("live") == "three"
    go_back(world)
    assert (world.runs("live"), reverted(world)) == ("one", [mend, more, typo])
    merge(world, *branches(world))
    world.settle()
    assert (world.runs("live"), standing(world).held) == ("one", None)


def test_only_what_was_broken_since_it_was_last_sound_counts(world: World):
    begin(world, "one")
    world.commit("A typo", {"shop.yaml": BROKEN})
    world.settle()
    world.commit("Mend it", {"shop.yaml": shop()})
    world.settle()
    typo = world.commit("Another typo", {"shop.yaml": BROKEN})
    world.settle()
    mend = world.commit("Mend it, and say two", {"shop.yaml": shop(), "shop/index.html": "two"})
    world.settle()
    go_back(world)
    assert (world.runs("live"), reverted(world)) == ("one", [mend, typo])
