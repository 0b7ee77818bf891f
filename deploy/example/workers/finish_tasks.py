#!/usr/bin/env python3
"""finishTasks: marks Tasks of the example domain as done, with the rights of whoever calls.

    {"tasks": ["<ID>", ...]}   ->   {"finished": 2, "missing": ["<ID>"]}

Run it with AMQP_URL set. The process is declared with "actsForCaller": true.
"""

import os

from activestack import Failed, Worker

TASK = "com.app.mo.Task"


def finish(call):
    tasks = call.arguments.get("tasks") if isinstance(call.arguments, dict) else None
    if not isinstance(tasks, list) or not all(isinstance(task, str) for task in tasks):
        raise Failed('expected {"tasks": [IDs]}')
    finished, missing = 0, []
    for i, task in enumerate(tasks, 1):
        found = call.ask("findById", theClassName=TASK, theClassId=task)["result"]
        if found is None:
            missing.append(task)
            continue
        done = call.ask("putObject", theObject={"cn": TASK, "ID": task, "done": True})
        if not done["result"]:
            raise Failed(f"{task} could not be changed: {done['data']['message']}")
        finished += 1
        call.progress({"done": i, "of": len(tasks)})
    return {"finished": finished, "missing": missing}


if __name__ == "__main__":
    Worker(os.environ["AMQP_URL"], "finishTasks", finish).run()
