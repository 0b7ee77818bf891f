#pragma once

#include <stdbool.h>

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/text.h"
#include "common/process/metrics.h"
#include "common/process/settings.h"

/*
 * proc - what every main() does the same: options, settings, log, signals.
 *
 *   activestack-PROGRAM [--config FILE] [--check-config] [--probe]
 *                       [--help] [--help-config] [--help-metrics] [--version]
 *
 * The file may also be named by ACTIVESTACK_CONFIG.
 *
 * There are no core dumps: they would hold the secrets of the settings, and those of users. What
 * secrets we copy is overwritten when it is done with; buffers of libraries, through which a frame
 * or a message has come, are not.
 *
 * Signals: SIGINT, SIGTERM and SIGHUP are blocked in every thread that is started after
 * proc_start() and arrive through proc_wait(); SIGPIPE is ignored.
 */

struct proc {
    struct settings settings;
    char host[256]; /* name of this machine */
    enum program program;
    const char *config_path; /* NULL: none */
};

/* What a main() says of its program. */
struct proc_about {
    enum program program;
    const char *help; /* printed by --help, between usage and options */
    /* Its figures, for --help-metrics, which tells of those of process_figures.h, too; ends with
     * NULL. */
    const struct metrics_table *const *metrics;
};

/*
 * Reads the command line and the settings. Returns true when the program shall run; false when it
 * is done, with the exit code in *exit_code: after --help and the like 0, after --probe what
 * probe.h says, after a mistake 2, told on standard error.
 *
 * PROGRAM_CTL is different: words may stand behind the options, from argv[optind] on, signals keep
 * their effect, and it has neither metrics nor a status port to ask.
 */
bool proc_start(struct proc *proc, const struct proc_about *about, int argc, char **argv,
                int *exit_code);

enum proc_event {
    PROC_STOP,  /* SIGINT, SIGTERM, or proc_request_stop() */
    PROC_RELOAD /* SIGHUP: files may have changed that can be read again */
};

/* Sleeps until one of these. */
enum proc_event proc_wait(struct proc *proc);

/* Reads what it may of the program's own files again, and takes over what may change of the
 * settings as they were just `read`; all counts, or nothing and its mistakes are in `problems`, a
 * line each. */
typedef enum err proc_reload_fn(void *arg, const struct settings *read, struct text *problems);

/*
 * After PROC_RELOAD: reads the settings again. When they are right, and then `reload` (of the files
 * that the settings in force name) is, too, those that are reloaded (config.h) count; others wait
 * for the next start, and the log says which have changed. A mistake in any of them is logged, and
 * everything stays as it was.
 */
void proc_reload(struct proc *proc, proc_reload_fn *reload, void *arg);

/* Any thread: ends proc_wait() with PROC_STOP. For errors after which the process cannot go on. */
void proc_request_stop(struct proc *proc);

void proc_end(struct proc *proc);

/* Raises the limit of open files to the hard limit; returns what is in force. */
long proc_raise_file_limit(void);
