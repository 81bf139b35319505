"""Are targets found, a stranger's as well as ours, and does a broken one harm only those who use it?"""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

from reconciler.errors import PersonNeeded
from reconciler.targets.base import GROUP
from reconciler.targets.directory import DirectoryTarget
from reconciler.targets.exec import ExecTarget
from reconciler.targets.registry import Registry, installed
from reconciler.targets.whereabouts import within

PLUGIN = """
class PigeonTarget:
    def __init__(self, environment, settings, data):
        if settings.get("loft") == "haunted":
            raise RuntimeError("boo")
    @staticmethod
    def check(settings):
        if settings.get("loft") == "haunted":
            raise RuntimeError("boo")
        return [] if "loft" in settings else ["loft is missing"]
    def deploy(self, release, work): ...
    def retire(self, release, work): ...
    def triggers(self, app, triggers, work): ...
    def observe(self, app): ...
    def close(self): ...

class Homing(PigeonTarget):
    apart = True

class Shy(PigeonTarget):
    apart = "maybe"

def letter(environment, settings, data):
    return PigeonTarget(environment, settings, data)
letter.check = PigeonTarget.check
letter.apart = True

class Loft(PigeonTarget):
    def __init__(self, environment, settings, data):
        self.releases_to = (data / settings["at"]) if "at" in settings else "releases"

class Half:
    def __init__(self, environment, settings, data): ...
    check = staticmethod(lambda settings: [])

not_a_target = 7
"""
BROKEN = {
    "raises": "raise RuntimeError('no loft')",
    "exits": "import sys; sys.exit(3)",
    "misspelt": "class Other: ...",
    "syntax": "class",
}


@pytest.fixture
def registry(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "pigeon_post.py").write_text(PLUGIN)
    points = [
        point("pigeon", "pigeon_post:PigeonTarget"),
        point("homing", "pigeon_post:Homing"),
        point("shy", "pigeon_post:Shy"),
        point("letter", "pigeon_post:letter"),
        point("loft", "pigeon_post:Loft"),
        point("half", "pigeon_post:Half"),
        point("number", "pigeon_post:not_a_target"),
        point("absent", "no_such_module:Target"),
        point("twice", "pigeon_post:PigeonTarget"),
        point("twice", "pigeon_post:Half"),
        point("again", "pigeon_post:PigeonTarget"),
        point("again", "pigeon_post:PigeonTarget"),
    ]
    for name, code in BROKEN.items():
        (tmp_path / f"plug_{name}.py").write_text(code)
        points.append(point(name, f"plug_{name}:Target"))
    yield Registry([*installed(), *points])
    for name in [name for name in sys.modules if name.startswith(("plug_", "pigeon_post"))]:
        del sys.modules[name]


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def test_ours_come_through_the_same_door():
    registry = Registry()
    assert {"directory", "exec"} <= set(registry.names())
    assert registry.type("directory") is DirectoryTarget
    assert registry.type("exec") is ExecTarget


def test_an_environment_without_a_type_gets_the_directory(tmp_path):
    assert isinstance(Registry().make("live", {}, tmp_path), DirectoryTarget)
    assert isinstance(Registry().make("live", {"type": "exec", "command": ["true"]}, tmp_path), ExecTarget)


def test_a_strangers_target_is_made_and_asked_about_its_settings(registry, tmp_path):
    assert type(registry.make("live", {"type": "pigeon", "loft": "a"}, tmp_path)).__name__ == "PigeonTarget"
    assert registry.check({"type": "pigeon", "loft": "a"}) == []
    assert registry.check({"type": "pigeon"}) == ["loft is missing"]
    assert registry.check({"type": "again", "loft": "a"}) == []


@pytest.mark.parametrize(
    ("target", "apart"),
    [
        ({}, True),
        ({"type": "directory", "path": "out"}, True),
        ({"type": "exec", "command": ["true"]}, False),
        ({"type": "pigeon", "apart": True}, False),
        ({"type": "homing"}, True),
        ({"type": "shy"}, False),
        ({"type": "letter"}, True),
    ],
)
def test_a_target_is_called_in_another_process_only_if_its_type_says_true(registry, target, apart):
    assert registry.apart(target) is apart


@pytest.mark.parametrize(
    ("target", "place"),
    [
        ({}, "releases/live"),
        ({"type": "directory", "path": "./out//here"}, "out/here"),
        ({"type": "directory", "path": "/srv/live"}, None),
        ({"type": "directory", "path": "link/live"}, None),
        ({"type": "directory", "path": "circle/live"}, "circle/live"),
        ({"type": "exec", "command": ["true"]}, None),
        ({"type": "pigeon"}, None),
        ({"type": "loft", "at": "loft"}, "loft"),
        ({"type": "loft", "at": "/data"}, None),
        ({"type": "loft"}, None),  # what it says is no place
    ],
)
def test_a_target_that_releases_to_the_daemons_machine_says_where(registry, tmp_path, target, place):
    data = tmp_path / "data"
    data.mkdir()
    (data / "link").symlink_to(tmp_path / "shared")
    (data / "circle").symlink_to("circle")
    found = within(registry.make("live", target, data), data)
    assert found == (data / place if place else None)


@pytest.mark.parametrize("target", [{"type": "direktory"}, {"type": "raises"}, {"type": 7}])
def test_what_cannot_be_used_is_a_complaint_there_too(registry, target):
    with pytest.raises(PersonNeeded):
        registry.apart(target)


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ({"type": "direktory"}, "there is no target of type 'direktory': did you mean directory?"),
        ({"type": "kubernetes"}, "there is no target of type 'kubernetes': there are absent, again, directory, exec"),
        ({"type": 7}, "type is not a text"),
        ({"type": "absent"}, "the target absent (no_such_module:Target) cannot be loaded: ModuleNotFoundError"),
        ({"type": "raises"}, "the target raises (plug_raises:Target) cannot be loaded: RuntimeError: no loft"),
        ({"type": "exits"}, "the target exits (plug_exits:Target) cannot be loaded: SystemExit: 3"),
        ({"type": "misspelt"}, "the target misspelt (plug_misspelt:Target) cannot be loaded: AttributeError"),
        ({"type": "syntax"}, "the target syntax (plug_syntax:Target) cannot be loaded: SyntaxError"),
        ({"type": "number"}, "pigeon_post:not_a_target is not a target"),
        ({"type": "twice"}, "two packages bring a target of type twice: pigeon_post:Half and pigeon_post:Pigeon"),
        ({"type": "directory", "pth": "x"}, "pth is unknown: did you mean path?"),
    ],
)
def test_what_cannot_be_used_is_a_complaint_with_a_remedy(registry, tmp_path, target, complaint):
    (found,) = registry.check(target)
    assert complaint in found
    with pytest.raises(PersonNeeded) as raised:
        registry.make("live", target, tmp_path)
    assert complaint in str(raised.value)
    assert raised.value.next_step


def test_a_plug_in_that_breaks_while_it_is_made_is_named(registry, tmp_path):
    haunted = {"type": "pigeon", "loft": "haunted"}
    assert registry.check(haunted) == ["the target pigeon could not check its settings: RuntimeError: boo"]
    with pytest.raises(PersonNeeded, match="the target pigeon could not be made: RuntimeError: boo"):
        registry.make("live", haunted, tmp_path)
    with pytest.raises(PersonNeeded, match="what the target half made lacks methods of a target"):
        registry.make("live", {"type": "half"}, tmp_path)


def test_nothing_is_loaded_before_it_is_used(registry, tmp_path):
    registry.names()
    registry.make("live", {"type": "directory"}, tmp_path)
    assert [name for name in sys.modules if name.startswith(("plug_", "pigeon_post"))] == []


def test_a_package_with_broken_metadata_does_not_hide_the_others(tmp_path, monkeypatch):
    for package, text in {
        "mangled": "[reconciler.targets]\nno equals sign\n",
        "sound": "[reconciler.targets]\nowl = o:Owl",
    }.items():
        folder = tmp_path / f"{package}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert {"owl", "directory", "exec"} <= set(Registry().names())
