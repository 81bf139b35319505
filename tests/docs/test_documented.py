"""Is all told that there is, and nothing told that there is not: commands, options, settings, variables, paths?

Metrics, events of the log and what manifests hold have tests of their own beside this one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
import yaml

from reconciler.cli.main import VERBS, program, verb
from reconciler.config import KNOWN, NO_SETTINGS, PREFIX, SETTINGS
from reconciler.manifest import KINDS, parse
from reconciler.manifest.schemas import schema
from tests.http_asking import described
from tools.commands_page import commands, options

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = {
    str(page.relative_to(ROOT)): page.read_text(encoding="utf-8")
    for page in (ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted(DOCS.rglob("*.md")))
}
SETTING_NAMES = {".".join(place[:end]) for place in KNOWN for end in range(1, len(place) + 1)}
VARIABLES = {PREFIX + "__".join(place).upper() for place in KNOWN} | NO_SETTINGS
METHODS = ("get", "post", "put", "patch", "delete")
EVERYWHERE = {"-h", "--help", "--config", "--version"}
OPERATION = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[^\s`?;,]*)")


@cache
def operations() -> frozenset[str]:
    paths = described()["paths"]
    return frozenset(f"{one.upper()} {path}" for path, those in paths.items() for one in those if one in METHODS)


def blocks(page: str, *languages: str) -> list[str]:
    """What stands in a page's blocks of these languages."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def spans(page: str) -> list[str]:
    """What stands between single backticks, outside of blocks."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL))


def typed(page: str) -> Iterator[str]:
    """The commands of the reconciler that a page tells to type."""
    lines = [line for block in blocks(page, "sh") for line in block.replace("\\\n", " ").splitlines()]
    for text in [*spans(page), *lines]:
        for found in re.finditer(r"(?:^|[;|&(] *|exec |/|run )reconciler (?=[a-z-])([^|;&)#]*)", text):
            yield found[1]


def wrong_in(told: str) -> str:
    """What is wrong in a command that is told; nothing where it is right."""
    words = [word for word in shlex.split(re.sub(r"[\[\]…'\"$<>]", " ", told)) if word]
    while words and (words[0].startswith("-") or words[0] == "reconciler" or "/" in words[0]):
        words.pop(0)
    if not words or words[0] == "@":  # whatever is typed behind it
        return ""
    if words[0] not in VERBS:
        return f"there is no command {words[0]}"
    name = words.pop(0)
    command = verb(name)
    if isinstance(command, click.Group) and words and re.match("[a-z]", words[0]):
        inner = words.pop(0).strip(",")
        if inner not in command.commands:
            return f"{name} has no {inner}"
        name, command = f"{name} {inner}", command.commands[inner]
    known = EVERYWHERE | {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    there = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    return f"{name} has no {sorted(there - known)}" if there - known else ""


def test_every_command_and_every_option_has_its_place():
    page = PAGES["docs/commands.md"]
    headings = re.findall(r"^##+ (.*)$", page, re.MULTILINE)
    assert headings == [name for name, _ in commands()]
    parts = re.split(r"^##+ .*$", page, flags=re.MULTILINE)[1:]
    for (name, command), part in zip(commands(), parts, strict=True):
        for option in options(command):
            assert re.search(rf"^\| `[^`]*{option.opts[-1]}\b", part, re.MULTILINE), f"{name} {option.opts}"


def test_the_readme_names_every_command():
    table = PAGES["README.md"].partition("## Commands")[2].partition("\n## ")[0]
    named = re.findall(r"`([a-z]+)`", "\n".join(re.findall(r"^\|.*", table, re.MULTILINE)))
    assert sorted(named) == sorted(VERBS)


@pytest.mark.parametrize("name", PAGES)
def test_commands_that_are_told_are_there(name: str):
    wrong = {told: wrong_in(told) for told in typed(PAGES[name])}
    assert {told: said for told, said in wrong.items() if said} == {}


def test_commands_that_are_told_are_found():
    assert wrong_in("deployments list --statsu failed") == "deployments list has no ['--statsu']"
    assert wrong_in("token create") == "there is no command token"
    assert wrong_in("tokens make") == "tokens has no make"
    assert sum(len(list(typed(page))) for page in PAGES.values()) > 60
    assert program.commands.keys() == VERBS.keys()


def test_every_setting_has_its_row_with_what_it_means():
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.+?) \| (.*?)\| (.*)\|$", PAGES["docs/settings.md"], re.MULTILINE)
    assert [name for name, *_ in rows] == sorted(
        (".".join(place) for place in KNOWN), key=[name for name, *_ in rows].index
    )
    assert [name for name, *_, meaning in rows if not meaning.strip()] == []


@pytest.mark.parametrize("name", sorted(PAGES.keys() - {"docs/logs.md"}))  # events are called like settings
def test_settings_and_variables_that_are_told_are_there(name: str):
    page = PAGES[name]
    groups = {place[0] for place in KNOWN if len(place) > 1}
    told = {one for one in spans(page) if re.fullmatch(rf"(?:{'|'.join(groups)})(?:\.[a-z_]+)+", one)}
    files = {one for one in told if one.rpartition(".")[2] in ("py", "md", "yaml", "db", "json", "lock")}
    assert told - files - SETTING_NAMES == set()
    variables = set(re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b(?!…)", page))
    assert variables - VARIABLES == set()


@pytest.mark.parametrize("name", PAGES)
def test_settings_and_manifests_that_are_shown_are_right(name: str):
    top = {place[0] for place in KNOWN}
    for block in blocks(PAGES[name], "yaml"):
        if block.startswith(("apiVersion:", "kind:")):
            whole = "\n---\n".join(
                part if "apiVersion:" in part else f"apiVersion: reconciler/v1\n{part}" for part in block.split("---\n")
            )
            parsed = parse("shown.yaml", whole.encode())
            assert not parsed.complaints, block
        elif isinstance(found := yaml.safe_load(block), dict) and found.keys() <= top:
            SETTINGS.validate_python(found)


def test_every_path_has_its_heading_and_every_heading_its_path():
    told = {
        " ".join(found) for page in PAGES.values() for found in re.findall(rf"^##+ {OPERATION.pattern}$", page, re.M)
    }
    assert told - operations() == set()
    assert operations() - told == set()


@pytest.mark.parametrize("name", PAGES)
def test_paths_that_are_told_are_there(name: str):
    shapes = [re.sub(r"\{\w+\}", "[^/]+", one) for one in operations()]
    for span in spans(PAGES[name]):
        for method, path in OPERATION.findall(span):
            if path.startswith(("/ui", "/api/", "/repos/", "/projects/")):
                continue  # pages, and the forges' own
            assert any(re.fullmatch(shape, f"{method} {path}") for shape in shapes), f"{method} {path}"


def test_every_key_of_every_manifest_has_its_row():
    page = PAGES["docs/manifests.md"]
    for kind in KINDS:
        assert f"\n## {kind}\n" in page
        section = page.partition(f"\n## {kind}\n")[2]
        for key in schema(kind)["properties"]:
            assert f"| `{key}` |" in section, f"{kind}: {key}"
    for shape in (one for kind in KINDS for one in schema(kind).get("$defs", {}).values()):
        for key in shape.get("properties", {}):
            assert f"| `{key}` |" in page, key


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_to_pages_and_headings_that_are_there(name: str):
    for target, anchor in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)", PAGES[name]):
        page = (ROOT / name).parent / target if target else ROOT / name
        assert page.exists(), f"{name} links to {target}"
        if anchor:
            assert anchor in anchors(page.read_text(encoding="utf-8")), f"{name} links to {target}#{anchor}"


def test_every_page_can_be_reached_from_the_readme():
    reached, ahead = set(), ["README.md"]
    while ahead:
        name = ahead.pop()
        if name in reached or name not in PAGES:
            continue
        reached.add(name)
        targets = re.findall(r"\]\(([^)#:\s]+)", PAGES[name])
        ahead += [str(((ROOT / name).parent / one).resolve().relative_to(ROOT)) for one in targets]
    assert {one for one in PAGES if not one.startswith("docs/adr/")} - reached == set()


def anchors(page: str) -> set[str]:
    """How forges call the headings of a page."""
    found = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {"".join(c for c in one.lower().replace(" ", "-") if c.isalnum() or c in "-_") for one in found}
