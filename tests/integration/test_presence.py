"""A user's Person shows whether a session of theirs is bound (design section 7, "Presence").

On a stack of its own: the shared one has users who come and go all the time.
"""

import pytest
from asking import find
from client import Client
from servers import wait_until
from shapes import assert_sync_shape
from stack import Stack
from store import assert_books_balance, marks_of, session_of

PERSON = "com.app.mo.Person"
GRACE_MS = 500


@pytest.fixture(scope="module")
def present_stack(servers):
    with Stack(servers, gateways=2, sync_agents=2, settings={
            "sync.presence_grace_ms": GRACE_MS, "sync.gateway_lease_ms": 5000,
            "gateway.alive_ms": 200}) as stack:
        yield stack


@pytest.fixture
def quiet(present_stack):
    """The stack, when nobody is there and everybody has been looked at."""
    redis = present_stack.redis()
    wait_until(lambda: not redis.keys("{u:*}:b") and is_quiet(redis), 30, "everybody has gone")
    yield present_stack
    present_stack.check()
    wait_until(lambda: is_quiet(redis), 30, "all is quiet")
    assert_books_balance(redis)


def is_quiet(redis):
    return not redis.exists("online", "jobs")


@pytest.fixture
def ben(quiet, connect):
    """Watches Persons."""
    return connect(quiet.gateways[1], "ben")


def person_of(client, stack):
    return stack.redis().hget(f"{{u:{client.user_id}}}", "anchor")


def watch(ben, client, stack, connected):
    """Has read the other's Person, and been told that it is there, or not."""
    person = person_of(client, stack)
    if find(ben, PERSON, person)["connected"] is not connected:
        ben.expect_update(person, connected=connected)
    acknowledge(ben, stack, person)
    return person


def acknowledge(ben, stack, person):
    """Until it owes no receipt; a change that overtakes a reply is told twice."""
    redis = stack.redis()
    ben.acknowledge((PERSON, person))
    while marks_of(redis, session_of(redis, ben.client_id)):
        ben.acknowledge((PERSON, person))
    ben.inbox.clear()


def wait_for_look(stack):
    redis = stack.redis()
    wait_until(lambda: is_quiet(redis), 15, "all who came or went have been looked at")


def is_of(person):
    return lambda f: any(o.get("ID") == person for o in f.get("objectList", ()))


def version(stack, person):
    return stack.redis().hget(f"{{o:{PERSON}:{person}}}", "@v")


def test_who_comes_is_shown_to_all_who_watch_with_an_ordinary_push(quiet, connect, ben):
    with Client(quiet.gateways[0].url) as first:
        first.connect().login("file", quiet.credential("ada"))
        person = watch(ben, first, quiet, True)
    ben.expect_update(person, connected=False)
    acknowledge(ben, quiet, person)
    connect(quiet.gateways[0], "ada")
    push = ben.expect_push(is_of(person), "the Person")
    assert_sync_shape(push, "PushUpdateResponse", ben.client_id, None)
    assert push["updatedFields"] == ["connected"]
    assert push["objectList"] == [find(ben, PERSON, person)]
    assert push["objectList"][0]["connected"] is True


def test_the_first_of_several_clients_counts_and_the_last(quiet, connect, ben):
    clients = [connect(gateway, "ada") for gateway in quiet.gateways]
    person = watch(ben, clients[0], quiet, True)
    before = version(quiet, person)
    clients.append(connect(quiet.gateways[0], "ada"))
    for client in clients[:2]:
        client.close()
    redis = quiet.redis()
    wait_until(lambda: redis.scard(f"{{u:{clients[0].user_id}}}:b") == 1, 15, "one is left")
    wait_for_look(quiet)
    assert version(quiet, person) == before
    clients[2].request("logout", pleaseDestroyClient=True)
    ben.expect_update(person, connected=False)
    assert int(version(quiet, person)) == int(before) + 1, "nothing was told in between"


def test_a_return_within_the_grace_changes_nothing(new_stack, connect):
    stack = new_stack(gateways=1, sync_agents=1, settings={"sync.presence_grace_ms": 3_600_000})
    ada, ben = (connect(stack.gateways[0], user) for user in ("ada", "ben"))
    person = watch(ben, ada, stack, True)
    before = version(stack, person)
    ada.vanish()
    bound = f"{{u:{ada.user_id}}}:b"
    wait_until(lambda: not stack.redis().exists(bound), 15, "ada is unbound")
    wait_until(lambda: stack.redis().zscore("online", ada.user_id) > stack.redis().time()[0] * 1000
               + 3_000_000, 15, "somebody has looked, and will again after the grace")
    with Client(stack.gateways[0].url) as again:
        again.send({"reconnect": {"reconnectId": ada.session}})
        again.expect_connect_response()
        wait_for_look(stack)
        assert stack.redis().exists(bound)
        assert version(stack, person) == before


def test_a_gateway_that_dies_takes_its_users_away_until_they_return(quiet, ben):
    ada = Client(quiet.gateways[0].url).connect()
    ada.login("file", quiet.credential("ada"))
    person = watch(ben, ada, quiet, True)
    quiet.gateways[0].kill()
    try:
        ben.expect_update(person, connected=False)
    finally:
        quiet.gateways[0].start()
    with Client(quiet.gateways[1].url) as again:
        again.send({"reconnect": {"reconnectId": ada.session}})
        ben.expect_update(person, connected=True)


@pytest.mark.parametrize("fault", ["after-online:2", "after-marks", "after-push"])
def test_an_agent_that_dies_half_way_is_followed_by_another(new_stack, connect, fault):
    """It has set the field, in its second look after the grace, and told nobody, or nobody knows whom."""
    stack = new_stack(gateways=1, sync_agents=1, settings={
        "sync.presence_grace_ms": 200, "sync.job_lease_ms": 400})
    ada, ben = (connect(stack.gateways[0], user) for user in ("ada", "ben"))
    person = watch(ben, ada, stack, True)
    wait_for_look(stack)
    before = version(stack, person)
    agent = stack.sync_agents[0]
    agent.stop()
    agent.start(fault=fault)
    ada.close()
    agent.expect_death()
    assert int(version(stack, person)) == int(before) + 1, "the field is set, once"
    agent.start()
    ben.expect_update(person, connected=False)
    wait_for_look(stack)
    assert int(version(stack, person)) == int(before) + 1
    acknowledge(ben, stack, person)
    assert_books_balance(stack.redis())


def test_what_the_file_says_of_who_is_there_does_not_count(quiet, ben):
    """The field is the server's: a put leaves it as it is."""
    person = person_of(ben, quiet)
    watch(ben, ben, quiet, True)
    assert ben.request("putObject", theObject={
        "cn": PERSON, "ID": person, "connected": False, "status": "here"})["result"] is True
    assert find(ben, PERSON, person)["connected"] is True


def test_who_logs_in_sees_themselves_there(stack, connect_content):
    for _ in range(5):
        client = connect_content(stack.gateways[0])
        me = client.login(stack.credential("ada"))["self"]
        assert client.get_content(me)["data"]["content"]["connected"] is True
        client.close()
