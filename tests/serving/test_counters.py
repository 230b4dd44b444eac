"""serving.counters: counts and times for Prometheus."""

from prometheus_client.parser import text_string_to_metric_families

from skinlesion.serving.counters import Counters


def values(counters: Counters) -> dict[str, float]:
    families = text_string_to_metric_families(counters.text().decode())
    return {s.name + "".join(s.labels.values()): s.value for f in families for s in f.samples}


def test_requests_are_counted_by_route_and_status_and_batches_by_size():
    counters = Counters(lambda: 3, lambda: 2)
    counters.request("/v1/lesions", 200, 0.2)
    counters.request("/v1/lesions", 200, 0.4)
    counters.batch(40, 0.5)
    found = values(counters)

    assert found["skinlesion_requests_total/v1/lesions200"] == 2
    assert found["skinlesion_request_seconds_sum/v1/lesions"] == 0.6000000000000001
    assert found["skinlesion_batch_lesions_sum"] == 40
    assert found["skinlesion_requests_in_work"] == 3
    assert found["skinlesion_requests_waiting"] == 2


def test_two_services_of_a_process_count_apart():
    one, other = Counters(lambda: 0, lambda: 0), Counters(lambda: 0, lambda: 0)
    one.batch(1, 1)

    assert values(other)["skinlesion_batch_lesions_count"] == 0


def test_the_memory_of_the_process_is_among_them():
    assert values(Counters(lambda: 0, lambda: 0))["process_resident_memory_bytes"] > 1e6
