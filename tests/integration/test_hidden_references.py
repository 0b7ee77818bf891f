"""What somebody may not read is to them as if it were not there, also where they refer to it; and what
refers to it already stays as it is."""

import pytest
from asking import create, find, put
from client import pair
from content_client import code_of, key
from shapes import assert_refused
from stack import Stack

PERSON, SECRET, LINK, BAG = (f"com.test.{name}" for name in ("Person", "Secret", "Link", "Bag"))
EVERYONE = {"read": "signedIn", "create": "signedIn", "update": "signedIn"}
MODEL = {"classes": {
    PERSON: {"type": "user", "id": "integer", "anchor": "userId",
             "fields": {"userId": {"type": "string", "readOnly": True}}, "access": {"read": "nobody"}},
    SECRET: {"type": "secret", "id": "string",
             "fields": {"owner": {"type": "string"}, "next": {"type": "toOne", "target": SECRET}},
             "access": {"read": {"owner": "owner"}, "create": "signedIn", "update": {"owner": "owner"}}},
    LINK: {"type": "link", "id": "string",
           "fields": {"to": {"type": "toOne", "target": SECRET}, "text": {"type": "string"},
                      "maker": {"type": "toOne", "target": PERSON, "server": "creator"}},
           "access": EVERYONE},
    BAG: {"type": "bag", "id": "string", "fields": {"all": {"type": "list", "target": SECRET}},
          "access": EVERYONE},
}}


@pytest.fixture(scope="module")
def secret_stack(servers):
    with Stack(servers, model=MODEL) as stack:
        yield stack


@pytest.fixture
def users(secret_stack, connect):
    """ada, who has a Secret, and ben."""
    return [connect(secret_stack.gateways[0], name) for name in ("ada", "ben")]


@pytest.fixture
def hers(users, new_id):
    name = new_id("hers")
    assert create(users[0], SECRET, name, owner=users[0].user_id)["result"] is True
    return name


def test_to_refer_to_it_is_refused_as_if_it_were_not_there(users, hers, new_id):
    ada, ben = users
    answers = []
    for target in (hers, new_id("none")):
        answer = create(ben, LINK, new_id("link"), to=pair(SECRET, target))
        assert_refused(answer, "-200", "does not exist")
        answers.append(answer["data"])
    assert answers[0] == answers[1]
    assert create(ada, LINK, new_id("link"), to=pair(SECRET, hers))["result"] is True


def test_what_refers_to_it_already_stays_and_more_is_not_added(users, hers, new_id):
    ada, ben = users
    link, bag, other = new_id("link"), new_id("bag"), new_id("other")
    create(ada, LINK, link, to=pair(SECRET, hers), text="a")
    create(ada, BAG, bag, all=[pair(SECRET, hers)])
    create(ada, SECRET, other, owner=ada.user_id)
    assert put(ben, LINK, link, to=pair(SECRET, hers), text="b")["result"] is True
    assert put(ben, BAG, bag, all=[pair(SECRET, hers)])["result"] is True
    assert_refused(put(ben, BAG, bag, all=[pair(SECRET, hers), pair(SECRET, other)]), "-201", "does not exist")
    assert put(ben, BAG, bag, all=[])["result"] is True
    assert_refused(put(ben, BAG, bag, all=[pair(SECRET, hers)]), "-201", "does not exist")
    assert find(ada, LINK, link)["text"] == "b"


def test_what_one_request_makes_may_be_referred_to_in_it(users, hers, new_id):
    ben, mine = users[1], new_id("mine")

    def save(target):
        return ben.request("processTransaction", transactionId=new_id("t"), objectsToRemove=[], objectsToSave=[
            {"cn": SECRET, "ID": target, "owner": "somebody else"},
            {"cn": LINK, "ID": new_id("link"), "to": pair(SECRET, target)}])

    assert save(mine)["result"] is True
    assert find(ben, SECRET, mine) is None
    assert save(hers)["result"] is not True


def test_whom_the_server_names_as_maker_need_not_be_readable(users, new_id):
    link = new_id("link")
    made = create(users[1], LINK, link)["theObject"]
    assert made["maker"]["className"] == PERSON and find(users[1], PERSON, made["maker"]["ID"]) is None


def test_the_same_in_the_content_protocol(secret_stack, connect_content, hers, users, new_id):
    link = new_id("link")
    create(users[0], LINK, link)
    ben = connect_content(secret_stack.gateways[0], "ben")
    codes = {code_of(ben.patch_content(key("link", link), [
        {"op": "replace", "path": "/to", "value": {"key": key("secret", target)}}]))
        for target in (hers, new_id("none"))}
    assert codes == {4220640}
