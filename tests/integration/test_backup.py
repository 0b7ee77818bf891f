"""Backup and restore, as deploy/redis/README.md describes them."""

import shutil
import subprocess

import pytest
from asking import create, find, ids, put
from client import Client
from servers import ROOT, Servers, wait_until
from stack import PROVIDER, Stack
from store import assert_books_balance

pytestmark = pytest.mark.long
BACKUP = ROOT / "deploy/redis/backup"
TASK = "com.app.mo.Task"


@pytest.fixture(scope="module")
def own_servers():
    """RabbitMQ and Redis for these tests alone, since they lose their data."""
    with Servers() as s:
        yield s


@pytest.fixture
def own_stack(own_servers):
    """Waits for longer than it takes to copy a broker's files on a busy machine, during which clients
    are silent."""
    with Stack(own_servers, auth_agents=1, settings={
            "gateway.request_timeout_ms": 120_000, "gateway.ping_timeout_ms": 120_000}) as s:
        yield s


@pytest.fixture
def ada(own_stack):
    with Client(own_stack.gateways[0].url) as client:
        client.connect().login(PROVIDER, own_stack.credential("ada"))
        yield client


def back_up_redis(servers, target):
    subprocess.run([BACKUP, servers.redis.folder, target], check=True, timeout=60)


def back_up_rabbitmq(servers, target):
    servers.rabbitmq.process.terminate()
    servers.rabbitmq.process.wait(60)
    shutil.copytree(servers.rabbitmq.folder / "data", target / "data")
    servers.rabbitmq.start()


def restore(server, copy):
    """After a loss of all that it had. The programs go on running."""
    server.kill()
    server.process.wait(60)
    shutil.rmtree(server.folder / copy.name)
    shutil.copytree(copy, server.folder / copy.name)
    server.start()


def all_tasks(client):
    return client.request("getAllByName", theClassName=TASK)


def wait_until_it_serves(client):
    def serves():
        return all_tasks(client).get("result") is not None

    wait_until(serves, 60, "requests are answered")


def test_after_a_restore_the_same_session_reads_what_was_backed_up(own_servers, own_stack, ada,
                                                                   tmp_path):
    for i in range(300):
        create(ada, TASK, f"t{i:03}", title=f"Grüße {i}", done=bool(i % 2))
    before = all_tasks(ada)["result"]
    back_up_redis(own_servers, tmp_path)
    create(ada, TASK, "later")
    put(ada, TASK, "t000", title="later")

    restore(own_servers.redis, tmp_path / "appendonlydir")
    wait_until_it_serves(ada)
    assert all_tasks(ada)["result"] == before
    assert put(ada, TASK, "t000", title="after")["result"] is True
    assert find(ada, TASK, "t000")["title"] == "after"
    assert_books_balance(own_stack.redis())


@pytest.mark.parametrize("done_in_copy", [False, True])
def test_what_waited_in_the_broker_is_carried_out_once(own_servers, own_stack, ada, tmp_path,
                                                       done_in_copy):
    create(ada, TASK, "t", title="0")
    own_stack.sync_agents[0].stop()
    waiting = ada.send_request("putObject", theObject={"cn": TASK, "ID": "t", "title": "1"},
                               sendAck=True)
    ada.expect_ack(waiting)
    back_up_rabbitmq(own_servers, tmp_path)
    if not done_in_copy:
        back_up_redis(own_servers, tmp_path)
    own_stack.sync_agents[0].start()
    assert ada.response_to(waiting)["result"] is True
    put(ada, TASK, "t", title="2")
    if done_in_copy:
        back_up_redis(own_servers, tmp_path)

    restore(own_servers.redis, tmp_path / "appendonlydir")
    restore(own_servers.rabbitmq, tmp_path / "data")
    wait_until_it_serves(ada)
    queue = f"/api/queues/{own_stack.vhost}/putObject"
    wait_until(lambda: own_servers.rabbitmq.management("GET", queue)["messages"] == 0, 60,
               "what waited is carried out")
    assert find(ada, TASK, "t")["title"] == ("2" if done_in_copy else "1")


def test_a_copy_can_be_made_while_redis_is_written_to(own_servers, own_stack, ada, tmp_path):
    sent = [ada.send_request("createObject", theObject={"cn": TASK, "ID": f"a{i}"})
            for i in range(200)]
    own_servers.redis.connect().bgrewriteaof()
    back_up_redis(own_servers, tmp_path)
    for message in sent:
        assert ada.response_to(message)["result"]
    percentage = own_servers.redis.connect().config_get("auto-aof-rewrite-percentage")
    assert percentage == {"auto-aof-rewrite-percentage": "100"}

    restore(own_servers.redis, tmp_path / "appendonlydir")
    wait_until_it_serves(ada)
    found = ids(all_tasks(ada)["result"])
    assert set(found) <= {f"a{i}" for i in range(200)} and len(found) == len(set(found))


def test_a_backup_that_cannot_be_made_is_told(servers, tmp_path):
    (tmp_path / "appendonlydir").mkdir()
    for folder, target in ((tmp_path, tmp_path), (servers.redis.folder, tmp_path), ("/nowhere", "x")):
        ended = subprocess.run([BACKUP, folder, target], stderr=subprocess.PIPE, text=True)
        assert ended.returncode == 1 and ended.stderr.startswith("backup: ")
