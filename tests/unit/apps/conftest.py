"""Two hosts on one cable, the near one current."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.wsk_lab import Lab
from tests.support.wsk_lab import lab as make_lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    with make_lab() as made:
        yield made
