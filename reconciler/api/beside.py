"""How does a daemon have its HTTP face beside it? As a process of its own, so that readers never slow reconciling.

It is started again when it ends by itself, and ends when the daemon is gone, however that came.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from reconciler import telemetry
from reconciler.telemetry.busy import Busy

log = telemetry.logger("api")
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between two starts: doubled each time, up to a minute; as at first again once it has lived longer."""
_PATIENCE = 10.0


class Beside:
    """A `reconciler serve` that lives as long as this process."""

    def __init__(self, options: Sequence[str], busy: Busy | None = None) -> None:
        """`options` are for the command line; while the daemon is `busy`, answers wait a moment."""
        self._options = options
        self._busy = busy
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="api", daemon=True)
        self._reading, self._writing = os.pipe()

    def __enter__(self) -> Beside:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Serve no more; what is being answered may come to its end."""
        with self._lock:
            self._stopping.set()
            process = self._process
        os.close(self._writing)
        if process is not None:
            # One that is still starting does not hear of the pipe's end yet.
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)
        os.close(self._reading)

    def _watch(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            begun = time.monotonic()
            status = self._served()
            if self._stopping.is_set():
                return
            if time.monotonic() - begun > LONGEST_PAUSE:
                pause = FIRST_PAUSE  # it has been of use meanwhile
            log.warning("api.ended", status=status, next=f"started again in {pause:g} s")
            self._stopping.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _served(self) -> int | str:
        """Start it and wait for its end: its status, or why it cannot be started."""
        with self._lock:
            if self._stopping.is_set():
                return 0
            try:
                shared = {"--beside": self._reading, **({"--busy": self._busy.file} if self._busy else {})}
                told = [word for name, file in shared.items() for word in (name, str(file))]
                process = self._process = subprocess.Popen(
                    [sys.executable, "-m", "reconciler", "serve", *self._options, *told],
                    pass_fds=list(shared.values()),
                    stdin=subprocess.DEVNULL,
                    # Its own session: what a terminal sends to the daemon reaches it through the daemon alone, and
                    # what it stands back by counts against everything else.
                    start_new_session=True,
                )
            except OSError as error:
                return error.strerror or str(error)
        return process.wait()
