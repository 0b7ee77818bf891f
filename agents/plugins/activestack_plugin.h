#pragma once

/*
 * activestack_plugin - how to write a process as a shared module that the sync agent runs.
 *
 * This file is all that a plug-in needs: it includes nothing of the project and nothing is linked.
 *
 *     #include "activestack_plugin.h"
 *     #include <stdlib.h>
 *     #include <string.h>
 *
 *     static char *greet(const struct activestack_call *call)
 *     {
 *         (void)call;
 *         return strdup("\"good day\"");
 *     }
 *
 *     const struct activestack_plugin *activestack_plugin(void)
 *     {
 *         static const struct activestack_plugin plugin = {ACTIVESTACK_PLUGIN_API, greet};
 *
 *         return &plugin;
 *     }
 *
 *     cc -shared -fPIC -o greet.so greet.c
 *
 * The module lies in the folder that the setting process.plugin_dir names, and is declared in the
 * file of processes (setting process.file), under any name that clients shall use:
 *
 *     {"processes": {"sayHello": {"run": "signedIn", "deadlineMs": 5000, "plugin": "greet"}}}
 *
 * It is loaded when the agent starts; an agent whose plug-in cannot be loaded does not start.
 *
 * Threads:  run() is called in threads that do nothing else, as many at once as the declaration
 *           says ("threads", 1 without it). Other processes may name the same plug-in.
 * Time:     run() returns by the call's deadline. The client is not kept waiting for longer; a
 *           thread that does not come back soon after is given up and replaced, a few times
 *           (setting process.max_stuck), and then the process is no longer served by this agent.
 * Repeats:  a call whose agent died runs again, here or elsewhere. Writes that a plug-in asks for
 *           are then carried out once all the same if it asks the same questions in the same order.
 * Crashes:  a plug-in is part of the agent and ends it when it crashes; the agent is started again,
 *           and a call that has ended several agents is given up.
 *
 * Texts are UTF-8 and end with a NUL.
 */

#define ACTIVESTACK_PLUGIN_API 1

/* One call, good until run() returns. Its functions are for the thread of that run() alone, but
 * cancelled(), which any thread may ask. */
struct activestack_call {
    const char *process;   /* the name under which the plug-in is declared */
    const char *arguments; /* JSON; "null" if the client gave none */
    const char *user;      /* id of the user who asks; "" for nobody */
    const char *id;        /* of the call, the same when it runs again */
    long long deadline_ms; /* since 1970 */
    void *agent;           /* the agent's own */

    /*
     * Asks any operation that clients have (createObject, findById, ...) with the rights of the
     * caller, if the process is declared with "actsForCaller", and waits for its answer.
     * `members` is a JSON object with what the request has beside its cn and the envelope:
     *
     *     call->ask(call, "countAllByName", "{\"classNames\":[\"com.app.mo.Task\"]}")
     *
     * Returns the response that a client would get, a JSON object, good until the next question. A
     * refusal is a SyncErrorResponse with errorCode, errorName and errorDesc, and so is what kept
     * the question from being answered (-116: not in time).
     */
    const char *(*ask)(const struct activestack_call *call, const char *operation,
                       const char *members);

    /* Tells a client that wants to know how far the call has got: any JSON. It may get lost; 0: it
     * was no JSON. */
    int (*progress)(const struct activestack_call *call, const char *json);

    /* Not 0: nobody waits for the answer any more. To be asked now and then by what takes long. */
    int (*cancelled)(const struct activestack_call *call);

    /* Says, in words for the client, why run() is going to return NULL. */
    void (*fail)(const struct activestack_call *call, const char *words);
};

struct activestack_plugin {
    int api; /* ACTIVESTACK_PLUGIN_API */
    /* Answers one call: JSON in memory of malloc(), which the agent frees; NULL: it failed. */
    char *(*run)(const struct activestack_call *call);
};

/* The one symbol of a plug-in. What it returns lives as long as the module. */
__attribute__((visibility("default"))) const struct activestack_plugin *activestack_plugin(void);
