"""OctoDNS: one zone with so many records, from one directory of YAML to another.

It reads both sides, as our `plan` does.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.children import Cost, run
from benchmarks.peers import environment, path_of

_CONFIG = """\
manager: {{max_workers: 1}}
providers:
  in: {{class: octodns.provider.yaml.YamlProvider, directory: {place}/in, enforce_order: false}}
  out: {{class: octodns.provider.yaml.YamlProvider, directory: {place}/out, enforce_order: false}}
zones:
  example.test.: {{sources: [in], targets: [out]}}
"""
CHANGED = 5


class Octodns:
    """A zone that has been written once."""

    def __init__(self, place: Path, records: int) -> None:
        self._bin, self._place, self._records, self._address = environment("octodns"), place, records, 0
        (place / "in").mkdir(parents=True)
        (place / "out").mkdir()
        (place / "config.yaml").write_text(_CONFIG.format(place=place))
        self._write(None)
        self._sync("--doit", "--force")
        assert self._written().count("value:") == records

    def _write(self, changed: str | None) -> None:
        lines = ["---"]
        for number in range(self._records):
            value = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
            address = changed if changed and number == CHANGED else value
            lines += [f"r{number:06d}:", "  ttl: 300", "  type: A", f"  value: {address}"]
        (self._place / "in" / "example.test.yaml").write_text("\n".join(lines) + "\n")

    def _sync(self, *options: str) -> Cost:
        command = [self._bin / "octodns-sync", f"--config-file={self._place}/config.yaml", *options]
        return run(command, env=path_of(self._bin))

    def _written(self) -> str:
        return (self._place / "out" / "example.test.yaml").read_text()

    def nothing_to_do(self) -> Cost:
        cost = self._sync()
        assert "No changes were planned" in cost.output, cost.output[-500:]
        return cost

    def one_change(self) -> Cost:
        self._address += 1
        address = f"192.0.2.{self._address}"
        self._write(address)
        cost = self._sync("--doit", "--force")
        assert address in self._written(), cost.output[-500:]
        return cost
