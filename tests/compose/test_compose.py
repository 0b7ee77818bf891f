"""deploy/compose.yaml as its users have it; run by tests/compose/run."""

import json
import random
import ssl
import time
import urllib.request
from datetime import datetime

import pytest
from client import Client
from composed import PROVIDER, READY_SECONDS, Composed, docker
from content_client import ContentClient
from lasting_clients import LastingClient, WatchAll, Writer
from lasting_crowd import Crowd
from servers import wait_until

TASK = "com.app.mo.Task"
IMAGE_ADDS = 40_000_000         # bytes
GATEWAY_READY_SECONDS = 2.0
OBJECTS = 120
WRITES_BETWEEN_KILLS = 100
VICTIMS = [("gateway", 0), ("sync-agent", 0), ("sync-agent", 1), ("redis", 0), ("auth-agent", 0), ("rabbitmq", 0),
           ("gateway", 1), ("sync-agent", 2), ("redis", 0), ("sync-agent", 3), ("rabbitmq", 0), ("gateway", 0)]
QUIET_SECONDS = 120


@pytest.fixture(scope="module")
def composed():
    with Composed() as c:
        c.up()
        yield c


@pytest.fixture(scope="module")
def scaled(composed):
    composed.up(gateway=2, sync_agent=4)
    return composed


@pytest.fixture(scope="module")
def credentials(composed):
    return [composed.add_user(name) for name in ("ada", "ben")]


def get(url):
    trusting = ssl._create_unverified_context()
    with urllib.request.urlopen(url, timeout=15, context=trusting) as answer:
        return answer.read().decode()


def logged_in(url, credential, **options):
    client = Client(url, **options)
    client.connect()
    client.login(PROVIDER, credential)
    return client


# ---- The image

def test_the_image_adds_little_to_its_base(composed):
    image, base = (int(docker("image", "inspect", "--format", "{{.Size}}", name))
                   for name in (composed.containers("gateway")[0]["Config"]["Image"],
                                "debian:bookworm-slim"))
    print(f"the image adds {(image - base) / 1e6:.1f} MB")
    assert image - base <= IMAGE_ADDS


@pytest.mark.parametrize("service", ["gateway", "sync-agent", "auth-agent"])
def test_programs_are_nobody_and_can_write_nowhere(composed, service):
    def inside(script):
        return docker("compose", "exec", "-T", service, "sh", "-c", script).strip()

    assert inside("id -u") != "0"
    assert inside("for d in / /etc /tmp /var/tmp /usr/bin; do touch $d/x 2>/dev/null && echo $d; done; "
                  "true") == ""
    assert inside("command -v cc gcc c99 clang make meson ninja; true") == ""


# ---- Ready

def wait_for_gateway(composed):
    """Until the gateway is ready; the time."""
    [gateway] = composed.containers("gateway")
    url = f"http://127.0.0.1:{composed.port(gateway, 8080)}/readyz"
    wait_until(lambda: get(url) == "ready\n", READY_SECONDS, "the gateway is ready")
    return time.time()


def test_a_gateway_is_ready_soon_after_its_start(composed):
    docker("restart", composed.containers("gateway")[0]["Id"])
    started = composed.containers("gateway")[0]["State"]["StartedAt"]
    seconds = wait_for_gateway(composed) - datetime.fromisoformat(started[:26] + "+00:00").timestamp()
    print(f"the gateway was ready {seconds:.2f} s after its start")
    assert seconds <= GATEWAY_READY_SECONDS


def test_a_gateway_is_ready_soon_after_its_broker(composed):
    composed.kill("rabbitmq")
    healthy = time.time()
    seconds = wait_for_gateway(composed) - healthy
    print(f"the gateway was ready {seconds:.2f} s after RabbitMQ")
    assert seconds <= GATEWAY_READY_SECONDS


# ---- Talking through it

def check_two_clients(writer, reader, task):
    writer.request("createObject", theObject={"cn": TASK, "ID": task, "title": "young"})
    assert reader.request("findById", theClassName=TASK, theClassId=task)["result"]["title"] == "young"
    assert writer.request("putObject", theObject={"cn": TASK, "ID": task, "title": "old"})["result"] is True
    reader.expect_update(task, title="old")
    reader.acknowledge((TASK, task))
    assert writer.request("removeObject", removePair={"className": TASK, "ID": task})["result"] is True
    reader.expect_delete(task)
    reader.acknowledge((TASK, task), deletes=True)


def test_what_one_client_writes_arrives_at_the_other(scaled, credentials):
    first, second = scaled.gateways
    with logged_in(first.url, credentials[0]) as a, logged_in(second.url, credentials[1]) as b:
        check_two_clients(a, b, "t-gateways")
    assert "balanced" in scaled.ctl("books", "--check")


def test_clients_of_the_content_protocol_have_the_same_users(scaled, credentials):
    with ContentClient(scaled.gateways[0].url) as client:
        assert client.login(credentials[0])["self"]


def test_a_proxy_speaks_tls_before_all_gateways(scaled, credentials):
    scaled.up("proxy")
    [proxy] = scaled.containers("proxy")
    port = scaled.port(proxy, 8443)
    options = {"sslopt": {"cert_reqs": ssl.CERT_NONE}}
    clients = [logged_in(f"wss://127.0.0.1:{port}", credentials[i % 2], **options) for i in range(4)]
    try:
        check_two_clients(clients[0], clients[1], "t-proxy")
        listed = [line.split() for line in scaled.ctl("clients").splitlines()[1:]]
        gateways = {line[2] for line in listed if line[2] != "-"}
        assert len(gateways) == 2, f"not over both gateways: {listed}"
        inside = proxy["NetworkSettings"]["Networks"][f"{scaled.project}_edge"]["IPAddress"]
        assert not any(inside in line for line in listed), "gateways take the proxy for the client"
    finally:
        for client in clients:
            client.close()


def test_an_agent_calls_postgres(scaled, credentials, monkeypatch):
    monkeypatch.setenv("PROCESSES", "compose/sql/processes.json")
    scaled.up("postgres")
    with logged_in(scaled.gateways[0].url, credentials[0]) as a:
        answer = a.request("runProcess", queryName="SQL_PROC:add", queryArguments={"a": 2, "b": 40})
    assert answer.get("result") == {"sum": 42}, answer


def test_prometheus_asks_every_container(scaled):
    scaled.up("prometheus")
    port = scaled.port(scaled.containers("prometheus")[0], 9090)

    def up():
        found = json.loads(get(f"http://127.0.0.1:{port}/api/v1/query?query=up"))["data"]["result"]
        return sorted(f["metric"]["job"] for f in found if f["value"][1] == "1")

    programs = [s for s in ("auth-agent", "gateway", "sync-agent") for _ in scaled.containers(s)]
    wait_until(lambda: up() == sorted(programs + ["rabbitmq", "rabbitmq-queues"]), 60,
               "all of them are up")


# ---- Killing

class WithAccount:
    """Logs in as a user of ours."""

    def greet(self):
        if self.session is not None:
            super().greet()
            return
        self.say({"connect": {"ensureMessageDelivery": True}})
        self._request("authenticate", authProvider=PROVIDER,
                      credential=self.crowd.stack.credentials[self.number % 2])


class Reads(WithAccount, LastingClient):
    reads_some = 20


class ReadsAll(WithAccount, WatchAll):
    pass


class Writes(WithAccount, Writer):
    reads_some = 20


class Ports:
    """Where the gateways are, for clients that cannot wait until the engine has said it."""

    def __init__(self, composed, credentials):
        self.composed, self.credentials = composed, credentials
        self.look()

    def look(self):
        self.gateways = self.composed.gateways


def all_have_heard(crowd):
    """Every copy of every client is what its writer was told."""
    with crowd.lock:
        told = {item: value for writer in crowd.writers for item, value in writer.items.items()}
        there = {item for item, value in told.items() if value}
        return crowd.is_quiet() and all(
            client.copy.get(item) == told[item] for client in crowd.clients
            for item in set(client.copy) | (there if client.share is None else set()))


def write_more(crowd):
    """Until that many more writes are answered: whatever was killed before, all goes on."""
    wanted = crowd.figures["writes answered"] + WRITES_BETWEEN_KILLS
    wait_until(lambda: crowd.figures["writes answered"] >= wanted, READY_SECONDS, "writes are answered")
    crowd.check()


def test_nothing_is_lost_when_containers_are_killed(scaled, credentials):
    ports = Ports(scaled, credentials)
    with Crowd(ports, random.Random(1), [Writes] * 6 + [Reads] * 20 + [ReadsAll] * 2) as crowd:
        crowd.log_in()
        crowd.create(OBJECTS)
        crowd.read()
        crowd.start_writing()
        for service, number in VICTIMS:
            write_more(crowd)
            scaled.kill(service, number)
            ports.look()
        write_more(crowd)
        crowd.stop_writing()
        wait_until(lambda: all_have_heard(crowd), QUIET_SECONDS, "everybody has heard of everything")
        crowd.check()
        wait_until(lambda: pending(scaled) == 0, QUIET_SECONDS, "all is acknowledged")
        print(crowd.figures)
    assert "balanced" in scaled.ctl("books", "--check")


def pending(composed):
    books = dict(line.split() for line in composed.ctl("books").splitlines() if len(line.split()) == 2)
    return int(books["pending"])
