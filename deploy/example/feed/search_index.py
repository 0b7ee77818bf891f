#!/usr/bin/python3
"""A search index of tasks and notes, kept up to date by the change feed (README.md beside this).

    search_index.py --database index.db bind              the broker keeps changes from now on
    search_index.py --database index.db load FILE         what an export says of everything before
    search_index.py --database index.db listen            follows the changes, until it is ended
    search_index.py --database index.db find WORD...      the objects that have all these words

The broker is that of the variable AMQP_URL, or of --amqp. Needs python3-pika.
"""

import argparse
import json
import os
import signal
import sqlite3
import sys

import pika

EXCHANGE, QUEUE = "changes", "feed.search"
CLASSES = ("com.app.mo.Task", "com.app.mo.Note")
BATCH = 100     # changes that become safe together
PAUSE_S = 0.2   # without a change, after which those that there are become safe

TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    number INTEGER PRIMARY KEY, class TEXT NOT NULL, id TEXT NOT NULL,
    version INTEGER NOT NULL, time INTEGER NOT NULL, removed INTEGER NOT NULL,
    UNIQUE (class, id));
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(title, text, body);
"""


class Index:
    """What is known of each object, and the words of those that there are."""

    def __init__(self, path):
        self.database = sqlite3.connect(path)
        self.database.executescript(TABLES)

    def commit(self):
        self.database.commit()

    def _is_news(self, known, version, time, removed):
        """Changes come more than once, and now and then late: the version says which is newer. One
        that was removed, and is made anew, begins with the first version again, but later."""
        if known is None:
            return True
        _, known_version, known_time, was_removed = known
        if was_removed and not removed:
            return time > known_time
        return version > known_version

    def note(self, class_name, object_id, version, time, state):
        """Takes in one change; `state` is the object, None if it is gone."""
        known = self.database.execute(
            "SELECT number, version, time, removed FROM objects WHERE class = ? AND id = ?",
            (class_name, object_id)).fetchone()
        if not self._is_news(known, version, time, state is None):
            return
        number = self.database.execute(
            "INSERT INTO objects (class, id, version, time, removed) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (class, id) DO UPDATE SET"
            " version = excluded.version, time = excluded.time, removed = excluded.removed"
            " RETURNING number",
            (class_name, object_id, version, time, state is None)).fetchone()[0]
        self.database.execute("DELETE FROM words WHERE rowid = ?", (number,))
        if state is not None:
            body = state.get("body")
            self.database.execute(
                "INSERT INTO words (rowid, title, text, body) VALUES (?, ?, ?, ?)",
                (number, state.get("title"), state.get("text"),
                 None if body is None else json.dumps(body, ensure_ascii=False)))

    def find(self, words):
        """(class, id, title) of the objects that have all of the words, the best ones first."""
        return self.database.execute(
            "SELECT class, id, words.title FROM words JOIN objects ON number = words.rowid"
            " WHERE words MATCH ? ORDER BY rank",
            (" ".join('"' + word.replace('"', '""') + '"' for word in words),)).fetchall()


def connect(url):
    """A channel on which the queue is bound to the changes of our classes. The exchange is made by
    the agents; that it is missing means that sync.change_feed is off."""
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.exchange_declare(EXCHANGE, passive=True)
    channel.queue_declare(QUEUE, durable=True)
    for class_name in CLASSES:
        channel.queue_bind(QUEUE, EXCHANGE, f"{class_name}.*")
    return channel


def bind(arguments):
    connect(arguments.amqp).connection.close()


def load(arguments):
    index = Index(arguments.database)
    with open(arguments.file, encoding="utf-8") as lines:
        for line in lines:
            state = json.loads(line)
            if state["cn"] in CLASSES:
                index.note(state["cn"], state["ID"], state["@version"], state["@created"], state)
    index.commit()


def listen(arguments):
    """A change is acknowledged when the index has it for sure."""
    index, channel = Index(arguments.database), connect(arguments.amqp)
    channel.basic_qos(prefetch_count=BATCH)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    last, count = None, 0
    for method, _, body in channel.consume(QUEUE, inactivity_timeout=PAUSE_S):
        if method:
            change = json.loads(body)
            index.note(change["className"], change["ID"], change["version"], change["time"],
                       change["object"])
            last, count = method.delivery_tag, count + 1
        if count and (not method or count >= BATCH):
            index.commit()
            channel.basic_ack(last, multiple=True)
            count = 0


def find(arguments):
    for class_name, object_id, title in Index(arguments.database).find(arguments.words):
        print(f"{class_name} {object_id}\t{title or ''}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", required=True)
    parser.add_argument("--amqp", default=os.environ.get("AMQP_URL"))
    commands = parser.add_subparsers(required=True)
    commands.add_parser("bind").set_defaults(run=bind)
    loading = commands.add_parser("load")
    loading.add_argument("file")
    loading.set_defaults(run=load)
    commands.add_parser("listen").set_defaults(run=listen)
    finding = commands.add_parser("find")
    finding.add_argument("words", nargs="+", metavar="WORD")
    finding.set_defaults(run=find)
    arguments = parser.parse_args()
    if arguments.run in (bind, listen) and not arguments.amqp:
        parser.error("neither --amqp nor AMQP_URL names the broker")
    arguments.run(arguments)


if __name__ == "__main__":
    main()
