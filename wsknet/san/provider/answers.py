"""How a WSP function answers: a value, or a failed one with an error number behind `lpErrno` (SAN-3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from wsknet.errors import NetError
from wsknet.san.numbers import ERRORS, SOCKET_ERROR
from wsknet.san.provider.arguments import fail

P = ParamSpec("P")
R = TypeVar("R")


class Failed(Exception):  # it is how a function ends, not what went wrong
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def answers(failed: int = SOCKET_ERROR) -> Callable[[Callable[P, R]], Callable[..., R | int]]:
    """The function takes `lpErrno` as one more argument, the last; it raises `Failed`, and what it does not foresee of
    the core is translated by `numbers.ERRORS`.  Then the caller gets `failed`."""

    def decorate(function: Callable[P, R]) -> Callable[..., R | int]:
        @wraps(function)
        def answer(*arguments: object) -> R | int:
            *given, lpErrno = arguments
            try:
                return function(*given)  # type: ignore[call-arg,arg-type]
            except Failed as failure:
                return fail(lpErrno, failure.code, failed)
            except NetError as error:
                return fail(lpErrno, ERRORS[error.kind], failed)

        return answer

    return decorate
