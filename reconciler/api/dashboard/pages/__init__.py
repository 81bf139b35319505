"""Which pages are there? One file for each; each has a `router`."""
