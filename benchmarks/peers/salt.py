"""Salt without a master: so many managed files. It looks at every file, each time."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.children import Cost, run
from benchmarks.peers import body, environment, path_of

_MINION = """\
file_client: local
id: bench
root_dir: {place}/root
file_roots: {{base: [{place}/srv]}}
log_level: error
log_level_logfile: quiet
enable_fqdns_grains: false
enable_gpu_grains: false
user: root
"""


class Salt:
    """Files that have been written once."""

    def __init__(self, place: Path, files: int) -> None:
        self._bin, self._place, self._files, self._revision = environment("salt"), place, files, 1
        for directory in ("srv/files", "target", "conf"):
            (place / directory).mkdir(parents=True)
        states = []
        for number in range(files):
            name = f"a{number:06d}"
            (place / "srv" / "files" / f"{name}.yaml").write_text(body(number))
            states += [f"app-{name}:", "  file.managed:", f"    - name: {place}/target/{name}.yaml"]
            states += [f"    - source: salt://files/{name}.yaml"]
        (place / "srv" / "apps.sls").write_text("\n".join(states) + "\n")
        (place / "srv" / "top.sls").write_text("base:\n  '*':\n    - apps\n")
        (place / "conf" / "minion").write_text(_MINION.format(place=place))
        self._apply(changed=files)

    def _apply(self, changed: int) -> Cost:
        command = [
            self._bin / "salt-call",
            "-c",
            self._place / "conf",
            "--local",
            "--state-output=changes",
            "state.apply",
        ]
        cost = run(command, env=path_of(self._bin))
        said = re.search(r"Succeeded:\s*(\d+)(?:\s*\(changed=(\d+)\))?", re.sub(r"\x1b\[[0-9;]*m", "", cost.output))
        assert said, cost.output[-500:]
        assert (int(said[1]), int(said[2] or 0)) == (self._files, changed), said[0]
        return cost

    def nothing_to_do(self) -> Cost:
        return self._apply(changed=0)

    def one_change(self) -> Cost:
        self._revision += 1
        (self._place / "srv" / "files" / "a000003.yaml").write_text(body(3, self._revision))
        cost = self._apply(changed=1)
        assert (self._place / "target" / "a000003.yaml").read_text() == body(3, self._revision)
        return cost
