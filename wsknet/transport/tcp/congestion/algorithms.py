"""The congestion controls by their names."""

from __future__ import annotations

from wsknet.tcp_policy import CongestionAlgorithm
from wsknet.transport.tcp.congestion.base import CongestionFactory
from wsknet.transport.tcp.congestion.cubic import Cubic
from wsknet.transport.tcp.congestion.reno import Reno

ALGORITHMS: dict[CongestionAlgorithm, CongestionFactory] = {
    CongestionAlgorithm.NEW_RENO: Reno,
    CongestionAlgorithm.CUBIC: Cubic,
}
