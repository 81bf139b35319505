"""What is being carried out at this moment, and what has been answered?

A bounded pool of threads. Answers wait here until the next cycle records them; if the process is killed before
that, the deployment is still `started` in the store and is carried out again, which targets bear. A daemon that was
given up by the others forgets all of it: nothing that is answered afterwards counts.
"""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from reconciler.engine.checking import CheckJob, check_gate, check_step
from reconciler.engine.outcomes import CheckOutcome, Gate, Outcome, TriggersOutcome
from reconciler.engine.perform import Job, Surroundings, TriggersJob, hand_over_triggers, perform

GATHERING = 0.02
"""Seconds for which answers are gathered at most."""

Answer = Outcome | TriggersOutcome | CheckOutcome
J = TypeVar("J", Job, TriggersJob, CheckJob)


class Pool:
    """Carries jobs out; `nudge` is called when there is an answer."""

    def __init__(
        self,
        surroundings: Surroundings,
        workers: int,
        nudge: Callable[[], None],
        may_act: Callable[[], bool] = lambda: True,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        """`may_act` is asked right before a target is: whether this daemon is sure that the others count on it.

        `prepare` is called before each job is handed to a thread.
        """
        self.workers = workers
        self._surroundings = surroundings
        self._nudge = nudge
        self._may_act = may_act
        self._begin_threads()
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._arrived = threading.Condition()
        self._awaited = 0
        self._life = 0
        self._acting: Counter[int] = Counter()
        """How many threads carry something out, by the life that began it."""
        self._running: dict[str, Job] = {}
        self._triggers: set[tuple[str, str]] = set()
        self._checks: dict[Gate, CheckJob] = {}
        self._abandoned = False
        self._prepare = prepare

    def _begin_threads(self) -> None:
        self._executor = ThreadPoolExecutor(self.workers, thread_name_prefix="deployment")
        # Threads of their own: a rollback must not wait for a check that takes minutes.
        self._checkers = ThreadPoolExecutor(self.workers, thread_name_prefix="check")

    def expect(self, targets: Sequence[Mapping[str, Any]]) -> None:
        """A deployment to each of these targets is decided, and will be begun."""
        self._surroundings.expect(targets)

    def begin(self, job: Job) -> None:
        """Carry a deployment out; one that is being carried out already is not begun twice."""
        with self._lock:
            if self._abandoned or job.release.deployment in self._running:
                return
            self._running[job.release.deployment] = job
            self._hand_on(self._executor, job, perform if job.checks is None else check_step)

    def begin_triggers(self, job: TriggersJob) -> None:
        """Hand trigger settings over."""
        with self._lock:
            if self._abandoned or (job.app, job.environment) in self._triggers:
                return
            self._triggers.add((job.app, job.environment))
            self._hand_on(self._executor, job, hand_over_triggers)

    def begin_check(self, job: CheckJob) -> None:
        """Run a check of a gate; the checks of one gate run one after another."""
        with self._lock:
            if self._abandoned or job.gate in self._checks:
                return
            self._checks[job.gate] = job
            self._hand_on(self._checkers, job, check_gate)

    def _hand_on(self, threads: ThreadPoolExecutor, job: J, how: Callable[[J, Surroundings], Answer]) -> None:
        self._prepare()
        threads.submit(self._carry_out, job, how, self._life)

    def _carry_out(self, job: J, how: Callable[[J, Surroundings], Answer], life: int) -> None:
        with self._lock:
            if life != self._life:  # forgotten before it was begun: another one may carry it out by now
                return
            self._acting[life] += 1
        try:
            if not self._may_act():
                self._nudge()  # whoever takes turns finds out why
                return
            answer = how(job, self._surroundings)
        finally:
            with self._lock:
                self._acting[life] -= 1
        with self._lock:
            if self._abandoned or life != self._life:
                return
            self._answers.put(answer)
        with self._arrived:
            if self._answers.qsize() >= self._awaited:  # to wake whoever gathers for each one costs more than the rest
                self._arrived.notify()
        self._nudge()

    def stop(self, deployment: str) -> None:
        """Tell a running deployment to stop; its answer follows."""
        with self._lock:
            job = self._running.get(deployment)
        if job is not None:
            job.stop.set()

    def answers(self) -> list[Answer]:
        """What has been answered since the last call; each stays `busy` until `recorded`."""
        found: list[Answer] = []
        while not self._answers.empty():
            found.append(self._answers.get())
        return found

    def gather(self) -> None:
        """Wait for more answers, a moment at most: a turn about several costs a fraction of as many turns."""
        with self._lock:
            enough = len(self._running) // 2
        with self._arrived:
            self._awaited = enough
            self._arrived.wait_for(lambda: self._answers.qsize() >= enough, timeout=GATHERING)

    def recorded(self, answers: list[Answer]) -> None:
        """These answers are in the store: what they are about may be begun again."""
        with self._lock:
            for answer in answers:
                if isinstance(answer, Outcome):
                    self._running.pop(answer.deployment, None)
                elif isinstance(answer, CheckOutcome):
                    self._checks.pop(answer.gate, None)
                else:
                    self._triggers.discard((answer.app, answer.environment))

    def give_back(self, answers: list[Answer]) -> None:
        """These answers could not be recorded: the next cycle tries again."""
        for answer in answers:
            self._answers.put(answer)

    @property
    def busy(self) -> frozenset[str]:
        """Ids of the deployments that are being carried out or whose answer is not recorded yet."""
        with self._lock:
            return frozenset(self._running)

    @property
    def handing_over(self) -> frozenset[tuple[str, str]]:
        """Where trigger settings are being handed over."""
        with self._lock:
            return frozenset(self._triggers)

    @property
    def checking(self) -> frozenset[Gate]:
        """The gates of which a check is being run: app, environment and key."""
        with self._lock:
            return frozenset(self._checks)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and every answer has been recorded."""
        with self._lock:
            return not self._running and not self._triggers and not self._checks

    def still_ends(self) -> bool:
        """Whether anything that was forgotten has not come to its end yet."""
        with self._lock:
            return any(count for life, count in self._acting.items() if life != self._life)

    def under_way(self) -> list[str]:
        """What is being carried out, in words: `shop in live, deployment 3`."""
        with self._lock:
            releases = [job.release for job in self._running.values()]
            checks = [(job.check.name, job.release) for job in self._checks.values()]
        deployments = [f"{one.app} in {one.environment}, deployment {one.number}" for one in releases]
        return deployments + [f"the check {name} for {one.app} in {one.environment}" for name, one in checks]

    def abandon(self) -> None:
        """Tell everything to stop and take no answer any more: the next start takes up what is not recorded.

        An answer that somebody forces is none about the deployment.
        """
        with self._lock:
            self._abandoned = True
        self._stop_everything()

    def forget(self) -> None:
        """Stop everything and take no answer to it: others carry it out. What is begun from now on counts."""
        self._stop_everything()
        with self._lock:
            before = (self._executor, self._checkers)
            self._life += 1
            self._running, self._triggers, self._checks = {}, set(), {}
            self._answers = queue.SimpleQueue()
            self._begin_threads()  # those from before may hang for long
        for executor in before:
            executor.shutdown(wait=False, cancel_futures=True)

    def _stop_everything(self) -> None:
        with self._lock:
            stops = [job.stop for job in self._running.values()] + [job.stop for job in self._checks.values()]
        for stop in stops:
            stop.set()

    def close(self, stop_running: bool = False) -> None:
        """Let what runs come to its end (or tell it to stop first); nothing new is begun."""
        if stop_running:
            self._stop_everything()
        self._executor.shutdown(wait=True, cancel_futures=True)
        self._checkers.shutdown(wait=True, cancel_futures=True)
