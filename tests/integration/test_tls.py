"""TLS at a gateway: its own certificate, read again while sockets are open, and those of clients."""

import os
import shutil
import signal
import socket
import ssl
import subprocess

import pytest
import websocket
from certificates import Authority
from client import Client
from content_client import ContentClient
from servers import wait_until
from stack import PROVIDER, Gateway, Stack, slow

NOTE = "com.app.mo.Note"
LARGE = "x" * 500_000
HANDSHAKE_S = 5 if slow() else 3


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """An authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def live(tmp_path_factory, authority):
    """The files that the gateway with TLS reads."""
    return Files(tmp_path_factory.mktemp("live")).copy(*authority.issue("first"))


class Files:
    def __init__(self, folder):
        self.certificate, self.key = folder / "gateway.pem", folder / "gateway.key"

    def copy(self, certificate, key):
        shutil.copy(certificate, self.certificate)
        shutil.copy(key, self.key)
        return self


def context_of(authority, *client, **limits):
    """Trusts the authority, and shows the client's certificate."""
    context = ssl.create_default_context(cafile=authority.file)
    if client:
        context.load_cert_chain(*client)
    for name, value in limits.items():
        setattr(context, name, value)
    return context


@pytest.fixture(scope="module")
def gateways(servers, authority, live):
    """One asks clients for nothing, one takes a certificate, one wants it."""
    stack = Stack(servers, gateways=3)
    plain, accepting, requiring = stack.gateways
    plain.set_tls(live.certificate, live.key, context_of(authority),
                  handshake_timeout_s=HANDSHAKE_S)
    for gateway, clients in ((accepting, "accept"), (requiring, "require")):
        gateway.set_tls(*authority.issue("gateway"), context_of(authority, *authority.issue("me")),
                        tls_clients=clients, tls_client_ca=authority.file)
    with stack:
        yield stack.gateways
        stack.check()


@pytest.fixture
def gateway(gateways):
    return gateways[0]


def options(context):
    return {"sslopt": {"context": context}}


def subject_of(gateway, context):
    """Whom its certificate names, as a new socket sees it."""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as s:
        with context.wrap_socket(s, server_hostname="localhost") as tls:
            names = dict(part[0] for part in tls.getpeercert()["subject"])
            return names["commonName"]


def ping(client):
    assert client.request("findById", theClassName=NOTE, theClassId="none")["result"] is None


# ---- the gateway's certificate

def test_both_protocols_are_served_over_tls(gateway, authority, new_id):
    context, note = context_of(authority), new_id("note")
    with Client(gateway.url, **options(context)) as client:
        client.connect().login(PROVIDER, gateway.stack.credential("ada"))
        created = client.request("createObject", theObject={"cn": NOTE, "ID": note, "text": LARGE})
        assert created["theObject"]["text"] == LARGE
        found = client.request("findById", theClassName=NOTE, theClassId=note)
        assert found["result"]["text"] == LARGE
    with ContentClient(gateway.url, **options(context)) as client:
        client.login(gateway.stack.credential("ben"))
        assert client.get_content(client.entries["self"])["status"] == 200


def test_pages_come_over_tls(gateway):
    assert gateway.http("/healthz") == (200, "ok\n")


@pytest.mark.parametrize("words, works", [
    (["-tls1_2"], True), (["-tls1_3"], True),
    (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], False), (["-tls1", "-cipher", "ALL:@SECLEVEL=0"], False),
    (["-tls1_2", "-cipher", "AES128-SHA256:AES256-GCM-SHA384"], False),  # without forward secrecy
    (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"], False),
    (["-alpn", "h2"], True), (["-alpn", "h2,http/1.1"], True),
])
def test_old_versions_and_weak_ciphers_are_refused(gateway, words, works):
    ended = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", *words],
        input="", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert (ended.returncode == 0) is works, ended.stdout
    assert "ALPN protocol: h2" not in ended.stdout


def test_what_is_no_tls_gets_nothing(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert s.recv(4096) == b""
        except ConnectionResetError:
            pass
    assert gateway.http("/healthz")[0] == 200


def test_who_does_not_go_on_with_the_handshake_is_dropped(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=HANDSHAKE_S + 60) as s:
        assert s.recv(1) == b""


def test_a_slow_reader_is_sent_everything(gateway, authority, new_id):
    """The library keeps back what the socket does not take."""
    note, text, context = new_id("note"), LARGE, context_of(authority)
    small = ((socket.SOL_SOCKET, socket.SO_RCVBUF, 4096),)
    with (Client(gateway.url, sockopt=small, **options(context)) as client,
          Client(gateway.url, **options(context)) as other):
        client.connect().login(PROVIDER, gateway.stack.credential("ada"))
        client.request("createObject", theObject={"cn": NOTE, "ID": note, "text": text})
        asked = [client.send_request("findById", theClassName=NOTE, theClassId=note)
                 for _ in range(6)]
        other.connect().login(PROVIDER, gateway.stack.credential("ben"))
        ping(other)  # as much as the socket takes has been written by now
        for message in asked:
            assert client.response_to(message)["result"]["text"] == text


# ---- read again

def hang_up(gateway):
    os.kill(gateway.pid, signal.SIGHUP)


def test_new_sockets_get_the_new_certificate_and_old_ones_go_on(gateway, authority, live):
    live.copy(*authority.issue("before"))
    hang_up(gateway)
    context = context_of(authority)
    wait_until(lambda: subject_of(gateway, context) == "before", 15, "the certificate is there")
    with Client(gateway.url, **options(context)) as client:
        client.connect().login(PROVIDER, gateway.stack.credential("ada"))
        live.copy(*authority.issue("after"))
        assert subject_of(gateway, context) == "before", "nobody has told the gateway"
        hang_up(gateway)
        wait_until(lambda: subject_of(gateway, context) == "after", 15, "the new one is there")
        ping(client)


def test_a_certificate_may_have_a_key_of_another_kind(gateway, authority, live, tmp_path):
    certificate, key = tmp_path / "rsa.pem", tmp_path / "rsa.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=rsa", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-out",
                    certificate, "-keyout", key], check=True, stderr=subprocess.DEVNULL)
    trusted = ssl.create_default_context(cafile=certificate)
    trusted.load_verify_locations(cafile=authority.file)
    live.copy(certificate, key)
    hang_up(gateway)
    wait_until(lambda: subject_of(gateway, trusted) == "rsa", 15, "the RSA one is there")
    live.copy(*authority.issue("again"))
    hang_up(gateway)
    wait_until(lambda: subject_of(gateway, trusted) == "again", 15, "the other kind is back")


def broken_files(authority, tmp_path):
    """name -> (certificate, key) that cannot be used."""
    good, key = authority.issue("good")
    other = authority.issue("other")[1]
    garbage, cut, sealed = (tmp_path / name for name in ("garbage", "cut", "sealed"))
    garbage.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    cut.write_bytes(good.read_bytes()[:200])
    subprocess.run(["openssl", "ec", "-in", key, "-aes128", "-passout", "pass:secret", "-out", sealed],
                   check=True, stderr=subprocess.DEVNULL)
    return {"no certificate": (garbage, key), "half a one": (cut, key), "empty": ("/dev/null", key),
            "another's key": (good, other), "no key": (good, good), "sealed key": (good, sealed)}


BROKEN = ("no certificate", "half a one", "empty", "another's key", "no key", "sealed key")


@pytest.mark.parametrize("what", BROKEN)
def test_what_cannot_be_used_is_told_and_the_old_certificate_stays(gateway, authority, live, tmp_path,
                                                                   what):
    context = context_of(authority)
    live.copy(*authority.issue(f"before {what}"))
    hang_up(gateway)
    wait_until(lambda: subject_of(gateway, context) == f"before {what}", 15, "it is there")
    told = gateway.log_text().count("tls.unusable")
    live.copy(*broken_files(authority, tmp_path)[what])
    hang_up(gateway)
    wait_until(lambda: gateway.log_text().count("tls.unusable") > told, 15, "it is told")
    assert subject_of(gateway, context) == f"before {what}"
    with Client(gateway.url, **options(context)) as client:
        client.connect().login(PROVIDER, gateway.stack.credential("ada"))
        ping(client)


def test_a_hangup_harms_neither_agents_nor_gateways_without_tls(stack, connect):
    client = connect(stack.gateways[0], "ada")
    for process in stack.processes:
        hang_up(process)
    ping(client)
    stack.check()


# ---- clients' certificates

def opens(gateway, context):
    """Is who shows this let in?"""
    try:
        with Client(gateway.url, **options(context)) as client:
            client.connect()
    except (ssl.SSLError, ConnectionError, websocket.WebSocketException):
        return False
    return True


CLIENTS = {
    "none": (True, False),     # with "accept", with "require"
    "good": (True, True),
    "expired": (False, False),
    "stranger's": (False, False),
    "self-made": (False, False),
}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("which", CLIENTS)
def test_clients_have_to_show_a_good_certificate(gateways, authority, stranger, which, version):
    shown = {
        "none": lambda: (),
        "good": lambda: authority.issue("client", names=""),
        "expired": lambda: authority.issue("old", names="", days=-1),
        "stranger's": lambda: stranger.issue("client", names=""),
        "self-made": lambda: (stranger.file, stranger.file.with_suffix(".key")),
    }[which]()
    context = context_of(authority, *shown, maximum_version=version)
    for gateway, expected in zip(gateways[1:], CLIENTS[which]):
        before = gateway.figure('door_refused_total{reason="tls"}')
        assert opens(gateway, context) is expected
        after = gateway.figure('door_refused_total{reason="tls"}')
        assert (after > before) is not expected


def test_a_session_that_was_good_is_not_resumed_without_a_certificate(gateways, authority):
    context = context_of(authority, *authority.issue("client", names=""),
                         maximum_version=ssl.TLSVersion.TLSv1_2)
    with socket.create_connection(("127.0.0.1", gateways[2].port), timeout=60) as s:
        with context.wrap_socket(s, server_hostname="localhost") as tls:
            session = tls.session
    with socket.create_connection(("127.0.0.1", gateways[2].port), timeout=60) as s:
        with context.wrap_socket(s, server_hostname="localhost", session=session) as tls:
            assert not tls.session_reused


# ---- wrong settings

@pytest.mark.parametrize("missing", ["tls_certificate", "tls_key", "tls_client_ca"])
def test_half_of_the_settings_stops_the_start(gateways, authority, missing):
    certificate, key = authority.issue("gateway")
    settings = {"tls_certificate": certificate, "tls_key": key, "tls_clients": "require",
                "tls_client_ca": authority.file}
    del settings[missing]
    assert f"tls.incomplete missing=gateway.{missing}" in failed_start(gateways[0].stack, settings)


@pytest.mark.parametrize("what", ["another's key", "sealed key"])
def test_files_that_cannot_be_used_stop_the_start(gateways, authority, tmp_path, what):
    certificate, key = broken_files(authority, tmp_path)[what]
    told = failed_start(gateways[0].stack, {"tls_certificate": certificate, "tls_key": key})
    assert "tls.unusable" in told and "PRIVATE" not in told


def test_an_authority_that_is_none_stops_the_start(gateways, authority, tmp_path):
    certificate, key = authority.issue("gateway")
    told = failed_start(gateways[0].stack,
                        {"tls_certificate": certificate, "tls_key": key, "tls_clients": "accept",
                         "tls_client_ca": tmp_path / "nothing"})
    assert f"tls.unusable file={tmp_path}/nothing" in told


def failed_start(stack, settings):
    """The log of a gateway that does not start with them."""
    gateway = Gateway(stack, f"wrong-{os.urandom(3).hex()}")
    gateway.set(**settings)
    gateway.launch()
    gateway.expected_end = True
    assert gateway.process.wait(120) == 1
    return gateway.log_text()
