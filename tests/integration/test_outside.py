"""What operators see: the management UI, health, readiness, figures, settings, the end of a gateway."""

import re
import socket
import subprocess

import pytest
from client import Client
from servers import wait_until
from stack import BUILD, PROGRAMS, Gateway

TASK = "com.app.mo.Task"
SERVED = {
    "sync-agent": ["connect", "createObject", "deletesReceived", "disconnect", "findById", "logout",
                   "putObject", "removeObject", "updatesReceived"],
    "auth-agent": ["authenticate", "disconnectAuth", "reauthenticate", "validateUserByToken"],
}


# ---- RabbitMQ's management

@pytest.mark.parametrize("kind", SERVED)
def test_queues_have_the_names_of_the_operations_and_consumers_those_of_the_agents(stack, kind):
    agents = [p.agent_name for p in stack.processes if p.kind == kind]

    def seen():
        found = {queue: " ".join(stack.consumers(queue)) for queue in SERVED[kind]}
        return all(name in tags for tags in found.values() for name in agents)

    wait_until(seen, 20, "each agent consumes each operation of its kind")


def test_queues_are_durable_but_those_of_gateways(stack):
    def seen():
        queues = stack.servers.rabbitmq.management("GET", f"/api/queues/{stack.vhost}")
        durable = {q["name"]: q["durable"] for q in queues if "durable" in q}
        assert all(durable[name] for names in SERVED.values() for name in names)
        assert durable["dead-letter"]
        gateways = [name for name in durable if name.startswith("gateway.")]
        assert all(re.fullmatch(r"gateway\.[0-9a-f]{32}", name) for name in gateways)
        assert not any(durable[name] for name in gateways)
        return len(gateways) >= len(stack.gateways)

    wait_until(seen, 20, "the queues show")


def test_the_queues_of_processes_give_up_what_is_delivered_in_vain(stack):
    def policies():
        return {name: stack.servers.rabbitmq.management(
            "GET", f"/api/queues/{stack.vhost}/{name}").get("effective_policy_definition")
            for name in (queue, "findById")}

    queue = "process.outside"
    with stack.amqp() as connection:
        channel = connection.channel()
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
        wait_until(lambda: all(policies().values()), 20, "the policies show")
        assert policies() == {
            queue: {"delivery-limit": 5, "dead-letter-exchange": "", "max-length": 10000,
                    "dead-letter-routing-key": "processFailed", "overflow": "reject-publish"},
            "findById": {"dead-letter-exchange": "", "max-length": 100000,
                         "dead-letter-routing-key": "dead-letter", "overflow": "reject-publish"}}
        channel.queue_delete(queue)


def test_connections_have_names(stack):
    expected = {"gateway": 2, "sync-agent": 2, "auth-agent": 2}

    def seen():
        rows = stack.servers.rabbitmq.management("GET", f"/api/vhosts/{stack.vhost}/connections")
        names = [row["client_properties"]["connection_name"] for row in rows
                 if "connection_name" in row.get("client_properties", {})]
        for process in stack.processes:
            own = [name for name in names
                   if getattr(process, "agent_name", process.name) in name and process.kind in name]
            assert len(own) == expected[process.kind], (process.name, names)
        return True

    wait_until(seen, 20, "the connections show")


def test_there_is_no_queue_for_a_client(stack, connect):
    def queues():
        found = stack.servers.rabbitmq.management("GET", f"/api/queues/{stack.vhost}")
        return {queue["name"] for queue in found}

    before = queues()
    clients = [connect(stack.gateways[0], "ada") for _ in range(5)]
    assert len(clients) == 5
    assert queues() - before == set()  # those of an earlier test may be going


# ---- Health and figures

def test_a_gateway_says_that_it_lives_and_serves(stack):
    for gateway in stack.gateways:
        assert gateway.http("/healthz")[0] == 200
        assert gateway.http("/readyz")[0] == 200
        assert gateway.http("/")[0] == 200
        assert gateway.http("/nothing")[0] == 404


SAMPLE = re.compile(r'^([a-z_:][a-z0-9_:]*)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? '
                    r'([-+0-9.eE]+|\+Inf|NaN)$')


def figures(gateway):
    """Sample (name with labels) -> value; fails if the text is not what Prometheus reads."""
    status, text = gateway.http("/metrics")
    assert status == 200 and text.endswith("\n")
    typed, samples = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert kind in ("counter", "gauge", "histogram") and name not in typed
            typed[name] = kind
        elif line.startswith("# HELP "):
            assert len(line.split(" ", 3)) == 4, line
        else:
            match = SAMPLE.match(line)
            assert match, f"no sample: {line!r}"
            family = re.sub(r"_(bucket|sum|count)$", "", match[1])
            assert match[1] in typed or typed.get(family) == "histogram", line
            samples[match[1] + (match[2] or "")] = float(match[4])
    return samples


def test_the_figures_are_what_prometheus_reads(stack):
    assert figures(stack.gateways[0])


def test_the_figures_count_clients_and_requests(stack, connect):
    counted = ("connections", "connections_total", "open_requests", "requests_total", "replies_total",
               "request_seconds_count")

    def look():
        seen = figures(stack.gateways[0])
        return {name: seen["activestack_gateway_" + name] for name in counted}

    def has_settled():
        """Clients of earlier tests are gone, and what they had to say."""
        seen = look()
        return not seen["connections"] and not seen["open_requests"] and look() == seen and seen

    before = wait_until(has_settled, 10, "clients of earlier tests are gone")
    client = connect(stack.gateways[0], "ada")
    for _ in range(10):
        client.request("findById", theClassName=TASK, theClassId="none")
    after = look()

    def grown(name):
        return after[name] - before[name]

    assert grown("connections") == grown("connections_total") == 1
    assert grown("requests_total") == grown("replies_total") == 12, "a login is two of them"
    assert grown("request_seconds_count") == 12


def test_no_secret_is_in_any_log(stack, connect):
    client = connect(stack.gateways[0], "ada")
    client.request("createObject", theObject={"cn": TASK, "title": "a private title"})
    secrets = [client.token, client.session, stack.credential("ada").split(":")[1],
               "a private title", stack.servers.rabbitmq.password, stack.servers.redis.password]
    for process in stack.processes:
        for secret in secrets:
            assert secret not in process.log_text(), process.name


# ---- The end of a gateway

def test_a_gateway_that_stops_sends_its_clients_away_and_answers_them_first(new_stack):
    stack = new_stack(gateways=1, sync_agents=1, settings={"gateway.drain_ms": 1000})
    gateway = stack.gateways[0]
    clients = [Client(gateway.url).connect() for _ in range(4)]
    for client in clients:
        client.login("file", stack.credential("ada"))
    messages = [client.send_request("findById", theClassName=TASK, theClassId="x")
                for client in clients]
    for client, message in zip(clients, messages):
        client.response_to(message)
    gateway.process.terminate()
    gateway.expected_end = True
    closes = [client.expect_close() for client in clients]
    assert {closed.code for closed in closes} == {1001}
    assert all(0 <= int(closed.reason) <= 1000 for closed in closes), closes
    wait_until(lambda: gateway.process.poll() is not None, 20, "the gateway ends")
    assert gateway.process.returncode == 0


def test_a_stopping_gateway_accepts_nobody_and_finishes_what_is_open(new_stack):
    stack = new_stack(gateways=1, sync_agents=1, settings={"gateway.drain_ms": 500})
    gateway, agent = stack.gateways[0], stack.sync_agents[0]
    client = Client(gateway.url).connect()
    client.login("file", stack.credential("ada"))
    agent.pause()
    message = client.send_request("createObject", theObject={"cn": TASK, "title": "last"})
    wait_until(lambda: gateway.figure("open_requests") == 1, 20, "it is open")
    gateway.process.terminate()
    gateway.expected_end = True
    wait_until(lambda: not is_open(gateway), 10, "the gateway listens no more")
    agent.resume()
    assert client.response_to(message)["result"] is True
    assert client.expect_close().code == 1001


def is_open(gateway):
    try:
        Client(gateway.url).close()
    except OSError:
        return False
    return True


# ---- Settings

@pytest.mark.parametrize("kind", PROGRAMS)
def test_every_mistake_in_the_settings_is_told_at_once(tmp_path, kind):
    config = tmp_path / "wrong.conf"
    config.write_text("log.level = loud\nlog.format = xml\namqp.heartbeat_s = often\n"
                      "no.such.setting = 1\namqp.url\n")
    ended = run_program(kind, "--config", config)
    assert ended.returncode == 2
    for told in ("log.level", "log.format", "amqp.heartbeat_s", "no.such.setting", "amqp.url"):
        assert told in ended.stderr, ended.stderr


@pytest.mark.parametrize("kind, name, value", [
    ("gateway", "ACTIVESTACK_GATEWAY_PORT", "70000"),
    ("gateway", "ACTIVESTACK_GATEWAY_SESSION_SECRET", "short"),
    ("sync-agent", "ACTIVESTACK_SYNC_POLL_MS", "0"),
    ("auth-agent", "ACTIVESTACK_AUTH_TOKEN_MAX_AGE_S", "-1")])
def test_a_mistake_in_the_environment_is_told_by_its_name(stack, kind, name, value):
    ended = run_program(kind, "--config", stack.config, environment={name: value})
    assert ended.returncode == 2
    setting = name.removeprefix("ACTIVESTACK_").lower().replace("_", ".", 1)
    assert name in ended.stderr or setting in ended.stderr
    assert "short" not in ended.stderr, "a secret is never shown, not even a wrong one"


@pytest.mark.parametrize("kind", PROGRAMS)
def test_a_program_without_settings_names_what_it_needs(kind):
    ended = run_program(kind)
    assert ended.returncode == 2 and "amqp.url" in ended.stderr


def test_a_gateway_without_a_secret_does_not_start(stack, tmp_path):
    config = tmp_path / "no-secret.conf"
    config.write_text("".join(line for line in stack.config.read_text().splitlines(True)
                              if not line.startswith("gateway.session_secret")))
    ended = run_program("gateway", "--config", config)
    assert ended.returncode == 2 and "gateway.session_secret" in ended.stderr


@pytest.mark.parametrize("kind", PROGRAMS)
def test_each_program_explains_its_settings(kind):
    ended = run_program(kind, "--help-config")
    assert ended.returncode == 0 and ended.stderr == ""
    for setting in ("amqp.url", "log.level", {"gateway": "gateway.drain_ms",
                                              "sync-agent": "sync.redelivery_first_ms",
                                              "auth-agent": "auth.providers"}[kind]):
        assert setting in ended.stdout


@pytest.mark.parametrize("kind", PROGRAMS)
def test_the_settings_can_be_checked_without_a_start(stack, kind):
    ended = run_program(kind, "--config", stack.config, "--check-config")
    assert ended.returncode == 0
    assert stack.servers.rabbitmq.password not in ended.stdout + ended.stderr


def run_program(kind, *arguments, environment=None):
    return subprocess.run([BUILD / PROGRAMS[kind], *map(str, arguments)], env=environment or {},
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)


def test_a_gateway_does_not_start_on_a_port_that_is_taken(stack):
    with socket.create_server(("127.0.0.1", 0)) as other:
        gateway = Gateway(stack, 99)
        gateway.environment["ACTIVESTACK_GATEWAY_PORT"] = str(other.getsockname()[1])
        gateway.launch()
        gateway.expected_end = True
        assert gateway.process.wait(120) == 1
        assert str(other.getsockname()[1]) in gateway.log_text()
