"""A private PostgreSQL for tests, which nothing else on the machine sees.

    with Postgres() as postgres:
        postgres.run("CREATE SCHEMA app")     # as its owner
        postgres.kill(), postgres.start()     # as by a power cut, and from its files

It listens on a free port of the loopback interface and on a socket in a temporary folder, and asks
everybody for a password. It refuses to run as root, so under root it is the user `postgres`.
"""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from servers import Server, free_port, wait_until

ROOT_RUNS_AS = "postgres"
OWNER = "app"
DATABASE = "app"


def binaries():
    """Where Debian has the newest version's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                   key=lambda path: int(path.parts[4]))
    assert found, "no PostgreSQL is installed"
    return found[-1].parent


class Postgres(Server):
    def __init__(self):
        # A folder of its own, as others cannot look into that of the other servers.
        self.outside = Path(tempfile.mkdtemp(prefix="activestack-postgres-"))
        super().__init__(self.outside / "server")
        self.bin, self.port, self.data = binaries(), free_port(), self.folder / "data"
        self.password_file = self.folder / "password"
        self.user = []
        if os.getuid() == 0:
            user = pwd.getpwnam(ROOT_RUNS_AS)
            for path in (self.outside, self.folder, self.password_file):
                os.chown(path, user.pw_uid, user.pw_gid)
            self.user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}",
                         "--clear-groups", "--pdeathsig", "KILL"]
        self.command = [
            *self.user, self.bin / "postgres", "-D", self.data, "-p", self.port,
            "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}",
            "-c", "dynamic_shared_memory_type=mmap", "-c", "fsync=off", "-c", "max_connections=20"]
        self.socket_url = f"postgresql://{OWNER}@/{DATABASE}?host={self.folder}&port={self.port}"
        self.url = self.url_at(self.port)

    def url_at(self, port):
        """For those who come through a proxy."""
        return f"postgresql://{OWNER}@127.0.0.1:{port}/{DATABASE}"

    def __enter__(self):
        try:
            self._command("initdb", "-D", self.data, "-U", OWNER, "-A", "scram-sha-256", "-E", "UTF8",
                          "--locale=C.UTF-8", f"--pwfile={self.password_file}", "--no-sync")
            self.start()
            self.run(f"CREATE DATABASE {DATABASE}", database="postgres")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.resume()
            self.process.send_signal(signal.SIGQUIT)  # at once, but it cleans up
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        self.kill()
        shutil.rmtree(self.outside, ignore_errors=True)

    @property
    def pid(self):
        return self.process.pid

    def pause(self):
        """All of its processes; each connection has one."""
        self._signal(signal.SIGSTOP)

    def resume(self):
        self._signal(signal.SIGCONT)

    def kill(self):
        """As by a power cut; its processes would outlive it for a moment, and keep it from coming
        back."""
        if self.process and self.process.poll() is None:
            pids = self._pids()
            self._signal(signal.SIGKILL)
            self.process.wait()
            wait_until(lambda: not any(map(_lives, pids)), 10, "PostgreSQL is gone")

    def _signal(self, number):
        for pid in self._pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _pids(self):
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def answers(self):
        return subprocess.run(
            [self.bin / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)],
            timeout=60).returncode == 0

    def run(self, sql, database=DATABASE, check=True):
        """Runs statements as the owner; returns what comes out, a line for each row, | between
        columns."""
        return self._command(
            "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
            "-p", self.port, "-U", OWNER, "-d", database, "-f", "-", input=sql, check=check).strip()

    def backends(self, condition="true"):
        """How many connections there are from us, not counting this one."""
        return int(self.run("SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                            f"AND backend_type = 'client backend' AND {condition}"))

    def _command(self, program, *arguments, input=None, check=True):
        ended = subprocess.run(
            [*map(str, self.user), self.bin / program, *map(str, arguments)], input=input,
            stdin=None if input else subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd="/", timeout=60,
            env={**os.environ, "PGPASSWORD": self.password, "LC_ALL": "C.UTF-8"})
        assert not check or ended.returncode == 0, ended.stdout
        return ended.stdout


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
