"""activestack-ctl, as an operator uses it."""

import json
import re
import subprocess

import pytest
from stack import BUILD, PROVIDER, SANITIZERS

CTL = BUILD / "deploy/ctl/activestack-ctl"
TASK = "com.app.mo.Task"


def converse(stack, line, *words):
    """Exit code, frames and standard error of a conversation in which one line is said; the input ends when
    that has an answer."""
    with subprocess.Popen([CTL, "connect", "--url", stack.gateways[0].url, "--login", PROVIDER,
                           stack.credential("ada"), *words], env=SANITIZERS, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdin.write(line)
        running.stdin.flush()
        frames = []
        while not frames or "1" not in (frames[-1].get("id"), frames[-1].get("correspondingMessageId")):
            frames.append(json.loads(running.stdout.readline()))
        out, err = running.communicate(timeout=60)
    return running.returncode, frames + [json.loads(line) for line in out.splitlines()], err


def ctl(*words, stdin=""):
    """(exit code, standard output, standard error)"""
    ended = subprocess.run([CTL, *map(str, words)], input=stdin, text=True, timeout=60,
                           env=SANITIZERS, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize("words", [(), ("dance",), ("operations", "x"), ("connect", "--dance"),
                                   ("check-config", "a", "b"), ("reference",),
                                   ("reference", "x")])
def test_what_it_does_not_understand_it_does_not_do(words):
    code, out, err = ctl(*words)
    assert code == 2 and out == "" and err


def test_operations_prints_the_table():
    code, out, _ = ctl("operations")
    rows = [line.split() for line in out.splitlines()]
    assert code == 0
    assert ["findById", "-", "sync", "client", "yes", "no"] in [row[:6] for row in rows]
    assert ["patch_content", "-", "content", "yes", "yes", "patch_content", "request", "->",
            "result"] in [row[:2] + row[3:] for row in rows]


@pytest.mark.parametrize("text", ["secret", "secret\n"])
def test_a_password_is_hashed_with_a_salt_of_its_own(text):
    first, second = ctl("hash-password", stdin=text), ctl("hash-password", stdin=text)
    assert first[0] == second[0] == 0
    assert re.fullmatch(r"\$argon2id\$\S+\n", first[1])
    assert first[1] != second[1]


def test_no_password_has_no_hash():
    code, out, err = ctl("hash-password", stdin="")
    assert (code, out) == (2, "") and "password" in err


def test_a_configuration_is_checked_for_all_programs(stack):
    assert ctl("check-config", stack.config) == (0, "ok\n", "")


def test_every_mistake_is_told_with_its_place(stack, tmp_path):
    wrong = tmp_path / "wrong.conf"
    wrong.write_text(stack.config.read_text() + "gateway.port = 70000\nno.such = key\n")
    code, out, err = ctl("check-config", wrong)
    assert code == 1 and out == ""
    assert "gateway.port" in err and "no.such" in err and f"{wrong}:" in err


def test_a_redis_that_may_lose_data_is_refused(stack):
    redis = stack.redis()
    assert ctl("check-config", "--live", stack.config)[0] == 0
    redis.config_set("appendfsync", "everysec")
    try:
        code, _, err = ctl("check-config", "--live", stack.config)
        assert code == 1 and "appendfsync everysec, expected always" in err
    finally:
        redis.config_set("appendfsync", "always")


def test_a_redis_that_is_not_there_cannot_be_judged(stack, tmp_path):
    config = tmp_path / "away.conf"
    config.write_text(re.sub("(?m)^redis.url = .*", "redis.url = redis://127.0.0.1:1/0",
                             stack.config.read_text()))
    code, _, err = ctl("check-config", "--live", config)
    assert code == 2 and "cannot be reached" in err


def test_lines_become_frames_and_frames_lines(stack, new_id):
    request = {"cn": "com.percero.agents.sync.vo.CreateRequest", "messageId": "1",
               "theObject": {"cn": TASK, "ID": new_id("task"), "title": "Grüße"}}
    code, frames, err = converse(stack, json.dumps(request, ensure_ascii=False) + "\n")
    assert (code, err) == (0, "")
    assert "gatewayConnectAck" in frames[0]
    assert frames[-1]["correspondingMessageId"] == "1"
    assert frames[-1]["theObject"]["title"] == "Grüße"


def test_large_messages_go_both_ways(stack, new_id):
    title = "x" * 300_000
    request = {"cn": "com.percero.agents.sync.vo.CreateRequest", "messageId": "1",
               "theObject": {"cn": TASK, "ID": new_id("task"), "title": title}}
    code, frames, _ = converse(stack, json.dumps(request) + "\n")
    assert code == 0
    assert frames[-1]["theObject"]["title"] == title


def test_what_stands_behind_the_last_line_is_said_too(stack):
    code, _, err = ctl("connect", "--url", stack.gateways[0].url, "--stay", "60", stdin="{not JSON")
    assert code == 1 and err.startswith("closed: 1007")


def test_the_content_protocol_is_spoken_too(stack):
    request = {"type": "request", "id": "1", "cls": "get_content",
               "data": {"key": {"type": "unit", "id": 1}}}
    code, frames, err = converse(stack, json.dumps(request) + "\n", "--content")
    assert (code, err) == (0, "")
    assert (frames[0]["cls"], frames[0]["status"]) == ("login", 200)
    assert frames[-1]["data"]["content"] == {"name": "Home"}


@pytest.mark.parametrize("protocol", [(), ("--content",)])
def test_a_refused_login_is_told(stack, protocol):
    code, _, err = ctl("connect", *protocol, "--url", stack.gateways[0].url, "--login", PROVIDER,
                       "ada:wrong")
    assert code == 1 and "refused" in err


def test_a_close_of_the_gateway_is_told(stack):
    code, _, err = ctl("connect", "--url", stack.gateways[0].url, "--stay", "60", stdin="{not JSON\n")
    assert code == 1 and err.startswith("closed: 1007")


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1", "http://127.0.0.1", "ws://", "ws://:1"])
def test_an_address_that_leads_nowhere_is_told(url):
    code, out, err = ctl("connect", "--url", url)
    assert code == 2 and out == "" and url in err
