"""What do all tables share?"""

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData()
# A table whose rows are short and are found by their key is kept in the order of the key itself (`with_rowid`):
# one page is written in place of two. Partial indexes are named for SQLite; see `partial_in_postgresql`.
Serial = BigInteger().with_variant(Integer, "sqlite")


def partial_in_postgresql() -> None:
    """Let the partial indexes be partial in PostgreSQL too, when a store lies there.

    Not said where each is declared: naming a database there loads what SQLAlchemy has for it, with every command.
    """
    for table in metadata.tables.values():
        for index in table.indexes:
            where = index.dialect_options["sqlite"]["where"]
            if where is not None:
                index.dialect_options["postgresql"]["where"] = where
