"""JSON values survive the way through gateway, broker, agent and store byte for byte.

Texts are compared as they came over the wire: a parser of the test's own would round, too.
"""

import json
import re

import pytest
from client import SYNC
from shapes import assert_refused

NOTE, TASK = "com.app.mo.Note", "com.app.mo.Task"

BODIES = [
    "null", "true", "false", "0", "-1", "9007199254740993", "-9007199254740993",
    "9223372036854775807", "-9223372036854775808", "18446744073709551616",
    "123456789012345678901234567890", "1.10", "0.1", "1e300", "1E+5", "-0.0", "1.0", "100.000",
    "3.141592653589793238462643383279", "[]", "{}", "[[],{},null]", '""', '"text"',
    '"qu\\"ote \\\\ \\n"', '"ä € 😀"', '"</script>"', '{"a":{"b":[1,{"c":[]}]},"":null}',
    '{"b":1,"a":2}', '{"cn":"com.app.mo.Task","ID":"x"}', '{"__proto__":1,"@v":2}',
    "[" * 40 + "]" * 40, '["' + "x" * 5000 + '"]',
]


@pytest.fixture
def writer(stack, connect):
    return connect(stack.gateways[0], "ada")


@pytest.fixture
def reader(stack, connect):
    return connect(stack.gateways[1], "ben")


def create(client, class_name, object_id, fields):
    """Sends fields as they are written."""
    client.send_text(f'{{"cn":"{SYNC}CreateRequest","messageId":"c-{object_id}","theObject":'
                     f'{{"cn":"{class_name}","ID":"{object_id}",{fields}}}}}')
    return client.response_to("c-" + object_id)


def put(client, class_name, object_id, fields):
    client.send_text(f'{{"cn":"{SYNC}PutRequest","messageId":"p-{object_id}","theObject":'
                     f'{{"cn":"{class_name}","ID":"{object_id}",{fields}}}}}')
    return client.response_to("p-" + object_id)


def find(client, class_name, object_id):
    return client.request("findById", theClassName=class_name, theClassId=object_id)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: re.sub(r"\W+", "_", body)[:30])
def test_any_json_value_survives_unchanged(writer, reader, new_id, body):
    note, wanted = new_id("note"), f'"body":{body}}}'
    assert wanted in create(writer, NOTE, note, f'"body":{body}').text
    assert wanted in find(reader, NOTE, note).text
    put(writer, NOTE, note, '"body":"something else"')
    reader.expect_update(note, body="something else")
    assert put(writer, NOTE, note, f'"body":{body}')["result"] is True
    assert reader.expect_push(lambda f: wanted in f.text, f"a push with {wanted}")
    assert wanted in find(writer, NOTE, note).text


def test_white_space_is_all_that_a_value_may_lose(writer, reader, new_id):
    note = new_id("note")
    create(writer, NOTE, note, '"body" : { "a" : [ 1 , 2.50 ] ,\n\t"b" : " kept " }')
    assert '"body":{"a":[1,2.50],"b":" kept "}}' in find(reader, NOTE, note).text


def test_escapes_mean_what_they_meant(writer, reader, new_id):
    note, text = new_id("note"), r'"\u00e4\u20ac\ud83d\ude00\/\b\f\n\r\t\u0001"'
    create(writer, NOTE, note, f'"title":{text},"body":{text}')
    found = find(reader, NOTE, note)["result"]
    assert found["title"] == found["body"] == json.loads(text)


@pytest.mark.parametrize("field, value", [
    ("priority", "9007199254740993"), ("priority", "9223372036854775807"),
    ("priority", "-9223372036854775808"), ("priority", "0"), ("priority", "-1"),
    ("due", "1460480647867"), ("due", "0"), ("due", "-1"), ("created", "9223372036854775807"),
    ("estimate", "1.10"), ("estimate", "0.1"), ("estimate", "1e300"), ("estimate", "-2.5E-3"),
    ("estimate", "9007199254740993"), ("done", "false"), ("title", '""')])
def test_typed_fields_survive_unchanged(writer, reader, new_id, field, value):
    task = new_id("task")
    assert f'"{field}":{value}' in create(writer, TASK, task, f'"{field}":{value}').text
    assert f'"{field}":{value}' in find(reader, TASK, task).text


@pytest.mark.parametrize("value", ["9223372036854775808", "-9223372036854775809", "1.0", "1e3",
                                   "1" * 30])
def test_an_integer_beyond_64_bits_is_refused_and_not_rounded(writer, new_id, value):
    assert_refused(create(writer, TASK, new_id(), f'"priority":{value}'), "-200", "priority")


def test_a_boolean_may_be_null(writer, reader, new_id):
    task = new_id("task")
    create(writer, TASK, task, '"done":true')
    put(writer, TASK, task, '"done":null')
    assert find(reader, TASK, task)["result"]["done"] is None


def test_a_value_of_a_megabyte_survives(writer, reader, new_id):
    note, body = new_id("note"), '"' + "x" * 1_000_000 + '"'
    create(writer, NOTE, note, f'"body":{body}')
    assert f'"body":{body}' in find(reader, NOTE, note).text
