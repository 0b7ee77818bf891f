"""A Redis primary with replicas, and the sentinels that name another primary when it is gone.

    with Replicated(folder, replicas=2, sentinels=3) as redis:
        redis.primary().kill()          # a Node: a server like those of support/servers.py
        redis.has_failed_over(...)      # soon

A stack takes it in place of servers.redis; `settings` is what its configuration needs.
"""

import contextlib
import secrets

import redis
from servers import REDIS_SERVER, Server, free_port, wait_until

NAME = "store"
DOWN_AFTER_MS = 2000


class Node(Server):
    """A Redis, or a sentinel, from a configuration of its own, which it may rewrite."""

    def __init__(self, folder, password, lines, mode=()):
        super().__init__(folder)
        self.port, self.password = free_port(), password
        config = self.folder / "redis.conf"
        config.write_text("\n".join([f"port {self.port}", "bind 127.0.0.1", f"dir {self.folder}",
                                     f"requirepass {password}", *lines, ""]))
        self.command = [REDIS_SERVER, config, *mode]

    @property
    def pid(self):
        return self.process.pid

    def answers(self):
        return self.connect().ping()

    def connect(self):
        return redis.Redis(port=self.port, password=self.password, decode_responses=True,
                           socket_timeout=5)

    def role(self):
        return self.connect().execute_command("ROLE")[0]


class Replicated:
    starts = 1  # no others depend on it

    def __init__(self, folder, replicas, sentinels):
        self.password, self.sentinel_password = secrets.token_hex(16), secrets.token_hex(16)
        self.url = f"redis://:{self.password}@unused.invalid/0"
        self.nodes = []
        for i in range(replicas + 1):
            self.nodes.append(self._store(folder / f"redis-{i}"))
        self.sentinels = [self._sentinel(folder / f"sentinel-{i}", sentinels // 2 + 1)
                          for i in range(sentinels)]

    def _store(self, folder):
        follow = [f"replicaof 127.0.0.1 {self.nodes[0].port}"] if self.nodes else []
        return Node(folder, self.password, [
            f"masterauth {self.password}", "appendonly yes", "appendfsync always", 'save ""',
            "maxmemory-policy noeviction", "repl-diskless-sync-delay 0", *follow])

    def _sentinel(self, folder, quorum):
        return Node(folder, self.sentinel_password, [
            f"sentinel sentinel-pass {self.sentinel_password}",
            f"sentinel monitor {NAME} 127.0.0.1 {self.nodes[0].port} {quorum}",
            f"sentinel auth-pass {NAME} {self.password}",
            f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}",
            f"sentinel failover-timeout {NAME} 5000"], mode=["--sentinel"])

    def __enter__(self):
        try:
            for node in self.nodes:
                node.start()
            self.wait_for_replicas(len(self.nodes) - 1)
            for sentinel in self.sentinels:
                sentinel.launch()
            wait_until(self._sentinels_agree, 30, "the sentinels know each other and the replicas")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for node in self.sentinels + self.nodes:
            node.kill()

    @property
    def settings(self):
        return {"redis.sentinels": ",".join(f"127.0.0.1:{s.port}" for s in self.sentinels),
                "redis.sentinel_name": NAME, "redis.sentinel_password": self.sentinel_password}

    @contextlib.contextmanager
    def database(self):
        yield self.url

    def primary(self):
        """The node that the first sentinel that answers names."""
        for sentinel in self.sentinels:
            with contextlib.suppress(redis.ConnectionError):
                _, port = sentinel.connect().execute_command(
                    "SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
                return next(node for node in self.nodes if node.port == int(port))
        raise AssertionError("no sentinel answers")

    def replicas(self):
        return [node for node in self.nodes if node is not self.primary()]

    def has_failed_over(self, former):
        """Does another primary serve?"""
        present = self.primary()
        return present is not former and present.role() == "master"

    def wait_for_replicas(self, count):
        """Until so many follow the primary."""
        primary = self.primary if self._have_sentinels() else lambda: self.nodes[0]
        wait_until(lambda: len(primary().connect().execute_command("ROLE")[2]) >= count, 30,
                   f"{count} replicas follow the primary")

    def _have_sentinels(self):
        return all(s.process for s in self.sentinels)

    def _sentinels_agree(self):
        for sentinel in self.sentinels:
            told = sentinel.connect().execute_command("SENTINEL", "MASTER", NAME)
            told = told if isinstance(told, dict) else dict(zip(told[::2], told[1::2]))
            if (int(told["num-slaves"]), int(told["num-other-sentinels"])) != (
                    len(self.nodes) - 1, len(self.sentinels) - 1):
                return False
        return True
