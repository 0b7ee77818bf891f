"""Listed to-many fields: what they show, and who is told (spec 5.7; design section 8, "Relations").

The classes are those of support/relations-model.json. A Company lists the parts that it supplies and,
through Shares, its vehicles, and its cars among them; a Vehicle lists the fleets that it is in, and
those that it leads; a Part what it is the spare of; an Anchorage its hooks.
"""

import json
import uuid

import pytest
from asking import create, find, put, remove
from client import pair
from relations import (ANCHORAGE, CAR, COMPANY, EYE, FLEET, HOOK, PART, SHARE, TRUCK, VEHICLE, ada,
                       ben, car, create_parts, expect_changed, is_update_of,
                       make, redis, wait_for_jobs)
from servers import wait_until
from shapes import assert_refused
from stack import RELATIONS_MODEL
from store import assert_books_balance, marks_of, now_ms, object_key, session_of, stored_object


@pytest.fixture
def company(make):
    return make(COMPANY)


@pytest.fixture
def supply(make, car):
    """Makes parts that a company supplies."""
    return lambda company, **options: make(
        PART, vehicle=pair(CAR, car), supplier=pair(COMPANY, company), **options)


@pytest.fixture
def share(make):
    """Makes shares of a vehicle that a company has."""
    return lambda company, vehicle: make(
        SHARE, company=pair(COMPANY, company), vehicle=pair(*vehicle))


def version(redis, class_name, object_id):
    return int(redis.hget(object_key(f"{class_name}:{object_id}"), "@v"))


def supplies(client, company):
    return [member["ID"] for member in find(client, COMPANY, company)["supplies"]]


@pytest.fixture
def settled(redis, ada, ben):
    """Lets everybody hear of what has been done, and forget it."""
    def settle():
        for client in (ada, ben):
            hear_all(redis, client)
            client.inbox.clear()

    return settle


def hear_all(redis, client):
    """Reads all that it is told of what has been done: the answer comes behind that."""
    wait_for_jobs(redis)
    client.request("countAllByName", classNames=[COMPANY])


def expect_no_more(redis, client, object_id):
    hear_all(redis, client)
    client.expect_nothing(is_update_of(object_id), 0)


# ---- What a list shows

def test_a_list_is_empty_as_long_as_nothing_refers_to_the_object(ada, redis, company):
    found = find(ada, COMPANY, company)
    assert [found[f] for f in ("supplies", "vehicles", "cars")] == [[], [], []]
    assert not {"supplies", "vehicles", "cars"} & set(stored_object(redis, f"{COMPANY}:{company}"))


def test_members_stand_in_the_order_of_their_ids_byte_by_byte(ada, company, supply, new_id):
    base = new_id()
    names = ["b", "a", "B", "10", "9", "é", "a b", 'q"\\/', "a:b", "😀", "~"]
    for name in names:
        supply(company, object_id=base + name)
    expected = sorted((base + name for name in names), key=str.encode)
    assert find(ada, COMPANY, company)["supplies"] == [pair(PART, part) for part in expected]


def test_members_stand_in_the_order_of_their_classes_first(ada, make, share, company):
    truck, later, earlier = make(TRUCK, "a" + company), make(CAR, "c" + company), make(CAR, "b" + company)
    bare = make(VEHICLE, "0" + company)
    for vehicle in ((TRUCK, truck), (CAR, later), (VEHICLE, bare), (CAR, earlier)):
        share(company, vehicle)
    assert find(ada, COMPANY, company)["vehicles"] == [
        pair(CAR, earlier), pair(CAR, later), pair(TRUCK, truck), pair(VEHICLE, bare)]


def test_a_list_is_stored_like_any_field(ada, redis, company, supply):
    part = supply(company)
    before = redis.hget(object_key(f"{COMPANY}:{company}"), "supplies").split(" ", 2)
    assert before[0] == "2" and abs(int(before[1]) - now_ms()) < 60_000
    assert json.loads(before[2]) == [pair(PART, part)]
    response = put(ada, COMPANY, company, supplies=[], name="x")
    assert response["result"] is True
    assert supplies(ada, company) == [part], "what a put says of it is ignored"


def test_an_object_that_is_no_class_of_the_target_is_left_out(ada, make, share, company, car):
    truck = make(TRUCK)
    share(company, (CAR, car))
    share(company, (TRUCK, truck))
    found = find(ada, COMPANY, company)
    assert found["vehicles"] == [pair(CAR, car), pair(TRUCK, truck)]
    assert found["cars"] == [pair(CAR, car)]


# ---- Who is told

def test_a_new_object_is_told_to_who_watches_what_it_refers_to(ada, ben, redis, company, supply, settled):
    find(ben, COMPANY, company)
    settled()
    part = supply(company, name="wheel")
    told = expect_changed(ben, company, "supplies")
    assert told["supplies"] == [pair(PART, part)]
    assert expect_changed(ada, company, "supplies") == told, "it was the server that changed it"
    assert find(ben, COMPANY, company) == told
    hear_all(redis, ben)
    assert ben.inbox == [], "neither of the part nor twice"
    assert_books_balance(redis)


def test_a_reference_that_moves_is_told_to_both_sides_once(ada, ben, redis, make, supply, settled):
    a, b = make(COMPANY), make(COMPANY)
    part = supply(a)
    for company in (a, b):
        find(ben, COMPANY, company)
    settled()
    put(ada, PART, part, supplier=pair(COMPANY, b))
    assert expect_changed(ben, a, "supplies")["supplies"] == []
    assert expect_changed(ben, b, "supplies")["supplies"] == [pair(PART, part)]
    for company, count in ((a, 3), (b, 2)):
        expect_no_more(redis, ben, company)
        assert version(redis, COMPANY, company) == count


def test_a_reference_that_is_cleared_leaves_the_list(ada, ben, company, supply, settled):
    part, other = supply(company), supply(company)
    find(ben, COMPANY, company)
    settled()
    put(ada, PART, part, supplier=None)
    assert expect_changed(ben, company, "supplies")["supplies"] == [pair(PART, other)]
    put(ada, PART, other, supplier=None)
    assert expect_changed(ben, company, "supplies")["supplies"] == []


def test_what_changes_no_list_touches_nobody(ada, ben, redis, make, company, supply, settled):
    part = supply(company)
    find(ben, COMPANY, company)
    settled()
    put(ada, PART, part, name="x")
    put(ada, PART, part, supplier=pair(COMPANY, company))
    put(ada, PART, part, at=1, supplier=None)
    assert_refused(put(ada, PART, part, supplier=pair(COMPANY, "missing")), "-201", "reference")
    assert_refused(create(ada, PART, company, supplier=pair(COMPANY, company)), "-251", "vehicle")
    assert version(redis, COMPANY, company) == 2
    expect_no_more(redis, ben, company)


def test_a_list_that_is_not_listed_touches_nobody(ada, ben, redis, make, car, settled):
    find(ben, CAR, car)
    settled()
    part = make(PART, vehicle=pair(CAR, car))
    remove(ada, PART, part)
    assert version(redis, CAR, car) == 1 and find(ada, CAR, car)["parts"] == []
    expect_no_more(redis, ben, car)


def test_a_repeated_request_changes_a_list_once(ada, redis, company, car, new_id):
    request = {"messageId": str(uuid.uuid4()), "theObject": {
        "cn": PART, "ID": new_id(), "vehicle": pair(CAR, car), "supplier": pair(COMPANY, company)}}
    for _ in range(2):
        assert ada.request("createObject", **request)["result"] is True
    assert version(redis, COMPANY, company) == 2


def test_two_lists_that_one_write_changes_are_told_together(ada, ben, redis, make, car, settled):
    find(ben, CAR, car)
    settled()
    fleet = make(FLEET, flagship=pair(CAR, car), vehicles=[pair(CAR, car), pair(CAR, car)])
    told = expect_changed(ben, car, "fleets", "leads")
    assert told["fleets"] == told["leads"] == [pair(FLEET, fleet)]
    assert version(redis, CAR, car) == 2
    expect_no_more(redis, ben, car)


def test_a_child_is_found_told_and_listed_by_its_parents_name(ada, ben, make, car, settled):
    assert find(ben, VEHICLE, car)["cn"] == CAR
    settled()
    fleet = make(FLEET, vehicles=[pair(CAR, car)])
    told = expect_changed(ben, car, "fleets")
    assert told["cn"] == CAR and told["fleets"] == [pair(FLEET, fleet)]
    assert find(ben, VEHICLE, car) == find(ben, CAR, car) == told


def test_who_watches_a_parent_class_is_told_of_the_lists_of_its_children(ben, make, car, settled):
    ben.request("getAllByName", theClassName=VEHICLE, pageSize=1, pageNumber=0)
    settled()
    fleet = make(FLEET, flagship=pair(CAR, car))
    assert expect_changed(ben, car, "leads")["leads"] == [pair(FLEET, fleet)]


def test_a_put_of_a_list_touches_those_that_come_and_go_alone(ada, redis, make):
    a, b, c = (make(CAR) for _ in range(3))
    fleet = make(FLEET, vehicles=[pair(CAR, a), pair(CAR, b)])
    put(ada, FLEET, fleet, vehicles=[pair(CAR, b), pair(CAR, a)])
    assert [version(redis, CAR, x) for x in (a, b, c)] == [2, 2, 1]
    put(ada, FLEET, fleet, vehicles=[pair(CAR, c), pair(CAR, b)])
    assert [version(redis, CAR, x) for x in (a, b, c)] == [3, 2, 2]
    assert [find(ada, CAR, x)["fleets"] for x in (a, b, c)] == [
        [], [pair(FLEET, fleet)], [pair(FLEET, fleet)]]


def test_a_list_goes_into_the_history_of_its_object(ada, company, supply):
    part = supply(company)
    states = ada.request("getHistory", theClassName=COMPANY, theClassId=company)["result"]
    assert [(s["objectVersion"], s["objectChangerId"]) for s in states] == [
        ("2", None), ("1", ada.user_id)]
    assert [json.loads(s["objectData"])["supplies"] for s in states] == [[pair(PART, part)], []]


def test_an_object_may_list_itself(ada, redis, make, car):
    part = make(PART, vehicle=pair(CAR, car))
    assert put(ada, PART, part, spare=pair(PART, part))["result"] is True
    assert find(ada, PART, part)["spareOf"] == [pair(PART, part)]
    put(ada, PART, part, spare=None)
    assert find(ada, PART, part)["spareOf"] == []
    put(ada, PART, part, spare=pair(PART, part))
    assert remove(ada, PART, part)["result"] is True
    assert set(redis.hgetall(object_key(f"{PART}:{part}"))) == {"@v", "@d"}


# ---- Join classes

def test_join_objects_come_change_and_go(ada, ben, redis, make, share, car, settled):
    a, b, truck = make(COMPANY), make(COMPANY), make(TRUCK)
    for company in (a, b):
        find(ben, COMPANY, company)
    settled()
    joined = share(a, (CAR, car))
    told = expect_changed(ben, a, "cars", "vehicles")
    assert told["vehicles"] == told["cars"] == [pair(CAR, car)]

    put(ada, SHARE, joined, vehicle=pair(TRUCK, truck))
    told = expect_changed(ben, a, "cars", "vehicles")
    assert told["vehicles"] == [pair(TRUCK, truck)] and told["cars"] == []

    put(ada, SHARE, joined, company=pair(COMPANY, b))
    assert expect_changed(ben, a, "vehicles")["vehicles"] == []
    assert expect_changed(ben, b, "vehicles")["vehicles"] == [pair(TRUCK, truck)]

    put(ada, SHARE, joined, company=pair(COMPANY, a), vehicle=pair(CAR, car))
    assert expect_changed(ben, b, "vehicles")["vehicles"] == []
    assert expect_changed(ben, a, "cars", "vehicles")["cars"] == [pair(CAR, car)]

    remove(ada, SHARE, joined)
    assert expect_changed(ben, a, "cars", "vehicles")["vehicles"] == []
    assert not redis.keys("{o:*}:sort"), "nothing is left of the sorting"


def test_a_join_object_that_goes_with_its_other_side_leaves_the_list(ada, ben, company, share, car, settled):
    share(company, (CAR, car))
    find(ben, COMPANY, company)
    settled()
    remove(ada, CAR, car)
    assert expect_changed(ben, company, "cars", "vehicles")["vehicles"] == []


def test_what_is_joined_twice_is_listed_once(ada, redis, company, share, car):
    first, second = share(company, (CAR, car)), share(company, (CAR, car))
    assert find(ada, COMPANY, company)["vehicles"] == [pair(CAR, car)]
    assert version(redis, COMPANY, company) == 2, "the second has changed nothing"
    remove(ada, SHARE, first)
    assert version(redis, COMPANY, company) == 2
    remove(ada, SHARE, second)
    assert find(ada, COMPANY, company)["vehicles"] == []


# ---- Removals

def test_what_is_removed_leaves_the_list(ada, ben, company, supply, settled):
    part, other = supply(company), supply(company)
    find(ben, COMPANY, company)
    settled()
    remove(ada, PART, part)
    assert expect_changed(ben, company, "supplies")["supplies"] == [pair(PART, other)]
    assert expect_changed(ada, company, "supplies"), "who removed it is told, too"


def test_what_goes_along_leaves_the_lists_in_one_change(ada, ben, redis, company, supply, car, settled):
    for _ in range(3):
        supply(company)
    find(ben, COMPANY, company)
    settled()
    before = version(redis, COMPANY, company)
    remove(ada, CAR, car)
    assert expect_changed(ben, company, "supplies")["supplies"] == []
    assert version(redis, COMPANY, company) == before + 1
    expect_no_more(redis, ben, company)


def test_what_goes_by_a_job_leaves_the_lists(ada, ben, redis, company, supply, car, make, new_id):
    kept = make(PART, vehicle=pair(CAR, make(CAR)), supplier=pair(COMPANY, company))
    create_parts(ada, [new_id("part") for _ in range(300)], car, supplier=pair(COMPANY, company))
    assert len(find(ben, COMPANY, company)["supplies"]) == 301
    assert remove(ada, CAR, car)["result"] is True
    ben.expect_update(company, supplies=[pair(PART, kept)])
    wait_for_jobs(redis)
    assert supplies(ada, company) == [kept]
    assert not redis.keys("{j:*}*"), "a job leaves nothing behind"
    assert_books_balance(redis)


def test_a_list_is_not_set_at_what_is_removed_itself(ada, redis, company, supply):
    part = supply(company)
    remove(ada, COMPANY, company)
    assert set(redis.hgetall(object_key(f"{COMPANY}:{company}"))) == {"@v", "@d"}
    assert find(ada, PART, part)["supplier"] is None


def test_a_circle_of_required_references_leaves_and_goes(ada, make):
    anchorage = make(ANCHORAGE)
    hook = make(HOOK, holds=pair(ANCHORAGE, anchorage))
    assert find(ada, ANCHORAGE, anchorage)["hooks"] == [pair(HOOK, hook)]
    eye = make(EYE, holds=pair(HOOK, hook))
    put(ada, HOOK, hook, holds=pair(EYE, eye))
    assert find(ada, ANCHORAGE, anchorage)["hooks"] == [], "what holds an Eye is no Anchorage's"
    assert remove(ada, HOOK, hook)["result"] is True
    assert find(ada, HOOK, hook) is None and find(ada, EYE, eye) is None


# ---- Redelivery, and the death of an agent

def test_a_list_is_told_until_it_is_acknowledged(new_stack, connect, new_id):
    stack = new_stack(settings={"model.file": RELATIONS_MODEL, "sync.redelivery_first_ms": 300,
                                "sync.poll_ms": 20})
    redis, company = stack.redis(), new_id("company")
    ada, ben = (connect(stack.gateways[0], user) for user in ("ada", "ben"))
    create(ada, COMPANY, company)
    ben.acknowledge((COMPANY, "nothing"))  # it is one that sends receipts
    wait_for_jobs(redis)
    find(ben, COMPANY, company)
    car, part = new_id("car"), new_id("part")
    create(ada, CAR, car)
    create(ada, PART, part, vehicle=pair(CAR, car), supplier=pair(COMPANY, company))
    first, again = expect_changed(ben, company, "supplies"), expect_changed(ben, company)
    assert first == again and again["supplies"] == [pair(PART, part)]
    while f"{COMPANY}:{company}" in marks_of(redis, session_of(redis, ben.client_id)):
        ben.acknowledge((COMPANY, company))
    assert_books_balance(redis)


def test_a_list_is_told_although_the_agent_that_changed_it_died(new_stack, connect, new_id):
    stack = new_stack(settings={"model.file": RELATIONS_MODEL, "sync.job_lease_ms": 400,
                                "sync.poll_ms": 20})
    company, car, part = new_id("company"), new_id("car"), new_id("part")
    ada, ben = (connect(stack.gateways[0], user) for user in ("ada", "ben"))
    create(ada, COMPANY, company)
    create(ada, CAR, car)
    wait_for_jobs(stack.redis())
    find(ben, COMPANY, company)
    agent = stack.sync_agents[0]
    agent.stop()
    agent.start(fault="after-commit")
    message = ada.send_request("createObject", theObject={
        "cn": PART, "ID": part, "vehicle": pair(CAR, car), "supplier": pair(COMPANY, company)})
    agent.expect_death()
    agent.start()
    assert ada.response_to(message)["result"] is True
    assert expect_changed(ben, company, "supplies")["supplies"] == [pair(PART, part)]


# ---- Limits

MOST = 3


@pytest.fixture
def narrow(new_stack, connect, new_id):
    """Ada on a stack with short lists, and a way to make objects there."""
    stack = new_stack(settings={"model.file": RELATIONS_MODEL, "sync.max_listed": MOST})
    client = connect(stack.gateways[0], "ada")

    def make(class_name, **fields):
        object_id = new_id()
        response = create(client, class_name, object_id, **fields)
        assert response["result"] is True, response
        return object_id

    return client, make


def test_a_list_takes_no_more_than_its_limit(narrow, new_id):
    ada, make = narrow
    car, company = make(CAR), make(COMPANY)
    part = {"vehicle": pair(CAR, car), "supplier": pair(COMPANY, company)}
    members = [make(PART, **part) for _ in range(MOST)]
    refused = new_id()
    assert_refused(create(ada, PART, refused, **part), "-200", "as many as it may list", "supplies")
    assert find(ada, PART, refused) is None
    outside = make(PART, vehicle=pair(CAR, car))
    assert_refused(put(ada, PART, outside, supplier=pair(COMPANY, company)), "-201", "supplies")
    assert find(ada, PART, outside)["supplier"] is None
    assert supplies(ada, company) == members
    assert put(ada, PART, members[0], name="x", supplier=pair(COMPANY, company))["result"] is True
    put(ada, PART, members[0], supplier=None)
    assert put(ada, PART, outside, supplier=pair(COMPANY, company))["result"] is True
    assert supplies(ada, company) == [*members[1:], outside]


def test_join_objects_count_and_lists_that_are_not_listed_do_not(narrow):
    ada, make = narrow
    company, cars = make(COMPANY), [make(CAR) for _ in range(2)]
    for _ in range(MOST):
        make(SHARE, company=pair(COMPANY, company), vehicle=pair(CAR, cars[0]))
    share = {"company": pair(COMPANY, company), "vehicle": pair(CAR, cars[1])}
    assert_refused(create(ada, SHARE, **share), "-200", "as many as it may list")
    for _ in range(MOST + 1):
        make(PART, vehicle=pair(CAR, cars[0]))


def test_a_list_of_many_counts_for_each_of_them(narrow):
    ada, make = narrow
    full, free = make(CAR), make(CAR)
    for _ in range(MOST):
        make(FLEET, vehicles=[pair(CAR, full)])
    assert_refused(create(ada, FLEET, vehicles=[pair(CAR, free), pair(CAR, full)]), "-200", "fleets")
    assert find(ada, CAR, free)["fleets"] == []
    assert make(FLEET, flagship=pair(CAR, full), vehicles=[pair(CAR, free)])


def store_fleets(redis, car, names):
    """Fleets that a car is in, written as the agents would; so many would take them long."""
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        fleet = f"{FLEET}:{name}"
        pipeline.hset(object_key(fleet), mapping={"@v": 1, "@c": 1, "@r:vehicles": f"{CAR}:{car}"})
        pipeline.zadd(object_key(f"{CAR}:{car}", ":r"), {f"vehicles\n{fleet}": 0})
    pipeline.execute()


def test_lists_that_are_too_long_for_one_step_follow_by_a_job(ada, ben, redis, make, new_id):
    cars = [make(CAR) for _ in range(4)]
    for car in cars:
        store_fleets(redis, car, [new_id("fleet") for _ in range(900)])
        find(ben, CAR, car)
    wait_for_jobs(redis)
    fleet = make(FLEET, vehicles=[pair(CAR, car) for car in cars])
    for car in cars:
        assert pair(FLEET, fleet) in expect_changed(ben, car, "fleets")["fleets"]
    wait_until(lambda: redis.zcard("jobs") == 0, 30, "all jobs are done")
    for car in cars:
        assert len(find(ada, CAR, car)["fleets"]) == 901 and version(redis, CAR, car) == 2
    assert not redis.keys("{j:*}*"), "a job leaves nothing behind"
    assert_books_balance(redis)
