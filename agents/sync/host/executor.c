#include "agents/sync/host/executor.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/protocol/response.h"
#include "common/thread/msgq.h"
#include "common/thread/wake.h"

struct executor {
    struct executor_config config;
    pthread_t thread;
    struct msgq *inbox; /* of one task */
    struct wake *wake;
    atomic_bool ended; /* the thread shall come to its end */
    atomic_int users;  /* the thread, and whoever started it */
};

/* ---- What it tells ---- */

void told_destroy(struct told *told)
{
    if (!told)
        return;
    msg_destroy(told->msg);
    free(told);
}

static struct told *told_create(const struct task *task, bool last, struct msg **msg)
{
    struct told *told = calloc(1, sizeof(*told));

    if (!told)
        err_out_of_memory();
    *told = (struct told){.number = task->number, .last = last, .msg = *msg};
    *msg = NULL;
    return told;
}

void executor_tell(const struct task *task, struct msg **msg)
{
    struct told *told = told_create(task, false, msg);

    (void)!msgq_push_take(task->executor->config.told, &told);
    told_destroy(told);
}

bool executor_is_cancelled(const struct task *task)
{
    return atomic_load(&task->executor->ended) || clock_mono_ms() >= task->call.deadline_ms;
}

/* ---- The thread ---- */

/* True: there is no other user. */
static bool unref(struct executor *executor)
{
    if (atomic_fetch_sub(&executor->users, 1) > 1)
        return false;
    msgq_destroy(executor->inbox);
    wake_destroy(executor->wake);
    free(executor);
    return true;
}

/* What waited here for too long is not begun. */
static void answer(const struct executor *executor, void *thread, const struct task *task,
                   struct answer *out)
{
    if (task->refusal) {
        out->failed = true;
        text_add(&out->body, task->refusal);
    } else if (clock_mono_ms() >= task->call.deadline_ms) {
        out->failed = true;
        out->code = CODE_TIMEOUT;
        text_add(&out->body, "its time was up before it began");
    } else {
        executor->config.connector->run(executor->config.own, thread, &task->call, out);
    }
}

static void run_task(struct executor *executor, void *thread, struct task *task)
{
    struct answer out = {0};
    struct told *told;
    struct msg *reply;

    task->executor = executor;
    answer(executor, thread, task, &out);
    reply = task_reply(task, &out, executor->config.most_bytes);
    told = told_create(task, true, &reply);
    text_deinit(&out.body);
    task_destroy(task);
    if (!atomic_load(&executor->ended))
        (void)!msgq_push_over_take(executor->config.told, &told);
    told_destroy(told);
}

static void sleep_until_woken(const struct executor *executor)
{
    struct pollfd woken = {.fd = wake_fd(executor->wake), .events = POLLIN};

    (void)poll(&woken, 1, -1);
    wake_drain(executor->wake);
}

static void *run(void *arg)
{
    struct executor *executor = arg;
    const struct executor_config *config = &executor->config;
    void *thread = config->connector->open ? config->connector->open(config->own) : NULL;
    struct task *task;

    while (!atomic_load(&executor->ended)) {
        sleep_until_woken(executor);
        while ((task = msgq_pop(executor->inbox)))
            run_task(executor, thread, task);
    }
    if (config->connector->close)
        config->connector->close(thread);
    (void)unref(executor);
    return NULL;
}

/* ---- The link's side ---- */

static void destroy_task(void *task)
{
    task_destroy(task);
}

static void wake(void *arg)
{
    wake_signal(arg);
}

enum err executor_start(const struct executor_config *config, struct executor **out)
{
    struct executor *executor = calloc(1, sizeof(*executor));
    enum err e;

    if (!executor)
        return ERR_NOMEM;
    executor->config = *config;
    atomic_init(&executor->users, 2);
    e = wake_create(&executor->wake);
    if (!e)
        e = msgq_create(1, destroy_task, wake, executor->wake, &executor->inbox);
    if (!e && pthread_create(&executor->thread, NULL, run, executor))
        e = ERR_IO;
    if (e) {
        atomic_store(&executor->users, 1);
        (void)unref(executor);
        return e;
    }
    *out = executor;
    return ERR_OK;
}

void executor_run_take(struct executor *executor, struct task **task)
{
    (void)!msgq_push_over_take(executor->inbox, task);
}

static void let_end(struct executor *executor)
{
    atomic_store(&executor->ended, true);
    wake_signal(executor->wake);
}

void executor_end(struct executor *executor)
{
    let_end(executor);
    pthread_join(executor->thread, NULL);
    (void)unref(executor);
}

void executor_give_up(struct executor *executor)
{
    let_end(executor);
    pthread_detach(executor->thread);
}

bool executor_let_go(struct executor *executor)
{
    return unref(executor);
}
