"""What Prometheus would read of a world, and what of it can be asked."""

from __future__ import annotations

from datetime import datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families

from reconciler.api.exposition import Exposition
from tests.world import World

Labels = dict[str, str]


class Scraped:
    """One answer."""

    def __init__(self, text: bytes) -> None:
        self.text = text.decode()
        self.families = {family.name: family for family in text_string_to_metric_families(self.text)}

    @property
    def names(self) -> set[str]:
        """The names that a query may ask for."""
        kinds = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
        return {f"{name}{end}" for name, family in self.families.items() for end in kinds[family.type]}

    def of(self, name: str) -> list[tuple[Labels, float]]:
        """Labels and values of a metric."""
        samples = (sample for family in self.families.values() for sample in family.samples)
        return [(sample.labels, sample.value) for sample in samples if sample.name == name]

    def value(self, name: str, **labels: str) -> float | None:
        """The one value with these labels; None where there is none."""
        found = [value for known, value in self.of(name) if labels.items() <= known.items()]
        assert len(found) <= 1, found
        return found[0] if found else None

    def some(self, name: str, label: str, **labels: str) -> dict[str, float]:
        """What is not 0, by a label."""
        known = [(one, value) for one, value in self.of(name) if labels.items() <= one.items()]
        return {one[label]: value for one, value in known if value}


def scraped(world: World, after: timedelta = timedelta()) -> Scraped:
    """What is read of a world now."""
    with world.running() as found:
        return Scraped(Exposition(found.database, world.directory / "state").text(world.now + after))


def scraped_from(exposition: Exposition, now: datetime) -> Scraped:
    """What is read here now."""
    return Scraped(exposition.text(now))
