"""What can be wrong with a message of the peer.  Each ends the session, and none raises."""

from __future__ import annotations

from enum import Enum


class Fault(Enum):
    SHORT_HEADER = "shorter than a header"
    LENGTH_MISMATCH = "its length is not what its header says"
    UNKNOWN_KIND = "no kind of message"
    UNKNOWN_FLAGS = "flags that its kind does not have"
    HELLO_EXPECTED = "the first message is not HELLO"
    SECOND_HELLO = "HELLO again"
    BAD_HELLO = "HELLO that is too long, too short or makes no sense"
    BAD_VERSION = "a version of the session protocol that nobody knows here"
    TOO_FEW_BUFFERS = "fewer receive buffers than the session protocol needs"
    NO_CREDIT = "sent without credit"
    CREDIT_OVERFLOW = "more credits than there are buffers"
    AFTER_FIN = "data, or FIN, after FIN"
    DURING_LARGE = "data before the large transfer is complete"
    BAD_LARGE = "LARGE whose lengths or descriptor make no sense"
    UNEXPECTED_TARGET = "TARGET that nobody waits for"
    BAD_TARGET = "TARGET whose length or descriptor makes no sense"
    UNEXPECTED_DONE = "DONE that nobody waits for"
