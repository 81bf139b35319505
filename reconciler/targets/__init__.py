"""EDGE: where deployments are carried out. One file per target.

    base        the protocol that every target keeps, and what its surroundings lend it
    registry    finds targets by entry point, a stranger's as well as ours
    settings    reads what a target is told, with complaints
    contract    the suite that every target passes; a third party runs it too
    directory   immutable release directories (layout: release_directory; disk: durable)
    exec        any command (process, output, secrets, variables, receipts, leftovers)
    bundle      a version's files, unpacked and looked at; both use it

What should be deployed, when, and how often it is tried is decided elsewhere. Nothing here knows git or the
store.
"""
