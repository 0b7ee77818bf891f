"""The domain of relations-model.json: its classes, and the stage of the tests that relate its objects.

The fixtures are imported by name: clients of Ada and Ben, `make` for objects that Ada creates.
"""

import pytest
from asking import create
from client import SYNC, pair
from servers import wait_until
from store import object_key

COMPANY, FLEET = "com.test.Company", "com.test.Fleet"
VEHICLE, CAR, TRUCK = "com.test.Vehicle", "com.test.Car", "com.test.Truck"
PART, SCREW, SHARE = "com.test.Part", "com.test.Screw", "com.test.Share"
ANCHORAGE, HOOK, EYE = "com.test.Anchorage", "com.test.Hook", "com.test.Eye"
PERSON, DIARY = "com.test.Person", "com.test.Diary"


@pytest.fixture
def redis(relations_stack):
    return relations_stack.redis()


@pytest.fixture
def ada(relations_stack, connect):
    return connect(relations_stack.gateways[0], "ada")


@pytest.fixture
def ben(relations_stack, connect):
    return connect(relations_stack.gateways[1], "ben")


@pytest.fixture
def make(ada, new_id):
    """Makes an object as Ada; returns its ID."""
    def make(class_name, object_id=None, **fields):
        object_id = object_id or new_id(class_name.rsplit(".", 1)[1].lower())
        response = create(ada, class_name, object_id, **fields)
        assert response["result"] is True, response
        return object_id

    return make


@pytest.fixture
def car(make):
    return make(CAR, name="Beetle")


def referring(redis, class_name, object_id):
    """What refers to an object, as (field, ref)."""
    entries = redis.zrange(object_key(f"{class_name}:{object_id}", ":r"), 0, -1)
    return sorted(tuple(entry.split("\n")) for entry in entries)


def create_many(client, objects):
    for start in range(0, len(objects), 50):  # a client may have so many requests open
        messages = [client.send_request("createObject", theObject=o)
                    for o in objects[start:start + 50]]
        for message in messages:
            assert client.response_to(message)["result"] is True


def create_parts(client, parts, car, **fields):
    """Creates parts with these IDs, of a car and with these fields."""
    create_many(client, [{"cn": PART, "ID": part, "vehicle": pair(CAR, car), **fields}
                         for part in parts])


def is_live(redis, class_name, object_id):
    return redis.hexists(object_key(f"{class_name}:{object_id}"), "@c")


def live_parts(redis, parts):
    """How many of them there are."""
    live = redis.pipeline()
    for part in parts:
        is_live(live, PART, part)
    return sum(live.execute())


def wait_for_jobs(redis, seconds=30):
    wait_until(lambda: redis.zcard("jobs") == 0, seconds, "all jobs are done")


def is_update_of(object_id):
    return lambda f: f.get("cn") == SYNC + "PushUpdateResponse" and f["objectList"][0]["ID"] == object_id


def expect_changed(client, object_id, *fields):
    """Waits for the push of this object, which names these fields alone; returns the object. One that names
    none says what there is, again, or to who has read it while that was told."""
    def names_any(push):
        return is_update_of(object_id)(push) and bool(push["updatedFields"]) == bool(fields)

    push = client.expect_push(names_any, f"an update of {object_id}")
    assert push["updatedFields"] == list(fields)
    return push["objectList"][0]
