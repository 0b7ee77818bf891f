#!/usr/bin/env python3
"""A service: gives Tasks of the example domain that are overdue the priority 1, every so often.

It logs in as a user of its own (SERVICE_CREDENTIAL, "name:password" of the users file), who may have
roles of its own. Run it with AMQP_URL set:

    ./escalate.py 60        every 60 seconds
    ./escalate.py           once
"""

import os
import sys
import time

from activestack import Service

TASK = "com.app.mo.Task"


def escalate(service):
    """Returns how many Tasks were changed."""
    now, changed = int(time.time() * 1000), 0
    tasks = service.ask("getAllByName", theClassName=TASK)["result"]
    for task in tasks:
        if not task["done"] and task["due"] and task["due"] < now and task["priority"] != 1:
            put = service.ask("putObject", theObject={"cn": TASK, "ID": task["ID"], "priority": 1})
            changed += put["result"]
    return changed


def main():
    url, credential = os.environ["AMQP_URL"], os.environ["SERVICE_CREDENTIAL"]
    pause = float(sys.argv[1]) if len(sys.argv) > 1 else None
    while True:
        with Service(url, "file", credential, "escalate") as service:
            print(f"{escalate(service)} tasks escalated", flush=True)
        if pause is None:
            return
        time.sleep(pause)


if __name__ == "__main__":
    main()
