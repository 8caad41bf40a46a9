"""Who may send how many messages: one for each receive buffer that the other side has posted and told of.

Three classes of messages keep the two sides from waiting for each other:

* DATA and LARGE leave `RESERVE` credits, so that an application that does not read (its credits are held back) never
  takes from the other direction what TARGET, DONE, FIN and STOP need;
* those leave one, for CREDIT;
* CREDIT may take the last one.  It always brings credits, so the two sides cannot both have spent their last one on it.

CREDIT is sent when the peer runs low, and never only to return the credit that one CREDIT took: two switches with
nothing to say stay silent.  The pages ask for flow control by credits and leave the rules open: these are ours.
"""

from __future__ import annotations

RESERVE = 4
FEWEST_BUFFERS = 6
"""`RESERVE` and two: with fewer, a peer without credit for data might not be worth a CREDIT."""


class Credits:
    def __init__(self, posted: int) -> None:
        """`posted` buffers are there; the peer hears of them in our HELLO."""
        self.available = 0
        """Messages that we may send."""
        self._limit = 0
        """Of `available`: what the peer posted."""
        self._peer_has = 0
        """Messages that the peer may send, or has sent."""
        self._owed = posted
        self._is_owed_for_use = False
        """Not all of `_owed` stems from CREDIT messages."""
        self._held = 0
        """Buffers that are posted but not told of, while the application does not read."""
        self._low = max(RESERVE, posted - posted // 4)

    def open(self, granted: int) -> None:
        """The peer has said how many buffers it posted."""
        self.available = self._limit = granted

    @property
    def allows_data(self) -> bool:
        return self.available > RESERVE

    @property
    def allows_control(self) -> bool:
        return self.available > 1

    @property
    def is_update_due(self) -> bool:
        """A CREDIT is called for, and can be sent."""
        if not self.available or self._peer_has > self._low:
            return False
        return self._owed > 1 or (self._owed > 0 and self._is_owed_for_use)

    def spend(self) -> int:
        """A message goes out, with the returned number of new buffers."""
        self.available -= 1
        return self.announce()

    def announce(self) -> int:
        """The same for HELLO of the side that begins, which needs no credit."""
        owed = self._owed
        self._peer_has += owed
        self._owed = 0
        self._is_owed_for_use = False
        return owed

    def arrived(self, granted: int) -> bool:
        """A message came in, with `granted` new buffers of the peer; False if those are more than it has."""
        self._peer_has -= 1
        self.available += granted
        return self.available <= self._limit

    @property
    def was_allowed(self) -> bool:
        """The latest message came with a credit of ours."""
        return self._peer_has >= 0

    def reposted(self, *, is_held: bool, is_for_use: bool) -> None:
        """The buffer of a message is posted again; `is_held`: the peer shall not hear of it yet."""
        if is_held:
            self._held += 1
            return
        self._owed += 1
        self._is_owed_for_use = self._is_owed_for_use or is_for_use

    def release(self) -> None:
        """The application has read: what was held back may be told."""
        if self._held:
            self._owed += self._held
            self._held = 0
            self._is_owed_for_use = True
