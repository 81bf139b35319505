"""Which rows say which daemons live, and which of them leads?"""

from sqlalchemy import BigInteger, Column, Float, Integer, Table

from reconciler.store.tables.schema import metadata
from reconciler.store.types import TEXT, Moment, letters

daemons = Table(
    "daemons",
    metadata,
    Column("id", letters(40), primary_key=True),  # one life of one daemon: it is another after a lease was lost
    Column("name", TEXT, nullable=False),  # for people: the machine and the process
    Column("since", Moment, nullable=False),
    Column("beat", BigInteger, nullable=False),  # grows while it lives
    Column("lease", Float),  # seconds for which it may stand still before it is given up; NULL: there is only one
)

leadership = Table(
    "leadership",
    metadata,
    Column("id", Integer, primary_key=True),  # one row
    Column("holder", letters(40)),  # of `daemons`
    Column("fence", BigInteger, nullable=False),  # grows with each change of the holder
    Column("handed_out", BigInteger, nullable=False),  # the newest fence of a deployment, whoever carries it out
    Column(
        "lineage", letters(40), nullable=False, server_default=""
    ),  # another one once a store is restored or rebuilt
    Column("since", Moment),
)
