/* Checks calls over the program's own HTTP client. The program makes up the responses and sends no
 * request. exchanges FOLDER; the sandbox's line is in the environment as JUSTCALL_SANDBOX. alarm()
 * ends the program if it hangs. */

#define _POSIX_C_SOURCE 200809L

#include "pair_file.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define GOOD "abc123def456:sec789xyz000\n"
#define NEW "def456abc123:000xyz789sec\n"
#define LIST "/v2.1/calls?page=1"

/* Returns the next action of the exchange, or the negated status of its failure. */
static int32_t next(justcall_exchange *exchange, uint64_t *wait_ms) {
    justcall_error *error = POISON(justcall_error);
    int32_t action = -7;
    uint64_t wait = 77;
    justcall_status status = justcall_exchange_next(exchange, &action, &wait, &error);
    CHECK((error == NULL) == (status == JUSTCALL_OK));
    CHECK(status == JUSTCALL_OK || (action == -7 && wait == 77));
    /* For SEND it is the time left, because the clients here have a timeout. */
    CHECK(status != JUSTCALL_OK ||
          (wait > 0) == (action == JUSTCALL_ACTION_WAIT || action == JUSTCALL_ACTION_SEND));
    justcall_error_free(error);
    if (wait_ms)
        *wait_ms = wait;
    return status == JUSTCALL_OK ? action : -status;
}

/* Returns the next action after waiting as long as the exchange asks. */
static int32_t next_after_waiting(justcall_exchange *exchange) {
    uint64_t wait_ms = 0;
    int32_t action;
    while ((action = next(exchange, &wait_ms)) == JUSTCALL_ACTION_WAIT) {
        struct timespec time = {(time_t)(wait_ms / 1000), (long)(wait_ms % 1000) * 1000000};
        nanosleep(&time, NULL);
    }
    return action;
}

static void load(justcall_exchange *exchange) {
    justcall_error *error = POISON(justcall_error);
    CHECK(next_after_waiting(exchange) == JUSTCALL_ACTION_LOAD);
    CHECK(next(exchange, NULL) == JUSTCALL_ACTION_LOAD);
    CHECK_OK(justcall_exchange_load(exchange, &error), &error);
}

/* Checks that the next action is to send, with this pair. */
static void check_sends(justcall_exchange *exchange, const char *pair, int line) {
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    size_t length = 0;
    justcall_error *error = POISON(justcall_error);
    check(next_after_waiting(exchange) == JUSTCALL_ACTION_SEND, __FILE__, line,
          "the next action is SEND");
    CHECK_OK(justcall_exchange_authorization(exchange, buffer, sizeof buffer, &length, &error),
             &error);
    check(length == strlen(pair) - 1 && strncmp(buffer, pair, length) == 0, __FILE__, line,
          "it sends the expected pair");
    justcall_wipe(buffer, sizeof buffer);
}

#define CHECK_SENDS(exchange, pair) check_sends(exchange, pair, __LINE__)

static void respond(justcall_exchange *exchange, int32_t http_status, const char *body) {
    const char *names[] = {"Content-Type", "X-RateLimit-Remaining", "X-RateLimit-Reset"};
    const char *values[] = {"application/json", "59", "30"};
    justcall_error *error = POISON(justcall_error);
    /* The last header is only for successes: with a failure it would ask for a long wait. */
    CHECK_OK(justcall_exchange_answered(exchange, http_status, names, values,
                                        http_status == 200 ? 3 : 1, body, strlen(body), &error),
             &error);
}

static justcall_exchange *begin(const justcall_client *client, const char *method) {
    return new_exchange(client, method, LIST);
}

/* Creates an exchange and drives it to its first request. */
static justcall_exchange *begin_to_send(const justcall_client *client, const char *method) {
    justcall_exchange *exchange = begin(client, method);
    if (next(exchange, NULL) == JUSTCALL_ACTION_LOAD)
        CHECK(justcall_exchange_load(exchange, NULL) == JUSTCALL_OK);
    CHECK_SENDS(exchange, GOOD);
    return exchange;
}

static justcall_client *file_client(const struct sandbox *sandbox, struct pair_file *file,
                                    const char *folder) {
    *file = pair_file_in(folder);
    write_text(file, GOOD);
    return client_of(file_config(sandbox, file));
}

static void it_describes_a_request_and_accepts_its_response(struct sandbox *sandbox,
                                                            const char *folder) {
    struct pair_file file;
    char buffer[8], url[256];
    size_t length = 0;
    justcall_response *response = POISON(justcall_response), *again = NULL;
    justcall_error *error = POISON(justcall_error);
    justcall_client *client = file_client(sandbox, &file, folder);
    justcall_exchange *exchange = begin(client, "GET");
    justcall_client_free(client);
    CHECK_FAILS(justcall_exchange_authorization(exchange, buffer, sizeof buffer, NULL, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_exchange_response(exchange, &response, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK(response == NULL);
    load(exchange);
    CHECK(next(exchange, NULL) == JUSTCALL_ACTION_SEND);
    CHECK_TEXT(justcall_exchange_method(exchange), "GET");
    snprintf(url, sizeof url, "%s%s", member(sandbox->line, "url"), LIST);
    CHECK_TEXT(justcall_exchange_url(exchange), url);
    CHECK(justcall_exchange_is_verifying(exchange) == 0);
    int accepts = 0;
    for (size_t n = 0; n < justcall_exchange_header_count(exchange); ++n) {
        const char *name = justcall_exchange_header_name(exchange, n);
        CHECK(strcmp(name, "authorization") != 0);
        accepts += strcmp(name, "accept") == 0 &&
                   strcmp(justcall_exchange_header_value(exchange, n), "application/json") == 0;
    }
    CHECK(accepts == 1);
    CHECK(justcall_exchange_header_name(exchange, 99) == NULL);
    CHECK(justcall_exchange_header_value(exchange, 99) == NULL);
    CHECK_FAILS(justcall_exchange_authorization(exchange, buffer, sizeof buffer, &length, &error),
                JUSTCALL_ERROR_BUFFER_TOO_SMALL, &error);
    CHECK(length == strlen(GOOD) - 1);
    CHECK_SENDS(exchange, GOOD);
    respond(exchange, 200, "{\"count\":3}");
    CHECK(next(exchange, NULL) == JUSTCALL_ACTION_DONE);
    CHECK(next(exchange, NULL) == JUSTCALL_ACTION_DONE);
    CHECK_OK(justcall_exchange_response(exchange, &response, &error), &error);
    CHECK_OK(justcall_exchange_response(exchange, &again, &error), &error);
    /* Reports after the end change nothing. */
    respond(exchange, 500, "");
    CHECK_OK(justcall_exchange_failed(exchange, JUSTCALL_CAUSE_CLOSED, 1, &error), &error);
    CHECK_OK(justcall_exchange_load(exchange, &error), &error);
    CHECK(next(exchange, NULL) == JUSTCALL_ACTION_DONE);
    justcall_exchange_free(exchange);
    CHECK(justcall_response_http_status(response) == 200);
    CHECK(memcmp(justcall_response_body(response, &length), "{\"count\":3}", 11) == 0);
    CHECK(length == 11);
    CHECK_TEXT(justcall_response_header(response, "content-type"), "application/json");
    CHECK(justcall_response_rate_limit(response, JUSTCALL_RATE_LIMIT_REMAINING) == 59);
    /* The header counts seconds from the time of the response. */
    int64_t reset = justcall_response_rate_limit(response, JUSTCALL_RATE_LIMIT_RESET);
    CHECK(reset > (int64_t)time(NULL) - 60 && reset < (int64_t)time(NULL) + 60);
    justcall_response_free(response);
    justcall_response_free(again);
}

static void it_returns_the_same_failure_every_time(struct sandbox *sandbox, const char *folder) {
    struct pair_file file;
    justcall_response *response = POISON(justcall_response);
    justcall_error *error = POISON(justcall_error);
    int32_t action = 0;
    justcall_client *client = file_client(sandbox, &file, folder);
    justcall_exchange *exchange = begin_to_send(client, "GET");
    respond(exchange, 422, "{\"message\":\"no\"}");
    for (int n = 0; n < 2; ++n) {
        CHECK(justcall_exchange_next(exchange, &action, NULL, &error) ==
              JUSTCALL_ERROR_UNPROCESSABLE);
        CHECK_TEXT(justcall_error_service_message(error), "no");
        CHECK(justcall_response_http_status(justcall_error_response(error)) == 422);
        justcall_error_free(error);
    }
    CHECK_FAILS(justcall_exchange_response(exchange, &response, &error),
                JUSTCALL_ERROR_UNPROCESSABLE, &error);
    justcall_exchange_free(exchange);
    justcall_client_free(client);
}

static void it_retries_only_what_may_be_retried(struct sandbox *sandbox, const char *folder) {
    struct pair_file file;
    uint64_t wait_ms = 0;
    justcall_error *error = POISON(justcall_error);
    int32_t action = 0;
    justcall_client *client = file_client(sandbox, &file, folder);
    justcall_exchange *exchange = begin_to_send(client, "GET");
    respond(exchange, 503, "");
    CHECK(next(exchange, &wait_ms) == JUSTCALL_ACTION_WAIT);
    CHECK(wait_ms > 0 && wait_ms <= 250);
    CHECK_SENDS(exchange, GOOD);
    CHECK_OK(justcall_exchange_failed(exchange, JUSTCALL_CAUSE_CLOSED, 1, &error), &error);
    CHECK_SENDS(exchange, GOOD);
    respond(exchange, 503, "");
    CHECK(next(exchange, NULL) == -JUSTCALL_ERROR_UNAVAILABLE);
    justcall_exchange_free(exchange);

    /* A POST is retried only if nothing of it was sent. */
    exchange = begin_to_send(client, "POST");
    CHECK_OK(justcall_exchange_failed(exchange, JUSTCALL_CAUSE_CONNECT, 0, &error), &error);
    CHECK_SENDS(exchange, GOOD);
    CHECK_OK(justcall_exchange_failed(exchange, JUSTCALL_CAUSE_CLOSED, 1, &error), &error);
    CHECK(justcall_exchange_next(exchange, &action, NULL, &error) ==
          JUSTCALL_ERROR_CONNECTION_FAILED);
    CHECK_TEXT(justcall_error_reason(error), "receive");
    CHECK(justcall_error_request_sent(error) == 1);
    justcall_error_free(error);
    justcall_exchange_free(exchange);
    justcall_client_free(client);
}

static void it_continues_after_a_reset(struct sandbox *sandbox, const char *folder) {
    struct pair_file file;
    justcall_client *client = file_client(sandbox, &file, folder);
    justcall_exchange *exchange = begin_to_send(client, "POST");
    justcall_exchange *late = begin_to_send(client, "GET");
    write_text(&file, NEW);
    respond(exchange, 401, "");
    load(exchange);
    CHECK_SENDS(exchange, NEW);
    respond(exchange, 200, "{}");
    CHECK(next(exchange, NULL) == JUSTCALL_ACTION_DONE);
    /* An exchange that was in flight meanwhile does not read the source again. */
    respond(late, 401, "");
    CHECK_SENDS(late, NEW);
    respond(late, 200, "{}");
    CHECK(next(late, NULL) == JUSTCALL_ACTION_DONE);
    justcall_exchange_free(exchange);
    justcall_exchange_free(late);
    justcall_client_free(client);
}

static void it_verifies_the_expected_account_first(struct sandbox *sandbox, const char *folder) {
    struct pair_file file = pair_file_in(folder);
    char url[256];
    justcall_error *error = POISON(justcall_error);
    justcall_config *config = file_config(sandbox, &file);
    write_text(&file, GOOD);
    CHECK_OK(justcall_config_set_expected_account(config, 12345, &error), &error);
    justcall_client *client = client_of(config);
    justcall_exchange *exchange = begin(client, "POST");
    load(exchange);
    CHECK_SENDS(exchange, GOOD);
    CHECK(justcall_exchange_is_verifying(exchange) == 1);
    CHECK_TEXT(justcall_exchange_method(exchange), "GET");
    snprintf(url, sizeof url, "%s/v2/account", member(sandbox->line, "url"));
    CHECK_TEXT(justcall_exchange_url(exchange), url);
    respond(exchange, 200, "{\"status\":\"success\",\"data\":{\"account_id\":12345}}");
    CHECK_SENDS(exchange, GOOD);
    CHECK(justcall_exchange_is_verifying(exchange) == 0);
    CHECK_TEXT(justcall_exchange_method(exchange), "POST");
    respond(exchange, 200, "{}");
    CHECK(next(exchange, NULL) == JUSTCALL_ACTION_DONE);
    justcall_exchange_free(exchange);
    justcall_client_free(client);
}

static void it_fails_without_a_pair(struct sandbox *sandbox, const char *folder) {
    struct pair_file file;
    justcall_client *client = file_client(sandbox, &file, folder);
    unlink(file.path);
    justcall_exchange *exchange = begin(client, "GET");
    load(exchange);
    CHECK(next(exchange, NULL) == -JUSTCALL_ERROR_SOURCE_UNAVAILABLE);
    justcall_exchange_free(exchange);
    justcall_client_free(client);
}

static void it_lets_another_exchange_load_when_it_is_freed(struct sandbox *sandbox,
                                                           const char *folder) {
    struct pair_file file;
    justcall_client *client = file_client(sandbox, &file, folder);
    justcall_exchange *first = begin(client, "GET"), *second = begin(client, "GET");
    CHECK(next(first, NULL) == JUSTCALL_ACTION_LOAD);
    CHECK(next(second, NULL) == JUSTCALL_ACTION_WAIT);
    justcall_exchange_free(first);
    load(second);
    CHECK_SENDS(second, GOOD);
    justcall_exchange_free(second);
    justcall_client_free(client);
}

struct in_use {
    justcall_exchange *exchange;
    int seen;
};

static void use_again(void *context, const justcall_event *event) {
    struct in_use *in_use = (struct in_use *)context;
    justcall_error *error = POISON(justcall_error);
    int32_t action = 0;
    (void)event;
    CHECK_FAILS(justcall_exchange_next(in_use->exchange, &action, NULL, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK(justcall_exchange_url(in_use->exchange) == NULL);
    ++in_use->seen;
}

static void it_refuses_calls_from_its_own_event_handler(struct sandbox *sandbox,
                                                        const char *folder) {
    struct pair_file file = pair_file_in(folder);
    struct in_use in_use = {NULL, 0};
    justcall_error *error = POISON(justcall_error);
    justcall_config *config = file_config(sandbox, &file);
    write_text(&file, GOOD);
    CHECK_OK(justcall_config_set_event_handler(config, use_again, &in_use, NULL, &error), &error);
    justcall_client *client = client_of(config);
    in_use.exchange = begin_to_send(client, "GET");
    respond(in_use.exchange, 503, "");
    CHECK(in_use.seen == 1);
    CHECK_SENDS(in_use.exchange, GOOD);
    justcall_exchange_free(in_use.exchange);
    justcall_client_free(client);
}

static void it_is_refused_in_a_forked_child(struct sandbox *sandbox, const char *folder) {
    struct pair_file file;
    int status = 0;
    justcall_client *client = file_client(sandbox, &file, folder);
    justcall_exchange *exchange = begin_to_send(client, "GET");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int refused = next(exchange, NULL) == -JUSTCALL_ERROR_INVALID_ARGUMENT;
        justcall_exchange_free(exchange);
        exchange = begin_to_send(client, "GET");
        respond(exchange, 200, "{}");
        _exit(refused && next(exchange, NULL) == JUSTCALL_ACTION_DONE && !checks_failed ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    respond(exchange, 200, "{}");
    CHECK(next(exchange, NULL) == JUSTCALL_ACTION_DONE);
    justcall_exchange_free(exchange);
    justcall_client_free(client);
}

static void it_accepts_null_for_an_exchange(void) {
    CHECK(justcall_exchange_method(NULL) == NULL && justcall_exchange_url(NULL) == NULL);
    CHECK(justcall_exchange_header_count(NULL) == 0);
    CHECK(justcall_exchange_header_name(NULL, 0) == NULL);
    CHECK(justcall_exchange_header_value(NULL, 0) == NULL);
    CHECK(justcall_exchange_is_verifying(NULL) == 0);
    justcall_exchange_free(NULL);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    struct sandbox sandbox = sandbox_open();
    alarm(300);
    it_describes_a_request_and_accepts_its_response(&sandbox, argv[1]);
    it_returns_the_same_failure_every_time(&sandbox, argv[1]);
    it_retries_only_what_may_be_retried(&sandbox, argv[1]);
    it_verifies_the_expected_account_first(&sandbox, argv[1]);
    it_fails_without_a_pair(&sandbox, argv[1]);
    it_lets_another_exchange_load_when_it_is_freed(&sandbox, argv[1]);
    it_refuses_calls_from_its_own_event_handler(&sandbox, argv[1]);
    it_is_refused_in_a_forked_child(&sandbox, argv[1]);
    it_accepts_null_for_an_exchange();
    /* The last test, because the pair then counts as rejected. */
    it_continues_after_a_reset(&sandbox, argv[1]);
    sandbox_close(&sandbox);
    return checks_result();
}
