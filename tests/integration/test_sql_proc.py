"""SQL_PROC: procedures and functions in a real PostgreSQL, called through a WebSocket (spec 3.8)."""

import json
import os
import subprocess
import uuid

import pytest
from client import SYNC, Client
from servers import free_port, wait_until
from shapes import assert_error
from sql import SCHEMA, procedures, same_functions
from stack import PROVIDER, Stack
from tcp_gate import TcpGate

FAILED = "-101"
MALFORMED = "-115"
LATE = "-116"
TOO_MANY = "-118"
ASLEEP = "query LIKE '%\"sleep\"%' AND state = 'active'"  # for Postgres.backends()


@pytest.fixture(scope="module")
def database(postgres):
    postgres.run(SCHEMA + same_functions())
    return postgres


@pytest.fixture(scope="module")
def open_gate(database):
    with TcpGate(database.port) as gate:
        yield gate


@pytest.fixture
def gate(open_gate):
    """Between the agent and the database "gated"."""
    yield open_gate
    open_gate.on(None, None)


@pytest.fixture(scope="module")
def wrong_password(tmp_path_factory):
    path = tmp_path_factory.mktemp("sql") / "wrong-password"
    path.write_text("swordfish\n")
    return path


@pytest.fixture(scope="module")
def declaration(database, open_gate, wrong_password):
    def at(url, connections=2, password_file=database.password_file):
        return {"url": url, "connections": connections, "passwordFile": str(password_file)}

    return {"sql": {"threads": 4, "procedures": procedures(), "databases": {
        "main": at(database.socket_url),
        "single": at(database.url, connections=1),
        "gated": at(database.url_at(open_gate.port), connections=1),
        "nobody": at(database.url, password_file=wrong_password),
        "nowhere": at(database.url_at(free_port())),
    }}}


@pytest.fixture(scope="module")
def sql_stack(servers, declaration, tmp_path_factory):
    path = tmp_path_factory.mktemp("sql") / "processes.json"
    path.write_text(json.dumps(declaration))
    with Stack(servers, settings={"process.file": path}) as stack:
        yield stack


@pytest.fixture(scope="module")
def open_client(sql_stack):
    with Client(sql_stack.gateways[0].url) as client:
        client.connect().login(PROVIDER, sql_stack.credential("ada"))
        yield client


@pytest.fixture
def client(sql_stack, open_client):
    yield open_client
    sql_stack.check()


def send(client, name, arguments=None):
    """Calls a procedure; `arguments` may be the JSON text itself, which keeps its digits."""
    message_id = str(uuid.uuid4())
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    frame = json.dumps({"cn": SYNC + "RunProcessRequest", "messageId": message_id,
                        "clientId": client.client_id, "queryName": f"SQL_PROC:{name}",
                        "queryArguments": "@"})
    client.send_text(frame.replace('"@"', text))
    return message_id


def call(client, name, arguments=None):
    """The answer to a call, whatever it is."""
    return client.response_to(send(client, name, arguments))


def result(client, name, arguments=None):
    answer = call(client, name, arguments)
    assert answer["cn"] == SYNC + "RunProcessResponse", answer
    return answer["result"]


def notes(database, body):
    return int(database.run(f"SELECT count(*) FROM shop.note WHERE body = '{body}'"))


# ---- Values

SAME = [
    ("smallint", "-32768"), ("integer", "2147483647"), ("bigint", "-9223372036854775808"),
    ("tinyint", "127"), ("numeric", "12345678901234567890123456789.01234567890123456789"),
    ("numeric", "1.50"), ("decimal", '"NaN"'), ("double", "0.1"), ("double", '"-Infinity"'),
    ("double", "1.7976931348623157e+308"), ("real", "0.5"), ("boolean", "false"), ("bit", "true"),
    ("text", '"it\'s \\"é\\" \U0001f600; DROP TABLE shop.note; --"'), ("text", '""'),
    ("varchar", '"$1"'), ("date", '"2024-02-29"'), ("time", '"12:00:00.5"'),
    ("timestamp", '"2024-01-31T12:00:00.123456"'), ("timestamptz", '"2024-01-31T12:00:00Z"'),
    ("uuid", '"0a0b0c0d-0000-4000-8000-000000000000"'), ("json", '{"b":1.10,"a":[null,{}]}'),
    ("jsonb", "[1.10, 9007199254740993]"), ("bytea", '"AAECgP8="'), ("blob", '""'),
]


@pytest.mark.parametrize("type_name, value", SAME)
def test_values_come_back_as_they_went(client, type_name, value):
    assert f'"result":{{"r":{value}}}' in call(client, f"same.{type_name}", f'{{"v":{value}}}').text


@pytest.mark.parametrize("type_name, value", SAME)
def test_values_in_arrays_do_too(client, type_name, value):
    items = f"[{value},null,{value}]"
    assert f'"result":{{"r":{items}}}' in call(client, f"list.{type_name}", f"[{items}]").text
    assert result(client, f"list.{type_name}", [[]]) == {"r": []}


@pytest.mark.parametrize("type_name, value, expected", [
    ("numeric", '"1.50"', "1.50"), ("double", "1e2", "100"), ("timestamp", '"2024-01-31 12:00"',
                                                             '"2024-01-31T12:00:00"'),
    ("timestamptz", '"2024-01-31T12:00:00+01:00"', '"2024-01-31T11:00:00Z"'),
])
def test_a_value_has_one_form(client, type_name, value, expected):
    assert f'"result":{{"r":{expected}}}' in call(client, f"same.{type_name}", f"[{value}]").text


@pytest.mark.parametrize("type_name, value, expected", [
    ("smallint", "32768", "a whole number from -32768 to 32767, found another number"),
    ("integer", "1.0", "a whole number from -2147483648 to 2147483647, found another number"),
    ("bigint", '"1"', "found a string"), ("numeric", '"1,5"', "a number, or a string that holds one"),
    ("double", "1e309", "within the type's range"), ("boolean", "1", "a boolean, found a number"),
    ("text", '"a\\u0000b"', "a string without NUL characters"), ("text", "{}", "found an object"),
    ("date", '"tomorrow"', "a date like"), ("time", '"noon"', "a time like"),
    ("timestamp", "0", "found a number"), ("timestamptz", '"2024-01-31T12:00:00"', "a time like"),
    ("uuid", '"0"', "a UUID"), ("bytea", '"*"', "a string of Base64"),
])
def test_a_value_of_a_wrong_type_is_refused(client, type_name, value, expected):
    assert_error(call(client, f"same.{type_name}", f"[{value}]"), MALFORMED, 'argument v: expected',
                 expected)
    assert_error(call(client, f"list.{type_name}", f"[[{value}]]"), MALFORMED,
                 'argument v: item 0: expected', expected)
    assert_error(call(client, f"list.{type_name}", f"[{value}]"), MALFORMED,
                 'argument v: expected an array')


def test_dates_that_do_not_exist_are_refused_by_the_server(client):
    assert_error(call(client, "same.date", ["2023-02-29"]), FAILED, "SQLSTATE 22008")


# ---- Arguments and results

def test_arguments_come_by_name_or_by_position(client):
    assert result(client, "add", {"b": 3, "a": 2}) == 5
    assert result(client, "add", [2, 3]) == 5
    assert result(client, "add", {"b": 3}) is None
    assert result(client, "nothing") is None
    assert result(client, "nothing", {}) is None
    assert result(client, "nothing", []) is None


@pytest.mark.parametrize("arguments, expected", [
    ({"a": 1, "b": 2, "c": 3}, 'argument "c": unknown, expected a, b'),
    ([1], "expected 2 arguments, found 1"), ([1, 2, 3], "expected 2 arguments, found 3"),
    ("7", "arguments: expected an object or an array, found number"),
    ('"a"', "found string"), (True, "found boolean"),
])
def test_arguments_that_do_not_fit_are_refused(client, arguments, expected):
    assert_error(call(client, "add", arguments), MALFORMED, expected)


def test_what_only_comes_out_cannot_go_in(client):
    assert_error(call(client, "split", {"n": 1, "d": 1, "rest": 1}), MALFORMED,
                 'argument "rest": unknown')


def test_parameters_come_out_by_name(client):
    assert result(client, "split", {"n": 17, "d": 5}) == {"quotient": 3, "rest": 2}
    answer = call(client, "double", {"n": 3, "times": 3})
    assert answer["result"] == {"n": 9, "said": "times 3"}
    assert result(client, "double", {"times": 3}) == {"n": None, "said": "times 3"}
    assert result(client, "says") == {}


def test_sets_are_arrays_of_objects(client):
    assert result(client, "series", [2]) == [{"i": 1, "square": 1, "even": False},
                                             {"i": 2, "square": 4, "even": True}]
    assert result(client, "series", [0]) == []
    assert len(result(client, "series", [100])) == 100
    assert_error(call(client, "series", [101]), FAILED, "it gives more than 100 rows")


def test_functions_give_what_they_return(client):
    assert result(client, "oneRow", [1]) == {"i": 1, "square": 1, "even": False}
    assert result(client, "oneRow", [0]) is None
    assert_error(call(client, "oneRow", [2]), FAILED, "it gives more than one row")
    assert result(client, "colour") == "red"


def test_a_result_has_an_end(client):
    assert result(client, "big", [998]) == "x" * 998
    assert_error(call(client, "big", [999]), FAILED, "more than 1000 bytes")


def test_parameters_have_to_be_what_is_declared(client):
    assert_error(call(client, "wrongOut", [5, 2]), FAILED, '"quotient" is declared as text')
    assert_error(call(client, "lessOut", [5, 2]), FAILED, "1 parameters that come out are declared")


def test_only_what_is_declared_runs(client, database):
    for name in ("keep_slowly", "Add", "", "add(1,2); --"):
        assert_error(call(client, name, [1, 2]), FAILED)
    assert_error(call(client, "absent"), FAILED, "SQLSTATE 42883")


def test_settings_of_a_session_do_not_stay(client):
    backend = result(client, "backend")
    assert result(client, "spoil") == "done"
    assert result(client, "backend") == backend
    assert result(client, "same.timestamptz", ["2024-01-31T12:00:00Z"]) == {
        "r": "2024-01-31T12:00:00Z"}
    assert result(client, "same.date", ["2024-01-31"]) == {"r": "2024-01-31"}
    assert result(client, "same.bytea", ["AP8="]) == {"r": "AP8="}


# ---- Transactions

def test_a_procedure_that_raises_is_told_with_its_state(client):
    answer = call(client, "raise", ["no more\ntoday", "P0042"])
    assert_error(answer, FAILED, "SQL_PROC:raise", "no more today (SQLSTATE P0042)")
    assert "holds values" not in answer.text and "hint" not in answer.text
    assert answer["errorName"] == "Error Running Process"
    answer = call(client, "raise", ["x" * 100000, "P0001"])
    assert_error(answer, FAILED, "SQLSTATE P0001")
    assert len(answer["errorDesc"]) < 1000
    assert_error(call(client, "split", [1, 0]), FAILED, "division by zero (SQLSTATE 22012)")


def test_what_fails_has_not_happened(client, database):
    assert result(client, "keep", ["whole"]) == {}
    assert notes(database, "whole") == 1
    assert_error(call(client, "keepRows", ["many", 11]), FAILED, "more than 10 rows")
    assert_error(call(client, "keepSlowly", ["slow", 20]), LATE)
    assert notes(database, "many") + notes(database, "slow") == 0
    assert len(result(client, "keepRows", ["few", 10])) == 10
    assert notes(database, "few") == 1


def test_a_commit_may_be_refused(client, database):
    assert_error(call(client, "twice", [1]), FAILED, "SQLSTATE 23505")
    assert database.run("SELECT count(*) FROM shop.pair") == "0"
    assert_error(call(client, "commits"), FAILED, "SQLSTATE 2D000")


# ---- Time, connections and servers that fail

def test_the_server_ends_what_takes_too_long(client, database):
    waiting = send(client, "sleepBriefly", [60])
    assert result(client, "add", [1, 2]) == 3
    assert_error(client.response_to(waiting), LATE)
    wait_until(lambda: database.backends("state = 'active'") == 0, 10, "the statement is over")


def test_connections_are_bounded_and_used_again(client, database):
    """Twelve calls in four threads, on two connections."""
    waiting = [send(client, "sleep", [0.05]) for _ in range(12)]
    assert [client.response_to(each)["result"] for each in waiting] == ["awake"] * 12
    waiting = [send(client, "backend") for _ in range(12)]
    used = {client.response_to(each)["result"] for each in waiting}
    assert len(used) <= 2
    assert used <= set(map(int, database.run("SELECT pid FROM pg_stat_activity").split()))


def test_all_connections_in_use_is_told(client, database):
    waiting = send(client, "nap", [4])
    wait_until(lambda: database.backends(ASLEEP) == 1, 10, "it sleeps")
    assert_error(call(client, "hurry"), TOO_MANY, "all connections of the database are in use")
    assert client.response_to(waiting)["result"] == "awake"
    assert isinstance(result(client, "hurry"), int)


LOST = "the connection to the database was lost, nothing has changed there"
UNKNOWN = "whether it took effect is unknown"
IN_TIME = "did not answer in time, nothing has changed there"


@pytest.mark.parametrize("words, action, code, expected, kept", [
    (b"CALL", TcpGate.DROP, FAILED, LOST, 0),
    (b"CALL", TcpGate.LOSE, FAILED, LOST, 0),
    (b"CALL", TcpGate.HOLD, LATE, IN_TIME, 0),
    (b"COMMIT", TcpGate.DROP, FAILED, UNKNOWN, 0),
    (b"COMMIT", TcpGate.LOSE, FAILED, UNKNOWN, 1),
    (b"COMMIT", TcpGate.HOLD, LATE, UNKNOWN, 1),
    (b"BEGIN", TcpGate.DROP, FAILED, "the database cannot be reached", 0),
    (b"BEGIN", TcpGate.HOLD, LATE, IN_TIME, 0),
    (b"", TcpGate.HOLD, LATE, IN_TIME, 0),
])
def test_a_lost_connection_is_told_and_replaced(client, database, gate, new_id, words, action, code,
                                                expected, kept):
    body = new_id("note")
    assert result(client, "gatedAdd", [1, 2]) == 3
    gate.on(words, action)
    assert_error(call(client, "gatedKeep", [body]), code, expected)
    gate.on(None, None)
    assert result(client, "gatedAdd", [1, 2]) == 3
    assert notes(database, body) == kept


def test_a_dead_connection_is_replaced_unseen(client, database, gate):
    """Nothing has begun when it turns out that an idle connection is lost."""
    assert result(client, "gatedAdd", [1, 2]) == 3
    database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
    assert result(client, "gatedAdd", [1, 2]) == 3
    assert result(client, "add", [1, 2]) == 3


def test_a_server_that_hangs_keeps_nobody(client, database):
    database.pause()
    try:
        assert_error(call(client, "sleepBriefly", [0]), LATE)
        assert_error(call(client, "gatedAdd", [1, 2]), LATE)
    finally:
        database.resume()
    assert result(client, "add", [1, 2]) == 3
    assert result(client, "gatedAdd", [1, 2]) == 3


def test_a_server_that_dies_may_come_back(client, database):
    waiting = send(client, "sleep", [60])
    wait_until(lambda: database.backends(ASLEEP) == 1, 10, "it sleeps")
    database.kill()
    assert_error(client.response_to(waiting), FAILED, LOST)
    assert_error(call(client, "add", [1, 2]), FAILED, "the database cannot be reached")
    database.start()
    assert result(client, "add", [1, 2]) == 3


def test_each_call_has_a_key_of_its_own_that_clients_do_not_give(client):
    keys = {str(uuid.UUID(result(client, "key", {"seconds": 0}))) for _ in range(2)}
    assert len(keys) == 2
    assert_error(call(client, "key", {"call": str(uuid.uuid4()), "seconds": 0}), MALFORMED,
                 'argument "call": unknown, expected seconds')


def test_a_call_that_runs_again_has_its_key_again(client, sql_stack, database):
    waiting = send(client, "key", [3])
    keys = "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'key %'"
    wait_until(lambda: database.run(keys), 10, "it runs")
    first = database.run(keys)
    agent = sql_stack.sync_agents[0]
    agent.kill()
    agent.start()
    assert "key " + client.response_to(waiting)["result"] == first


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_call_outlives_its_agent(client, sql_stack, database, end):
    """It runs again; the statement of the agent that is gone ends in the server by itself."""
    waiting = send(client, "sleep", [3])
    wait_until(lambda: database.backends(ASLEEP) == 1, 10, "it sleeps")
    agent = sql_stack.sync_agents[0]
    getattr(agent, end)()
    agent.start()
    assert client.response_to(waiting)["result"] == "awake"


def test_no_secret_is_told(client, sql_stack, database):
    for name in ("nobody", "nowhere"):
        assert_error(call(client, name), FAILED, "the database cannot be reached")
    log = sql_stack.sync_agents[0].log_text()
    assert "sql.connect_failed" in log
    assert "swordfish" not in log and database.password not in log


# ---- The declaration

def test_mistakes_keep_the_agent_from_starting(sql_stack, declaration, tmp_path):
    path = tmp_path / "processes.json"
    wrong = json.loads(json.dumps(declaration))
    wrong["sql"]["databases"]["main"]["url"] = "postgresql://app:swordfish@127.0.0.1/app"
    wrong["sql"]["procedures"]["add"]["parameters"][1]["type"] = "money"
    path.write_text(json.dumps(wrong))
    ended = subprocess.run(
        [sql_stack.sync_agents[0].program, "--config", sql_stack.config], timeout=120, text=True,
        env={**os.environ, "ACTIVESTACK_PROCESS_FILE": str(path)}, stderr=subprocess.PIPE)
    assert ended.returncode != 0
    assert "sql.databases.main.url: expected no password" in ended.stderr
    assert "sql.procedures.add.parameters[1].type: expected one of" in ended.stderr
    assert "swordfish" not in ended.stderr
