"""Operations of the HTTP connector, asked for by clients, against a server that does right and wrong
(deploy/example/processes.md)."""

import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest
from certificates import self_signed
from client import SYNC, Client
from servers import free_port, wait_until
from stack import BUILD, PROVIDER, Stack
from web_server import WebServer

SECRET = "s3cr3t-of-the-file"
THREADS = 2
NAMES = {-101: "Error Running Process", -115: "malformedRequest", 4002: "Invalid URI",
         4003: "Unable to Reach Host", 4004: "Unable to process the response"}
TYPES = {"s": "string", "n": "number", "i": "integer", "b": "boolean", "j": "json"}


def arguments(names):
    return [{"name": name, "type": TYPES[name]} for name in names]


def operation(url, method="GET", names="", **members):
    return {"run": "signedIn", "deadlineMs": 20000, "method": method, "url": url,
            "arguments": arguments(names), "allowPrivate": True, **members}


def declared(web, secure, folder, ca_file):
    """The operations of these tests."""
    secret = {"file": str(folder / "secret"), "prefix": "Key "}
    return {
        "path": operation(web.url + "/echo/{s}/{n}?q={s}&b={b}", names="snb",
                          headers={"X-Said": "it says {s}", "X-Key": secret}),
        "arguments": operation(web.url + "/echo/", "POST", "snj", body="arguments"),
        "json": operation(web.url + "/echo/", "PUT", "sj",
                          body={"json": {"to {s}": ["{j}", "to {s}", 1.5]}}),
        "form": operation(web.url + "/echo/", "PATCH", "s", body={"form": {"a b": "{s}", "c": "&"}}),
        "text": operation(web.url + "/echo/", "POST", "s", body={"text": "<{s}>"}),
        "xml": operation(web.url + "/echo/", "POST", "s", body={"xml": "<a>{s}</a>"},
                         headers={"Content-Type": "application/soap+xml"}),
        "keyed": operation(web.url + "/echo/", "POST", "s", body="arguments",
                           headers={"Idempotency-Key": "{@call}"}),
        "delete": operation(web.url + "/echo/{i}", "DELETE", "i"),
        "nothing": operation(web.url + "/echo/", "POST"),
        "head": operation(web.url + "/echo/", "HEAD"),
        "typed": operation(web.url + "/answer?type={s}&body=%5B1%2C2.50%5D", names="s"),
        "asJson": operation(web.url + "/answer?body={s}", names="s", type="json"),
        "asText": operation(web.url + "/answer?type=application/json&body={s}", names="s", type="text"),
        "status": operation(web.url + "/answer?status={i}", names="i"),
        "wrong": operation(web.url + "/{s}", names="s", maxBytes=1000, timeoutMs=10000),
        "slow": operation(web.url + "/{s}", names="s", timeoutMs=200),
        "overdue": operation(web.url + "/{s}", names="s", deadlineMs=300),
        "wait": operation(web.url + "/wait"),
        "most": operation(web.url + "/answer?body={s}", names="s", maxBytes=10),
        "nowhere": operation(f"http://127.0.0.1:{free_port()}/"),
        "unknown": operation("http://host.invalid/"),
        "to": operation(web.url + "/answer?status={i}&to={s}", "POST", "is",
                        body={"text": "body"}, redirectHosts=[f"localhost:{web.port}"],
                        headers={"X-Key": secret, "Authorization": "literal", "X-Plain": "plain"}),
        "once": operation(web.url + "/answer?status=302&to={s}", names="s", maxRedirects=1),
        "never": operation(web.url + "/answer?status=302&to={s}", names="s", maxRedirects=0),
        "loop": operation(web.url + "/loop"),
        "private4": operation(web.url + "/echo", allowPrivate=False),
        "private6": operation(f"http://[::1]:{web.port}/echo", allowPrivate=False),
        "mapped": operation(f"http://[::ffff:127.0.0.1]:{web.port}/echo", allowPrivate=False),
        "named": operation(f"http://localhost:{web.port}/echo", allowPrivate=False),
        "zero": operation(f"http://0.0.0.0:{web.port}/echo", allowPrivate=False),
        "decimal": operation(f"http://2130706433:{web.port}/echo", allowPrivate=False),
        "trusted": operation(secure.url + "/echo", caFile=str(ca_file)),
        "untrusted": operation(secure.url + "/echo"),
        "downgrade": operation(secure.url + "/answer?status=302&to={s}", names="s",
                               caFile=str(ca_file), redirectHosts=[f"127.0.0.1:{web.port}"]),
        "upgrade": operation(web.url + "/answer?status=302&to={s}", names="s",
                             caFile=str(ca_file), redirectHosts=[f"127.0.0.1:{secure.port}"]),
    }


@pytest.fixture(scope="module")
def web():
    with WebServer() as server:
        yield server


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure(tls):
    with WebServer(tls) as server:
        yield server


@pytest.fixture(scope="module")
def shared_http_stack(servers, web, secure, tls, tmp_path_factory):
    folder = tmp_path_factory.mktemp("http")
    (folder / "secret").write_text(SECRET + "\n")
    file = folder / "processes.json"
    file.write_text(json.dumps({"http": {
        "threads": THREADS, "operations": declared(web, secure, folder, tls[0])}}))
    with Stack(servers, sync_agents=1, settings={"process.file": file}) as stack:
        yield stack


@pytest.fixture(scope="module")
def shared_client(shared_http_stack):
    with Client(shared_http_stack.gateways[0].url) as client:
        client.connect().login(PROVIDER, shared_http_stack.credential("ada"))
        yield client


@pytest.fixture
def http_stack(shared_http_stack):
    yield shared_http_stack
    shared_http_stack.check()
    assert SECRET not in shared_http_stack.sync_agents[0].log_text()


@pytest.fixture
def client(http_stack, shared_client):
    return shared_client


def send(client, name, given=None):
    return client.send_request("runProcess", queryName=f"HTTP:{name}", queryArguments=given)


def ask(client, name, given=None):
    """The whole response."""
    return client.response_to(send(client, name, given))


def result(client, name, given=None):
    response = ask(client, name, given)
    assert response["cn"] == SYNC + "RunProcessResponse", response
    return response["result"]


def assert_failed(response, code, *words):
    assert response["cn"] == SYNC + "SyncErrorResponse", response
    assert (response["errorCode"], response["errorName"]) == (str(code), NAMES[code])
    for word in words:
        assert word in response["errorDesc"], response
    assert SECRET not in json.dumps(response)


def test_the_prefix_is_written_as_one_likes(client):
    response = client.request("runProcess", queryName="hTtP:nothing")
    assert response["result"]["method"] == "POST"
    assert_failed(client.request("runProcess", queryName="HTTP:Nothing"), -101)


# ---- What is sent

def test_arguments_stand_in_the_url_as_what_they_are(client):
    echo = result(client, "path", {"s": "a/../b?c=d&é%", "n": -1.5, "b": True})
    text = "a%2F..%2Fb%3Fc%3Dd%26%C3%A9%25"
    assert echo["path"] == f"/echo/{text}/-1.5?q={text}&b=true"
    assert echo["method"] == "GET" and "Content-Type" not in echo["headers"]


def test_headers_have_arguments_and_secrets(client):
    headers = result(client, "path", ["x", 1, False])["headers"]
    assert headers["X-Said"] == "it says x"
    assert headers["X-Key"] == "Key " + SECRET
    assert "Accept-Encoding" not in headers


def test_each_call_has_a_key_of_its_own(client):
    """The body of all arguments does not hold it."""
    echoes = [result(client, "keyed", ["x"]) for _ in range(2)]
    assert [json.loads(echo["body"]) for echo in echoes] == [{"s": "x"}] * 2
    keys = {str(uuid.UUID(echo["headers"]["Idempotency-Key"])) for echo in echoes}
    assert len(keys) == 2


@pytest.mark.parametrize("given, words", [
    ({"s": "", "n": 1, "b": True}, "argument s: must not be empty in a path"),
    ({"s": "a\r\nX-Evil: 1", "n": 1, "b": True}, "argument s: must not hold control characters"),
    ({"s": 1, "n": 1, "b": True}, "argument s: expected string, found number"),
    ({"s": "a", "n": "1", "b": True}, "argument n: expected number, found string"),
    ({"s": "a", "n": 1, "b": None}, "argument b: expected boolean, found null"),
    ({"s": "a", "n": [1], "b": True}, "argument n: expected number, found array"),
    ({"s": "a", "n": 1}, "argument b: missing"),
    ({"s": "a", "n": 1, "b": True, "host": "evil"}, 'argument "host": unknown'),
    (["a", 1], "expected 3 arguments, found 2"),
    ("a", "expected an object or an array, found string"),
    (None, "argument s: missing"),
])
def test_other_arguments_than_the_declared_ones_are_refused_and_named(client, web, given, words):
    before = len(web.requests)
    assert_failed(ask(client, "path", given), -115, words)
    assert len(web.requests) == before


def test_an_argument_leads_to_no_other_folder(client, web):
    before = len(web.requests)
    assert_failed(ask(client, "wrong", [".."]), 4002)
    assert_failed(ask(client, "wrong", ["."]), 4002)
    assert len(web.requests) == before


@pytest.mark.parametrize("name, given, method, type, body", [
    ("arguments", ["a\"é\n", 1.50, {"x": [1, None]}], "POST", "application/json",
     '{"s":"a\\"é\\n","n":1.5,"j":{"x":[1,null]}}'),
    ("json", ['"}', [1]], "PUT", "application/json", '{"to {s}":[[1],"to \\"}",1.5]}'),
    ("form", ["a&b=c é"], "PATCH", "application/x-www-form-urlencoded",
     "a%20b=a%26b%3Dc%20%C3%A9&c=%26"),
    ("text", ["<&>\n"], "POST", "text/plain; charset=utf-8", "<<&>\n>"),
    ("xml", ["<&>"], "POST", "application/soap+xml", "<a>&lt;&amp;&gt;</a>"),
    ("delete", [9007199254740993], "DELETE", None, ""),
    ("nothing", None, "POST", None, ""),
])
def test_methods_and_bodies(client, name, given, method, type, body):
    echo = result(client, name, given)
    assert (echo["method"], echo["headers"].get("Content-Type"), echo["body"]) == (method, type, body)
    if method != "DELETE":
        assert echo["headers"]["Content-Length"] == str(len(body.encode()))


def test_a_head_has_no_answer(client, web):
    before = len(web.seen("/echo/"))
    assert result(client, "head") is None
    assert [r["method"] for r in web.seen("/echo/")[before:]] == ["HEAD"]


# ---- What is answered

def test_json_is_json_and_the_rest_a_string(client):
    assert result(client, "typed", ["application/vnd.x+json; charset=utf-8"]) == [1, 2.5]
    assert result(client, "typed", ["text/html"]) == "[1,2.50]"
    assert result(client, "asJson", ['{"big": 9007199254740993}']) == {"big": 2**53 + 1}
    assert result(client, "asText", ["[1]\n\x00é"]) == "[1]\n\x00é"
    assert result(client, "asJson", [""]) is None
    assert result(client, "asText", [""]) == ""
    assert result(client, "wrong", ["trailers"]) == [1, 2]


@pytest.mark.parametrize("text", ["{", "[1,]", "NaN", "'a'", "1 2", "[" * 65 + "]" * 65])
def test_broken_json_is_no_answer(client, text):
    assert_failed(ask(client, "asJson", [text]), 4004, "no JSON")


@pytest.mark.parametrize("status", [300, 304, 400, 401, 404, 418, 500, 503, 599])
def test_a_status_that_is_no_success_is_told(client, status):
    assert_failed(ask(client, "status", [status]), 4003, f"status {status}")


@pytest.mark.parametrize("path, code, words", [
    ("large", 4004, "more than 1000 bytes"),
    ("endless", 4004, "more than 1000 bytes"),
    ("deflated", 4004, "more than 1000 bytes"),
    ("gzip", 4004, "compressed"),
    ("latin", 4004, "not UTF-8: byte 2"),
    ("headers", 4003, "the server failed: its headers are too large"),
    ("hints", 4003, "the server failed: its headers are too large"),
    ("behind", 4003, "the server failed: its headers are too large"),
    ("short", 4003, "the server failed"),
    ("negative", 4003, "the server failed"),
    ("gone", 4003, "the server failed"),
    ("half", 4003, "the server failed"),
    ("garbage", 4003, "the server failed"),
])
def test_a_server_that_does_wrong_is_told(client, path, code, words):
    assert_failed(ask(client, "wrong", [path]), code, words)
    assert result(client, "asText", ["next"]) == "next"


def test_what_a_server_sends_beyond_its_length_is_no_answer(client):
    assert result(client, "wrong", ["long"]) == [1, 2]
    following = [ask(client, "asText", ["next"]) for _ in range(3)]
    assert [r["result"] for r in following if "result" in r][-1] == "next"
    assert all(r.get("result", "next") == "next" for r in following)


def test_an_answer_has_its_limit_to_the_byte(client):
    assert result(client, "most", ["x" * 10]) == "x" * 10
    assert_failed(ask(client, "most", ["x" * 11]), 4004, "more than 10 bytes")


@pytest.mark.parametrize("path", ["hang", "drip"])
def test_a_server_that_takes_too_long_is_left(client, path):
    assert_failed(ask(client, "slow", [path]), 4003, "the server failed: Timeout")


@pytest.mark.parametrize("path", ["hang", "drip"])
def test_the_deadline_of_the_call_holds_for_the_server_too(client, path):
    response = ask(client, "overdue", [path])
    assert response["errorCode"] in ("-116", "4003"), response
    assert result(client, "asText", ["next"]) == "next"


def test_a_server_that_is_not_there_is_told(client):
    assert_failed(ask(client, "nowhere"), 4003, "the server failed")
    assert_failed(ask(client, "unknown"), 4003, "the server failed")


def test_a_slow_server_holds_one_thread_and_no_other_call(client, web):
    slow = send(client, "wait")
    wait_until(lambda: web.seen("/wait"), 20, "the server is asked")
    for _ in range(2 * THREADS):
        assert result(client, "asText", ["meanwhile"]) == "meanwhile"
    web.let_go.set()
    assert client.response_to(slow)["result"]["path"] == "/wait"


def test_many_calls_at_once_get_their_own_answers(client):
    sent = {send(client, "asText", [f"text {i}"]): f"text {i}" for i in range(50)}
    for message, text in sent.items():
        assert client.response_to(message)["result"] == text


# ---- Whom it talks to

@pytest.mark.parametrize("name", ["private4", "private6", "mapped", "named", "zero", "decimal"])
def test_a_private_address_is_not_connected_to_unless_declared(client, web, name):
    assert_failed(ask(client, name), 4003, "private address")


def test_nobody_was_connected_to_for_them(client, web):
    web.hang_up()
    before = web.connections
    for name in ["private4", "mapped", "named", "zero", "decimal"]:
        assert_failed(ask(client, name), 4003, "private address")
    assert web.connections == before


def test_connections_are_kept(client, web):
    ports = {result(client, "nothing")["port"] for _ in range(10)}
    assert len(ports) <= THREADS


def test_a_kept_connection_that_is_closed_is_replaced(client, web):
    for _ in range(3):
        result(client, "nothing")
        web.hang_up()
    assert result(client, "nothing")["method"] == "POST"


@pytest.mark.parametrize("status, method, body", [
    (301, "GET", ""), (302, "GET", ""), (303, "GET", ""), (307, "POST", "body"), (308, "POST", "body")])
def test_a_redirect_is_followed(client, web, status, method, body):
    echo = result(client, "to", [status, "/echo/x"])
    assert (echo["method"], echo["path"], echo["body"]) == (method, "/echo/x", body)
    assert echo["headers"]["X-Key"] == "Key " + SECRET


def test_a_redirect_to_another_host_gets_no_secrets(client, web):
    headers = result(client, "to", [307, f"http://localhost:{web.port}/echo/"])["headers"]
    assert headers["Host"] == f"localhost:{web.port}"
    assert headers["X-Plain"] == "plain"
    assert "X-Key" not in headers and "Authorization" not in headers


@pytest.mark.parametrize("to", [
    "http://127.0.0.2:{port}/echo", "http://127.0.0.1:1/echo", "http://user@127.0.0.1:{port}/echo",
    "//evil.example/echo", "https://evil.example/", "file:///etc/passwd", "gopher://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@evil.example/"])
def test_a_redirect_elsewhere_is_refused(client, web, to):
    before = web.connections, len(web.seen("/echo"))
    assert_failed(ask(client, "to", [302, to.format(port=web.port)]), 4003, "the server redirects to")
    assert len(web.seen("/echo")) == before[1]


def test_redirects_have_an_end(client, web):
    before = len(web.requests)
    assert_failed(ask(client, "loop"), 4003, "the server redirects too often")
    assert len(web.requests) == before + 6  # the default, 5, and the first
    assert result(client, "once", ["/echo"])["path"] == "/echo"
    assert_failed(ask(client, "once", ["/loop"]), 4003, "the server redirects too often")
    assert_failed(ask(client, "never", ["/echo"]), 4003, "the server redirects too often")


def test_certificates_are_looked_at(client):
    assert result(client, "trusted")["path"] == "/echo"
    assert_failed(ask(client, "untrusted"), 4003, "the server failed: SSL")


def test_a_redirect_leads_to_https_but_not_away_from_it(client, web, secure):
    assert result(client, "upgrade", [secure.url + "/echo/safe"])["path"] == "/echo/safe"
    assert_failed(ask(client, "downgrade", [web.url + "/echo"]), 4003, "from https to http")


# ---- Around it

def test_a_call_whose_agent_dies_is_answered_by_another(servers, connect, tmp_path):
    file = tmp_path / "processes.json"
    with WebServer() as web:
        file.write_text(json.dumps({"http": {"threads": 1, "operations": {
            "wait": operation(web.url + "/wait", headers={"Idempotency-Key": "{@call}"})}}}))
        with Stack(servers, sync_agents=2, settings={"process.file": file}) as stack:
            client = connect(stack.gateways[0], "ada")
            slow = send(client, "wait")
            wait_until(lambda: web.seen("/wait"), 20, "the server is asked")
            port = web.seen("/wait")[0]["port"]
            wait_until(lambda: owner_of(stack, port), 20, "one of the agents has asked").kill()
            wait_until(lambda: len(web.seen("/wait")) == 2, 20, "the server is asked again")
            web.let_go.set()
            first, second = web.seen("/wait")
            assert client.response_to(slow)["result"]["port"] == second["port"]
            assert first["headers"]["Idempotency-Key"] == second["headers"]["Idempotency-Key"]


def owner_of(stack, port):
    """The sync agent that has a connection from this port."""
    return next(agent for agent in stack.sync_agents if f"{port:04X}" in sockets(agent.pid))


def sockets(pid):
    """The local ports of a process's TCP connections, in hexadecimal."""
    inodes = {os.readlink(f)[8:-1] for f in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[1].split(":")[1] for row in rows if row[9] in inodes}


def test_an_agent_does_not_start_with_mistakes_and_tells_them_all(http_stack, tmp_path):
    file, config = tmp_path / "processes.json", tmp_path / "activestack.conf"
    file.write_text(json.dumps({"http": {"operations": {
        "a": operation("ftp://example.org/"), "b": operation("http://{s}/", method="get")}}}))
    lines = [line for line in http_stack.config.read_text().splitlines()
             if not line.startswith("process.file")]
    config.write_text("\n".join([*lines, f"process.file = {file}\n"]))
    ended = subprocess.run([BUILD / "agents/sync/activestack-sync-agent", "--config", config],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    for mistake in ["http.operations.a.url: expected http:// or https://",
                    "http.operations.b.url: only behind the host there are arguments",
                    "http.operations.b.method: expected DELETE, GET"]:
        assert mistake in ended.stderr + ended.stdout
