"""The containers of deploy/compose.yaml, by way of the engine's own commands.

    with Composed() as composed:
        composed.up(gateway=2)
        composed.kill("redis")          # as a crash would; the restart policy starts it again
"""

import json
import os
import signal
import subprocess
from types import SimpleNamespace

from servers import wait_until

SERVICES = ("rabbitmq", "redis", "gateway", "sync-agent", "auth-agent")
READY_SECONDS = 300
PASSWORD = "not a secret of anybody"
PROVIDER = "activestack:basic"


def docker(*words, said=None):
    """Runs docker; its standard output. `said` goes to its standard input."""
    ended = subprocess.run(["docker", *words], input=said or "", text=True, capture_output=True)
    assert ended.returncode == 0, f"docker {' '.join(words)}: {ended.stderr[-3000:]}{ended.stdout[-2000:]}"
    return ended.stdout


class Composed:
    def __init__(self):
        self.project = os.environ["COMPOSE_PROJECT_NAME"]
        self.services, self.scale = list(SERVICES), {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        docker("compose", "--profile", "*", "down", "--volumes", "--timeout", "5")

    def up(self, *services, **scale):
        """Ends when all is ready, from now on with these services of profiles, and scaled so."""
        self.services += services
        self.scale |= {name.replace("_", "-"): count for name, count in scale.items()}
        # Who was unhealthy while a server was away may still count as such, and nobody waits for them.
        wait_until(lambda: not self._ids("--filter", "health=unhealthy"), READY_SECONDS, "all are well")
        numbers = [f"--scale={name}={count}" for name, count in self.scale.items()]
        docker("compose", "up", "--wait", "--no-build", *numbers, *self.services)

    def ctl(self, *words, said=None):
        return docker("compose", "run", "--rm", "--no-deps", "-T", "ctl", *words, said=said)

    def add_user(self, name):
        """What logs that user in."""
        self.ctl("user", "add", "--email", f"{name}@example.org", name, said=PASSWORD)
        return f"{name}:{PASSWORD}"

    # ---- Its containers

    def _ids(self, *filters):
        return docker("ps", "--quiet", "--filter", f"label=com.docker.compose.project={self.project}",
                      *filters).split()

    def containers(self, service):
        """What the engine says of each of them that runs, in the order of their numbers."""
        ids = self._ids("--filter", f"label=com.docker.compose.service={service}")
        return sorted(json.loads(docker("inspect", *ids)) if ids else [], key=lambda c: c["Name"])

    def port(self, container, inside):
        return int(container["NetworkSettings"]["Ports"][f"{inside}/tcp"][0]["HostPort"])

    @property
    def gateways(self):
        """Their ports change when they are started again."""
        return [SimpleNamespace(port=port, url=f"ws://127.0.0.1:{port}")
                for port in (self.port(c, 8080) for c in self.containers("gateway"))]

    def kill(self, service, number=0):
        """SIGKILL from the machine: `docker kill` would count as wanted, and nothing would restart."""
        container = self.containers(service)[number]
        os.kill(container["State"]["Pid"], signal.SIGKILL)
        wait_until(lambda: self._is_back(container), READY_SECONDS, f"{container['Name']} is back")

    def _is_back(self, before):
        [now] = json.loads(docker("inspect", before["Id"]))
        return (now["RestartCount"] > before["RestartCount"]
                and now["State"]["Health"]["Status"] == "healthy")
