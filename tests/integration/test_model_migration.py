"""activestack-ctl model: what a changed model takes, and bringing the objects to it while all serve."""

import threading

import pytest
from asking import create, find, put
from changing import FIRST, NOTE, by_example, changed, digest
from client import pair
from content_client import ContentClient, key
from servers import json, wait_until
from shapes import assert_error, assert_refused
from store import job_key, now_ms, stored_object

FIELDS = FIRST["classes"][NOTE]["fields"]
UNTOUCHED = {name: rule for name, rule in FIELDS.items() if name != "title"}
KIND = {"type": "string", "default": "plain"}
NEXT = changed(FIRST, fields={"heading": {"type": "string", "column": "title"}, **UNTOUCHED,
                              "kind": KIND},
               indexes=[{"fields": ["place"], "unique": True}, {"fields": ["heading"]},
                        {"fields": ["kind"]}])
MANY = 3000


def make_notes(client, names, **fields):
    """Creates notes, each in a place of its own."""
    for some in (names[i:i + 200] for i in range(0, len(names), 200)):
        sent = [client.send_request("createObject", theObject={
            "cn": NOTE, "ID": name, "title": "Old", "place": name, **fields}) for name in some]
        for message in sent:
            assert client.response_to(message)["result"] is True


# ---- check

@pytest.mark.parametrize("model, code, lines", [
    (FIRST, 0, []),
    (changed(FIRST, fields={"heading": {"type": "string", "column": "title"}, **UNTOUCHED}), 0,
     [f"restart classes.{NOTE}.fields.heading: renamed, it was title"]),
    (changed(FIRST, fields={**FIELDS, "kind": KIND}), 1,
     [f"migrate classes.{NOTE}.fields.kind: new, objects get its default"]),
    (changed(FIRST, abstract=True), 1,
     [f"refused classes.{NOTE}.abstract: now abstract, but has objects"]),
], ids=["nothing", "restart", "migrate", "refused"])
def test_a_check_tells_what_the_model_takes(changing, connect, new_id, model, code, lines):
    create(connect(changing.gateway, "ada"), NOTE, new_id())
    assert changing.ctl("check", model) == (code, lines, "")


def test_what_has_no_objects_may_change(changing):
    model = changed(FIRST, abstract=True, id="integer")
    assert changing.ctl("check", model) == (
        0, [f"restart classes.{NOTE}.id: another kind of ID"], "")


def test_without_a_file_the_model_of_the_settings_is_meant(changing):
    assert changing.ctl("check") == (0, [], "")


def test_a_model_that_is_wrong_is_told(changing):
    code, lines, err = changing.ctl("check", {"classes": {NOTE: {"parent": "Nobody"}}})
    assert (code, lines) == (2, []) and f"classes.{NOTE}.parent: no such class" in err


def test_agents_check_what_they_are_sent(changing, connect):
    client = connect(changing.gateway, "ada")
    assert client.request("modelMigrate", model="{}")["errorCode"] == "-106"  # the operator's


# ---- migrate

def test_a_migration_is_refused_while_somebody_serves_another_model(changing, connect, new_id):
    create(connect(changing.gateway, "ada"), NOTE, new_id())
    other, *agents = changing.agents
    changing.serve(NEXT, agents)
    code, _, err = changing.ctl("migrate", NEXT)
    assert code == 1 and f"another model is served by {other.kind}@" in err
    assert other.agent_name in err and agents[0].agent_name not in err
    assert not changing.redis.hexists("model", "job")


def test_what_a_check_refuses_is_not_migrated(changing, connect, new_id):
    create(connect(changing.gateway, "ada"), NOTE, new_id())
    code, lines, _ = changing.ctl("migrate", changed(FIRST, abstract=True))
    assert (code, lines) == (1, [f"refused classes.{NOTE}.abstract: now abstract, but has objects"])


class Traffic(threading.Thread):
    """A client that writes and reads until it is told to stop; what it finds wrong is in `wrong`."""

    def __init__(self, client, names):
        super().__init__()
        self.client, self.names, self.rounds, self.wrong = client, names, 0, []
        self.stopping = threading.Event()
        self.put = {}  # ID -> what was put last

    def run(self):
        try:
            while not self.stopping.is_set():
                self.turn(self.names[self.rounds % len(self.names)])
                self.rounds += 1
        except Exception as e:  # the test looks
            self.wrong.append(e)

    def turn(self, name):
        self.put[name] = f"mine {self.rounds}"
        assert put(self.client, NOTE, name, kind=self.put[name])["result"] is True
        assert find(self.client, NOTE, name)["kind"] == self.put[name]
        made = f"made-{self.rounds}"
        assert create(self.client, NOTE, made, place=made, heading="New")["result"] is True
        assert find(self.client, NOTE, made)["kind"] == "plain"
        assert by_example(self.client, place=made) == [made]

    def stop(self):
        self.stopping.set()
        self.join()
        assert self.wrong == [] and self.rounds > 0


def test_objects_are_migrated_while_all_serve_and_agents_die(changing, connect):
    ada, ben = connect(changing.gateway, "ada"), connect(changing.gateway, "ben")
    names = [f"n{i:05}" for i in range(MANY)]
    make_notes(ada, names)
    watched = names[MANY // 2]
    find(ben, NOTE, watched)
    first, second, auth = changing.agents
    changing.serve(NEXT, [second, auth])
    changing.serve(NEXT, [first], fault="after-migrate-step:7")
    second.stop()  # so that the one that dies begins
    changing.wait_alone(NEXT)

    traffic = Traffic(ada, names[-5:])
    code, out, err = None, None, None

    def migrate():
        nonlocal code, out, err
        code, out, err = changing.ctl("migrate")

    ctl = threading.Thread(target=migrate)
    ctl.start()
    first.expect_death()
    traffic.start()
    second.start()
    first.start()
    ctl.join()
    traffic.stop()
    assert code == 0, err
    assert f"migrate classes.{NOTE}.fields.kind: new, objects get its default" in out
    assert changing.ctl("check") == (0, [], "")

    assert ben.expect_update(watched, kind="plain", heading="Old")
    for name in names:
        kind = stored_object(changing.redis, f"{NOTE}:{name}")["kind"]
        assert kind == f'"{traffic.put.get(name, "plain")}"'
    # More than may be looked through, so the indexes answer.
    assert sorted(by_example(ben, heading="Old")) == names
    assert by_example(ben, place=watched) == [watched]
    assert set(names[:-5]) < set(by_example(ben, kind="plain"))
    assert_refused(create(ben, NOTE, "another", place=watched), "-200", "same place")


def test_a_put_from_before_the_migration_wins_over_the_default(changing, connect, new_id):
    ada = connect(changing.gateway, "ada")
    note = new_id()
    before = create(ada, NOTE, note)["timestamp"]
    changing.serve(NEXT)
    changing.wait_alone(NEXT)
    assert changing.ctl("migrate")[0] == 0
    assert find(ada, NOTE, note)["kind"] == "plain"
    assert put(ada, NOTE, note, at=before + 1, kind="mine")["result"] is True
    assert find(ada, NOTE, note)["kind"] == "mine"


def test_an_object_that_nobody_watches_costs_no_push(changing, connect):
    ada = connect(changing.gateway, "ada")
    make_notes(ada, [f"n{i}" for i in range(150)])
    wait_until(lambda: changing.redis.zcard("jobs") == 0, 10, "all jobs are done")
    changing.redis.delete(*changing.redis.keys("{o:*}:w"), *changing.redis.keys("{k:*}:w"))
    changing.serve(NEXT)
    changing.wait_alone(NEXT)
    before = int(changing.redis.get("j:next"))
    assert changing.ctl("migrate")[0] == 0
    assert int(changing.redis.get("j:next")) == before + 1  # the migration itself


def test_who_reads_by_keys_is_told_too(changing, connect):
    ada = connect(changing.gateway, "ada")
    make_notes(ada, ["n1"])
    wait_until(lambda: changing.redis.zcard("jobs") == 0, 10, "all jobs are done")
    changing.redis.delete(*changing.redis.keys("{o:*}:w"), *changing.redis.keys("{k:*}:w"))
    model = changed(NEXT, type="note")
    changing.serve(model)
    changing.wait_alone(model)
    with ContentClient(changing.gateway.url) as reader:
        reader.login(changing.stack.credential("ben"))
        assert reader.get_content(key("note", "n1"), subscribe=True)["data"]["content"]["kind"] is None
        assert changing.ctl("migrate")[0] == 0
        reader.expect_changed(key("note", "n1"), content=True)


def test_a_field_that_becomes_listed_gets_its_members(changing, connect):
    ada, ben = connect(changing.gateway, "ada"), connect(changing.gateway, "ben")
    make_notes(ada, ["top", "leaf"])
    below = [f"n{i:03}" for i in range(250)]
    make_notes(ada, below, parent=pair(NOTE, "top"))
    find(ben, NOTE, "top")
    listed = {"type": "toMany", "target": NOTE, "inverse": "parent", "listed": True}
    model = changed(FIRST, fields={**FIELDS, "below": listed})
    changing.serve(model)
    changing.wait_alone(model)
    assert find(ada, NOTE, "top")["below"] == []
    code, lines, err = changing.ctl("migrate")
    assert (code, lines) == (0, [f"migrate classes.{NOTE}.fields.below: new, and listed"]), err
    assert find(ada, NOTE, "top")["below"] == [pair(NOTE, name) for name in below]
    assert ben.expect_update("top")["below"] == [pair(NOTE, name) for name in below]
    assert find(ada, NOTE, "leaf")["below"] == []


def test_duplicates_keep_a_unique_index_from_use_and_nothing_else(changing, connect):
    ada = connect(changing.gateway, "ada")
    make_notes(ada, [f"n{i:02}" for i in range(30)])
    for name in ("d1", "d2", "d3"):
        create(ada, NOTE, name, place="attic", title="Old")
    changing.serve(NEXT)
    changing.wait_alone(NEXT)
    code, _, err = changing.ctl("migrate")
    assert code == 1
    assert f"index {NOTE}:place is not unique: 3 objects" in err
    assert all(f"{NOTE}:{name}" in err for name in ("d1", "d2", "d3"))
    assert len(by_example(ada, heading="Old")) == 33  # built
    assert_error(by_example(ada, place="attic"), "-120", "on place is not built yet")
    assert_refused(create(ada, NOTE, "d4", place="attic"), "-200", "same place")  # no more of them
    assert changing.ctl("check") == (1, [f"migrate classes.{NOTE}.indexes: on place: not built"], "")

    for name in ("d2", "d3"):
        assert put(ada, NOTE, name, place=name)["result"] is True
    assert changing.ctl("migrate")[0] == 0
    assert by_example(ada, place="attic") == ["d1"]
    assert changing.ctl("check") == (0, [], "")


def leave_job(changing, model, **members):
    """A migration to the model as an agent would have left it that has died; returns its key."""
    changing.redis.hset(job_key(900), mapping={
        "type": "migrate", "digest": digest(model), "text": json.dumps(model), "class": 0,
        "last": "", "done": 0, "total": 10, **members})
    changing.redis.hset("model", "job", 900)
    changing.redis.zadd("jobs", {900: now_ms() + 60_000})
    return job_key(900)


def test_who_migrates_again_follows_what_runs(changing, connect):
    make_notes(connect(changing.gateway, "ada"), ["n1", "n2"])
    changing.serve(NEXT)
    changing.wait_alone(NEXT)
    job = leave_job(changing, NEXT, last="n1\n" + NOTE, **{"class": 1})
    assert changing.ctl("migrate")[0] == 0
    assert changing.redis.hget(job, "ended") == "1"
    assert "kind" not in stored_object(changing.redis, f"{NOTE}:n1")  # it was said to be done
    assert stored_object(changing.redis, f"{NOTE}:n2")["kind"] == '"plain"'


def test_a_migration_to_a_model_that_nobody_serves_any_more_is_given_up(changing, connect):
    make_notes(connect(changing.gateway, "ada"), ["n1"])
    changing.serve(NEXT)
    changing.wait_alone(NEXT)
    job = leave_job(changing, FIRST)
    assert changing.ctl("migrate")[0] == 0
    assert changing.redis.exists(job) == 0
    assert stored_object(changing.redis, f"{NOTE}:n1")["kind"] == '"plain"'


def test_an_agent_that_serves_another_model_meanwhile_spoils_a_migration(changing, connect):
    ada = connect(changing.gateway, "ada")
    make_notes(ada, [f"n{i:02}" for i in range(30)])
    first, second, auth = changing.agents
    changing.serve(NEXT, [first, auth])
    job = leave_job(changing, NEXT)
    wait_until(lambda: changing.redis.hexists(job, "spoiled"), 10, "the old agent is noticed")
    changing.serve(NEXT, [second])
    changing.wait_alone(NEXT)
    code, _, err = changing.ctl("migrate")
    assert code == 1 and "an agent served another model meanwhile: sync-agent@sync-agent-2" in err
    assert changing.ctl("check")[0] == 1
    assert changing.ctl("migrate")[0] == 0
    assert len(by_example(ada, heading="Old")) == 30
