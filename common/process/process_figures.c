#include "common/process/process_figures.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define FILE_BYTES 1048576 /* of the files below /proc that are read here */

enum figure {
    FIGURE_BUILD,
    FIGURE_CPU,
    FIGURE_MEMORY,
    FIGURE_FILES,
    FIGURE_MOST_FILES,
    FIGURE_START,
    FIGURE_COUNT
};

// clang-format off
static const struct metrics_row rows[FIGURE_COUNT] = {
    [FIGURE_BUILD]      = { "activestack_build_info", "version=\"" ACTIVESTACK_VERSION "\"", METRICS_GAUGE,
        "Always 1; the label says which version runs." },
    [FIGURE_CPU]        = { "process_cpu_seconds_total", NULL, METRICS_SECONDS,
        "Time of the processor that the process has used, of user and system." },
    [FIGURE_MEMORY]     = { "process_resident_memory_bytes", NULL, METRICS_GAUGE,
        "Memory that the process has in use." },
    [FIGURE_FILES]      = { "process_open_fds", NULL, METRICS_GAUGE,
        "Open files and sockets." },
    [FIGURE_MOST_FILES] = { "process_max_fds", NULL, METRICS_GAUGE,
        "How many of these the system allows." },
    [FIGURE_START]      = { "process_start_time_seconds", NULL, METRICS_GAUGE,
        "When the process started, in seconds since 1970." },
};
// clang-format on

const struct metrics_table process_figures = {rows, ARRAY_SIZE(rows)};

static int64_t cpu_us(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec +
           usage.ru_stime.tv_usec;
}

/* The number that is `skipped` words behind the first place of `mark`; 0: there is none. */
static int64_t number_behind(const char *path, const char *mark, int skipped)
{
    _cleanup_(text_deinitp) struct text file = {0};
    const char *at;

    if (text_add_file(&file, path, FILE_BYTES))
        return 0;
    at = strstr(text_str(&file), mark);
    if (!at)
        return 0;
    at += strlen(mark);
    while (skipped-- > 0 && (at = strchr(at + 1, ' ')))
        ;
    return at ? strtoll(at, NULL, 10) : 0;
}

static int64_t memory_bytes(void)
{
    return number_behind("/proc/self/statm", "", 1) * sysconf(_SC_PAGESIZE);
}

static int64_t open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int64_t count = -3; /* "." and "..", and the folder itself */

    if (!folder)
        return 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static int64_t most_files(void)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (int64_t)limit.rlim_cur : 0;
}

/* The start is told in ticks since the machine's (proc(5): the 22nd word, of which the second one
 * ends with a bracket). */
static int64_t start_s(void)
{
    return number_behind("/proc/stat", "\nbtime ", 0) +
           number_behind("/proc/self/stat", ") ", 19) / sysconf(_SC_CLK_TCK);
}

void process_figures_print(struct text *out)
{
    _cleanup_(metrics_destroyp) struct metrics *m = metrics_create(&process_figures, NULL);

    metrics_set(m, FIGURE_BUILD, 1);
    metrics_set(m, FIGURE_CPU, cpu_us());
    metrics_set(m, FIGURE_MEMORY, memory_bytes());
    metrics_set(m, FIGURE_FILES, open_files());
    metrics_set(m, FIGURE_MOST_FILES, most_files());
    metrics_set(m, FIGURE_START, start_s());
    metrics_print(m, out);
}
