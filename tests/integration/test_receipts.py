"""Receipts, from sockets to the broker: exact, of many clients in one message (design section 9).

The gateway alone, with a sync agent that the test plays.
"""

import pytest
from by_hand import SyncAgentByHand
from client import SYNC, Client, pair
from shapes import assert_error, assert_sync_shape
from stack import PROVIDER, Stack

TASK = "com.app.mo.Task"
NOBODY = {"v": 1, "unknown": []}
TIMEOUT_MS = 10_000
FRAME_BYTES = 8_000_000
MANY = 100_000
UNACKNOWLEDGED = 12_000


@pytest.fixture(scope="module")
def bare_stack(servers):
    settings = {"gateway.request_timeout_ms": TIMEOUT_MS, "gateway.max_frame_bytes": FRAME_BYTES,
                "gateway.max_open_bytes": FRAME_BYTES, "gateway.max_open_requests": 20,
                "gateway.max_unacknowledged": UNACKNOWLEDGED}
    with Stack(servers, sync_agents=0, settings=settings) as stack:
        yield stack


@pytest.fixture
def agent(bare_stack):
    with SyncAgentByHand(bare_stack) as agent:
        yield agent
    bare_stack.check()


@pytest.fixture
def bind(bare_stack, agent, connect):
    """Logs a client in."""
    def make():
        client = connect(bare_stack.gateways[0])
        client.request("authenticate", authProvider=PROVIDER,
                       credential=bare_stack.credential("ada"))
        agent.serve_until(lambda: client.client_id in agent.gateways, "the client is bound")
        client.expect_connect_response()
        client.inbox.clear()
        return client

    return make


@pytest.fixture
def client(bind):
    return bind()


def ref(task):
    return f"{TASK}:{task}"


def told(client, agent, *tasks, **options):
    """The client is told of the (Task, version), and has read it."""
    agent.push(client.client_id, *[(ref(task), version) for task, version in tasks], **options)
    client.expect_push(lambda f: "told" in f)


def send_receipt(client, *tasks, deletes=False, **members):
    return client.send_request("deletesReceived" if deletes else "updatesReceived",
                               classIdPairs=[pair(TASK, task) for task in tasks], **members)


def entries(request):
    """What a message of receipts says: [(client, pairs)]."""
    assert request.body["v"] == 1
    return [(e["client"], [tuple(p) for p in e["pairs"]]) for e in request.body["receipts"]]


def settle(client, agent, *tasks, deletes=False):
    """Sends a receipt, answers it, and returns the pairs that it proved."""
    message = send_receipt(client, *tasks, deletes=deletes)
    request = agent.take("deletesReceived" if deletes else "updatesReceived")
    agent.reply(request, NOBODY)
    assert client.response_to(message)["result"] is True
    (who, pairs), = entries(request)
    assert who == client.client_id
    return pairs


def test_a_receipt_proves_the_version_that_was_sent(client, agent):
    told(client, agent, ("a", 3))
    assert settle(client, agent, "a") == [(ref("a"), 3)]


def test_each_receipt_settles_one_send_the_oldest_first(client, agent):
    for version in (3, 4, 4):
        told(client, agent, ("a", version))
    assert [settle(client, agent, "a") for _ in range(4)] == [
        [(ref("a"), 3)], [(ref("a"), 4)], [(ref("a"), 4)], []]


def test_what_was_not_sent_is_left_out(client, agent):
    told(client, agent, ("a", 3), ("b", 7))
    assert settle(client, agent, "x", "b", "b", "a:b") == [(ref("b"), 7)]


def test_a_receipt_for_an_update_settles_no_delete(client, agent):
    told(client, agent, ("a", 3), kind="d")
    assert settle(client, agent, "a") == []
    assert settle(client, agent, "a", deletes=True) == [(ref("a"), 3)]


def value(task, field, params="[]"):
    """The item of a watched value."""
    return f"~{ref(task)}\t{field}\t{params}"


def told_value(client, agent, item, number):
    agent.push(client.client_id, (item, number), kind="w")
    client.expect_push(lambda f: "told" in f)


def test_a_receipt_for_a_watched_value_names_its_object(client, agent):
    told_value(client, agent, value("a", "parts", '["ä\\""]'), 3)
    assert settle(client, agent, "b") == []
    assert settle(client, agent, "a", deletes=True) == []
    assert settle(client, agent, "a", "a") == [(value("a", "parts", '["ä\\""]'), 3)]


def test_updates_and_values_of_an_object_are_settled_in_the_order_of_their_sends(client, agent):
    told(client, agent, ("a", 1), ("b", 1))
    told_value(client, agent, value("a", "parts"), 2)
    told(client, agent, ("a", 3))
    told_value(client, agent, value("a", "open"), 4)
    assert settle(client, agent, "a") == [(ref("a"), 1)]
    assert settle(client, agent, "a", "b", "a") == [
        (value("a", "parts"), 2), (ref("b"), 1), (ref("a"), 3)]
    assert settle(client, agent, "a") == [(value("a", "open"), 4)]
    assert settle(client, agent, "a") == []


def test_a_value_that_has_no_item_is_not_told(client, agent):
    agent.push(client.client_id, (ref("a"), 1), kind="w")
    told(client, agent, ("b", 1))
    assert not client.inbox


def test_what_another_client_was_sent_cannot_be_settled(bind, agent):
    one, other = bind(), bind()
    told(one, agent, ("a", 3))
    assert settle(other, agent, "a") == []
    assert settle(one, agent, "a") == [(ref("a"), 3)]


def test_a_push_for_a_client_that_is_not_here_is_no_send(client, agent):
    agent.gateways["f" * 32] = agent.gateways[client.client_id]
    agent.push("f" * 32, (ref("a"), 3))
    told(client, agent, ("b", 1))
    assert settle(client, agent, "a", "b") == [(ref("b"), 1)]


def test_names_with_escapes_are_the_same_object(client, agent):
    told(client, agent, ('ä"\\', 3))
    assert settle(client, agent, 'ä"\\') == [(ref('ä"\\'), 3)]


def test_receipts_of_many_clients_share_a_message(bare_stack, bind, agent):
    clients = [bind() for _ in range(30)]
    for client in clients:
        told(client, agent, ("a", 3))
    gateway = bare_stack.gateways[0]
    gateway.pause()
    messages = [send_receipt(client, "a") for client in clients]
    gateway.resume()
    told_of = []
    while sum(map(len, told_of)) < len(clients):
        request = agent.take("updatesReceived")
        told_of.append(entries(request))
        agent.reply(request, NOBODY)
    assert sorted(sum(told_of, [])) == sorted((c.client_id, [(ref("a"), 3)]) for c in clients)
    assert len(told_of) <= 2, "all were read in one turn of the loop, or in two"
    for client, message in zip(clients, messages):
        assert_sync_shape(client.response_to(message), "PushUpdatesReceivedResponse",
                          client.client_id, message)


def test_who_is_unknown_to_the_agents_is_told_so_and_nobody_else(bare_stack, bind, agent):
    known, unknown = bind(), bind()
    bare_stack.gateways[0].pause()
    messages = [send_receipt(client, "a") for client in (known, unknown)]
    bare_stack.gateways[0].resume()
    count = 0
    while count < 2:
        request = agent.take("updatesReceived")
        count += len(entries(request))
        agent.reply(request, {"v": 1, "unknown": [unknown.client_id]})
    assert known.response_to(messages[0])["result"] is True
    assert_error(unknown.response_to(messages[1]), "-100")


def test_a_receipt_without_a_message_id_is_answered_like_everything(client, agent):
    send_receipt(client, "a", messageId=None)
    agent.reply(agent.take("updatesReceived"), NOBODY)
    response = client.expect(lambda f: f.get("cn") == SYNC + "PushUpdatesReceivedResponse",
                             "a response")
    assert_sync_shape(response, "PushUpdatesReceivedResponse", client.client_id, None)


@pytest.mark.parametrize("pairs", [None, "null"])
def test_a_receipt_without_pairs_is_one(client, agent, pairs):
    message = "m"
    client.send({"cn": SYNC + "PushUpdatesReceivedRequest", "messageId": message,
                 **({} if pairs is None else {"classIdPairs": None})})
    request = agent.take("updatesReceived")
    assert entries(request) == [(client.client_id, [])]
    agent.reply(request, NOBODY)
    assert client.response_to(message)["result"] is True


@pytest.mark.parametrize("pairs, member", [
    ({}, "classIdPairs: expected an array"),
    ("a", "classIdPairs: expected an array"),
    ([7], "classIdPairs[0]: expected an object"),
    ([{}], "classIdPairs[0].className: expected a string, found absent"),
    ([pair(TASK, "a"), {"className": TASK}], "classIdPairs[1].ID: expected a string, found absent"),
    ([pair(TASK, 7)], "classIdPairs[0].ID: expected a string, found number"),
    ([pair(None, "a")], "classIdPairs[0].className: expected a string, found null"),
])
def test_what_is_no_receipt_settles_nothing(client, agent, pairs, member):
    told(client, agent, ("a", 3))
    response = client.request("updatesReceived", classIdPairs=pairs)
    assert_error(response, "-115")
    assert member in response["errorDesc"]
    assert settle(client, agent, "a") == [(ref("a"), 3)]


def test_a_receipt_needs_a_login(bare_stack, agent, connect):
    client = connect(bare_stack.gateways[0])
    assert_error(client.request("updatesReceived", classIdPairs=[]), "-100")


def test_receipts_that_nobody_answers_end_in_time(client, agent):
    messages = [send_receipt(client, "a") for _ in range(3)]
    for message in messages:
        assert_error(client.response_to(message), "-116")


def test_an_error_of_the_agent_is_the_answer_of_each(client, agent):
    message = send_receipt(client, "a")
    agent.reply(agent.take("updatesReceived"),
                {"cn": SYNC + "SyncErrorResponse", "errorCode": "-119", "errorDesc": "away"})
    assert_error(client.response_to(message), "-119")


def test_a_client_may_have_so_many_receipts_open_and_no_more(client, agent):
    messages = [send_receipt(client, "a") for _ in range(21)]
    assert_error(client.response_to(messages[20]), "-118")
    count = 0
    while count < 20:
        request = agent.take("updatesReceived")
        count += len(entries(request))
        agent.reply(request, NOBODY)
    assert all(client.response_to(message)["result"] is True for message in messages[:20])


def test_a_receipt_that_wants_an_ack_gets_it(client, agent):
    message = send_receipt(client, "a", sendAck=True)
    client.expect_ack(message)
    agent.reply(agent.take("updatesReceived"), NOBODY)
    assert client.response_to(message)["result"] is True


def test_the_socket_may_close_before_the_answer(bind, agent):
    leaving, staying = bind(), bind()
    send_receipt(leaving, "a")
    request = agent.take("updatesReceived")
    leaving.close()
    agent.take("disconnect")
    agent.reply(request, NOBODY)
    assert settle(staying, agent, "a") == []


def test_a_hundred_thousand_pairs_in_one_receipt(client, agent):
    sent = [(str(i), i + 1) for i in range(UNACKNOWLEDGED)]
    told(client, agent, *sent)
    message = client.send_request("updatesReceived",
                                  classIdPairs=[pair(TASK, str(i)) for i in range(MANY)])
    proved = []
    while len(proved) < len(sent):
        request = agent.take("updatesReceived")
        assert len(str(request.body)) < 600_000
        assert not client.inbox
        proved += [p for _, pairs in entries(request) for p in pairs]
        agent.reply(request, NOBODY)
    assert proved == [(ref(task), version) for task, version in sent]
    assert client.response_to(message)["result"] is True


def test_who_owes_too_many_receipts_is_sent_nothing_else(client, agent):
    sent = [(str(i), 1) for i in range(UNACKNOWLEDGED)]
    told(client, agent, *sent)
    agent.push(client.client_id, (ref("one too many"), 1), body={"told": "too many"})
    told(client, agent, ("0", 2))
    assert not client.inbox
    assert settle(client, agent, "1") == [(ref("1"), 1)]
    told(client, agent, ("one too many", 1))


# ---- Replies

def acknowledged(agent, count):
    """What the next messages say of `count` replies: [(client, messageId)]."""
    found = []
    while len(found) < count:
        request = agent.take("repliesReceived")
        assert request.properties.reply_to is None
        found += [(e["client"], i) for e in request.body["receipts"] for i in e["ids"]]
    return found


def keep_of(client, agent, **members):
    """The header of the client's next request."""
    client.send_request("findById", theClassName=TASK, theClassId="a", **members)
    return agent.take("findById").keep


def test_reply_receipts_are_passed_on_together(bare_stack, bind, agent):
    clients = [bind() for _ in range(10)]
    bare_stack.gateways[0].pause()
    for client in clients:
        client.send({"ack": {"correspondingMessageId": "m"}})
        client.send({"ack": {"correspondingMessageId": "n"}})
    bare_stack.gateways[0].resume()
    assert sorted(acknowledged(agent, 20)) == sorted(
        (client.client_id, message) for client in clients for message in "mn")
    assert not agent.waiting


def test_from_its_first_reply_receipt_on_a_client_has_its_requests_kept(client, agent):
    assert keep_of(client, agent) is None
    client.send({"ack": {"correspondingMessageId": "m"}})
    acknowledged(agent, 1)
    assert keep_of(client, agent) == 1
    assert keep_of(client, agent, messageId=None) is None


def test_who_asks_for_delivery_has_its_requests_kept_at_once(bare_stack, agent):
    with Client(bare_stack.gateways[0].url) as client:
        client.connect(ensureMessageDelivery=True)
        client.request("authenticate", authProvider=PROVIDER,
                       credential=bare_stack.credential("ada"))
        agent.serve_until(lambda: client.client_id in agent.gateways, "the client is bound")
        client.expect_connect_response()
        assert keep_of(client, agent) == 1


@pytest.mark.parametrize("content", [None, 7, {}, {"correspondingMessageId": 7},
                                     {"correspondingMessageId": ""},
                                     {"correspondingMessageId": "x" * 256},
                                     {"correspondingMessageId": "a\0b"}])
def test_a_reply_receipt_for_nothing_is_ignored(client, agent, content):
    client.send({"ack": content})
    assert keep_of(client, agent) is None
    client.send({"ack": {"correspondingMessageId": "x" * 255}})
    assert acknowledged(agent, 1) == [(client.client_id, "x" * 255)]


def test_a_reply_that_is_repeated_reaches_its_client(client, agent):
    agent.repeat(client.client_id, {"cn": "again", "correspondingMessageId": "m"})
    assert client.response_to("m")["cn"] == "again"
    agent.gateways["f" * 32] = agent.gateways[client.client_id]
    agent.repeat("f" * 32, {"cn": "nobody's"})
    agent.repeat(client.client_id, {"cn": "again", "correspondingMessageId": "n"})
    client.response_to("n")
