"""createObject, putObject, removeObject and findById (spec 3.4, 3.5, 5, 10.3; design section 8)."""

import uuid

import pytest
from shapes import assert_error, assert_refused, assert_sync_shape
from servers import wait_until
from store import marks_of, now_ms, session_of

TASK, NOTE, ITEM = "com.app.mo.Task", "com.app.mo.Note", "com.app.mo.Item"
PERSON, GROUP = "com.app.mo.Person", "com.app.mo.Group"
HOUR_MS = 3_600_000


@pytest.fixture
def ada(stack, connect):
    return connect(stack.gateways[0], "ada")


@pytest.fixture
def ben(stack, connect):
    return connect(stack.gateways[1], "ben")


@pytest.fixture
def task(ada, new_id):
    """The ID of a Task that Ada has made, titled "old"."""
    task = new_id("task")
    create(ada, TASK, task, title="old")
    return task


def create(client, class_name, object_id, **fields):
    return client.request("createObject", theObject={"cn": class_name, "ID": object_id, **fields})


def put(client, class_name, object_id, at=None, **fields):
    return client.request("putObject", putTimestamp=at,
                          theObject={"cn": class_name, "ID": object_id, **fields})


def find(client, class_name, object_id):
    return client.request("findById", theClassName=class_name, theClassId=object_id)["result"]


def remove(client, class_name, object_id):
    return client.request("removeObject", removePair={"className": class_name, "ID": object_id})


def pair(class_name, object_id):
    return {"className": class_name, "ID": object_id}


def person_of(client, stack):
    return stack.redis().hget("{u:" + client.user_id + "}", "anchor")


# ---- Shapes

def test_responses_have_all_members_in_the_order_of_the_seed(ada, new_id):
    task = new_id("task")
    for name, operation, members in [
            ("FindByIdResponse", "findById", {"theClassName": TASK, "theClassId": task}),
            ("CreateResponse", "createObject", {"theObject": {"cn": TASK, "ID": task}}),
            ("FindByIdResponse", "findById", {"theClassName": TASK, "theClassId": task}),
            ("PutResponse", "putObject", {"theObject": {"cn": TASK, "ID": task, "title": "x"}}),
            ("RemoveResponse", "removeObject", {"removePair": pair(TASK, task)}),
            ("PushUpdatesReceivedResponse", "updatesReceived", {"classIdPairs": []}),
            ("PushDeletesReceivedResponse", "deletesReceived", {"classIdPairs": [pair(TASK, task)]})]:
        message = str(uuid.uuid4())
        response = ada.request(operation, messageId=message, **members)
        assert_sync_shape(response, name, ada.client_id, message)
        assert response["data"] is None


def test_an_object_has_every_field_of_its_class_in_the_order_of_the_model(ada, new_id):
    task = new_id("task")
    created = create(ada, TASK, task, done=True, title="Write")["theObject"]
    assert list(created.items()) == [
        ("cn", TASK), ("ID", task), ("title", "Write"), ("text", None), ("created", None),
        ("owner", None), ("done", True), ("priority", None), ("estimate", None), ("due", None),
        ("assignee", None)]
    assert list(find(ada, TASK, task).items()) == list(created.items())


def test_the_array_form_is_served_like_a_bare_request(ada, new_id):
    task = new_id("task")
    response = ada.request("createObject", event=True, theObject={"cn": TASK, "ID": task})
    assert response["result"] is True
    assert ada.request("findById", event=True, theClassName=TASK, theClassId=task)["result"]


# ---- Creating

def test_a_created_object_is_seen_by_others(ada, ben, task):
    assert find(ben, TASK, task)["title"] == "old"


@pytest.mark.parametrize("absent", [{}, {"ID": None}, {"ID": ""}, {"ID": "  "}])
def test_the_server_makes_an_id_where_the_client_gave_none(ada, absent):
    made = ada.request("createObject", theObject={"cn": TASK, "title": "x", **absent})["theObject"]
    assert str(uuid.UUID(made["ID"])) == made["ID"]
    assert find(ada, TASK, made["ID"])["title"] == "x"


def test_creating_what_exists_returns_what_exists(ada, ben, task):
    response = create(ben, TASK, task, title="mine", priority=1)
    assert response["result"] is True
    assert (response["theObject"]["title"], response["theObject"]["priority"]) == ("old", None)
    put(ada, TASK, task, title="told")  # whoever was given it is told of changes
    assert ben.expect_update(task)["title"] == "told"
    ada.expect_nothing(lambda f: not f.get("correspondingMessageId") and "objectList" in f, 0.2)


def test_defaults_are_filled_in_and_restricted_values_checked(stack, ada):
    person = person_of(ada, stack)
    assert_refused(put(ada, PERSON, person, presence="asleep"), "-201", "theObject.presence")
    assert put(ada, PERSON, person, presence="busy")["result"] is True
    assert find(ada, PERSON, person)["presence"] == "busy"


def test_relations_are_pairs_of_the_actual_class(stack, ada, new_id):
    task, person = new_id("task"), person_of(ada, stack)
    created = create(ada, TASK, task, owner={**pair(PERSON, person), "properties": {}})
    assert created["theObject"]["owner"] == pair(PERSON, person)
    assert find(ada, TASK, task)["owner"] == pair(PERSON, person)
    assert put(ada, TASK, task, owner=None)["result"] is True
    assert find(ada, TASK, task)["owner"] is None


@pytest.mark.parametrize("fields, where", [
    ({"title": 5}, "title"), ({"title": ["x"]}, "title"),
    ({"done": "yes"}, "done"), ({"priority": 1.5}, "priority"), ({"priority": "1"}, "priority"),
    ({"estimate": "1"}, "estimate"), ({"due": "today"}, "due"), ({"owner": "p1"}, "owner"),
    ({"owner": {"className": PERSON}}, "owner"),
    ({"owner": pair(TASK, "t")}, "owner"), ({"owner": pair("no.such.Class", "1")}, "owner"),
    ({"owner": {**pair(PERSON, "1"), "cn": "x"}}, "owner"),
    ({"priority": 9223372036854775808}, "priority")])
def test_fields_that_the_class_does_not_allow_are_refused_by_path(ada, task, fields, where):
    refused = create(ada, TASK, task + "-new", **fields)
    assert_refused(refused, "-200", f"theObject.{where}")
    assert refused["theObject"] == {"cn": TASK, "ID": task + "-new", **fields}, "an echo"
    assert_refused(put(ada, TASK, task, **fields), "-201", f"theObject.{where}")
    assert find(ada, TASK, task + "-new") is None
    assert find(ada, TASK, task)["title"] == "old"


def test_a_field_that_the_class_does_not_have_is_refused_by_name(ada, task):
    assert_refused(create(ada, TASK, task + "-new", color="red"), "-200", '"color"')
    assert_refused(put(ada, TASK, task, color="red"), "-201", '"color"')


def test_a_reference_to_what_does_not_exist_is_refused(ada, task, new_id):
    nobody = pair(PERSON, "999999999")
    assert_refused(create(ada, TASK, new_id(), owner=nobody), "-200", "reference")
    assert_refused(put(ada, TASK, task, title="new", owner=nobody), "-201", "reference")
    assert find(ada, TASK, task)["title"] == "old", "nothing of it was taken"


@pytest.mark.parametrize("object_id", [7, [], {}, "x" * 513, "a\u0000b", "a\nb"])
def test_an_id_that_is_none_is_refused(ada, object_id):
    assert_refused(ada.request("createObject", theObject={"cn": TASK, "ID": object_id}), "-200",
                   "theObject.ID")


@pytest.mark.parametrize("object_id", ["a", "x" * 512, 'qu"ote', "back\\slash", "sp ace", "a:b:c",
                                       "{tag}", "ä€😀", "*", "0"],
                         ids=lambda text: text[:10])
def test_any_text_may_be_an_id(ada, ben, new_id, object_id):
    object_id = object_id if len(object_id) > 500 else object_id + new_id("")
    assert create(ada, TASK, object_id, title="odd")["theObject"]["ID"] == object_id
    assert find(ben, TASK, object_id)["title"] == "odd"
    put(ada, TASK, object_id, title="odder")
    assert ben.expect_update(object_id)["title"] == "odder"
    assert remove(ada, TASK, object_id)["result"] is True
    ben.expect_delete(object_id)


# ---- Reading

def test_what_does_not_exist_is_null(ada, new_id):
    assert find(ada, TASK, new_id()) is None


def test_a_parent_class_finds_the_objects_of_its_children(ada, task, new_id):
    note = new_id("note")
    create(ada, NOTE, note, title="a note")
    assert find(ada, ITEM, task)["cn"] == TASK
    assert find(ada, ITEM, note)["cn"] == NOTE
    assert find(ada, NOTE, task) is None


def test_what_is_found_by_its_parent_class_is_watched(ada, ben, task):
    find(ben, ITEM, task)
    put(ada, TASK, task, title="new")
    assert ben.expect_update(task)["cn"] == TASK


# ---- Putting

def test_a_put_changes_the_fields_that_it_carries(ada, task):
    put(ada, TASK, task, text="more", done=True)
    assert put(ada, TASK, task, done=False)["result"] is True
    found = find(ada, TASK, task)
    assert (found["title"], found["text"], found["done"]) == ("old", "more", False)


def test_null_clears_a_field_and_absence_keeps_it(ada, task):
    put(ada, TASK, task, text="more", priority=3)
    put(ada, TASK, task, text=None)
    found = find(ada, TASK, task)
    assert (found["title"], found["text"], found["priority"]) == ("old", None, 3)


def test_fields_that_two_clients_put_are_merged(ada, ben, task):
    at = now_ms()
    assert put(ada, TASK, task, at=at + 5, title="by Ada")["result"] is True
    assert put(ben, TASK, task, at=at, text="by Ben")["result"] is True, "older, but another field"
    found = find(ada, TASK, task)
    assert (found["title"], found["text"]) == ("by Ada", "by Ben")


def test_of_two_puts_of_a_field_the_later_counts_whatever_their_order(ada, ben, task):
    at = now_ms()
    put(ada, TASK, task, at=at, title="later")
    assert_refused(put(ben, TASK, task, at=at - 1, title="earlier"), "-201")
    assert find(ben, TASK, task)["title"] == "later"


def test_equal_times_count_as_newer(ada, ben, task):
    at = now_ms()
    put(ada, TASK, task, at=at, title="first")
    assert put(ben, TASK, task, at=at, title="second")["result"] is True
    assert find(ada, TASK, task)["title"] == "second"


def test_a_put_from_before_the_creation_is_stale(ada, task):
    assert_refused(put(ada, TASK, task, at=now_ms() - HOUR_MS, title="from the past"), "-201")
    assert_refused(put(ada, TASK, task, at=now_ms() - HOUR_MS, text="a new field"), "-201")


def test_a_put_of_stale_and_fresh_fields_takes_the_fresh_ones_and_tells_the_writer(ada, task):
    at = now_ms()
    put(ada, TASK, task, at=at, title="newer")
    assert put(ada, TASK, task, at=at - 1, title="stale", text="fresh")["result"] is True
    told = ada.expect_update(task)
    assert (told["title"], told["text"]) == ("newer", "fresh")


def test_whoever_put_stale_fields_is_told_of_the_newest_after_each_answer(stack, ada, task):
    """Also when it has said that it knows: with the answer it may take its own values for true."""
    at = now_ms()
    put(ada, TASK, task, at=at, title="newer")
    request = {"messageId": str(uuid.uuid4()), "putTimestamp": at - 1,
               "theObject": {"cn": TASK, "ID": task, "title": "stale", "text": "fresh"}}
    redis = stack.redis()

    def has_said_so():
        ada.acknowledge((TASK, task))
        return not marks_of(redis, session_of(redis, ada.client_id))

    for _ in range(2):
        assert ada.request("putObject", **request)["result"] is True
        told = ada.expect_update(task)
        assert (told["title"], told["text"]) == ("newer", "fresh")
        wait_until(has_said_so, 15, "nothing is pending")
        ada.drain()
        ada.inbox.clear()


def test_a_time_in_the_future_is_cut_to_now(ada, ben, task):
    put(ada, TASK, task, at=now_ms() + HOUR_MS, title="from the future")
    assert put(ben, TASK, task, title="now")["result"] is True
    assert find(ada, TASK, task)["title"] == "now"


@pytest.mark.parametrize("at", [0, -5, None])
def test_a_put_without_a_time_happens_now(ada, task, at):
    response = ada.request("putObject", theObject={"cn": TASK, "ID": task, "title": "new"},
                           **({} if at is None else {"putTimestamp": at}))
    assert response["result"] is True
    assert find(ada, TASK, task)["title"] == "new"


def test_an_equal_value_moves_nothing(stack, ada, ben, task):
    at = now_ms() - 100
    find(ben, TASK, task)
    stored = stack.redis().hgetall("{o:" + f"{TASK}:{task}" + "}")
    assert put(ada, TASK, task, title="old")["result"] is True
    assert put(ada, TASK, task, text=None)["result"] is True
    assert put(ada, TASK, task)["result"] is True
    assert put(ben, TASK, task, at=at - HOUR_MS, title="old")["result"] is True, "even when stale"
    assert stack.redis().hgetall("{o:" + f"{TASK}:{task}" + "}") == stored
    ben.expect_nothing(lambda f: "objectList" in f, 0.2)


@pytest.mark.parametrize("at", ["now", 1.5, [], True, 10**30])
def test_a_put_time_that_is_none_is_malformed(ada, task, at):
    assert_error(put(ada, TASK, task, at=at, title="x"), "-115", "putTimestamp")


def test_a_put_of_what_does_not_exist_is_refused(ada, new_id):
    assert_refused(put(ada, TASK, new_id(), title="x"), "-201", "no such object")


def test_lists_of_the_other_side_are_ignored_in_a_put(stack, ada):
    person = person_of(ada, stack)
    assert put(ada, PERSON, person, status="here", connected=True, userId="me")["result"] is True
    found = find(ada, PERSON, person)
    assert found["status"] == "here" and found["userId"] == ada.user_id, "read-only stays"


# ---- Removing

def test_what_was_removed_is_gone(ada, ben, task):
    assert remove(ada, TASK, task)["result"] is True
    assert find(ben, TASK, task) is None
    assert remove(ben, TASK, task)["result"] is True, "also a second time"


def test_what_was_removed_does_not_rise_again(ada, ben, task):
    remove(ada, TASK, task)
    assert_refused(create(ben, TASK, task, title="again"), "-200", "removed")
    assert_refused(put(ben, TASK, task, title="again"), "-201")
    assert find(ada, TASK, task) is None


def test_removing_what_never_existed_succeeds(ada, new_id):
    assert remove(ada, TASK, new_id())["result"] is True


def test_an_object_may_be_removed_by_the_name_of_a_parent_class(ada, ben, task):
    find(ben, TASK, task)
    message = str(uuid.uuid4())
    for _ in range(2):
        removed = ada.request("removeObject", messageId=message, removePair=pair(ITEM, task))
        assert removed["result"] is True
    assert ben.expect_delete(task)["objectList"] == [pair(TASK, task)]
    assert find(ada, TASK, task) is None and find(ada, ITEM, task) is None
    assert remove(ada, ITEM, task)["result"] is True, "also a second time"


def test_an_object_is_not_removed_by_the_name_of_another_class(ada, task):
    assert remove(ada, NOTE, task)["result"] is True
    assert find(ada, TASK, task)


# ---- Once

def test_a_repeated_message_id_gets_the_first_result(ada, ben, task):
    message = str(uuid.uuid4())
    members = {"messageId": message, "theObject": {"cn": TASK, "ID": task, "title": "once"}}
    assert ada.request("putObject", **members)["result"] is True
    put(ben, TASK, task, title="since then")
    assert ada.request("putObject", **members)["result"] is True
    assert find(ada, TASK, task)["title"] == "since then"


def test_a_repeated_creation_makes_one_object(ada):
    members = {"messageId": str(uuid.uuid4()), "theObject": {"cn": TASK, "title": "once"}}
    first, second = (ada.request("createObject", **members) for _ in range(2))
    assert first["theObject"] == second["theObject"]


def test_another_creation_of_the_same_message_id_makes_another_object(ada):
    message = str(uuid.uuid4())
    first, second = (ada.request("createObject", messageId=message,
                                 theObject={"cn": TASK, "title": title})["theObject"]
                     for title in ("one", "two"))
    assert (first["title"], second["title"]) == ("one", "two") and first["ID"] != second["ID"]


def test_a_message_id_in_flight_twice_is_answered_twice_and_done_once(ada):
    message = str(uuid.uuid4())
    for _ in range(2):
        ada.send_request("createObject", messageId=message, theObject={"cn": NOTE, "body": [1]})
    first, second = ada.response_to(message), ada.response_to(message)
    assert first["theObject"]["ID"] == second["theObject"]["ID"]


# ---- Rights

def test_a_person_is_changed_only_by_its_user(stack, ada, ben):
    person = person_of(ada, stack)
    assert put(ada, PERSON, person, status="mine")["result"] is True
    assert_refused(put(ben, PERSON, person, status="taken"), "-117")
    assert find(ben, PERSON, person)["status"] == "mine"
    assert_refused(remove(ada, PERSON, person), "-117")
    assert_refused(create(ada, PERSON, None, status="second"), "-117")


def test_a_group_is_not_written_by_clients(ada):
    assert_refused(create(ada, GROUP, None, name="ours"), "-117")


def test_ids_of_integer_classes_are_made_by_the_server(ada):
    assert_refused(create(ada, GROUP, "77", name="ours"), "-200", "theObject.ID")


def test_anyone_signed_in_may_change_tasks_and_notes(ada, ben, task):
    assert put(ben, TASK, task, title="by Ben")["result"] is True
    assert remove(ben, TASK, task)["result"] is True


# ---- Identity

def test_who_asks_is_taken_from_the_session(stack, ada, ben, new_id):
    person = person_of(ada, stack)
    disguise = {"clientId": ada.client_id, "userId": ada.user_id, "token": ada.token,
                "deviceId": "hers"}
    response = ben.request("findById", theClassName=PERSON, theClassId=person, **disguise)
    assert response["clientId"] == ben.client_id
    assert_refused(ben.request("putObject", theObject={"cn": PERSON, "ID": person, "status": "x"},
                               **disguise), "-117")
    task = new_id("task")
    ben.request("createObject", theObject={"cn": TASK, "ID": task}, **disguise)
    put(ada, TASK, task, title="for Ben")
    assert ben.expect_update(task)["title"] == "for Ben"
    ada.expect_nothing(lambda f: "objectList" in f, 0.1)


@pytest.mark.parametrize("value", [None, "", "somebody", 5, [], {"a": 1}])
def test_whatever_stands_in_the_place_of_identity_is_replaced(ada, task, value):
    for name in ("clientId", "userId", "token", "deviceId"):
        ada.send({"cn": "com.percero.agents.sync.vo.FindByIdRequest", "messageId": "m" + name,
                  "theClassName": TASK, "theClassId": task, name: value})
        response = ada.response_to("m" + name)
        assert response["clientId"] == ada.client_id
        assert response["result"]["ID"] == task


# ---- sendAck

def test_an_ack_is_sent_once_for_a_request_that_asks_for_it(ada, new_id):
    for operation, members in [
            ("createObject", {"theObject": {"cn": TASK, "ID": new_id()}}),
            ("findById", {"theClassName": TASK, "theClassId": "x"}),
            ("updatesReceived", {"classIdPairs": []})]:
        message = ada.send_request(operation, sendAck=True, **members)
        ada.expect_ack(message)
        ada.response_to(message)
        ada.expect_nothing(lambda f: "ack" in f, 0.05)


def test_no_ack_is_sent_unasked(ada):
    for value in (None, False, 0, ""):
        ada.request("findById", sendAck=value, theClassName=TASK, theClassId="x")
    ada.expect_nothing(lambda f: "ack" in f, 0.1)
