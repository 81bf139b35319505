"""Which paths are there? One file for each noun; each has a `router`."""
