#include <string.h>

#include "common/model/model.h"
#include "common/model/model_watch.h"
#include "tests/support/unit.h"

/*
 * Rules of classes and fields: what becomes of them, and what is refused.
 *
 * Users are U, with the id in `u`. A is what the rules are about: AA is a descendant of it. T is a
 * team with members; M joins a team and a user. R has no type, C shows A's.
 */

#define MODEL                                                                                      \
    "{'classes':{'U':{'type':'u','id':'integer','anchor':'u','fields':{'u':{'type':'string'%s},"   \
    "'boss':{'type':'toOne','target':'U'},'secret':{'type':'string','access':{'read':'nobody'}}}," \
    "'access':{'read':'signedIn'}},"                                                               \
    "'T':{'fields':{'who':{'type':'list','target':'U','column':'w'},'name':{'type':'string'},"     \
    "'n':{'type':'integer'},'seats':{'type':'toMany','target':'U','inverse':'t','through':'M',"    \
    "'onward':'p'},'as':{'type':'toMany','target':'A','inverse':'team'}}},"                        \
    "'M':{'fields':{'t':{'type':'toOne','target':'T'},'p':{'type':'toOne','target':'U'}}},"        \
    "'A':{'type':'a','fields':{'team':{'type':'toOne','target':'T','column':'tm'},"                \
    "'mine':{'type':'toOne','target':'U'},'any':{'type':'list','target':['U','T']},"               \
    "'id':{'type':'string'},'made':{'type':'date','readOnly':true},'f':{'type':'integer'%s}},"     \
    "'access':{%s}%s},"                                                                            \
    "'AA':{'parent':'A'}%s}}"

/* What a model has beside that: of U's id, of A's field f, A's rules, A itself, other classes. */
struct parts {
    const char *anchor, *field, *access, *more, *classes;
};

#define OR_NOTHING(text) ((text) ? (text) : "")

static enum err parse(const struct parts *parts, struct model **out, struct text *problems)
{
    _cleanup_(text_deinitp) struct text json = {0};

    text_addf(&json, MODEL, OR_NOTHING(parts->anchor), OR_NOTHING(parts->field),
              OR_NOTHING(parts->access), OR_NOTHING(parts->more), OR_NOTHING(parts->classes));
    for (char *at = json.at; *at; at++) {
        if (*at == '\'')
            *at = '"';
    }
    return model_parse("model", &json, out, problems);
}

static struct model *load(const struct parts *parts)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct model *model = NULL;

    ck_assert_msg(parse(parts, &model, &problems) == ERR_OK, "%s", text_str(&problems));
    return model;
}

#define LOADED(...) \
    _cleanup_(model_destroyp) struct model *model = load(&(struct parts){__VA_ARGS__})

static const struct model_class *class_of(const struct model *model, const char *name)
{
    return model_class(model, name, strlen(name));
}

static const struct model_field *field_of(const struct model *model, const char *class_name,
                                          const char *name)
{
    return model_field(class_of(model, class_name), name, strlen(name));
}

/* ---- Texts ---- */

static const struct {
    const char *rule, *text;
    bool restricts;
} rules[] = {
    // clang-format off
    {"'nobody'", "nobody", true},
    {"'everyone'", "everyone", false},
    {"'signedIn'", "signedIn", false},
    {"{'owner':'mine'}", "owner:mine", true},
    {"{'owner':'@user'}", "owner:@u", true},
    {"{'role':'chief.editor'}", "role:chief.editor", true},
    /* any of several */
    {"[{'role':'editor'}]", "role:editor", true},
    {"[{'role':'editor'},{'owner':'id'},'nobody']", "role:editor|owner:id|nobody", true},
    {"[{'role':'editor'},'signedIn']", "signedIn", false},
    {"['signedIn','everyone']", "everyone", false},
    {"['nobody','nobody','nobody','nobody','nobody','nobody','nobody','nobody']",
     "nobody|nobody|nobody|nobody|nobody|nobody|nobody|nobody", true},
    /* paths */
    {"{'path':['mine']}", "1000!path:>A=mine,AA=mine;=", true},
    {"{'path':['mine','boss']}", "1000!path:>A=mine,AA=mine;>U=boss;=", true},
    {"{'path':['team','who']}", "1000!path:>A=tm,AA=tm;>T=w;=", true},
    {"{'path':['team','seats']}", "1000!path:>A=tm,AA=tm;<M=t;>M=p;=", true},
    {"{'path':['team',{'class':'M','by':'t'},'p']}", "1000!path:>A=tm,AA=tm;<M=t;>M=p;=", true},
    {"{'path':['team'],'owner':'name'}", "1000!path:>A=tm,AA=tm;=T=name", true},
    {"{'path':['team'],'owner':'who'}", "1000!path:>A=tm,AA=tm;=T=w", true},
    {"{'path':['team'],'owner':'@user'}", "1000!path:>A=tm,AA=tm;=T=@u", true},
    {"{'path':['any'],'owner':'name'}", "1000!path:>A=any,AA=any;=T=name", true},
    {"{'path':['team','as'],'owner':'mine'}", "1000!path:>A=tm,AA=tm;<A=tm,AA=tm;=A=mine,AA=mine", true},
    {"[{'owner':'mine'},{'path':['team','who']}]", "1000!owner:mine|path:>A=tm,AA=tm;>T=w;=", true},
    // clang-format on
};

START_TEST(a_rule_has_a_text_for_the_scripts)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        _cleanup_(text_deinitp) struct text access = {0};

        text_addf(&access, "'read':%s", rules[i].rule);
        {
            LOADED(.access = access.at);
            const struct model_rule *rule = &class_of(model, "A")->rules[ACTION_READ];

            ck_assert_str_eq(rule->text, rules[i].text);
            ck_assert_msg(rule->restricts == rules[i].restricts, "%s", rule->text);
            ck_assert_str_eq(class_of(model, "AA")->rules[ACTION_READ].text, rules[i].text);
        }
    }
}
END_TEST

START_TEST(the_alternatives_are_there_one_by_one)
{
    LOADED(.access = "'update':[{'role':'editor'},{'path':['team'],'owner':'who'}]");
    const struct model_rule *rule = &class_of(model, "A")->rules[ACTION_UPDATE];
    const struct model_rule_alternative *path = model_rule_has(rule, RULE_PATH);

    ck_assert_uint_eq(rule->count, 2);
    ck_assert_str_eq(model_rule_has(rule, RULE_ROLE)->role, "editor");
    ck_assert_ptr_null(model_rule_has(rule, RULE_OWNER));
    ck_assert_uint_eq(path->step_count, 1);
    ck_assert_ptr_eq(path->steps[0].reached[0], class_of(model, "T"));
    ck_assert_uint_eq(path->end_count, 1);
    ck_assert_str_eq(path->ends[0].column, "w");
    ck_assert_str_eq(class_of(model, "A")->rules[ACTION_ADD_CHILD].text, rule->text);
}
END_TEST

/* ---- Fields ---- */

START_TEST(a_field_has_rules_of_its_own_and_so_have_those_of_descendants)
{
    LOADED(.field = ",'access':{'read':[{'role':'pay'},{'owner':'mine'}],'update':{'role':'pay'}}");
    const struct model_field *f = field_of(model, "A", "f");

    ck_assert_str_eq(f->read->text, "role:pay|owner:mine");
    ck_assert_str_eq(f->update->text, "role:pay");
    ck_assert(model_hides(f));
    ck_assert_ptr_eq(field_of(model, "AA", "f")->read, f->read);
    ck_assert_ptr_null(field_of(model, "A", "id")->read);
    ck_assert_ptr_null(field_of(model, "A", "id")->update);
    ck_assert(!model_hides(field_of(model, "A", "id")));
}
END_TEST

START_TEST(a_field_that_all_who_sign_in_may_read_is_not_hidden)
{
    LOADED(.field = ",'access':{'read':'signedIn'}");

    ck_assert(!model_hides(field_of(model, "A", "f")));
    ck_assert(!model_rule_is_open(field_of(model, "A", "f")->read));
}
END_TEST

START_TEST(a_list_of_what_is_for_those_who_sign_in_is_so_too)
{
    LOADED(.access = "'read':'everyone'",
           .classes = ",'L':{'fields':{'l':{'type':'toMany','target':'K','inverse':'l',"
                      "'listed':true},'o':{'type':'toMany','target':'A','inverse':'l',"
                      "'through':'J','onward':'a','listed':true}}},"
                      "'J':{'fields':{'l':{'type':'toOne','target':'L'},"
                      "'a':{'type':'toOne','target':'A'}}},"
                      "'K':{'fields':{'l':{'type':'toOne','target':'L'}},"
                      "'access':{'read':'signedIn'}}");

    ck_assert_str_eq(field_of(model, "L", "l")->read->text, "signedIn");
    ck_assert_str_eq(field_of(model, "L", "o")->read->text, "everyone");
}
END_TEST

/* ---- Watchers ---- */

static const struct {
    const char *watcher;
    bool personal, open;
} watchers[] = {
    // clang-format off
    {"'value':'path','field':'f'", false, true},
    {"'value':'path','field':'x'", true, false},
    {"'value':'path','field':'y'", false, false},
    {"'value':'path','of':['mine']", false, false},
    {"'value':'path','of':['hidden']", true, false},
    {"'value':'count','of':[{'class':'A','by':'hidden'}]", true, false},
    {"'value':'path','of':['mine'],'field':'secret'", true, false},
    {"'value':'path','of':['mine'],'field':'own'", true, false},
    {"'value':'count','of':['mine'],'where':[{'field':'secret','is':'=','value':'a'}]", true, false},
    {"'value':'first','of':['mine'],'order':[{'by':'secret'}]", true, false},
    {"'value':'process','process':'p'", false, true},
    // clang-format on
};

START_TEST(a_watcher_that_reads_what_is_hidden_is_each_session_s_own)
{
    for (size_t i = 0; i < ARRAY_SIZE(watchers); i++) {
        _cleanup_(text_deinitp) struct text more = {0};

        text_addf(&more,
                  ",'watchers':{'w':{%s}}},'H':{'fields':{'g':{'type':'date','access':"
                  "{'read':'nobody'}},'open':{'type':'date'}},'access':{'read':'everyone'}",
                  watchers[i].watcher);
        {
            LOADED(.field = "},'hidden':{'type':'list','target':['A','U'],'access':{'read':"
                            "{'role':'r'}}},'x':{'type':'date','access':{'read':'nobody'}},"
                            "'y':{'type':'date','access':{'read':'signedIn'}",
                   .access = "'read':'everyone'", .more = more.at,
                   .anchor = "},'own':{'type':'string','access':{'read':{'owner':'u'}}");
            const struct model_watcher *w = model_watcher(class_of(model, "A"), "w", 1);

            ck_assert_msg(w->personal == watchers[i].personal, "%s", watchers[i].watcher);
            ck_assert_msg(w->open == watchers[i].open, "%s", watchers[i].watcher);
            ck_assert(model_watcher(class_of(model, "H"), "g", 1)->personal);
            ck_assert(model_watcher(class_of(model, "H"), "open", 4)->open);
        }
    }
}
END_TEST

/* ---- Mistakes ---- */

#define READ "classes.A.access.read"
#define F    "classes.A.fields.f.access"

static const struct {
    struct parts parts;
    const char *told; /* a line begins so */
} mistakes[] = {
    // clang-format off
    {{.access = "'read':[]"}, READ ": expected 1 to 8 rules, found 0"},
    {{.access = "'read':['nobody','nobody','nobody','nobody','nobody','nobody','nobody','nobody','nobody']"},
     READ ": expected 1 to 8 rules, found 9"},
    {{.access = "'read':['signedIn',['everyone']]"}, READ "[1]: expected nobody, everyone, signedIn"},
    {{.access = "'read':['signedIn',{'owner':'f'}]"}, READ "[1].owner: expected @user, or a field"},
    {{.access = "'read':['signedIn',null]"}, READ "[1]: expected nobody, everyone, signedIn"},
    {{.access = "'read':{'path':'mine'}"}, READ ".path: expected an array, found a string"},
    {{.access = "'read':{'path':[]}"}, READ ".path: expected 1 to 8 steps, found 0"},
    {{.access = "'read':{'path':['mine','boss','boss','boss','boss','boss','boss','boss','boss']}"},
     READ ".path: expected 1 to 8 steps, found 9"},
    {{.access = "'read':{'path':['f']}"}, READ ".path[0]: f is no relation"},
    {{.access = "'read':{'path':['team','x']}"}, READ ".path[1]: no class that is reached has x"},
    {{.access = "'read':{'path':[7]}"}, READ ".path[0]: expected a relation"},
    {{.access = "'read':{'path':[{'class':'X','by':'a'}]}"}, READ ".path[0].class: no such class"},
    {{.access = "'read':{'path':['mine'],'role':'r'}"}, READ ".path: unknown"},
    {{.access = "'read':{'path':['mine'],'or':1}"}, READ ".or: unknown"},
    {{.access = "'read':{'path':['team']}"}, READ ".path: leads to T, which does not stand for users"},
    {{.access = "'read':{'path':['any']}"}, READ ".path: leads to T, which does not stand for users"},
    {{.access = "'read':{'path':['team'],'owner':7}"}, READ ".owner: expected a string"},
    {{.access = "'read':{'path':['team'],'owner':'x'}"}, READ ".owner: no class that is reached has x"},
    {{.access = "'read':{'path':['team'],'owner':'n'}"}, READ ".owner: n of T names no user"},
    {{.access = "'create':{'owner':'@user'}"}, "classes.A.access.create: what is not made yet"},
    {{.access = "'create':['nobody',{'path':[{'class':'M','by':'p'}]}]"},
     "classes.A.access.create[1].path[0].by: no toOne or list of that class that refers here"},
    {{.access = "'create':['nobody',{'path':[{'class':'B','by':'a'}],'owner':'o'}]",
      .classes = ",'B':{'fields':{'a':{'type':'toOne','target':'A'},'o':{'type':'string'}}}"},
     "classes.A.access.create: nothing refers to what is not made yet"},
    {{.more = ",'queries':{'q':{'run':{'path':['mine']}}}"},
     "classes.A.queries.q.run: no object is meant"},
    {{.field = ",'access':'nobody'"}, F ": expected an object"},
    {{.field = ",'access':{'create':'nobody'}"}, F ".create: unknown"},
    {{.field = ",'access':{'read':'me'}"}, F ".read: expected nobody"},
    {{.field = ",'access':{'read':null}"}, F ".read: expected nobody"},
    {{.field = ",'access':{'update':{'path':['team']}}"}, F ".update.path: leads to T"},
    {{.field = "},'g':{'type':'date','readOnly':true,'access':{'update':'nobody'}"},
     "classes.A.fields.g.access.update: only the server sets the field"},
    {{.field = "},'g':{'type':'date','server':'now','access':{'update':'nobody'}"},
     "classes.A.fields.g.access.update: only the server sets the field"},
    {{.classes = ",'B':{'fields':{'m':{'type':'toMany','target':'A','inverse':'b','access':{}}}}"},
     "classes.B.fields.m.access: unknown"},
    /* what would show what is hidden */
    {{.anchor = ",'access':{'read':{'owner':'@user'}}"}, "classes.U.anchor: who may read the object must"},
    {{.field = ",'access':{'read':'nobody'}", .more = ",'summary':['id','f']"},
     "classes.A.summary: not everyone may read f, and pages would show it"},
    {{.field = ",'access':{'read':{'role':'r'}}", .access = "'read':'signedIn'",
      .classes = ",'C':{'type':'c','fields':{'l':{'type':'list','target':'A'}},'children':{'relation':'l',"
                 "'views':{'v':{'size':5,'order':[{'by':['id']},{'by':'f'}]}}}}"},
     "classes.C.children.views.v.order[1].by: not everyone may read f of A"},
    {{.access = "'read':'signedIn'",
      .classes = ",'C':{'type':'c','fields':{'l':{'type':'list','target':'A','access':{'read':'nobody'}}},"
                 "'children':{'relation':'l','views':{}}}"},
     "classes.C.children.relation: not everyone may read l, which would be shown"},
    {{.access = "'read':'signedIn'",
      .field = "},'h':{'type':'toOne','target':'C','access':{'read':'nobody'}",
      .classes = ",'C':{'type':'c','fields':{'m':{'type':'toMany','target':'A','inverse':'h'}},"
                 "'children':{'relation':'m','views':{}}}"},
     "classes.C.children.relation: not everyone may read h of A, which it would show"},
    {{.access = "'read':'signedIn'",
      .field = "},'h':{'type':'toOne','target':'C','access':{'read':'nobody'}",
      .classes = ",'C':{'fields':{'m':{'type':'toMany','target':'A','inverse':'h','listed':true}}}"},
     "classes.C.fields.m.listed: not everyone may read h of A, which it would show"},
    {{.access = "'read':'signedIn'",
      .classes = ",'C':{'fields':{'m':{'type':'toMany','target':'A','inverse':'c','listed':true,"
                 "'through':'J','onward':'a'}}},'J':{'fields':{'c':{'type':'toOne','target':'C'},"
                 "'a':{'type':'toOne','target':'A','access':{'read':'nobody'}}}}"},
     "classes.C.fields.m.listed: not everyone may read a of J, which it would show"},
    // clang-format on
};

static bool has_line(const char *problems, const char *told)
{
    const char *found = strstr(problems, told);

    return found && (found == problems || found[-1] == '\n');
}

START_TEST(a_mistake_is_told_with_its_path)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        _cleanup_(text_deinitp) struct text problems = {0};
        struct model *model = NULL;

        ck_assert_msg(parse(&mistakes[i].parts, &model, &problems) == ERR_CONFIG, "%s",
                      mistakes[i].told);
        ck_assert_msg(has_line(problems.at, mistakes[i].told), "not told: %s\ntold: %s",
                      mistakes[i].told, problems.at);
    }
}
END_TEST

START_TEST(a_way_over_what_is_wrong_itself_is_not_told_again)
{
    _cleanup_(text_deinitp) struct text problems = {0};
    struct model *model = NULL;
    const struct parts parts = {
        .access = "'read':{'path':['m']}",
        .field = "},'m':{'type':'toMany','target':'U'},'o':{'type':'toMany','target':'U',"
                 "'inverse':'a','through':'M'"};

    ck_assert_int_eq(parse(&parts, &model, &problems), ERR_CONFIG);
    assert_text(&problems, "classes.A.fields.m.inverse: missing, expected a string\n"
                           "classes.A.fields.o.onward: missing, expected a string\n"
                           "classes.A.fields.o.inverse: no toOne of the join class that refers "
                           "here\n");
}
END_TEST

UNIT_SUITE("model_rule", a_rule_has_a_text_for_the_scripts, the_alternatives_are_there_one_by_one,
           a_field_has_rules_of_its_own_and_so_have_those_of_descendants,
           a_field_that_all_who_sign_in_may_read_is_not_hidden,
           a_list_of_what_is_for_those_who_sign_in_is_so_too,
           a_watcher_that_reads_what_is_hidden_is_each_session_s_own,
           a_mistake_is_told_with_its_path, a_way_over_what_is_wrong_itself_is_not_told_again)
