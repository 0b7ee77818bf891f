"""What clients see when they lose or gain an object (design section 12): a delete for what they may not read
any more, the object for what they may, in both protocols and for watched values.

At the level of scripts: test_withdrawal_scripts.py.
"""

import pytest
from asking import create, find, get_all, ids, put, remove
from client import Client, pair
from content_client import code_of, key
from servers import wait_until
from stack import PROVIDER, Stack
from store import assert_books_balance, marks_of, session_of
from watching import expect_value, is_value, value

PERSON, DIARY, PLAN, PAGE = "app.Person", "app.Diary", "app.Plan", "app.Page"
JOB, TEAM, SEAT = "app.Job", "app.Team", "app.Seat"
ROLES = {"ada": ["editor"]}
ALL = {action: "signedIn" for action in ("create", "update", "remove", "addChild")}
MODEL = {
    "classes": {
        PERSON: {"type": "user", "id": "integer", "anchor": "userId", "fields": {"userId": {"type": "string", "readOnly": True}},
                 "access": {"read": "signedIn"}},
        # Whom it names may read it.
        DIARY: {"type": "diary", "fields": {"title": {"type": "string"}, "owner": {"type": "toOne", "target": PERSON},
                                            "pages": {"type": "toMany", "target": PAGE, "inverse": "diary"}},
                "access": {"read": {"owner": "owner"}, **ALL},
                "children": {"relation": "pages", "views": {"all": {"size": 10, "order": [{"by": "text"}]}}},
                "watchers": {"count": {"value": "count", "of": [{"class": PAGE, "by": "diary"}]}}},
        PAGE: {"type": "page", "fields": {"text": {"type": "string"}, "diary": {"type": "toOne", "target": DIARY}},
               "access": {"read": "signedIn", **ALL}},
        # Members of the team may read it, through seats; team of its leader, what it costs.
        JOB: {"type": "job", "fields": {
                "title": {"type": "string"}, "team": {"type": "toOne", "target": TEAM},
                "cost": {"type": "integer", "access": {"read": {"path": ["team"], "owner": "leader"}}}},
              "access": {"read": {"path": ["team", {"class": SEAT, "by": "team"}, "person"]}, **ALL}},
        TEAM: {"type": "team", "fields": {"name": {"type": "string"}, "leader": {"type": "toOne", "target": PERSON}},
               "access": {"read": "signedIn", **ALL}},
        SEAT: {"type": "seat", "fields": {"team": {"type": "toOne", "target": TEAM},
                                          "person": {"type": "toOne", "target": PERSON}},
               "access": {"read": "signedIn", **ALL}},
        # Editors may read it.
        PLAN: {"type": "plan", "fields": {"title": {"type": "string"}},
               "access": {"read": {"role": "editor"}, **ALL}},
    },
}


@pytest.fixture(scope="module")
def the_stack(servers):
    with Stack(servers, gateways=2, sync_agents=2, model=MODEL, roles=ROLES, settings={
            "sync.poll_ms": 50, "sync.job_lease_ms": 1000, "sync.redelivery_first_ms": 300}) as stack:
        yield stack


@pytest.fixture
def stack(the_stack):
    yield the_stack
    the_stack.check()
    assert_books_balance(the_stack.redis())


@pytest.fixture
def log_in(stack, connect):
    """Clients that are known to send receipts, and so are told again soon."""
    def make(user, gateway=0):
        client = connect(stack.gateways[gateway], user)
        client.acknowledge((DIARY, "nothing"))
        return client
    return make


@pytest.fixture
def me(stack):
    """Pair of the Person of a client's user."""
    return lambda client: pair(PERSON, stack.redis().hget(f"{{u:{client.user_id}}}", "anchor"))


def is_push(frame):
    return "objectList" in frame


def has_marks(stack, client):
    redis = stack.redis()
    return bool(marks_of(redis, session_of(redis, client.client_id)))


def expect_deletes(client, wanted):
    """However many stand in one push."""
    left = set(wanted)
    while left:
        push = client.expect_push(lambda frame: "PushDelete" in frame["cn"], f"deletes of {len(left)} objects")
        left -= {item["ID"] for item in push["objectList"]}


def expect_updates(client, wanted):
    left = set(wanted)
    while left:
        push = client.expect_push(lambda frame: "PushUpdate" in frame["cn"], f"updates of {len(left)} objects")
        left -= {item["ID"] for item in push["objectList"]}


# ---- The owner changes

def test_an_object_that_is_given_away_goes_from_one_to_another(stack, log_in, me, new_id):
    writer, ada, ben = log_in("cleo"), log_in("ada"), log_in("ben", 1)
    diary = new_id("diary")
    assert get_all(ben, DIARY)["result"] == []
    create(writer, DIARY, diary, title="one", owner=me(ada))
    assert find(ada, DIARY, diary)["title"] == "one"
    put(writer, DIARY, diary, owner=me(ben))
    ada.expect_delete(diary)
    ben.expect_update(diary, title="one")
    assert find(ada, DIARY, diary) is None
    ada.expect_delete(diary)  # until it is acknowledged
    ada.acknowledge((DIARY, diary), deletes=True)
    ben.acknowledge((DIARY, diary))
    put(writer, DIARY, diary, title="two")
    ben.expect_update(diary, title="two")
    ben.acknowledge((DIARY, diary))
    assert remove(writer, DIARY, diary)["result"] is True
    ben.expect_delete(diary)
    ada.drain(0.2)
    assert not [frame for frame in ada.inbox if '"two"' in frame.text]

    def have_received_all():
        for client in (ada, ben):
            client.acknowledge((DIARY, diary), deletes=True)
        return not has_marks(stack, ada) and not has_marks(stack, ben)

    wait_until(have_received_all, 20, "receipts have settled all")


def test_who_gives_its_own_object_away_is_told_so(log_in, me, new_id):
    ada, ben = log_in("ada"), log_in("ben")
    diary = new_id("diary")
    create(ada, DIARY, diary, title="one", owner=me(ada))
    assert put(ada, DIARY, diary, owner=me(ben))["result"] is True
    ada.expect_delete(diary)


def test_who_makes_an_object_for_somebody_else_has_it_no_longer(log_in, me, new_id):
    ada, ben, again = log_in("ada"), log_in("ben"), log_in("ben")
    assert get_all(again, DIARY)["result"] is not None
    diary = new_id("diary")
    assert create(ada, DIARY, diary, title="one", owner=me(ben))["result"] is True
    ada.expect_delete(diary)
    again.expect_update(diary, title="one")
    assert put(ben, DIARY, diary, title="secret")["result"] is True
    again.expect_update(diary, title="secret")
    ada.acknowledge((DIARY, diary), deletes=True)
    assert not [frame for frame in ada.inbox if "secret" in frame.text]


def test_a_loss_while_away_is_told_at_the_return(stack, log_in, me, new_id):
    writer, ada = log_in("cleo"), log_in("ada")
    kept, lost = new_id("diary"), new_id("diary")
    for diary in (kept, lost):
        create(writer, DIARY, diary, title="one", owner=me(ada))
        find(ada, DIARY, diary)
    session = ada.session
    ada.vanish()
    put(writer, DIARY, kept, title="kept")
    put(writer, DIARY, lost, title="lost", owner=me(writer))
    with Client(stack.gateways[1].url) as again:
        again.send({"reconnect": {"reconnectId": session}})
        again.expect_update(kept, title="kept")
        again.expect_delete(lost)
        again.expect_delete(lost)
        again.acknowledge((DIARY, lost), deletes=True)
        assert '"lost"' not in "".join(frame.text for frame in again.inbox)


def test_a_loss_takes_the_values_along(log_in, me, new_id):
    writer, ada, ben = log_in("cleo"), log_in("ada"), log_in("ben")
    diary = DIARY, new_id("diary")
    create(writer, *diary, owner=me(ada))
    assert value(ada, diary, "count") == 0
    create(ada, PAGE, new_id("page"), diary=pair(*diary))
    expect_value(ada, diary, "count", 1)
    put(writer, *diary, owner=me(ben))
    expect_value(ada, diary, "count", None)
    assert value(ben, diary, "count") == 1
    ada.acknowledge((DIARY, diary[1]))
    ada.inbox.clear()
    create(ben, PAGE, new_id("page"), diary=pair(*diary))
    expect_value(ben, diary, "count", 2)
    ada.expect_nothing(lambda frame: is_value(frame) and frame["value"] is not None, 0.2)


# ---- The content protocol

def test_documents_come_and_go_with_the_right_to_read_them(stack, log_in, connect_content, me, new_id):
    writer = log_in("cleo")
    ada, ben = (connect_content(stack.gateways[i], user) for i, user in enumerate(("ada", "ben")))
    owners = {user: me(log_in(user)) for user in ("ada", "ben")}
    diary = new_id("diary")
    of = key("diary", diary)
    ben.subscribe(of)  # of what is not there yet
    create(writer, DIARY, diary, title="one", owner=owners["ada"])
    assert ada.get_content(of, subscribe=True)["data"]["content"]["title"] == "one"
    assert ada.get_children(of, "all", subscribe=True)["data"]["page"] == []
    put(writer, DIARY, diary, title="two")
    ada.expect_changed(of, content=True)
    ben.expect_no_change(of, 0.1)
    put(writer, DIARY, diary, owner=owners["ben"])
    ada.expect_changed(of, content=True, children=True)
    ben.expect_changed(of, content=True)
    assert code_of(ada.get_content(of)) == 4030430 and code_of(ada.get_children(of, "all")) == 4030530
    assert ben.get_content(of)["data"]["content"]["title"] == "two"
    create(log_in("ben"), PAGE, new_id("page"), diary=pair(DIARY, diary))
    put(writer, DIARY, diary, title="three")
    ben.expect_changed(of, content=True)
    ada.expect_no_change(of, 0.2)
    put(writer, DIARY, diary, owner=owners["ada"])
    ada.expect_changed(of, content=True)


# ---- Roles

@pytest.fixture
def write_roles(stack):
    yield lambda **roles: stack.change_roles(roles)
    stack.change_roles(ROLES)


@pytest.fixture
def set_roles(write_roles, log_in):
    def set_them(**roles):
        write_roles(**roles)
        for user in ("ada", "ben"):
            log_in(user)
    return set_them


def test_roles_give_and_take_what_only_they_may_read(stack, log_in, set_roles, connect_content, new_id):
    writer, ada, ben = log_in("cleo"), log_in("ada"), log_in("ben", 1)
    docs = connect_content(stack.gateways[0], "ben")
    plans = [new_id("plan") for _ in range(3)]
    for plan in plans:
        create(writer, PLAN, plan, title="one")
    docs.subscribe(key("plan", plans[0]))
    assert set(plans) <= set(ids(get_all(ada, PLAN)["result"])) and get_all(ben, PLAN)["result"] == []
    set_roles(ben=["editor"])
    expect_deletes(ada, plans)
    expect_updates(ben, plans)
    docs.expect_changed(key("plan", plans[0]), content=True)
    put(writer, PLAN, plans[0], title="two")
    ben.expect_update(plans[0], title="two")
    docs.expect_changed(key("plan", plans[0]), content=True)
    set_roles()
    expect_deletes(ben, plans)
    docs.expect_changed(key("plan", plans[0]), content=True, children=True)
    assert code_of(docs.get_content(key("plan", plans[0]))) == 4030430
    assert not [frame for frame in ada.inbox if '"two"' in frame.text]


def test_a_review_goes_on_after_its_agent_was_killed(stack, log_in, connect, set_roles, write_roles, new_id):
    set_roles(ada=["editor"])
    writer, ada = log_in("cleo"), log_in("ada")
    write_roles()
    plans = [new_id("plan") for _ in range(250)]  # more than two steps
    for plan in plans:
        create(writer, PLAN, plan, title="one")
    assert len(get_all(ada, PLAN)["result"]) >= 250
    first, second = stack.sync_agents
    second.stop()
    first.stop()
    first.start(fault="after-review-step:2")
    again = connect(stack.gateways[0])
    again.send_request("authenticate", authProvider=PROVIDER, credential=stack.credential("ada"))
    first.expect_death()
    second.start()
    again.expect_connect_response()
    expect_deletes(ada, plans)
    wait_until(lambda: not stack.redis().exists("jobs"), 10, "the jobs are done")
    first.start()


# ---- Paths

@pytest.fixture
def team(log_in, me, new_id):
    """A team with a job, and what gives seats in it and takes them."""
    class Team:
        def __init__(self):
            self.id, self.job, self.writer = new_id("team"), new_id("job"), log_in("cleo")
            create(self.writer, TEAM, self.id, name="one")
            self.add(self.writer)
            create(self.writer, JOB, self.job, title="one", cost=7, team=pair(TEAM, self.id))

        def add(self, client):
            seat = new_id("seat")
            assert create(self.writer, SEAT, seat, team=pair(TEAM, self.id), person=me(client))["result"] is True
            return seat
    return Team()


def test_who_joins_or_leaves_a_team_gains_or_loses_its_objects(stack, log_in, team, connect_content, me):
    ada, ben = log_in("ada"), log_in("ben", 1)
    docs = connect_content(stack.gateways[0], "ada")
    docs.subscribe(key("job", team.job))
    assert team.job not in ids(get_all(ada, JOB)["result"]) and find(ben, JOB, team.job) is None
    seats = [team.add(client) for client in (ada, ben)]
    ada.expect_update(team.job, title="one")
    docs.expect_changed(key("job", team.job), content=True)
    assert find(ben, JOB, team.job)["title"] == "one"
    remove(team.writer, SEAT, seats[0])
    ada.expect_delete(team.job)
    docs.expect_changed(key("job", team.job), content=True, children=True)
    put(team.writer, SEAT, seats[1], person=me(ada))
    ben.expect_delete(team.job)
    ada.expect_update(team.job, title="one")
    put(team.writer, JOB, team.job, title="two")
    ada.expect_update(team.job, title="two")
    assert not [frame for frame in ben.inbox if '"two"' in frame.text]


def test_who_loses_a_team_loses_its_objects(log_in, team):
    ada = log_in("ada")
    team.add(ada)
    assert find(ada, JOB, team.job)["title"] == "one"
    remove(team.writer, TEAM, team.id)
    ada.expect_delete(team.job)


def test_who_may_see_a_field_from_now_on_is_told_of_the_object_again(log_in, team, me):
    ada, ben = log_in("ada"), log_in("ben")
    for client in (ada, ben):
        team.add(client)
        assert "cost" not in find(client, JOB, team.job)
    put(team.writer, TEAM, team.id, leader=me(ada))
    ada.expect_update(team.job, cost=7)
    put(team.writer, TEAM, team.id, leader=me(ben))
    ben.expect_update(team.job, cost=7)
    ada.inbox.clear()
    put(team.writer, JOB, team.job, cost=8)
    ben.expect_update(team.job, cost=8)
    assert "cost" not in ada.expect_update(team.job)


def test_a_walk_back_goes_on_after_its_agent_was_killed(stack, log_in, team, new_id):
    dora = log_in("dora")
    others = [new_id("job") for _ in range(250)]
    for other in others:
        create(team.writer, JOB, other, title="one", team=pair(TEAM, team.id))
    assert get_all(dora, JOB)["result"] == []
    first, second = stack.sync_agents
    second.stop()
    first.stop()
    first.start(fault="after-path-step:2")
    team.writer.send_request("createObject", theObject={
        "cn": SEAT, "ID": new_id("seat"), "team": pair(TEAM, team.id),
        "person": pair(PERSON, stack.redis().hget(f"{{u:{dora.user_id}}}", "anchor"))})
    first.expect_death()
    second.start()
    expect_updates(dora, [team.job, *others])
    wait_until(lambda: not stack.redis().exists("jobs"), 10, "the jobs are done")
    first.start()
