"""The front door of a gateway: who may come in, from where, and how often (design section 7, 13).

The clients of a test have addresses of their own: the gateway trusts 127.0.0.1, where all of them are,
to say by X-Forwarded-For who they are, as a proxy would.
"""

import contextlib
import itertools
import os
import re
import signal
import socket
import threading
import time

import pytest
import websocket
from client import Client
from content_client import ContentClient, code_of
from ctl import Ended
from servers import wait_until
from shapes import assert_error
from stack import PROVIDER, Gateway, Stack, slow
from store import session_key, session_of

APP, OTHER = "https://app.example.com", "https://evil.example.com"
CONNECTIONS, UPGRADES, BURST = 3, 3, 20
SPARE = 32       # sockets of an address beyond its WebSockets
LOGGED = 20      # lines about the same, within 10 s
HANDSHAKE_S = 5 if slow() else 3
_numbers = itertools.count(5)
addresses = (f"198.51.{i // 250}.{i % 250 + 1}" for i in itertools.count())


@pytest.fixture(scope="module")
def doors(servers):
    """Gateways that differ: behind a proxy; strict; facing its clients; busy."""
    stack = Stack(servers, gateways=4)
    proxied, strict, plain, busy = stack.gateways
    proxied.set(trusted_proxies="127.0.0.1, 10.0.0.0/8", origins=f"self,{APP}",
                max_connections_per_address=CONNECTIONS, max_requests_per_s=BURST,
                max_request_burst=BURST)
    strict.set(require_origin="true", origins=APP, handshake_timeout_s=HANDSHAKE_S)
    plain.set(max_connections_per_address=1)
    busy.set(trusted_proxies="127.0.0.1", max_upgrades_per_s_per_address=UPGRADES)
    with stack:
        yield stack


@pytest.fixture
def proxied(doors):
    yield doors.gateways[0]
    doors.check()


@pytest.fixture
def strict(doors):
    return doors.gateways[1]


@pytest.fixture
def plain(doors):
    return doors.gateways[2]


@pytest.fixture
def busy(doors):
    return doors.gateways[3]


@pytest.fixture
def another(doors):
    """A gateway of the test's own, to be set and started."""
    gateway = Gateway(doors, next(_numbers))
    yield gateway
    gateway.stop()


@pytest.fixture
def address():
    """Nobody else's."""
    return next(addresses)


def open_from(gateway, address=None, path="/activestack", **options):
    """A WebSocket; `address` is what the proxy says."""
    header = [f"X-Forwarded-For: {address}"] if address else []
    return websocket.create_connection(gateway.url + path, timeout=60, header=header, **options)


def upgrade(*more):
    """The request, with these headers."""
    return "".join(line + "\r\n" for line in (
        "GET /activestack HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *more, "")).encode()


def statuses_at_once(gateway, addresses):
    """Of upgrades that are asked for from each of these before the gateway sees the first."""
    with contextlib.ExitStack() as opened:
        sockets = [opened.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=60))
                   for _ in addresses]
        gateway.pause()
        for s, address in zip(sockets, addresses):
            s.sendall(upgrade(f"X-Forwarded-For: {address}"))
        gateway.resume()
        return [int(s.recv(4096).split()[1]) for s in sockets]


def status_of(gateway, address=None, **options):
    """Of an upgrade: 101 or why not."""
    try:
        open_from(gateway, address, **options).close()
    except websocket.WebSocketBadStatusException as e:
        return e.status_code
    return 101


def refused(gateway, reason):
    return gateway.figure(f'door_refused_total{{reason="{reason}"}}')


# ---- origins

@pytest.mark.parametrize("path", ["/activestack", "/content"])
@pytest.mark.parametrize("origin, status", [
    (None, 101),                         # no browser
    ("self", 101), (APP, 101), (APP.upper(), 101), (APP + ":443", 101),
    (OTHER, 403), (APP + ":8443", 403), (APP + ".evil.org", 403), (APP.replace("s:", ":"), 403),
    ("null", 403), ("*", 403), (APP + "/", 403), (f"{APP} {OTHER}", 403), (APP + "x" * 1000, 403),
])
def test_pages_of_these_origins_may_come_in(proxied, address, path, origin, status):
    own = {"suppress_origin": True} if origin is None else {}
    if origin not in (None, "self"):
        own["origin"] = origin
    before = refused(proxied, "origin")
    assert status_of(proxied, address, path=path, **own) == status
    assert refused(proxied, "origin") - before == (status == 403)


def test_another_host_than_asked_is_not_self(proxied, address):
    assert status_of(proxied, address, origin=f"http://localhost:{proxied.port}") == 403
    assert status_of(proxied, address, origin=f"http://localhost:{proxied.port}",
                     host=f"localhost:{proxied.port}") == 101


def test_a_second_origin_does_not_help(proxied, address):
    with socket.create_connection(("127.0.0.1", proxied.port), timeout=60) as s:
        s.sendall(upgrade(f"Origin: {APP}", f"Origin: {OTHER}"))
        assert s.recv(4096).split()[1] == b"403"


def test_who_says_no_origin_may_have_to(strict):
    assert status_of(strict, suppress_origin=True) == 403
    assert refused(strict, "no_origin") == 1
    assert status_of(strict, origin=APP) == 101
    assert status_of(strict) == 403, "self is not in the list"


def test_pages_need_no_origin(strict):
    assert strict.http("/healthz") == (200, "ok\n")


@pytest.mark.parametrize("protocol", ["h2c", "foo", "websocket, h2c"])
def test_upgrades_to_anything_else_are_refused(proxied, protocol):
    upgrade = (f"GET /activestack HTTP/1.1\r\nHost: x\r\nUpgrade: {protocol}\r\n"
               f"Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
               f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    with socket.create_connection(("127.0.0.1", proxied.port), timeout=60) as s:
        s.sendall(upgrade.encode())
        assert s.recv(4096)[:12] != b"HTTP/1.1 101"


# ---- addresses

def login_from(gateway, forwarded):
    """A client that has logged in, with these lines of X-Forwarded-For."""
    client = Client(gateway.url, header=[f"X-Forwarded-For: {line}" for line in forwarded])
    client.connect().login(PROVIDER, gateway.stack.credential("ada"))
    return client


def address_of(client, stack):
    redis = stack.redis()
    return redis.hget(session_key(session_of(redis, client.client_id)), "address")


@pytest.mark.parametrize("forwarded, seen", [
    ([], "127.0.0.1"),
    (["203.0.113.7"], "203.0.113.7"),
    (["1.2.3.4, 203.0.113.7"], "203.0.113.7"),
    (["1.2.3.4", "203.0.113.7, 10.2.3.4"], "203.0.113.7"),
    (["1.2.3.4, " * 100 + "203.0.113.7"], "203.0.113.7"),
    (["2001:db8::7"], "2001:db8::7"),
    (["203.0.113.7, unknown"], "127.0.0.1"),
    (["\"1.2.3.4, 203.0.113.7"], "203.0.113.7"),
])
def test_the_address_is_what_the_trusted_proxies_say(doors, proxied, forwarded, seen):
    with login_from(proxied, forwarded) as client:
        assert address_of(client, doors) == seen
        lines = [line.split() for line in Ended(doors, "clients").lines]
        assert [line[3] for line in lines if line[0] == client.client_id] == [seen]


def test_nobody_else_is_believed(doors, plain):
    with login_from(plain, ["203.0.113.7"]) as client:
        assert address_of(client, doors) == "127.0.0.1"


def test_who_returns_from_elsewhere_is_there(doors, proxied):
    with login_from(proxied, ["203.0.113.8"]) as client:
        client.options["header"] = ["X-Forwarded-For: 203.0.113.9"]
        client.vanish()
        client.open(proxied.url)
        client.send({"reconnect": {"reconnectId": client.session}})
        client.expect(lambda f: "gatewayConnectAck" in f, "gatewayConnectAck")
        client.expect(lambda f: f.get("cn", "").endswith("ConnectResponse"), "ConnectResponse")
        assert "203.0.113.9" in [line.split()[3] for line in Ended(doors, "clients").lines]


# ---- connections and upgrades of one address

def test_an_address_may_have_so_many_connections(proxied, address):
    before = refused(proxied, "address_connections")
    held = [open_from(proxied, address) for _ in range(CONNECTIONS)]
    assert status_of(proxied, address) == 429
    assert refused(proxied, "address_connections") - before == 1
    assert status_of(proxied, next(addresses)) == 101
    held.pop().close()
    wait_until(lambda: status_of(proxied, address) == 101, 15, "there is room again")
    for s in held:
        s.close()


def test_an_ipv6_network_counts_as_one_address(proxied):
    network = f"2001:db8:0:{os.getpid() % 0xffff:x}"
    held = [open_from(proxied, f"{network}::{i + 1}") for i in range(CONNECTIONS)]
    assert status_of(proxied, f"{network}::ffff") == 429
    assert status_of(proxied, "2001:db8:1::1") == 101
    for s in held:
        s.close()


def test_an_address_may_have_so_many_sockets_that_are_no_websockets(plain):
    wait_until(lambda: plain.figure("connections") == 0, 15, "nobody is there")
    held = []

    def is_dropped():
        """Takes one more socket; is it closed again at once?"""
        held.append(socket.create_connection(("127.0.0.1", plain.port), timeout=60))
        held[-1].settimeout(0.3)
        try:
            return held[-1].recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    held = [socket.create_connection(("127.0.0.1", plain.port), timeout=60)
            for _ in range(SPARE + 1)]
    wait_until(is_dropped, 15, "one is too many")
    for s in held:
        s.close()
    wait_until(lambda: _is_served(plain), 15, "there is room again")
    assert refused(plain, "address_sockets") >= 1


def _is_served(gateway):
    try:
        return gateway.http("/healthz")[0] == 200
    except OSError:
        return False


def test_an_address_may_ask_for_so_many_upgrades(busy, address):
    began = time.monotonic()
    statuses = statuses_at_once(busy, [address] * UPGRADES * 3)
    most = UPGRADES * (1 + time.monotonic() - began) + 1
    assert set(statuses) == {101, 429} and UPGRADES <= statuses.count(101) <= most
    assert refused(busy, "address_upgrade_rate") >= statuses.count(429)
    assert status_of(busy, next(addresses)) == 101, "others are as free as before"
    wait_until(lambda: status_of(busy, address) == 101, 15, "after a while it may again")


def test_all_together_may_ask_for_so_many_upgrades(another):
    another.set(trusted_proxies="127.0.0.1", max_upgrades_per_s=UPGRADES)
    another.start()
    statuses = statuses_at_once(another, [next(addresses) for _ in range(UPGRADES * 3)])
    assert set(statuses) == {101, 503} and statuses.count(101) >= UPGRADES
    assert refused(another, "upgrade_rate") == statuses.count(503)
    wait_until(lambda: status_of(another, next(addresses)) == 101, 15, "after a while they may")


def test_a_flood_of_the_refused_neither_fills_the_log_nor_stops_the_others(proxied, address):
    flood, before, lines = 400, refused(proxied, "origin"), len(_refusals(proxied))
    began = time.monotonic()
    with login_from(proxied, [next(addresses)]) as client:
        def refuse_many():
            for _ in range(flood // 4):
                assert status_of(proxied, address, origin=OTHER) == 403

        threads = [threading.Thread(target=refuse_many) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            client.request("findById", theClassName="com.app.mo.Task", theClassId="none")
            time.sleep(1 / BURST)
        assert refused(proxied, "origin") - before == flood
    assert len(_refusals(proxied)) - lines <= LOGGED * (3 + (time.monotonic() - began) / 10)


def _refusals(gateway):
    return re.findall(r"^.* door\.refused .*$", gateway.log_text(), re.MULTILINE)


def test_the_log_says_who_was_refused_and_why(another):
    another.set(trusted_proxies="127.0.0.1")
    another.start()
    assert status_of(another, "203.0.113.77", origin=OTHER) == 403
    wait_until(lambda: _refusals(another), 15, "it is logged")
    line = _refusals(another)[0]
    assert "reason=origin" in line and "address=203.0.113.77" in line and f"origin={OTHER}" in line


# ---- requests

def test_a_client_may_send_so_many_requests(proxied, address):
    with login_from(proxied, [address]) as client:
        sent = [client.send_request("findById", theClassName="com.app.mo.Task", theClassId="none")
                for _ in range(BURST * 4)]
        answers = [client.response_to(message) for message in sent]
        refusals = [a for a in answers if a.get("cn", "").endswith("SyncErrorResponse")]
        assert 0 < len(refusals) < len(sent)
        for refusal in refusals:
            assert_error(refusal, "-118")
        wait_until(lambda: not client.request("findById", theClassName="com.app.mo.Task",
                                              theClassId="none")["cn"].endswith("SyncErrorResponse"),
                   15, "after a while it may again")


def test_so_may_one_of_the_content_protocol(proxied, address):
    with ContentClient(proxied.url, header=[f"X-Forwarded-For: {address}"]) as client:
        client.login(proxied.stack.credential("ada"))
        sent = [client.send_request("get_content", key=client.entries["self"], ver=None)
                for _ in range(BURST * 4)]
        codes = [code_of(client.answer_to(number)) for number in sent]
        assert codes[0] is None and any(code is not None for code in codes)
        assert {code for code in codes if code is not None} == {4290400}


def test_receipts_do_not_count(doors, proxied, address):
    with login_from(proxied, [address]) as client:
        for _ in range(BURST * 3):
            client.send({"ack": {"correspondingMessageId": "none"}})
        found = client.request("findById", theClassName="com.app.mo.Task", theClassId="none")
        assert found["cn"].endswith("FindByIdResponse")


# ---- who does not go on

@pytest.mark.parametrize("said", [b"", b"GET /activestack HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_socket_that_says_nothing_whole_is_closed(strict, said):
    with socket.create_connection(("127.0.0.1", strict.port), timeout=HANDSHAKE_S + 60) as s:
        s.sendall(said)
        assert s.recv(1) == b""


def test_a_head_without_end_is_refused(strict):
    with socket.create_connection(("127.0.0.1", strict.port), timeout=60) as s:
        try:
            s.sendall(b"GET /activestack HTTP/1.1\r\n" + b"X: " + b"y" * 100000)
            while s.recv(4096):
                pass
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert strict.http("/healthz")[0] == 200


# ---- settings that change while it runs

@pytest.fixture
def change(doors, another):
    """Sets these in the file of the gateway `another`, and tells it to read them."""
    text = doors.config.read_text()

    def count(event):
        return another.log_text().count(f" {event}")

    def change(event="gateway.reloaded", **settings):
        before = count(event)
        given = {f"gateway.{name}": f"gateway.{name} = {value}" for name, value in settings.items()}
        others = [line for line in text.splitlines() if line.split()[0] not in given]
        doors.config.write_text("\n".join([*others, *given.values(), ""]))
        os.kill(another.pid, signal.SIGHUP)
        wait_until(lambda: count(event) > before, 20, f"{another.name} logs {event}")

    another.start()
    yield change
    doors.config.write_text(text)


def large(size):
    return {"hello": "x" * size}


def test_who_may_come_in_changes_and_who_is_in_stays(another, address, change):
    with login_from(another, []) as client, login_from(another, []) as noisy:
        assert status_of(another, origin=APP) == 403
        change(origins=APP, trusted_proxies="127.0.0.1", max_connections_per_address=1,
               max_frame_bytes=2048)
        assert status_of(another, next(addresses), origin=APP) == 101
        assert status_of(another, next(addresses)) == 403, "self is not in the list any more"
        with contextlib.closing(open_from(another, address, origin=APP)):
            assert status_of(another, address, origin=APP) == 429
        noisy.send(large(2048))
        assert noisy.expect_close().code == 1009
        assert client.request("findById", theClassName="com.app.mo.Task", theClassId="none")
        change(require_origin="true")
        assert status_of(another, suppress_origin=True) == 403
        client.send(large(2048))
        assert client.request("findById", theClassName="com.app.mo.Task", theClassId="none")


def test_rates_and_the_time_to_log_in_change_for_those_who_are_in(another, change):
    with login_from(another, []) as client, Client(another.url).connect() as silent:
        change(max_requests_per_s=1, max_request_burst=1, login_timeout_ms=100,
               max_upgrades_per_s=1)
        assert silent.expect_close().code == 4004
        sent = [client.send_request("findById", theClassName="com.app.mo.Task", theClassId="none")
                for _ in range(BURST)]
        answers = [client.response_to(message) for message in sent]
        assert any(answer.get("errorCode") == "-118" for answer in answers)
        assert 503 in [status_of(another) for _ in range(BURST)]


def test_a_mistake_is_named_and_everything_stays(another, change):
    with login_from(another, []) as client:
        change(event="process.not_reloaded", max_frame_bytes=2048, origins=f"{APP}, app.example.com",
               trusted_proxies="proxy.example.com")
        assert "gateway.origins: app.example.com" in another.tail()
        assert "gateway.trusted_proxies: proxy.example.com" in another.tail()
        assert status_of(another, origin=APP) == 403
        client.send(large(2048))
        assert client.request("findById", theClassName="com.app.mo.Task", theClassId="none")


def test_what_waits_for_the_next_start_is_told(another, change):
    def told():
        return re.findall(r" process\.restart_needed settings=(.*)$", another.log_text(), re.MULTILINE)

    change(max_connections=5, queue_length=100, origins=APP)
    wait_until(told, 20, "it is logged")
    assert told()[0].strip('"') == "gateway.max_connections, gateway.queue_length"
    assert status_of(another, origin=APP) == 101, "the rest counts"


# ---- wrong settings

@pytest.mark.parametrize("settings, told", [
    ({"origins": "app.example.com"}, "gateway.origins"),
    ({"origins": "null"}, "gateway.origins"),
    ({"trusted_proxies": "10.0.0.0/99"}, "gateway.trusted_proxies"),
    ({"trusted_proxies": "proxy.example.com"}, "gateway.trusted_proxies"),
    ({"max_request_burst": "0"}, "gateway.max_request_burst"),
    ({"handshake_timeout_s": "0"}, "gateway.handshake_timeout_s"),
    ({"max_connections_per_address": "-1"}, "gateway.max_connections_per_address"),
])
def test_wrong_settings_stop_the_start(another, settings, told):
    another.set(**settings)
    another.launch()
    another.expected_end = True
    assert another.process.wait(120) in (1, 2)
    assert told in another.log_text() or told.upper().replace(".", "_") in another.log_text()
