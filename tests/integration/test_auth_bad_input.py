"""Whatever stands in a request that is about a login: nobody gets in by it, one answer comes, and the
next good login works. The operations are those of the table; one that is new there wants a row here.
"""

import subprocess

import pytest
from client import SYNC
from content_client import code_of, login_data
from stack import BUILD

# What decides whether somebody gets in: with each of these wrong and the others right, nobody does.
DECIDING = {
    "authenticate": ("authProvider", "credential"),
    "authenticateOAuthAccessToken": ("authProvider", "accessToken"),
    "authenticateOAuthCode": ("authProvider", "code", "redirectUri"),
    "reauthenticate": ("token",),
    "register": ("authProvider", "credential"),
    "validateUserByToken": ("token",),
}
OPEN = {"getAllServiceProviders", "testCall"}  # let nobody in
# What the gateway knows better, or nobody asks for: it may say what it likes.
IGNORED = ("clientId", "userId", "deviceId", "clientType", "regAppKey", "svcOauthKey", "sendAck",
           "responseChannel", "theClassName")
MISTYPED = (0, -1, 1.5, 2**70, True, False, [], ["x"], {}, {"x": {"y": []}})
ODD = ("", " ", "x", "a\0b", "é" * 3, "null", "\n", "x" * 5000, "x" * 200_000)
CONTENT = {"login": ("username", "password"), "reconnect": ("session",)}


def operations(column):
    lines = subprocess.run([BUILD / "deploy/ctl/activestack-ctl", "operations"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()[1:]
    rows = [line.split() for line in lines]
    # What needs a login lets nobody in.
    return {row[0] for row in rows
            if row[1] == "-" and row[2] == "auth" and row[3:5] == [column, "no"]}


def right(stack):
    """Of each deciding member a value that is."""
    return {"authProvider": "file", "credential": stack.credential("ada"), "token": "none",
            "accessToken": "none", "code": "none", "redirectUri": "https://localhost/"}


def assert_nobody_got_in(answer):
    if answer["cn"] == SYNC + "SyncErrorResponse":
        assert answer["errorCode"] in ("-115", "-118"), answer
    else:
        assert not answer["result"], answer
        assert answer["result"] is False or answer["statusCode"] != 200, answer


def test_each_operation_that_clients_may_send_to_the_auth_agent_is_tried():
    assert operations("client") == set(DECIDING) | OPEN


@pytest.mark.parametrize("operation,member",
                         [(o, m) for o, members in DECIDING.items() for m in members])
def test_with_a_deciding_member_wrong_nobody_gets_in(stack, connect, operation, member):
    client, base = connect(stack.gateways[0]), right(stack)
    good = {name: base[name] for name in DECIDING[operation] if name != member}
    assert_nobody_got_in(client.request(operation, event=True, **good))
    for value in ODD:
        assert_nobody_got_in(client.request(operation, event=True, **good, **{member: value}))
    for value in MISTYPED:
        answer = client.request(operation, event=True, **good, **{member: value})
        assert answer.get("errorCode") == "-115" and member in answer["errorDesc"], (value, answer)
    client.login("file", stack.credential("ada"))


@pytest.mark.parametrize("operation", DECIDING)
def test_other_members_change_nothing(stack, connect, operation):
    client = connect(stack.gateways[0])
    wrong = {**right(stack), "authProvider": "nowhere", "credential": "a:b"}
    base = {name: wrong[name] for name in DECIDING[operation]}
    for member in IGNORED:
        for value in (*MISTYPED, *ODD):
            assert_nobody_got_in(client.request(operation, event=True, **{**base, member: value}))
    client.login("file", stack.credential("ada"))


@pytest.mark.parametrize("cls,member", [(c, m) for c, members in CONTENT.items() for m in members])
def test_a_content_client_gets_in_by_nothing_wrong_either(stack, connect_content, cls, member):
    client = connect_content(stack.gateways[0])
    good = {**login_data(stack.credential("ada")), "session": "none"}
    good = {name: good[name] for name in CONTENT[cls] if name != member}
    number = 1 if cls == "login" else 2
    assert code_of(client.request(cls, **good)) == 4000000 + number * 100
    for value in MISTYPED:
        assert code_of(client.request(cls, **good, **{member: value})) == 4000000 + number * 100
    for value in ODD:
        assert code_of(client.request(cls, **good, **{member: value})) in (
            4000000 + number * 100, 4010130, 4010220), value
    client.login(stack.credential("ada"))
