#include "common/json/json_patch.h"

#include "common/json/json_equal.h"
#include "common/json/json_members.h"
#include "common/json/json_patch_private.h"
#include "common/json/json_pointer.h"

static void operation_deinit(struct operation *o)
{
    text_deinit(&o->path);
    text_deinit(&o->from);
}

static void patching_deinit(struct patching *p)
{
    json_tree_deinit(&p->tree);
}

/* ---- What operations are made of ---- */

static enum err check_depth(struct patching *p, struct json_span pointer, struct json_node value)
{
    const size_t above = json_pointer_depth(pointer), most = p->limits->depth;

    if (above <= most && json_tree_fits(&p->tree, &value, most - above))
        return ERR_OK;
    return json_patch_fail(p, ERR_RANGE, "the document would be nested too deep");
}

/* "add" (section 4.1): into an array, as a new member, or in place of the one with that name. */
static enum err put(struct patching *p, struct json_span pointer, struct json_node value)
{
    _cleanup_(text_deinitp) struct text key = {0};
    struct json_entry entry = {.value = value};
    struct place place;
    enum err e = ERR_OK;

    if (pointer.size > 0)
        e = json_patch_find_place(p, pointer, &key, &place);
    if (!e)
        e = check_depth(p, pointer, value);
    if (e)
        return e;
    if (pointer.size == 0) {
        json_tree_replace(&p->tree, &p->tree.root, value);
        return ERR_OK;
    }
    if (place.in->is_object && place.index < place.in->count) {
        json_tree_replace(&p->tree, &place.in->entries[place.index].value, value);
        return ERR_OK;
    }
    if (place.in->is_object)
        entry.key = json_span_text(&key);
    json_tree_insert(&p->tree, place.in, place.index, entry);
    return ERR_OK;
}

static enum err take(struct patching *p, struct json_span pointer, struct json_node *out)
{
    _cleanup_(text_deinitp) struct text key = {0};
    struct place place;
    enum err e;

    if (pointer.size == 0)
        return json_patch_fail(p, ERR_NOT_FOUND, "the whole document cannot be removed");
    e = json_patch_find_place(p, pointer, &key, &place);
    if (e)
        return e;
    if (place.index == place.in->count)
        return json_patch_fail_at(p, "nothing is at ", pointer, "");
    *out = json_tree_take(&p->tree, place.in, place.index);
    return ERR_OK;
}

/* ---- The operations ---- */

static enum err run_add(struct patching *p, const struct operation *o)
{
    return put(p, json_span_text(&o->path), (struct json_node){.text = o->value});
}

static enum err run_remove(struct patching *p, const struct operation *o)
{
    struct json_node removed;

    return take(p, json_span_text(&o->path), &removed);
}

static enum err run_replace(struct patching *p, const struct operation *o)
{
    const struct json_node value = {.text = o->value};
    struct json_node *place;
    enum err e = json_patch_find(p, json_span_text(&o->path), &place);

    if (!e)
        e = check_depth(p, json_span_text(&o->path), value);
    if (!e)
        json_tree_replace(&p->tree, place, value);
    return e;
}

static enum err run_move(struct patching *p, const struct operation *o)
{
    const struct json_span from = json_span_text(&o->from), path = json_span_text(&o->path);
    struct json_node value = {0}, *place;
    enum err e;

    if (json_same_text(from, path))
        return json_patch_find(p, from, &place);
    if (json_pointer_is_inside(path, from))
        return json_patch_fail_at(p, "", from, " cannot be moved into itself");
    e = take(p, from, &value);
    return e ? e : put(p, path, value);
}

/* Both values share one text until somebody looks inside. */
static enum err run_copy(struct patching *p, const struct operation *o)
{
    struct json_node *original;
    enum err e = json_patch_find(p, json_span_text(&o->from), &original);

    if (e)
        return e;
    return put(p, json_span_text(&o->path),
               (struct json_node){.text = json_tree_close(&p->tree, original)});
}

static enum err run_test(struct patching *p, const struct operation *o)
{
    _cleanup_(text_deinitp) struct text text = {0};
    struct json_node *node;
    enum err e = json_patch_find(p, json_span_text(&o->path), &node);

    if (e)
        return e;
    json_node_write(node, &text);
    p->tree.work += text.size;
    if (!json_equal(json_span_text(&text), o->value, &p->tree.work))
        return json_patch_fail(p, ERR_NOT_FOUND, "the value is another one");
    return ERR_OK;
}

static const struct verb verbs[] = {
    // clang-format off
    /*            from   value             */
    { "add",      false, true,  run_add     },
    { "copy",     true,  false, run_copy    },
    { "move",     true,  false, run_move    },
    { "remove",   false, false, run_remove  },
    { "replace",  false, true,  run_replace },
    { "test",     false, true,  run_test    },
    // clang-format on
};

/* ---- Reading a patch ---- */

static enum err read_member(struct patching *p, struct json_span item, const char *name,
                            struct json_span *out)
{
    size_t count;

    *out = json_member(item, name, &count);
    if (count == 1)
        return ERR_OK;
    text_addf(json_patch_blame(p), count == 0 ? "\"%s\" is missing" : "\"%s\" stands there twice",
              name);
    return ERR_MALFORMED;
}

static enum err read_pointer(struct patching *p, struct json_span item, const char *name,
                             struct text *out)
{
    struct json_span string;
    const char *fault;
    enum err e = read_member(p, item, name, &string);

    if (e)
        return e;
    fault = json_decode(string, out) ? "is no string" : json_pointer_fault(json_span_text(out));
    if (!fault)
        return ERR_OK;
    text_addf(json_patch_blame(p), "\"%s\": %s", name, fault);
    return ERR_MALFORMED;
}

static enum err read_verb(struct patching *p, struct json_span item, const struct verb **out)
{
    struct json_span name;
    enum err e;

    if (json_kind(item) != JSON_OBJECT)
        return json_patch_fail(p, ERR_MALFORMED, "an operation is an object");
    e = read_member(p, item, "op", &name);
    if (e)
        return e;
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        if (json_string_is(name, verbs[i].name)) {
            *out = &verbs[i];
            return ERR_OK;
        }
    }
    return json_patch_fail(p, ERR_MALFORMED,
                           "\"op\" is none of add, copy, move, remove, replace, test");
}

static enum err read_operation(struct patching *p, struct json_span item, struct operation *o)
{
    const struct verb *verb = NULL;
    enum err e = read_verb(p, item, &verb);

    if (!e)
        e = read_pointer(p, item, "path", &o->path);
    if (e)
        return e;
    o->verb = verb;
    if (verb->needs_from)
        e = read_pointer(p, item, "from", &o->from);
    if (!e && verb->needs_value)
        e = read_member(p, item, "value", &o->value);
    return e;
}

/* ---- Applying it ---- */

static enum err check_before(struct patching *p)
{
    if (p->index >= p->limits->operations)
        return json_patch_fail(p, ERR_RANGE, "a patch may not have so many operations");
    if (p->tree.work > p->limits->work)
        return json_patch_fail(p, ERR_RANGE, "the operations before this one were too much work");
    return ERR_OK;
}

static enum err apply_one(struct patching *p, struct json_span item)
{
    _cleanup_(operation_deinit) struct operation o = {0};
    const size_t size = p->tree.size;
    enum err e;

    p->now = &o;
    e = check_before(p);
    if (!e)
        e = read_operation(p, item, &o);
    if (!e)
        e = o.verb->run(p, &o);
    if (!e && p->tree.size > size && p->tree.size > p->limits->size)
        e = json_patch_fail(p, ERR_RANGE, "the document would be too long");
    p->now = NULL;
    return e;
}

static enum err apply_all(struct patching *p, struct json_span patch)
{
    struct json_walk w = json_walk(patch);
    enum err e = ERR_OK;

    if (json_kind(patch) != JSON_ARRAY)
        return apply_one(p, patch);
    for (; !e && json_next(&w); p->index++)
        e = apply_one(p, w.value);
    return e;
}

enum err json_patch_apply(struct json_span document, struct json_span patch,
                          const struct json_patch_limits *limits, struct text *out,
                          struct text *problem)
{
    _cleanup_(text_deinitp) struct text before = {0}, operations = {0};
    _cleanup_(patching_deinit) struct patching p = {.limits = limits, .problem = problem};
    enum err e;

    json_add_canonical(&before, document);
    json_add_canonical(&operations, patch);
    json_tree_init(&p.tree, json_span_text(&before));
    e = apply_all(&p, json_span_text(&operations));
    if (!e)
        json_node_write(&p.tree.root, out);
    return e;
}
