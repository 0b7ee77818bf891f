"""refusals: does the time of a refused login tell whether there is such a user?

One login at a time, in pairs: of a user that there is, with a wrong password, and of one that there is
not; of what is right too, and twice of what is wrong, whose ratio is the noise.
"""

import random
import statistics
import time

from client import Client
from content_client import ContentClient, code_of
from rig import SETTINGS
from stack import PASSWORD, PROVIDER, Stack

BASIC = "activestack:basic"
ROUNDS_PER_SECOND = 8
MANY = 1_000_000_000
NOISE = "wrong password again"
CASES = {"wrong password": ("ada", PASSWORD + "?"), NOISE: ("ada", "?" + PASSWORD),
         "unknown user": ("nobody", PASSWORD)}


def activestack(provider, client, name, password):
    response = client.request("authenticate", authProvider=provider, credential=f"{name}:{password}")
    assert response["result"] is None and response["statusCode"] in (402, 433), response
    return response["statusCode"], response["message"]


def content(client, name, password):
    return code_of(client.request("login", username=name, password=password))


def ways(stack):
    """Name -> (a client, how it tries), of each way to log in with a password."""
    url = stack.gateways[0].url
    file_name = stack.credential("ada").split(":")[0]
    enroll(url)
    return {
        "file": (Client(url).connect(), lambda c, *who: activestack(PROVIDER, c, *who), file_name),
        "basic": (Client(url).connect(), lambda c, *who: activestack(BASIC, c, *who), "ada"),
        "content": (ContentClient(url), content, file_name),
    }


def enroll(url):
    with Client(url) as client:
        client.connect()
        credential = ('{"username": "ada", "password": "%s", "metadata": {"firstName": "Ada", '
                      '"lastName": "Example", "email": "ada@example.org"}}' % PASSWORD)
        response = client.request("register", event=True, authProvider=BASIC, credential=credential)
        assert response["statusCode"] == 200, response


def refusals(outer, seconds):
    settings = {**SETTINGS, "auth.providers": "file,basic", "auth.max_failed_logins": MANY,
                "auth.max_failed_logins_per_address": MANY}
    with Stack(outer.servers, settings=settings) as stack:
        print(f"\nrefusals: logins one after another, {seconds * ROUNDS_PER_SECOND} of each in turn; "
              f"medians in ms, and the ratio to a wrong password\n\n"
              f"{'':<10}" + "".join(f"{case:>22}" for case in CASES))
        for name, (client, attempt, there) in ways(stack).items():
            with client:
                show(name, measure(client, attempt, there, seconds * ROUNDS_PER_SECOND))


def measure(client, attempt, there, rounds):
    times, answers = {case: [] for case in CASES}, set()
    for _ in range(rounds):
        for case in random.sample(list(CASES), len(CASES)):
            name, password = CASES[case]
            begun = time.monotonic()
            answers.add(attempt(client, there if name == "ada" else name + there[3:], password))
            times[case].append((time.monotonic() - begun) * 1e3)
    assert len(answers) == 1, f"the answer tells which part was wrong: {answers}"
    return times


def show(name, times):
    medians = {case: statistics.median(values) for case, values in times.items()}
    first = medians["wrong password"]
    print(f"{name:<10}" + "".join(f"{ms:14.2f} ({ms / first:.3f})" for ms in medians.values()), flush=True)
