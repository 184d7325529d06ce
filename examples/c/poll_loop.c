/*
 * Keeps four calls in flight on plain sockets in a poll() loop, on one thread, until standard input
 * ends: poll_loop SOURCE BASE_URL [TIMEOUT_MS]
 *
 * Shows how an event loop drives exchanges: a reset of the pair fails no call. The program uses
 * HTTP/1.0 without TLS, so BASE_URL must be that of a sandbox, `http://127.0.0.1:PORT`. Each call
 * prints its result, and the last line counts the calls.
 */

#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <justcall_auth.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CALLS 4
#define MAX_HEADERS 64
#define BUFFER 65536

struct call {
    justcall_exchange *exchange;
    int socket; /* while a request is in flight, otherwise -1 */
    char request[8192];
    size_t request_length, sent;
    char response[BUFFER];
    size_t received;
    /* In milliseconds: while the exchange waits, when to call it again; while a request is in
     * flight, its deadline. */
    long long due;
};

static long long now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Appends a line to the request. */
static void add_line(struct call *call, const char *a, const char *b, const char *c) {
    int length = snprintf(call->request + call->request_length,
                          sizeof call->request - call->request_length, "%s%s%s\r\n", a, b, c);
    call->request_length += (size_t)length;
}

static void stop(struct call *call) {
    close(call->socket);
    call->socket = -1;
    call->due = 0;
    justcall_wipe(call->request, sizeof call->request);
}

/* Starts to connect. Accepts only IP addresses, because resolving a name would block. */
static int connect_to(const char *url) {
    struct sockaddr_in address = {0};
    char host[64] = "";
    unsigned port = 80;
    int handle = socket(AF_INET, SOCK_STREAM, 0);
    sscanf(url, "http://%63[0-9.]:%u", host, &port);
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    if (handle < 0 || inet_pton(AF_INET, host, &address.sin_addr) != 1)
        return handle < 0 ? -1 : (close(handle), -1);
    fcntl(handle, F_SETFL, fcntl(handle, F_GETFL) | O_NONBLOCK);
    if (connect(handle, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
        return close(handle), -1;
    return handle;
}

/* [snippet] */
/* Builds the request and starts to connect. It may take `wait_ms` milliseconds (0 means no limit).
 */
static justcall_status start(struct call *call, uint64_t wait_ms, justcall_error **error) {
    justcall_exchange *exchange = call->exchange;
    const char *url = justcall_exchange_url(exchange), *path = strchr(url + strlen("http://"), '/');
    char pair[JUSTCALL_AUTHORIZATION_SIZE];
    justcall_status status =
        justcall_exchange_authorization(exchange, pair, sizeof pair, NULL, error);
    if (status != JUSTCALL_OK)
        return status;
    call->request_length = call->sent = call->received = 0;
    add_line(call, justcall_exchange_method(exchange), " ", path);
    call->request_length -= 2;
    add_line(call, " HTTP/1.0", "", "");
    for (size_t n = 0; n < justcall_exchange_header_count(exchange); ++n)
        add_line(call, justcall_exchange_header_name(exchange, n), ": ",
                 justcall_exchange_header_value(exchange, n));
    add_line(call, "authorization", ": ", pair);
    add_line(call, "", "", "");
    justcall_wipe(pair, sizeof pair);
    call->socket = connect_to(url);
    if (call->socket < 0)
        return justcall_exchange_failed(exchange, JUSTCALL_CAUSE_CONNECT, 0, error);
    call->due = wait_ms ? now_ms() + (long long)wait_ms : LLONG_MAX;
    return JUSTCALL_OK;
}

/* Does what the exchange returns, until it has to wait. Sets `*over` to 1 when the call is over:
 * with JUSTCALL_OK it has its response, with any other status it has failed. */
static justcall_status drive(struct call *call, int *over, justcall_error **error) {
    while (call->socket < 0) {
        int32_t action = 0;
        uint64_t wait_ms = 0;
        justcall_status status = justcall_exchange_next(call->exchange, &action, &wait_ms, error);
        if (status == JUSTCALL_OK && action == JUSTCALL_ACTION_SEND)
            status = start(call, wait_ms, error);
        *over = status != JUSTCALL_OK || action == JUSTCALL_ACTION_DONE;
        if (*over)
            return status;
        if (action == JUSTCALL_ACTION_LOAD)
            /* Reading a file is fast. Load a slow source on another thread. */
            justcall_exchange_load(call->exchange, NULL);
        if (action == JUSTCALL_ACTION_WAIT) {
            call->due = now_ms() + (long long)wait_ms;
            break;
        }
    }
    return JUSTCALL_OK;
}

/* Reports the response, which ends when the server closes the connection. */
static void report(struct call *call) {
    const char *names[MAX_HEADERS], *values[MAX_HEADERS];
    size_t count = 0;
    int http_status = 0;
    call->response[call->received] = '\0';
    char *body = strstr(call->response, "\r\n\r\n");
    if (!body || sscanf(call->response, "HTTP/1.%*d %d", &http_status) != 1) {
        justcall_exchange_failed(call->exchange, JUSTCALL_CAUSE_CLOSED, 1, NULL);
        return;
    }
    *body = '\0';
    body += 4;
    for (char *line = strstr(call->response, "\r\n"); line && count < MAX_HEADERS;) {
        char *value = strstr(line += 2, ": "), *end = strstr(line, "\r\n");
        if (end)
            *end = '\0';
        if (value && (!end || value < end)) {
            *value = '\0';
            names[count] = line;
            values[count++] = value + 2;
        }
        line = end;
    }
    justcall_exchange_answered(call->exchange, http_status, names, values, count, body,
                               call->received - (size_t)(body - call->response), NULL);
}
/* [/snippet] */

/* Called when the socket is writable. */
static void write_more(struct call *call) {
    int failure = 0;
    socklen_t size = sizeof failure;
    getsockopt(call->socket, SOL_SOCKET, SO_ERROR, &failure, &size);
    ssize_t written = failure ? -1
                              : send(call->socket, call->request + call->sent,
                                     call->request_length - call->sent, MSG_NOSIGNAL);
    if (written >= 0) {
        call->sent += (size_t)written;
    } else if (failure || (errno != EAGAIN && errno != EINTR)) {
        int32_t cause = call->sent ? JUSTCALL_CAUSE_CLOSED : JUSTCALL_CAUSE_CONNECT;
        justcall_exchange_failed(call->exchange, cause, call->sent > 0, NULL);
        stop(call);
    }
}

/* Called when the socket is readable. */
static void read_more(struct call *call) {
    ssize_t count =
        recv(call->socket, call->response + call->received, BUFFER - 1 - call->received, 0);
    if (count > 0) {
        call->received += (size_t)count;
    } else if (count == 0) {
        report(call);
        stop(call);
    } else if (errno != EAGAIN && errno != EINTR) {
        justcall_exchange_failed(call->exchange, JUSTCALL_CAUSE_CLOSED, 1, NULL);
        stop(call);
    }
}

static justcall_status begin(const justcall_client *client, struct call *call,
                             justcall_error **error) {
    justcall_request *request = NULL;
    justcall_status status = justcall_request_new("GET", "/v2.1/calls", &request, error);
    if (status == JUSTCALL_OK)
        status = justcall_exchange_new(client, request, &call->exchange, error);
    justcall_request_free(request);
    return status;
}

/* Starts or ends a call if that is due. Returns how long the loop may sleep, in milliseconds. */
static int step(const justcall_client *client, struct call *call, int open, long *made,
                long *failed) {
    justcall_error *error = NULL;
    int over = 0;
    if (!call->exchange && open)
        over = begin(client, call, &error) != JUSTCALL_OK;
    if (call->socket >= 0 && call->due <= now_ms()) {
        justcall_exchange_failed(call->exchange, JUSTCALL_CAUSE_TIMEOUT, call->sent > 0, NULL);
        stop(call);
    }
    if (call->exchange && call->socket < 0 && call->due <= now_ms())
        drive(call, &over, &error);
    if (over) {
        printf("%s\n", error ? justcall_error_message(error) : "ok");
        fflush(stdout);
        *failed += error != NULL;
        ++*made;
        justcall_exchange_free(call->exchange);
        call->exchange = NULL;
        call->due = 0;
    }
    justcall_error_free(error);
    if (over)
        return 0;
    if (!call->exchange)
        return 1000;
    long long left = call->due - now_ms();
    return left > 1000 ? 1000 : left > 0 ? (int)left : 0;
}

static long run(const justcall_client *client) {
    static struct call calls[CALLS];
    long made = 0, failed = 0;
    int open = 1, busy = 1;
    for (int n = 0; n < CALLS; ++n)
        calls[n].socket = -1;
    while (open || busy) {
        struct pollfd waiting[CALLS + 1];
        int timeout = 1000;
        busy = 0;
        for (int n = 0; n < CALLS; ++n) {
            struct call *call = &calls[n];
            int sleep = step(client, call, open, &made, &failed);
            timeout = sleep < timeout ? sleep : timeout;
            busy = busy || call->exchange;
            waiting[n].fd = call->socket;
            waiting[n].events = call->sent < call->request_length ? POLLOUT : POLLIN;
            waiting[n].revents = 0;
        }
        waiting[CALLS].fd = open ? STDIN_FILENO : -1;
        waiting[CALLS].events = POLLIN;
        waiting[CALLS].revents = 0;
        if (poll(waiting, CALLS + 1, open || busy ? timeout : 0) < 0 && errno != EINTR)
            break;
        for (int n = 0; n < CALLS; ++n) {
            if (waiting[n].fd >= 0 && waiting[n].revents)
                (waiting[n].events == POLLOUT ? write_more : read_more)(&calls[n]);
        }
        if (waiting[CALLS].revents) {
            char ignored[64];
            open = read(STDIN_FILENO, ignored, sizeof ignored) > 0;
        }
    }
    printf("%ld calls, %ld failed\n", made, failed);
    return failed;
}

int main(int argc, char **argv) {
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_error *error = NULL;
    if (argc < 3)
        return fprintf(stderr, "poll_loop SOURCE BASE_URL [TIMEOUT_MS]\n"), 2;
    justcall_status status = justcall_config_set_source(config, argv[1], &error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_base_url(config, argv[2], &error);
    /* Calls wait this long after a reset until the source has the new pair. */
    if (status == JUSTCALL_OK)
        status = justcall_config_set_rotation_wait_ms(config, 20000, &error);
    if (status == JUSTCALL_OK && argc > 3)
        status = justcall_config_set_timeout_ms(config, strtoul(argv[3], NULL, 10), &error);
    if (status == JUSTCALL_OK)
        status = justcall_client_new(config, &client, &error);
    justcall_config_free(config);
    if (status != JUSTCALL_OK) {
        fprintf(stderr, "%s\n%s\n", justcall_error_message(error), justcall_error_hint(error));
        justcall_error_free(error);
        return 1;
    }
    long failed = run(client);
    justcall_client_free(client);
    return failed == 0 ? 0 : 1;
}
