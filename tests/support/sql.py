"""The database of the tests of SQL_PROC, and how its procedures are declared."""

SCHEMA = """
CREATE SCHEMA shop;
CREATE TABLE shop.note (id bigserial PRIMARY KEY, body text NOT NULL CHECK (body <> 'refused'));
CREATE TABLE shop.pair (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);

CREATE FUNCTION shop.add(a integer, b integer) RETURNS integer LANGUAGE sql AS 'SELECT a + b';
CREATE FUNCTION shop.split(n integer, d integer, OUT quotient integer, OUT rest integer)
    LANGUAGE sql AS 'SELECT n / d, n % d';
CREATE PROCEDURE shop.double(INOUT n bigint, IN times smallint, OUT said text)
    LANGUAGE plpgsql AS $$ BEGIN n := n * times; said := 'times ' || times; END $$;
CREATE PROCEDURE shop.keep(body text) LANGUAGE sql AS 'INSERT INTO shop.note (body) VALUES ($1)';
CREATE PROCEDURE shop.keep_slowly(body text, seconds double precision) LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO shop.note (body) VALUES ($1); PERFORM pg_sleep($2); END $$;
CREATE FUNCTION shop.keep_rows(body text, n integer) RETURNS SETOF integer LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO shop.note (body) VALUES ($1); RETURN QUERY SELECT generate_series(1, n); END $$;
CREATE PROCEDURE shop.twice(id integer) LANGUAGE sql
    AS 'INSERT INTO shop.pair VALUES ($1); INSERT INTO shop.pair VALUES ($1)';
CREATE PROCEDURE shop.raise(words text, state text) LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '%', words USING ERRCODE = state, DETAIL = 'a detail that holds values',
        HINT = 'a hint'; END $$;
CREATE PROCEDURE shop.commits() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$;
CREATE PROCEDURE shop.says() LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'heard by nobody'; END $$;
CREATE FUNCTION shop.series(n integer) RETURNS TABLE (i integer, square numeric, even boolean)
    LANGUAGE sql AS 'SELECT k, (k * k)::numeric, k % 2 = 0 FROM generate_series(1, n) k';
CREATE FUNCTION shop.nothing() RETURNS void LANGUAGE sql AS '';
CREATE FUNCTION shop.sleep(seconds double precision) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(seconds); RETURN 'awake'; END $$;
CREATE FUNCTION shop.key(call uuid, seconds double precision) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN PERFORM set_config('application_name', 'key ' || call, true); -- for others to see
        PERFORM pg_sleep(seconds); RETURN call; END $$;
CREATE FUNCTION shop.backend() RETURNS integer LANGUAGE sql AS 'SELECT pg_backend_pid()';
CREATE FUNCTION shop.big(n integer) RETURNS text LANGUAGE sql AS $$ SELECT repeat('x', n) $$;
CREATE FUNCTION shop.spoil() RETURNS text LANGUAGE plpgsql AS $$
    BEGIN SET DateStyle = 'German'; SET TimeZone = 'Asia/Tokyo'; SET bytea_output = 'escape';
        RETURN 'done'; END $$;
CREATE TYPE shop.colour AS ENUM ('red', 'green');
CREATE FUNCTION shop.colour() RETURNS shop.colour LANGUAGE sql AS $$ SELECT 'red'::shop.colour $$;
"""

# Types whose functions give back what they get: shop.same_<type>(v), and shop.list_<type>(v[]).
SAME = {
    "smallint": "smallint", "integer": "integer", "bigint": "bigint", "numeric": "numeric",
    "real": "real", "double": "double precision", "boolean": "boolean", "text": "text",
    "varchar": "varchar", "date": "date", "time": "time", "timestamp": "timestamp",
    "timestamptz": "timestamptz", "uuid": "uuid", "json": "json", "jsonb": "jsonb", "bytea": "bytea",
    "tinyint": "smallint", "decimal": "numeric", "blob": "bytea", "bit": "boolean",
}


def same_functions():
    def function(name, sql_type):
        return (f"CREATE FUNCTION shop.{name}(v {sql_type}, OUT r {sql_type}) LANGUAGE sql "
                "AS 'SELECT v';\n")

    return "".join(function(f"same_{name}", sql) + function(f"list_{name}", sql + "[]")
                   for name, sql in SAME.items())


def parameter(name, type_name, direction="IN"):
    return {"name": name, "type": type_name, "direction": direction}


def row(call, name, *parameters, database="main", **members):
    """A procedure or function of the schema, that everybody may run."""
    return {"run": "everyone", "deadlineMs": 60000, "database": database, "call": call,
            "name": f"shop.{name}", "parameters": list(parameters), **members}


def procedures():
    """All procedures of the schema, and some twice, with other limits or in other databases."""
    text, integer, double = "text", "integer", "double"
    split = parameter("n", integer), parameter("d", integer)
    rows = {
        "add": row("function", "add", parameter("a", integer), parameter("b", integer)),
        "split": row("function", "split", *split, parameter("quotient", integer, "OUT"),
                     parameter("rest", integer, "OUT")),
        "double": row("procedure", "double", parameter("n", "bigint", "INOUT"),
                      parameter("times", "smallint"), parameter("said", text, "OUT")),
        "keep": row("procedure", "keep", parameter("body", text)),
        "keepSlowly": row("procedure", "keep_slowly", parameter("body", text),
                          parameter("seconds", double), timeoutMs=500),
        "keepRows": row("function", "keep_rows", parameter("body", text), parameter("n", integer),
                        rows=True, maxRows=10),
        "twice": row("procedure", "twice", parameter("id", integer)),
        "raise": row("procedure", "raise", parameter("words", text), parameter("state", text)),
        "commits": row("procedure", "commits"),
        "says": row("procedure", "says"),
        "absent": row("procedure", "absent"),
        "series": row("function", "series", parameter("n", integer), rows=True, maxRows=100),
        "oneRow": row("function", "series", parameter("n", integer)),
        "nothing": row("function", "nothing"),
        "sleep": row("function", "sleep", parameter("seconds", double)),
        "sleepBriefly": row("function", "sleep", parameter("seconds", double), deadlineMs=700),
        "key": row("function", "key", {"name": "call", "type": "uuid", "value": "@call"},
                   parameter("seconds", double)),
        "backend": row("function", "backend"),
        "big": row("function", "big", parameter("n", integer), maxBytes=1000),
        "spoil": row("function", "spoil"),
        "colour": row("function", "colour"),
        "wrongOut": row("function", "split", *split, parameter("quotient", text, "OUT"),
                        parameter("rest", integer, "OUT")),
        "lessOut": row("function", "split", *split, parameter("quotient", integer, "OUT")),
        "nap": row("function", "sleep", parameter("seconds", double), database="single"),
        "hurry": row("function", "backend", database="single", timeoutMs=300),
        "gatedAdd": row("function", "add", parameter("a", integer), parameter("b", integer),
                        database="gated", timeoutMs=800),
        "gatedKeep": row("procedure", "keep", parameter("body", text), database="gated",
                         timeoutMs=800),
        "nobody": row("function", "backend", database="nobody"),
        "nowhere": row("function", "backend", database="nowhere"),
    }
    for name in SAME:
        for kind, suffix in (("same", ""), ("list", "[]")):
            rows[f"{kind}.{name}"] = row("function", f"{kind}_{name}", parameter("v", name + suffix),
                                         parameter("r", name + suffix, "OUT"))
    return rows
