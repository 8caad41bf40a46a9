"""The Winsock Kernel programming interface, and the kernel functions that drivers use beside it.

Names, spelling, argument order and constants are those of wsk.h and wdm.h, so that driver code can be carried over line
by line: ``from wsknet.wsk import *`` stands for including the headers.  `wsknet.wsk.simple` is for people who do not
want to write IRPs by hand.
"""
# ruff: noqa: F403

from types import ModuleType as _ModuleType

from wsknet.wsk.bugcheck import *
from wsknet.wsk.cmsg import *
from wsknet.wsk.constants import *
from wsknet.wsk.dispatch import *
from wsknet.wsk.ex import *
from wsknet.wsk.irp import *
from wsknet.wsk.irql import *
from wsknet.wsk.ke import *
from wsknet.wsk.kernel import *
from wsknet.wsk.mdl import *
from wsknet.wsk.ps import *
from wsknet.wsk.registration import *
from wsknet.wsk.rtl import *
from wsknet.wsk.sockaddr import *
from wsknet.wsk.status import *
from wsknet.wsk.structures import *

# The headers have no names for files: `status` and `client` stay free for the variables of a driver.
__all__ = [
    name
    for name, value in globals().items()
    if name[0] != "_" and name != "annotations" and not isinstance(value, _ModuleType)
]
