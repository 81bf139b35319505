"""The recorded side: one implementation for SQLite and PostgreSQL.

One file a noun; every function takes the connection that its caller's transaction is on. Nothing here decides
what should run.
"""
