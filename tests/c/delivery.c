/* Checks what errors report about the request of a failed call. delivery FOLDER; the sandbox's line
 * is in the environment as JUSTCALL_SANDBOX. alarm() ends the program if it hangs. */

#define _POSIX_C_SOURCE 200809L

#include "pair_file.h"

#include <time.h>
#include <unistd.h>

#define PATH "/v2.1/texts/+15550100"
/* Milliseconds: long enough to reach the request on a busy machine, but short. */
#define SHORT 2000

static void sleep_ms(long ms) {
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Creates an exchange for a POST with a time limit; 0 keeps the client's limit. */
static justcall_exchange *post(const justcall_client *client, uint64_t timeout_ms) {
    justcall_exchange *exchange = POISON(justcall_exchange);
    justcall_error *error = POISON(justcall_error);
    justcall_request *request = new_request("POST", PATH "?x=1");
    CHECK_OK(justcall_request_set_body(request, "{\"a\":1}", 7, &error), &error);
    if (timeout_ms)
        CHECK_OK(justcall_request_set_timeout_ms(request, timeout_ms, &error), &error);
    CHECK_OK(justcall_exchange_new(client, request, &exchange, &error), &error);
    justcall_request_free(request);
    return exchange;
}

/* Drives the exchange until a request is due. Returns the time left for the request, in
 * milliseconds. */
static uint64_t until_send(justcall_exchange *exchange) {
    justcall_error *error = POISON(justcall_error);
    int32_t action = 0;
    uint64_t ms = 0;
    for (;;) {
        if (justcall_exchange_next(exchange, &action, &ms, &error) != JUSTCALL_OK)
            abort_test("no request is due", justcall_error_message(error));
        if (action == JUSTCALL_ACTION_SEND)
            return ms;
        if (action == JUSTCALL_ACTION_LOAD)
            CHECK_OK(justcall_exchange_load(exchange, &error), &error);
        else
            sleep_ms((long)ms);
    }
}

static void read_authorization(justcall_exchange *exchange) {
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_exchange_authorization(exchange, buffer, sizeof buffer, NULL, &error),
             &error);
    justcall_wipe(buffer, sizeof buffer);
}

/* Returns the failure of the exchange. The caller frees it. */
static justcall_error *failure(justcall_exchange *exchange) {
    justcall_error *error = POISON(justcall_error);
    int32_t action = 0;
    uint64_t ms = 0;
    while (justcall_exchange_next(exchange, &action, &ms, &error) == JUSTCALL_OK)
        sleep_ms(ms < 50 ? (long)ms : 50);
    return error;
}

static void it_reports_a_request_as_sent_after_its_authorization_was_read(struct sandbox *sandbox) {
    cJSON *pair = fresh_account(sandbox);
    for (int taken = 0; taken < 2; ++taken) {
        /* The deadline passes. */
        justcall_client *client = new_client(sandbox, pair);
        justcall_exchange *exchange = post(client, SHORT);
        uint64_t left = until_send(exchange);
        CHECK(left >= 1 && left <= SHORT);
        if (taken)
            read_authorization(exchange);
        justcall_error *error = failure(exchange);
        CHECK(justcall_error_status(error) == JUSTCALL_ERROR_TIMEOUT);
        CHECK(justcall_error_request_sent(error) == taken);
        CHECK_TEXT(justcall_error_reason(error), taken ? "receive" : "connect");
        justcall_error_free(error);
        justcall_exchange_free(exchange);
        /* The client is shut down. */
        exchange = post(client, 0);
        until_send(exchange);
        if (taken)
            read_authorization(exchange);
        justcall_client_shutdown(client);
        error = failure(exchange);
        CHECK(justcall_error_status(error) == JUSTCALL_ERROR_CANCELLED);
        CHECK(justcall_error_request_sent(error) == taken);
        justcall_error_free(error);
        justcall_exchange_free(exchange);
        justcall_client_free(client);
    }
    cJSON_Delete(pair);
}

static void it_returns_the_time_left_or_zero_without_a_limit(struct sandbox *sandbox) {
    cJSON *pair = fresh_account(sandbox);
    justcall_config *config = with_pair(sandbox_config(sandbox), pair);
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_config_set_timeout_ms(config, 0, &error), &error);
    justcall_client *client = client_of(config);
    justcall_exchange *exchange = post(client, 0);
    CHECK(until_send(exchange) == 0);
    justcall_exchange_free(exchange);
    exchange = post(client, 60000);
    uint64_t left = until_send(exchange);
    CHECK(left > 0 && left <= 60000);
    justcall_exchange_free(exchange);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_reports_causes_as_the_built_in_client_would(struct sandbox *sandbox) {
    static const struct {
        int32_t cause, sent;
        justcall_status status;
        const char *reason;
    } rows[] = {
        {JUSTCALL_CAUSE_RESOLVE, 0, JUSTCALL_ERROR_CONNECTION_FAILED, "resolve"},
        {JUSTCALL_CAUSE_CONNECT, 0, JUSTCALL_ERROR_CONNECTION_FAILED, "connect"},
        {JUSTCALL_CAUSE_TLS, 0, JUSTCALL_ERROR_TLS_FAILED, NULL},
        {JUSTCALL_CAUSE_TIMEOUT, 0, JUSTCALL_ERROR_TIMEOUT, "connect"},
        {JUSTCALL_CAUSE_TIMEOUT, 1, JUSTCALL_ERROR_TIMEOUT, "receive"},
        {JUSTCALL_CAUSE_CLOSED, 0, JUSTCALL_ERROR_CONNECTION_FAILED, "send"},
        {JUSTCALL_CAUSE_CLOSED, 1, JUSTCALL_ERROR_CONNECTION_FAILED, "receive"},
        {JUSTCALL_CAUSE_CANCELLED, 1, JUSTCALL_ERROR_CANCELLED, NULL},
    };
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair); /* without retries */
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; ++n) {
        justcall_exchange *exchange = post(client, 0);
        justcall_error *error = POISON(justcall_error);
        size_t length = 0;
        until_send(exchange);
        CHECK(memcmp(justcall_exchange_body(exchange, &length), "{\"a\":1}", 7) == 0 &&
              length == 7);
        read_authorization(exchange);
        CHECK_FAILS(justcall_exchange_failed(exchange, 0, 0, &error),
                    JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
        CHECK_OK(justcall_exchange_failed(exchange, rows[n].cause, rows[n].sent, &error), &error);
        error = failure(exchange);
        CHECK(justcall_error_status(error) == rows[n].status);
        if (rows[n].reason)
            CHECK_TEXT(justcall_error_reason(error), rows[n].reason);
        else
            CHECK(justcall_error_reason(error) == NULL);
        CHECK(justcall_error_request_sent(error) == rows[n].sent);
        CHECK_TEXT(justcall_error_method(error), "POST");
        CHECK_TEXT(justcall_error_path(error), PATH);
        CHECK(justcall_error_attempts(error) == 1);
        CHECK(strstr(justcall_error_message(error), "5550100") == NULL);
        justcall_error_free(error);
        justcall_exchange_free(exchange);
    }
    justcall_client_free(client);
    cJSON_Delete(pair);
    CHECK(justcall_error_method(NULL) == NULL && justcall_error_path(NULL) == NULL);
    CHECK(justcall_error_attempts(NULL) == 0);
    size_t length = 7;
    CHECK(justcall_exchange_body(NULL, &length) == NULL && length == 0);
}

static void it_names_no_request_for_a_failure_without_one(void) {
    justcall_request *request = POISON(justcall_request);
    justcall_error *error = POISON(justcall_error);
    CHECK(justcall_request_new("GET", "no slash", &request, &error) ==
          JUSTCALL_ERROR_INVALID_ARGUMENT);
    CHECK(justcall_error_method(error) == NULL && justcall_error_path(error) == NULL);
    CHECK(justcall_error_attempts(error) == 0);
    justcall_error_free(error);
}

/* Cancels a call while it waits for a retry. */
static void cancel_on_retry(void *context, const justcall_event *event) {
    if (justcall_event_kind(event) == JUSTCALL_EVENT_RETRYING)
        justcall_cancel_fire((justcall_cancel *)context);
}

static void it_keeps_the_last_response_if_a_retry_is_cancelled(struct sandbox *sandbox) {
    static const char *const methods[] = {"PUT", "POST"};
    static const int statuses[] = {503, 429};
    cJSON *pair = fresh_account(sandbox);
    for (int n = 0; n < 2; ++n) {
        char fault[128];
        justcall_error *error = POISON(justcall_error);
        justcall_response *response = POISON(justcall_response);
        justcall_cancel *cancel = justcall_cancel_new();
        justcall_config *config = with_pair(sandbox_config(sandbox), pair);
        CHECK_OK(justcall_config_set_max_retries(config, 2, &error), &error);
        CHECK_OK(justcall_config_set_timeout_ms(config, 60000, &error), &error);
        CHECK_OK(justcall_config_set_event_handler(config, cancel_on_retry, cancel, NULL, &error),
                 &error);
        justcall_client *client = client_of(config);
        snprintf(fault, sizeof fault,
                 "{\"fault\":\"answer\",\"status\":%d,\"headers\":{\"retry-after\":\"50\"}}",
                 statuses[n]);
        run_control(sandbox, "POST", "faults", fault);
        justcall_request *request = new_request(methods[n], PATH);
        CHECK_OK(justcall_request_set_cancel(request, cancel, &error), &error);
        CHECK(justcall_client_send(client, request, &response, &error) == JUSTCALL_ERROR_CANCELLED);
        CHECK(justcall_error_request_sent(error) == 1);
        CHECK(justcall_error_http_status(error) == statuses[n]);
        CHECK_TEXT(justcall_response_header(justcall_error_response(error), "retry-after"), "50");
        justcall_error_free(error);
        justcall_request_free(request);
        justcall_client_free(client);
        justcall_cancel_free(cancel);
        run_control(sandbox, "DELETE", "faults", NULL);
    }
    cJSON_Delete(pair);
}

static void it_does_not_wait_forever_for_an_abandoned_exchange(struct sandbox *sandbox,
                                                               const char *folder) {
    cJSON *pair = fresh_account(sandbox);
    struct pair_file file = pair_file_in(folder);
    write_pair(&file, pair);
    justcall_error *error = POISON(justcall_error);
    int32_t action = 0;
    justcall_client *client = client_of(file_config(sandbox, &file));
    justcall_exchange *abandoned = post(client, SHORT);
    CHECK_OK(justcall_exchange_next(abandoned, &action, NULL, &error), &error);
    CHECK(action == JUSTCALL_ACTION_LOAD);
    /* An exchange with a shorter time limit fails and names the cause. */
    justcall_exchange *short_limit = post(client, 100);
    error = failure(short_limit);
    CHECK(justcall_error_status(error) == JUSTCALL_ERROR_TIMEOUT);
    CHECK_TEXT(justcall_error_message(error),
               "Another call is still reading the source of the credentials.");
    justcall_error_free(error);
    justcall_exchange_free(short_limit);
    /* An exchange with more time continues. */
    justcall_response_free(response_to(client, "/v2.1/calls"));
    CHECK_OK(justcall_exchange_load(abandoned, &error), &error);
    CHECK(justcall_exchange_next(abandoned, &action, NULL, &error) == JUSTCALL_ERROR_TIMEOUT);
    justcall_error_free(error);
    justcall_exchange_free(abandoned);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

/* A source callback that calls its own client. */
struct loop {
    justcall_client *client;
    cJSON *pair;
    int loads;
};

static justcall_status load_with_own_client(void *context, justcall_credentials **out,
                                            justcall_error **why) {
    (void)why;
    struct loop *loop = (struct loop *)context;
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    int32_t changed = 0;
    justcall_account *account = POISON(justcall_account);
    justcall_error *error = POISON(justcall_error);
    ++loop->loads;
    CHECK_FAILS(justcall_client_verify(loop->client, &account, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_client_reload(loop->client, &changed, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_client_authorization(loop->client, buffer, sizeof buffer, NULL, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    *out = credentials_of(loop->pair);
    return JUSTCALL_OK;
}

static void it_refuses_a_call_inside_the_callback_that_loads_its_pair(struct sandbox *sandbox) {
    struct loop loop = {NULL, fresh_account(sandbox), 0};
    justcall_error *error = POISON(justcall_error);
    justcall_config *config = sandbox_config(sandbox);
    CHECK_OK(justcall_config_set_timeout_ms(config, 0, &error), &error);
    CHECK_OK(justcall_config_set_source_callback(config, load_with_own_client, &loop, NULL, &error),
             &error);
    loop.client = client_of(config);
    justcall_response_free(response_to(loop.client, "/v2.1/calls"));
    CHECK(loop.loads == 1);
    CHECK_SEEN(sandbox, "/v2.1/calls", NULL);
    justcall_client_free(loop.client);
    cJSON_Delete(loop.pair);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    struct sandbox sandbox = sandbox_open();
    alarm(300);
    it_reports_a_request_as_sent_after_its_authorization_was_read(&sandbox);
    it_returns_the_time_left_or_zero_without_a_limit(&sandbox);
    it_reports_causes_as_the_built_in_client_would(&sandbox);
    it_names_no_request_for_a_failure_without_one();
    it_keeps_the_last_response_if_a_retry_is_cancelled(&sandbox);
    it_does_not_wait_forever_for_an_abandoned_exchange(&sandbox, argv[1]);
    it_refuses_a_call_inside_the_callback_that_loads_its_pair(&sandbox);
    sandbox_close(&sandbox);
    return checks_result();
}
