#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/process/service.h"
#include "tests/support/unit.h"

#define PATIENCE_MS 30000

/* A program, as the service sees it. */
static atomic_bool still, lacking;

static void stands_still(const void *arg, struct text *out)
{
    (void)arg;
    if (atomic_load(&still))
        text_add(out, "standing still: worker 1\n");
}

static void missing(const void *arg, struct text *out)
{
    (void)arg;
    if (atomic_load(&lacking))
        text_add(out, "missing: broker\nmissing: redis\n");
}

static const struct status_source source = {.stands_still = stands_still, .missing = missing};

/* A service manager: a socket, whose name has no file, for each test process. */
static int be_manager(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int size = snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "test-%d", getpid());
    char name[64];

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&at,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)size)),
                     0);
    snprintf(name, sizeof(name), "@test-%d", getpid());
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

/* The next thing that is told, but for beats if they are not wanted. */
static void next(int fd, bool beats, char told[256])
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    ssize_t size;

    do {
        ck_assert_int_eq(poll(&readable, 1, PATIENCE_MS), 1);
        size = recv(fd, told, 255, 0);
        ck_assert_int_ge(size, 0);
        told[size] = '\0';
    } while (!beats && !strcmp(told, "WATCHDOG=1"));
}

static void expect(int fd, const char *what)
{
    char told[256];

    next(fd, false, told);
    ck_assert_str_eq(told, what);
}

START_TEST(without_a_manager_there_is_nobody_to_tell)
{
    struct service *s;

    unsetenv("NOTIFY_SOCKET");
    assert_ok(service_start(&source, &s));
    ck_assert_ptr_null(s);
    service_reloading(s);
    service_reloaded(s);
    service_stopping(s);
    service_end(s);
}
END_TEST

START_TEST(it_is_ready_when_nothing_is_missing)
{
    const int fd = be_manager();
    struct service *s;

    atomic_store(&lacking, true);
    assert_ok(service_start(&source, &s));
    expect(fd, "STATUS=missing: broker; missing: redis");
    service_reloading(s); /* of what is not ready, nobody waits for the end of that */
    service_reloaded(s);
    atomic_store(&lacking, false);
    expect(fd, "STATUS=ready");
    expect(fd, "READY=1");
    service_end(s);
    close(fd);
}
END_TEST

START_TEST(what_is_lost_later_is_a_status_and_no_end_of_readiness)
{
    const int fd = be_manager();
    struct service *s;

    assert_ok(service_start(&source, &s));
    expect(fd, "STATUS=ready");
    expect(fd, "READY=1");
    atomic_store(&lacking, true);
    expect(fd, "STATUS=missing: broker; missing: redis");
    atomic_store(&lacking, false);
    expect(fd, "STATUS=ready");
    service_stopping(s);
    expect(fd, "STOPPING=1");
    service_end(s);
    close(fd);
}
END_TEST

START_TEST(a_reload_is_told_with_its_time)
{
    const int fd = be_manager();
    struct service *s;
    char told[256];

    assert_ok(service_start(&source, &s));
    expect(fd, "STATUS=ready");
    expect(fd, "READY=1");
    service_reloading(s);
    next(fd, false, told);
    assert_contains(told, "RELOADING=1\nMONOTONIC_USEC=");
    service_reloaded(s);
    expect(fd, "READY=1");
    service_end(s);
    close(fd);
}
END_TEST

static void expect_beat(int fd)
{
    char told[256];

    next(fd, true, told);
    ck_assert_str_eq(told, "WATCHDOG=1");
}

START_TEST(beats_stop_while_it_stands_still)
{
    const int fd = be_manager();
    struct service *s;

    setenv("WATCHDOG_USEC", "40000", 1);
    assert_ok(service_start(&source, &s));
    expect(fd, "STATUS=ready");
    expect(fd, "READY=1");
    expect_beat(fd);
    expect_beat(fd);
    atomic_store(&still, true);
    expect(fd, "STATUS=standing still: worker 1");
    atomic_store(&lacking, true); /* tells that it was looked at once more */
    {
        char told[256];

        next(fd, true, told); /* without a beat in between */
        ck_assert_str_eq(told, "STATUS=standing still: worker 1; missing: broker; missing: redis");
    }
    atomic_store(&still, false);
    expect(fd, "STATUS=missing: broker; missing: redis");
    expect_beat(fd); /* what is missing is no reason to end it */
    service_end(s);
    close(fd);
}
END_TEST

START_TEST(without_a_watchdog_there_are_no_beats)
{
    const int fd = be_manager();
    struct service *s;
    char told[256];

    unsetenv("WATCHDOG_USEC");
    assert_ok(service_start(&source, &s));
    expect(fd, "STATUS=ready");
    expect(fd, "READY=1");
    atomic_store(&lacking, true);
    next(fd, true, told);
    assert_contains(told, "STATUS=missing");
    service_end(s);
    close(fd);
}
END_TEST

UNIT_SUITE("service", without_a_manager_there_is_nobody_to_tell,
           it_is_ready_when_nothing_is_missing,
           what_is_lost_later_is_a_status_and_no_end_of_readiness, a_reload_is_told_with_its_time,
           beats_stop_while_it_stands_still, without_a_watchdog_there_are_no_beats)
