"""What is being carried out at this moment, and what has been answered?

A bounded pool of threads. Answers wait here until the next cycle records them; if the process is killed before
that, the deployment is still `started` in the store and is carried out again, which targets bear.
"""

import queue
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from reconciler.engine.outcomes import Outcome, TriggersOutcome
from reconciler.engine.perform import Job, Surroundings, TriggersJob, hand_over_triggers, perform


class Pool:
    """Carries jobs out; `nudge` is called when there is an answer."""

    def __init__(self, surroundings: Surroundings, workers: int, nudge: Callable[[], None]) -> None:
        self.workers = workers
        self._surroundings = surroundings
        self._nudge = nudge
        self._executor = ThreadPoolExecutor(workers, thread_name_prefix="deployment")
        self._answers: queue.SimpleQueue[Outcome | TriggersOutcome] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running: dict[str, Job] = {}
        self._triggers: set[tuple[str, str]] = set()
        self._abandoned = False

    def begin(self, job: Job) -> None:
        """Carry a deployment out; one that is being carried out already is not begun twice."""
        with self._lock:
            if self._abandoned or job.release.deployment in self._running:
                return
            self._running[job.release.deployment] = job
        self._executor.submit(self._deploy, job)

    def begin_triggers(self, job: TriggersJob) -> None:
        """Hand trigger settings over."""
        with self._lock:
            if self._abandoned or (job.app, job.environment) in self._triggers:
                return
            self._triggers.add((job.app, job.environment))
        self._executor.submit(self._hand_over, job)

    def _deploy(self, job: Job) -> None:
        self._answered(perform(job, self._surroundings))

    def _hand_over(self, job: TriggersJob) -> None:
        self._answered(hand_over_triggers(job, self._surroundings))

    def _answered(self, answer: Outcome | TriggersOutcome) -> None:
        with self._lock:
            if self._abandoned:
                return
            self._answers.put(answer)
        self._nudge()

    def stop(self, deployment: str) -> None:
        """Tell a running deployment to stop; its answer follows."""
        with self._lock:
            job = self._running.get(deployment)
        if job is not None:
            job.stop.set()

    def answers(self) -> list[Outcome | TriggersOutcome]:
        """What has been answered since the last call; each stays `busy` until `recorded`."""
        found: list[Outcome | TriggersOutcome] = []
        while not self._answers.empty():
            found.append(self._answers.get())
        return found

    def recorded(self, answers: list[Outcome | TriggersOutcome]) -> None:
        """These answers are in the store: what they are about may be begun again."""
        with self._lock:
            for answer in answers:
                if isinstance(answer, Outcome):
                    self._running.pop(answer.deployment, None)
                else:
                    self._triggers.discard((answer.app, answer.environment))

    def give_back(self, answers: list[Outcome | TriggersOutcome]) -> None:
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
    def idle(self) -> bool:
        """Whether nothing is under way and every answer has been recorded."""
        with self._lock:
            return not self._running and not self._triggers

    def by_environment(self) -> Counter[str]:
        """How many deployments are being carried out in each environment."""
        with self._lock:
            return Counter(job.release.environment for job in self._running.values())

    def under_way(self) -> list[str]:
        """What is being carried out, in words: `shop in live, deployment 3`."""
        with self._lock:
            releases = [job.release for job in self._running.values()]
        return [f"{one.app} in {one.environment}, deployment {one.number}" for one in releases]

    def abandon(self) -> None:
        """Tell everything to stop and take no answer any more: the next start takes up what is not recorded.

        An answer that somebody forces is none about the deployment.
        """
        with self._lock:
            self._abandoned = True
            for job in self._running.values():
                job.stop.set()

    def close(self, stop_running: bool = False) -> None:
        """Let what runs come to its end (or tell it to stop first); nothing new is begun."""
        if stop_running:
            for identifier in self.busy:
                self.stop(identifier)
        self._executor.shutdown(wait=True, cancel_futures=True)
