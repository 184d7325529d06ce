/*
 * Keeps four calls in flight with libcurl's multi interface, on one thread, until standard input
 * ends: curl_multi SOURCE [BASE_URL [CA_FILE [TIMEOUT_MS]]]
 *
 * libcurl sends the requests. The library decides what to send, what a response means and what to
 * do next, so a reset of the pair fails no call. BASE_URL and CA_FILE select a local sandbox
 * instead of the service. Each call prints its result, and the last line counts the calls.
 */

#define _POSIX_C_SOURCE 200809L

#include <curl/curl.h>
#include <justcall_auth.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CALLS 4
#define MAX_HEADERS 64

struct call {
    justcall_exchange *exchange;
    CURL *easy; /* while a request is in flight */
    struct curl_slist *headers;
    char *body;
    size_t length;
    long long due; /* while the exchange waits: when to call it again, in milliseconds */
};

static long long now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static size_t keep_body(char *data, size_t size, size_t count, void *context) {
    struct call *call = context;
    char *body = realloc(call->body, call->length + size * count + 1);
    if (!body)
        return 0;
    memcpy(body + call->length, data, size * count);
    call->body = body;
    call->length += size * count;
    return size * count;
}

static void add_header(struct call *call, const char *name, const char *value) {
    char line[JUSTCALL_AUTHORIZATION_SIZE + 256];
    snprintf(line, sizeof line, "%s: %s", name, value);
    call->headers = curl_slist_append(call->headers, line);
    justcall_wipe(line, sizeof line);
}

/* [snippet] */
/* Passes the request to libcurl, which may take `wait_ms` milliseconds (0 means no limit). */
static justcall_status start(struct call *call, CURLM *multi, const char *ca_file, uint64_t wait_ms,
                             justcall_error **error) {
    size_t length = 0;
    const void *body = justcall_exchange_body(call->exchange, &length);
    char pair[JUSTCALL_AUTHORIZATION_SIZE];
    justcall_status status =
        justcall_exchange_authorization(call->exchange, pair, sizeof pair, NULL, error);
    if (status != JUSTCALL_OK)
        return status;
    for (size_t n = 0; n < justcall_exchange_header_count(call->exchange); ++n)
        add_header(call, justcall_exchange_header_name(call->exchange, n),
                   justcall_exchange_header_value(call->exchange, n));
    add_header(call, "authorization", pair);
    justcall_wipe(pair, sizeof pair);
    call->easy = curl_easy_init();
    curl_easy_setopt(call->easy, CURLOPT_URL, justcall_exchange_url(call->exchange));
    curl_easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, justcall_exchange_method(call->exchange));
    if (body) {
        curl_easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
        curl_easy_setopt(call->easy, CURLOPT_COPYPOSTFIELDS, body);
    }
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
    curl_easy_setopt(call->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)(wait_ms < LONG_MAX ? wait_ms : 0));
    curl_easy_setopt(call->easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
    if (ca_file)
        curl_easy_setopt(call->easy, CURLOPT_CAINFO, ca_file);
    curl_multi_add_handle(multi, call->easy);
    return JUSTCALL_OK;
}

/* Does what the exchange returns, until it has to wait. Sets `*over` to 1 when the call is over:
 * with JUSTCALL_OK it has its response, with any other status it has failed. */
static justcall_status drive(struct call *call, CURLM *multi, const char *ca_file, int *over,
                             justcall_error **error) {
    for (;;) {
        int32_t action = 0;
        uint64_t wait_ms = 0;
        justcall_status status = justcall_exchange_next(call->exchange, &action, &wait_ms, error);
        *over = status != JUSTCALL_OK || action == JUSTCALL_ACTION_DONE;
        if (*over)
            return status;
        switch (action) {
        case JUSTCALL_ACTION_SEND:
            status = start(call, multi, ca_file, wait_ms, error);
            *over = status != JUSTCALL_OK;
            return status;
        case JUSTCALL_ACTION_WAIT:
            call->due = now_ms() + (long long)wait_ms;
            return JUSTCALL_OK;
        case JUSTCALL_ACTION_LOAD:
            /* Reading a file is fast. Load a slow source on another thread. */
            justcall_exchange_load(call->exchange, NULL);
            break;
        }
    }
}

/* The JUSTCALL_CAUSE number for libcurl's result. */
static int32_t cause_of(CURLcode result) {
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return JUSTCALL_CAUSE_RESOLVE;
    case CURLE_COULDNT_CONNECT:
        return JUSTCALL_CAUSE_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return JUSTCALL_CAUSE_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return JUSTCALL_CAUSE_TIMEOUT;
    default:
        return JUSTCALL_CAUSE_CLOSED;
    }
}

/* Reports the result of the request to the exchange. */
static void report(struct call *call, CURLcode result) {
    const char *names[MAX_HEADERS], *values[MAX_HEADERS];
    struct curl_header *header = NULL;
    size_t count = 0;
    long http_status = 0, sent = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &http_status);
    curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &sent);
    while (count < MAX_HEADERS &&
           (header = curl_easy_nextheader(call->easy, CURLH_HEADER, -1, header))) {
        names[count] = header->name;
        values[count++] = header->value;
    }
    if (result == CURLE_OK)
        justcall_exchange_answered(call->exchange, (int32_t)http_status, names, values, count,
                                   call->body, call->length, NULL);
    else
        justcall_exchange_failed(call->exchange, cause_of(result), sent > 0, NULL);
}
/* [/snippet] */

static void finish_request(struct call *call, CURLM *multi) {
    curl_multi_remove_handle(multi, call->easy);
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    free(call->body);
    call->easy = NULL;
    call->headers = NULL;
    call->body = NULL;
    call->length = 0;
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

/* Keeps calls in flight. Returns how many failed. */
static long run(const justcall_client *client, CURLM *multi, const char *ca_file) {
    struct call calls[CALLS];
    long made = 0, failed = 0;
    int open = 1, busy;
    memset(calls, 0, sizeof calls);
    do {
        long long now = now_ms();
        int timeout = 1000, running = 0, left = 0;
        CURLMsg *message;
        busy = 0;
        for (int n = 0; n < CALLS; ++n) {
            struct call *call = &calls[n];
            justcall_error *error = NULL;
            int over = 0;
            if (!call->exchange && open && begin(client, call, &error) != JUSTCALL_OK)
                over = 1;
            if (call->exchange && !call->easy && call->due <= now)
                drive(call, multi, ca_file, &over, &error);
            if (over) {
                int32_t status = justcall_error_status(error);
                printf("%s\n", error ? justcall_error_message(error) : "ok");
                ++made;
                failed += status != JUSTCALL_OK;
                justcall_exchange_free(call->exchange);
                call->exchange = NULL;
                call->due = 0;
                timeout = 0;
            }
            justcall_error_free(error);
            if (call->exchange && !call->easy && call->due - now < timeout)
                timeout = call->due > now ? (int)(call->due - now) : 0;
            busy = busy || call->exchange;
        }
        fflush(stdout);
        struct curl_waitfd input = {STDIN_FILENO, CURL_WAIT_POLLIN, 0};
        curl_multi_perform(multi, &running);
        while ((message = curl_multi_info_read(multi, &left))) {
            struct call *call = NULL;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
            report(call, message->data.result);
            finish_request(call, multi);
            call->due = 0;
            timeout = 0;
        }
        curl_multi_poll(multi, open ? &input : NULL, open ? 1 : 0, timeout, NULL);
        if (open && input.revents) {
            char ignored[64];
            open = read(STDIN_FILENO, ignored, sizeof ignored) > 0;
        }
    } while (open || busy);
    printf("%ld calls, %ld failed\n", made, failed);
    return failed;
}

int main(int argc, char **argv) {
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_error *error = NULL;
    justcall_status status =
        justcall_config_set_source(config, argc > 1 ? argv[1] : "default:", &error);
    if (status == JUSTCALL_OK && argc > 2)
        status = justcall_config_set_base_url(config, argv[2], &error);
    /* Calls wait this long after a reset until the source has the new pair. */
    if (status == JUSTCALL_OK)
        status = justcall_config_set_rotation_wait_ms(config, 20000, &error);
    if (status == JUSTCALL_OK && argc > 4)
        status = justcall_config_set_timeout_ms(config, strtoul(argv[4], NULL, 10), &error);
    if (status == JUSTCALL_OK)
        status = justcall_client_new(config, &client, &error);
    justcall_config_free(config);
    if (status != JUSTCALL_OK) {
        fprintf(stderr, "%s\n%s\n", justcall_error_message(error), justcall_error_hint(error));
        justcall_error_free(error);
        return 1;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    long failed = run(client, multi, argc > 3 ? argv[3] : NULL);
    curl_multi_cleanup(multi);
    curl_global_cleanup();
    justcall_client_free(client);
    return failed == 0 ? 0 : 1;
}
