#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/json/json_scan.h"
#include "common/process/config.h"
#include "common/process/settings.h"
#include "common/protocol/operations.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/ws_client.h"

#define DEFAULT_URL "ws://127.0.0.1:8080"

enum { NORMAL_CLOSE = 1000, CLOSE_WAIT_MS = 2000 };

struct talk;
struct options;

/* One of the two that gateways speak. */
struct protocol {
    const char *path;
    void (*add_login)(struct text *out, const struct options *o);
    /* Looks at a frame for the login's outcome: GOES_ON, or an exit code when it is refused. */
    int (*watch_login)(struct talk *t, struct json_span frame);
};

/* The command line. */
struct options {
    const struct protocol *protocol;
    const char *url;      /* NULL: the configured gateway's */
    const char *provider; /* NULL: no login */
    const char *credential;
    int stay_ms; /* after the end of the input */
};

/* One conversation. */
struct talk {
    const struct protocol *protocol;
    struct ws_client *ws;
    struct text line; /* input that has no line's end yet */
    bool input_open;
    bool logging_in;     /* until the login is through, input has to wait */
    bool closing;        /* we have sent our close frame */
    int64_t deadline_ms; /* when to close, then when to give up; counts once the input has ended */
};

enum { GOES_ON = -1 }; /* not an exit code */

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "activestack-ctl connect: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    return CTL_UNKNOWN;
}

static int send_line(struct talk *t, const char *at, size_t size)
{
    if (size == 0)
        return GOES_ON;
    return ws_client_send(t->ws, at, size) == ERR_OK ? GOES_ON
                                                     : fail("the connection is lost", NULL);
}

/* ---- The protocols ---- */

static int refused(void)
{
    fputs("activestack-ctl connect: the login is refused\n", stderr);
    return CTL_NO;
}

static void activestack_add_login(struct text *out, const struct options *o)
{
    text_add(out, "{\"cn\":\"" AUTH_CLASS("AuthenticationRequest") "\",\"messageId\":\"login\"");
    text_add(out, ",\"authProvider\":");
    text_add_json_str(out, o->provider);
    text_add(out, ",\"credential\":");
    text_add_json_str(out, o->credential);
    text_add_char(out, '}');
}

/* An AuthenticationResponse that refuses, or a ConnectResponse. */
static int activestack_watch_login(struct talk *t, struct json_span frame)
{
    struct json_span cn = json_member(frame, "cn", NULL);

    if (json_string_is(cn, SYNC_CLASS("ConnectResponse")))
        t->logging_in = false;
    if (json_string_is(cn, AUTH_CLASS("AuthenticationResponse")) &&
        json_kind(json_member(frame, "result", NULL)) == JSON_NULL)
        return refused();
    return GOES_ON;
}

/* The gateway knows the provider. */
static void content_add_login(struct text *out, const struct options *o)
{
    const char *colon = strchr(o->credential, ':');
    const size_t size = colon ? (size_t)(colon - o->credential) : strlen(o->credential);

    text_add(out,
             "{\"type\":\"request\",\"id\":\"login\",\"cls\":\"login\",\"data\":{\"username\":");
    text_add_json(out, o->credential, size);
    text_add(out, ",\"password\":");
    text_add_json_str(out, colon ? colon + 1 : "");
    text_add(out, "}}");
}

static int content_watch_login(struct talk *t, struct json_span frame)
{
    if (!json_string_is(json_member(frame, "id", NULL), "login"))
        return GOES_ON;
    t->logging_in = false;
    return json_string_is(json_member(frame, "type", NULL), "result") ? GOES_ON : refused();
}

static const struct protocol protocols[] = {
    {"/activestack", activestack_add_login, activestack_watch_login},
    {"/content", content_add_login, content_watch_login},
};

/* ---- The conversation ---- */

/* Sends the complete lines; the rest, or at the input's end everything, stays or goes. */
static int send_lines(struct talk *t)
{
    char *at = t->line.at, *end;
    size_t left = t->line.size;
    int result = GOES_ON;

    while (result == GOES_ON && left > 0 && (end = memchr(at, '\n', left))) {
        result = send_line(t, at, (size_t)(end - at));
        left -= (size_t)(end - at) + 1;
        at = end + 1;
    }
    if (result == GOES_ON && !t->input_open) {
        result = send_line(t, at, left);
        left = 0;
    }
    if (t->line.at)
        memmove(t->line.at, at, left);
    t->line.size = left;
    return result;
}

static int read_input(struct talk *t, int stay_ms)
{
    char piece[16384];
    ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));

    if (n < 0 && errno == EINTR)
        return GOES_ON;
    if (n > 0) {
        text_add_bytes(&t->line, piece, (size_t)n);
    } else {
        t->input_open = false;
        t->deadline_ms = clock_mono_ms() + stay_ms;
    }
    return send_lines(t);
}

static int tell_close(const struct talk *t, const struct ws_message *m)
{
    if (t->closing || m->code == NORMAL_CLOSE)
        return CTL_YES;
    fprintf(stderr, "closed: %u %s\n", m->code, text_str(&m->text));
    return CTL_NO;
}

static int take_frame(struct talk *t, const struct text *frame)
{
    static const struct json_limits limits = {.depth = 64, .number_chars = 1000};

    printf("%s\n", text_str(frame));
    if (!t->logging_in || json_check(frame->at, frame->size, &limits, NULL) != ERR_OK)
        return GOES_ON;
    return t->protocol->watch_login(t, json_value(frame->at, frame->size));
}

static int read_frames(struct talk *t)
{
    int result = GOES_ON;

    if (ws_client_read(t->ws) != ERR_OK)
        return fail("the connection is lost", NULL);
    while (result == GOES_ON) {
        struct ws_message m;

        ws_client_next(t->ws, &m);
        if (m.kind == WS_NONE)
            break;
        if (m.kind == WS_TEXT)
            result = take_frame(t, &m.text);
        else
            result = m.kind == WS_CLOSED ? tell_close(t, &m) : fail("not WebSocket", NULL);
        text_deinit(&m.text);
    }
    fflush(stdout);
    return result;
}

/* The time after the input's end is over: close, and then wait a little for the server's close. */
static int time_is_up(struct talk *t)
{
    if (t->closing)
        return CTL_YES;
    t->closing = true;
    t->deadline_ms = clock_mono_ms() + CLOSE_WAIT_MS;
    return ws_client_send_close(t->ws, NORMAL_CLOSE) == ERR_OK
               ? GOES_ON
               : fail("the connection is lost", NULL);
}

static int turn(struct talk *t, int stay_ms)
{
    struct pollfd fds[] = {
        {.fd = ws_client_fd(t->ws), .events = POLLIN},
        {.fd = t->input_open && !t->logging_in ? STDIN_FILENO : -1, .events = POLLIN}};
    int64_t left = t->input_open ? -1 : t->deadline_ms - clock_mono_ms();
    int result = GOES_ON;

    if (!t->input_open && left <= 0)
        return time_is_up(t);
    if (poll(fds, 2, (int)left) < 0)
        return errno == EINTR ? GOES_ON : fail("poll", strerror(errno));
    if (fds[0].revents)
        result = read_frames(t);
    if (result == GOES_ON && fds[1].revents)
        result = read_input(t, stay_ms);
    return result;
}

static int send_login(struct talk *t, const struct options *o)
{
    _cleanup_(text_deinit) struct text request = {0};

    t->protocol->add_login(&request, o);
    return send_line(t, request.at, request.size);
}

static int converse(const char *url, const struct options *o)
{
    _cleanup_(text_deinit) struct text why = {0};
    struct talk t = {
        .protocol = o->protocol, .input_open = true, .logging_in = o->credential != NULL};
    int result = GOES_ON;

    if (ws_client_open(url, o->protocol->path, &why, &t.ws) != ERR_OK)
        return fail(url, text_str(&why));
    if (o->credential)
        result = send_login(&t, o);
    while (result == GOES_ON)
        result = turn(&t, o->stay_ms);
    ws_client_destroy(t.ws);
    text_deinit(&t.line);
    return result;
}

/* The gateway that the configuration describes, seen from this machine. */
static int converse_as_configured(const char *config, const struct options *o)
{
    _cleanup_(text_deinit) struct text problems = {0};
    _cleanup_(text_deinit) struct text url = {0};
    struct settings settings = {0};
    int exit_code = CTL_UNKNOWN;

    if (config_load(&settings_table, PROGRAM_CTL, config, environ, &settings, &problems) ==
        ERR_OK) {
        text_addf(&url, "ws://127.0.0.1:%lld", (long long)settings.gateway_port);
        exit_code = converse(text_str(&url), o);
    } else {
        fputs(text_str(&problems), stderr);
    }
    config_free(&settings_table, &settings);
    return exit_code;
}

/* Options end where they are read; --login takes two words. */
static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {{"url", required_argument, NULL, 'u'},
                                            {"login", required_argument, NULL, 'l'},
                                            {"stay", required_argument, NULL, 's'},
                                            {"content", no_argument, NULL, 'c'},
                                            {NULL, 0, NULL, 0}};
    int found;

    while ((found = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (found == 'u') {
            o->url = optarg;
        } else if (found == 's') {
            o->stay_ms = atoi(optarg) * 1000;
        } else if (found == 'c') {
            o->protocol = &protocols[1];
        } else if (found == 'l' && optind < argc) {
            o->provider = optarg;
            o->credential = argv[optind++];
        } else {
            return false;
        }
    }
    return optind == argc;
}

int ctl_connect(const char *config, int argc, char **argv)
{
    struct options o = {.protocol = &protocols[0], .stay_ms = 1000};

    if (!read_options(argc, argv, &o))
        return fail("wrong arguments", "see activestack-ctl --help");
    if (o.url || !config)
        return converse(o.url ? o.url : DEFAULT_URL, &o);
    return converse_as_configured(config, &o);
}
