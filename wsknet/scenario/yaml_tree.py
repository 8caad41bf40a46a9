"""YAML with places: what a document says, and the line of every part of it.

Only JSON's kinds of scalars: in YAML 1.1 ``on`` is a boolean and ``1:20`` is eighty.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from wsknet.errors import UsageError

Place = tuple[str | int, ...]
"""Keys and indices from the top."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012 - as PyYAML has it


for _tag, _pattern, _first in (
    ("null", r"(?:~|null|)", ["~", "n", ""]),
    ("bool", r"(?:true|false)", list("tf")),
    ("int", r"-?(?:0|[1-9][0-9]*|0x[0-9a-fA-F]+)", list("-0123456789")),
    ("float", r"-?[0-9]+\.[0-9]+", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^{_pattern}$"), _first)


class Document:
    """A file that was read.  `fail` tells people where something is wrong."""

    def __init__(self, source: str, text: str) -> None:
        self.source = source
        """The file, as people know it."""
        self._lines: dict[Place, int] = {}
        try:
            node = yaml.compose(text, Loader=_Loader)
            if node is None:
                raise UsageError(f"{source}: the file is empty")
            self._walk(node, ())
            self.value: Any = yaml.load(text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise UsageError(f"{source}:{line}: not YAML: {error.problem}") from None
        except yaml.YAMLError as error:
            raise UsageError(f"{source}: not YAML: {error}") from None

    @classmethod
    def read(cls, path: Path) -> Document:
        try:
            return cls(str(path), path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise UsageError(f"{path}: not a text file in UTF-8") from None

    def fail(self, place: Place, problem: str) -> UsageError:
        """The error to raise for what stands at `place`: file, line, field, problem."""
        known = place
        while known and known not in self._lines:
            known = known[:-1]
        field = path_text(place)
        return UsageError(f"{self.source}:{self._lines.get(known, 1)}: {field + ': ' if field else ''}{problem}")

    def _walk(self, node: yaml.Node, place: Place) -> None:
        self._lines[place] = node.start_mark.line + 1
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._walk(item, (*place, index))
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = (*place, key.value)
                if inner in self._lines:
                    self._lines[inner] = key.start_mark.line + 1
                    raise self.fail(inner, "given twice")
                self._walk(value, inner)
                self._lines[inner] = key.start_mark.line + 1


def path_text(place: Place) -> str:
    """``steps[2].to``"""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


_PART = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]|\[(\.\.\.)\]")


def parse_path(path: str) -> Place:
    """Of msgspec: ``$.steps[2].to``; what it does not tell (``[...]``) ends the place."""
    place: list[str | int] = []
    for name, index, unknown in _PART.findall(path):
        if unknown:
            break
        place.append(int(index) if index else name)
    return tuple(place)
