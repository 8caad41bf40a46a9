"""The changes of the tables of `wsknet.wsk`: of numbers before they are loaded, of rows and functions after.

Nothing of `wsknet` is imported until rows are asked for: a number is changed in the text of its module, so that all
that is made from it while the package is loaded is made from the changed one.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from itertools import pairwise
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

WSK = Path(__file__).parent.parent.parent / "wsknet/wsk"
GROUPS = {
    "constants": ["constants.py"],
    "status": ["status.py"],
    "dispatch": ["dispatch.py"],
    "tables": ["provider.py", "sockets/*.py"],
    "options": ["control/*.py"],
    "ioctls": ["control/*.py"],
}
"""In the order in which they have to run, as from `tables` on the package is loaded; with the files they are from."""

NUMBERS = "tests/unit/wsk/test_header_numbers.py"
ORDER = "tests/unit/wsk/test_dispatch.py"
FUNCTIONS = "tests/unit/wsk/test_dispatch_functions.py"
ROWS = "tests/conformance/wsk/test_control_rows.py"
OPTION_TESTS = (
    "test_getting_is_for_the_sockets_that_have_the_option",
    "test_setting_after_bind_is_for_the_options_that_allow_it",
)
IOCTL_TESTS = (
    "test_an_ioctl_is_for_the_sockets_that_have_it",
    "test_some_ioctls_are_for_passive_level_only",
    "test_only_some_ioctls_do_without_an_irp",
)
IOCTL_ROWS = "tests/conformance/wsk/test_ioctl_rows.py"
RAW_ONLY = {(0, 2), (41, 2), (41, 26)}
"""Options without a row there."""


@dataclass(frozen=True)
class TableChange:
    """One of them, to be applied once in a process of its own."""

    name: str
    was: str
    what: str
    apply: Callable[[], None]
    first: tuple[str, ...]
    """Tests that hold to all of this kind."""
    names: tuple[str, ...] = ()
    """Words that the tests near to it contain."""


def changes_of(group: str) -> Iterator[TableChange]:
    makers: dict[str, Callable[[], Iterator[TableChange]]] = {
        "constants": _constants, "status": _statuses, "dispatch": _orders, "tables": _functions, "options": _options,
        "ioctls": _ioctls,
    }  # fmt: skip
    return makers[group]()


# --- Before the package is loaded ---


class _Altered(SourceFileLoader):
    """Loads a module from its text with a statement changed."""

    def __init__(self, name: str, path: Path, alter: Callable[[ast.Module], None]) -> None:
        super().__init__(name, str(path))
        self.alter = alter

    def get_code(self, fullname: str) -> CodeType:
        tree = ast.parse(Path(self.path).read_text())
        self.alter(tree)
        return compile(ast.fix_missing_locations(tree), self.path, "exec")


class _Finder:
    def __init__(self, loader: _Altered) -> None:
        self.loader = loader

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self.loader.name:
            return None
        return importlib.util.spec_from_file_location(name, self.loader.path, loader=self.loader)


def _alter(module: str, alter: Callable[[ast.Module], None]) -> Callable[[], None]:
    def apply() -> None:
        name = f"wsknet.wsk.{module}"
        assert name not in sys.modules
        sys.meta_path.insert(0, _Finder(_Altered(name, WSK / f"{module}.py", alter)))

    return apply


def _parse(module: str) -> ast.Module:
    return ast.parse((WSK / f"{module}.py").read_text())


def _assignments(tree: ast.Module) -> list[ast.Assign]:
    """Of public names, at the top and in enumerations; in the order of the text."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id[0] != "_"
    ]


def _add_one(index: int) -> Callable[[ast.Module], None]:
    def alter(tree: ast.Module) -> None:
        node = _assignments(tree)[index]
        node.value = ast.BinOp(node.value, ast.Add(), ast.Constant(1))

    return alter


def _numbers(module: str) -> Iterator[TableChange]:
    for index, node in enumerate(_assignments(_parse(module))):
        target = node.targets[0]
        assert isinstance(target, ast.Name)
        if target.id != "STATUS_OF_KIND":
            was = ast.unparse(node.value)
            yield TableChange(f"{module}.{target.id}", was, f"{was} + 1", _alter(module, _add_one(index)), (NUMBERS,))


def _constants() -> Iterator[TableChange]:
    return _numbers("constants")


def _rows_of_kinds(tree: ast.Module) -> ast.Dict:
    return next(node for node in ast.walk(tree) if isinstance(node, ast.Dict))


def _statuses() -> Iterator[TableChange]:
    yield from _numbers("status")
    rows = _rows_of_kinds(_parse("status"))
    for index, (key, value) in enumerate(zip(rows.keys, rows.values, strict=True)):
        assert key is not None
        was = ast.unparse(value)
        other = "STATUS_NO_MEMORY" if was == "STATUS_UNSUCCESSFUL" else "STATUS_UNSUCCESSFUL"

        def alter(tree: ast.Module, index: int = index, other: str = other) -> None:
            _rows_of_kinds(tree).values[index] = ast.Name(other, ast.Load())

        name = f"status.STATUS_OF_KIND.{ast.unparse(key).rpartition('.')[2]}"
        yield TableChange(name, was, other, _alter("status", alter), (NUMBERS,))


def _members(tree: ast.Module, structure: str) -> tuple[list[ast.stmt], list[int]]:
    """The body of a class and where its members stand in it."""
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == structure)
    return body, [index for index, node in enumerate(body) if isinstance(node, ast.AnnAssign)]


def _orders() -> Iterator[TableChange]:
    tree = _parse("dispatch")
    for structure in [node.name for node in tree.body if isinstance(node, ast.ClassDef)]:
        body, places = _members(tree, structure)
        for first, second in pairwise(places):
            names = [ast.unparse(body[place]).partition(":")[0] for place in (first, second)]

            def alter(tree: ast.Module, structure: str = structure, first: int = first, second: int = second) -> None:
                body, _ = _members(tree, structure)
                body[first], body[second] = body[second], body[first]

            name, was = f"dispatch.{structure}.{names[0]}", f"{names[0]}, {names[1]}"
            yield TableChange(name, was, f"{names[1]}, {names[0]}", _alter("dispatch", alter), (ORDER,))


# --- After ---


def _tables() -> dict[str, Any]:
    places = {
        "provider": "PROVIDER", "sockets.basic": "BASIC", "sockets.listening": "LISTEN", "sockets.datagram": "DATAGRAM",
        "sockets.connection": "CONNECTION", "sockets.stream": "STREAM",
    }  # fmt: skip
    return {
        f"{name}_DISPATCH": getattr(importlib.import_module(f"wsknet.wsk.{module}"), f"{name}_DISPATCH")
        for module, name in places.items()
    }


def _functions() -> Iterator[TableChange]:
    for title, table in _tables().items():
        members = [name for name in type(table).__dataclass_fields__ if callable(getattr(table, name))]
        for member, neighbour in zip(members, [*members[1:], members[0]], strict=True):

            def swap(table: Any = table, member: str = member, neighbour: str = neighbour) -> None:
                first, second = getattr(table, member), getattr(table, neighbour)
                setattr(table, member, second)
                setattr(table, neighbour, first)

            def clear(table: Any = table, member: str = member) -> None:
                setattr(table, member, None)

            name = f"tables.{title}.{member}"
            yield TableChange(name, member, f"swapped with {neighbour}", swap, (FUNCTIONS,))
            yield TableChange(name, member, "None", clear, (FUNCTIONS,))


def _names_of(code: int, prefixes: tuple[str, ...]) -> tuple[str, ...]:
    constants = vars(importlib.import_module("wsknet.wsk.constants"))
    return tuple(name for name, value in constants.items() if name.startswith(prefixes) and value == code)


def _row_changes(
    rows: dict[Any, Any],
    key: Any,
    name: str,
    variants: dict[str, dict[str, Any]],
    first: tuple[str, ...],
    names: tuple[str, ...],
) -> Iterator[TableChange]:
    """The row removed, and with the fields of each of `variants`."""

    def remove() -> None:
        del rows[key]

    yield TableChange(name, "its row", "removed", remove, first, names)
    for what, fields in variants.items():

        def replace(fields: dict[str, Any] = fields) -> None:
            rows[key] = rows[key]._replace(**fields)

        yield TableChange(name, "its row", what, replace, first, names)


def _options() -> Iterator[TableChange]:
    rows = importlib.import_module("wsknet.wsk.control.options").OPTIONS
    prefixes = {
        0xFFFF: ("SO_",), 6: ("TCP_",), 17: ("UDP_",), 0: ("IP_", "MCAST_"), 41: ("IPV6_", "MCAST_")
    }  # fmt: skip
    for (level, code), row in rows.items():
        names = _names_of(code, prefixes.get(level, ()))
        variants: dict[str, dict[str, Any]] = {
            "belongs to the others": {"belongs": lambda socket, row=row: not row.belongs(socket)},
            f"is_before_bind={not row.is_before_bind}": {"is_before_bind": not row.is_before_bind},
        }
        variants |= {f"{field}=None": {field: None} for field in ("set", "get", "check") if getattr(row, field)}
        first = () if (level, code) in RAW_ONLY else tuple(f"{ROWS}::{test}[{level}-{code}]" for test in OPTION_TESTS)
        name = f"options.{names[0] if names else hex(code)} at {level}"
        yield from _row_changes(rows, (level, code), name, variants, first, names)


def _ioctls() -> Iterator[TableChange]:
    rows = importlib.import_module("wsknet.wsk.control.ioctls").IOCTLS
    for code, row in rows.items():
        names = _names_of(code, ("SIO_",))
        variants: dict[str, dict[str, Any]] = {
            f"{flag}={not getattr(row, flag)}": {flag: not getattr(row, flag)}
            for flag in ("takes_address", "is_without_irp", "is_passive")
        }
        variants |= {
            f"categories=0x{row.categories ^ bit:x}": {"categories": row.categories ^ bit} for bit in (1, 2, 4, 8)
        }
        first = (*(f"{ROWS}::{test}[{code:08X}]" for test in IOCTL_TESTS), IOCTL_ROWS)
        name = f"ioctls.{names[0] if names else hex(code)}"
        yield from _row_changes(rows, code, name, variants, first, names)
