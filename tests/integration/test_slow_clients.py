"""Clients that read slowly, or not at all: they cost themselves, and miss nothing (design section 7)."""

import socket

import pytest
from by_hand import SyncAgentByHand
from servers import wait_until
from stack import PROVIDER, Stack, slow
from store import assert_books_balance, marks_of, session_of

TASK, NOTE = "com.app.mo.Task", "com.app.mo.Note"
PUSH_BYTES, SEND_BYTES, AGE_MS = 200_000, 2_000_000, 20_000 if slow() else 10_000
SETTINGS = {"gateway.max_push_bytes": PUSH_BYTES, "gateway.max_send_bytes": SEND_BYTES,
            "sync.poll_ms": 20}
OBJECTS, LARGE = 5, "x" * 50_000
MORE = 20  # rounds of writes that nobody reads
SMALL = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)]  # what the reader's kernel takes in


def write(client, notes, number):
    """Puts the number into all of them."""
    for note in notes:
        client.send_request("putObject", theObject={"cn": NOTE, "ID": note, "title": str(number),
                                                    "body": LARGE})
    for _ in notes:
        client.expect(lambda f: f.get("cn", "").endswith("PutResponse"), "a PutResponse")
    client.inbox.clear()


@pytest.fixture(scope="module")
def narrow_stack(servers):
    """Holds little for each client; who reads nothing keeps its socket for longer than any test."""
    with Stack(servers, gateways=2, sync_agents=2, settings=SETTINGS) as stack:
        yield stack
        assert_books_balance(stack.redis())


@pytest.fixture
def writer(narrow_stack, connect):
    yield connect(narrow_stack.gateways[1], "ada")
    narrow_stack.check()


@pytest.fixture
def reader(narrow_stack, connect):
    return connect(narrow_stack.gateways[0], "ben", sockopt=SMALL)


@pytest.fixture
def notes(writer, reader, new_id):
    """Watched by the reader."""
    made = [new_id("note") for _ in range(OBJECTS)]
    for note in made:
        writer.request("createObject", theObject={"cn": NOTE, "ID": note})
        reader.request("findById", theClassName=NOTE, theClassId=note)
    return made


def write_until_behind(gateway, writer, notes):
    """Writes until a reader, which reads nothing, stays behind, and then some; returns the number."""
    number = behind = 0
    while behind < MORE:
        number += 1
        assert number < 1000, "it does not stay behind"
        write(writer, notes, number)
        behind = behind + 1 if gateway.figure("clients_behind") else 0
    return number


def read_until_newest(reader, notes, number):
    """Reads, acknowledging everything, until it has been told the newest of all; returns the frames."""
    newest, frames = {}, []
    while any(newest.get(note) != str(number) for note in notes):
        frame = reader.expect_push(lambda f: "objectList" in f)
        frames.append(frame)
        for o in frame["objectList"]:
            newest[o["ID"]] = o["title"]
        reader.send_request("updatesReceived", classIdPairs=[
            {"className": NOTE, "ID": o["ID"]} for o in frame["objectList"]])
    return frames


def test_who_reads_nothing_is_told_the_newest_of_each_object_and_little_else(
        narrow_stack, writer, reader, notes):
    gateway = narrow_stack.gateways[0]
    number = write_until_behind(gateway, writer, notes)
    frames = read_until_newest(reader, notes, number)
    assert reader.closed is None
    assert len(frames) <= (number - MORE + 1) * OBJECTS, "what came later was not sent"
    last = [o["ID"] for f in frames for o in f["objectList"] if o["title"] == str(number)]
    assert all(last.count(note) <= 2 for note in notes), "each once, or twice"
    redis = narrow_stack.redis()
    sid = session_of(redis, reader.client_id)
    wait_until(lambda: reader.drain(0.05) or not marks_of(redis, sid), 15, "all is acknowledged")
    assert gateway.figure("clients_behind") == 0


def test_memory_stays_flat_while_a_client_reads_nothing(narrow_stack, writer, reader, notes):
    gateway = narrow_stack.gateways[0]
    number = write_until_behind(gateway, writer, notes)
    before = resident(gateway)
    for extra in range(1, 2 * MORE + 1):
        write(writer, notes, number + extra)
    # A sanitizer keeps what was freed.
    assert slow() or resident(gateway) - before < 4_000_000, "10 MB were written"
    read_until_newest(reader, notes, number + 2 * MORE)


def resident(process):
    """Bytes of memory that a process has."""
    with open(f"/proc/{process.pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


def test_others_are_told_while_one_reads_nothing(narrow_stack, connect, writer, reader, notes):
    other = connect(narrow_stack.gateways[0], "cleo")
    other.request("findById", theClassName=NOTE, theClassId=notes[0])
    number = write_until_behind(narrow_stack.gateways[0], writer, notes[:1])
    other.expect_update(notes[0], title=str(number))
    assert reader.closed is None


def test_what_one_behind_says_is_heard(narrow_stack, writer, reader, notes):
    write_until_behind(narrow_stack.gateways[0], writer, notes)
    message = reader.send_request("updatesReceived", classIdPairs=[])
    task = reader.send_request("createObject", theObject={"cn": TASK, "title": "said while behind"})
    redis = narrow_stack.redis()
    wait_until(lambda: redis.hget(f"{{s:{session_of(redis, reader.client_id)}}}", "receipts"), 10,
               "the receipt has come through")
    assert reader.response_to(message)["result"] is True
    assert reader.response_to(task)["result"] is True


# ---- Sockets that are given up

@pytest.fixture(scope="module")
def impatient_stack(servers):
    with Stack(servers, settings={**SETTINGS, "gateway.max_send_age_ms": AGE_MS}) as stack:
        yield stack


def return_of(gateway, client):
    """A fresh socket that has asked for the client's session."""
    again = type(client)(gateway.url)
    again.send({"reconnect": {"reconnectId": client.session}})
    return again


def test_who_reads_nothing_for_too_long_is_closed_and_loses_nothing(impatient_stack, connect, new_id):
    gateway = impatient_stack.gateways[0]
    writer, reader = connect(gateway, "ada"), connect(gateway, "ben", sockopt=SMALL)
    notes = [new_id("note") for _ in range(OBJECTS)]
    for note in notes:
        writer.request("createObject", theObject={"cn": NOTE, "ID": note})
        reader.request("findById", theClassName=NOTE, theClassId=note)
    number = write_until_behind(gateway, writer, notes)
    wait_until(lambda: gateway.figure("clients_behind") == 0, 30, "the reader is given up")
    assert reader.expect_close().code == 4003
    with return_of(gateway, reader) as again:
        read_until_newest(again, notes, number)
        again.expect_connect_response()
    impatient_stack.check()


def test_replies_beyond_the_limit_close_the_socket_and_nothing_is_lost(narrow_stack, writer, reader,
                                                                      notes):
    gateway = narrow_stack.gateways[0]
    number = write_until_behind(gateway, writer, notes)
    replies = gateway.figure("replies_total")
    for _ in range(2):
        reader.send_request("findByIds", theClassIdList=[{"className": NOTE, "ids": notes * 9}])
    wait_until(lambda: gateway.figure("replies_total") >= replies + 2, 30, "the replies are there")
    assert reader.expect_close().code == 4003
    with return_of(narrow_stack.gateways[1], reader) as again:
        read_until_newest(again, notes, number)
        again.expect_connect_response()


# ---- With a sync agent that the test plays

@pytest.fixture
def alone(new_stack):
    return new_stack(sync_agents=0, settings=SETTINGS)


def test_who_has_caught_up_is_announced_once(alone, connect):
    gateway = alone.gateways[0]
    with SyncAgentByHand(alone) as agent:
        client = connect(gateway, sockopt=SMALL)
        client.request("authenticate", authProvider=PROVIDER, credential=alone.credential("ada"))
        agent.serve_until(lambda: client.client_id in agent.gateways, "the client is bound")
        client.expect_connect_response()
        push_until_full(agent, gateway, client)
        for _ in range(gateway.figure("pushes_total")):
            client.expect(lambda f: "told" in f, "what was sent before")
        agent.serve_until(lambda: agent.announced, "the client is announced")
        agent.push(client.client_id, ("a:b", 2), body={"told": "the newest"})
        client.expect(lambda f: f.get("told") == "the newest", "the newest")
        assert [a["clients"] for a in agent.announced] == [[client.client_id]]
        assert not client.inbox or all("told" not in f for f in client.inbox)


def push_until_full(agent, gateway, client):
    """Pushes until the kernels, too, take nothing more for the client, so that it stays behind."""
    rounds = 0
    while rounds < 10:
        agent.announced.clear()
        dropped = gateway.figure("pushes_dropped_total")
        agent.push(client.client_id, ("a:b", 1), body={"told": LARGE})
        agent.serve(0.1)
        full = gateway.figure("pushes_dropped_total") > dropped and not agent.announced
        rounds = rounds + 1 if full else 0
