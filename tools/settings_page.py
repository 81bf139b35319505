"""What does `docs/settings.md` say? Made from the declarations of the settings and from what they refuse."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from reconciler import schedule
from reconciler.config import KNOWN, PREFIX, SETTINGS, Settings
from reconciler.manifest.meanings import describe, shapes_of

Place = tuple[str, ...]
_SHORT = {"a text that is not empty": "text", "a number and a unit": "length of time"}
"""What the introduction explains."""

_INTRODUCTION = f"""\
# Settings

Every command reads `reconciler.yaml` in the directory where it is started, or the file that `--config` names; without
either the defaults hold. A variable is stronger than the file: its name is `{PREFIX}` and the setting's in capitals,
with two underscores for each dot: `repository.url` is `{PREFIX}REPOSITORY__URL`. A list is written there with commas, a
mapping as JSON.

What is wrong in either is told all at once, each with its line or its variable, before anything is done. A secret is
never written into the settings, but where it is found: `env:NAME` is a variable, `file:PATH` a file.

A relative path or `sqlite:///` address begins at the directory where the command is started, wherever the file of the
settings lies.

A **text** is put in quotes where YAML would read something else. A **length of time** is a number and a unit: `90s`,
`15m`, `2h`, `7d` or `1h30m`.

```yaml
repository:
  url: git@git.example.com:shop/desired.git
state:
  url: postgresql://reconciler@db.example.com/reconciler
api:
  listen: 0.0.0.0:8080
  hosts: [reconciler.example.com]
webhooks:
  github: [env:GITHUB_WEBHOOK_SECRET]
```

What else a process may find in its variables: `PGPASSWORD` and its like for PostgreSQL, `GIT_…` for git,
`OTEL_EXPORTER_OTLP_ENDPOINT` for [traces](metrics.md), and whatever `env:NAME` asks for.
"""


def page() -> str:
    """The page, a section for each group of settings."""
    groups: dict[Place, list[Place]] = {}
    for place in KNOWN:
        groups.setdefault(place[:-1], []).append(place)
    alone = groups.pop(())
    sections = [_section(f"`{'.'.join(group)}`", places) for group, places in groups.items()]
    return "\n".join([_INTRODUCTION, *sections, _section("By themselves", alone)])


def _section(title: str, places: list[Place]) -> str:
    shape = _shape(places[0][:-1])
    said = shape["description"] if len(places[0]) > 1 else "Settings that belong to no group."
    rows = ["| setting | takes | when left out | |", "|---|---|---|---|"]
    for place in places:
        meaning = " ".join(shape["properties"][place[-1]].get("description", "").split())
        rows.append(f"| `{'.'.join(place)}` | {_takes(place)} | {_default(place)} | {meaning} |")
    return f"## {title}\n\n{said}\n\n" + "\n".join(row.replace("  ", " ") for row in rows) + "\n"


def _shape(group: Place) -> dict[str, Any]:
    """The JSON Schema of a group, with what each setting means."""
    whole = SETTINGS.json_schema()
    schemas: dict[str, Any] = {**whole["$defs"], Settings.__name__: whole}
    describe(schemas, shapes_of(Settings))
    found = whole
    for name in group:
        found = schemas[found["properties"][name]["$ref"].rpartition("/")[2]]
    return found


def _takes(place: Place) -> str:
    """What the settings ask for when something stands there that nobody could mean."""
    given: Any = object()
    for name in reversed(place):
        given = {name: given}
    try:
        SETTINGS.validate_python(given)
    except ValidationError as error:
        remedy: str = error.errors()[0]["ctx"]["remedy"]
        takes = remedy.removeprefix("write ")
        return next((short for long, short in _SHORT.items() if takes.startswith(long)), takes.replace("<", "\\<"))
    raise AssertionError(f"{'.'.join(place)} takes anything")


def _default(place: Place) -> str:
    value: Any = SETTINGS.validate_python({})
    for name in place:
        value = getattr(value, name)
    match value:
        case timedelta():
            return f"`{schedule.spell(value)}`"
        case None | "" | () | {}:
            return ""
        case str():
            return f"`{value}`"
        case _:
            return f"`{json.dumps(value)}`"
