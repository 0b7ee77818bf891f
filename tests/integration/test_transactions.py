"""processTransaction (spec 3.5): objects are saved and removed together, or nothing is."""

import json
import uuid

import pytest
from asking import create, find, remove
from client import SYNC, pair
from relations import (ANCHORAGE, CAR, COMPANY, DIARY, FLEET, HOOK, PART, SCREW, SHARE, TRUCK, VEHICLE,  # noqa: F401
                       ada, ben, car, make, redis)
from servers import wait_until
from shapes import assert_error, assert_sync_shape
from store import now_ms, object_key, stored_object

TICKET = "com.test.Ticket"
MOST = 50  # sync.max_transaction_objects


def obj(class_name, object_id=None, **fields):
    return {"cn": class_name, **({"ID": object_id} if object_id else {}), **fields}


def transact(client, save=(), remove=(), **members):
    return client.request("processTransaction", **{
        "transactionId": "t", "objectsToSave": list(save),
        "objectsToRemove": [pair(*p) for p in remove], **members})


def version_of(redis, class_name, object_id):
    return redis.hget(object_key(f"{class_name}:{object_id}"), "@v")


def assert_nothing(response, *words, code="-201"):
    """It was refused, with these words."""
    assert response["cn"] == SYNC + "TransactionResponse", response
    assert response["result"] is False
    assert response["objectsSaved"] == response["objectsRemoved"] == []
    assert response["data"]["code"] == code, response["data"]
    for word in words:
        assert word in response["data"]["message"], response["data"]


# ---- What it does

def test_the_response_has_the_members_of_the_spec_in_their_order(ada, new_id):
    message, one = str(uuid.uuid4()), new_id("car")
    response = transact(ada, [obj(CAR, one)], messageId=message)
    assert_sync_shape(response, "TransactionResponse", ada.client_id, message)
    assert response["transactionId"] == "t" and response["result"] is True
    assert response["objectsSaved"] == [pair(CAR, one)] and response["objectsRemoved"] == []


def test_objects_are_made_changed_and_removed_together(ada, ben, make, new_id, redis):
    old, gone, new = make(CAR, name="old"), make(CAR), new_id("company")
    assert find(ben, CAR, old) and find(ben, CAR, gone)
    response = transact(ada, [obj(CAR, old, name="changed"), obj(COMPANY, new, name="made")],
                        [(CAR, gone)])
    assert response["result"], response
    assert response["objectsSaved"] == [pair(CAR, old), pair(COMPANY, new)]
    assert response["objectsRemoved"] == [pair(CAR, gone)]
    ben.expect_update(old, name="changed")
    ben.expect_delete(gone)
    assert find(ben, COMPANY, new)["name"] == "made"
    assert version_of(redis, CAR, old) == "2"


def test_it_may_be_empty_and_remove_what_is_not_there(ada, new_id):
    missing = new_id("car")
    assert transact(ada)["result"] is True
    assert transact(ada, remove=[(CAR, missing)])["objectsRemoved"] == [pair(CAR, missing)]
    response = ada.request("processTransaction")
    assert response["result"] is True and response["transactionId"] is None


def test_new_objects_refer_to_each_other_by_any_name_and_in_any_order(ada, new_id):
    car, part, screw = new_id("car"), new_id("part"), new_id("screw")
    response = transact(ada, [obj(SCREW, screw, part=pair(PART, part)),
                              obj(PART, part, vehicle=pair(VEHICLE, car)), obj(CAR, car)])
    assert response["result"], response
    assert find(ada, PART, part)["vehicle"] == pair(CAR, car)


def test_an_object_is_named_by_a_parent_of_its_class(ada, make):
    car, gone = make(CAR), make(CAR)
    response = transact(ada, [obj(VEHICLE, car, name="found")], [(VEHICLE, gone)])
    assert response["objectsSaved"] == [pair(CAR, car)]
    assert response["objectsRemoved"] == [pair(CAR, gone)]
    assert find(ada, CAR, car)["name"] == "found" and find(ada, CAR, gone) is None


def test_ids_are_made_where_clients_give_none_and_are_the_same_in_a_repeated_request(ada, redis):
    message = str(uuid.uuid4())
    save = [obj(CAR, name="a"), obj(CAR, name="b"), obj(TICKET, text="c")]
    first = transact(ada, save, messageId=message)
    assert first["result"], first
    ids = [p["ID"] for p in first["objectsSaved"]]
    assert len(set(ids)) == 3 and all(ids)
    assert transact(ada, save, messageId=message)["objectsSaved"] == first["objectsSaved"]
    assert version_of(redis, CAR, ids[0]) == "1" and find(ada, TICKET, ids[2])["text"] == "c"


def test_a_version_moves_once_whatever_changes_of_an_object(ada, ben, make, new_id, redis):
    """The company gets a name, loses what it supplies, and lists a new part: one state, one push."""
    company, car = make(COMPANY, name="x"), make(CAR)
    old = make(PART, vehicle=pair(CAR, car), supplier=pair(COMPANY, company))
    wait_until(lambda: version_of(redis, COMPANY, company) == "2", 10, "the part is listed")
    new = new_id("part")
    find(ben, COMPANY, company)
    states = redis.llen(object_key(f"{COMPANY}:{company}", ":h"))
    response = transact(ada, [
        obj(COMPANY, company, name="y"),
        obj(PART, new, vehicle=pair(CAR, car), supplier=pair(COMPANY, company))], [(PART, old)])
    assert response["result"], response
    assert version_of(redis, COMPANY, company) == "3"
    pushed = ben.expect_update(company, name="y")
    assert pushed["supplies"] == [pair(PART, new)]
    assert redis.llen(object_key(f"{COMPANY}:{company}", ":h")) == states + 1
    ada.expect_update(company, name="y")  # the server had a part in it, so its writer hears of it too
    ben.drain(0.5)  # one that was due again since the read was overtaken names no fields
    assert not [f for f in ben.inbox if company in f.text and f.get("updatedFields")]


def test_what_depends_on_a_removed_object_goes_too(ada, make):
    car = make(CAR)
    part = make(PART, vehicle=pair(CAR, car))
    fleet = make(FLEET, flagship=pair(CAR, car))
    assert transact(ada, [obj(FLEET, fleet, name="left")], [(CAR, car)])["result"]
    assert find(ada, PART, part) is None
    assert find(ada, FLEET, fleet)["flagship"] is None and find(ada, FLEET, fleet)["name"] == "left"


def test_a_reference_may_move_away_from_what_is_removed(ada, make):
    old, new = make(CAR), make(CAR)
    part = make(PART, vehicle=pair(CAR, old))
    assert transact(ada, [obj(PART, part, vehicle=pair(CAR, new))], [(CAR, old)])["result"]
    assert find(ada, PART, part)["vehicle"] == pair(CAR, new)


def test_the_writer_watches_what_it_has_made(ada, ben, new_id):
    one = new_id("car")
    transact(ada, [obj(CAR, one, name="made")])
    ben.request("putObject", theObject=obj(CAR, one, name="changed"))
    ada.expect_update(one, name="changed")


# ---- What is refused, and then nothing at all is done

@pytest.fixture
def untouched(ada, redis, new_id, make):
    """Sends a transaction that also saves a good object before and one behind the bad ones, and looks
    that nothing has become of them."""
    def untouched(save=(), remove=(), **members):
        before, behind = new_id("car"), make(CAR, name="as it was")
        response = transact(ada, [obj(CAR, before), *save, obj(CAR, behind, name="changed")], remove,
                            **members)
        assert find(ada, CAR, before) is None
        assert find(ada, CAR, behind)["name"] == "as it was"
        return response

    return untouched


def test_a_broken_reference(untouched, new_id):
    car, part = new_id("car"), new_id("part")
    assert_nothing(untouched([obj(PART, part, vehicle=pair(CAR, car))]),
                   f"objectsToSave[1] ({PART}:{part}): a reference leads to")


def test_a_reference_to_what_it_removes(untouched, make, new_id):
    car = make(CAR)
    assert_nothing(untouched([obj(PART, new_id("part"), vehicle=pair(CAR, car))], [(CAR, car)]),
                   "objectsToSave[1]", "a reference")


def test_a_missing_field(untouched, new_id):
    part = new_id("part")
    assert_nothing(untouched([obj(PART, part)]), f"objectsToSave[1] ({PART}:{part})",
                   "Missing required field vehicle", code="-251")


def test_a_wrong_value_and_an_unknown_field(untouched, new_id):
    assert_nothing(untouched([obj(CAR, new_id("car"), seats="two")]),
                   "objectsToSave[1].seats: expected an integer, found a string")
    assert_nothing(untouched([obj(CAR, new_id("car"), wheels=4)]), "objectsToSave[1]", "wheels")


def test_a_newer_put(untouched, ada, make):
    car = make(CAR, name="old")
    ada.request("putObject", putTimestamp=now_ms(), theObject=obj(CAR, car, name="newer"))
    assert_nothing(untouched([obj(CAR, car, name="late")], transTimestamp=now_ms() - 3_600_000),
                   f"objectsToSave[1] ({CAR}:{car})", "a newer put")


def test_a_forbidden_save_and_removal(untouched, ada, ben, make):
    diary = create(ben, DIARY, None, writer=ben.user_id)["theObject"]["ID"]
    assert_nothing(untouched([obj(DIARY, diary, text="mine")]), f"objectsToSave[1] ({DIARY}:{diary})",
                   "you may not", code="-117")
    assert_nothing(untouched(remove=[(DIARY, diary)]), f"objectsToRemove[0] ({DIARY}:{diary})",
                   "you may not", code="-117")
    assert_nothing(untouched([obj(ANCHORAGE, make(ANCHORAGE), name="x")]), "you may not", code="-117")


def test_an_object_that_was_removed(untouched, ada, make):
    car = make(CAR)
    transact(ada, remove=[(CAR, car)])
    assert_nothing(untouched([obj(CAR, car)]), "objectsToSave[1]", "was removed")


def test_an_id_that_clients_do_not_choose(untouched):
    assert_nothing(untouched([obj(TICKET, "987654")]), "objectsToSave[1]",
                   "ids of this class are made by the server", code="-200")


@pytest.mark.parametrize("members, word", [
    ({"transactionId": 5}, "transactionId"),
    ({"transTimestamp": "now"}, "transTimestamp"),
    ({"objectsToSave": {}}, "objectsToSave"),
    ({"objectsToSave": [5]}, "objectsToSave[0]"),
    ({"objectsToSave": [{"ID": "x"}]}, "objectsToSave[0]"),
    ({"objectsToRemove": "x"}, "objectsToRemove"),
    ({"objectsToRemove": [{"ID": "x"}]}, "objectsToRemove[0]"),
    ({"objectsToRemove": [5]}, "objectsToRemove[0]"),
])
def test_a_malformed_request(ada, members, word):
    assert_error(ada.request("processTransaction", **members), "-115", word)


def test_an_unknown_class(ada):
    assert_error(transact(ada, [obj("com.test.None", "x")]), "-104", "objectsToSave[0]")
    assert_error(transact(ada, remove=[("com.test.None", "x")]), "-104", "objectsToRemove[0]")


def test_an_object_stands_there_once(ada, make):
    car = make(CAR)
    assert_error(transact(ada, [obj(CAR, car), obj(VEHICLE, car)]), "-115", "objectsToSave[1]", "twice")
    assert_error(transact(ada, [obj(CAR, car)], [(CAR, car)]), "-115", "objectsToRemove[0]", "twice")


def test_a_new_object_is_not_removed_by_the_name_of_a_parent(ada, new_id):
    car = new_id("car")
    assert_error(transact(ada, [obj(CAR, car)], [(VEHICLE, car)]), "-115", "objectsToRemove[0]", "twice")
    assert find(ada, CAR, car) is None


def test_a_family_has_an_id_once_among_new_objects_too(ada, new_id):
    one, other = new_id("car"), new_id("car")
    assert_nothing(transact(ada, [obj(CAR, one), obj(TRUCK, one)]), f"objectsToSave[1] ({TRUCK}:{one})",
                   f"the same family has this ID, of class {CAR}")
    assert_nothing(transact(ada, [obj(CAR, other), obj(VEHICLE, other)]), "objectsToSave[1]", CAR)
    assert find(ada, VEHICLE, one) is None and find(ada, VEHICLE, other) is None


# ---- A repeated request has the first answer, whatever has become of the objects

def test_what_was_saved_is_so_though_it_is_gone_and_could_not_be_made(ada, ben):
    ticket, message = create(ada, TICKET, text="old")["theObject"]["ID"], str(uuid.uuid4())
    save = [obj(TICKET, ticket, text="new")]
    assert transact(ada, save, messageId=message)["result"]
    remove(ben, TICKET, ticket)
    again = transact(ada, save, messageId=message)
    assert again["result"] and again["objectsSaved"] == [pair(TICKET, ticket)], again


def test_what_could_not_be_made_is_refused_though_it_is_there(ada, make, new_id):
    part, message = new_id("part"), str(uuid.uuid4())
    save = [obj(PART, part, name="changed")]
    first = transact(ada, save, messageId=message)
    assert_nothing(first, "Missing required field vehicle", code="-251")
    make(PART, part, name="as it was", vehicle=pair(CAR, make(CAR)))
    assert transact(ada, save, messageId=message)["data"] == first["data"]
    assert find(ada, PART, part)["name"] == "as it was"


def test_what_was_removed_has_its_own_class(ada, make):
    gone, message = [(VEHICLE, make(CAR)), (VEHICLE, make(TRUCK))], str(uuid.uuid4())
    for _ in range(2):
        response = transact(ada, remove=gone, messageId=message)
        assert response["objectsRemoved"] == [pair(CAR, gone[0][1]), pair(TRUCK, gone[1][1])]


def test_it_has_no_more_objects_than_are_allowed(ada, new_id):
    save = [obj(CAR, new_id("car")) for _ in range(MOST - 1)]
    assert transact(ada, save, [(CAR, "none")])["result"] is True
    assert_error(transact(ada, save + [obj(CAR, new_id("car"))], [(CAR, "none")]), "-120", str(MOST))


# ---- Unique values and full lists, as they are in the end

UNIQUE = {"classes": {
    "com.test.Person": {"id": "integer", "anchor": "userId", "access": {"read": "signedIn"},
                        "fields": {"userId": {"type": "string", "readOnly": True}}},
    "com.test.Place": {
        "access": dict.fromkeys(["read", "create", "update", "remove"], "signedIn"),
        "fields": {"name": {"type": "string"},
                   "guests": {"type": "toMany", "target": "com.test.Guest", "inverse": "place",
                              "listed": True}},
        "indexes": [{"fields": ["name"], "unique": True}]},
    "com.test.Guest": {
        "access": dict.fromkeys(["read", "create", "update", "remove"], "signedIn"),
        "fields": {"place": {"type": "toOne", "target": "com.test.Place"}}}}}
PLACE, GUEST = "com.test.Place", "com.test.Guest"


def test_what_is_unique_or_limited_is_so_in_the_end(new_stack, connect, tmp_path):
    model = tmp_path / "model.json"
    model.write_text(json.dumps(UNIQUE))
    stack = new_stack(settings={"model.file": model, "sync.max_listed": 2})
    client = connect(stack.gateways[0], "ada")

    def names(*save, remove=()):
        return transact(client, [obj(PLACE, i, name=n) for i, n in save], remove)

    assert names(("a", "1"), ("b", "2"))["result"]
    assert names(("a", "2"), ("b", "1"))["result"], "two may swap their names"
    assert names(("c", "2"), remove=[(PLACE, "a")])["result"], "a name is free when its bearer goes"
    assert_nothing(names(("d", "3"), ("e", "3")), f"objectsToSave[1] ({PLACE}:e)", "the same name")
    assert_nothing(names(("d", "1")), f"objectsToSave[0] ({PLACE}:d)", "the same name")
    assert [find(client, PLACE, i)["name"] for i in "bc"] == ["1", "2"]

    guests = [obj(GUEST, f"g{i}", place=pair(PLACE, "b")) for i in range(3)]
    assert_nothing(transact(client, guests), "objectsToSave[2]", "guests")
    assert transact(client, guests[:2])["result"]
    assert len(find(client, PLACE, "b")["guests"]) == 2
