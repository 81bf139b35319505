"""Daemons that share a store, which of them leads, what each carries out, and where something has drifted."""

import sqlalchemy as sa
from alembic import op

from reconciler.store.types import Moment

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add what several daemons on one store need."""
    op.add_column("deployments", sa.Column("claimed_by", sa.String(length=40), nullable=True))
    op.add_column("deployments", sa.Column("fence", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "daemons",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "leadership",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(length=40), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("handed_out", sa.BigInteger(), nullable=False),
        sa.Column("lineage", sa.String(length=40), nullable=False, server_default=""),
        sa.Column("since", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "drifts",
        sa.Column("app", sa.String(length=200), nullable=False),
        sa.Column("environment", sa.String(length=200), nullable=False),
        sa.Column("deployment", sa.String(length=40), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("app", "environment"),
        sqlite_with_rowid=False,
    )
