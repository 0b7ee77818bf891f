"""Roles: what the users file says that a user is, and whom a rule {"role": name} lets in.

A service is a user of the file with a role of its own, which sends its requests over AMQP."""

import uuid

import pytest
from asking import create, find, get_all, ids, put, remove
from by_hand import Operator
from client import AUTH, SYNC, pair
from ctl import Ended
from shapes import assert_error, assert_refused
from stack import PASSWORD
from watching import expect_value, value
from workers import Worker

PAGE, SECRET = "app.Page", "app.Secret"
EDITORS = {"role": "editor"}
MODEL = {"classes": {
    PAGE: {"fields": {"title": {"type": "string"}},
           "access": {"read": "signedIn", "create": EDITORS, "update": EDITORS,
                      "remove": {"role": "chief.editor"}},
           "queries": {"all": {"run": EDITORS}},
           "watchers": {"secrets": {"value": "count", "of": [{"class": SECRET, "by": "page"}]}}},
    SECRET: {"fields": {"title": {"type": "string"}, "page": {"type": "toOne", "target": PAGE}},
             "access": {"read": EDITORS, "create": "signedIn", "update": "signedIn",
                        "remove": EDITORS}},
}}
PROCESSES = {"processes": {"publish": {"run": EDITORS, "deadlineMs": 20000}}}
ROLES = {"ada": ["editor"], "ben": ["reviewer", "chief.editor"], "cleo": ["editors", "edit", "Editor"],
         "indexer": ["editor"]}
FORBIDDEN = "-117"


# ---- The rule by itself

@pytest.mark.parametrize("roles, expected", [
    (",editor,", True), (",reviewer,editor,", True), (",editor,reviewer,", True),
    (None, False), ("", False), (",editors,", False), (",chief.editor,", False), (",Editor,", False),
    (",reviewer,", False),
])
def test_who_has_the_role_is_let_in(store, roles, expected):
    store.session("c1", user="u1")
    if roles is not None:
        store.redis.hset("{u:u1}", "roles", roles)
    store.object(f"{PAGE}:7")
    outcome, _, found = store.run("read", "c1", store.now(), 1, PAGE, "role:editor", 0, 1, "7")
    assert outcome == "ok" and found[0::2] == ([f"{PAGE}:7"] if expected else [])


def test_a_role_s_name_is_no_pattern(store):
    store.session("c1", user="u1")
    store.redis.hset("{u:u1}", "roles", ",chiefxeditor,")
    store.object(f"{PAGE}:7")
    assert store.run("read", "c1", store.now(), 1, PAGE, "role:chief.editor", 0, 1, "7")[2] == []


# ---- Users with roles

@pytest.fixture
def roles_stack(new_stack):
    return new_stack(model=MODEL, processes=PROCESSES, roles=ROLES, settings={"sync.poll_ms": 50})


@pytest.fixture
def log_in(roles_stack, connect):
    return lambda user: connect(roles_stack.gateways[0], user)


def service(operator, user):
    """What each request of this user carries, who logs in over AMQP."""
    client = uuid.uuid4().hex
    login = operator.ask("authenticate", {
        "cn": AUTH + "AuthenticationRequest", "clientId": client, "authProvider": "file",
        "credential": f"{user}@example.org:{PASSWORD}"})["result"]
    who = {"clientId": client, "userId": login["user"]["ID"], "token": login["token"]}
    assert operator.ask("connect", {"cn": SYNC + "ConnectRequest", **who})["clientId"] == client
    return who


def test_a_role_may_write_what_others_may_not(log_in):
    ada, ben, cleo, dora = (log_in(user) for user in ("ada", "ben", "cleo", "dora"))
    for other in (ben, cleo, dora):
        assert_refused(create(other, PAGE, title="no"), FORBIDDEN)
    page = create(ada, PAGE, title="one")["theObject"]["ID"]
    for other in (ben, cleo, dora):
        assert_refused(put(other, PAGE, page, title="no"), FORBIDDEN)
    assert put(ada, PAGE, page, title="two")["result"] is True
    assert find(dora, PAGE, page)["title"] == "two"
    assert_refused(remove(ada, PAGE, page), FORBIDDEN)
    assert remove(ben, PAGE, page)["result"] is True


def test_only_a_role_sees_what_only_it_may_read(log_in):
    ada, dora = log_in("ada"), log_in("dora")
    secret = create(dora, SECRET, title="one")["theObject"]["ID"]
    assert find(ada, SECRET, secret)["title"] == "one"
    assert find(dora, SECRET, secret) is None
    assert ids(get_all(ada, SECRET)["result"]) == [secret]
    assert get_all(dora, SECRET)["result"] == []
    assert put(dora, SECRET, secret, title="two")["result"] is True
    ada.expect_update(secret, title="two")


def test_who_watches_a_class_hears_no_removal_of_what_only_a_role_may_read(log_in):
    ada, again, dora = log_in("ada"), log_in("ada"), log_in("dora")
    for watching in (again, dora):
        assert get_all(watching, SECRET)["result"] == []
        assert get_all(watching, PAGE)["result"] == []
    secret, page = (create(ada, name, title="one")["theObject"]["ID"] for name in (SECRET, PAGE))
    again.expect_update(secret)
    assert remove(ada, SECRET, secret)["result"] is True
    again.expect_delete(secret)
    put(ada, PAGE, page, title="two")
    dora.expect_update(page, title="two")
    assert not [frame for frame in dora.inbox if secret in frame.text]


def test_a_role_may_run_what_others_may_not(roles_stack, log_in):
    ada, dora = log_in("ada"), log_in("dora")
    page = create(ada, PAGE, title="one")["theObject"]["ID"]
    query = {"theClassName": PAGE, "queryName": "all", "queryArguments": []}
    assert_error(dora.request("runQuery", **query), FORBIDDEN)
    assert ids(ada.request("runQuery", **query)["result"]) == [page]
    with Worker(roles_stack, "publish", lambda call: call.reply("done")) as worker:
        assert_error(dora.request("runProcess", queryName="publish"), FORBIDDEN)
        assert ada.request("runProcess", queryName="publish")["result"] == "done"
    assert len(worker.calls) == 1


def test_a_role_counts_as_of_the_user_s_last_login(roles_stack, log_in):
    ada = log_in("ada")
    page = create(ada, PAGE, title="one")["theObject"]["ID"]
    roles_stack.change_roles({**ROLES, "ada": [], "dora": ["editor"]})
    assert put(ada, PAGE, page, title="two")["result"] is True, "she has not logged in again"
    again, dora = log_in("ada"), log_in("dora")
    for client in (ada, again):
        assert_refused(put(client, PAGE, page, title="three"), FORBIDDEN)
    assert put(dora, PAGE, page, title="four")["result"] is True


def test_values_follow_the_roles_of_the_user_s_last_login(roles_stack, log_in):
    ada, dora = log_in("ada"), log_in("dora")
    page = PAGE, create(ada, PAGE, title="one")["theObject"]["ID"]
    create(ada, SECRET, page=pair(*page))
    assert (value(ada, page, "secrets"), value(dora, page, "secrets")) == (1, 0)
    roles_stack.change_roles({**ROLES, "ada": [], "dora": ["editor"]})
    for user in ("ada", "dora"):
        log_in(user)
    expect_value(ada, page, "secrets", 0)
    expect_value(dora, page, "secrets", 1)


def test_what_an_operator_gives_and_takes_counts_at_once(roles_stack, log_in):
    ada, dora = log_in("ada"), log_in("dora")
    assert_refused(create(dora, PAGE, title="no"), FORBIDDEN)
    for user, roles in (("dora", ("+editor",)), ("ada", ("-editor",))):
        ended = Ended(roles_stack, "user", "role", f"{user}@example.org", *roles)
        assert (ended.code, ended.err) == (0, "")
    assert create(dora, PAGE, title="yes")["result"] is True
    assert_refused(create(ada, PAGE, title="no"), FORBIDDEN)
    assert_refused(create(log_in("ada"), PAGE, title="no"), FORBIDDEN)


def test_a_service_writes_over_the_broker_what_its_role_may(roles_stack, log_in):
    reader = log_in("dora")
    with Operator(roles_stack) as operator:
        indexer, cleo = service(operator, "indexer"), service(operator, "cleo")

        def save(operation, who, message, **fields):
            return operator.ask(operation, {"messageId": message, **who,
                                            "theObject": {"cn": PAGE, **fields}})

        assert_refused(save("createObject", cleo, "1", title="no"), FORBIDDEN)
        page = save("createObject", indexer, "1", title="one")["theObject"]["ID"]
        assert find(reader, PAGE, page)["title"] == "one"
        assert_refused(save("putObject", cleo, "2", ID=page, title="no"), FORBIDDEN)
        assert save("putObject", indexer, "2", ID=page, title="two")["result"] is True
        reader.expect_update(page, title="two")
