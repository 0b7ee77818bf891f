#include "agents/sync/host/plugin.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "agents/runtime/agent.h"
#include "agents/sync/host/plugin_private.h"
#include "agents/sync/processes/declared.h"

#define STRINGIFY(x)  STRINGIFY_(x)
#define STRINGIFY_(x) #x

typedef const struct activestack_plugin *plugin_fn(void);

static void unload(void *own)
{
    plugin_destroy(own);
}

const struct connector connector_plugin = {
    .unload = unload,
    .open = plugin_open,
    .run = plugin_run,
    .close = plugin_close,
};

/* NULL: it has no such symbol. */
static plugin_fn *symbol_of(void *module)
{
    /* The standard has no other way from void * to a function. */
    union {
        void *object;
        plugin_fn *function;
    } symbol = {.object = dlsym(module, "activestack_plugin")};

    return symbol.function;
}

/* What is wrong with a module; NULL: nothing. */
static const char *look_at(struct plugin *plugin, const char *path)
{
    plugin_fn *symbol;

    plugin->module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!plugin->module)
        return dlerror();
    symbol = symbol_of(plugin->module);
    if (!symbol)
        return "it has no symbol activestack_plugin";
    plugin->said = symbol();
    if (!plugin->said)
        return "activestack_plugin() says nothing";
    if (plugin->said->api != ACTIVESTACK_PLUGIN_API)
        return "it is built for another version of activestack_plugin.h, not "
               "for " STRINGIFY(ACTIVESTACK_PLUGIN_API);
    return plugin->said->run ? NULL : "it has no run()";
}

enum err plugin_load(const struct agent *agent, const struct process *process, struct plugin **out,
                     struct text *problems)
{
    struct plugin *plugin = calloc(1, sizeof(*plugin));
    _cleanup_(text_deinitp) struct text path = {0};
    const char *problem;

    if (!plugin)
        err_out_of_memory();
    plugin->agent = agent;
    text_addf(&path, "%s/%s.so", agent->proc.settings.process_plugin_dir, process->plugin);
    problem = look_at(plugin, text_str(&path));
    if (!problem) {
        *out = plugin;
        return ERR_OK;
    }
    text_addf(problems, "process %s: plug-in %s: %s\n", process->name, text_str(&path), problem);
    plugin_destroy(plugin);
    return ERR_CONFIG;
}

void plugin_destroy(struct plugin *plugin)
{
    if (!plugin)
        return;
    if (plugin->module)
        (void)dlclose(plugin->module);
    free(plugin);
}
