"""Does wrong, hostile or odd input get a clear complaint, while everything else goes on?"""

from __future__ import annotations

from tests.e2e.daemon import Live
from tests.world import World, app_manifest

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BINARY = b"\x00\x01\xff\xfe" + bytes(range(256)) * 40
HEAD = "apiVersion: reconciler/v1\nkind: App\n"
BAD_FILES: dict[str, tuple[str | bytes, str]] = {
    "not utf-8": (b"apiVersion: reconciler/v1\nkind: App\nmetadata: {name: gar\xe7on}\n", "UTF-8"),
    "huge": (HEAD + "# " + "x" * (1 << 20), "bytes"),
    "alias bomb": (BOMB + HEAD, "alias"),
    "duplicate keys": (
        HEAD + "metadata: {name: bad}\nmetadata: {name: worse}\nspec: {environments: [live]}\n",
        "twice",
    ),
    "tabs": (HEAD + "metadata:\n\tname: bad\n", "tab"),
    "tag": (HEAD + "metadata: !!python/object/apply:os.system ['true']\n", "tag"),
    "no yaml": (HEAD + "metadata: {name: [}\n", ""),
    "only an anchor loop": (HEAD + "metadata: &a {name: *a}\n", ""),
    "deeply nested": (HEAD + "metadata: " + "[" * 5000 + "]" * 5000 + "\n", ""),
    "unknown version": ("apiVersion: reconciler/v9\nkind: App\nmetadata: {name: bad}\n", "reconciler/v9"),
    "a huge number": (
        HEAD + "metadata: {name: bad}\nspec: {environments: [live], config: {n: " + "9" * 5000 + "}}\n",
        "",
    ),
}


def begin(world: World) -> None:
    world.start_repository()
    world.settle()


def goes_on(world: World) -> None:
    """The good app takes its next version, and nothing was lost."""
    world.settle()
    text = f"after {len(world.versions())}"
    world.commit("Next", {"shop/index.html": text})
    world.settle()
    assert world.runs("live") == text


def test_bad_files_are_complained_about_and_others_go_on(world: World) -> None:
    begin(world)
    places = {f"{name.replace(' ', '-')}.yaml": found for name, found in BAD_FILES.items()}
    files: dict[str, str | bytes | None] = {place: content for place, (content, _) in places.items()}
    world.commit("Bad", files)
    goes_on(world)
    complaints = world.complaints()
    for place, (_, word) in places.items():
        said = " ".join(complaint for complaint in complaints if complaint.startswith(f"{place}:"))
        assert word.lower() in said.lower(), place
        assert said, place
    mended = {place: app_manifest(place.removesuffix(".yaml"), bundle="shop") for place in places}
    world.commit("Mend", dict(mended))
    world.settle()
    assert world.complaints() == []
    assert all(world.runs("live", app=place.removesuffix(".yaml")) for place in places)


def test_a_manifest_that_became_binary_keeps_what_it_declared(world: World) -> None:
    begin(world)
    world.commit("Another", {"other.yaml": app_manifest("other"), "other/index.html": "one"})
    world.settle()
    world.commit("Damage", {"other.yaml": BINARY, "other/index.html": "two"})
    goes_on(world)
    (complaint,) = world.complaints()
    assert complaint == "other.yaml:1:1: the file is no text any more"
    assert world.runs("live", app="other") == "one"
    world.commit("Mend", {"other.yaml": app_manifest("other")})
    world.settle()
    assert world.complaints() == []
    assert world.runs("live", app="other") == "two"


def test_a_file_that_declares_nothing_is_left_alone(world: World) -> None:
    begin(world)
    contents = ["", BINARY, "\n\n", "---\n---\n", "# nothing yet\n", "just a text\n", "some: yaml\n", "- 1\n"]
    world.commit("Empty", {f"empty-{number}.yaml": content for number, content in enumerate(contents)})
    goes_on(world)
    assert world.complaints() == []


BUNDLES = {
    "nowhere": "there is no directory nowhere",
    "README.md": "README.md is a file",
    "../../etc": "repository",
    "/etc": "/etc",
    "out": "out is a link",
    "out/ssl": "out is a link",
    "alias": "alias is a link",
    "sub": "sub is a submodule",
    ".": "holds this manifest itself",
    "shop/../..": "repository",
}


def submodule(world: World, path: str) -> None:
    """A commit of another repository at a path, as `git submodule add` leaves it."""
    (world.repo.path / path).mkdir(parents=True, exist_ok=True)
    world.repo.git("update-index", "--add", "--cacheinfo", f"160000,{'12' * 20},{path}")


def push(world: World, message: str) -> None:
    """Commit what is in the index and the work tree, keeping index entries that have no file."""
    world.repo.git("add", ".")
    world.repo.git("commit", "--quiet", "-m", message)
    world.repo.push()


def test_bundles_that_cannot_be_are_complained_about(world: World) -> None:
    begin(world)
    for number, bundle in enumerate(BUNDLES):
        world.repo.write({f"bad-{number}.yaml": app_manifest(f"bad-{number}", bundle=bundle)})
    world.repo.write({"README.md": "hello"}).link("out", "/etc").link("alias", "shop")
    submodule(world, "sub")
    push(world, "Bad")
    goes_on(world)
    complaints = world.complaints()
    assert len(complaints) == len(BUNDLES)
    for number, (bundle, words) in enumerate(BUNDLES.items()):
        (complaint,) = [found for found in complaints if found.startswith(f"bad-{number}.yaml:1:")]
        assert words in complaint, bundle
        assert world.history(f"bad-{number}") == []


def test_a_bundle_that_a_link_leads_out_of_is_never_released(world: World) -> None:
    begin(world)
    world.repo.write({"bad.yaml": app_manifest("bad"), "bad/index.html": "hello"})
    world.repo.link("bad/passwd", "../../../../../../../../etc/passwd")
    push(world, "Bad")
    goes_on(world)
    assert world.runs("sandbox", "passwd", app="bad") is None
    said = [*world.complaints(), *(str(deployment.error) for deployment in world.history("bad"))]
    assert any("passwd" in sentence for sentence in said), said


def test_a_link_that_stays_in_its_bundle_is_released_as_a_link(world: World) -> None:
    begin(world)
    world.repo.write({"app.yaml": app_manifest("app"), "app/page": "hello"}).link("app/alias", "page")
    push(world, "Good")
    world.settle()
    assert world.runs("live", "alias", app="app") == "hello"


def test_a_submodule_inside_a_bundle_is_told_or_left_out(world: World) -> None:
    begin(world)
    world.repo.write({"bad.yaml": app_manifest("bad"), "bad/index.html": "hello"})
    submodule(world, "bad/sub")
    push(world, "Bad")
    goes_on(world)
    said = [*world.complaints(), *(str(deployment.error) for deployment in world.history("bad"))]
    assert any("sub" in sentence for sentence in said) or world.runs("live", app="bad") == "hello", said


def test_a_manifest_that_is_a_link_is_not_followed(world: World) -> None:
    begin(world)
    world.repo.write({"elsewhere.txt": app_manifest("bad")}).link("bad.yaml", "elsewhere.txt")
    push(world, "Bad")
    goes_on(world)
    assert world.complaints() == ["bad.yaml:1:1: it is a link"]


ODD_NAMES = [b"new\nline", b"gar\xe7on", b"esc\x1b[2J", b"-rf", b"sp ace'\"", "…".encode(), b"back\\slash", b"a\ttab"]


def odd(name: bytes) -> str:
    """A name as Python speaks of what is no UTF-8."""
    return name.decode(errors="surrogateescape")


def test_files_of_odd_names_arrive_in_the_release(world: World) -> None:
    begin(world)
    for name in ODD_NAMES:
        (world.repo.path / "shop" / odd(name)).write_text("odd")
    world.repo.write({"shop/index.html": "with odd ones"})
    push(world, "Odd")
    world.settle()
    assert world.runs("live") == "with odd ones", world.complaints()
    for name in ODD_NAMES:
        assert world.runs("live", odd(name)) == "odd", name


def test_manifests_of_odd_names_are_complained_about_in_plain_text(world: World) -> None:
    begin(world)
    places = [world.repo.path / odd(name) for name in (b"new\nline.yaml", b"gar\xe7on.yaml", b"esc\x1b[2J.yaml")]
    for number, place in enumerate(places):
        place.write_text(app_manifest(f"bad-{number}"))
    push(world, "Odd")
    goes_on(world)
    complaints = world.complaints()
    assert len(complaints) == 3
    for complaint in complaints:
        assert complaint.isascii()
        assert complaint.isprintable()
        assert "name" in complaint
    for place in places:
        place.unlink()
    push(world, "Away")
    world.settle()
    assert world.complaints() == []


def test_all_of_it_at_once_leaves_no_trace_of_a_fault_in_the_daemons_log(live: Live) -> None:
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs everywhere")
    for number, (content, _) in enumerate(BAD_FILES.values()):
        live.repo.write({f"bad-{number}.yaml": content})
    for name in ODD_NAMES:
        (live.repo.path / odd(name + b".yaml")).write_text(HEAD)
    push(live, "All \x1b[31m of it\r\n\r\n\x00"[:-1])
    live.wait_for(lambda: len(live.complaints()) > len(BAD_FILES), "it is complained about")
    live.commit("Two", {"shop/index.html": "two"})
    live.wait_for(lambda: live.everywhere("two"), "the good app goes on")
