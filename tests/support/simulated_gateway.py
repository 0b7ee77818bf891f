"""A gateway and its clients, simulated: what is told arrives late, is read late, or never.

A gateway takes messages from its queue in order and puts pushes on the sockets of its clients. Like
the real one (gateway/clients/sends.h) it remembers for each socket what it was sent, by the numbers of the
sends, so that a receipt proves the oldest that is unanswered.

    gateway = Gateway("gateway.1")
    socket = gateway.open("c1", device)
    gateway.publish(Push([("c1", ...)], number, objects))   # the broker has it
    gateway.take()                                          # the next message
    socket.read()                                           # the client reads its next frame
    socket.answer()                                         # -> (kind, ref, number) for the agents
"""

from collections import deque
from dataclasses import dataclass, field

from store import Block


@dataclass
class Push:
    clients: list
    number: int
    objects: list  # (ref, kind, version)


@dataclass
class Bound:
    """The answer to a return."""

    client: str


@dataclass
class Close:
    client: str


@dataclass
class Device:
    """A client program, which keeps its copies from one connection to the next."""

    sid: str
    user: str
    watches_class: bool
    is_content: bool
    names: list
    socket: object = None
    copies: dict = field(default_factory=dict)  # ref -> (kind, version) that it was told last
    children: dict = field(default_factory=dict)  # content protocol: ref -> how often they changed


class Sends:
    """What a socket was sent of one object and kind, without a receipt yet."""

    def __init__(self):
        self.before, self.lowest, self.last, self.number = 0, 0, 0, 0

    def push_back(self, number):
        if self.last and (not self.before or self.number < self.lowest):
            self.lowest = self.number
        self.before += self.last
        self.last = 0
        self.lowest = min(self.lowest, number)

    def add(self, number):
        if self.number != number:
            self.push_back(number)
        self.number = number
        self.last += 1

    def take(self):
        if self.before:
            self.before -= 1
            return self.lowest
        self.last -= 1
        return self.number


class Socket:
    def __init__(self, client, device):
        self.client, self.device, self.live = client, device, True
        self.bound, self.unannounced = False, False
        self.sends = {}  # (kind, ref) -> Sends
        self.frames, self.unanswered = deque(), deque()
        self.heard = set()  # (ref, kind, version)
        self.heard_in = {}  # content protocol: number of a block -> the refs that it named

    def send(self, push):
        self.frames.append(push.objects)
        for ref, kind, _ in push.objects:
            other = self.sends.get(("d" if kind == "u" else "u", ref))
            if other:
                other.push_back(push.number)
            self.sends.setdefault((kind, ref), Sends()).add(push.number)

    def read(self):
        for ref, kind, version in self.frames.popleft():
            self.device.copies[ref] = (kind, version)
            self.heard.add((ref, kind, version))
            self.unanswered.append((kind, ref))

    def answer(self):
        """The oldest receipt that the client owes, as the gateway passes it on."""
        kind, ref = key = self.unanswered.popleft()
        sends = self.sends[key]
        number = sends.take()
        if not sends.before + sends.last:
            del self.sends[key]
        return kind, ref, number


class Gateway:
    def __init__(self, name):
        self.name, self.alive, self.lease = name, True, None
        self.queue, self.sockets = deque(), {}

    def open(self, client, device):
        socket = self.sockets[client] = Socket(client, device)
        return socket

    def publish(self, message):
        """False: it comes back, since there is no such queue any more."""
        if self.alive:
            self.queue.append(message)
        return self.alive

    def take(self):
        """Delivers the next message; what is for a socket that is not there is lost. Returns the
        socket if it is bound now."""
        message = self.queue.popleft()
        if isinstance(message, Close):
            self.close(message.client)
        elif isinstance(message, Bound):
            if message.client in self.sockets:
                self.sockets[message.client].bound = True
                return self.sockets[message.client]
        elif isinstance(message, Block):
            if message.client in self.sockets:
                self.sockets[message.client].frames.append(message)
        else:
            for client in message.clients:
                if client in self.sockets:
                    self.sockets[client].send(message)
        return None

    def to_announce(self):
        """All that are bound. The others are announced when they are, since the agents may have
        bound them before and unbound them with the rest."""
        for socket in self.sockets.values():
            socket.unannounced = not socket.bound
        return [client for client, socket in self.sockets.items() if socket.bound]

    def close(self, client):
        socket = self.sockets.pop(client, None)
        if socket:
            socket.live = False

    def die(self):
        self.alive = False
        self.queue.clear()
        for client in list(self.sockets):
            self.close(client)
