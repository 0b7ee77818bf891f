"""activestack-ctl export: the objects as lines of JSON."""

import json
import re
import subprocess

import pytest
from asking import create, find, remove
from client import pair
from stack import BUILD, MODEL, SANITIZERS

CTL = BUILD / "deploy/ctl/activestack-ctl"
TASK, NOTE, ITEM, PERSON = (f"com.app.mo.{name}" for name in ("Task", "Note", "Item", "Person"))


class Ended:
    """What a command has said, and how it has ended."""

    def __init__(self, stack, *words, stdin=b"", config=None):
        ended = subprocess.run([CTL, "--config", config or stack.config, *map(str, words)],
                               input=stdin, timeout=120, env=SANITIZERS, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        self.code, self.err = ended.returncode, ended.stderr.decode()
        self.lines = ended.stdout.decode().splitlines()

    def objects(self):
        assert (self.code, self.err) == (0, "")
        return [json.loads(line) for line in self.lines]


def without_broker(stack, tmp_path):
    config = tmp_path / "away.conf"
    config.write_text(re.sub("(?m)^amqp.url = .*", "amqp.url = amqp://a:b@127.0.0.1:1/x",
                             stack.config.read_text()))
    return config


def without_amqp_url(stack, tmp_path):
    config = tmp_path / "without.conf"
    config.write_text(re.sub("(?m)^(amqp|redis).url = .*\n", "", stack.config.read_text()))
    return config


# ---- Asking

def test_without_a_broker_it_says_so(stack, tmp_path):
    ended = Ended(stack, "export", config=without_broker(stack, tmp_path))
    assert ended.code == 2 and "broker at amqp.url cannot be reached" in ended.err


def test_without_an_address_of_the_broker_it_says_so(stack, tmp_path):
    ended = Ended(stack, "export", config=without_amqp_url(stack, tmp_path))
    assert ended.code == 2 and "amqp.url is not set" in ended.err


def test_where_no_agent_has_ever_run_it_says_so(new_stack):
    stack = new_stack(gateways=0, sync_agents=0, auth_agents=0)
    ended = Ended(stack, "export")
    assert ended.code == 2 and "no agent that could answer has ever run here" in ended.err


def test_when_nobody_answers_it_says_so(new_stack):
    stack = new_stack(gateways=0, auth_agents=0)
    stack.sync_agents[0].stop()
    ended = Ended(stack, "export", "--wait", "1")
    assert ended.code == 2 and "nobody answers" in ended.err


@pytest.mark.parametrize("wait", ["0", "-1", "x", "1x", "", "86401"])
def test_a_wait_that_is_none_is_refused(stack, wait):
    ended = Ended(stack, "export", "--wait", wait)
    assert ended.code == 2 and "--wait" in ended.err


@pytest.mark.parametrize("event", [True, False])
def test_clients_cannot_send_what_is_the_operators(stack, connect, event):
    client = connect(stack.gateways[0], "ada")
    answer = client.request("exportObjects", event=event)
    assert answer["errorCode"] == "-106"


# ---- export

def test_an_export_has_every_object_as_clients_see_it(new_stack, connect):
    stack = new_stack()
    ada = connect(stack.gateways[0], "ada")
    create(ada, NOTE, "n1", body={"a": [1.10, None]})
    me = find(ada, PERSON, "1")
    for name in ("t2", "t10", "t1"):
        create(ada, TASK, name, title=f"Grüße\n{name}", owner=pair(PERSON, "1"))
    create(ada, TASK, "gone")
    remove(ada, TASK, "gone")

    objects = Ended(stack, "export").objects()
    assert [(o["cn"], o["ID"]) for o in objects] == [
        (PERSON, "1"), (TASK, "t1"), (TASK, "t10"), (TASK, "t2"), (NOTE, "n1")]
    for o in objects:
        shown = find(ada, o["cn"], o["ID"])
        assert o.pop("@created") > 10 ** 12 and o.pop("@version") >= 1
        assert o == {name: shown[name] for name in o}
    assert objects[0]["userId"] == me["userId"]


def test_an_export_can_be_of_some_classes(new_stack, connect, tmp_path):
    stack = new_stack()
    ada = connect(stack.gateways[0], "ada")
    for class_name, name in ((NOTE, "n"), (TASK, "t")):
        create(ada, class_name, name)

    def exported(*words):
        return [o["ID"] for o in Ended(stack, "export", *words).objects()]

    assert exported(NOTE) == ["n"]
    assert exported(NOTE, TASK) == ["t", "n"]  # in the order of the model
    assert exported(ITEM) == ["t", "n"]
    file = tmp_path / "out.jsonl"
    assert exported("--output", file, TASK) == []
    assert [json.loads(line)["ID"] for line in file.read_text().splitlines()] == ["t"]


@pytest.mark.parametrize("name", ["com.app.mo.None", "", "a\"\n\\", "x" * 100_000])
def test_a_class_that_there_is_not_is_told(stack, name):
    ended = Ended(stack, "export", name)
    assert ended.code == 2 and ended.lines == [] and "the model has no class" in ended.err


def test_an_output_that_cannot_be_written_is_told(stack):
    for place in ("/dev/full", "/nowhere/at/all"):
        ended = Ended(stack, "export", "--output", place)
        assert ended.code == 2 and place in ended.err


def test_many_and_large_objects_come_page_by_page(new_stack, connect):
    stack = new_stack()
    ada = connect(stack.gateways[0], "ada")
    names = sorted(f"t{i}" for i in range(600))
    for some in (names[:200], names[200:400], names[400:]):  # a client may have so many open
        for sent in [ada.send_request("createObject", theObject={"cn": TASK, "ID": name})
                     for name in some]:
            assert ada.response_to(sent)["result"]
    large = {f"z{i}": str(i) * 300_000 for i in range(5)}
    for name, text in large.items():
        assert create(ada, TASK, name, text=text)["result"]
    objects = Ended(stack, "export", TASK).objects()
    assert [o["ID"] for o in objects] == names + list(large)
    assert {o["ID"]: o["text"] for o in objects[600:]} == large
