"""A shop with a history, for pages to be looked at: every state that a page shows occurs somewhere in it.

The daemon's own code lives through five weeks on a clock that is turned, up to the same moment always. Apps that
nothing happens to are many, as everywhere. What the pages are to say of it does not belong here.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.store import tables
from reconciler.wishes import approving
from tests.world import World

MOMENT = datetime(2026, 11, 24, 9, 42, tzinfo=UTC)
ZONE = "Europe/Berlin"
CHAIN = ["sandbox", "pre-release", "live"]
QUIET = {
    "analytics-ingest": "data", "cart": "shop", "edge-router": "platform", "email-worker": "platform",
    "fraud-scoring": "money", "identity": "platform", "notifications": "platform", "reviews": "growth",
}  # fmt: skip
HOSTILE = "<b>lazy</b> & \"quoted\" <script>document.title='owned'</script>"
"""What somebody may write into a commit."""
ANA, TOM, LENA = "Ana Ruiz <ana@example.org>", "Tom Berg <tom@example.org>", "Lena Vogt <lena@example.org>"
_BREAKS = 'test ! -e "broken-in-$RECONCILER_ENVIRONMENT" || { echo "exited with 137: out of memory" >&2; exit 1; }'


def manifest(kind: str, name: str, spec: Any, **metadata: Any) -> str:
    """A manifest."""
    return json.dumps(
        {"apiVersion": "reconciler/v1", "kind": kind, "metadata": {"name": name, **metadata}, "spec": spec}
    )


def app(name: str, team: str, environments: Any = None, **spec: Any) -> str:
    """An App whose bundle lies beside it."""
    body = {"bundle": name, "environments": CHAIN if environments is None else environments, **spec}
    return manifest("App", name, body, labels={"team": team})


def _environment(name: str, track: str, **spec: Any) -> str:
    target = {"type": "exec", "command": ["/bin/sh", "-c", _BREAKS], "timeout": "30s"}
    return manifest("Environment", name, {"track": track, "target": target, "retry": {"limit": 0}, **spec})


STORE_CONFIG = {"timeout": "5s", "greeting": "Hello", "legacy_form": True, "currency": "EUR", "page_size": 24}
STORE_BINDINGS = [{"name": "ADDRESSES", "type": "kv", "resource": "addresses"}]


def storefront(version: str, **spec: Any) -> str:
    """The app at which most happens."""
    live = {
        "gates": {"soak": "2h", "approvals": {"qa": 1}},
        "rollout": {"steps": [5, 25, 50, 100], "interval": "15m"},
    }
    body = {
        "version": version,
        "config": STORE_CONFIG,
        "bindings": STORE_BINDINGS,
        "secrets": [{"name": "API_KEY", "from": "env:STORE_KEY"}],
        "migrations": ["0042"],
        "triggers": {"routes": ["shop.example/*"], "crons": ["0 4 * * *"]},
        **spec,
    }
    return app("storefront", "web", {"sandbox": {}, "pre-release": {}, "live": live}, **body)


CHECKOUT_TS = "\n".join(f"  line{number}();" for number in range(60))


class Estate(World):
    """The shop."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.now = MOMENT - timedelta(days=36)
        self.settings["api"] = {"listen": "127.0.0.1:0", "timezone": ZONE}

    @classmethod
    def found(cls, directory: Path) -> Estate:
        """One that has been lived through in this directory."""
        made = cls.__new__(cls)
        made.directory, made.now = directory, MOMENT
        made.settings = json.loads((directory / "settings.json").read_text())
        return made

    def push(self, message: str, files: dict[str, str | bytes | None], author: str = ANA) -> str:
        """A commit of some minutes ago, carried out as far as it goes now."""
        self.repo.now = self.now - timedelta(minutes=4 + len(message) % 23)
        made = self.repo.write(files).commit(message, author)
        self.repo.push()
        self.settle()
        return made

    def until(self, **before: float) -> None:
        """Let time pass until so long before the moment at which it is looked at, and do what is due by then."""
        self.now = MOMENT - timedelta(**before)
        self.settle()

    def approve(self, name: str, role: str | None = None, actor: str = "priya@example.org") -> None:
        """Approve what stands at the gate of live."""
        with self.running() as found, found.database.write() as transaction:
            approving.approve(transaction, f"{name}/live", actor=actor, now=self.now, role=role, reason="tried it")
        self.settle()

    def live(self) -> Estate:
        """Live through all of it."""
        os.environ.setdefault("STORE_KEY", "a secret of the shop")
        self._begin()
        self._weeks()
        self._last_days()
        self._today()
        (self.directory / "settings.json").write_text(json.dumps(self.settings))
        return self

    def _begin(self) -> None:
        files: dict[str, str | bytes | None] = {
            "environments.yaml": "\n---\n".join(
                [
                    _environment("sandbox", "latest"),
                    _environment("pre-release", "sandbox"),
                    _environment("live", "pre-release", rollback={"limit": 10}),
                ]
            ),
            "resources.yaml": "\n---\n".join(
                manifest("Resource", name, {"type": "kv"}) for name in ("addresses", "geocoder")
            ),
            "storefront/checkout.ts": CHECKOUT_TS,
            "storefront/index.html": "<h1>Bowls</h1>\n",
        }
        for name, team in QUIET.items():
            files |= {f"{name}.yaml": app(name, team), f"{name}/main.txt": name}
        for name, team in {
            "booking-agent": "agents", "checkout": "web", "gift-cards": "shop", "invoices": "money",
            "legacy-import": "data", "payments": "money", "pricing": "shop", "recommendations": "growth",
            "search": "growth",
        }.items():  # fmt: skip
            files |= {f"{name}.yaml": app(name, team), f"{name}/main.txt": "one"}
        files["storefront.yaml"] = storefront("2.13.0")
        self.push("Begin: one shop, eighteen apps", files, TOM)
        self.later(hours=3)
        self.approve("storefront", "qa")
        self.later(hours=1)
        self.settle()

    def _weeks(self) -> None:
        """A release on most working days, one of which goes wrong."""
        for day, name in enumerate(
            ("cart", "identity", "reviews", "checkout", "invoices", "pricing", "cart", "search")
        ):
            self.until(days=33 - 3 * day, hours=day % 4)
            self.push(
                f"{name.capitalize()}: improvement {day}", {f"{name}/main.txt": f"change {day}"}, (ANA, TOM)[day % 2]
            )
        self.until(days=12)
        self.push("Product page: smaller images", {"storefront.yaml": storefront("2.14.0")}, TOM)
        self.until(days=11, hours=20)
        self.approve("storefront", "qa")
        self.until(days=11, hours=18)
        bad = self.push(HOSTILE, {"cart/main.txt": "lazy"}, TOM)
        self.later(minutes=25)
        self.repo.now = self.now
        self.repo.revert(bad)
        self.repo.push()
        self.settle()
        self._experiment()

    def _experiment(self) -> None:
        self.until(days=9)
        self.push("Booking: shorter answers", {"booking-agent/main.txt": "two"}, LENA)
        split = {"traffic": [{"version": "v1", "percent": 90}, {"version": "v2", "percent": 10}]}
        places = {"sandbox": {}, "pre-release": {}, "live": split}
        self.push(
            "Booking: try the shorter answers", {"booking-agent.yaml": app("booking-agent", "agents", places)}, LENA
        )

    def _last_days(self) -> None:
        self.until(days=4)
        seasons = [
            ("black-friday", ["storefront", "pricing"], "2026-11-26T18:00", "2026-12-01T08:00"),
            ("christmas", ["storefront", "gift-cards"], "2026-12-01T00:00", "2026-12-27T06:00"),
        ]
        config = {"greeting": "Merry Christmas", "banner": "Free delivery"}
        declared = [
            manifest(
                "Season",
                name,
                {
                    "apps": apps,
                    "environments": ["live"],
                    "from": start,
                    "until": until,
                    "timezone": ZONE,
                    "config": config,
                }
                | ({"priority": 1} if name == "christmas" else {}),
            )
            for name, apps, start, until in seasons
        ]
        freeze = {
            "environments": ["live"], "from": "2026-12-21T18:00", "until": "2027-01-04T08:00", "timezone": ZONE,
            "allow": ["season"], "reason": "Nobody is in the office",
        }  # fmt: skip
        audit = {
            "environments": ["live"], "apps": ["invoices"], "from": "2026-11-24T08:00", "until": "2026-12-01T12:00",
            "timezone": ZONE, "reason": "audit",
        }  # fmt: skip
        train = {"when": {"cron": "0 14 * * tue,thu", "timezone": ZONE}}
        self.push(
            "Plans for the winter",
            {
                "calendar.yaml": "\n---\n".join(
                    [*declared, manifest("Freeze", "year-end", freeze), manifest("Freeze", "audit", audit)]
                ),
                "checkout.yaml": app("checkout", "web", {"sandbox": {}, "pre-release": {}, "live": train}),
            },
            LENA,
        )
        self.until(days=1, hours=2)
        self.push("Checkout: pay by invoice", {"checkout/main.txt": "by invoice"}, ANA)
        pause = {"pause": {"by": LENA, "reason": "load test", "until": "2026-11-25T18:00", "timezone": ZONE}}
        self.push(
            "Recommendations: pause for the load test",
            {
                "recommendations.yaml": app(
                    "recommendations", "growth", {"sandbox": {}, "pre-release": {}, "live": pause}
                )
            },
            LENA,
        )
        self.push("Recommendations: a new model", {"recommendations/main.txt": "two"}, LENA)
        self.push(
            "Gift cards 1.9.0",
            {"gift-cards/main.txt": "two", "gift-cards.yaml": app("gift-cards", "shop", version="1.9.0")},
        )
        later = {"schedule": [{"at": "2026-12-14T09:00", "timezone": ZONE, "version": "v1"}]}
        self.push(
            "Pricing: back to the old rules in December",
            {"pricing.yaml": app("pricing", "shop", {"sandbox": {}, "pre-release": {}, "live": later})},
        )

    def _today(self) -> None:
        self.until(hours=8)
        self.push("Payments: retry on 502", {"payments/main.txt": "two", "payments/broken-in-live": ""}, ANA)
        self.until(hours=3, minutes=30)
        self.push(
            "Checkout form: retry on 502",
            {
                "storefront/checkout.ts": CHECKOUT_TS.replace("line40", "retry40"),
                "storefront.yaml": storefront("2.14.1"),
            },
            ANA,
        )
        self.until(hours=2)
        self.push("Invoices: rounding", {"invoices/main.txt": "rounded"}, TOM)
        self.until(minutes=24)
        self.approve("storefront", "qa")
        changed = {**STORE_CONFIG, "timeout": "8s", "autocomplete": True}
        changed.pop("legacy_form")
        bindings = [*STORE_BINDINGS, {"name": "GEOCODER", "type": "kv", "resource": "geocoder"}]
        self.until(minutes=21)
        self.push(
            "New address form, autocomplete (#1836)",
            {
                "storefront.yaml": storefront("2.15.0", config=changed, bindings=bindings, migrations=["0042", "0043"]),
                "storefront/address.ts": "export const complete = true;\n",
                "storefront/checkout.ts": CHECKOUT_TS.replace("line10", "before10").replace("line40", "retry40"),
                "storefront/index.html": None,
            },
            LENA,
        )
        self.until(minutes=6)
        self.push(
            "Search: faster index",
            {"search.yaml": "apiVersion: reconciler/v1\nkind: App\nmetadata: {name: search}\nspec: {bundl: search}\n"},
            TOM,
        )
        self.push("Legacy import: gone", {"legacy-import.yaml": None}, TOM)
        self.until()
        self._elsewhere()

    def _elsewhere(self) -> None:
        """Deployments that others made and reported."""
        rows = [
            ("cart", "live", 1, "cdn-88", "failed", 5.0),
            ("warehouse-erp", "live", 1, "2026.46", "completed", 26.0),
            ("warehouse-erp", "pre-release", 1, "2026.47", "completed", 4.0),
            ("warehouse-erp", "live", 2, "2026.47", "started", 0.2),
        ]
        with self.running() as found, found.database.write() as transaction:
            for count, (name, environment, number, version, status, hours) in enumerate(rows, 1):
                at = self.now - timedelta(hours=hours)
                report = {
                    "id": f"{count:016x}",
                    "app": name,
                    "environment": environment,
                    "number": number,
                    "version": version,
                    "status": status,
                    "deployed_by": "jenkins",
                    "scm_branch": "main",
                    "scm_sha": "77aa210" * 5,
                    "build_url": "https://ci.example.org/job/5",
                    "extra_metadata": {"runner": "west"},
                    "error": "the CDN answered 503" if status == "failed" else None,
                    "created_at": at,
                    "started_at": at,
                    "finished_at": None if status == "started" else at + timedelta(minutes=3),
                }
                transaction.connection.execute(tables.reports.insert().values(**report))
