"""What all tables share: their collection, and how rows are numbered."""

from sqlalchemy import BigInteger, Column, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows itself only for the type INTEGER."""


def serial(name: str = "id") -> Column[int]:
    """A key that the database counts up."""
    return Column(name, SERIAL, primary_key=True, autoincrement=True)
