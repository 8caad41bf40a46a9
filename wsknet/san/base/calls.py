"""How a WSP function answers: a result, or a code stored through its last argument."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from wsknet.errors import NetError
from wsknet.san.numbers import ERRORS
from wsknet.san.structures import INT

_Result = TypeVar("_Result")


class Refusal(Exception):
    """The function fails with `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def code_of(error: Refusal | NetError) -> int:
    return error.code if isinstance(error, Refusal) else ERRORS[error.kind]


def answers(failed: _Result) -> Callable[[Callable[..., _Result]], Callable[..., _Result]]:
    """The function's last argument is lpErrno; it returns `failed` where it raises `Refusal` or `NetError`."""

    def decorate(run: Callable[..., _Result]) -> Callable[..., _Result]:
        @wraps(run)
        def call(*arguments: Any) -> _Result:
            try:
                return run(*arguments)
            except (Refusal, NetError) as error:
                code = code_of(error)
            if isinstance(arguments[-1], INT):
                arguments[-1].Value = code
            return failed

        return call

    return decorate
