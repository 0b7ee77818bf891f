"""Nobody finds a secret where it does not belong: a run with all the ways to log in, and then a walk over
all AMQP messages, all that Redis has ever written to its disk, all logs, the metrics, and what the
operating system shows of the programs."""

import base64
import json
import re
import secrets
import subprocess
import urllib.parse
from pathlib import Path
from types import SimpleNamespace

import pytest
from by_hand import Operator
from certificates import self_signed
from client import Client
from content_client import ContentClient
from ctl import CTL, Ended
from servers import Redis, wait_until
from stack import PROVIDER, Stack, user_row
from tap import Tap
from web_server import WebServer

TASK = "com.app.mo.Task"
BASIC = "activestack:basic"
USER, REGISTERED = "walker@example.org", "runner"


def made(what):
    """A secret that is nowhere else, and that no encoder of texts changes."""
    return f"{what}{secrets.token_hex(16)}"


class Walk:
    """The run: its secrets, by what they are, and what was seen of it."""

    def __init__(self, stack):
        self.stack, self.gateway = stack, stack.gateways[0]
        self.secrets = {name: made(name) for name in (
            "password", "wrongpassword", "basicpassword", "newpassword", "code", "codeverifier",
            "accesstoken", "refreshtoken", "requestsecret", "mistyped", "nojson", "clientsecret", "newaccesstoken",
            "newrefreshtoken", "ctlpassword")}
        self.ids = {"task": made("task"), "sealed": made("sealed")}
        self.seen = {}  # where -> bytes
        self.limits = {}  # of each program

    def add(self, name, secret):
        self.secrets[name] = secret

    def find(self, where=None):
        """Names of the secrets that stand somewhere, and where."""
        return sorted({(name, place) for name, secret in self.secrets.items()
                       for form in forms(secret) for place, text in self.seen.items()
                       if form in text and where in (None, place)})


def forms(secret):
    """As it is, and as it stands in Base64, wherever it begins there."""
    plain = secret.encode()
    yield plain
    yield plain.hex().encode()
    for shift in range(3):
        encoded = base64.b64encode(b"x" * shift + plain)
        yield encoded[(0, 4, 4)[shift]:len(encoded) // 4 * 4 - 4]


# ---- The run

def log_in_with_passwords(walk):
    with Client(walk.gateway.url) as client:
        client.connect(ensureMessageDelivery=True)
        login = ("authenticate", PROVIDER)
        assert not refused(client, *login, f"{USER}:{walk.secrets['wrongpassword']}")["result"]
        assert not refused(client, *login, f"nobody:{walk.secrets['wrongpassword']}")["result"]
        refused(client, *login, [walk.secrets["mistyped"]])
        refused(client, "authenticate", "nowhere", walk.secrets["wrongpassword"])
        client.login(PROVIDER, f"{USER}:{walk.secrets['password']}", deviceId="d")
        walk.add("token", client.token)
        walk.add("signed session", client.session.split(";")[0])
        work(walk, client)
        client.vanish()
    return client


def refused(client, operation, provider, credential):
    return client.request(operation, authProvider=provider, credential=credential)


def work(walk, client):
    """Requests as the SDKs send them: with the token in each, one of them without a receipt."""
    members = {"token": client.token, "userId": client.user_id}
    task = {"cn": TASK, "ID": walk.ids["task"]}
    assert client.request("createObject", theObject={**task, "title": "first"}, **members)["result"]
    assert client.request("findById", theClassName=TASK, theClassId=task["ID"], **members)["result"]
    assert client.request("putObject", theObject={**task, "title": "second"}, **members)["result"]
    client.request("runProcess", queryName="no such process", **members)
    client.request("validateUserByToken", **members)
    for operation in ("changePassword", "endOtherSessions", "deleteAccount"):
        client.request(operation, event=True, cn=None, password=walk.secrets["wrongpassword"],
                       oldPassword=walk.secrets["wrongpassword"],
                       newPassword=walk.secrets["newpassword"], **members)


def come_back(walk, before):
    """With the signed session, with a ReconnectRequest, and with the token as a login."""
    session, members = before.session, {"userId": before.user_id, "deviceId": "d"}
    with Client(walk.gateway.url) as client:
        client.send({"reconnect": {"reconnectId": session}})
        client.expect_connect_response()
        walk.add("second signed session", client.session.split(";")[0])
        names = {"existingClientId": client.client_id, "existingClientIds": [client.client_id]}
        client.vanish()
    with Client(walk.gateway.url) as client:
        client.connect()
        client.request("reconnect", token=before.token, **names, **members)
        client.vanish()
    with Client(walk.gateway.url) as client:
        client.connect()
        assert client.request("reauthenticate", token=before.token, **members)["result"]
        client.expect_connect_response()
        client.request("logout")


def register(walk):
    credential = {"username": REGISTERED, "password": walk.secrets["basicpassword"],
                  "metadata": {"firstName": "R", "lastName": "R", "email": "r@example.org"}}
    with Client(walk.gateway.url) as client:
        client.connect()
        client.request("register", event=True, authProvider=BASIC,
                       credential=json.dumps(credential))
        client.login(BASIC, f"{REGISTERED}:{walk.secrets['basicpassword']}")
        walk.add("basic token", client.token)
        assert client.request("changePassword", event=True, cn=None,
                              oldPassword=walk.secrets["basicpassword"],
                              newPassword=walk.secrets["newpassword"])["result"] is True
    ended = Ended(walk.stack, "user", "passwd", REGISTERED,
                  stdin=walk.secrets["ctlpassword"].encode())
    assert ended.code == 0, ended.err
    walk.seen["words of ctl"] = (ended.err + "\n".join(ended.lines)).encode()


REDIRECT = "https://example.org/back"


def declare_provider(walk, folder, tls, web):
    """The file with a provider of OAuth; `web` plays it."""
    def says(**value):
        return f"{web.url}/answer?" + urllib.parse.urlencode({"body": json.dumps(value)})

    secret = folder / "client.secret"
    secret.write_text(walk.secrets["clientsecret"])
    (folder / "oauth.json").write_text(json.dumps([{
        "id": "GOOGLE", "clientId": "app", "clientSecretFile": str(secret), "caFile": str(tls[0]),
        "allowPrivate": True, "redirectUris": [REDIRECT], "endpoints": {
            "token": says(access_token=walk.secrets["newaccesstoken"],
                          refresh_token=walk.secrets["newrefreshtoken"]),
            "userinfo": says(sub="1"), "tokenInfo": says(aud="another")}}]))


def log_in_with_oauth(walk):
    """With what the provider takes, and with what it does not."""
    members = {"authProvider": "GOOGLE", "redirectUri": REDIRECT}
    with Client(walk.gateway.url) as client:
        client.connect()
        answer = client.request("authenticateOAuthCode", code=walk.secrets["code"],
                                codeVerifier=walk.secrets["codeverifier"], **members)
        assert answer["accessToken"] == walk.secrets["newaccesstoken"], answer
        walk.add("OAuth token", answer["result"]["token"])
    with Client(walk.gateway.url) as client:
        client.connect()
        client.request("authenticateOAuthCode", authProvider="nowhere", redirectUri=REDIRECT,
                       code=walk.secrets["code"], requestToken=walk.secrets["requestsecret"],
                       requestSecret=walk.secrets["requestsecret"])
        client.request("authenticateOAuthAccessToken", event=True, cn=None,
                       accessToken=walk.secrets["accesstoken"],
                       refreshToken=walk.secrets["refreshtoken"], **members)
        answer = client.request("authenticate", authProvider="googleoauth", credential=json.dumps(
            {"code": walk.secrets["code"], "redirectUrl": REDIRECT,
             "codeVerifier": walk.secrets["codeverifier"]}))
        walk.add("second OAuth token", answer["result"]["token"])


def use_content(walk):
    with ContentClient(walk.gateway.url) as client:
        client.request("login", username=USER, password=walk.secrets["wrongpassword"])
        client.login(f"{USER}:{walk.secrets['password']}")
        walk.add("content session", client.session)
        client.get_content(client.entries["self"], subscribe=True)
        client.vanish()
    with ContentClient(walk.gateway.url) as again:
        assert again.reconnect(client.session)["type"] == "result"
        again.request("change_password", oldPassword=walk.secrets["wrongpassword"],
                      newPassword=walk.secrets["newpassword"])
        again.logout()


def send_rubbish(walk):
    with Client(walk.gateway.url) as client:
        client.send_text(f'{{"token":"{walk.secrets["nojson"]}"')
        assert client.expect_close().code == 1007


def while_the_auth_agent_is_away(walk):
    """The login waits in its queue meanwhile."""
    agent = walk.stack.auth_agents[0]
    agent.kill()
    with Client(walk.gateway.url) as client:
        client.connect()
        message = client.send_request("authenticate", authProvider=PROVIDER, deviceId="d2",
                                      credential=f"{USER}:{walk.secrets['password']}")
        agent.start()
        walk.add("late token", client.response_to(message)["result"]["token"])


# ---- The walk

def see_messages(walk, tap):
    walk.seen["AMQP"] = b"\n".join(body for _, body in tap.messages())
    management = walk.stack.servers.rabbitmq.management
    walk.seen["broker's pages"] = repr(
        [management("GET", f"/api/{what}") for what in ("connections", "consumers", "queues")]
    ).encode()


def see_files(walk):
    """Redis appends every write to a file before it answers."""
    walk.seen["Redis"] = b"".join(
        p.read_bytes() for p in (walk.stack.servers.redis.folder / "appendonlydir").iterdir())
    for process in walk.stack.processes:
        walk.seen[f"log of {process.name}"] = process.log.read_bytes()
    walk.seen["log of Redis"] = walk.stack.servers.redis.log.read_bytes()
    walk.seen["log of RabbitMQ"] = walk.stack.servers.rabbitmq.log.read_bytes()


def see_pages(walk):
    for path in ("/metrics", "/readyz", "/healthz", "/"):
        walk.seen[path] = walk.gateway.http(path)[1].encode()


def see_programs(walk):
    for process in walk.stack.processes:
        proc = Path(f"/proc/{process.pid}")
        walk.seen[f"arguments of {process.name}"] = (proc / "cmdline").read_bytes()
        walk.seen[f"environment of {process.name}"] = (proc / "environ").read_bytes()
        walk.limits[process.name] = (proc / "limits").read_text()
        walk.seen[f"threads of {process.name}"] = b"\n".join(
            (task / "comm").read_bytes() for task in (proc / "task").iterdir())


def see_words_of_programs(walk):
    """What they print when they are asked for it."""
    programs = [*{process.program for process in walk.stack.processes}, CTL]
    walk.seen["words"] = b"".join(
        subprocess.run([program, "--config", walk.stack.config, *words], stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, timeout=60, check=False).stdout
        for program in programs for words in (["--check-config"], ["--help"], ["--help-config"]))


@pytest.fixture(scope="module")
def walk(servers, tmp_path_factory):
    """All of the run, and all that is to be seen of it."""
    folder = tmp_path_factory.mktemp("walk")
    redis = Redis(folder / "redis")  # of its own: its files hold this run alone
    redis.start()
    users = folder / "users.json"
    tls = self_signed(folder)
    stack = Stack(SimpleNamespace(folder=folder, rabbitmq=servers.rabbitmq, redis=redis),
                  settings={"auth.providers": "file,basic,oauth", "auth.users_file": users,
                            "auth.oauth_file": folder / "oauth.json", "sync.reply_repeat_ms": 100})
    walk = Walk(stack)
    users.write_text(json.dumps([user_row(USER, "W", "W", walk.secrets["password"])]))
    with WebServer(tls) as web:
        declare_provider(walk, folder, tls, web)
        with stack, Tap(stack) as tap:
            run(walk)
            see(walk, tap)
    yield walk
    redis.kill()


def see(walk, tap):
    see_messages(walk, tap)
    see_pages(walk)
    see_programs(walk)
    see_words_of_programs(walk)
    see_files(walk)


def run(walk):
    come_back(walk, log_in_with_passwords(walk))
    register(walk)
    log_in_with_oauth(walk)
    use_content(walk)
    send_rubbish(walk)
    while_the_auth_agent_is_away(walk)
    settings = dict(line.split(" = ", 1) for line in walk.stack.config.read_text().splitlines())
    for name in ("gateway.session_secret", "auth.seal_secret"):
        walk.add(name, settings[name])
    walk.add("password of RabbitMQ", walk.stack.servers.rabbitmq.password)
    walk.add("password of Redis", walk.stack.servers.redis.password)


def test_no_secret_is_found_where_it_does_not_belong(walk):
    assert walk.find() == []


def test_the_walk_has_seen_everything(walk):
    """What is no secret is found, in each of the places."""
    task = walk.ids["task"].encode()
    assert task in walk.seen["AMQP"] and task in walk.seen["Redis"]
    for text in (b'"cn":"com.percero.agents.sync.vo.ConnectRequest"', b"sha256:", b"disconnectAuth",
                 b"xchacha20-poly1305", b"FindByIdRequest", b"ReconnectRequest"):
        assert text in walk.seen["AMQP"], text
    assert b"{t:" in walk.seen["Redis"], "tokens are there, as their hashes"
    assert b":o\r\n" in walk.seen["Redis"], "requests were kept for their repetition"
    assert b"activestack_gateway_requests" in walk.seen["/metrics"]
    assert b"--config" in walk.seen["arguments of gateway-1"]
    assert b"ACTIVESTACK_GATEWAY_PORT" in walk.seen["environment of gateway-1"]
    assert b"gateway.session_secret = (set)" in walk.seen["words"]
    assert all(walk.seen[f"log of {process.name}"] for process in walk.stack.processes)


def test_no_program_leaves_a_core_dump(walk):
    assert len(walk.limits) == 3
    for limits in walk.limits.values():
        assert re.search(r"^Max core file size +0 +0 +bytes", limits, re.MULTILINE), limits


def test_what_is_published_in_clear_is_found(stack):
    """By hand that is still possible: it shows what the walk would find."""
    walk = Walk(stack)
    with Tap(stack) as tap, Operator(stack) as operator:
        operator.ask("authenticate", {"clientId": "c", "authProvider": PROVIDER,
                                      "credential": f"x:{walk.secrets['password']}"})
        text = walk.secrets["token"] = made("token")
        operator.ask("findById", {"text": base64.b64encode(f"a{text}b".encode()).decode()})
        seen = []
        wait_until(lambda: seen.extend(tap.messages()) or any(b"findById" in m for _, m in seen),
                   10, "the messages")
    walk.seen["AMQP"] = b"\n".join(body for _, body in seen)
    assert walk.find() == [("password", "AMQP"), ("token", "AMQP")]
