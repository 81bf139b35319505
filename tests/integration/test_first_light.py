"""The thinnest line through everything: commit, release, promotion, revert."""

from tests.world import World


def test_a_commit_runs_through_three_environments_and_a_revert_rolls_back(tmp_path):
    world = World(tmp_path)
    world.start_repository()
    world.settle()
    assert [world.runs(name) for name in ("sandbox", "pre-release", "live")] == ["one", "one", "one"]
    change = world.commit("Two", {"shop/index.html": "two"})
    world.settle()
    assert [world.runs(name) for name in ("sandbox", "pre-release", "live")] == ["two", "two", "two"]
    world.repo.revert(change)
    world.repo.push()
    world.settle()
    assert [world.runs(name) for name in ("sandbox", "pre-release", "live")] == ["one", "one", "one"]
    assert world.story("live") == [
        ("promotion", "completed", [1]),
        ("promotion", "completed", [2]),
        ("rollback", "completed", [1]),
    ]
    assert [version.number for version in world.versions()] == [1, 2]


def test_a_title_alone_rolls_nothing_back(tmp_path):
    world = World(tmp_path)
    world.start_repository()
    world.settle()
    world.commit("Two", {"shop/index.html": "two\n"})
    world.settle()
    world.commit('Revert "Two"', {"shop/index.html": "three\n"})
    world.settle()
    assert world.story("live")[-2:] == [("promotion", "completed", [2]), ("promotion", "completed", [3])]
    assert not world.versions()[-1].partial


def test_a_revert_of_a_commit_that_came_while_the_manifest_was_broken_rolls_back(tmp_path):
    world = World(tmp_path)
    world.start_repository()
    world.settle()
    sound = (world.repo.path / "shop.yaml").read_text()
    world.commit("Break the manifest", {"shop.yaml": "apiVersion: reconciler/v1\nkind: App\n"})
    change = world.commit("Change the page", {"shop/index.html": "two"})
    world.commit("Mend the manifest", {"shop.yaml": sound})
    world.settle()
    assert world.runs("live") == "two"
    world.repo.revert(change)
    world.repo.push()
    world.settle()
    assert [world.story(name)[-1] for name in ("sandbox", "live")] == [("rollback", "completed", [1])] * 2
