"""Many objects at once, as if the agents had created them: by the agents' own Lua code, a step of
many objects each, without anybody who watches them."""

from servers import ROOT, wait_until
from store import now_ms, object_key

LUA = ROOT / "agents/runtime/lua"
PER_STEP = 1000
PER_GROUP = 10  # objects that an example finds
TITLE = "An object of the benchmark"

FILL = """
local class, now, title = arg(), arg(), arg()
local first, behind, per_group = arg_number(), arg_number(), arg_number()
local lineage = { numeric = false, history = 0, names = { class } }
local indexes = { { owner = class, columns = 'group', name = 'group', unique = false } }
for i = first, behind - 1 do
  object_create(lineage, string.format('%d', i), now, {
    'title', title, '', 'number', string.format('%d', i), '',
    'group', string.format('"%d"', math.floor(i / per_group)), '' }, indexes)
end
"""


def fields(number):
    """Those of the object with this ID."""
    return {"title": TITLE, "number": number, "group": str(number // PER_GROUP)}


def fill(redis, class_name, first, count):
    """Makes the objects with these numbers, which are their IDs."""
    parts = ("keys", "index", "reference", "object")
    script = redis.register_script(
        "\n".join((LUA / f"{part}.lua").read_text() for part in parts) + FILL)
    for start in range(first, first + count, PER_STEP):
        behind = min(start + PER_STEP, first + count)
        script(args=[class_name, now_ms(), f'"{TITLE}"', start, behind, PER_GROUP])


def expect_alike(redis, ref, other):
    """The store has the same of both objects, but for their times, IDs and numbers."""
    wait_until(lambda: _stored(redis, ref) == _stored(redis, other), 30,
               f"{other} is stored like {ref}: {_stored(redis, ref)}")


def _stored(redis, ref):
    """All keys that are an object's own, and the lists that it is in, as they would be of any."""
    class_name, number = ref.split(":")
    keys = [key.removeprefix(object_key(ref)) for key in redis.scan_iter(object_key(ref) + "*")]
    values = {field: value.split(" ", 2)[2] if " " in value else value
              for field, value in redis.hgetall(object_key(ref)).items()}
    listed = [redis.zscore(key, f"{number}\n{class_name}")
              for key in [f"{{k:{class_name}}}:ids", *values["@x"].split("\n")]]
    return (sorted(keys), sorted(values), values["title"], values["number"] == number,
            values["group"] == f'"{int(number) // PER_GROUP}"', values["@v"], listed)
