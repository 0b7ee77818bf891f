"""Many requests at once, and what became of each of them."""

import uuid

from servers import wait_until
from store import stored_object

TASK = "com.app.mo.Task"


class InFlight:
    """Creations that one client has sent without waiting, each with `sendAck`."""

    def __init__(self, client):
        self.client = client
        self.tasks = {}    # messageId -> ID of the Task that it creates
        self.answers = {}  # messageId -> its responses
        self.acks = []

    def create(self, count):
        """Sends so many; returns their messageIds."""
        sent = []
        for _ in range(count):
            task = str(uuid.uuid4())
            message = self.client.send_request("createObject", sendAck=True,
                                               theObject={"cn": TASK, "ID": task, "title": task})
            self.tasks[message] = task
            sent.append(message)
        return sent

    def read(self, seconds=0.0):
        """Takes in what has come. A connection that was lost is not this class's concern."""
        try:
            self.client.drain(seconds)
        except AssertionError:
            pass
        frames, self.client.inbox = self.client.inbox, []
        for frame in frames:
            if "ack" in frame:
                self.acks.append(frame["ack"])
            elif frame.get("correspondingMessageId") in self.tasks:
                self.answers.setdefault(frame["correspondingMessageId"], []).append(frame)
            else:
                self.client.inbox.append(frame)

    def wait_for(self, condition, seconds, what):
        def holds():
            self.read(0.05)
            return condition()

        wait_until(holds, seconds, what)

    def wait_for_answers(self, seconds=60):
        try:
            self.wait_for(lambda: len(self.answers) == len(self.tasks), seconds,
                          "every request is answered")
        except AssertionError as e:
            missing = [m for m in self.tasks if m not in self.answers]
            raise AssertionError(f"{e}; {len(missing)} are not, {len(set(missing) & set(self.acks))} of "
                                 f"them acknowledged; the connection: {self.client.closed}") from e
        self.read(0.3)

    def assert_each_answered_once(self):
        counts = {message: len(self.answers.get(message, [])) for message in self.tasks}
        assert set(counts.values()) == {1}, {m: n for m, n in counts.items() if n != 1}

    def promised(self):
        """IDs of what the client was told is safe: by an ack, or by an answer."""
        answered = {m for m, frames in self.answers.items() if any(f.get("result") for f in frames)}
        return {self.tasks[message] for message in answered | set(self.acks)}

    def assert_promises_kept(self, redis, seconds=30):
        """All that was promised is in the store: an accepted request may still be on its way."""
        def missing():
            return [t for t in self.promised() if stored_object(redis, f"{TASK}:{t}") is None]

        wait_until(lambda: not missing(), seconds, "all that was promised is there")
