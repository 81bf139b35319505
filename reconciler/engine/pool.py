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

    def begin(self, job: Job) -> None:
        """Carry a deployment out; one that is being carried out already is not begun twice."""
        with self._lock:
            if job.release.deployment in self._running:
                return
            self._running[job.release.deployment] = job
        self._executor.submit(self._deploy, job)

    def begin_triggers(self, job: TriggersJob) -> None:
        """Hand trigger settings over."""
        with self._lock:
            if (job.app, job.environment) in self._triggers:
                return
            self._triggers.add((job.app, job.environment))
        self._executor.submit(self._hand_over, job)

    def _deploy(self, job: Job) -> None:
        self._answers.put(perform(job, self._surroundings))
        self._nudge()

    def _hand_over(self, job: TriggersJob) -> None:
        self._answers.put(hand_over_triggers(job, self._surroundings))
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

    def close(self, stop_running: bool = False) -> None:
        """Let what runs come to its end (or tell it to stop first); nothing new is begun."""
        if stop_running:
            for identifier in self.busy:
                self.stop(identifier)
        self._executor.shutdown(wait=True, cancel_futures=True)
