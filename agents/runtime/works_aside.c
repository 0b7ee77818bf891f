#include <stdlib.h>

#include "agents/runtime/aside.h"
#include "agents/runtime/works_private.h"

/* The state is the job's as long as the job is aside. */
void runner_aside(struct work_runner *runner)
{
    struct work *work = &runner->work;
    struct aside_job *job = calloc(1, sizeof(*job));

    if (!job)
        err_out_of_memory();
    *job = (struct aside_job){.run = work->aside,
                              .state = work->state,
                              .state_destroy = work->state_destroy,
                              .runner = runner};
    runner->job = job;
    aside_put_take(runner->works->aside, &job);
}

void runner_leave_job(struct work_runner *runner)
{
    if (!runner->job)
        return;
    runner->job->runner = NULL;
    runner->job = NULL;
    runner->work.state = NULL;
    runner->work.state_destroy = NULL;
}

static void come_back(struct work_runner *runner)
{
    runner->job = NULL;
    runner_place(runner, runner->work.next(&runner->work));
}

void works_take_aside(struct works *works)
{
    struct aside_job *job;

    while (works->aside && (job = aside_take(works->aside))) {
        struct work_runner *runner = job->runner;

        if (runner)
            job->state_destroy = NULL; /* the work has it again */
        aside_job_destroy(job);
        if (runner)
            come_back(runner);
    }
}
