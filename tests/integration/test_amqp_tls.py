"""The broker over TLS: everything works over it, and nothing is said to a broker that is not the one."""

import contextlib
import socket
import ssl
import threading

import pytest
from certificates import MINE, Authority
from client import Client
from ctl import Ended
from servers import json, wait_until
from stack import PROCESSES, PROVIDER, Stack

TASK = "com.app.mo.Task"
BOOKS = ("books", "--check")


@pytest.fixture(scope="module")
def authority(servers):
    return servers.rabbitmq.authority


@pytest.fixture(scope="module")
def tls_stack(servers, authority):
    """Of programs that show a certificate of their own."""
    certificate, key = authority.issue("program", names="")
    with Stack(servers, processes=json.loads(PROCESSES.read_text()), tls=True, settings={
            "amqp.ca_file": authority.file, "amqp.client_certificate": certificate,
            "amqp.client_key": key}) as stack:
        yield stack


# ---- The broker is the one

def test_everything_goes_over_tls(servers, tls_stack):
    """Gateway, agents and the links of their plug-ins."""
    with Client(tls_stack.gateways[0].url) as client:
        client.connect().login(PROVIDER, tls_stack.credential("ada"))
        task = {"cn": TASK, "ID": "over-tls", "title": "x" * 300_000}
        assert client.request("createObject", theObject=task)["result"]
        assert client.request("findById", theClassName=TASK, theClassId="over-tls")["result"][
            "title"] == task["title"]
        asked = [client.send_request("countAllByName", classNames=[TASK]) for _ in range(100)]
        for message in asked:
            assert client.response_to(message)["result"] == [{TASK: 1}]
        assert client.request("runProcess", queryName="exportCsv", queryArguments={
            "theObject": {"cn": TASK}})["result"], "which asks the agents itself"

    def connections():
        found = servers.rabbitmq.management("GET", f"/api/vhosts/{tls_stack.vhost}/connections")
        return found if len(found) >= 7 else None

    found = wait_until(connections, 15, "the broker shows all connections")
    assert all(c["ssl"] for c in found), [c["client_properties"] for c in found if not c["ssl"]]
    assert {c["peer_cert_subject"] for c in found} == {"CN=program"}
    assert all(c["ssl_protocol"] in ("tlsv1.2", "tlsv1.3") for c in found)


def test_ctl_asks_over_tls(tls_stack):
    ended = Ended(tls_stack, *BOOKS)
    assert (ended.code, ended.lines) == (0, ["balanced"])


def test_a_lost_connection_is_made_anew(tls_stack, servers, connect):
    gateway = tls_stack.gateways[0]
    client = connect(gateway, "ada")
    for c in servers.rabbitmq.management("GET", f"/api/vhosts/{tls_stack.vhost}/connections"):
        with contextlib.suppress(OSError):  # it may be gone already
            servers.rabbitmq.management("DELETE", f"/api/connections/{c['name'].replace(' ', '%20')}")
    assert client.request("countAllByName", classNames=[TASK])["cn"].endswith("Response")


# ---- It is not

class Imposter:
    """Listens on 127.0.0.1 and shows this certificate; `asks_for`: whose certificates of clients it
    takes, from all of them."""

    def __init__(self, cert, key, asks_for=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        if asks_for:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(asks_for)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"amqps://a:password@127.0.0.1:{self.listening.getsockname()[1]}/x"
        self.heard = b""
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listening.close()

    def _serve(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                self._speak(self.listening.accept()[0])

    def _speak(self, plain):
        with plain.dup() as rest:  # closes after the other side, which hears all that was said
            with contextlib.suppress(OSError), \
                    self.context.wrap_socket(plain, server_side=True) as spoken:
                self.heard += spoken.recv(4096)
            while rest.recv(4096):
                pass


def asked(stack, tmp_path, **settings):
    """What ctl says when the broker is such."""
    config = tmp_path / "tls.conf"
    lines = {"amqp.url": "", "redis.url": stack.redis_url,
             **{f"amqp.{k}": v for k, v in settings.items()}}
    config.write_text("".join(f"{k} = {v}\n" for k, v in lines.items()))
    ended = Ended(stack, *BOOKS, config=config)
    assert ended.code == 2 and not ended.lines
    assert "password" not in ended.err
    return ended.err


@pytest.mark.parametrize("names, days, reason", [
    (MINE, -1, "certificate has expired"),
    ("DNS:example.org,IP:127.0.0.2", 2, "IP address mismatch")])
def test_a_certificate_that_is_wrong_is_told(stack, authority, tmp_path, names, days, reason):
    with Imposter(*authority.issue("imposter", names=names, days=days)) as imposter:
        said = asked(stack, tmp_path, url=imposter.url, ca_file=authority.file)
        assert f'reason="{reason}"' in said
        assert imposter.heard == b""


def test_a_name_that_is_not_in_the_certificate_is_told(stack, authority, tmp_path):
    with Imposter(*authority.issue("imposter", names="DNS:example.org")) as imposter:
        said = asked(stack, tmp_path, ca_file=authority.file,
                     url=imposter.url.replace("127.0.0.1", "localhost"))
        assert 'reason="hostname mismatch"' in said
        assert imposter.heard == b""


@pytest.mark.parametrize("trusted", ["other", "system"])
def test_a_certificate_that_somebody_else_has_signed_is_told(stack, authority, tmp_path, trusted):
    ca_file = Authority(tmp_path / "ca").file if trusted == "other" else ""
    said = asked(stack, tmp_path, url=stack.servers.rabbitmq.tls_url, ca_file=ca_file)
    assert 'reason="self-signed certificate in certificate chain"' in said


def test_a_broker_that_wants_a_certificate_of_ours_is_told(stack, authority, tmp_path):
    with Imposter(*authority.issue("b"), asks_for=authority.file) as imposter:
        said = asked(stack, tmp_path, url=imposter.url, ca_file=authority.file)
        assert 'certificate required"' in said


def test_a_broker_without_tls_is_told(stack, authority, tmp_path):
    url = stack.amqp_url.replace("amqp:", "amqps:")
    said = asked(stack, tmp_path, url=url, ca_file=authority.file)
    assert 'reason="wrong version number"' in said


def test_a_gateway_says_why_it_is_not_ready(new_stack, authority):
    with Imposter(*authority.issue("imposter", days=-1)) as imposter:
        stack = new_stack(sync_agents=0, auth_agents=0)
        gateway = stack.gateways[0]
        gateway.stop()
        gateway.environment.update(ACTIVESTACK_AMQP_URL=imposter.url,
                                   ACTIVESTACK_AMQP_CA_FILE=str(authority.file))
        gateway.launch()
        wait_until(lambda: 'reason="certificate has expired"' in gateway.log_text(), 15, "the log")
        assert gateway.http("/readyz")[0] == 503
        gateway.kill()


# ---- Files

def test_check_config_tells_of_files_without_asking_the_broker(stack, tmp_path):
    config = tmp_path / "tls.conf"
    for line, said in (("amqp.ca_file = /no/such/file", "setting=amqp.ca_file"),
                       ("amqp.url = amqp:/nonsense", "amqp.url: not of the form")):
        key = line.split(" = ")[0]
        lines = [row for row in stack.config.read_text().splitlines() if not row.startswith(key)]
        if key != "amqp.url":
            lines = [row.replace("amqp://", "amqps://") for row in lines]
        config.write_text("\n".join([*lines, line, ""]))
        ended = Ended(stack, "check-config", config=config)
        assert ended.code == 1 and said in ended.err, ended.err
    assert Ended(stack, "check-config").lines == ["ok"]


@pytest.mark.parametrize("settings, setting, reason", [
    ({"ca_file": "/no/such/file"}, "amqp.ca_file", "No such file"),
    ({"ca_file": "{key}"}, "amqp.ca_file", "no certificate"),
    ({"client_certificate": "{cert}"}, "amqp.url", "go together"),
    ({"client_certificate": "{cert}", "client_key": "{ca}"}, "amqp.client_key", "unsupported"),
    ({"client_certificate": "{cert}", "client_key": "{other}"}, "amqp.client_key",
     "key values mismatch"),
    ({"url": "amqp://a:password@127.0.0.1:1/x", "ca_file": "{ca}"}, "amqp.url", "not amqps://")])
def test_files_that_cannot_be_used_are_told(stack, authority, tmp_path, settings, setting, reason):
    cert, key = authority.issue("own")
    files = {"cert": cert, "key": key, "other": authority.issue("other")[1], "ca": authority.file}
    settings = {k: v.format(**files) for k, v in settings.items()}
    said = asked(stack, tmp_path, **{"url": stack.servers.rabbitmq.tls_url, **settings})
    assert "amqp.tls " in said and f"setting={setting} " in said and reason in said
