"""Objects that are named by a parent of their class: "parentClass::ID" and "class::ID" are the same
object. What is stored, answered and told has the object's own class; so an ID is given once only in a
family, which is all that has a common ancestor.

Reads by a parent's name are tested with the other reads. The classes are those of
support/relations-model.json.
"""

import uuid

import pytest
from asking import create, find, put, remove
from client import pair
from relations import (CAR, COMPANY, FLEET, PART, TRUCK, VEHICLE, ada, ben, car, is_live, make, redis,
                       referring, wait_for_jobs)
from shapes import assert_refused
from store import object_key, stored_object


def refs(redis, class_name, object_id, field):
    return redis.hget(object_key(f"{class_name}:{object_id}"), "@r:" + field)


# ---- References

def test_a_reference_by_a_parents_name_is_kept_with_the_objects_own_class(ada, ben, redis, new_id, car):
    part, message = new_id("part"), str(uuid.uuid4())
    for _ in range(2):
        created = ada.request("createObject", messageId=message, theObject={
            "cn": PART, "ID": part, "name": "wheel", "vehicle": pair(VEHICLE, car)})
        assert created["result"] is True
        assert created["theObject"]["vehicle"] == pair(CAR, car)
        assert created["theObject"]["name"] == "wheel"
    assert find(ben, PART, part)["vehicle"] == pair(CAR, car)
    assert refs(redis, PART, part, "vehicle") == f"{CAR}:{car}"
    assert referring(redis, CAR, car) == [("vehicle", f"{PART}:{part}")]
    assert referring(redis, VEHICLE, car) == []
    remove(ada, CAR, car)
    assert find(ada, PART, part) is None, "it requires the car"


def test_a_put_of_references_by_a_parents_name(ada, ben, redis, make, car):
    own, truck = make(VEHICLE), make(TRUCK)
    fleet = make(FLEET)
    find(ben, FLEET, fleet)
    named = [pair(VEHICLE, truck), pair(VEHICLE, own), pair(VEHICLE, car), pair(CAR, car)]
    meant = [pair(TRUCK, truck), pair(VEHICLE, own), pair(CAR, car), pair(CAR, car)]
    assert put(ada, FLEET, fleet, name="ours", vehicles=named,
               flagship=pair(VEHICLE, truck))["result"] is True
    told = ben.expect_update(fleet, name="ours")
    assert told["vehicles"] == meant and told["flagship"] == pair(TRUCK, truck)
    assert referring(redis, TRUCK, truck) == [("flagship", f"{FLEET}:{fleet}"),
                                              ("vehicles", f"{FLEET}:{fleet}")]
    assert find(ada, CAR, car)["fleets"] == [pair(FLEET, fleet)]
    remove(ada, TRUCK, truck)
    wait_for_jobs(redis)
    left = find(ada, FLEET, fleet)
    assert left["vehicles"] == meant[1:] and left["flagship"] is None


def test_the_same_object_by_another_name_is_no_change(ada, redis, make, car):
    fleet = make(FLEET, flagship=pair(CAR, car), vehicles=[pair(CAR, car)])
    wait_for_jobs(redis)
    before = redis.hgetall(object_key(f"{FLEET}:{fleet}"))
    assert put(ada, FLEET, fleet, at=1, flagship=pair(VEHICLE, car),
               vehicles=[pair(VEHICLE, car)])["result"] is True, "nor can it be stale"
    assert redis.hgetall(object_key(f"{FLEET}:{fleet}")) == before


@pytest.mark.parametrize("name", ['qu"ote', "back\\slash", "a:b", "ä€😀", "a,b", "{x}"])
def test_odd_ids_stay_what_they_are(ada, make, new_id, name):
    odd = new_id(name)
    make(CAR, odd)
    fleet = make(FLEET, flagship=pair(VEHICLE, odd), vehicles=[pair(VEHICLE, odd)] * 2)
    found = find(ada, FLEET, fleet)
    assert found["flagship"] == pair(CAR, odd) and found["vehicles"] == [pair(CAR, odd)] * 2


def test_a_name_of_no_object_or_of_a_sibling_is_refused(ada, redis, make, car, new_id):
    fleet, gone = make(FLEET), make(CAR)
    remove(ada, CAR, gone)
    for wrong in (pair(VEHICLE, new_id()), pair(VEHICLE, gone), pair(TRUCK, car)):
        assert_refused(create(ada, PART, new_id(), vehicle=wrong), "-200", "reference")
        assert_refused(put(ada, FLEET, fleet, name="x", vehicles=[pair(VEHICLE, car), wrong]),
                       "-201", "reference")
    assert find(ada, FLEET, fleet)["name"] is None
    assert referring(redis, CAR, car) == []


# ---- Puts

def test_a_put_by_a_parents_name_changes_the_object(ada, ben, redis, car):
    find(ben, CAR, car)
    assert put(ada, VEHICLE, car, name="Kaefer")["result"] is True
    told = ben.expect_update(car, name="Kaefer")
    assert told["cn"] == CAR and find(ada, VEHICLE, car) == told
    assert stored_object(redis, f"{VEHICLE}:{car}") is None


def test_a_put_by_a_parents_name_moves_references(ada, redis, make, car):
    first, second = make(COMPANY), make(COMPANY)
    for company in (first, second):
        assert put(ada, VEHICLE, car, maker=pair(COMPANY, company))["result"] is True
    assert referring(redis, COMPANY, first) == []
    assert referring(redis, COMPANY, second) == [("maker", f"{CAR}:{car}")]


def test_a_repeated_put_by_a_parents_name_has_its_first_result(ada, car):
    message = str(uuid.uuid4())
    members = {"messageId": message, "theObject": {"cn": VEHICLE, "ID": car, "name": "first"}}
    assert ada.request("putObject", **members)["result"] is True
    put(ada, CAR, car, name="second")
    assert ada.request("putObject", **members)["result"] is True
    assert find(ada, CAR, car)["name"] == "second"
    remove(ada, CAR, car)
    assert ada.request("putObject", **members)["result"] is True


def test_a_parents_name_leads_to_its_fields_only(ada, car):
    assert_refused(put(ada, VEHICLE, car, seats=4), "-201", "has no field", "seats")
    assert put(ada, CAR, car, seats=4)["result"] is True


def test_a_put_by_the_name_of_a_child_or_of_nothing_is_refused(ada, make, car, new_id):
    vehicle = make(VEHICLE)
    assert_refused(put(ada, CAR, vehicle, name="x"), "-201", "no such object")
    assert_refused(put(ada, TRUCK, car, name="x"), "-201", "no such object")
    assert_refused(put(ada, VEHICLE, new_id(), name="x"), "-201", "no such object")


# ---- Examples

@pytest.mark.parametrize("operation", ["findByExample", "searchByExample", "findUnique"])
def test_an_example_may_name_a_parent(ada, make, car, operation):
    part = make(PART, vehicle=pair(CAR, car))
    make(PART, vehicle=pair(CAR, make(CAR)))
    found = ada.request(operation, theObject={"cn": PART, "vehicle": pair(VEHICLE, car)})["result"]
    assert [o["ID"] for o in (found if isinstance(found, list) else [found])] == [part]


def test_an_example_that_refers_to_nothing_matches_nothing(ada, make, car, new_id):
    make(PART, vehicle=pair(CAR, car))
    for other in (pair(VEHICLE, new_id()), pair(TRUCK, car)):
        assert ada.request("findByExample", theObject={"cn": PART, "vehicle": other})["result"] == []


# ---- IDs

@pytest.mark.parametrize("first, second", [
    (VEHICLE, CAR), (CAR, VEHICLE), (CAR, TRUCK)], ids=lambda name: name.rsplit(".", 1)[1])
def test_an_id_is_given_once_in_a_family(ada, redis, make, first, second):
    object_id = make(first, name="the first")
    longer = make(second, object_id + " and more")
    assert_refused(create(ada, second, object_id), "-200", "family", "this ID", first)
    assert not is_live(redis, second, object_id)
    assert find(ada, VEHICLE, object_id)["name"] == "the first"
    assert create(ada, first, object_id)["theObject"]["name"] == "the first", "the same, as ever"
    assert create(ada, second, longer)["result"] is True, "the same, as ever"


def test_a_refused_id_is_refused_again_when_the_request_is_repeated(ada, make, car):
    members = {"messageId": str(uuid.uuid4()), "theObject": {"cn": TRUCK, "ID": car}}
    assert_refused(ada.request("createObject", **members), "-200", "family", CAR)
    remove(ada, CAR, car)
    assert_refused(ada.request("createObject", **members), "-200", "family", CAR)


def test_classes_of_different_families_share_ids(ada, make, car):
    assert make(COMPANY, car) == make(FLEET, car) == car


def test_what_was_removed_keeps_its_id_from_its_own_class_only(ada, car):
    remove(ada, CAR, car)
    assert_refused(create(ada, CAR, car), "-200", "removed")
    assert create(ada, VEHICLE, car)["result"] is True
