"""Every gateway and agent is replaced, one after the other, under load: nobody notices but by a 1001.

Clients of both protocols read, write and watch, and come back when and where they are told to. At the
end every copy is what is stored, what is stored is what the writers were told, the books balance, and
nobody was refused anything. The same while the secrets are rotated.

    TEST_OLD_BUILD=/there/build    the programs begin as those of that build folder, an older commit's,
                                   and are replaced by those of BUILD_DIR
    TEST_ORDER=gateway,auth-agent,sync-agent    another order than that of deploy/operating.md
"""

import os
import random
import secrets
import subprocess
from pathlib import Path

import pytest
from by_hand import dead_letters
from client import DEVELOPERS_LOGIN, Client
from lasting_clients import LastingClient, WatchAll, Writer
from lasting_content import ContentWriter, LastingContent
from lasting_crowd import Crowd
from stack import BUILD, PROGRAMS, PROVIDER, Stack
from test_everything_dies import assert_nothing_is_lost, assert_pages_are_stored, expect_quiet

OLD_BUILD = os.environ.get("TEST_OLD_BUILD")
ORDER = os.environ.get("TEST_ORDER", "auth-agent,sync-agent,gateway").split(",")
KINDS = ([Writer] * 6 + [ContentWriter] * 4 + [LastingClient] * 30 + [LastingContent] * 20
         + [WatchAll] * 2)
OBJECTS = 200
SETTINGS = {**DEVELOPERS_LOGIN, "log.level": "info", "gateway.drain_ms": 1000,
            "sync.redelivery_first_ms": 1000, "sync.redelivery_max_ms": 4000,
            "sync.reply_repeat_ms": 2000, "gateway.ping_timeout_ms": 60000}
SESSION_SECRET, SEAL_SECRET = "ACTIVESTACK_GATEWAY_SESSION_SECRET", "ACTIVESTACK_AUTH_SEAL_SECRET"


class Rolling:
    """A stack whose programs are replaced while a crowd works."""

    def __init__(self, stack):
        self.stack = stack
        self.crowd = Crowd(stack, random.Random(8), KINDS)

    def __enter__(self):
        self.crowd.__enter__()
        self.crowd.log_in()
        self.crowd.create(OBJECTS)
        self.crowd.read()
        self.crowd.start_writing()
        return self

    def __exit__(self, *failure):
        self.crowd.__exit__(*failure)

    def replace(self, process):
        """SIGTERM, and a new start; meanwhile the others do its work."""
        answered = self.crowd.figures["writes answered"]
        process.stop()
        process.start()
        self.crowd._wait(lambda: all(client.ready for client in self.crowd.clients)
                         and self.crowd.figures["writes answered"] > answered + 20,
                         60, f"work goes on with {process.name}")
        with Client(self.stack.gateways[0].url) as client:
            client.connect()
            client.login(PROVIDER, self.stack.credential("emil"))

    def replace_all(self, processes, **environment):
        for process in processes:
            process.environment.update(environment)
            self.replace(process)

    def check(self):
        redis = self.stack.redis()
        self.crowd.stop_writing()
        expect_quiet(self.crowd, redis)
        assert_nothing_is_lost(self.crowd, redis)
        assert_pages_are_stored(self.crowd)
        refused = {name: count for name, count in self.crowd.figures.items()
                   if name.startswith(("errors", "returns without"))
                   or (name.startswith("sockets lost with") and not name.endswith(" 1001"))}
        assert not refused, f"clients saw more than a 1001: {refused}"
        assert self.crowd.figures["returns"] > len(KINDS)
        assert dead_letters(self.stack) == []
        self.stack.check()


@pytest.fixture
def stack(servers):
    stack = Stack(servers, gateways=2, sync_agents=2, auth_agents=2, settings=SETTINGS)
    config = stack.config.read_text()
    if OLD_BUILD:
        begin_with_old(stack)
    with stack:
        stack.config.write_text(config)
        yield stack


def begin_with_old(stack):
    """With programs of the old build, and what they know of the settings."""
    known = set()
    for process in stack.processes:
        process.program = Path(OLD_BUILD) / PROGRAMS[process.kind]
        process.environment.pop("ACTIVESTACK_STATUS_PORT", None)
        known |= set(subprocess.run([process.program, "--help-config"], stdout=subprocess.PIPE, text=True,
                                    check=True).stdout.split())
    lines = [line for line in stack.config.read_text().splitlines() if line.split(" = ")[0] in known]
    stack.config.write_text("\n".join(lines) + "\n")


@pytest.mark.long
def test_every_program_is_replaced_and_nothing_is_lost(stack):
    processes = sorted(stack.processes, key=lambda process: ORDER.index(process.kind))
    with Rolling(stack) as rolling:
        for process in processes:
            process.program = BUILD / PROGRAMS[process.kind]
            rolling.replace(process)
        rolling.check()


@pytest.mark.long
@pytest.mark.skipif(bool(OLD_BUILD), reason="the programs are those of one build")
def test_secrets_are_rotated_and_no_client_is_lost(stack):
    """First everybody accepts the new one, then everybody uses it, then nobody knows the old one."""
    old = dict(line.split(" = ", 1) for line in stack.config.read_text().splitlines())
    signs, seals = stack.gateways, stack.gateways + stack.auth_agents
    session, seal = (old["gateway.session_secret"], secrets.token_hex(32)), (stack.seal_secret,
                                                                             secrets.token_hex(32))
    with Rolling(stack) as rolling:
        for now, other in ((0, 1), (1, 0)):
            environment = {SEAL_SECRET: seal[now], f"{SEAL_SECRET}_PREVIOUS": seal[other]}
            rolling.replace_all(stack.auth_agents, **environment)
            rolling.replace_all(signs, **environment, **{SESSION_SECRET: session[now],
                                                         f"{SESSION_SECRET}_PREVIOUS": session[other]})
        rolling.replace_all(seals, **{f"{SEAL_SECRET}_PREVIOUS": "", f"{SESSION_SECRET}_PREVIOUS": ""})
        rolling.check()
