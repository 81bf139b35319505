"""ansible-pull: a playbook in git with so many files to copy, as one task each or as one task with a loop.

With `-o` it ends at once where there is no new commit, as our tick does; without, it looks at every file, each time.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Literal

from benchmarks.children import Cost, run
from benchmarks.peers import body, environment, path_of


class Ansible:
    """A repository that has been pulled once; its files are written unless `only_git` is set."""

    def __init__(
        self,
        place: Path,
        files: int,
        style: Literal["tasks", "loop"],
        *,
        only_changed: bool = False,
        only_git: bool = False,
    ) -> None:
        self._bin, self._place, self._files, self._revision = environment("ansible"), place, files, 1
        self._options = ["-o"] if only_changed else []
        self._tasks = files if style == "tasks" else 1
        self._repo, self._target = place / "repo", place / "target"
        (self._repo / "files").mkdir(parents=True)
        self._target.mkdir()
        names = [f"a{number:06d}.yaml" for number in range(files)]
        for number, name in enumerate(names):
            (self._repo / "files" / name).write_text(body(number))
        (self._repo / "local.yml").write_text(_playbook(names, self._target, style))
        self._git("init", "--quiet", "--initial-branch=main")
        self._commit("Begin")
        if only_git:  # nothing is applied: where there is no new commit, nothing would be looked at either
            self._pull("--tags", "nothing-of-this-kind")
        else:
            self._applied(self._pull(), changed=self._tasks)
            assert len(list(self._target.iterdir())) == files

    def _git(self, *arguments: str) -> None:
        who = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
        subprocess.run(["git", "-C", str(self._repo), *who, *arguments], check=True, capture_output=True)

    def _commit(self, message: str) -> None:
        self._git("add", ".")
        self._git("commit", "--quiet", f"--message={message}")

    def _pull(self, *options: str) -> Cost:
        variables = {
            **path_of(self._bin),
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_HOME": f"{self._place}/home",
            "ANSIBLE_NOCOLOR": "1",
        }
        command = [
            self._bin / "ansible-pull",
            "-U",
            f"file://{self._repo}",
            "-C",
            "main",
            "-d",
            self._place / "checkout",
        ]
        pinned = ["-i", "localhost,", "-e", f"ansible_python_interpreter={self._bin}/python"]
        return run([*command, *pinned, *options, "local.yml"], env=variables)

    def _applied(self, cost: Cost, changed: int) -> None:
        said = re.findall(r"ok=(\d+)\s+changed=(\d+).*?failed=(\d+)", cost.output)
        assert said, cost.output[-500:]
        assert said[-1] == (str(self._tasks), str(changed), "0"), said

    def nothing_to_do(self) -> Cost:
        cost = self._pull(*self._options)
        if self._options:
            assert "Repository has not changed, quitting" in cost.output, cost.output[-500:]
        else:
            self._applied(cost, changed=0)
        return cost

    def one_change(self) -> Cost:
        self._revision += 1
        (self._repo / "files" / "a000003.yaml").write_text(body(3, self._revision))
        self._commit(f"Revision {self._revision}")
        cost = self._pull(*self._options)
        self._applied(cost, changed=1)
        assert (self._target / "a000003.yaml").read_text() == body(3, self._revision)
        return cost


def _playbook(names: list[str], target: Path, style: str) -> str:
    lines = ["- hosts: localhost", "  connection: local", "  gather_facts: false", "  tasks:"]
    if style == "loop":
        lines += ["    - name: apps", "      ansible.builtin.copy:", '        src: "files/{{ item }}"']
        lines += [f'        dest: "{target}/{{{{ item }}}}"', "      loop:", *(f"        - {name}" for name in names)]
    else:
        for name in names:
            lines += [f"    - name: {name}", "      ansible.builtin.copy:", f"        src: files/{name}"]
            lines += [f"        dest: {target}/{name}"]
    return "\n".join(lines) + "\n"
