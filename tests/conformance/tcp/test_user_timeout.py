"""User timeout: RFC 9293 3.9.1.1 and 3.10.8, RFC 5482 3."""

from __future__ import annotations

import pytest

from tests.support.tcp_script import script
from wsknet.types import Family

FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name)


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8", "RFC9293-MUST-21")
def test_data_that_is_not_acknowledged_in_time_ends_the_connection(family: Family) -> None:
    script(
        """
        0      established
        0      set user_timeout 2s
        0      write 100
        0      > P. 1:101(100) ack 1
        .3     > P. 1:101(100) ack 1
        .9     > P. 1:101(100) ack 1
        1.999  told nothing
        *      > R *:*(0)
        +0     told FAILED
        +0     error TIMED_OUT
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8")
def test_progress_starts_the_time_anew(family: Family) -> None:
    script(
        """
        0      established mss 1000
        0      set user_timeout 2s
        0      write 2000
        0      > P. 1:2001(2000) ack 1 by 1000
        .3     > . 1:1001(1000) ack 1
        .9     > . 1:1001(1000) ack 1
        1.5    < . 1:1(0) ack 1001
        *      > P. 1001:2001(1000) ack 1
        +.1    < . 1:1(0) ack 2001
        +10    state ESTABLISHED
        """,
        family,
    )


@FAMILIES
@pytest.mark.rule("RFC9293-3.10.8")
def test_an_idle_connection_has_all_the_time(family: Family) -> None:
    script(
        """
        0      established
        0      set user_timeout 2s
        +7200  state ESTABLISHED
        """,
        family,
    )
