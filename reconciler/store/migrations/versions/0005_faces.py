"""Tokens and sessions of those who ask over HTTP, deployments reported from elsewhere, webhooks that were seen."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from reconciler.store.tables.schema import Serial
from reconciler.store.types import Json, Moment

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("expires_at", Moment),
        sa.Column("revoked_at", Moment),
        sa.Column("revoked_by", sa.Text),
        sa.Column("used_at", Moment),
    )
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("scopes", Json, nullable=False),
        sa.Column("roles", Json, nullable=False),
        sa.Column("token", sa.String(16)),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
    )
    op.create_index("sessions_expires", "sessions", ["expires_at"])
    op.create_table(
        "webhooks",
        sa.Column("forge", sa.String(20), primary_key=True),
        sa.Column("delivery", sa.String(100), primary_key=True),
        sa.Column("at", Moment, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("webhooks_at", "webhooks", ["at"])
    _reports()


def _reports() -> None:
    op.create_table(
        "reports",
        sa.Column("sequence", Serial, primary_key=True),
        sa.Column("id", sa.String(40), nullable=False, unique=True),
        sa.Column("app", sa.String(200), nullable=False),
        sa.Column("environment", sa.String(200), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("status", sa.String(10), nullable=False),
        sa.Column("deployed_by", sa.Text, nullable=False),
        sa.Column("scm_branch", sa.Text),
        sa.Column("scm_sha", sa.Text),
        sa.Column("build_url", sa.Text),
        sa.Column("extra_metadata", Json, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("started_at", Moment),
        sa.Column("finished_at", Moment),
        sa.UniqueConstraint("app", "environment", "number", name="reports_number"),
    )
    unended: dict[str, Any] = {f"{op.get_context().dialect.name}_where": sa.text("status IN ('pending', 'started')")}
    op.create_index("reports_active", "reports", ["app", "environment", "version"], unique=True, **unended)
    op.create_index("reports_version", "reports", ["app", "environment", "version", "sequence"])
    op.create_index("reports_app", "reports", ["app", "sequence"])
    op.create_index("reports_environment", "reports", ["environment", "sequence"])
    op.create_index("reports_created", "reports", ["created_at", "sequence"])
