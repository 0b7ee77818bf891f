"""Reads of many objects: findByIds, getAllByName, countAllByName; IDs that the server makes; aliases.

Spec 3.4, 3.5; design section 10. The classes are those of support/relations-model.json.
"""

import uuid

import pytest
from asking import count_all, create, find, find_all, get_all, ids, put, remove
from client import SYNC, class_of, pair
from servers import wait_until
from shapes import assert_error, assert_refused, assert_sync_shape
from store import object_key, session_key, session_of

COMPANY, FLEET = "com.test.Company", "com.test.Fleet"
VEHICLE, CAR, TRUCK = "com.test.Vehicle", "com.test.Car", "com.test.Truck"
PAPER, RECEIPT = "com.test.Paper", "com.test.Receipt"
TICKET, DIARY, SCREW = "com.test.Ticket", "com.test.Diary", "com.test.Screw"


@pytest.fixture
def ada(relations_stack, connect):
    return connect(relations_stack.gateways[0], "ada")


@pytest.fixture
def ben(relations_stack, connect):
    return connect(relations_stack.gateways[1], "ben")


@pytest.fixture
def empty(relations_stack, connect):
    """empty(class): removes all objects of the class, so that pages and counts are this test's."""
    def empty(class_name):
        for user in ("ada", "ben"):
            client = connect(relations_stack.gateways[0], user)
            for found in get_all(client, class_name)["result"]:
                remove(client, found["cn"], found["ID"])

    return empty


@pytest.fixture
def cars(ada, new_id):
    """The IDs of five cars, in their order."""
    made = [new_id("car") for _ in range(5)]
    for car in made:
        create(ada, CAR, car, name="old")
    return made


def is_push(frame):
    return "objectList" in frame


def create_many(client, class_name, objects):
    """Creates objects, given as dictionaries of members."""
    for start in range(0, len(objects), 50):
        messages = [client.send_request("createObject", theObject={"cn": class_name, **members})
                    for members in objects[start:start + 50]]
        for message in messages:
            assert client.response_to(message)["result"] is True


# ---- findByIds

def test_find_by_ids_has_the_shape_of_its_kind_and_is_one_flat_list(ada, cars):
    message = str(uuid.uuid4())
    response = ada.request("findByIds", messageId=message,
                           theClassIdList=[{"className": CAR, "ids": cars[:2]}])
    assert_sync_shape(response, "FindByIdsResponse", ada.client_id, message)
    assert response["data"] is None
    assert response["result"] == [find(ada, CAR, car) for car in cars[:2]]


def test_what_is_found_comes_group_by_group_in_the_order_of_the_ids(ada, cars, new_id):
    truck = new_id("truck")
    create(ada, TRUCK, truck)
    found = find_all(ada, (CAR, [cars[3], cars[0]]), (TRUCK, [truck]), (CAR, [cars[1]]))["result"]
    assert ids(found) == [cars[3], cars[0], truck, cars[1]]


def test_what_does_not_exist_is_left_out(ada, cars, new_id):
    removed = cars.pop()
    remove(ada, CAR, removed)
    found = find_all(ada, (CAR, [new_id(), cars[0], "", removed, "a\nb", "a\u0000b", "x" * 600,
                                 cars[1]]))
    assert ids(found["result"]) == cars[:2]


def test_an_id_that_is_asked_for_twice_is_found_twice(ada, cars):
    assert ids(find_all(ada, (CAR, [cars[0], cars[0]]))["result"]) == [cars[0], cars[0]]


def test_a_parent_class_finds_its_own_objects_and_those_of_its_children(ada, cars, new_id):
    truck, vehicle = new_id("truck"), new_id("vehicle")
    create(ada, TRUCK, truck)
    create(ada, VEHICLE, vehicle)
    found = find_all(ada, (VEHICLE, [truck, cars[0], vehicle]), (CAR, [truck, vehicle]))["result"]
    assert [(o["cn"], o["ID"]) for o in found] == [(TRUCK, truck), (CAR, cars[0]), (VEHICLE, vehicle)]


def test_what_is_found_is_watched(ada, ben, cars):
    find_all(ben, (CAR, cars[:2]), (VEHICLE, cars[2:3]))
    for car in cars[:3]:
        put(ada, CAR, car, name="new")
        assert ben.expect_update(car)["name"] == "new"
    put(ada, CAR, cars[3], name="new")
    ben.expect_nothing(lambda f: is_push(f) and ids(f["objectList"]) == [cars[3]], 0.1)


@pytest.mark.parametrize("groups", [
    [], [{"className": CAR, "ids": []}],
    [{"className": CAR, "ids": []}, {"className": TRUCK, "ids": []}]], ids=len)
def test_nothing_asked_is_nothing_found(ada, groups):
    assert ada.request("findByIds", theClassIdList=groups)["result"] == []


@pytest.mark.parametrize("groups", [
    [{"className": "no.Such", "ids": ["1"]}], [{"className": "no.Such", "ids": []}],
    [{"className": CAR, "ids": ["1"]}, {"className": "com.test.car", "ids": []}],
    [{"className": "", "ids": []}], [{"className": "com.test.Car\u0001", "ids": []}],
    [{"className": "*", "ids": ["1"]}]], ids=str)
def test_find_by_ids_of_an_unknown_class_is_an_error(ada, groups):
    assert_error(ada.request("findByIds", theClassIdList=groups), "-104")


@pytest.mark.parametrize("groups", [
    None, 7, "text", {}, {"className": CAR, "ids": ["1"]}, [7], [None], [[]], [{}],
    [{"className": CAR}], [{"ids": ["1"]}], [{"className": 7, "ids": ["1"]}],
    [{"className": CAR, "ids": "1"}], [{"className": CAR, "ids": {}}],
    [{"className": CAR, "ids": None}], [{"className": CAR, "ids": [7]}],
    [{"className": CAR, "ids": ["1", None]}], [{"className": CAR, "ids": [["1"]]}]], ids=str)
def test_find_by_ids_in_a_wrong_shape_is_malformed(ada, groups):
    assert_error(ada.request("findByIds", theClassIdList=groups), "-115", "theClassIdList")


def test_a_thousand_ids_are_found_in_order(ada, new_id):
    companies = [new_id("company") for _ in range(1000)]
    create_many(ada, COMPANY, [{"ID": company} for company in companies])
    wanted = companies[::-1]
    assert ids(find_all(ada, (COMPANY, wanted[:300]), (COMPANY, wanted[300:]))["result"]) == wanted


def test_a_hundred_thousand_ids_are_looked_for(ada, cars):
    many = [f"{i:05}" for i in range(100_000 - 1)] + [cars[0]]
    assert ids(find_all(ada, (CAR, many))["result"]) == [cars[0]]


def test_an_answer_that_grows_too_large_is_refused(ada, new_id):
    """sync.max_answer_bytes is 8 MiB."""
    company = new_id("company")
    create(ada, COMPANY, company, name="x" * 100_000)
    assert_error(find_all(ada, (COMPANY, [company] * 100)), "-120", "too large")
    assert ids(find_all(ada, (COMPANY, [company] * 50))["result"]) == [company] * 50


# ---- getAllByName

def test_a_page_has_the_shape_of_its_kind(ada, cars):
    for size, number, total in ((2, 0, True), (None, None, None), (2, 1, False)):
        message = str(uuid.uuid4())
        response = ada.request("getAllByName", messageId=message, theClassName=CAR, pageSize=size,
                               pageNumber=number, returnTotal=total)
        assert_sync_shape(response, "GetAllByNameResponse", ada.client_id, message)
        assert (response["pageSize"], response["pageNumber"]) == (size, number)
        assert response["totalCount"] == (count_all(ada, CAR)[0][CAR] if total else 0)


def test_null_and_absent_are_the_same(ada, cars):
    given = {"cn": class_of("getAllByName"), "messageId": "m", "theClassName": CAR}
    ada.send({**given, "pageSize": None, "pageNumber": None, "returnTotal": None})
    whole = ada.response_to("m")
    assert (whole["pageSize"], whole["pageNumber"], whole["totalCount"]) == (None, None, 0)
    assert whole["result"] == get_all(ada, CAR)["result"]


@pytest.fixture
def companies(ada, empty):
    """Nine companies that are all there are; IDs in the order of their bytes."""
    empty(COMPANY)
    made = ["10", "9", "Z", "a", "a b", "aa", "b", "z:1", "ä"]
    made = [f"{name}-{uuid.uuid4().hex}" for name in made]
    made.sort(key=str.encode)
    for company in sorted(made, key=lambda c: c[::-1]):
        create(ada, COMPANY, company)
    return made


def test_everything_comes_in_the_order_of_the_ids(ada, companies):
    assert ids(get_all(ada, COMPANY)["result"]) == companies


def test_the_pages_together_are_everything_once(ada, companies):
    for size in (1, 2, 4, 9, 10):
        pages = [get_all(ada, COMPANY, size, number, True) for number in range(9 // size + 1)]
        assert [i for page in pages for i in ids(page["result"])] == companies
        assert {page["totalCount"] for page in pages} == {9}
        assert all(len(page["result"]) <= size for page in pages)


@pytest.mark.parametrize("number", [3, 4, 1000, 2**31 - 1, 2**31, 2**62, 2**63 - 1])
def test_a_page_past_the_end_is_empty(ada, companies, number):
    page = get_all(ada, COMPANY, 3, number, True)
    assert page["result"] == [] and page["totalCount"] == 9
    assert page["pageNumber"] == number


@pytest.mark.parametrize("size", [0, -1, -2**31, -2**63, None, 10**6, 2**31, 2**63 - 1])
def test_a_size_that_is_none_or_huge_asks_for_everything(ada, companies, size):
    for number in (0, None):
        page = get_all(ada, COMPANY, size, number, True)
        assert ids(page["result"]) == companies and page["totalCount"] == 9
        assert page["pageSize"] == size


def test_without_a_number_there_are_no_pages(ada, companies):
    assert ids(get_all(ada, COMPANY, 2)["result"]) == companies


@pytest.mark.parametrize("members, where", [
    ({"pageSize": "2"}, "pageSize"), ({"pageSize": 1.5}, "pageSize"), ({"pageSize": []}, "pageSize"),
    ({"pageSize": 2**63}, "pageSize"), ({"pageSize": 25.0}, "pageSize"),
    ({"pageNumber": "0"}, "pageNumber"), ({"returnTotal": "true"}, "returnTotal"),
    ({"returnTotal": 1}, "returnTotal"), ({"returnTotal": []}, "returnTotal"),
    ({"pageNumber": True}, "pageNumber"), ({"pageSize": 2, "pageNumber": -1}, "pageNumber"),
    ({"pageNumber": -2**63}, "pageNumber"), ({"theClassName": 7}, "theClassName"),
    ({"theClassName": ""}, "theClassName"), ({"theClassName": "x" * 600}, "theClassName"),
    ({"theClassName": "a\u0000b"}, "theClassName")], ids=lambda x: str(x)[:30])
def test_a_page_that_is_none_is_malformed(ada, members, where):
    assert_error(ada.request("getAllByName", **{"theClassName": CAR, **members}), "-115", where)


@pytest.mark.parametrize("member", ["pageSize", "pageNumber"])
@pytest.mark.parametrize("number", ["1e3", "1E0", "-0.0", "1e400", "1" * 40])
def test_a_number_that_is_no_64_bit_integer_is_malformed(ada, member, number):
    """As it is written: a parser of the test's own would write it in another way."""
    ada.send_text(f'{{"cn":"{class_of("getAllByName")}","messageId":"m","theClassName":"{CAR}",'
                  f'"{member}":{number}}}')
    assert_error(ada.response_to("m"), "-115", member)


@pytest.mark.parametrize("name", ["no.Such", "com.test.car", "com.test.Car ", "com.test.Car\n",
                                  "com.test.Car\u0001", "*", "com.test.*"])
def test_all_of_an_unknown_class_is_an_error(ada, name):
    assert_error(get_all(ada, name), "-104")
    assert_error(ada.request("countAllByName", classNames=[name]), "-104")


def test_a_parent_class_covers_its_children(ada, empty, new_id):
    empty(VEHICLE)
    made = [(class_name, new_id()) for class_name in (CAR, TRUCK, VEHICLE) for _ in range(3)]
    for class_name, object_id in made[::2] + made[1::2]:
        create(ada, class_name, object_id)
    in_order = sorted(made, key=lambda m: m[1].encode())
    for size, number, part in ((None, None, in_order), (4, 1, in_order[4:8])):
        page = get_all(ada, VEHICLE, size, number, True)
        assert [(o["cn"], o["ID"]) for o in page["result"]] == part and page["totalCount"] == 9
    assert ids(get_all(ada, CAR)["result"]) == [i for c, i in in_order if c == CAR]
    assert count_all(ada, VEHICLE, CAR, TRUCK) == [{VEHICLE: 9}, {CAR: 3}, {TRUCK: 3}]


def test_more_than_fits_one_step_comes_whole(ada, empty, new_id):
    empty(FLEET)
    fleets = sorted((new_id("fleet") for _ in range(600)), key=str.encode)
    create_many(ada, FLEET, [{"ID": fleet} for fleet in fleets])
    assert ids(get_all(ada, FLEET)["result"]) == fleets
    assert ids(get_all(ada, FLEET, 400, 1)["result"]) == fleets[400:]
    assert count_all(ada, FLEET) == [{FLEET: 600}]


def test_numbers_are_in_numeric_order(ada, empty):
    empty(TICKET)
    numbers = [create(ada, TICKET, text="x")["theObject"]["ID"] for _ in range(12)]
    assert ids(get_all(ada, TICKET)["result"]) == sorted(numbers, key=int) == numbers
    assert ids(get_all(ada, TICKET, 5, 2, True)["result"]) == numbers[10:]


def test_what_was_removed_is_not_listed(ada, companies):
    remove(ada, COMPANY, companies.pop(4))
    assert ids(get_all(ada, COMPANY)["result"]) == companies
    assert get_all(ada, COMPANY, 3, 2, True)["totalCount"] == 8
    assert count_all(ada, COMPANY) == [{COMPANY: 8}]


# ---- Interest in a class

def test_who_reads_a_class_is_told_of_all_that_happens_in_it(ada, ben, new_id):
    get_all(ben, COMPANY, 1, 0)
    company = new_id("company")
    create(ada, COMPANY, company, name="born")
    assert ben.expect_update(company)["name"] == "born"
    put(ada, COMPANY, company, name="grown")
    assert ben.expect_update(company)["name"] == "grown"
    remove(ada, COMPANY, company)
    ben.expect_delete(company)


@pytest.mark.parametrize("class_name", [CAR, TRUCK, VEHICLE])
def test_who_reads_a_parent_class_is_told_of_its_children(ada, ben, new_id, class_name):
    get_all(ben, VEHICLE, 1, 0)
    vehicle = new_id()
    create(ada, class_name, vehicle, name="born")
    assert ben.expect_update(vehicle)["cn"] == class_name
    remove(ada, class_name, vehicle)
    ben.expect_delete(vehicle)


def test_who_reads_a_child_class_is_not_told_of_others(ada, ben, new_id):
    get_all(ben, CAR, 1, 0)
    create(ada, TRUCK, new_id())
    create(ada, VEHICLE, new_id())
    ben.expect_nothing(is_push, 0.2)


def test_who_watches_an_object_and_its_classes_is_told_once(ada, ben, cars):
    get_all(ben, CAR, 1, 0)
    get_all(ben, VEHICLE, 1, 0)
    find(ben, CAR, cars[0])
    put(ada, CAR, cars[0], name="new")
    ben.expect_update(cars[0], name="new")
    # What a read may have overtaken is said again, but then without saying what changed.
    ben.expect_nothing(lambda f: f.get("updatedFields"), 0.2)


def test_counting_and_a_refused_page_tell_nobody(ada, ben, new_id):
    count_all(ben, COMPANY)
    assert_error(get_all(ben, COMPANY, "x"), "-115")
    create(ada, COMPANY, new_id())
    ben.expect_nothing(is_push, 0.2)


def test_the_interest_in_a_class_ends_with_the_session(relations_stack, ben):
    get_all(ben, COMPANY, 1, 0)
    redis = relations_stack.redis()
    sid = session_of(redis, ben.client_id)
    assert redis.zscore(f"{{k:{COMPANY}}}:w", sid) is not None
    assert redis.smembers(session_key(sid, ":k")) == {COMPANY}
    ben.send_request("logout")
    ben.expect_close()
    wait_until(lambda: redis.zscore(f"{{k:{COMPANY}}}:w", sid) is None, 10, "the watch has gone")


# ---- What may not be read

@pytest.fixture
def diaries(ada, ben, empty, new_id):
    """The only diaries, seven: Ada's are 0, 2, 3, 6; the others are Ben's."""
    empty(DIARY)
    made = [new_id("diary") for _ in range(7)]
    for i, diary in enumerate(made):
        writer = ada if i in (0, 2, 3, 6) else ben
        assert create(writer, DIARY, diary, writer=writer.user_id, text="old")["result"] is True
    return made


def test_pages_and_totals_hold_only_what_may_be_read(ada, ben, diaries):
    for client, own in ((ada, [0, 2, 3, 6]), (ben, [1, 4, 5])):
        own = [diaries[i] for i in own]
        assert ids(get_all(client, DIARY, total=True)["result"]) == own
        pages = [get_all(client, DIARY, 2, number, True) for number in range(3)]
        assert [ids(page["result"]) for page in pages] == [own[:2], own[2:4], []]
        assert {page["totalCount"] for page in pages} == {len(own)}
        assert count_all(client, DIARY, COMPANY)[0] == {DIARY: len(own)}


def test_find_by_ids_leaves_out_what_may_not_be_read(ada, ben, diaries):
    assert ids(find_all(ben, (DIARY, diaries))["result"]) == [diaries[i] for i in (1, 4, 5)]
    put(ada, DIARY, diaries[0], text="secret")
    put(ada, DIARY, diaries[2], text="secret")
    ben.expect_nothing(is_push, 0.2)


def test_who_reads_a_class_is_told_only_of_what_may_be_read(connect, relations_stack, ada, ben,
                                                            diaries):
    second = connect(relations_stack.gateways[1], "ada")
    get_all(ben, DIARY)
    get_all(second, DIARY)
    put(ada, DIARY, diaries[0], text="secret")
    assert second.expect_update(diaries[0])["text"] == "secret"
    ben.expect_nothing(is_push, 0.2)


def test_pages_before_much_that_may_not_be_read_are_found(ada, ben, empty, new_id):
    """More of another user's objects than one step looks at lie before the own ones."""
    empty(DIARY)
    hidden = sorted(new_id("a") for _ in range(400))
    own = [new_id("b") for _ in range(3)]
    create_many(ada, DIARY, [{"ID": i, "writer": ada.user_id} for i in hidden])
    create_many(ben, DIARY, [{"ID": i, "writer": ben.user_id} for i in own])
    assert ids(get_all(ben, DIARY, 2, 0, True)["result"]) == own[:2]
    last = get_all(ben, DIARY, 2, 1, True)
    assert ids(last["result"]) == own[2:] and last["totalCount"] == 3
    page = get_all(ada, DIARY, 100, 3, True)
    assert ids(page["result"]) == sorted(hidden)[300:] and page["totalCount"] == 400


# ---- countAllByName

def test_counts_are_objects_of_one_member(ada, companies):
    message = str(uuid.uuid4())
    response = ada.request("countAllByName", messageId=message, classNames=[COMPANY, SCREW, COMPANY])
    assert_sync_shape(response, "CountAllByNameResponse", ada.client_id, message)
    assert response["result"] == [{COMPANY: 9}, {SCREW: 0}, {COMPANY: 9}]


def test_no_classes_have_no_counts(ada):
    assert count_all(ada) == []


@pytest.mark.parametrize("names", [None, 7, COMPANY, {}, [7], [None], [COMPANY, ["x"]]], ids=str)
def test_class_names_that_are_none_are_malformed(ada, names):
    assert_error(ada.request("countAllByName", classNames=names), "-115", "classNames")


def test_one_unknown_class_refuses_the_whole_count(ada):
    assert_error(ada.request("countAllByName", classNames=[COMPANY, "no.Such"]), "-104")


# ---- createObject without an ID

def test_an_integer_class_counts_its_objects(ada, ben):
    numbers = [int(create(client, TICKET, text="x")["theObject"]["ID"])
               for client in (ada, ben, ada)]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    remove(ada, TICKET, str(numbers[2]))
    assert create(ada, TICKET)["theObject"]["ID"] == str(numbers[2] + 1), "no number twice"


def test_an_integer_class_and_its_children_count_together(ada):
    """Else two objects would be found by the same class and ID."""
    made = [create(ada, class_name)["theObject"] for class_name in (PAPER, RECEIPT, PAPER)]
    assert [int(o["ID"]) - int(made[0]["ID"]) for o in made] == [0, 1, 2]
    assert [find(ada, PAPER, o["ID"]) for o in made] == made


@pytest.mark.parametrize("object_id", ["0{}", "+{}", "{}.0", "{}e0", " {}", "{} ", "[{}]", '"{}"',
                                       "{}" + "0" * 30, "-0"])
def test_an_integer_id_is_its_decimal_text_and_no_other(ada, object_id):
    ticket = create(ada, TICKET, text="old")["theObject"]["ID"]
    other = object_id.format(ticket)
    assert find(ada, TICKET, other) is None
    assert find_all(ada, (TICKET, [other, ticket]))["result"] == [find(ada, TICKET, ticket)]
    assert_refused(put(ada, TICKET, other, text="new"), "-201", "theObject.ID")
    assert_refused(remove(ada, TICKET, other), "-202", "removePair.ID")
    assert find(ada, TICKET, ticket)["text"] == "old"


def test_the_ids_of_an_integer_class_are_the_servers(ada):
    assert_refused(create(ada, TICKET, "12"), "-200", "theObject.ID")


@pytest.mark.parametrize("class_name", [COMPANY, TICKET])
def test_a_repeated_creation_without_id_makes_one_object(ada, class_name):
    members = {"messageId": str(uuid.uuid4()), "theObject": {"cn": class_name}}
    before = count_all(ada, class_name)[0][class_name]
    first, *others = (ada.request("createObject", **members)["theObject"] for _ in range(3))
    assert others == [first, first] and find(ada, class_name, first["ID"]) == first
    assert count_all(ada, class_name) == [{class_name: before + 1}]


def test_creations_that_repeat_nothing_make_different_objects(ada):
    made = {create(ada, COMPANY)["theObject"]["ID"] for _ in range(5)}
    assert len(made) == 5 and all(str(uuid.UUID(i)) == i for i in made)


# ---- Aliases

def test_the_other_names_of_the_writes_do_the_same(ada, ben, new_id):
    car = new_id("car")
    created = ada.request("create", event=True, theObject={"cn": CAR, "ID": car, "name": "a"})
    assert created["cn"] == SYNC + "CreateResponse" and created["theObject"]["name"] == "a"
    find(ben, CAR, car)
    updated = ada.request("update", event=True, theObject={"cn": CAR, "ID": car, "name": "b"})
    assert updated["cn"] == SYNC + "PutResponse" and updated["result"] is True
    ben.expect_update(car, name="b")
    deleted = ada.request("delete", event=True, removePair=pair(CAR, car))
    assert deleted["cn"] == SYNC + "RemoveResponse" and deleted["result"] is True
    ben.expect_delete(car)


def test_an_alias_and_its_name_are_one_operation(ada):
    """A request that is repeated under the other name is the same request."""
    members = {"messageId": str(uuid.uuid4()), "theObject": {"cn": TICKET}}
    first = ada.request("create", event=True, **members)
    assert ada.request("createObject", event=True, **members)["theObject"] == first["theObject"]


def test_an_alias_refuses_like_the_operation(ada, new_id):
    assert_refused(ada.request("update", event=True, theObject={"cn": CAR, "ID": new_id()}), "-201")
    assert_error(ada.request("create", event=True, theObject={"cn": "no.Such"}), "-104")
    assert_error(ada.request("delete", event=True, removePair=7), "-115")


def test_every_object_is_in_the_lists_of_its_classes_once(relations_stack, ada, cars):
    redis = relations_stack.redis()
    for car in cars:
        create(ada, CAR, car)  # exists
        put(ada, CAR, car, name="new")
    for class_name in (CAR, VEHICLE):
        listed = redis.zrange(f"{{k:{class_name}}}:ids", 0, -1)
        assert all(listed.count(f"{car}\n{CAR}") == 1 for car in cars)
    assert all(redis.exists(object_key(f"{CAR}:{car}")) for car in cars)
