"""What `tools/bench` says of given samples."""

from __future__ import annotations

import pytest

from tools.benchmark.measures import MEASURES, QUICK, TARGETS, Peer, Samples
from tools.benchmark.report import document, table


def samples_with(**ours: list[float]) -> Samples:
    """The kernel at 10 in everything, wsknet at 10 but for `ours` (a dash in a key is written as _)."""
    samples: Samples = {(measure.key, peer): [10.0] for measure in MEASURES for peer in Peer}
    samples.update({(key.replace("_", "-"), Peer.WSKNET): values for key, values in ours.items()})
    return samples


def missed(samples: Samples) -> list[str]:
    return [target.title for target in TARGETS if not target.is_met(samples)]


def test_targets_are_held_against_the_median() -> None:
    assert missed(samples_with(bulk_in=[0.1, 0.5, 9.0])) == []
    assert missed(samples_with(bulk_in=[0.1, 0.3, 9.0])) == ["bulk TCP in, of the kernel's"]


@pytest.mark.parametrize(
    ("key", "at_bound", "beyond"),
    [("bulk_out", 0.4, 0.39), ("tcp_rr", 40.0, 41.0), ("udp_rr", 40.0, 41.0), ("rr_of_1000", 15.0, 15.1)],
)
def test_each_target_has_its_bound(key: str, at_bound: float, beyond: float) -> None:
    assert missed(samples_with(**{key: [at_bound]})) == []
    assert len(missed(samples_with(**{key: [beyond]}))) == 1


def test_the_cost_of_many_connections_is_wsknets_own() -> None:
    slow_kernel = samples_with() | {("rr-of-1", Peer.KERNEL): [1.0]}

    assert missed(slow_kernel) == []


def test_the_table_tells_medians_ranges_ratios_and_what_was_missed() -> None:
    text = table(samples_with(tcp_rr=[49.0, 50.0, 52.0]))

    assert "50 [49..52] us" in text
    assert "5.000" in text
    assert text.count("MISSED") == 1


def test_the_document_carries_every_sample() -> None:
    told = document(samples_with(connects=[1.0, 2.0, 3.0]), QUICK)

    assert told["measures"]["connects"]["wsknet"] == [1.0, 2.0, 3.0]
    assert [target["met"] for target in told["targets"]] == [True] * len(TARGETS)
