"""Every test has its own two hosts on one cable."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support import wsk_lab


@pytest.fixture
def lab() -> Iterator[wsk_lab.Lab]:
    with wsk_lab.lab() as made:
        yield made
