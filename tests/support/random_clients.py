"""Many clients at work at once, each of which keeps what it was told, as a real one would.

    crowd = Crowd(stack, 20, chance, label="seed")
    answers = crowd.ask([(member, operation), ...])     # all at once; waits for all answers
    crowd.settle()                                      # until everybody has heard everything

All run in one thread. Everybody reads all that has come before they send more. Receipts for pushes are
sent at once, late, or hardly before the end, which differs from client to client; so are those for
replies, by some of the clients, which get their replies again until then.
"""

import collections
import selectors
import time

from client import SYNC, Client
from random_operations import CountAll, told
from stack import PROVIDER, USERS
from store import balance, open_replies, pending_by_books

PATIENCE = 240       # seconds for an answer
SETTLED_A_SECOND = 50  # at least, in the end; far more if the machine is not busy with other things
PAIRS = 1000         # at most in a receipt: a frame may not be too large
MOST_RECEIPTS = 4    # of one client that are not answered
MOST_OWED = 3000     # receipts: a session may not miss any number of objects
PUSHES = {SYNC + "PushUpdateResponse": "updatesReceived",
          SYNC + "PushDeleteResponse": "deletesReceived"}
HABITS = ("prompt",) * 6 + ("late",) * 3 + ("hardly",)


class Copies:
    """What a client believes: ref -> object, None when it is gone. What is told last counts.

    A client takes its own put for true when it is answered, and nobody else's reply comes to it; so
    that it ends with what is stored is the server's promise (design section 8, "Nothing older last").
    """

    def __init__(self, domain):
        self.domain = domain
        self.objects = {}
        self.classes = {}    # class name -> refs that were there when it was watched first
        self.heard = {}      # ref -> the last that was heard of it, for a person to read
        self.around = frozenset()  # refs that there are now; set by whoever knows

    def take(self, obj, how):
        self._set((obj["cn"], obj["ID"]), obj, how)

    def take_removal(self, ref, how):
        self._set(ref, None, how)

    def _set(self, ref, obj, how):
        self.objects[ref] = obj
        self.heard.setdefault(ref, collections.deque(maxlen=6)).append((how, obj))

    def merge(self, ref, given, how):
        """A put of ours was taken."""
        obj = self.objects.get(ref)
        if obj:
            fields = self.domain[ref[0]].fields
            self._set(ref, {**obj, **{
                name: fields[name].empty if value is None else value
                for name, value in given.items() if fields[name].is_given_by_clients}}, how)

    def drop(self, ref, how):
        """A removal of ours was done."""
        if ref in self.objects:
            self._set(ref, None, how)

    def watch_class(self, class_name):
        self.classes.setdefault(class_name, self.around)


class Member(Client):
    def __init__(self, url, domain, number):
        super().__init__(url)
        self.number, self.habit = number, HABITS[number % len(HABITS)]
        self.confirms = number % 3 == 1  # that it has its replies
        self.copies = Copies(domain)
        self.open = {}         # messageId -> (operation, answers that are still missing)
        self.answers = {}      # messageId -> its answers
        self.unconfirmed = []  # messageIds of replies without a receipt
        self.owed = {name: [] for name in PUSHES.values()}  # pairs without one
        self.pushes = self.repeats = 0

    @property
    def owes(self):
        return sum(map(len, self.owed.values())) + len(self.unconfirmed)

    def ask(self, operation, message, times=1):
        members = {"messageId": message, **operation.members}
        for _ in range(times):
            self.send_request(operation.name, **members)
        self.open[members["messageId"]] = operation, times
        return members["messageId"]

    def take_frame(self):
        """One frame has come."""
        frame = self.receive(0.01)  # there may be a ping and nothing more
        if frame is None or "cn" not in frame:
            return
        message = frame["correspondingMessageId"]
        if message is None:
            self._take_push(frame)
        elif message in self.open:
            self._take_answer(message, frame)
        else:
            assert self.confirms, f"an answer to nothing that is open: {frame.text[:1000]}"
            self.repeats += 1
            self.unconfirmed.append(message)

    def _take_push(self, frame):
        assert frame["cn"] in PUSHES, f"neither answer nor push: {frame.text[:1000]}"
        self.pushes += 1
        if frame["cn"].endswith("PushUpdateResponse"):
            for obj in frame["objectList"]:
                self.copies.take(obj, "push")
            pairs = [{"className": o["cn"], "ID": o["ID"]} for o in frame["objectList"]]
        else:
            pairs = frame["objectList"]
            for gone in pairs:
                self.copies.take_removal((gone["className"], gone["ID"]), "push")
        self.owed[PUSHES[frame["cn"]]] += pairs

    def _take_answer(self, message, frame):
        operation, missing = self.open.pop(message)
        if missing > 1:
            self.open[message] = operation, missing - 1
        if operation is None:  # a receipt
            assert frame.get("result") is True, frame.text
            return
        if self.confirms:
            self.unconfirmed.append(message)
        said = told(frame)
        self.answers.setdefault(message, []).append(said)
        if "errorCode" not in said:
            operation.learn(self.copies, said)

    def send_receipts(self):
        """For all that has come; what would be too much at once later, when some are answered."""
        for message in self.unconfirmed:
            self.send({"ack": {"correspondingMessageId": message}})
        self.unconfirmed = []
        room = MOST_RECEIPTS - sum(operation is None for operation, _ in self.open.values())
        for name, pairs in self.owed.items():
            while pairs and room > 0:
                self.open[self.send_request(name, classIdPairs=pairs[:PAIRS])] = None, 1
                del pairs[:PAIRS]
                room -= 1


class Crowd:
    """`count` clients spread over the stack's gateways and users, and an observer among them, who
    looks when somebody has to."""

    def __init__(self, stack, domain, count, chance):
        self.stack, self.chance, self.redis = stack, chance, stack.redis()
        self.selector = selectors.DefaultSelector()
        self.members = [self._member(domain, i) for i in range(count + 1)]
        self.observer = self.members.pop()
        self.sent = 0

    def _member(self, domain, number):
        gateway = self.stack.gateways[number % len(self.stack.gateways)]
        member = Member(gateway.url, domain, number)
        member.connect(**({"ensureMessageDelivery": True} if member.confirms else {}))
        member.login(PROVIDER, self.stack.credential(USERS[number % len(USERS)]))
        self.selector.register(member.socket.sock, selectors.EVENT_READ, member)
        return member

    def close(self):
        for member in [*self.members, self.observer]:
            member.close()
        self.selector.close()

    @property
    def everybody(self):
        return [*self.members, self.observer]

    # ---- talking

    def ask(self, requests):
        """Sends (member, operation, times) all at once and waits; returns messageId and answers of
        each."""
        while self._take_what_has_come():
            pass
        sent = []
        for member, operation, times in requests:
            self.sent += 1
            sent.append((member, member.ask(operation, f"m{self.sent}", times)))
        self.pump(lambda: not any(message in member.open for member, message in sent),
                  lambda: f"answers to {[m for c, m in sent if m in c.open]}")
        return [(message, member.answers.pop(message)) for member, message in sent]

    def ask_one(self, member, operation):
        return self.ask([(member, operation, 1)])[0][1][0]

    def pump(self, condition, what, seconds=PATIENCE):
        """Takes in what comes until the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what()}"
            self._take_what_has_come(0.05)

    def _take_what_has_come(self, seconds=0):
        """A frame of each who has some; False: there is none, and none came in time."""
        ready = self.selector.select(seconds)
        for key, _ in ready:
            key.data.take_frame()
        return bool(ready)

    def send_receipts(self):
        """By everybody according to their habit."""
        for member in self.everybody:
            late = member.habit == "late" and self.chance.random() < 0.1
            if member.habit == "prompt" or late or member.owes > MOST_OWED:
                member.send_receipts()

    def tell_what_there_is(self, refs):
        for member in self.everybody:
            member.copies.around = refs

    # ---- the end

    def settle(self):
        """Returns when everybody has said that they have heard everything."""
        for member in self.everybody:
            member.habit = "prompt"

        # Twice, since agents look behind their answers whether these were overtaken.
        for _ in range(2):
            amount = pending_by_books(self.redis) + sum(member.owes for member in self.everybody)
            self.pump(self._is_settled, self._unsettled, PATIENCE + amount // SETTLED_A_SECOND)
            # What the broker has for us still is in front of these answers.
            self.ask([(member, CountAll(member.user_id, []), 1) for member in self.everybody])

    def _is_settled(self):
        self.send_receipts()
        return (not any(member.open or member.owes for member in self.everybody)
                and not self.redis.zcard("jobs") and not pending_by_books(self.redis)
                and not self._count_open_replies())

    def _count_open_replies(self):
        return sum(open_replies(self.redis, member.client_id) for member in self.everybody)

    def _unsettled(self):
        left = {member.number: (len(member.open), member.owes) for member in self.everybody
                if member.open or member.owes}
        return (f"all is settled; {pending_by_books(self.redis)} marks are not, "
                f"{self.redis.zcard('jobs')} jobs and {self._count_open_replies()} replies are left, "
                f"and of clients (open, owed): {left}")

    def books(self):
        """(the counters' pending, the recount's)."""
        return balance(self.redis)
