"""Clients of ActiveStack for lasting_crowd.py, which says what they do.

Each asks for delivery, acknowledges every push and every reply, and returns with its signed session.
"""

import json
import uuid

from client import DEVELOPER, SYNC, class_of, pair
from lasting_crowd import MO, Lasting, Write, Writes, class_of_item
from light_socket import Lost

ITEM = MO + "Item"                       # Tasks and Notes
PUSHES = {SYNC + "PushUpdateResponse": "updatesReceived",
          SYNC + "PushDeleteResponse": "deletesReceived"}
RECEIPT_RESPONSES = {SYNC + "PushUpdatesReceivedResponse", SYNC + "PushDeletesReceivedResponse"}
ASK_AGAIN = {"-116", "-118", "-119"}     # no answer in time, too many requests, back end away
READ_AT_ONCE = 50                        # objects in a findByIds


def value_of(item):
    """What a client remembers of an object."""
    return item["title"], item["text"]


class LastingClient(Lasting):
    path, reads_some = "/activestack", 50

    def __init__(self, crowd, number):
        super().__init__(crowd, number)
        self.session = None     # the newest signed session
        self.told = {}          # operation -> pairs of pushes without a receipt, of this turn

    def greet(self):
        if self.session is None:
            self.say({"connect": {"ensureMessageDelivery": True}})
            self._request("authenticateOAuthAccessToken", **DEVELOPER)
        else:
            self.say({"reconnect": {"lastSessionId": "", "reconnectId": self.session,
                                    "ensureMessageDelivery": True}})

    def drop(self):
        super().drop()
        self.told = {}

    # ---- What it says

    def _request(self, operation, message=None, **members):
        request = {"cn": class_of(operation), "messageId": message or str(uuid.uuid4()), **members}
        self.say(request)
        return request["messageId"]

    def after_frames(self):
        for operation, pairs in self.told.items():
            self._request(operation, classIdPairs=pairs)
        self.told = {}

    def read(self):
        """Asks for the newest of what it cares about, which is then watched."""
        if not self.ready:
            return
        if self.share is None:
            self._ask({"operation": "getAllByName", "theClassName": ITEM})
            return
        for at in range(0, len(self.share), READ_AT_ONCE):
            ids = self.share[at:at + READ_AT_ONCE]
            self._ask({"operation": "findByIds",
                       "theClassIdList": [{"className": ITEM, "ids": ids}]})

    def _ask(self, read):
        self.reads[self._request(**read)] = read

    # ---- What it is told

    def take(self, frame):
        if "gatewayConnectAck" in frame:
            self.session = frame["gatewayConnectAck"]
        elif "ack" in frame:
            self.take_ack(frame["ack"])
        elif frame["cn"] == SYNC + "ConnectResponse":
            self._take_connect_response(frame)
        elif frame["correspondingMessageId"] is None and "errorCode" in frame:
            self._take_error(None, frame)  # its return had no answer
        elif frame["correspondingMessageId"] is None:
            self._take_push(frame)
        else:
            self._take_reply(frame)

    def _take_connect_response(self, frame):
        if frame["clientId"] is None:
            self.fail(f"it was refused: {frame['data']}")
            self.lost(Lost())
            return
        self.bound()
        reads, self.reads = self.reads, {}
        for read in reads.values():
            self._ask(read)
        self.returned()

    def _take_push(self, frame):
        operation, pairs = PUSHES[frame["cn"]], []
        for told in frame["objectList"]:
            if operation == "updatesReceived":
                self.remember(told["ID"], value_of(told), "push")
                pairs.append(pair(told["cn"], told["ID"]))
            else:
                self.remember(told["ID"], None, "push")
                pairs.append(told)
        self.figures["objects told"] += len(pairs)
        self.told.setdefault(operation, []).extend(pairs)

    def _take_reply(self, frame):
        message = frame["correspondingMessageId"]
        self.say({"ack": {"correspondingMessageId": message}})
        if frame["cn"] in RECEIPT_RESPONSES:
            return
        if "errorCode" in frame:
            self._take_error(message, frame)
        elif "totalCount" in frame or isinstance(frame["result"], list):
            self._take_objects(self.reads.pop(message, None), frame["result"])
        else:
            self.take_answer(message, frame)

    def _take_error(self, message, frame):
        code = str(frame["errorCode"])
        self.figures[f"errors {code}"] += 1
        if code not in ASK_AGAIN:
            self.fail(json.dumps(frame)[:500])
        elif not self.ready:
            self.lost(Lost())
        elif message in self.reads:
            self.later(1.0, self._ask, self.reads.pop(message))
        else:
            self.take_error(message)

    def _take_objects(self, read, objects):
        """The reply to a read; one that was asked on an earlier socket may still come."""
        for item in objects:
            self.remember(item["ID"], value_of(item), "read")
        if read and read["operation"] == "findByIds":
            asked = read["theClassIdList"][0]["ids"]
            for gone in set(asked) - {item["ID"] for item in objects}:
                self.remember(gone, None, "read")

    # ---- For writers

    def returned(self):
        """It is bound (again)."""

    def take_ack(self, message):
        """The gateway says that the request is safe."""

    def take_answer(self, message, frame):
        """The reply to what is no read."""

    def take_error(self, message):
        """It is to be asked again."""


class WatchAll(LastingClient):
    def __init__(self, crowd, number):
        super().__init__(crowd, number)
        self.share = None


class Writer(Writes, LastingClient):
    """What got its ack and no answer is never asked again: its reply has to come by itself."""

    makes = "task"

    def create(self, item, value):
        return Write(item, value, "createObject", theObject=_object(item, value))

    def change(self, item, value):
        return Write(item, value, "putObject", theObject=_object(item, value))

    def remove(self, item):
        return Write(item, None, "removeObject", removePair=pair(class_of_item(item), item))

    def send(self, write, message=None):
        return self._request(write.operation, message, sendAck=True, **write.asked)

    def _ask_again(self, message):
        write = self.open_writes.get(message)
        if write:
            self.figures["writes asked again"] += 1
            self.send(write, message)

    def take_ack(self, message):
        write = self.open_writes.get(message)
        if write and not write.acknowledged:
            write.acknowledged = True
            self.figures["writes acknowledged"] += 1

    def take_answer(self, message, frame):
        write = self.open_writes.pop(message, None)
        if write is None:
            self.figures["replies repeated"] += 1
            return
        if frame["result"] is not True:
            self.fail(f"{write}: {json.dumps(frame)[:500]}")
        self.written(write)

    def take_error(self, message):
        self.later(1.0, self._ask_again, message)

    def returned(self):
        for message, write in list(self.open_writes.items()):
            if not write.acknowledged:
                self._ask_again(message)


def _object(item, value):
    return {"cn": class_of_item(item), "ID": item, "title": value[0], "text": value[1]}
