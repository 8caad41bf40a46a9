"""Which tests run: `long` ones only when asked for, those that lack a right or a tool never, and never silently."""

from __future__ import annotations

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.support.needs import lacking
from wsknet.wsk import verify_new_hosts

settings.register_profile("wsknet", deadline=None)  # a machine that is busy with something else breaks no claim
settings.load_profile("wsknet")

verify_new_hosts()

NOTHING_MAY_BE_SKIPPED = os.environ.get("CI") == "true"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="run the tests marked long, too")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "tool(*names): runs these programs; use tests.support.needs.requires_tool")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Two workers for all TAP tests, which mostly wait: the timing of one should not depend on many beside it.

    Done here because xdist reads the groups before `pytest_collection_modifyitems` of this file is called.
    """
    if item.get_closest_marker("tap"):
        is_below = item.path.parent.name in ("ip", "tcp")
        item.add_marker(pytest.mark.xdist_group("tap of the stack" if is_below else "tap of programs"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--long"):
        deselected = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=deselected)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Modules and tests stay to the end: without them the collector, and so the whole run, takes less time."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    reason = lacking(item)
    if reason is not None:
        pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if NOTHING_MAY_BE_SKIPPED and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"with CI=true nothing may be skipped, but: {call.excinfo and call.excinfo.value}"
    return report
