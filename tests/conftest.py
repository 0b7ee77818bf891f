"""Fixtures of all tests that need running servers. Start them with tests/run."""

import contextlib
import itertools
import os
import uuid

import pytest
import redis
from changing import FIRST, Changing
from client import Client
from content_client import ContentClient
from postgres import Postgres
from processes import NAMES, PROCESSES, SETTINGS
from servers import Servers, json
from stack import CHILDREN_MODEL, PROVIDER, RELATIONS_MODEL, Stack
from store import Store, assert_books_balance

LONG_MS = 60_000  # leases that nobody waits for: nothing is done again because it took long


def pytest_collection_modifyitems(items):
    """Files with long tests come first, so that no runner is left alone with one in the end."""
    with_long = {item.path for item in items if item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in with_long)


@pytest.fixture(scope="session")
def servers():
    """RabbitMQ and Redis of this run."""
    with Servers() as s:
        yield s


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL of this run, from when the first test asks for it."""
    with Postgres() as p:
        yield p


@pytest.fixture(scope="session")
def shared_stack(servers):
    with Stack(servers, gateways=2, sync_agents=3, auth_agents=1) as s:
        yield s


@pytest.fixture
def stack(shared_stack):
    """Two gateways, three sync agents and an auth agent, shared by all tests that harm nobody."""
    yield shared_stack.recover()
    shared_stack.check()


@pytest.fixture(scope="session")
def shared_relations_stack(servers):
    with Stack(servers, gateways=2, sync_agents=2,
               settings={"model.file": RELATIONS_MODEL, "sync.job_lease_ms": LONG_MS}) as s:
        yield s


@pytest.fixture
def relations_stack(shared_relations_stack):
    """Serves support/relations-model.json: relations of all kinds."""
    yield shared_relations_stack.recover()
    shared_relations_stack.check()


@pytest.fixture(scope="session")
def shared_children_stack(servers):
    with Stack(servers, gateways=1, sync_agents=2,
               settings={"model.file": CHILDREN_MODEL, "sync.job_lease_ms": LONG_MS}) as s:
        yield s


@pytest.fixture
def children_stack(shared_children_stack):
    """Serves support/children-model.json: children of all kinds."""
    yield shared_children_stack.recover()
    shared_children_stack.check()


@pytest.fixture(scope="session")
def shared_process_stack(servers):
    with Stack(servers, gateways=2, sync_agents=2, processes=PROCESSES, settings=SETTINGS) as s:
        yield s


@pytest.fixture
def process_stack(shared_process_stack):
    """Declares the processes of support/processes.py."""
    yield shared_process_stack.recover()
    shared_process_stack.check()


@pytest.fixture
def process(_names=iter(NAMES)):
    """A process that no other test runs."""
    return next(_names)


@pytest.fixture
def new_stack(servers):
    """Makes stacks for this test alone: new_stack(sync_agents=2, settings={"sync.poll_ms": 50})."""
    with contextlib.ExitStack() as stacks:
        yield lambda **options: stacks.enter_context(Stack(servers, **options))


@pytest.fixture
def store(servers):
    """A stage for single scripts, whose time goes only when it is told to; the books have to balance when
    the test is over."""
    with servers.redis.database() as url:
        store = Store(redis.Redis.from_url(url, decode_responses=True))
        begun = store.now()
        store.now = lambda: begun + store.skew_ms
        yield store
        assert_books_balance(store.redis)


@pytest.fixture
def changing(new_stack, tmp_path):
    """Two sync agents and an auth agent that serve the first model of support/changing.py."""
    model_file = tmp_path / "model.json"
    model_file.write_text(json.dumps(FIRST))
    made = Changing(new_stack(sync_agents=2, settings={
        "model.file": model_file, "sync.max_scan": 20, "sync.job_lease_ms": 1000,
        "agent.presence_ms": 100}), model_file)
    made.wait_for([agent.agent_name for agent in made.agents], FIRST)
    return made


@pytest.fixture
def connect():
    """Opens clients that are closed after the test.

    connect(gateway) is connected; connect(gateway, "ada") is also logged in as that user.
    """
    with contextlib.ExitStack() as clients:
        def make(gateway, user=None, **options):
            client = clients.enter_context(Client(gateway.url, **options)).connect()
            if user:
                client.login(PROVIDER, gateway.stack.credential(user))
            return client

        yield make


@pytest.fixture
def connect_content():
    """Opens clients of the content protocol that are closed after the test.

    connect_content(gateway) is connected; connect_content(gateway, "ada") is also logged in.
    """
    with contextlib.ExitStack() as clients:
        def make(gateway, user=None, **options):
            client = clients.enter_context(ContentClient(gateway.url, **options))
            if user:
                client.login(gateway.stack.credential(user))
            return client

        yield make


@pytest.fixture
def new_id():
    """Makes ids that no other test has: new_id("task")."""
    counter = itertools.count(1)
    base = uuid.uuid4().hex[:12]
    return lambda prefix="id": f"{prefix}-{base}-{next(counter)}"


@pytest.fixture(scope="session")
def server_environment(servers):
    """The environment in which C programs of the tests find the servers."""
    return {**os.environ, **servers.environment}
