"""g(desired, recorded, now) -> Plan. Pure: no I/O, no clock, no randomness, no log.

What should run is `reconciler.desired`'s question; how a commit looks like a revert is the git room's. Here:
what a commit means (`noting`), what an environment is to release and why (`aim`), and what is to be done about
it (`plan`).
"""
