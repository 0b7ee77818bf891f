#pragma once

#include "common/model/model_watch.h"
#include "tests/support/unit.h"

/*
 * watch_model - a small domain for tests of watchers and queries. Its classes:
 *
 *   A, read by all    s (x or y), n, d, t, b, j: one field of each plain type; one -> B, all -> B*,
 *                     mixed -> B* and C*, hidden -> H*; many: the B whose a leads here, through:
 * the U behind the J whose a leads here, parts: the P whose ID begins with ours AA an A with one
 * string more B                 n, s, only, a -> A, both -> A; a json j; H and C have an n too C n
 * (a string), s, a -> A H                 n; only its u may read it J, U, P           the join
 * class, users, parts
 */

/* JSON with ' for ". The text is the caller's. */
static inline void add_quoted(struct text *out, const char *json)
{
    for (; *json; json++)
        text_add_char(out, *json == '\'' ? '"' : *json);
}

/* Parses the domain with these watchers and queries of A, and more members of B (",'watchers':..").
 */
static inline enum err parse_watch_model(const char *watchers, const char *queries,
                                         const char *more_of_b, struct model **out,
                                         struct text *problems)
{
    static const char fields[] =
        "'s':{'type':'string','values':['x','y']},'n':{'type':'integer'},'d':{'type':'double'},"
        "'t':{'type':'date'},'b':{'type':'boolean'},'j':{'type':'json'},"
        "'one':{'type':'toOne','target':'B'},'all':{'type':'list','target':'B'},"
        "'mixed':{'type':'list','target':['B','C']},'hidden':{'type':'list','target':'H'},"
        "'many':{'type':'toMany','target':'B','inverse':'a'},"
        "'parts':{'type':'toMany','target':'P','inverse':'ID'},"
        "'through':{'type':'toMany','target':'U','through':'J','inverse':'a','onward':'u'}";
    static const char descendant[] = "'AA':{'parent':'A','fields':{'more':{'type':'string'}}},";
    static const char b[] =
        "'B':{'fields':{'n':{'type':'integer'},'s':{'type':'string'},'only':{'type':'string'},"
        "'j':{'type':'json'},'a':{'type':'toOne','target':'A'},'both':{'type':'toOne','target':'A'}"
        "},"
        "'access':{'read':'everyone'}";
    static const char others[] =
        "},'C':{'fields':{'n':{'type':'string'},'s':{'type':'string'},"
        "'a':{'type':'toOne','target':'A'}},'access':{'read':'signedIn'}},"
        "'H':{'fields':{'n':{'type':'integer'},'u':{'type':'toOne','target':'U'},"
        "'a':{'type':'toOne','target':'A'}},'access':{'read':{'owner':'u'}}},"
        "'J':{'fields':{'a':{'type':'toOne','target':'A'},'u':{'type':'toOne','target':'U'}},"
        "'access':{'read':'signedIn'}},"
        "'P':{'id':'array','access':{'read':'signedIn'}},"
        "'U':{'anchor':'user','fields':{'user':{'type':'string'},'n':{'type':'integer'}},"
        "'access':{'read':'signedIn'}}";
    _cleanup_(text_deinitp) struct text json = {0}, quoted = {0};

    text_addf(&json, "{'classes':{'A':{'fields':{%s},'access':{'read':'signedIn'},", fields);
    text_addf(&json, "'watchers':{%s},'queries':{%s}},", watchers, queries);
    text_addf(&json, "%s%s%s%s}}", descendant, b, more_of_b, others);
    add_quoted(&quoted, json.at);
    return model_parse("test", &quoted, out, problems);
}
