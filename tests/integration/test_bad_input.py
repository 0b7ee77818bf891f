"""Whatever a client sends: the documented error or close code, and the next valid request works."""

import json
import select
import struct

import pytest
import websocket
from client import SYNC, Client, class_of
from shapes import assert_error
from stack import slow

TASK = "com.app.mo.Task"
MIB = 1 << 20
FIND = {"cn": SYNC + "FindByIdRequest", "theClassName": TASK, "theClassId": "none"}


def brief(value):
    return repr(value)[:30]


@pytest.fixture
def client(stack, connect):
    return connect(stack.gateways[0], "ada")


def assert_served(client):
    assert client.request("findById", theClassName=TASK, theClassId="none")["result"] is None


def assert_closed(client, code):
    assert client.expect_close().code == code


def next_error(client):
    return client.expect(lambda f: "errorCode" in f, "an error")


# ---- Before the login

@pytest.mark.parametrize("operation", [
    "findById", "createObject", "putObject", "removeObject", "updatesReceived", "deletesReceived",
    "logout", "getAllByName", "runProcess"])
def test_what_needs_a_login_is_refused_before_it(stack, connect, operation):
    client = connect(stack.gateways[0])
    for event in (False, True):
        response = client.request(operation, event=event)
        assert_error(response, "-100")
        assert response["clientId"] == client.client_id
    client.login("file", stack.credential("ada"))
    assert_served(client)


def test_an_invalid_clients_write_has_no_effect(stack, connect, new_id):
    client, task = connect(stack.gateways[0]), new_id("task")
    message = client.send_request("createObject", sendAck=True, theObject={"cn": TASK, "ID": task})
    assert_error(client.response_to(message), "-100")
    assert not stack.redis().exists(f"{{o:{TASK}:{task}}}")
    client.expect_nothing(lambda f: "ack" in f, 0.05)


# ---- Unknown and unserved operations

@pytest.mark.parametrize("operation", [
    "getOAuthRequestToken", "getServiceUsers", "authenticateUserAccount"])
def test_what_is_not_served_says_so(client, operation):
    assert_error(client.request(operation, event=True, cn=None), "-106")
    assert_served(client)


@pytest.mark.parametrize("frame", [
    {"cn": "com.example.Nothing"}, {"cn": ""}, {"cn": SYNC + "NothingRequest"}, {"cn": TASK},
    {"cn": SYNC + "FindByIdResponse"}, ["nothing", FIND], ["", {}], ["findById\u0000", FIND],
    {"cn": SYNC + "HibernateRequest"}, {"cn": SYNC + "DisconnectRequest"},
    ["disconnect", {}], ["disconnectAuth", {}], ["hibernate", {}]], ids=json.dumps)
def test_what_clients_may_not_send_or_nobody_knows_is_not_served(client, frame):
    if isinstance(frame, list):
        client.send([frame[0], {**frame[1], "messageId": "m"}])
    else:
        client.send({**frame, "messageId": "m"})
    assert_error(client.response_to("m"), "-106")
    assert_served(client)


# ---- Unknown classes

@pytest.mark.parametrize("operation, members", [
    ("findById", {"theClassName": "no.such.Class", "theClassId": "1"}),
    ("createObject", {"theObject": {"cn": "no.such.Class", "ID": "1"}}),
    ("createObject", {"theObject": {"cn": "com.app.mo.Item", "ID": "1"}}),
    ("putObject", {"theObject": {"cn": "no.such.Class", "ID": "1"}}),
    ("removeObject", {"removePair": {"className": "no.such.Class", "ID": "1"}})])
def test_a_class_that_the_model_does_not_have_is_named_as_missing(client, operation, members):
    assert_error(client.request(operation, **members), "-104")
    assert_served(client)


ODD_NAMES = [TASK + "\n", TASK + "\u0001", TASK + "\u007f", "\t" + TASK, "com.app.mo\r.Task", "\u0000",
             TASK + "\u0000", "\u202e" + TASK, TASK + ":x", TASK + "}:w", "*", "x" * 100_000]


@pytest.mark.parametrize("operation, members", [
    ("findById", lambda name: {"theClassName": name, "theClassId": "x"}),
    ("findByIds", lambda name: {"theClassIdList": [{"className": name, "ids": ["x"]}]}),
    ("getAllByName", lambda name: {"theClassName": name}),
    ("countAllByName", lambda name: {"classNames": [name]}),
    ("findByExample", lambda name: {"theObject": {"cn": name}}),
    ("searchByExample", lambda name: {"theObject": {"cn": name}}),
    ("findUnique", lambda name: {"theObject": {"cn": name}}),
    ("createObject", lambda name: {"theObject": {"cn": name, "ID": "x"}}),
    ("putObject", lambda name: {"theObject": {"cn": name, "ID": "x"}}),
    ("removeObject", lambda name: {"removePair": {"className": name, "ID": "x"}}),
    ("getAccessor", lambda name: {"theClassName": name, "theClassId": "x", "returnObject": False}),
    ("getHistory", lambda name: {"theClassName": name, "theClassId": "x"})],
    ids=lambda x: x if isinstance(x, str) else "")
def test_a_class_name_with_anything_odd_in_it_is_no_class(client, operation, members):
    for name in ODD_NAMES:
        response = client.request(operation, **members(name))
        assert response["errorCode"] in ("-104", "-115"), brief(name)
        assert len(response["errorDesc"]) < 200, "it is not given back at its length"
    assert_served(client)


@pytest.mark.parametrize("operation", ["updatesReceived", "deletesReceived"])
@pytest.mark.parametrize("pairs", [
    [{"className": TASK + "\n", "ID": "x"}], [{"className": "no.Such", "ID": "\u0000"}],
    [{"className": TASK, "ID": "x" * 1000}],
    [{"className": TASK, "ID": f"{i}"} for i in range(15_000)]], ids=brief)
def test_receipts_for_what_nobody_was_told_of_change_nothing(client, operation, pairs):
    """Spec 3.6: pairs that are unknown are ignored."""
    assert client.request(operation, classIdPairs=pairs)["result"] is True
    assert_served(client)


@pytest.mark.parametrize("operation", ["updatesReceived", "deletesReceived"])
@pytest.mark.parametrize("pairs", [[{"className": TASK, "ID": 7}], [None, 7, "x", [], {}]], ids=brief)
def test_receipts_for_what_is_no_object_are_refused(client, operation, pairs):
    assert_error(client.request(operation, classIdPairs=pairs), "-115")
    assert_served(client)


# ---- Malformed requests

@pytest.mark.parametrize("operation, members, told", [
    ("findById", {"theClassName": TASK}, "theClassId"),
    ("findById", {"theClassId": "x"}, "theClassName"),
    ("findById", {"theClassName": TASK, "theClassId": 5}, "theClassId"),
    ("findById", {"theClassName": [TASK], "theClassId": "x"}, "theClassName"),
    ("findById", {"theClassName": TASK, "theClassId": ""}, "theClassId"),
    ("findById", {"theClassName": TASK, "theClassId": "x" * 600}, "theClassId"),
    ("findById", {"theClassName": TASK, "theClassId": "a\u0000b"}, "theClassId"),
    ("createObject", {}, "theObject"), ("createObject", {"theObject": "x"}, "theObject"),
    ("createObject", {"theObject": []}, "theObject"), ("createObject", {"theObject": {}}, "cn"),
    ("createObject", {"theObject": {"cn": 5}}, "cn"),
    ("putObject", {"theObject": {"cn": TASK, "title": "x"}}, "theObject.ID"),
    ("removeObject", {}, "removePair"), ("removeObject", {"removePair": "x"}, "removePair"),
    ("removeObject", {"removePair": {"className": TASK}}, "removePair"),
    ("removeObject", {"removePair": {"className": TASK, "ID": 7}}, "removePair"),
    ("putObject", {"theObject": {"cn": TASK, "ID": "  ", "title": "x"}}, "theObject.ID"),
    ("getAllByName", {"theClassName": TASK, "returnTotal": "no"}, "returnTotal"),
    ("countAllByName", {"classNames": {}}, "classNames"),
    ("getAccessor", {"theClassName": TASK, "theClassId": "x", "returnObject": 1}, "returnObject"),
    ("upgradeClient", {"deviceType": 5}, "deviceType"),
    ("updatesReceived", {"classIdPairs": {}}, "classIdPairs"),
    ("deletesReceived", {"classIdPairs": "x"}, "classIdPairs")])
def test_a_malformed_request_is_told_which_member_and_what_was_expected(client, operation, members,
                                                                        told):
    assert_error(client.request(operation, **members), "-115", told, "expected")
    assert_served(client)


@pytest.mark.parametrize("frame", [
    "[]", '["findById"]', '["findById",{},1]', "[1,{}]", "[null,{}]", '["findById",[]]',
    '["findById",null]', '["findById","x"]', "[{},{}]", "[[],{}]"])
def test_an_array_of_another_shape_is_malformed(client, frame):
    client.send_text(frame)
    error = next_error(client)
    assert_error(error, "-115")
    assert error["correspondingMessageId"] is None
    assert_served(client)


def test_the_class_of_another_operation_is_malformed(client):
    client.send(["putObject", {**FIND, "messageId": "m"}])
    assert_error(client.response_to("m"), "-115", "cn")
    assert_served(client)


def test_the_class_may_be_left_out_of_the_array_form(client):
    client.send(["findById", {"messageId": "m", "theClassName": TASK, "theClassId": "none"}])
    assert client.response_to("m")["result"] is None


@pytest.mark.parametrize("message_id", [5, 1.5, True, [], {}, "x" * 256], ids=brief)
def test_a_message_id_that_is_none_is_malformed(client, message_id):
    client.send({**FIND, "messageId": message_id})
    error = next_error(client)
    assert_error(error, "-115", "messageId")
    assert error["correspondingMessageId"] is None
    assert_served(client)


@pytest.mark.parametrize("message_id", ["", "x" * 255, "ä\n\"\\", "0"], ids=brief)
def test_any_text_up_to_255_bytes_is_a_message_id(client, message_id):
    client.send({**FIND, "messageId": message_id})
    response = client.expect(lambda f: f.get("cn", "").endswith("FindByIdResponse"), "a response")
    assert response["correspondingMessageId"] in (message_id, message_id or None)


def test_a_request_without_a_message_id_is_answered(client):
    client.send(FIND)
    response = client.expect(lambda f: "result" in f, "a response")
    assert response["correspondingMessageId"] is None


@pytest.mark.parametrize("cn", ["5", "null", "[]", "{}", "true"])
def test_a_class_that_is_no_text_is_refused(client, cn):
    client.send_text(f'{{"cn":{cn},"messageId":"m"}}')
    error = next_error(client)
    assert error["errorCode"] in ("-106", "-115") and error["correspondingMessageId"] == "m"
    assert_served(client)


@pytest.mark.parametrize("text", [
    f'{{"cn":"{SYNC}FindByIdRequest","cn":"{SYNC}PutRequest","messageId":"m"}}',
    f'{{"cn":"{SYNC}FindByIdRequest","messageId":"m","messageId":"n"}}'])
def test_members_of_the_envelope_that_come_twice_are_malformed(client, text):
    client.send_text(text)
    assert_error(next_error(client), "-115")
    assert_served(client)


@pytest.mark.parametrize("members", [
    '"theClassName":"com.app.mo.Task","theClassName":"com.app.mo.Note","theClassId":"x"',
    '"theClassName":"com.app.mo.Task","theClassId":"x","theClassId":"y"'])
def test_members_that_come_twice_are_malformed(client, members):
    client.send_text(f'{{"cn":"{SYNC}FindByIdRequest","messageId":"m",{members}}}')
    assert_error(client.response_to("m"), "-115")
    assert_served(client)


def test_fields_that_come_twice_are_refused(client, new_id):
    task = new_id("task")
    client.send_text(f'{{"cn":"{SYNC}CreateRequest","messageId":"m","theObject":{{"cn":"{TASK}",'
                     f'"ID":"{task}","title":"one","title":"two"}}}}')
    response = client.response_to("m")
    assert response["result"] is False and "title" in response["data"]["message"]
    assert_served(client)


def test_unknown_members_of_the_envelope_are_ignored(client):
    response = client.request("findById", theClassName=TASK, theClassId="none", regAppKey="",
                              svcOauthKey=None, nonsense={"a": [1]}, responseChannel=7)
    assert response["result"] is None


# ---- Special messages

@pytest.mark.parametrize("frame", [
    "{}", '{"nonsense":1}', '{"ack":{"correspondingMessageId":"x"}}', '{"ack":null}', '{"ack":5}',
    '{"ack":{"correspondingMessageId":[]},"connect":1,"more":{}}', '{"constructor":1,"__proto__":2}'])
def test_special_messages_that_mean_nothing_are_ignored(client, frame):
    client.send_text(frame)
    assert_served(client)
    assert [f for f in client.inbox if "gatewayConnectAck" not in f] == []


@pytest.mark.parametrize("frame", ['{"hibernate":{}}', '{"hibernate":null}', '{"hibernate":[7]}'])
def test_hibernation_is_served_whatever_it_holds(client, frame):
    client.send_text(frame)
    assert client.expect_push(lambda f: f["cn"] == SYNC + "HibernateResponse")["result"] is True
    assert_served(client)


def test_who_is_not_logged_in_cannot_hibernate(stack, connect):
    client = connect(stack.gateways[0])
    client.send({"hibernate": {}})
    assert_error(next_error(client), "-100")


# ---- What closes the connection

@pytest.mark.parametrize("text", [
    b"", b" ", b"hello", b"{", b'{"a"', b'{"cn":}', b"{'cn':1}", b'{"a":1,}', b"[1,]", b"{}{}",
    b'{"a":01}', b'{"a":+1}', b'{"a":.5}', b'{"a":1.}', b'{"a":NaN}', b'{"a":"\n"}', b'{"a":"\\x"}',
    b'{"a":"\\ud800"}', b"\xef\xbb\xbf{}", b'{"a":nul}', b'{"a" 1}', b"// comment\n{}", b"\x00"])
def test_what_is_not_json_closes_with_1007(stack, connect, client, text):
    client.send_text(text)
    assert_closed(client, 1007)
    assert_served(connect(stack.gateways[0], "ada"))


@pytest.mark.parametrize("text", [
    b'{"a":"\xff"}', b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xf4\x90\x80\x80"}',
    b'{"a":"\xe2\x82"}', b"\x80", b'{"\xc3":1}'])
def test_invalid_utf8_closes_with_1007(stack, connect, client, text):
    client.send_text(text)
    assert_closed(client, 1007)
    assert_served(connect(stack.gateways[0], "ada"))


@pytest.mark.parametrize("text", ["null", "true", "5", '"text"', "1e5"])
def test_what_is_neither_object_nor_array_closes_with_1008(stack, connect, client, text):
    client.send_text(text)
    assert_closed(client, 1008)
    assert_served(connect(stack.gateways[0], "ada"))


@pytest.mark.parametrize("text", [
    "[" * 10_000, "[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000,
    '{"cn":"x","theObject":' + "[" * 100 + "]" * 100 + "}"],
    ids=["open", "arrays", "objects", "a hundred"])
def test_nesting_too_deep_closes_with_1008(stack, connect, client, text):
    client.send_text(text)
    assert_closed(client, 1008)
    assert_served(connect(stack.gateways[0], "ada"))


def test_a_binary_frame_closes_with_1003(stack, connect, client):
    client.socket.send(json.dumps(FIND).encode(), websocket.ABNF.OPCODE_BINARY)
    assert_closed(client, 1003)
    assert_served(connect(stack.gateways[0], "ada"))


def test_a_first_frame_that_is_nonsense_closes_a_connection_without_a_session(stack, connect):
    with Client(stack.gateways[0].url) as stranger:
        stranger.send_text("nonsense")
        assert_closed(stranger, 1007)
    assert_served(connect(stack.gateways[0], "ada"))


# ---- Too much

def test_a_number_with_a_million_digits_is_malformed_or_closes(stack, connect, client):
    client.send_text('{"cn":"%s","messageId":"m","n":%s}' % (FIND["cn"], "1" * 1_000_000))
    try:
        assert_error(next_error(client), "-115")
        assert_served(client)
    except AssertionError:
        assert client.closed and client.closed.code in (1007, 1008), client.inbox
    assert_served(connect(stack.gateways[0], "ada"))


def test_a_frame_of_a_megabyte_that_is_valid_is_served(client):
    frame = json.dumps({**FIND, "messageId": "m", "padding": "x" * 1_000_000})
    assert len(frame) < MIB
    client.send_text(frame)
    assert client.response_to("m")["result"] is None


def test_a_frame_over_the_limit_closes_with_1009(stack, connect, client):
    client.send_text(json.dumps({**FIND, "messageId": "m", "padding": "x" * MIB}))
    assert_closed(client, 1009)
    assert_served(connect(stack.gateways[0], "ada"))


def test_many_small_fragments_of_a_frame_over_the_limit_close_with_1009(stack, connect, client):
    raw = client.socket.sock
    fragment = b"x" * 60_000
    try:
        for i in range(40):
            raw.sendall(frame_head(len(fragment), final=False, continued=i > 0) + fragment)
    except OSError:
        pass  # it has been closed already
    assert_closed(client, 1009)
    assert_served(connect(stack.gateways[0], "ada"))


def frame_head(size, final=True, continued=False):
    """The head of a client's text frame of this size; the mask is all zeros."""
    opcode = 0 if continued else 1
    return struct.pack("!BBQ4x", (0x80 if final else 0) | opcode, 0x80 | 127, size)


def test_a_frame_of_a_hundred_megabytes_closes_with_1009(stack, connect, client):
    gateway, raw, size = stack.gateways[0], client.socket.sock, 100 * MIB
    before = resident_kib(gateway.pid)
    raw.sendall(frame_head(size))
    chunk, left = b"x" * MIB, size
    try:
        while left and not select.select([raw], [], [], 0)[0]:
            raw.sendall(chunk)
            left -= len(chunk)
    except OSError:
        pass
    assert_closed(client, 1009)
    if not slow():
        assert resident_kib(gateway.pid) - before < 20_000, "it was never held whole"
    assert_served(connect(gateway, "ada"))


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def test_too_many_open_requests_are_refused_one_by_one(stack, connect, new_id):
    """256 may be open; while the agents stand still the next are refused, and none is lost."""
    client = connect(stack.gateways[0], "ada")
    for agent in stack.sync_agents:
        agent.pause()
    try:
        messages = [client.send_request("findById", theClassName=TASK, theClassId="x")
                    for _ in range(300)]
        refused = [client.expect(lambda f: "errorCode" in f, "a refusal") for _ in range(44)]
        for frame in refused:
            assert_error(frame, "-118")
    finally:
        for agent in stack.sync_agents:
            agent.resume()
    left = set(messages) - {frame["correspondingMessageId"] for frame in refused}
    for message in left:
        assert client.response_to(message)["result"] is None
    assert_served(client)


def test_every_request_class_of_the_table_is_answered(client):
    """No silence: whatever operation, some answer comes."""
    for operation in ("findById", "createObject", "putObject", "removeObject", "updatesReceived",
                      "deletesReceived", "getAllByName", "runProcess", "getHistory"):
        client.send({"cn": class_of(operation), "messageId": operation})
        assert client.response_to(operation)["correspondingMessageId"] == operation
