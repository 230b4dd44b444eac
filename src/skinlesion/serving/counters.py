"""What a service counts for Prometheus: requests, lesions and times, nothing of their content."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

__all__ = ["Counters"]

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
LESIONS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1024, 4096)


class Counters:
    """Counters of one service.

    Args:
        in_work: Gives the requests that are in work.
        waiting: Gives those of them that wait for their turn.
    """

    def __init__(self, in_work: Callable[[], int], waiting: Callable[[], int]) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "skinlesion_requests", "Requests", ["route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "skinlesion_request_seconds",
            "From a request to its answer",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self._batch_lesions = Histogram(
            "skinlesion_batch_lesions", "Lesions of a batch", buckets=LESIONS, registry=registry
        )
        self._batch_seconds = Histogram(
            "skinlesion_batch_seconds", "Seconds of a batch", buckets=SECONDS, registry=registry
        )
        for name, what, value in (
            ("skinlesion_requests_in_work", "Requests in work", in_work),
            ("skinlesion_requests_waiting", "Requests whose turn has not come", waiting),
        ):
            Gauge(name, what, registry=registry).set_function(value)

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered.

        Args:
            route: Of the service, never the address that was asked for.
            status: Of HTTP.
            seconds: Until its answer was sent.
        """
        self._requests.labels(route, status).inc()
        self._seconds.labels(route).observe(seconds)

    def batch(self, n_lesions: int, seconds: float) -> None:
        """Count a batch that was scored.

        Args:
            n_lesions: Of it.
            seconds: Until they were scored.
        """
        self._batch_lesions.observe(n_lesions)
        self._batch_seconds.observe(seconds)

    def text(self) -> bytes:
        """Write all of them as Prometheus reads them."""
        return generate_latest(self.registry)
