"""IOCTLs of mstcpip.h and of SIO_LOOPBACK_FAST_PATH: how TCP behaves, and what it tells (WSK-5.4, 5.5; "Winsock
IOCTLs")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.errors import ErrorKind, LocalError
from wsknet.tcp_policy import KeepAlive
from wsknet.transport.tcp.settings import USUAL_ACK_FREQUENCY
from wsknet.transport.tcp.state import State
from wsknet.types import MICROSECOND, MILLISECOND
from wsknet.wsk.constants import (
    SIO_CPU_AFFINITY,
    SIO_KEEPALIVE_VALS,
    SIO_LOOPBACK_FAST_PATH,
    SIO_TCP_INFO,
    SIO_TCP_INITIAL_RTO,
    SIO_TCP_SET_ACK_FREQUENCY,
)
from wsknet.wsk.control.ioctl import Buffers, Ioctl
from wsknet.wsk.control.memory import read_number, read_structure, write_structure
from wsknet.wsk.control.option import CONNECTION, DATAGRAM, LISTEN
from wsknet.wsk.control.tcp_options import keep_alive_of, require_no_handshake, tell, tell_settings
from wsknet.wsk.requests import Refusal
from wsknet.wsk.sockets.states import CONNECTED, CREATED
from wsknet.wsk.status import STATUS_INVALID_BUFFER_SIZE
from wsknet.wsk.structures_tcp import (
    TCP_ACK_FREQUENCY_PARAMETERS,
    TCP_INITIAL_RTO_DEFAULT_MAX_SYN_RETRANSMISSIONS,
    TCP_INITIAL_RTO_DEFAULT_RTT,
    TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS,
    TCP_INITIAL_RTO_PARAMETERS,
    TCP_INITIAL_RTO_UNSPECIFIED_MAX_SYN_RETRANSMISSIONS,
    TCP_INITIAL_RTO_UNSPECIFIED_RTT,
    TCPSTATE,
    TCP_INFO_v0,
    tcp_keepalive,
)

if TYPE_CHECKING:
    from wsknet.transport.tcp.info import ConnectionInfo
    from wsknet.types import Instant
    from wsknet.wsk.irp import IRP
    from wsknet.wsk.sockets.connection import ConnectionSocket
    from wsknet.wsk.sockets.datagram import DatagramSocket
    from wsknet.wsk.sockets.transport import TransportSocket

_TCP = LISTEN | CONNECTION

_STATES = {
    State.CLOSED: TCPSTATE.TCPSTATE_CLOSED,
    State.LISTEN: TCPSTATE.TCPSTATE_LISTEN,
    State.SYN_SENT: TCPSTATE.TCPSTATE_SYN_SENT,
    State.SYN_RECEIVED: TCPSTATE.TCPSTATE_SYN_RCVD,
    State.ESTABLISHED: TCPSTATE.TCPSTATE_ESTABLISHED,
    State.FIN_WAIT_1: TCPSTATE.TCPSTATE_FIN_WAIT_1,
    State.FIN_WAIT_2: TCPSTATE.TCPSTATE_FIN_WAIT_2,
    State.CLOSE_WAIT: TCPSTATE.TCPSTATE_CLOSE_WAIT,
    State.CLOSING: TCPSTATE.TCPSTATE_CLOSING,
    State.LAST_ACK: TCPSTATE.TCPSTATE_LAST_ACK,
    State.TIME_WAIT: TCPSTATE.TCPSTATE_TIME_WAIT,
}
_ULONG = 0xFFFFFFFF
_UCHAR = 0xFF


def _set_keep_alive(Irp: IRP, now: Instant, socket: TransportSocket, buffers: Buffers) -> int:
    """The times count only where it is switched on; the number of probes is that of TCP_KEEPCNT."""
    wanted = read_structure(tcp_keepalive, buffers.InputSize, buffers.InputBuffer)
    socket.require_alive()
    if wanted.onoff:
        if not wanted.keepalivetime or not wanted.keepaliveinterval:
            raise LocalError(ErrorKind.INVALID_ARGUMENT)
        idle, interval = wanted.keepalivetime * MILLISECOND, wanted.keepaliveinterval * MILLISECOND
        tell(socket, keep_alive=KeepAlive(idle, interval, keep_alive_of(socket).probes))
    socket.options.keep_alive = int(wanted.onoff != 0)
    if socket.endpoint is not None:
        socket.apply_options()
    return 0


def _set_initial_rto(Irp: IRP, now: Instant, socket: TransportSocket, buffers: Buffers) -> int:
    """`Rtt` is taken for the timeout itself, as InitialRto of `Set-NetTCPSetting`, which was called TcpInitialRtt.

    "Unspecified" and "default" are the same here: there is no administrator between the system and its policy.
    """
    wanted = read_structure(TCP_INITIAL_RTO_PARAMETERS, buffers.InputSize, buffers.InputBuffer)
    require_no_handshake(socket)
    times: int | None = wanted.MaxSynRetransmissions
    if times == TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS:
        times = 0
    elif times in (
        TCP_INITIAL_RTO_DEFAULT_MAX_SYN_RETRANSMISSIONS,
        TCP_INITIAL_RTO_UNSPECIFIED_MAX_SYN_RETRANSMISSIONS,
    ):
        times = None
    is_default = wanted.Rtt in (TCP_INITIAL_RTO_DEFAULT_RTT, TCP_INITIAL_RTO_UNSPECIFIED_RTT)
    tell_settings(socket, initial_rto=None if is_default else wanted.Rtt * MILLISECOND, syn_retries=times)
    return 0


def _set_ack_frequency(Irp: IRP, now: Instant, socket: TransportSocket, buffers: Buffers) -> int:
    """0 stands for the usual frequency."""
    told = buffers.InputBuffer
    if isinstance(told, TCP_ACK_FREQUENCY_PARAMETERS) and buffers.InputSize >= told.SIZE:
        frequency = told.TcpDelayedAckFrequency
    else:
        frequency = read_number(TCP_ACK_FREQUENCY_PARAMETERS.SIZE, buffers)
    socket.require_alive()
    tell_settings(socket, ack_frequency=frequency or USUAL_ACK_FREQUENCY)
    return 0


def _query_info(Irp: IRP, now: Instant, socket: ConnectionSocket, buffers: Buffers) -> int:
    """The input is the version, of which there is 0."""
    if read_number(4, buffers):
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    if socket.state != CONNECTED:
        raise socket.refuse_state("WSK-5.5", "SIO_TCP_INFO is about a connection")
    return write_structure(_told(socket.endpoint.info(now)), buffers.OutputSize, buffers.OutputBuffer)


def _told(info: ConnectionInfo) -> TCP_INFO_v0:
    return TCP_INFO_v0(
        State=_STATES[info.state],
        Mss=info.segment_size,
        ConnectionTimeMs=info.age // MILLISECOND,
        TimestampsEnabled=int(info.has_timestamps),
        RttUs=min(info.round_trip // MICROSECOND, _ULONG),
        MinRttUs=min(info.least_round_trip // MICROSECOND, _ULONG),
        BytesInFlight=info.in_flight,
        Cwnd=info.congestion_window,
        SndWnd=info.send_window,
        RcvWnd=info.receive_window,
        RcvBuf=min(info.receive_buffer, _ULONG),
        BytesOut=info.sent,
        BytesIn=info.received,
        BytesReordered=info.reordered & _ULONG,
        BytesRetrans=info.repeated & _ULONG,
        FastRetrans=info.fast_recoveries,
        DupAcksIn=info.duplicate_acks,
        TimeoutEpisodes=info.timeouts,
        SynRetrans=min(info.repeated_syns, _UCHAR),
    )


def _set_loopback_fast_path(Irp: IRP, now: Instant, socket: TransportSocket, buffers: Buffers) -> int:
    """Checked, and that is all: connections within the host take the slow way, as in Windows where a filter looks on.

    The page knows two failures; a socket that is connected already is one that this is not supported for.
    """
    if not buffers.InputSize:
        raise Refusal(STATUS_INVALID_BUFFER_SIZE)
    if not socket.CATEGORY & _TCP:
        raise LocalError(ErrorKind.NOT_SUPPORTED)
    read_number(1, buffers)
    socket.require_alive()
    try:
        require_no_handshake(socket)
    except LocalError:
        raise LocalError(ErrorKind.NOT_SUPPORTED) from None
    return 0


def _set_cpu_affinity(Irp: IRP, now: Instant, socket: DatagramSocket, buffers: Buffers) -> int:
    """A processor, by its number.  There is but one here, so that nothing follows from it.

    Winsock's error for a socket that is bound is WSAEINVAL.
    """
    read_number(2, buffers)
    if socket.state != CREATED or socket.options.reuse:
        raise LocalError(ErrorKind.INVALID_ARGUMENT)
    return 0


TABLE = {
    SIO_KEEPALIVE_VALS: Ioctl(_set_keep_alive, _TCP),
    SIO_TCP_INITIAL_RTO: Ioctl(_set_initial_rto, _TCP),
    SIO_TCP_SET_ACK_FREQUENCY: Ioctl(_set_ack_frequency, _TCP),
    SIO_TCP_INFO: Ioctl(_query_info, CONNECTION),
    SIO_LOOPBACK_FAST_PATH: Ioctl(_set_loopback_fast_path, 0, is_passive=True),
    SIO_CPU_AFFINITY: Ioctl(_set_cpu_affinity, DATAGRAM),
}
