"""activestack-ctl, run on a stack as its operator would.

    ended = Ended(stack, "books", "--check")
    assert ended.code == 0 and ended.lines == ["balanced"]
"""

import re
import subprocess

from servers import json
from stack import BUILD, SANITIZERS

CTL = BUILD / "deploy/ctl/activestack-ctl"


class Ended:
    """What a command has said, and how it has ended."""

    def __init__(self, stack, *words, stdin=b"", config=None):
        ended = subprocess.run([CTL, "--config", config or stack.config, *map(str, words)],
                               input=stdin, timeout=120, env=SANITIZERS, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        self.code, self.err = ended.returncode, ended.stderr.decode()
        self.lines = ended.stdout.decode().splitlines()

    def objects(self):
        """Of lines of JSON."""
        assert (self.code, self.err) == (0, "")
        return [json.loads(line) for line in self.lines]


def without_broker(stack, tmp_path):
    """A configuration with the address of no broker."""
    config = tmp_path / "away.conf"
    config.write_text(re.sub("(?m)^amqp.url = .*", "amqp.url = amqp://a:b@127.0.0.1:1/x",
                             stack.config.read_text()))
    return config
