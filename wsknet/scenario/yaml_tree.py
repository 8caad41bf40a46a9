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


MAX_BYTES = 1 << 20
MAX_PARTS = 50_000
"""Of a document, aliases written out."""
MAX_DEPTH = 30
MAX_DIGITS = 20


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012 - as PyYAML has it

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            raise _refused(f"the tag {event.tag} means nothing here: leave it out", event)
        if self._depth == MAX_DEPTH:
            raise _refused(f"more than {MAX_DEPTH} levels deep", event)
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _refused(problem: str, event: yaml.Event) -> yaml.MarkedYAMLError:
    mark: Any = event.start_mark
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


for _tag, _pattern, _first in (
    ("null", r"(?:~|null|)", ["~", "n", ""]),
    ("bool", r"(?:true|false)", list("tf")),
    ("int", r"-?(?:0|[1-9][0-9]*|0x[0-9a-fA-F]+)", list("-0123456789")),
    ("float", r"-?[0-9]+\.[0-9]+", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^{_pattern}$"), _first)

_TEXT_TAG = "tag:yaml.org,2002:str"
_INT_TAG = "tag:yaml.org,2002:int"


class Document:
    """A file that was read.  `fail` tells people where something is wrong."""

    def __init__(self, source: str, text: str) -> None:
        self.source = source
        """The file, as people know it."""
        self._lines: dict[Place, int] = {}
        try:
            loader = _Loader(text)
            node = loader.get_single_node()
            if node is None:
                raise self._unusable(0, "the file is empty")
            self._walk(node, ())
            self.value: Any = loader.construct_document(node)
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise self._unusable(line, f"a text file has no character #x{error.character:04x}") from None
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            problem = str(error.problem)
            if problem.startswith("but "):  # the other half of a sentence
                problem = f"{error.context}, {problem}"
            raise self._unusable(line, f"not YAML as it is read here: {problem}") from None

    @classmethod
    def read(cls, path: Path) -> Document:
        try:
            with path.open("rb") as file:
                octets = file.read(MAX_BYTES + 1)
            if len(octets) > MAX_BYTES:
                raise UsageError(f"{path}: more than {MAX_BYTES >> 10} KiB: too large for a scenario file")
            return cls(str(path), octets.decode("utf-8-sig"))
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
        return self._unusable(self._lines.get(known, 1), f"{field + ': ' if field else ''}{problem}")

    def has(self, place: Place) -> bool:
        return place in self._lines

    def _unusable(self, line: int, problem: str) -> UsageError:
        """Line 0 stands for all of the file."""
        return UsageError(f"{self.source}:{line}: {problem}" if line else f"{self.source}: {problem}")

    def _walk(self, node: yaml.Node, place: Place) -> None:
        self._lines[place] = node.start_mark.line + 1
        if len(place) > MAX_DEPTH:
            raise self.fail(place[:1], "it contains itself")
        if len(self._lines) > MAX_PARTS:
            raise self.fail(place[:1], f"more than {MAX_PARTS} parts, with aliases written out")
        if isinstance(node, yaml.ScalarNode):
            self._check_scalar(node, place)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self._walk(item, (*place, index))
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._walk_entry(key, value, place)

    def _walk_entry(self, key: yaml.Node, value: yaml.Node, place: Place) -> None:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise self._unusable(line, "not YAML: a key is one word")
        inner = (*place, key.value)
        if inner in self._lines:
            self._lines[inner] = line
            raise self.fail(inner, "given twice")
        self._check_scalar(key, inner)
        if key.tag != _TEXT_TAG:
            raise self._unusable(line, f'{path_text(inner)}: a name that is no word needs quotes: "{key.value}"')
        self._walk(value, inner)
        self._lines[inner] = line

    def _check_scalar(self, node: yaml.ScalarNode, place: Place) -> None:
        line = node.start_mark.line + 1
        if node.tag == _INT_TAG and len(node.value) > MAX_DIGITS:
            raise self._unusable(line, f"{path_text(place)}: a number of more than {MAX_DIGITS} digits")
        if any("\ud800" <= each <= "\udfff" for each in node.value):
            raise self._unusable(line, f"{path_text(place)}: half of a character: write the character itself")


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
