#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/fault.h"
#include "tests/support/unit.h"

/* Comes to points "a" and "b" in turn; returns the wait status of the process that did. */
static int run(const char *fault, int rounds)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        if (fault)
            setenv("ACTIVESTACK_FAULT", fault, 1);
        for (int i = 0; i < rounds; i++) {
            fault_point("a");
            fault_point("b");
        }
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

static void check_killed(int status)
{
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
}

START_TEST(the_named_point_kills)
{
    check_killed(run("a", 1));
    check_killed(run("b:1", 1));
}
END_TEST

START_TEST(it_kills_at_the_count_that_is_asked_for)
{
    ck_assert_int_eq(run("b:3", 2), 0);
    check_killed(run("b:3", 3));
}
END_TEST

START_TEST(other_points_do_nothing)
{
    ck_assert_int_eq(run(NULL, 10), 0);
    ck_assert_int_eq(run("c", 10), 0);
    ck_assert_int_eq(run("aa:1", 10), 0);
    ck_assert_int_eq(run("", 10), 0);
}
END_TEST

UNIT_SUITE("fault", the_named_point_kills, it_kills_at_the_count_that_is_asked_for,
           other_points_do_nothing)
