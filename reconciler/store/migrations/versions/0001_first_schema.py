"""The first schema."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from reconciler.store.types import Json, Moment

revision = "0001"
down_revision = None
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _where(condition: str) -> dict[str, Any]:
    """What makes an index partial, in the database that is there."""
    return {f"{op.get_context().dialect.name}_where": sa.text(condition)}


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "apps",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("document", Json(), nullable=False),
        sa.Column("bundle", sa.Text(), nullable=True),
        sa.Column("tree", sa.String(length=64), nullable=True),
        sa.Column("content", sa.String(length=80), nullable=True),
        sa.Column("complaints", Json(), nullable=True),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("apps_bundle", "apps", ["bundle"], unique=False)
    op.create_index("apps_due", "apps", ["due_at"], unique=False)
    op.create_index("apps_path", "apps", ["path"], unique=False)
    op.create_table(
        "brakes",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("recorded", sa.Integer(), nullable=False),
        sa.Column("acknowledged_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_table(
        "commits",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("tree", sa.String(length=64), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("author_email", sa.Text(), nullable=False),
        sa.Column("committed_at", Moment(), nullable=False),
        sa.Column("noted_at", Moment(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("pull_request", sa.Integer(), nullable=True),
        sa.Column("direction", sa.String(length=8), nullable=True),
        sa.Column("reverts", Json(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_index("commits_id", "commits", ["id"], unique=False)
    op.create_index(
        "commits_pull_request",
        "commits",
        ["pull_request"],
        unique=False,
        **_where("pull_request IS NOT NULL"),
    )
    op.create_index("commits_subject", "commits", ["subject"], unique=False)
    op.create_table(
        "declarations",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("document", Json(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("path", "ordinal", "kind", "name"),
    )
    op.create_index("declarations_kind_name", "declarations", ["kind", "name"], unique=False)
    op.create_table(
        "dependencies",
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("on", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("app", "on"),
        sqlite_with_rowid=False,
    )
    op.create_index("dependencies_on", "dependencies", ["on"], unique=False)
    op.create_table(
        "deployments",
        sa.Column("sequence", SERIAL, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("traffic", Json(), nullable=False),
        sa.Column("config", Json(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=True),
        sa.Column("deployed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rolled_back_from", sa.String(length=40), nullable=True),
        sa.Column("reverts", Json(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("started_at", Moment(), nullable=True),
        sa.Column("finished_at", Moment(), nullable=True),
        sa.Column("late_by_seconds", sa.Float(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("scm_branch", sa.Text(), nullable=True),
        sa.Column("scm_sha", sa.Text(), nullable=True),
        sa.Column("build_url", sa.Text(), nullable=True),
        sa.Column("extra_metadata", Json(), nullable=False),
        sa.Column("grounds", Json(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", Moment(), nullable=True),
        sa.Column("abort_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("app", "environment", "number", name="deployments_number"),
        sa.UniqueConstraint("id"),
    )
    op.create_index(
        "deployments_active",
        "deployments",
        ["app", "environment"],
        unique=True,
        **_where("status IN ('pending', 'started')"),
    )
    op.create_index("deployments_app", "deployments", ["app", "sequence"], unique=False)
    op.create_index("deployments_environment", "deployments", ["environment", "sequence"], unique=False)
    op.create_index("deployments_status", "deployments", ["status", "environment", "sequence"], unique=False)
    op.create_table(
        "files",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("blob", sa.String(length=64), nullable=False),
        sa.Column("complaints", Json(), nullable=True),
        sa.PrimaryKeyConstraint("path"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "interventions",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("app", sa.String(length=200), nullable=True),
        sa.Column("environment", sa.String(length=200), nullable=True),
        sa.Column("subject", sa.String(length=80), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", Moment(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("done_at", Moment(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "interventions_open",
        "interventions",
        ["kind", "app"],
        unique=False,
        **_where("done_at IS NULL"),
    )
    op.create_table(
        "ledger",
        sa.Column("sequence", SERIAL, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("app", sa.String(length=200), nullable=True),
        sa.Column("environment", sa.String(length=200), nullable=True),
        sa.Column("subject", sa.String(length=80), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.PrimaryKeyConstraint("sequence"),
        sqlite_autoincrement=True,
    )
    op.create_index("ledger_subject", "ledger", ["subject"], unique=False)
    op.create_table(
        "merged",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("pull_request", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sqlite_with_rowid=False,
    )
    op.create_index("merged_subject", "merged", ["subject"], unique=False)
    op.create_table(
        "occurrences",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("noticed_at", Moment(), nullable=False),
        sa.Column("deployment", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("kind", "app", "environment", "due_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "placements",
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.Column("entry", sa.String(length=64), nullable=True),
        sa.Column("touch", sa.Integer(), nullable=True),
        sa.Column("look", sa.String(length=12), nullable=True),
        sa.Column("reverts", Json(), nullable=True),
        sa.PrimaryKeyConstraint("app", "environment"),
        sqlite_with_rowid=False,
    )
    op.create_index("placements_environment", "placements", ["environment"], unique=False)
    op.create_table(
        "repository",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("branch", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), server_default="", nullable=False),
        sa.Column("head", sa.String(length=64), nullable=True),
        sa.Column("tree", sa.String(length=64), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("held_head", sa.String(length=64), nullable=True),
        sa.Column("held_since", Moment(), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("trouble_next_step", sa.Text(), nullable=True),
        sa.Column("trouble_since", Moment(), nullable=True),
        sa.Column("again_at", Moment(), nullable=True),
        sa.Column("foreign_documents", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "seals",
        sa.Column("upto", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("upto"),
    )
    op.create_table(
        "suspicions",
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("what", sa.String(length=80), nullable=False),
        sa.Column("deployment", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("app", "environment", "what"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "touches",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("before", sa.String(length=80), nullable=True),
        sa.Column("after", sa.String(length=80), nullable=True),
        sa.Column("look", sa.String(length=12), nullable=False),
        sa.Column("reverts", Json(), nullable=True),
        sa.Column("braked", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("position", "app", "environment"),
        sqlite_with_rowid=False,
    )
    op.create_index("touches_app", "touches", ["app", "environment", "position"], unique=False)
    op.create_index(
        "touches_braked",
        "touches",
        ["app"],
        unique=False,
        **_where("braked"),
    )
    op.create_table(
        "triggers",
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("requested", sa.String(length=64), nullable=True),
        sa.Column("settings", Json(), nullable=False),
        sa.Column("applied", sa.String(length=64), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retry_at", Moment(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("app", "environment"),
    )
    op.create_index(
        "triggers_open",
        "triggers",
        ["open"],
        unique=False,
        **_where("open"),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("tags", Json(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("author_email", sa.Text(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=True),
        sa.Column("position", sa.Integer(), nullable=True),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("partial", sa.Boolean(), nullable=False),
        sa.Column("content", Json(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("app", "name", name="versions_name"),
        sa.UniqueConstraint("app", "number", name="versions_number"),
    )
    op.create_table(
        "withdrawals",
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("reverts", sa.String(length=64), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("restores", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("version"),
        sqlite_with_rowid=False,
    )
    op.create_index("withdrawals_app", "withdrawals", ["app"], unique=False)
