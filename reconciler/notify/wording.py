"""How does a notice read, and several of them as one message?

Built-in words, or those of the alert's template. What is known comes from git and from commands, so nothing of it is
taken for a template, and nothing of it can make a link or a mention in Markdown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template

from reconciler.model.alert import FIELDS, Alert
from reconciler.words import plain

MOST = 20
"""So many notices are told in full in one message; the others are counted."""
ENOUGH = 3_000
"""Characters after which no further one is told in full: chats refuse messages that are too long."""
BRIEF = 150
"""Characters of one of several notices."""
LONGEST = 1_000
"""Characters of one field."""
_TITLES = {
    "started": "$app in $environment: $version is being deployed",
    "completed": "$app in $environment: $version is deployed",
    "failed": "$app in $environment: $version FAILED",
    "aborted": "$app in $environment: $version was aborted",
    "rolled-back": "$app in $environment: rolled back to $version",
    "held": "$app in $environment is held",
    "waiting-for-approval": "$app in $environment waits for approval",
    "refused": "$app in $environment: a rule refuses what git asks for",
    "drifted": "$app in $environment has drifted",
    "manifest-broken": "a manifest is broken",
    "head-held": "the head of the branch is held",
    "freeze-began": "the freeze of $environment has begun",
    "change-ahead": "$app in $environment changes at $at",
}
_MARKDOWN = re.compile(r"(?P<ours>(?<!`)`reconciler [A-Za-z0-9 ./:_-]+`(?!`))|[\\`*_{}\[\]()<>#+!|~@]")
"""What Markdown would take for its own, but for the reconciler's own commands: those are code, in which no letter that
they may have here means anything."""


@dataclass(frozen=True, slots=True)
class Words:
    """A message as it is read."""

    title: str
    body: str


def words(alert: Alert, several: Sequence[Mapping[str, str]]) -> Words:
    """The message that tells of these notices, by their fields; at least one."""
    if len(several) == 1:
        title, body = _one(alert, several[0])
        return Words(title, body)
    counted = Counter(one.get("event", "") for one in several)
    told = ", ".join(f"{count} {event}" for event, count in counted.most_common())
    parts = []
    for one in several[:MOST]:
        title, body = _one(alert, one, briefly=True)
        parts.append(f"{_bold(title, alert)}\n{body}" if body else _bold(title, alert))
        if sum(map(len, parts)) > ENOUGH:
            break
    if len(several) > len(parts):
        parts.append(f"… and {len(several) - len(parts)} more: `reconciler alerts show` lists them")
    return Words(f"{len(several)} notices: {told}", "\n\n".join(parts))


def fields(alert: Alert, said: Mapping[str, str]) -> dict[str, str]:
    """Every field that a template may name; empty where there is nothing to say."""
    known = dict.fromkeys(FIELDS, "") | {key: value for key, value in said.items() if key in FIELDS}
    known |= {key: _short(value) for key, value in known.items()}
    known["alert"] = alert.name
    known["title"] = said.get("title") or Template(_TITLES[known["event"]]).safe_substitute(known)
    return known


def _one(alert: Alert, said: Mapping[str, str], *, briefly: bool = False) -> tuple[str, str]:
    """Title and text of one notice; `briefly` is for one of several."""
    known = fields(alert, said)
    template = alert.spec.template
    inside = {key: _escaped(value) for key, value in known.items()} if alert.spec.format == "markdown" else known
    title = Template(template.title).safe_substitute(known) if template and template.title else known["title"]
    if template is not None and template.body:
        return plain(title), Template(template.body).safe_substitute(inside)
    if briefly:
        cut = known["message"][:BRIEF]  # before it is escaped: half a command is no code
        return plain(title), _escaped(cut) if alert.spec.format == "markdown" else cut
    return plain(title), _built_in(inside, known)


def _built_in(known: Mapping[str, str], raw: Mapping[str, str]) -> str:
    lines = [known["message"], "" if known["reason"] == known["message"] else known["reason"]]
    about = [f"{name} {raw[name]}" for name in ("deployment", "cause") if raw[name]]
    about += [f"commit {raw['commit'][:10]}" if raw["commit"] else ""]
    about += [f"by {known['actor']}" if raw["actor"] not in ("", "reconciler") else "", raw["at"]]
    lines += [", ".join(one for one in about if one), raw["next"]]
    return "\n".join(line for line in lines if line)


def _short(text: str) -> str:
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    return "\n".join(plain(line) for line in text.splitlines())


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(lambda found: found["ours"] or f"\\{found[0]}", text)


def _bold(title: str, alert: Alert) -> str:
    return f"**{_escaped(title)}**" if alert.spec.format == "markdown" else title
