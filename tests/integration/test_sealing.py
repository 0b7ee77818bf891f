"""What gateways and auth agents tell each other is sealed (common/protocol/seal.h): what the broker has
of it, and what becomes of what is sealed otherwise."""

import contextlib
import json

import pika
import pytest
from by_hand import SECONDS
from client import AUTH
from content_client import code_of
from frames import Frame
from sealing import ENCODING, Seal, context_of, hashed
from stack import PROVIDER


class SealedAsking:
    """Publishes requests for the auth agents as gateways do."""

    def __init__(self, stack, client):
        self.stack, self.client = stack, client
        self.connection = stack.amqp()
        self.channel = self.connection.channel()
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue

    def ask(self, operation, body, seal=None, client=None, delivered_as=None):
        """Returns the answer's properties and bytes. `seal` is the stack's unless given; sealed for
        `client`, delivered as that of `delivered_as`."""
        client = client or self.client
        context = {"queue": operation, "type": operation, "correlation_id": "1",
                   "reply_to": self.queue, "client": client}
        sealed = (seal or Seal(self.stack.seal_secret)).close(json.dumps(body).encode(), **context)
        self.channel.basic_publish("", operation, sealed, pika.BasicProperties(
            type=operation, correlation_id="1", reply_to=self.queue, content_encoding=ENCODING,
            headers={"client": delivered_as or client}))
        for _, properties, answer in self.channel.consume(self.queue, auto_ack=True,
                                                          inactivity_timeout=SECONDS):
            assert properties is not None, f"no answer within {SECONDS} s"
            self.channel.cancel()
            return properties, answer


@pytest.fixture
def asking(stack, new_id):
    made = SealedAsking(stack, new_id("client"))
    with contextlib.closing(made.connection):
        yield made


def login_of(stack):
    return {"authProvider": PROVIDER, "credential": stack.credential("ada"), "messageId": "m"}


def test_what_is_asked_sealed_is_answered_sealed(stack, asking):
    properties, answer = asking.ask("authenticate", login_of(stack))
    assert properties.content_encoding == ENCODING
    assert properties.content_type == "application/octet-stream"
    plain = Seal(stack.seal_secret).open(answer, **context_of(asking.queue, properties))
    result = json.loads(plain)["result"]
    assert result["cn"] == AUTH + "UserToken"
    assert result["token"].encode() not in answer


def test_what_the_auth_agents_cannot_open_is_an_error_and_logged(stack, asking):
    for wrong in ({"seal": Seal("f" * 32)}, {"delivered_as": "somebody"}):
        properties, answer = asking.ask("authenticate", login_of(stack), **wrong)
        assert properties.content_encoding is None
        error = Frame(answer.decode())
        assert (error["errorName"], error["errorDesc"]) == (
            "internalError", "the request is sealed, and not for this agent")
    assert "request.sealed operation=authenticate" in stack.auth_agents[0].log_text()


def test_sync_agents_open_nothing(asking):
    properties, answer = asking.ask("findById", {"theClassName": "x"})
    assert properties.content_encoding is None
    assert json.loads(answer)["errorName"] == "internalError"


def test_the_hash_of_a_token_lets_nobody_in(stack, connect, connect_content):
    """Whoever reads it in Redis, on the broker, or in a signed session."""
    gateway = stack.gateways[0]
    ada, reader = connect(gateway, "ada"), connect_content(gateway, "ben")
    thief, other = connect(gateway), connect_content(gateway)
    for said in (hashed(ada.token), hashed(ada.token).removeprefix("sha256:")):
        assert thief.request("reauthenticate", token=said)["result"] is None
        assert thief.request("validateUserByToken", token=said, userId=ada.user_id,
                             clientId=ada.client_id)["result"] is False
        answer = thief.request("reconnect", token=said, userId=ada.user_id,
                               existingClientId=ada.client_id, existingClientIds=[ada.client_id])
        assert answer["clientId"] is None, answer
    for said in (hashed(reader.session), hashed(reader.session).removeprefix("sha256:")):
        assert code_of(other.reconnect(said)) == 4010220
    assert ada.request("findById", theClassName="com.app.mo.Task", theClassId="x")["result"] is None


def test_after_a_rotation_both_keys_open(new_stack, connect):
    """One after the other is started with the new key: gateways and agents understand each other all
    the time."""
    stack = new_stack(sync_agents=1)
    gateway, agent = stack.gateways[0], stack.auth_agents[0]
    new, old = "n" * 64, stack.seal_secret
    for process, (current, previous) in ((agent, (old, new)), (gateway, (new, old)),
                                         (agent, (new, old)), (gateway, (new, ""))):
        process.environment.update(ACTIVESTACK_AUTH_SEAL_SECRET=current,
                                   ACTIVESTACK_AUTH_SEAL_SECRET_PREVIOUS=previous)
        process.stop()
        process.start()
        client = connect(gateway, "ada")
        assert client.user_id
        client.close()
