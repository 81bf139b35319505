"""Routes, domains and crons are where they were handed over, and do not move with an environment."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Of what was handed over before nobody knows where, nor which answer is whose: it is handed over once more."""
    with op.batch_alter_table("triggers") as triggers:
        triggers.add_column(sa.Column("target", sa.String(16)))
        triggers.add_column(sa.Column("fence", sa.BigInteger))
