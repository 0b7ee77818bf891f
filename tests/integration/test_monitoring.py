"""Prometheus asks a running stack: the alerts of deploy/prometheus fire and clear, and the dashboard of
deploy/grafana asks for what is there."""

import contextlib
import os
import re
import resource
import subprocess

import pytest
import yaml
from client import Client
from prometheus import ALERTS, SETTINGS, Prometheus
from servers import ROOT, Servers, json, wait_until
from stack import PROVIDER, Stack

DASHBOARD = ROOT / "deploy/grafana/dashboards/activestack.json"
NAME = re.compile(r"\b(?:activestack|rabbitmq|process)_\w+")
MANY = 1001  # messages in a queue that is told of
TASK = "com.app.mo.Task"


@pytest.fixture(scope="module")
def servers():
    """RabbitMQ and Redis for these tests alone: they are killed, and have alarms."""
    with Servers() as s:
        yield s


@pytest.fixture(scope="module")
def watched(servers):
    with Stack(servers, gateways=1, sync_agents=1, auth_agents=1) as stack:
        yield stack


@pytest.fixture(scope="module")
def prometheus(watched, tmp_path_factory):
    with Prometheus(watched, tmp_path_factory.mktemp("prometheus")) as p:
        yield p


@pytest.fixture
def ada(watched):
    with Client(watched.gateways[0].url) as client:
        client.connect()
        client.login(PROVIDER, watched.credential("ada"))
        yield client


@contextlib.contextmanager
def fires(prometheus, stack, *alerts):
    """What is done before makes them fire; what is done within makes them clear."""
    def firing():
        return {name for name, labels in prometheus.alerts()
                if name in alerts and labels.get("vhost", stack.vhost) == stack.vhost}

    wait_until(lambda: firing() == set(alerts), 60, f"{alerts} fire")
    yield
    wait_until(lambda: not firing(), 60, f"{alerts} clear")


def ids_of(class_name):
    return {"theClassIdList": [{"className": class_name, "ids": ["none"]}]}


def ask(client, class_name):
    return client.request("findByIds", **ids_of(class_name))


def test_promtool_finds_no_fault():
    for kind, file in (("config", SETTINGS), ("rules", ALERTS)):
        ended = subprocess.run(["promtool", "check", kind, file], text=True, capture_output=True)
        assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_dashboard_asks_for_what_is_there(prometheus, watched, ada):
    queries = [t["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"]
               for t in panel["targets"]]
    assert len(queries) > 20

    unanswered = set(queries)

    def are_answered():
        """Each at some time: a rate is none while a program has no time to tell its figures."""
        ask(ada, TASK)
        unanswered.difference_update([query for query in unanswered if prometheus.query(query)])
        return not unanswered

    with contextlib.suppress(AssertionError):
        wait_until(are_answered, 30, "every query is answered")
    assert unanswered == set()


def test_alerts_name_metrics_that_exist(prometheus):
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    wanted = {name for rule in rules for name in NAME.findall(rule["expr"])}
    wait_until(lambda: wanted <= prometheus.names(), 60, f"all of {wanted} are there")


def test_queues_that_nobody_empties(prometheus, watched):
    with watched.amqp() as link:
        channel = link.channel()
        for queue in ("process.nobody", "gateway.nobody"):
            channel.queue_declare(queue, durable=True)
            for _ in range(MANY):
                channel.basic_publish("", queue, b"{}")
        channel.basic_publish("", "dead-letter", b"{}")
        with fires(prometheus, watched, "Backlog", "NobodyServes", "GatewayBehind", "DeadLetters"):
            channel.queue_delete("process.nobody")
            channel.queue_delete("gateway.nobody")
            channel.queue_purge("dead-letter")


def test_a_program_that_runs_out_of_files(prometheus, watched):
    pid = watched.gateways[0].pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = len(os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 4, before[1]))
    with fires(prometheus, watched, "FewFilesLeft"):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def test_books_by_which_more_has_ended_than_was_made(prometheus, watched):
    redis = watched.redis()
    redis.hincrby("{b:0}", "acknowledged", 1_000_000)
    with fires(prometheus, watched, "BooksBelowZero"):
        redis.hincrby("{b:0}", "acknowledged", -1_000_000)


def test_requests_that_fail(prometheus, watched, ada):
    for _ in range(5):
        ada.request("countAllByName", classNames=["com.app.mo.Nothing"])
    with fires(prometheus, watched, "RequestsFail"):
        for _ in range(10):
            ada.request("countAllByName", classNames=[TASK])


def test_requests_that_take_long(prometheus, watched, ada):
    watched.sync_agents[0].pause()
    messages = [ada.send_request("findByIds", **ids_of(TASK)) for _ in range(30)]
    waiting = f"min_over_time(activestack_gateway_open_requests[2s]) >= {len(messages)}"
    wait_until(lambda: prometheus.query(waiting), 60, "they have waited for longer than a second")
    watched.sync_agents[0].resume()
    for message in messages:
        ada.response_to(message)
    with fires(prometheus, watched, "Slow"):
        for _ in range(700):
            ask(ada, TASK)


def test_programs_that_are_gone(prometheus, watched):
    for process in watched.processes:
        process.kill()
    with fires(prometheus, watched, "NoGateway", "NoSyncAgent", "NoAuthAgent", "ProgramDown"):
        for process in watched.processes:
            process.start()


@pytest.mark.long
def test_agents_without_redis(prometheus, watched, servers):
    servers.redis.kill()
    with fires(prometheus, watched, "AgentWithoutRedis"):
        servers.redis.start()


@pytest.mark.long
def test_programs_without_a_broker(prometheus, watched, servers):
    servers.rabbitmq.kill()
    with fires(prometheus, watched, "GatewayWithoutBroker", "AgentWithoutBroker"):
        servers.rabbitmq.start()


@pytest.mark.long
def test_a_broker_without_memory_and_disk(prometheus, watched, servers):
    servers.rabbitmq.evaluate("vm_memory_monitor:set_vm_memory_high_watermark(0.00001), "
                              'rabbit_disk_monitor:set_disk_free_limit("900000GB").')
    with fires(prometheus, watched, "BrokerMemory", "BrokerDisk"):
        servers.rabbitmq.evaluate("vm_memory_monitor:set_vm_memory_high_watermark(0.4), "
                                  'rabbit_disk_monitor:set_disk_free_limit("50MB").')
