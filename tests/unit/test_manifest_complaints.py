"""What is said about a wrong manifest: every mistake at once, in its line and column, with what helps."""

from __future__ import annotations

import pytest

from reconciler.manifest import parse

APP = "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: booking}\nspec:\n"
IN = APP + "  environments: [sandbox]\n"
LIVE = APP + "  environments:\n    live:\n"
ENVIRONMENT = "apiVersion: reconciler/v1\nkind: Environment\nmetadata: {name: live}\nspec:\n"
SEASON = (
    "apiVersion: reconciler/v1\nkind: Season\nmetadata: {name: christmas}\nspec:\n"
    "  apps: [booking]\n  environments: [live]\n  config: {greeting: Hi}\n"
)
APPSET = "apiVersion: reconciler/v1\nkind: AppSet\nmetadata: {name: sites}\nspec:\n"
FREEZE = "apiVersion: reconciler/v1\nkind: Freeze\nmetadata: {name: f}\nspec:\n  environments: [live]\n"
TWICE = "such as [10, 50, 100]"
NAME = "use letters, digits, '.', '_' and '-', beginning with a letter or a digit"
WHERE = "say where, such as environments: [sandbox]; nothing runs anywhere by silence"
FIELDS = "minute, hour, day of month, month, day of week, such as '0 9 * * mon-thu'"
KINDS = "there are Alert, App, AppSet, Environment, Freeze, Group, Resource and Season"

WRONG = [
    # The document as a whole.
    ("apiVersion: reconciler/v1\n", [f"1:1: kind is missing ({KINDS})"]),
    ("apiVersion: reconciler/v1\nkind: [App]\n", [f"2:1: kind takes a text ({KINDS})"]),
    ("apiVersion: reconciler/v1\nkind: Deployment\n", [f"2:7: the kind Deployment is not known here ({KINDS})"]),
    (
        "apiVersion: reconciler/v1\nkind: Environments\n",
        ["2:7: the kind Environments is not known here (did you mean Environment?)"],
    ),
    (
        "kind: App\napiVersion: reconciler/v1beta1\n",
        ["2:13: the apiVersion reconciler/v1beta1 is not known here (write apiVersion: reconciler/v1)"],
    ),
    (
        "# misspelt\napi-version: reconciler/v1\nkind: App\n",
        ["2:1: the key api-version is not known here (did you mean apiVersion?)"],
    ),
    (
        "apiVersion: reconciler/v1\nkind: App\n",
        [
            "1:1: metadata is missing (such as metadata: {name: booking})",
            "1:1: spec is missing (add it)",
        ],
    ),
    (
        "apiVersion: reconciler/v1\nkind: App\nmetadata:\nspec: x\n",
        [
            "3:1: metadata is empty (give it a mapping, or leave it out)",
            "4:7: spec takes a mapping, not a text",
        ],
    ),
    (
        "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: ../x, labels: {a: 5, b c: d}}\n"
        "spec: {environments: [a]}\n",
        [
            f"3:18: name is no name ({NAME})",
            '3:36: a takes a text, not a number (quote it: "5")',
            f"3:39: the key b c is no name ({NAME})",
        ],
    ),
    # Environments of an App.
    (APP + "  image: x\n", [f"4:1: environments is missing ({WHERE})"]),
    (APP + "  environments: sandbox\n", [f"5:17: environments takes a mapping, not a text ({WHERE})"]),
    (APP + "  environments: [a, a]\n", ["5:3: an environment stands twice in this list (remove one)"]),
    (
        APP + "  environments: [a, {live: {}}]\n",
        ["5:3: a list of environments holds names (write a mapping to say more about one)"],
    ),
    (APP + "  environments: [sandbox, 'b c']\n", [f"5:27: entry 2 of environments is no name ({NAME})"]),
    (APP + "  environments: {sandbox: 5}\n", ["5:27: sandbox takes a mapping, not a number"]),
    (
        LIVE + "      track: sandbox\n      version: '1'\n",
        ["8:16: track and version exclude each other (give at most one)"],
    ),
    (
        LIVE + "      version: '1'\n      traffic: [{version: a, percent: 100}]\n",
        ["8:7: version and traffic exclude each other (give at most one)"],
    ),
    # What YAML makes of a text without quotes.
    (IN + "  version: 1.10\n", ['6:12: version takes a text, not a number (quote it: "1.10")']),
    (IN + "  version: 010\n", ['6:12: version takes a text, not a number (quote it: "010")']),
    (IN + "  version: 12345678\n", ['6:12: version takes a text, not a number (quote it: "12345678")']),
    (IN + "  owner: true\n", ['6:10: owner takes a text, not true (quote it: "true")']),
    (
        IN + "  owner: no\n",
        ["6:10: 'no' stands without quotes and is a truth value to many readers of YAML (quote it: \"no\")"],
    ),
    (
        IN + "  owner: 2026-12-01\n",
        ["6:10: '2026-12-01' stands without quotes and is a date to many readers of YAML (quote it: \"2026-12-01\")"],
    ),
    (
        IN + "  owner: 12:30\n",
        ["6:10: '12:30' stands without quotes and is a number to many readers of YAML (quote it: \"12:30\")"],
    ),
    (IN + "  version: 1e400\n", ["6:12: this number is too large (quote it)"]),
    (IN + "  config: {a: .inf}\n", ["6:15: infinity and not-a-number are no values of JSON (quote it)"]),
    (
        IN + "  config: {a: 9223372036854775808}\n",
        ["6:15: this whole number does not fit into 64 bits (quote it)"],
    ),
    # Keys that are not known.
    (IN + "  dependsOn: [a]\n", ["6:3: the key dependsOn is not known here (did you mean depends_on?)"]),
    (IN + "  conf: {a: 1}\n", ["6:3: the key conf is not known here (did you mean config?)"]),
    (IN + "  img: x\n", ["6:3: the key img is not known here (did you mean image?)"]),
    (
        LIVE + "      schedule:\n        - {at: '2026-12-01T00:00Z', verzion: a}\n",
        ["8:37: the key verzion is not known here (did you mean version?)"],
    ),
    (
        APPSET + "  directories: ['sites/*']\n  template: {metadata: {name: x}, spec: {environment: [a]}}\n",
        [
            "6:25: the key name is not known here (there are labels)",
            f"6:35: environments is missing ({WHERE})",
            "6:42: the key environment is not known here (did you mean environments?)",
        ],
    ),
    # Texts.
    (
        IN + '  image: "a\\nb"\n',
        ["6:10: image holds a line break or another control character (write it in one line)"],
    ),
    (IN + '  image: "a\\x1bb"\n', ["6:10: this text holds the control character U+001B (remove it)"]),
    (IN + '  config: {"a\\0": x}\n', ["6:12: this text holds the control character U+0000 (remove it)"]),
    (IN + f"  version: {'x' * 101}\n", ["6:12: version has more than 100 characters (shorten it)"]),
    (IN + "  version: [1]\n", ["6:3: version takes a text, not a list"]),
    (IN + "  config:\n", ["6:3: config is empty (give it a mapping, or leave it out)"]),
    # Lists, numbers and choices.
    (IN + "  depends_on: payments\n", ["6:15: depends_on takes a list, not a text (write [payments])"]),
    (IN + "  bindings: [{name: A, type: kv}]\n", ["6:14: resource is missing (add it)"]),
    (IN + "  bindings: [5]\n", ["6:14: entry 1 of bindings takes a mapping, not a number"]),
    (
        IN + "  bindings: [{name: A, type: kv, resource: a}, {name: A, type: kv, resource: b}]\n",
        ["6:3: a name stands twice in bindings (give each its own)"],
    ),
    (ENVIRONMENT + "  concurrency: 0\n", ["5:16: concurrency must be at least 1"]),
    (ENVIRONMENT + "  concurrency: 1.5\n", ["5:16: concurrency takes a whole number, not a fraction"]),
    (ENVIRONMENT + "  concurrency: '8'\n", ["5:16: concurrency takes a whole number, not a text"]),
    (ENVIRONMENT + "  prune: yes\n", ["5:10: prune takes true or false, not a text (write true or false)"]),
    (
        ENVIRONMENT + "  on_failure: roleback\n",
        ["5:15: on_failure is rollback or hold, not roleback (did you mean rollback?)"],
    ),
    (ENVIRONMENT + "  target: {type: 5}\n", ["5:18: the type of a target is a text (such as type: directory)"]),
    (
        ENVIRONMENT + "  gates: {approvals: many, mode: offf}\n",
        [
            "5:22: approvals takes a whole number or a mapping, not a text",
            "5:34: mode is enforced, report or off, not offf (did you mean off?)",
        ],
    ),
    (ENVIRONMENT + "  rollout: {}\n", ["5:3: steps is missing (add it)"]),
    (
        ENVIRONMENT + "  rollout: {steps: [50, 10]}\n",
        [
            f"5:13: the steps must rise, and the last one must be 100 ({TWICE})",
        ],
    ),
    (
        "apiVersion: reconciler/v1\nkind: Environment\nmetadata: {name: latest}\n",
        ["3:18: latest stands for the newest content (choose another name)"],
    ),
    # Percentages.
    (
        LIVE + "      traffic: [{version: a, percent: 60}, {version: b, percent: 30}]\n",
        ["7:7: the percentages add up to 90, not to 100 (correct them)"],
    ),
    (
        LIVE + "      traffic: [{version: a, percent: 60}, {version: a, percent: 40}]\n",
        ["7:7: a version stands twice in this split (add its shares up)"],
    ),
    (
        LIVE + "      traffic: [{version: a, percent: 101}, {version: b, percent: -1}]\n",
        ["7:39: percent must be at most 100", "7:67: percent must be at least 0"],
    ),
    (LIVE + "      traffic: []\n", ["7:7: traffic is empty (add one)"]),
    # Paths.
    (IN + "  bundle: /etc\n", ["6:11: '/etc' is absolute (write it relative to the manifest)"]),
    (IN + "  bundle: ../../x\n", ["6:11: '../../x' leaves the repository (name a directory inside it)"]),
    (
        APPSET + "  directories: ['a/**', '../x']\n  template: {spec: {environments: [a]}}\n",
        [
            "5:17: 'a/**' has ** (write one * for each level, such as sites/*/*)",
            "5:25: '../x' has a segment that no directory has (write it like sites/*, relative to the followed path)",
        ],
    ),
    (
        APPSET + "  directories: ['sites/*']\n  template: {spec: {bundle: ../../.., environments: [a]}}\n",
        ["6:29: '../../..' leaves the repository (name a directory inside it)"],
    ),
    # Times.
    (
        IN + "  triggers: {crons: ['*/5 * * * *', '61 * * * *']}\n",
        [f"6:37: the cron expression '61 * * * *' is wrong: Bad minute (the fields are {FIELDS})"],
    ),
    (
        LIVE + "      schedule:\n        - {at: '2026-12-02T09:00Z', version: a}\n"
        "        - {at: '2026-12-01T09:00Z', version: b}\n        - {at: '2026-12-01T10:00+01:00', version: c}\n",
        [
            "9:16: this is before the moment of the entry above (keep entries in order of time)",
            "10:16: this is the moment of the entry above (keep entries in order of time)",
        ],
    ),
    (
        LIVE + "      schedule:\n        - {at: '2026-12-02T09:00', version: a}\n",
        [
            "8:16: '2026-12-02T09:00' does not say where the clock hangs"
            " (add a timezone such as Europe/Paris, or an offset: 2026-12-02T09:00Z)"
        ],
    ),
    (
        LIVE + "      pause: {by: ada, until: '2026-12-01', timezone: Europe/Pari}\n",
        ["7:7: reason is missing (say why)"],
    ),
    (
        LIVE + "      pause: {by: ada, reason: x, until: '2026-12-01', timezone: Europe/Pari}\n",
        ["7:66: there is no time zone 'Europe/Pari' (did you mean Europe/Paris?)"],
    ),
    (
        LIVE + "      when: {cron: '0 9 * * mon'}\n",
        [
            "7:20: a cron needs a timezone (add it, such as timezone: Europe/Paris)",
        ],
    ),
    (
        ENVIRONMENT + "  retry: {backoff: 10}\n",
        ["5:20: a length of time is a number and a unit (write it like 90s, 15m, 2h or 7d)"],
    ),
    (
        ENVIRONMENT + "  retry: {backoff: 10 sec}\n",
        ["5:20: '10 sec' is not a duration (write a number and a unit: 90s, 15m, 2h, 7d or 1h30m)"],
    ),
    # Seasons and freezes.
    (
        SEASON + "  from: '2026-12-01T00:00Z'\n  until: '2026-11-01T00:00Z'\n",
        [
            "9:10: it ends (2026-11-01T00:00Z) before it starts (2026-12-01T00:00Z), or at once"
            " ('until' must be later than 'from'; over New Year it has the year after)"
        ],
    ),
    (SEASON + "  from: '2026-12-01T00:00Z'\n", ["4:1: until is missing (say when it ends)"]),
    (
        SEASON + "  from: '2026-12-01'\n  until: '2027-01-01'\n  repeat: yearly\n",
        ["4:1: 'timezone' is missing (add it, such as timezone: Europe/Paris)"],
    ),
    (
        SEASON + "  from: '2026-12-01'\n  until: '2027-01-01'\n  repeat: weekly\n  timezone: UTC\n",
        ["10:11: 'weekly' is not a repetition (write yearly, or a rule such as FREQ=WEEKLY;BYDAY=FR)"],
    ),
    (
        SEASON + "  repeat: {holiday: DE/Easter Monday, from: 3d, until: 1d}\n  timezone: Europe/Berlin\n",
        [
            "8:56: it ends (1d) before it starts (3d), or at once"
            " ('until' must be later than 'from'; over New Year it has the year after)"
        ],
    ),
    (
        SEASON + "  repeat: {holiday: DE/Easter Monday, from: 3d, til: 1d}\n  timezone: Europe/Berlin\n",
        ["8:3: until is missing (add it)", "8:49: the key til is not known here (did you mean until?)"],
    ),
    (
        SEASON + "  from: '2026-12-01'\n  repeat: {holiday: DE/Easter Monday, from: -3d, until: 1d}\n",
        ["8:9: around a holiday, from and until stand inside repeat (move them there)"],
    ),
    (
        SEASON.replace("[booking]", "booking") + "  from: '2026-12-01T00:00Z'\n  until: '2027-11-01T00:00Z'\n",
        ["5:9: apps takes a list or a mapping, not a text"],
    ),
    (
        SEASON.replace("[booking]", "[a b]") + "  from: '2026-12-01T00:00Z'\n  until: '2027-11-01T00:00Z'\n",
        [f"5:10: entry 1 of apps is no name ({NAME})"],
    ),
    (
        SEASON.replace("[booking]", "{team: 5}") + "  from: '2026-12-01T00:00Z'\n  until: '2027-11-01T00:00Z'\n",
        ['5:16: team takes a text, not a number (quote it: "5")'],
    ),
    (
        FREEZE + "  cron: '0 18 * * *'\n  timezone: UTC\n  reason: x\n",
        [
            "6:9: cron and duration go together (give both or neither)",
        ],
    ),
    (
        FREEZE + "  from: '2026-12-01T00:00Z'\n  until: '2027-11-01T00:00Z'\n  allow: [everything]\n",
        [
            "4:1: reason is missing (say why)",
            "8:11: entry 1 of allow is release, promotion, schedule, season, rollback, restore, retry, repair"
            " or hotfix, not everything",
        ],
    ),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_said(text: str, said: list[str]) -> None:
    parsed = parse("apps/a.yaml", text.encode())
    assert [str(complaint) for complaint in parsed.complaints] == [f"apps/a.yaml:{line}" for line in said]
    assert parsed.declarations == ()
