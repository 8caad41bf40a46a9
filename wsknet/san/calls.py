"""How a WSP or WPU function answers: a result, or a code stored through its last argument (SAN-3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from wsknet.errors import NetError
from wsknet.san.numbers import ERRORS
from wsknet.san.structures import INT

_Result = TypeVar("_Result")


class WinsockError(Exception):
    """The function ends with `code`, a number of "Windows Sockets Error Codes"; WSA_IO_PENDING is one, too."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def code_of(error: WinsockError | NetError) -> int:
    return error.code if isinstance(error, WinsockError) else ERRORS[error.kind]


def answers(failed: _Result) -> Callable[[Callable[..., _Result]], Callable[..., _Result]]:
    """The function takes lpErrno as one more argument, the last.  Where it raises `WinsockError` or `NetError` the code
    is stored there, and the caller gets `failed`."""

    def decorate(run: Callable[..., _Result]) -> Callable[..., _Result]:
        @wraps(run)
        def call(*arguments: Any) -> _Result:
            *given, lpErrno = arguments
            try:
                return run(*given)
            except (WinsockError, NetError) as error:
                if isinstance(lpErrno, INT):
                    lpErrno.Value = code_of(error)
                return failed

        return call

    return decorate
