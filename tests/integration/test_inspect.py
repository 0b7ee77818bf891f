"""activestack-ctl books, clients, why: marks and sessions, as an operator sees them."""

import re
import threading

import pytest
from asking import create, find, get_all, put, remove
from ctl import Ended, without_broker
from relations import (CAR, DIARY, PART, TRUCK, VEHICLE, ada, ben, car, make, redis,
                       wait_for_jobs)
from servers import wait_until
from store import balance, job_key, marks_of, object_key, session_key, session_of
from watchers import watchers_of

TASK = "com.app.mo.Task"
CHECKS = 50
WATCHERS = 600  # more than one step of a recount looks at
COMMANDS = (("books",), ("clients",), ("why", "c1", CAR, "x"))


# ---- What all of them say when they cannot tell

@pytest.mark.parametrize("words", COMMANDS)
def test_without_a_broker_they_say_so(relations_stack, tmp_path, words):
    ended = Ended(relations_stack, *words, config=without_broker(relations_stack, tmp_path))
    assert (ended.code, ended.lines) == (2, []) and "cannot be reached" in ended.err


def test_without_an_agent_they_say_so(new_stack):
    stack = new_stack(gateways=0, sync_agents=0, auth_agents=0)
    for words in COMMANDS:
        ended = Ended(stack, *words)
        assert (ended.code, ended.lines) == (2, []) and "no agent" in ended.err


@pytest.mark.parametrize("words", [
    ("books", "now"), ("books", "--dance"), ("clients", "all"), ("why",), ("why", "c1", CAR),
    ("why", "c1", CAR, "x", "y"), ("why", "--wait"), ("model",), ("import", "a", "b")])
def test_wrong_arguments_are_told(relations_stack, words):
    ended = Ended(relations_stack, *words)
    assert (ended.code, ended.lines) == (2, [])
    assert f"activestack-ctl {words[0]}: wrong arguments; see activestack-ctl --help" in ended.err


# ---- books

def books(stack):
    """What is printed, as {name: number}, and the verdict."""
    ended = Ended(stack, "books")
    numbers = {name: int(number) for name, number in map(str.split, ended.lines[:-1])}
    return ended.code, numbers, ended.lines[-1]


def test_the_books_balance_while_marks_come_and_go(stack, connect, new_id):
    task, redis = new_id("task"), stack.redis()
    writer = connect(stack.gateways[0], "ada")
    create(writer, TASK, task)
    over = threading.Event()

    def write():
        for number in range(1_000_000):
            if over.is_set():
                return
            put(writer, TASK, task, title=str(number))

    with watchers_of(stack, WATCHERS, f"{TASK}:{task}") as watchers:
        thread = threading.Thread(target=write)
        thread.start()
        try:
            for number in range(CHECKS):
                if number % 10 == 0:
                    watchers.acknowledge(TASK, task)
                ended = Ended(stack, "books", "--check")
                assert (ended.code, ended.lines, ended.err) == (0, ["balanced"], "")
        finally:
            over.set()
            thread.join()
    wait_for_jobs(redis)
    code, numbers, verdict = books(stack)
    assert (code, verdict) == (0, "balanced")
    assert list(numbers) == ["made", "acknowledged", "superseded", "ended", "pending", "recounted"]
    assert numbers["made"] > WATCHERS and numbers["acknowledged"] and numbers["superseded"]
    assert numbers["pending"] == numbers["recounted"]
    # Receipts may be under way still.
    wait_until(lambda: books(stack)[1]["recounted"] == balance(redis)[0], 30, "they are those of the store")


@pytest.mark.parametrize("page", [0, 1023])
def test_books_that_do_not_balance_are_told(stack, page):
    redis = stack.redis()
    redis.hincrby(f"{{b:{page}}}", "made", 1)
    try:
        code, numbers, verdict = books(stack)
        assert code == 1 and numbers["pending"] == numbers["recounted"] + 1
        assert verdict.startswith("NOT balanced: ")
        ended = Ended(stack, "books", "--check")
        assert (ended.code, ended.lines) == (1, [verdict])
    finally:
        redis.hincrby(f"{{b:{page}}}", "made", -1)
    assert books(stack)[0] == 0


# ---- clients

def test_every_session_is_a_line(new_stack, connect):
    stack = new_stack(gateways=2)
    redis, count = stack.redis(), 600
    ada, ben = connect(stack.gateways[0], "ada"), connect(stack.gateways[1], "ben")
    create(ada, TASK, "t1")
    find(ada, TASK, "t1")
    get_all(ben, TASK)
    with watchers_of(stack, count, f"{TASK}:other") as watchers:
        ben.vanish()
        sid = session_of(redis, ben.client_id)
        wait_until(lambda: redis.hget(session_key(sid), "gw") == "", 15, "Ben is unbound")
        put(ada, TASK, "t1", title="new")
        wait_until(lambda: marks_of(redis, sid), 15, "Ben has a mark")
        ended = Ended(stack, "clients")
    assert (ended.code, ended.err) == (0, "")
    heading, *lines = map(str.split, ended.lines)
    assert heading == ["client", "user", "gateway", "address", "objects", "classes", "marks",
                       "replies", "since"]
    assert len(lines) == count + 2
    found = {line[0]: line[1:] for line in lines}
    assert set(found) == {ada.client_id, ben.client_id, *watchers.clients}
    gateway = redis.hget(session_key(session_of(redis, ada.client_id)), "gw")
    assert found[ada.client_id][:7] == [ada.user_id, gateway, "127.0.0.1", "1", "0", "0", "0"]
    assert found[ben.client_id][:7] == [ben.user_id, "-", "127.0.0.1", "0", "1", "1", "0"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", found[ada.client_id][7])


def test_where_there_is_no_session_there_is_no_line(new_stack):
    ended = Ended(new_stack(gateways=0, auth_agents=0), "clients")
    assert (ended.code, len(ended.lines)) == (0, 1)


# ---- why

@pytest.fixture
def why(relations_stack):
    """why(client, class, ID): the sentences."""
    def ask(client, class_name, object_id):
        ended = Ended(relations_stack, "why", getattr(client, "client_id", client), class_name, object_id)
        assert (ended.code, ended.err) == (0, "")
        return ended.lines

    return ask


def is_update(frame):
    return frame["cn"].endswith("PushUpdateResponse")


def is_delete(frame):
    return frame["cn"].endswith("PushDeleteResponse")


def is_connected(client, redis):
    gateway = redis.hget(session_key(session_of(redis, client.client_id)), "gw")
    return f"The session is connected to {gateway}."


@pytest.fixture
def part(make, ben, car):
    """Made by Ada, read by Ben."""
    part = make(PART, name="wheel", vehicle={"className": CAR, "ID": car})
    assert find(ben, PART, part)["name"] == "wheel"
    return part


@pytest.fixture
def change(ada, part, redis):
    """Ada changes the part, and everybody is told who is to be."""
    def change(name):
        assert put(ada, PART, part, name=name)["result"] is True
        wait_for_jobs(redis)

    return change


@pytest.mark.parametrize("words, told", [
    (("f" * 32, CAR, "x"), "no session has this client id, or it ended long ago"),
    (("", CAR, "x"), "theClient: "),
    (("ben", "no.Such", "x"), "the model has no such class"),
    (("ben", CAR, "no-such"), "there is no such object, or it was removed long ago")])
def test_who_and_what_are_not_known_are_told(relations_stack, ben, words, told):
    words = (ben.client_id if words[0] == "ben" else words[0], *words[1:])
    ended = Ended(relations_stack, "why", *words)
    assert (ended.code, ended.lines) == (2, [])
    assert ended.err.startswith("activestack-ctl why: ") and told in ended.err


def test_what_was_never_read_is_not_watched(why, ben, car, redis):
    assert why(ben, CAR, car) == [
        f"{CAR}:{car} has version 1.", is_connected(ben, redis),
        "It watches neither the object nor a class of it: it is told of no change."]


def test_what_was_read_is_up_to_date(why, ben, part, redis):
    assert why(ben, PART, part) == [
        f"{PART}:{part} has version 1.", is_connected(ben, redis), "It watches the object.",
        "Nothing is pending: it has read, acknowledged or written the newest version."]


def test_an_object_is_found_by_a_parent_class(why, ben, car):
    assert why(ben, VEHICLE, car)[0] == f"{CAR}:{car} has version 1."


def test_of_two_objects_with_the_same_id_the_one_that_lives_counts(why, ada, ben, make, car):
    remove(ada, CAR, car)
    make(TRUCK, car)
    assert why(ben, VEHICLE, car)[0] == f"{TRUCK}:{car} has version 1."
    assert why(ben, CAR, car)[0] == f"{CAR}:{car} was removed with version 2."


def test_what_was_sent_waits_for_its_receipt(why, ben, part, change, redis):
    change("second")
    ben.expect_push(is_update)
    lines = why(ben, PART, part)
    assert lines[0] == f"{PART}:{part} has version 2."
    assert lines[2:5] == [
        "It watches the object.", "It has to hear of a change, version 2.",
        "It was sent that (sends to its latest connection: 1), and has not acknowledged it."]
    assert re.fullmatch(r"It is sent that in \d+ ms, unless it acknowledges it before.", lines[5])
    assert lines[6:] == ["It has never acknowledged anything, so sends are repeated rarely."]
    ben.acknowledge((PART, part))
    assert why(ben, PART, part)[3].startswith("Nothing is pending")
    change("third")
    assert len(why(ben, PART, part)) == 6


def test_what_was_sent_may_not_have_been_the_newest(why, ben, part, change, redis):
    change("second")
    sid = session_of(redis, ben.client_id)
    mark = marks_of(redis, sid)[f"{PART}:{part}"]
    mark[3] = str(int(redis.get("sends")) + 1)  # what it needs
    redis.hset(session_key(sid, ":m"), f"{PART}:{part}", " ".join(mark))
    assert "It was sent something before that (sends to its latest connection: 1)." in why(ben, PART, part)


def test_who_is_not_connected_is_sent_it_on_return(why, ben, part, change, redis):
    sid = session_of(redis, ben.client_id)
    ben.vanish()
    wait_until(lambda: redis.hget(session_key(sid), "gw") == "", 15, "Ben is unbound")
    change("second")
    assert why(ben, PART, part)[1:6] == [
        "The session is not connected.", "It watches the object.",
        "It has to hear of a change, version 2.", "It has not been sent that.",
        "It is sent that when it comes back."]


def test_an_earlier_client_id_still_leads_to_the_session(why, relations_stack, connect, ben, part):
    again = connect(relations_stack.gateways[0])
    again.send_request("reconnect", userId=ben.user_id, token=ben.token, clientId=None,
                       existingClientId=ben.client_id, existingClientIds=[ben.client_id])
    again.expect_connect_response()
    assert (f"The session has another client id by now: {again.client_id}."
            in why(ben, PART, part))
    assert "It watches the object." in why(again, PART, part)


def test_a_removal_is_pending_until_it_is_acknowledged(why, relations_stack, ada, ben, part, redis):
    remove(ada, PART, part)
    ben.expect_push(is_delete)
    wait_for_jobs(redis)
    lines = why(ben, PART, part)
    assert lines[0] == f"{PART}:{part} was removed with version 2."
    assert lines[2:5] == [
        "It does not watch the object any more, if it ever did.",
        "It has to hear of the removal, version 2.",
        "It was sent that (sends to its latest connection: 1), and has not acknowledged it."]
    redis.delete(object_key(f"{PART}:{part}"))  # as if sync.tombstone_s had gone by
    assert why(ben, PART, part)[:5] == lines[:5]
    ben.acknowledge((PART, part), deletes=True)
    ended = Ended(relations_stack, "why", ben.client_id, PART, part)
    assert ended.code == 2 and "there is no such object" in ended.err


def test_a_removal_that_was_acknowledged_is_not_pending(why, ada, ben, part):
    remove(ada, PART, part)
    ben.expect_push(is_delete)
    ben.acknowledge((PART, part), deletes=True)
    assert why(ben, PART, part)[2:] == [
        "It does not watch the object any more, if it ever did.",
        "Nothing is pending: if it has known the object, it has acknowledged the removal."]


def test_who_watches_a_class_is_told_of_its_objects(why, ben, make):
    get_all(ben, VEHICLE)
    made = make(CAR)
    ben.expect_update(made)
    lines = why(ben, CAR, made)
    assert f'It watches the class "{VEHICLE}".' in lines
    assert "It has to hear of a change, version 1." in lines


def test_who_may_not_read_an_object_is_told_nothing(why, ada, ben, new_id, redis):
    diary = new_id("diary")
    assert create(ada, DIARY, diary, writer=ada.user_id)["result"] is True
    assert find(ada, DIARY, diary)
    assert why(ada, DIARY, diary)[-1].startswith("Nothing is pending")
    put(ada, DIARY, diary, writer=ben.user_id)
    wait_for_jobs(redis)
    lines = why(ada, DIARY, diary)
    assert "It has to hear of the removal, version 2." in lines, "it has gone for its user"
    ada.acknowledge((DIARY, diary), deletes=True)
    assert why(ada, DIARY, diary)[-1] == "Its user may not read the object: it is told nothing."


def test_a_mark_of_what_may_not_be_read_any_more_is_not_sent(why, ada, ben, new_id, redis):
    diary, sid = new_id("diary"), session_of(redis, ada.client_id)
    create(ada, DIARY, diary, writer=ada.user_id)
    find(ada, DIARY, diary)
    redis.hset(session_key(sid, ":m"), f"{DIARY}:{diary}", "u 1 0 1 0 1")
    redis.hset(object_key(f"{DIARY}:{diary}"), "writer", '1 1 "somebody"')
    try:
        assert "Its user may not read the object now: it is sent that it has gone." in (
            why(ada, DIARY, diary))
    finally:
        redis.hdel(session_key(sid, ":m"), f"{DIARY}:{diary}")


def test_a_change_that_is_just_being_told_is_told(why, ben, part, redis):
    redis.hset(job_key("x"), mapping={"type": "fan-out", "ref": f"{PART}:{part}"})
    redis.zadd("jobs", {"x": 10 ** 15})
    try:
        assert why(ben, PART, part)[-1] == (
            "A change of the object is just being told to those who watch it; ask again.")
    finally:
        redis.zrem("jobs", "x")
        redis.delete(job_key("x"))
    assert why(ben, PART, part)[-1].startswith("Nothing is pending")


def test_an_ended_session_is_told_nothing(why, ben, part, change, redis):
    change("second")
    ben.send_request("logout")
    ben.expect_close()
    wait_for_jobs(redis)
    assert why(ben, PART, part) == [
        f"{PART}:{part} has version 2.", "The session has ended: logged out. It is told nothing."]
