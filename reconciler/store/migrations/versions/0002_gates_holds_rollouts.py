"""Approvals, checks, overrides, holds, signatures, and how far a gradual rollout has come."""

import sqlalchemy as sa
from alembic import op

from reconciler.store.types import Json, Moment

revision = "0002"
down_revision = "0001"
SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Add what promotion with gates needs."""
    op.add_column("deployments", sa.Column("rollout", Json(), nullable=True))
    op.add_column("commits", sa.Column("writers", Json(), nullable=True))
    op.create_table(
        "approvals",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=100), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("approvals_app", "approvals", ["app", "environment", "key"], unique=False)
    op.create_table(
        "requests",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "checks",
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("definition", Json(), nullable=False),
        sa.Column("traffic", Json(), nullable=False),
        sa.Column("config", Json(), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("next_attempt_at", Moment(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("output", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("app", "environment", "key", "name"),
    )
    op.create_index("checks_running", "checks", ["verdict", "at"], unique=False)
    op.create_table(
        "overrides",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("position", "kind", "app", "environment"),
    )
    op.create_index("overrides_app", "overrides", ["app", "environment"], unique=False)
    op.create_index("overrides_commit", "overrides", ["commit"], unique=False)
    op.create_table(
        "holds",
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("traffic", Json(), nullable=False),
        sa.Column("deployment", sa.String(length=40), nullable=True),
        sa.Column("version", sa.String(length=80), nullable=True),
        sa.Column("branch", sa.Text(), nullable=True),
        sa.Column("branch_commit", sa.String(length=64), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("again_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("app", "environment"),
    )
    op.create_table(
        "signatures",
        sa.Column("commit", sa.String(length=64), nullable=False),
        sa.Column("good", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("keys", sa.String(length=64), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("commit"),
    )
