"""The main job: what one client writes arrives at the other, through two gateways and any agent."""

import pytest
from client import SYNC

pytestmark = pytest.mark.request_path

TASK = "com.app.mo.Task"


def test_what_one_creates_puts_and_removes_the_other_is_pushed(stack, connect, new_id):
    writer = connect(stack.gateways[0], "ada")
    reader = connect(stack.gateways[1], "ben")
    task = new_id("task")

    created = writer.request("createObject", theObject={"cn": TASK, "ID": task, "title": "Write"})
    assert created["cn"] == SYNC + "CreateResponse" and created["result"] is True
    assert created["theObject"]["title"] == "Write"

    found = reader.request("findById", theClassName=TASK, theClassId=task)
    assert found["result"]["title"] == "Write"

    put = writer.request("putObject", theObject={"cn": TASK, "ID": task, "done": True})
    assert put["cn"] == SYNC + "PutResponse" and put["result"] is True
    assert reader.expect_update(task, done=True)["title"] == "Write"
    assert reader.acknowledge((TASK, task))["result"] is True

    removed = writer.request("removeObject", removePair={"className": TASK, "ID": task})
    assert removed["cn"] == SYNC + "RemoveResponse" and removed["result"] is True
    reader.expect_delete(task)
    assert reader.acknowledge((TASK, task), deletes=True)["result"] is True

    gone = reader.request("findById", theClassName=TASK, theClassId=task)
    assert gone["cn"] == SYNC + "FindByIdResponse" and gone["result"] is None


def test_an_acknowledged_request_is_on_the_brokers_disk(stack, connect, new_id):
    client = connect(stack.gateways[0], "ada")

    message = client.send_request("createObject", sendAck=True,
                                  theObject={"cn": TASK, "ID": new_id("task")})
    client.expect_ack(message)
    assert client.response_to(message)["result"] is True


def test_a_logout_is_answered_and_closes_in_order(stack, connect):
    client = connect(stack.gateways[0], "ada")

    client.send_request("logout")
    assert client.expect_close().code == 1000
