"""References between objects, and what a removal does to them (spec 5.6).

What requires an object goes with it; other references to it are cleared. Who watches any of these is
told. The classes are those of support/relations-model.json.
"""

import pytest
from asking import create, find, put, remove
from client import SYNC, pair
from relations import (ANCHORAGE, CAR, COMPANY, DIARY, EYE, FLEET, HOOK, PART, SCREW, SHARE, TRUCK,
                       VEHICLE, ada, ben, car, create_many, create_parts,
                       expect_changed, is_live, live_parts, make, redis, referring, wait_for_jobs)
from servers import wait_until
from shapes import assert_refused
from stack import RELATIONS_MODEL, Stack, slow
from store import assert_books_balance, object_key, stored_object


# ---- References

def test_a_reference_may_lead_to_any_descendant_of_its_target(ada, make):
    for class_name in (VEHICLE, CAR, TRUCK):
        vehicle = make(class_name)
        part = make(PART, vehicle=pair(class_name, vehicle))
        assert find(ada, PART, part)["vehicle"] == pair(class_name, vehicle)


def test_a_required_reference_must_be_given_and_stays(ada, make, car, new_id):
    assert_refused(create(ada, PART, new_id()), "-251", "vehicle")
    assert_refused(create(ada, PART, new_id(), vehicle=None), "-200", "vehicle")
    part = make(PART, vehicle=pair(CAR, car))
    assert_refused(put(ada, PART, part, vehicle=None), "-201", "vehicle")
    assert find(ada, PART, part)["vehicle"] == pair(CAR, car)


@pytest.mark.parametrize("wrong, code", [
    (pair(COMPANY, "c"), "-200"), (pair("no.Such", "x"), "-200"), ("text", "-200"),
    ([], "-200"), (pair(CAR, "missing"), "-200"), (pair(CAR, ""), "-200"), (pair(CAR, 7), "-200")],
    ids=str)
def test_a_reference_to_another_class_or_to_none_is_refused(ada, redis, car, new_id, wrong, code):
    part = new_id("part")
    assert_refused(create(ada, PART, part, vehicle=wrong), code)
    assert find(ada, PART, part) is None
    fleet = new_id("fleet")
    assert_refused(create(ada, FLEET, fleet, vehicles=[pair(CAR, car), wrong]), code)
    assert find(ada, FLEET, fleet) is None
    assert referring(redis, CAR, car) == [], "nothing of what was refused is kept"


def test_a_reference_to_what_was_removed_is_refused(ada, make, car):
    fleet = make(FLEET)
    remove(ada, CAR, car)
    assert_refused(put(ada, FLEET, fleet, flagship=pair(CAR, car), name="x"), "-201", "reference")
    assert_refused(put(ada, FLEET, fleet, vehicles=[pair(CAR, car)]), "-201", "reference")
    assert find(ada, FLEET, fleet)["name"] is None


def test_the_class_of_a_reference_is_the_objects_own(ada, make, car, new_id):
    assert_refused(create(ada, PART, new_id(), vehicle=pair(TRUCK, car)), "-200", "reference")


def test_an_object_knows_what_refers_to_it(ada, redis, make, car):
    part = make(PART, vehicle=pair(CAR, car))
    fleet = make(FLEET, flagship=pair(CAR, car), vehicles=[pair(CAR, car), pair(CAR, car)])
    assert referring(redis, CAR, car) == [
        ("flagship", f"{FLEET}:{fleet}"), ("vehicle", f"{PART}:{part}"),
        ("vehicles", f"{FLEET}:{fleet}")]


def test_a_to_one_that_moves_takes_its_entry_along(ada, redis, make, car):
    other = make(TRUCK)
    part = make(PART, vehicle=pair(CAR, car))
    assert put(ada, PART, part, vehicle=pair(TRUCK, other))["result"] is True
    assert referring(redis, CAR, car) == []
    assert referring(redis, TRUCK, other) == [("vehicle", f"{PART}:{part}")]
    remove(ada, CAR, car)
    assert find(ada, PART, part), "it does not depend on its former vehicle"
    remove(ada, TRUCK, other)
    assert find(ada, PART, part) is None


def test_a_put_that_is_refused_moves_no_entry(ada, redis, make, car):
    part = make(PART, vehicle=pair(CAR, car))
    assert_refused(put(ada, PART, part, vehicle=pair(CAR, "missing")), "-201", "reference")
    assert_refused(put(ada, PART, part, at=1, vehicle=pair(TRUCK, make(TRUCK))), "-201", "newer")
    assert referring(redis, CAR, car) == [("vehicle", f"{PART}:{part}")]


def test_a_list_keeps_its_order_and_its_entries(ada, redis, make):
    a, b, c = (make(CAR) for _ in range(3))
    fleet = make(FLEET, vehicles=[pair(CAR, a), pair(CAR, b)])
    put(ada, FLEET, fleet, vehicles=[pair(CAR, c), pair(CAR, b)])
    assert find(ada, FLEET, fleet)["vehicles"] == [pair(CAR, c), pair(CAR, b)]
    entry = [("vehicles", f"{FLEET}:{fleet}")]
    assert [referring(redis, CAR, x) for x in (a, b, c)] == [[], entry, entry]
    for empty in ([], None):
        put(ada, FLEET, fleet, vehicles=[pair(CAR, a)])
        put(ada, FLEET, fleet, vehicles=empty)
        assert find(ada, FLEET, fleet)["vehicles"] == []
        assert referring(redis, CAR, a) == []


@pytest.mark.parametrize("empty", [None, []], ids=str)
def test_a_list_that_stays_empty_is_no_change(ada, redis, make, car, empty):
    fleet = make(FLEET)
    before = redis.hgetall(object_key(f"{FLEET}:{fleet}"))
    assert put(ada, FLEET, fleet, at=1, vehicles=empty)["result"] is True, "nor can it be stale"
    assert put(ada, FLEET, fleet, vehicles=empty)["result"] is True
    assert redis.hgetall(object_key(f"{FLEET}:{fleet}")) == before


def test_a_list_has_a_limit(ada, make, car, new_id):
    """sync.max_listed is 1000; each member costs the commit a step."""
    fleet, other = make(FLEET, vehicles=[pair(CAR, car)] * 1000), new_id("fleet")
    too_many = {"vehicles": [pair(CAR, car)] * 1001}
    assert_refused(create(ada, FLEET, other, **too_many), "-200", "theObject.vehicles", "1000")
    assert_refused(put(ada, FLEET, fleet, name="x", **too_many), "-201", "theObject.vehicles")
    assert find(ada, FLEET, other) is None
    found = find(ada, FLEET, fleet)
    assert len(found["vehicles"]) == 1000 and found["name"] is None


def test_what_was_removed_leaves_no_entry_behind(ada, redis, make, car):
    company = make(COMPANY)
    part = make(PART, vehicle=pair(CAR, car), supplier=pair(COMPANY, company))
    fleet = make(FLEET, flagship=pair(CAR, car), vehicles=[pair(CAR, car)])
    remove(ada, PART, part)
    remove(ada, FLEET, fleet)
    assert referring(redis, CAR, car) == [] == referring(redis, COMPANY, company)
    assert not redis.exists(object_key(f"{CAR}:{car}", ":r"))


# ---- Removal: what requires it goes, too

def test_what_requires_an_object_goes_with_it(ada, ben, redis, make, car):
    part = make(PART, vehicle=pair(CAR, car))
    screw = make(SCREW, part=pair(PART, part))
    for class_name, object_id in ((CAR, car), (PART, part), (SCREW, screw)):
        find(ben, class_name, object_id)
    assert remove(ada, CAR, car)["result"] is True
    for class_name, object_id in ((CAR, car), (PART, part), (SCREW, screw)):
        assert ben.expect_delete(object_id)["objectList"] == [pair(class_name, object_id)]
        assert find(ben, class_name, object_id) is None
    wait_for_jobs(redis)
    assert not redis.keys("{o:*" + f"{part}" + "}:[rw]")


def test_who_removes_an_object_is_told_what_went_with_it(ada, make, car):
    part = make(PART, vehicle=pair(CAR, car))
    remove(ada, CAR, car)
    ada.expect_delete(part)
    ada.expect_nothing(lambda f: f.get("objectList") == [pair(CAR, car)], 0.2)


def test_a_join_object_goes_with_either_side(ada, make):
    for gone in (0, 1):
        sides = [(COMPANY, make(COMPANY)), (CAR, make(CAR))]
        share = make(SHARE, company=pair(*sides[0]), vehicle=pair(*sides[1]))
        remove(ada, *sides[gone])
        assert find(ada, SHARE, share) is None
        assert find(ada, *sides[1 - gone]), "the other side stays"


def test_a_circle_of_required_references_goes_as_a_whole(ada, redis, make):
    hook, eye = circle(ada, make)
    assert remove(ada, EYE, eye)["result"] is True
    assert find(ada, HOOK, hook) is None and find(ada, EYE, eye) is None
    assert not redis.exists(object_key(f"{HOOK}:{hook}", ":r"))
    assert not redis.exists(object_key(f"{EYE}:{eye}", ":r"))


def circle(client, make):
    """A Hook and an Eye that require each other; the first had something else to begin with."""
    anchorage = make(ANCHORAGE)
    hook = make(HOOK, holds=pair(ANCHORAGE, anchorage))
    eye = make(EYE, holds=pair(HOOK, hook))
    assert put(client, HOOK, hook, holds=pair(EYE, eye))["result"] is True
    return hook, eye


def test_a_long_chain_goes_to_its_end(ada, make):
    links = [(ANCHORAGE, make(ANCHORAGE))]
    for i in range(60):
        class_name = HOOK if i == 0 or i % 2 == 0 else EYE
        links.append((class_name, make(class_name, holds=pair(*links[-1]))))
    remove(ada, *links[0])
    assert not [link for link in links if find(ada, *link)]


def test_a_circle_that_many_require_goes_by_a_job(ada, redis, make, new_id):
    """Half of them require the one side, half the other."""
    hook, eye = circle(ada, make)
    others = [(HOOK, new_id("hook"), pair(EYE, eye)) for _ in range(300)]
    others += [(EYE, new_id("eye"), pair(HOOK, hook)) for _ in range(300)]
    create_many(ada, [{"cn": class_name, "ID": other, "holds": held}
                      for class_name, other, held in others])
    assert remove(ada, HOOK, hook)["result"] is True
    wait_for_jobs(redis)
    assert not any(is_live(redis, class_name, other) for class_name, other, _ in others)
    assert not is_live(redis, EYE, eye)
    assert not redis.exists(object_key(f"{EYE}:{eye}", ":r"))
    assert_books_balance(redis)


def test_an_object_cannot_require_what_its_creation_would_make(ada, new_id):
    """A circle needs something to begin with: nobody is the first."""
    hook = new_id("hook")
    assert_refused(create(ada, HOOK, hook, holds=pair(EYE, new_id("eye"))), "-200", "reference")
    part = new_id("part")
    assert_refused(create(ada, PART, part, vehicle=pair(PART, part)), "-200", "vehicle")
    assert find(ada, HOOK, hook) is None and find(ada, PART, part) is None


def test_an_object_that_refers_to_itself_can_be_removed(ada, redis, make, car):
    part = make(PART, vehicle=pair(CAR, car))
    put(ada, PART, part, spare=pair(PART, part))
    assert remove(ada, PART, part)["result"] is True
    assert find(ada, PART, part) is None
    assert not redis.exists(object_key(f"{PART}:{part}", ":r"))


def test_the_rights_of_who_removes_count_for_what_was_asked_only(ada, ben, new_id):
    diary = new_id("diary")
    create(ada, DIARY, diary, writer=ada.user_id)
    assert_refused(remove(ben, DIARY, diary), "-117")
    assert find(ada, DIARY, diary)


def test_what_was_removed_leaves_nothing_of_it(ada, redis, new_id):
    diary = new_id("diary")
    create(ada, DIARY, diary, writer=ada.user_id, text="secret")
    remove(ada, DIARY, diary)
    assert set(redis.hgetall(object_key(f"{DIARY}:{diary}"))) == {"@v", "@d"}
    assert find(ada, DIARY, diary) is None
    assert create(ada, DIARY, diary)["theObject"].get("text") is None


def test_a_create_shows_nobody_what_they_may_not_read(ada, ben, new_id):
    diary = new_id("diary")
    create(ada, DIARY, diary, writer=ada.user_id, text="secret")
    refused = create(ben, DIARY, diary, writer=ben.user_id)
    assert_refused(refused, "-117")
    assert refused["theObject"] == {"cn": DIARY, "ID": diary, "writer": ben.user_id}
    assert create(ada, DIARY, diary, writer=ada.user_id)["theObject"]["text"] == "secret"
    put(ada, DIARY, diary, text="more")
    ben.expect_nothing(lambda f: "objectList" in f, 0.2)


# ---- Removal: other references are cleared

def test_an_optional_to_one_is_cleared_and_told(ada, ben, redis, make, car):
    company = make(COMPANY)
    part = make(PART, name="wheel", vehicle=pair(CAR, car), supplier=pair(COMPANY, company))
    wait_for_jobs(redis)
    find(ben, PART, part)
    assert remove(ada, COMPANY, company)["result"] is True
    told = expect_changed(ben, part, "supplier")
    assert told["supplier"] is None and told["name"] == "wheel"
    assert told["vehicle"] == pair(CAR, car), "the other references stay"
    assert expect_changed(ada, part, "supplier") == told, "the writer did not know that"
    assert find(ada, PART, part) == told
    assert referring(redis, CAR, car) == [("vehicle", f"{PART}:{part}")]


def test_what_has_gone_leaves_the_lists_and_the_others_keep_their_order(
        ada, ben, redis, make, car):
    before, behind = make(CAR), make(TRUCK)
    fleet = make(FLEET, vehicles=[pair(CAR, before), pair(CAR, car), pair(TRUCK, behind),
                                  pair(CAR, car)])
    wait_for_jobs(redis)
    find(ben, FLEET, fleet)
    remove(ada, CAR, car)
    left = [pair(CAR, before), pair(TRUCK, behind)]
    assert expect_changed(ben, fleet, "vehicles")["vehicles"] == left
    assert find(ada, FLEET, fleet)["vehicles"] == left
    remove(ada, CAR, before)
    remove(ada, TRUCK, behind)
    assert find(ada, FLEET, fleet)["vehicles"] == []


def test_two_references_of_one_object_are_both_cleared(ada, make, car):
    fleet = make(FLEET, flagship=pair(CAR, car), vehicles=[pair(CAR, car)])
    remove(ada, CAR, car)
    found = find(ada, FLEET, fleet)
    assert found["flagship"] is None and found["vehicles"] == []


@pytest.mark.parametrize("name", ['qu"ote', "back\\slash", "a:b", "ä€😀", "/", "%1", "{x}"])
def test_what_stays_in_a_list_is_written_as_a_client_would(ada, redis, make, car, new_id, name):
    odd = new_id(name)
    create(ada, CAR, odd)
    fleet = make(FLEET, vehicles=[pair(CAR, odd), pair(CAR, car)])
    remove(ada, CAR, car)
    assert find(ada, FLEET, fleet)["vehicles"] == [pair(CAR, odd)]
    before = redis.hgetall(object_key(f"{FLEET}:{fleet}"))
    assert put(ada, FLEET, fleet, vehicles=[pair(CAR, odd)])["result"] is True
    assert redis.hgetall(object_key(f"{FLEET}:{fleet}")) == before, "nothing has changed"


def test_a_put_from_before_the_removal_does_not_bring_the_reference_back(ada, make, car):
    fleet = make(FLEET)
    put(ada, FLEET, fleet, at=1000, flagship=pair(CAR, car))
    put(ada, FLEET, fleet, flagship=pair(CAR, car))
    remove(ada, CAR, car)
    assert put(ada, FLEET, fleet, at=1000, flagship=pair(CAR, car))["result"] is False
    assert find(ada, FLEET, fleet)["flagship"] is None


def test_lists_of_the_other_side_are_shown_empty_and_ignored(ada, redis, make, car):
    part = make(PART, vehicle=pair(CAR, car))
    assert find(ada, CAR, car)["parts"] == []
    assert put(ada, CAR, car, parts=[pair(PART, part)], name="x")["result"] is True
    assert "parts" not in stored_object(redis, f"{CAR}:{car}")
    assert referring(redis, PART, part) == []


# ---- Removals with many consequences

COUNT = 1000


@pytest.fixture
def crowd(ada, make, new_id):
    """A car, the parts that require it, and a fleet that shows it; Ada has made them all."""
    car = make(CAR)
    parts = [new_id("part") for _ in range(COUNT)]
    create_parts(ada, parts, car)
    return car, parts, make(FLEET, flagship=pair(CAR, car), vehicles=[pair(CAR, car)])


def assert_crowd_is_gone(redis, crowd):
    car, parts, fleet = crowd
    wait_for_jobs(redis)
    assert live_parts(redis, parts) == 0
    left = stored_object(redis, f"{FLEET}:{fleet}")
    assert left["vehicles"] == left["flagship"] == "null"
    assert not redis.exists(object_key(f"{CAR}:{car}", ":r"))
    assert not redis.keys("{j:*}*"), "a job leaves nothing behind"
    assert_books_balance(redis)


def deletes_of(client, wanted):
    """Waits until each of these IDs was told as gone."""
    missing = set(wanted)
    while missing:
        push = client.expect_push(lambda p: p["cn"] == SYNC + "PushDeleteResponse", "a delete", 30)
        missing -= {gone["ID"] for gone in push["objectList"]}


def test_a_thousand_dependants_go_by_a_job(ada, ben, redis, crowd):
    car, parts, _ = crowd
    for part in (parts[0], parts[-1]):
        find(ben, PART, part)
    assert remove(ada, CAR, car)["result"] is True
    assert find(ada, CAR, car) is None, "the object itself has gone with the answer"
    assert_crowd_is_gone(redis, crowd)
    deletes_of(ben, [parts[0], parts[-1]])
    deletes_of(ada, parts)


def test_what_is_removed_cannot_gain_dependants_while_the_job_runs(ada, redis, crowd, new_id):
    car, _, fleet = crowd
    late = new_id("late")
    removal = ada.send_request("removeObject", removePair=pair(CAR, car))
    puts = [ada.send_request("putObject", theObject={"cn": FLEET, "ID": fleet, "name": str(i)})
            for i in range(20)]
    assert ada.response_to(removal)["result"] is True
    assert_refused(create(ada, PART, late, vehicle=pair(CAR, car)), "-200", "reference")
    for message in puts:
        assert ada.response_to(message)["cn"] == SYNC + "PutResponse"
    assert_crowd_is_gone(redis, crowd)


def store_parts(redis, car, names):
    """Parts of a car, written as the agents would; so many would take them long."""
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        part = f"{PART}:{name}"
        pipeline.hset(object_key(part), mapping={
            "@v": 1, "@c": 1, "@r:vehicle": f"{CAR}:{car}",
            "vehicle": f'1 1 {{"className":"{CAR}","ID":"{car}"}}'})
        pipeline.zadd(object_key(f"{CAR}:{car}", ":r"), {f"vehicle\n{part}": 0})
        pipeline.zadd(f"{{k:{PART}}}:ids", {f"{name}\n{PART}": 0})
    pipeline.execute()


@pytest.mark.long
def test_all_are_served_while_a_hundred_thousand_dependants_go(ada, ben, redis, make, car, new_id):
    parts = [new_id("part") for _ in range(20_000 if slow() else 100_000)]
    for start in range(0, len(parts), 5000):
        store_parts(redis, car, parts[start:start + 5000])
    find(ben, PART, parts[-1])
    other = make(CAR)
    assert remove(ada, CAR, car)["result"] is True
    served = []

    def done():
        served.append(find(ben, CAR, other)["ID"])  # in time, whichever worker it is that answers
        return redis.zcard("jobs") == 0

    wait_until(done, 300, "the job is done")
    assert len(served) >= 20
    assert live_parts(redis, parts) == 0
    ben.expect_delete(parts[-1])
    assert_books_balance(redis)


@pytest.mark.parametrize("fault, gone", [("after-commit", 0), ("after-cascade-step:2", 199)])
def test_the_job_survives_the_death_of_its_worker(servers, connect, new_id, fault, gone):
    settings = {"model.file": RELATIONS_MODEL, "sync.job_lease_ms": 400, "sync.poll_ms": 20}
    with Stack(servers, settings=settings) as stack:
        redis, ada = stack.redis(), connect(stack.gateways[0], "ada")
        ben = connect(stack.gateways[0], "ben")
        car, fleet, parts = new_id("car"), new_id("fleet"), [new_id("part") for _ in range(COUNT)]
        create(ada, CAR, car)
        create_parts(ada, parts, car)
        create(ada, FLEET, fleet, flagship=pair(CAR, car), vehicles=[pair(CAR, car)])
        for part in parts[::100]:
            find(ben, PART, part)
        wait_for_jobs(redis)

        agent = stack.sync_agents[0]
        agent.stop()
        agent.start(fault=fault)
        message = ada.send_request("removeObject", removePair=pair(CAR, car))
        agent.expect_death()
        assert stored_object(redis, f"{CAR}:{car}") is None
        assert live_parts(redis, parts) == COUNT - gone, "two steps: the flagship and these"
        agent.start()
        assert ada.response_to(message)["result"] is True
        assert_crowd_is_gone(redis, (car, parts, fleet))
        deletes_of(ben, parts[::100])
