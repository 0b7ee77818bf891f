"""A domain that changes while it is served.

    changing.serve(changed(FIRST, fields={...}))     # all agents start anew, with this model
    ended = changing.ctl("migrate")                  # activestack-ctl model migrate
"""

import copy
import hashlib
import subprocess

from servers import json, wait_until
from stack import BUILD, SANITIZERS

NOTE = "com.test.Note"
SIGNED_IN = {action: "signedIn" for action in ("read", "create", "update", "remove")}
FIRST = {"classes": {
    "com.test.Person": {
        "id": "integer", "anchor": "userId",
        "fields": {"userId": {"type": "string", "readOnly": True}},
        "access": {"read": "signedIn"}},
    NOTE: {
        "fields": {"title": {"type": "string"}, "place": {"type": "string"},
                   "parent": {"type": "toOne", "target": NOTE}},
        "indexes": [{"fields": ["place"]}],
        "access": SIGNED_IN},
}}


def changed(model, **members):
    """The model with these members of Note in place of its own."""
    model = copy.deepcopy(model)
    model["classes"][NOTE].update(members)
    return model


def digest(model):
    return hashlib.sha256(json.dumps(model, separators=(",", ":")).encode()).hexdigest()


def by_example(client, **fields):
    """The IDs that are found, or the error."""
    response = client.request("findByExample", theObject={"cn": NOTE, **fields})
    return response if "errorCode" in response else [o["ID"] for o in response["result"]]


class Changing:
    """A stack whose agents are given one model after the other."""

    def __init__(self, stack, model_file):
        self.stack, self.model_file = stack, model_file
        self.redis, self.gateway = stack.redis(), stack.gateways[0]

    @property
    def agents(self):
        return self.stack.sync_agents + self.stack.auth_agents

    def serve(self, model, agents=None, fault=None):
        """Starts agents (None: all) anew, with this model; waits until it is known that they do."""
        self.model_file.write_text(json.dumps(model))
        agents = self.agents if agents is None else agents
        for agent in agents:
            agent.stop()
            agent.start(fault)
        self.wait_for([agent.agent_name for agent in agents], model)

    def wait_for(self, names, model):
        def served():
            return {k.split("@")[1].split()[0] for k, v in self.redis.hgetall("model:agents").items()
                    if v.split()[0] == digest(model)}

        wait_until(lambda: served() >= set(names), 10, "the agents are known")

    def wait_alone(self, model):
        """Until nobody with another model is known any more."""
        wait_until(lambda: {v.split()[0] for v in self.redis.hvals("model:agents")}
                   == {digest(model)}, 10, "all others are forgotten")

    def ctl(self, action, model=None):
        """Runs activestack-ctl model; `model` is that of the file that is named."""
        words = []
        if model is not None:
            words = [self.stack.folder / "named-model.json"]
            words[0].write_text(json.dumps(model))
        ended = subprocess.run([BUILD / "deploy/ctl/activestack-ctl", "--config", self.stack.config,
                                "model", action, *words], stdout=subprocess.PIPE, text=True,
                               stderr=subprocess.PIPE, env=SANITIZERS, timeout=120)
        return ended.returncode, ended.stdout.splitlines(), ended.stderr
