-- What the example process SQL_PROC:add calls (processes.json beside this file).
CREATE FUNCTION add(a integer, b integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN a + b;
