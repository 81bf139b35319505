"""What do answers look like? One example of each, written by the code that writes answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.api import shapes
from reconciler.model import output, shown
from reconciler.model.comparison import ChangedBy, Code, Comparison, Edit, FileChange, Section, comparison_json, end_of
from reconciler.model.deployment import Allotment, Deployment, Event
from reconciler.model.figures import Figures, Measured, Spread, measured_json
from reconciler.model.gates import Gates
from reconciler.model.reasons import Why, why_json
from reconciler.model.surroundings import DaemonShown, RepositoryShown, Surroundings, surroundings_json
from reconciler.model.telling import AlertShown, Delivery, MessageShown, NoticeShown, alert_json, message_json
from reconciler.model.version import Author, Version

_AT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
_COMMIT, _BEFORE = "5f2c9a1be07d4c38a6e1d2f3b4c5a69788970a1b", "0c1d2e3f405162738495a6b7c8d9eafb0c1d2e3f"
_ANN = Author(name="Ann Example", email="ann@example.com")


def _version(number: int, commit: str, at: datetime, message: str) -> Version:
    return Version(
        id=f"sha256:{str(number) * 64}"[:71],
        app="shop",
        number=number,
        name=None,
        message=message,
        tags=(),
        author=_ANN,
        commit=commit,
        created_at=at,
        bundle=commit[::-1],
        image=None,
        config={"limit": number},
        bindings=(),
        secrets=(),
        migrations=(),
    )


_OLD = _version(6, _BEFORE, _AT - timedelta(days=3), "Show prices with tax")
_NEW = _version(7, _COMMIT, _AT, "Ask for the postcode first")
_DEPLOYMENT = Deployment(
    id="3b1f0c9a8e7d6c5b",
    number=7,
    app="shop",
    environment="live",
    status="completed",
    cause="promotion",
    traffic=(Allotment(version=_NEW.id, number=7, percent=100.0),),
    commit=_COMMIT,
    deployed_by=_ANN.email,
    reason="v7 completed in pre-release",
    created_at=_AT,
    started_at=_AT + timedelta(seconds=1),
    finished_at=_AT + timedelta(seconds=3.5),
)
_EVENTS = tuple(
    Event(at=_AT + timedelta(seconds=after), status=status, actor="reconciler")
    for after, status in ((0, "pending"), (1, "started"), (3.5, "completed"))
)
_STANDING = output.Standing(
    app="shop",
    environment="live",
    deployment=_DEPLOYMENT,
    desired=output.Wanted(traffic=_DEPLOYMENT.traffic),
    in_sync=True,
)
_SURROUNDINGS = Surroundings(
    daemon=DaemonShown(running=True, next_step="", error=None, error_since=None, again_at=None),
    repository=RepositoryShown(
        url="https://git.example.com/desired.git",
        branch="main",
        path=".",
        head=_COMMIT,
        reading=False,
        held_head=None,
        held_since=None,
        error=None,
        next_step=None,
        error_since=None,
        again_at=None,
        broken_files=0,
        complaint=None,
    ),
)
_FIGURES = Figures(
    since=_AT,
    until=_AT + timedelta(days=30),
    deployments=42,
    completed=40,
    failed=2,
    changes=38,
    changes_failed=2,
    rollbacks=2,
    deployment_frequency=1.27,
    success_rate=0.952,
    failure_rate=0.048,
    change_failure_rate=0.053,
    lead_time=Spread(count=38, median=310.0, p90=86_400.0, mean=9_100.0),
)
_PLAN = shown.PlanShown(
    commit=_COMMIT,
    at=_AT,
    actions=(
        shown.PlannedAction(
            action="deploy",
            app="shop",
            environment="live",
            cause="promotion",
            traffic=_DEPLOYMENT.traffic,
            reason=_DEPLOYMENT.reason,
        ),
    ),
    waiting=(),
    refused=(),
    wake_at=None,
)
_APP = shapes.AppShown(
    name="shop",
    owner="payments",
    labels={"team": "payments", "tier": "web"},
    environments=("sandbox", "pre-release", "live"),
    path="apps/shop.yaml",
    bundle="apps/shop",
    depends_on=(),
    content=_NEW.id,
    removed=False,
    complaints=(),
)

VERSION: dict[str, Any] = output.version_json(_NEW)
DEPLOYMENT: dict[str, Any] = output.deployment_json(_DEPLOYMENT)
DEPLOYMENT_TOLD: dict[str, Any] = output.deployment_json(_DEPLOYMENT, _EVENTS)
STANDING: dict[str, Any] = output.standing_json(_STANDING)
APPROVABLE: dict[str, Any] = output.approvable_json(
    output.Approvable(
        app="shop",
        environment="live",
        id="0c61196e03be",
        what="v7",
        detail="v7 has 0 of 1 approval: `reconciler approve 0c61196e03be`, by someone other than ann@example.com",
        authors=(_ANN.email,),
        approved_by=(),
        elsewhere=False,
    )
)
STATUS: dict[str, Any] = STANDING | surroundings_json(_SURROUNDINGS)
PLAN: dict[str, Any] = shown.plan_json(_PLAN)
FIGURES: dict[str, Any] = measured_json(
    Measured(figures=_FIGURES, earlier=Figures(since=_AT - timedelta(days=30), until=_AT))
)
APP: dict[str, Any] = shapes.APP_SHOWN.dump_python(_APP, mode="json")
APP_TOLD: dict[str, Any] = APP | {"standings": [STANDING]}
EDGE: dict[str, Any] = output.edge_json(
    output.Edge(
        at=_AT,
        cause="season-start",
        app="shop",
        environment="live",
        name="winter",
        detail="v7 → winter-2026",
        cancel="to call it off, remove the season at seasons/winter.yaml:4",
    )
)
COMPARISON: dict[str, Any] = comparison_json(
    Comparison(
        app="shop",
        before=end_of(_OLD),
        after=end_of(_NEW),
        code=Code(
            before=_OLD.bundle,
            after=_NEW.bundle,
            diff="diff --git a/index.html b/index.html\n",
            cut=False,
            missing=None,
            files=(FileChange(path="index.html", kind="changed", added=3, deleted=1),),
        ),
        config=Section(changed={"limit": Edit(before=6, after=7)}),
        bindings=Section(),
        secrets=Section(),
        migrations=Section(),
        image=Section(),
        name=Section(),
        changed_by={
            "config": {
                "limit": ChangedBy(
                    name=_ANN.name, email=_ANN.email, commit=_COMMIT, version=_NEW.id, number=7, at=_NEW.created_at
                )
            }
        },
    )
)
WHY: dict[str, Any] = why_json(
    Why(
        app="shop",
        environment="live",
        steps=(
            output.Step(number=1, about="manifest", text="apps/shop.yaml:9:7 places shop in live"),
            output.Step(number=2, about="version", text=f"the branch asks for v7: {_COMMIT[:10]} published it"),
            output.Step(number=3, about="deployment", text="deployment 7 runs v7 since 2026-11-02T09:30:03.500000Z"),
        ),
    )
)
ENVIRONMENT: dict[str, Any] = shapes.ENVIRONMENT_SHOWN.dump_python(
    shapes.EnvironmentShown(
        name="live",
        labels={},
        track="pre-release",
        target="directory",
        when=None,
        gates=Gates(soak=timedelta(hours=1), approvals=1),
        rollout=None,
        on_failure="rollback",
        concurrency=8,
        prune=False,
        apps=12,
    ),
    mode="json",
)
FACT: dict[str, Any] = shapes.FACT.dump_python(
    shapes.Fact(
        sequence=1204,
        at=_AT,
        kind="deployment.completed",
        app="shop",
        environment="live",
        subject=_DEPLOYMENT.id,
        actor="reconciler",
        body={"number": 7, "message": ""},
    ),
    mode="json",
)
VERIFICATION: dict[str, Any] = shapes.VERIFICATION.dump_python(
    shapes.Verification(sound=True, entries=1204, unsealed=3, broken_after=None, damage=()), mode="json"
)
DRIFTED: dict[str, Any] = shapes.DRIFTED.dump_python(
    shapes.Drifted(
        app="shop",
        environment="live",
        deployment=_DEPLOYMENT.id,
        drift=shapes.DriftSeen(since=_AT, detail="index.html was changed"),
        unknown=None,
    ),
    mode="json",
)
ALERT: dict[str, Any] = alert_json(
    AlertShown(
        name="checkout-failed",
        to="env:TEAM_CHAT",
        events=("failed", "rolled-back"),
        apps={"team": "payments"},
        environments=("live",),
        format="text",
        messages={"sent": 12},
    )
)
_MESSAGE = MessageShown(
    id="0d4c9e1f2a3b4c5d6e7f8091a2b3c4d5",
    channel="alert",
    alert="checkout-failed",
    title="shop failed in live",
    notices=1,
    status="sent",
    made_at=_AT,
    ended_at=_AT + timedelta(seconds=2),
    deliveries=(Delivery(attempt=1, at=_AT, ended_at=_AT + timedelta(seconds=2), outcome="sent"),),
)
MESSAGE: dict[str, Any] = message_json(_MESSAGE)
MESSAGE_TOLD: dict[str, Any] = message_json(
    _MESSAGE, [NoticeShown(at=_AT, event="failed", app="shop", environment="live", title="shop failed in live")]
)
FEED = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//reconciler//calendar//EN\r\nEND:VCALENDAR\r\n"
METRICS = (
    "# HELP reconciler_apps Apps that git declares somewhere.\n# TYPE reconciler_apps gauge\nreconciler_apps 12.0\n"
)

_KEPT: list[Any] = []


def kept(example: Any) -> str:
    """A word that stands for an example until `restored`: FastAPI would leave out whatever is null in it."""
    if example not in _KEPT:
        _KEPT.append(example)
    return f"example {_KEPT.index(example)}"


def restored(described: dict[str, Any]) -> None:
    """Put the examples into a description."""
    named = {kept(example): example for example in _KEPT}
    for operations in described["paths"].values():
        for operation in operations.values():
            for answer in operation["responses"].values():
                for told in answer.get("content", {}).values():
                    if isinstance(told.get("example"), str) and told["example"] in named:
                        told["example"] = named[told["example"]]
