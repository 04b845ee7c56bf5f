"""Frames on their way: one hub (ROUTER) and a line (DEALER) from each process to it.

What a process sends is ``[destination, message frames...]``; what it gets is
``[sender, message frames...]``. A parcel without message frames is a heartbeat. Both
ends use CURVE, so nobody without the launch's keys gets in, and the hub binds to
loopback only.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import zmq
from zmq.utils import z85

from engine.contract.codec import MalformedMessage, decode, encode
from engine.contract.messages import Message
from engine.service.connection import Connection

SUPERVISOR = "supervisor"
WINDOWS = "windows"
STRANGER = "stranger"
"""Sender of the heartbeat that answers a client whom the hub does not know (any more);
it has to say hello again."""
HUB_LIMIT = 20_000
"""Messages that may wait for one receiver before it counts as hung."""


def _whole_ms(seconds: float) -> int:
    """Not less than asked for: rounded down, a wait of microseconds would be none."""
    return math.ceil(1000 * max(0.0, seconds))


def _bytes(frame: Any) -> Any:
    return frame.buffer if isinstance(frame, zmq.Frame) else frame


def unpack(frames: Sequence[Any]) -> Message:
    """A message from received frames; its arrays are views of them."""
    return decode([_bytes(frame) for frame in frames])


class Parcel(NamedTuple):
    """What arrived at the hub."""

    identity: bytes
    destination: str
    frames: list[Any]


class Hub:
    """The ROUTER of the supervisor; it moves frames and knows no policy."""

    def __init__(self) -> None:
        self._context = zmq.Context()
        self._door = self._context.socket(zmq.REP)
        self._door.bind("inproc://zeromq.zap.01")
        public, secret = zmq.curve_keypair()
        self.client_key, self.client_secret = zmq.curve_keypair()
        self.server_key = public
        self._router = self._context.socket(zmq.ROUTER)
        self._router.linger = 0
        self._router.sndhwm = self._router.rcvhwm = HUB_LIMIT
        self._router.router_mandatory = 1
        self._router.curve_server = True
        self._router.curve_secretkey = secret
        self._router.zap_domain = b"rllab"
        port = self._router.bind_to_random_port("tcp://127.0.0.1")
        self.endpoint = f"tcp://127.0.0.1:{port}"
        self._poller = zmq.Poller()
        self._poller.register(self._router, zmq.POLLIN)
        self._poller.register(self._door, zmq.POLLIN)
        self._others: frozenset[int] = frozenset()

    def watch(self, descriptors: Iterable[int]) -> None:
        """From now on :meth:`wait` also ends when one of these becomes readable."""
        wanted = frozenset(descriptors)
        for gone in self._others - wanted:
            self._poller.unregister(gone)
        for new in wanted - self._others:
            self._poller.register(new, zmq.POLLIN)
        self._others = wanted

    def wait(self, seconds: float) -> None:
        """Until something arrives, at most this long; lets known keys in."""
        ready = dict(self._poller.poll(_whole_ms(seconds)))
        if self._door in ready:
            self._answer_door()

    def _answer_door(self) -> None:
        """ZAP (RFC 27): the one client key of this launch may come in."""
        version, request, *rest = self._door.recv_multipart()
        known = rest[-1] == z85.decode(self.client_key)
        status = [b"200", b"OK"] if known else [b"400", b"unknown key"]
        self._door.send_multipart([version, request, *status, b"", b""])

    def receive(self) -> Parcel | None:
        """The next parcel, or None; parcels without an address are dropped."""
        while True:
            try:
                frames = self._router.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return None
            if len(frames) >= 2:
                identity, destination, *rest = frames
                name = bytes(destination.buffer).decode("utf-8", "replace")
                return Parcel(bytes(identity.buffer), name, rest)

    def forward(self, identity: bytes, sender: str, frames: Sequence[Any]) -> bool:
        """Pass frames on; False where nobody of this name reads."""
        try:
            self._router.send_multipart(
                [identity, sender.encode(), *frames], zmq.NOBLOCK, copy=False
            )
        except (zmq.Again, zmq.ZMQError):
            return False
        return True

    def close(self, linger_s: float = 0.2) -> None:
        """Hand over what waits for at most this long, then let go."""
        self._router.close(linger=int(linger_s * 1000))
        self._door.close(linger=0)
        self._context.term()


class Line:
    """The DEALER of a process; belongs to one thread."""

    def __init__(
        self,
        connection: Connection,
        identity: str,
        on_malformed: Callable[[str, MalformedMessage], None],
    ) -> None:
        self._context = zmq.Context()
        self._on_malformed = on_malformed
        self.identity = identity
        self.last_heard = time.monotonic()
        self.is_stranger = False
        self.socket = self._context.socket(zmq.DEALER)
        self.socket.identity = identity.encode()
        # Never blocks the sender; who sends much keeps its own account of it.
        self.socket.sndhwm = self.socket.rcvhwm = 0
        self.socket.linger = 0
        self.socket.curve_serverkey = connection.server_key.encode()
        self.socket.curve_publickey = connection.client_key.encode()
        self.socket.curve_secretkey = connection.client_secret.encode()
        self.socket.connect(connection.endpoint)

    def send(self, destination: str, message: Message) -> None:
        """Hand a message over; its arrays must not change any more."""
        self.send_frames(destination, encode(message))

    def send_frames(self, destination: str, frames: Sequence[Any]) -> None:
        """Hand over what :func:`engine.contract.codec.encode` made."""
        self.socket.send_multipart(
            [destination.encode(), *frames], zmq.NOBLOCK, copy=False
        )

    def beat(self) -> None:
        """Say that this process lives; the hub answers in kind."""
        self.socket.send(SUPERVISOR.encode(), zmq.NOBLOCK)

    def wait(self, seconds: float) -> bool:
        """Until something arrives, at most this long."""
        return bool(self.socket.poll(_whole_ms(seconds)))

    def receive(self) -> tuple[str, Message] | None:
        """Sender and message, or None; what is no message is reported and dropped."""
        while True:
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return None
            self.last_heard = time.monotonic()
            sender = bytes(frames[0].buffer).decode("utf-8", "replace")
            if len(frames) == 1:
                self.is_stranger = sender == STRANGER
                continue
            try:
                return sender, unpack(frames[1:])
            except MalformedMessage as error:
                self._on_malformed(sender, error)

    def close(self, linger_s: float = 0.5) -> None:
        """Hand over what waits for at most this long, then let go."""
        self.socket.close(linger=int(linger_s * 1000))
        self._context.term()
