"""Watched values: answered, pushed when they differ, told again until their receipt (spec 3.7, 9)."""

import pytest
from stack import Stack

PERSON, TASK, GROUP = "com.app.mo.Person", "com.app.mo.Task", "com.app.mo.Group"
MEMBERSHIP = "com.app.mo.Membership"


@pytest.fixture(scope="module")
def watching_stack(servers):
    with Stack(servers, gateways=2, sync_agents=2, settings={
            "sync.redelivery_first_ms": 300, "sync.redelivery_max_ms": 600,
            "sync.watch_window_ms": 20, "sync.poll_ms": 20}) as stack:
        yield stack


@pytest.fixture
def writer(watching_stack, connect):
    yield connect(watching_stack.gateways[0], "ada")
    watching_stack.check()


@pytest.fixture
def reader(watching_stack, connect):
    client = connect(watching_stack.gateways[1], "ben")
    client.acknowledge((TASK, "nothing"))
    return client


def pair(class_name, object_id):
    return {"className": class_name, "ID": object_id}


def own_person(client):
    """The pair of the user's own object."""
    found = client.request("findByExample", theObject={"cn": PERSON, "userId": client.user_id})
    return pair(PERSON, found["result"][0]["ID"])


def watch(client, class_name, object_id, name, params=None):
    return client.request("getChangeWatcher", classIdPair=pair(class_name, object_id),
                          fieldName=name, params=params)


def value_of(*args, **options):
    answer = watch(*args, **options)
    assert answer["cn"].endswith("PushCWUpdateResponse"), answer
    return answer["value"]


def expect_value(client, object_id, name, value):
    return client.expect_push(
        lambda p: p["cn"].endswith("PushCWUpdateResponse") and p["classIdPair"]["ID"] == object_id
        and p["fieldName"] == name and p["value"] == value, f"{name} of {object_id} is {value}")


def create(client, class_name, object_id, **fields):
    response = client.request("createObject", theObject={"cn": class_name, "ID": object_id, **fields})
    assert response["result"], response


def put(client, class_name, object_id, **fields):
    response = client.request("putObject", theObject={"cn": class_name, "ID": object_id, **fields})
    assert response["result"], response


def test_a_count_is_answered_and_pushed_until_its_receipt(writer, reader, new_id):
    ada, task = own_person(writer), new_id("task")
    before = value_of(reader, PERSON, ada["ID"], "openTasks")
    create(writer, TASK, task, assignee=ada, done=False)
    first = expect_value(reader, ada["ID"], "openTasks", before + 1)
    assert first["params"] is None and first["classIdPair"] == ada
    again = expect_value(reader, ada["ID"], "openTasks", before + 1)
    assert again["correspondingMessageId"] is None
    reader.acknowledge((PERSON, ada["ID"]))
    reader.acknowledge((PERSON, ada["ID"]))
    reader.inbox.clear()
    reader.expect_nothing(lambda f: "fieldName" in f, 0.9)
    put(writer, TASK, task, done=True)
    expect_value(reader, ada["ID"], "openTasks", before)
