"""Whatever stands in a scenario file: it is a scenario that runs, or one line tells what is wrong with it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from wsknet.errors import UsageError
from wsknet.scenario.catalogue import packaged
from wsknet.scenario.columns import columns_of
from wsknet.scenario.load import OPERATIONS, read
from wsknet.scenario.runner import run
from wsknet.scenario.virtual import VirtualWorld
from wsknet.scenario.yaml_tree import Document

FILES = [Document.read(path).value for path in packaged().values()]


def parts_of(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of everything in `value`."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [place] if place else []
    for key, each in entries:
        found += parts_of(each, (*place, key))
    return found


def at(tree: Any, place: tuple[Any, ...]) -> Any:
    for key in place:
        tree = tree[key]
    return tree


def name_of(place: tuple[Any, ...]) -> str:
    """The last key: what stands under the same one in other files may fit."""
    return next((str(key) for key in reversed(place) if isinstance(key, str)), "")


VALUES: dict[str, list[Any]] = {}
for _file in FILES:
    for _place in parts_of(_file):
        VALUES.setdefault(name_of(_place), []).append(at(_file, _place))
KEYS = sorted({*VALUES, *OPERATIONS})

odd_values = st.one_of(
    st.sampled_from(
        [
            None, "", "*", "@s", "@", "nobody", [], {}, [""], True, 0, -1, 65536, 10**18, 0.5, "0", "10.1.0.2",
            "1-65535", "0.0.0.0:0", "[::]:0", "[fe80::1%if1]:7", "[::ffff:10.1.0.2]:80", "255.255.255.255:7",
            "224.0.0.1:7", "0.0.0.0/0", "::/0", "10.1.0.2/24", "10.1.0.2/0", "fe80::1/64", "127.0.0.1/8", "-5s",
            "1440min", "1us", "if1", "off if1", "10.9.0.1/24 on if1", "5 on if2", "linux", "windows", "kernel", "udp",
            "tcp", "dual", "ipv6", "tcp RST 10.1.0.50:1 > 10.1.0.2:7000", "udp [::1]:1 > [::]:0", "x" * 70_000,
            "1.0.0.0/8 deprecated", "\u0007", {"windows": "ok"}, {"to": "0.0.0.0/0"}, {"link": "near"},
            {"socket": "s", "on": "server"},
        ]
    ),
    st.text(max_size=5),
    st.integers(),
    st.floats(),
)  # fmt: skip


@st.composite
def scenarios(draw: st.DrawFn) -> dict[str, Any]:
    """A packaged one, spoilt in up to three places."""
    tree: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(FILES)))
    for _ in range(draw(st.sampled_from([1, 1, 2, 3]))):
        places = parts_of(tree)
        assume(places)
        place = draw(st.sampled_from(places))
        holder, key = at(tree, place[:-1]), place[-1]
        match draw(st.sampled_from(["drop", "replace", "borrow", "borrow", "borrow", "double", "move", "rename"])):
            case "drop":
                del holder[key]
            case "replace":
                holder[key] = draw(odd_values)
            case "borrow":
                holder[key] = copy.deepcopy(draw(st.sampled_from(VALUES.get(name_of(place), [None]))))
            case "move" if isinstance(holder, list):
                holder.insert(draw(st.integers(0, len(holder) - 1)), holder.pop(key))
            case "double" if isinstance(holder, list):
                holder.insert(draw(st.integers(0, len(holder))), copy.deepcopy(holder[key]))
            case "double":
                holder[draw(st.sampled_from(KEYS))] = copy.deepcopy(holder[key])
            case "rename" if isinstance(holder, dict):
                new = draw(st.sampled_from(KEYS))
                renamed = [(new if each == key else each, value) for each, value in holder.items()]
                holder.clear()
                holder.update(renamed)
    return tree


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(tree=scenarios(), data=st.data())
def test_a_spoilt_scenario_runs_or_is_refused_in_one_line(tree: dict[str, Any], data: st.DataObject) -> None:
    text = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)
    try:
        scenario = read(Document("spoilt.yaml", text))
    except UsageError as error:
        told = str(error)
        assert told.startswith("spoilt.yaml:")
        assert told.isprintable()
        return
    column = data.draw(st.sampled_from(columns_of(scenario)))
    result = run("spoilt", scenario, column, VirtualWorld(scenario, column))
    assert [step.number for step in result.steps] == [
        number for number, step in enumerate(scenario.steps, 1) if column.runs(step)
    ]


@settings(max_examples=100, deadline=None)
@given(text=st.one_of(st.text(), st.text(alphabet="&*a:{}[]!-\n \t'\"|>%@#,?0")))
def test_any_text_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(Document("any.yaml", text))
    assert str(caught.value).isprintable()
