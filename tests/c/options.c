/* Checks limits of single calls, signal handlers, reports about the pair, and connection settings.
 * options FOLDER; the sandbox's line is in the environment as JUSTCALL_SANDBOX. alarm() ends the
 * program if it hangs. */

#define _POSIX_C_SOURCE 200809L

#include "pair_file.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SLOW "command:sleep 30"
#define SIGNATURE "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf"
#define DELIVERY "{\"type\":\"call.completed\",\"webhook_url\":\"https://example.com/hooks\"}"

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Creates options with a time limit in milliseconds, or with a fired cancel handle if 0. */
static justcall_call_options *options_of(uint64_t ms) {
    justcall_call_options *options = justcall_call_options_new();
    justcall_cancel *cancel = justcall_cancel_new();
    justcall_error *error = POISON(justcall_error);
    CHECK(options != NULL && cancel != NULL);
    if (ms > 0) {
        CHECK_OK(justcall_call_options_set_timeout_ms(options, ms, &error), &error);
    } else {
        CHECK_OK(justcall_call_options_set_cancel(options, cancel, &error), &error);
        justcall_cancel_fire(cancel);
    }
    justcall_cancel_free(cancel); /* the options hold a reference */
    return options;
}

/* Creates a client whose source takes longer than any test. */
static justcall_client *slow_client(struct sandbox *sandbox) {
    justcall_error *error = POISON(justcall_error);
    justcall_config *config = sandbox_config(sandbox);
    CHECK_OK(justcall_config_set_source(config, SLOW, &error), &error);
    return client_of(config);
}

/* Checks that each call with these options fails with `status` long before the source is read. */
static void check_every_call_fails(struct sandbox *sandbox, const justcall_call_options *options,
                                   justcall_status status) {
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    int32_t changed = 7;
    justcall_account *account = POISON(justcall_account);
    justcall_report *report = POISON(justcall_report);
    justcall_credentials *credentials = POISON(justcall_credentials);
    justcall_webhook *webhook = NULL;
    justcall_webhook_event *event = POISON(justcall_webhook_event);
    justcall_error *error = POISON(justcall_error);
    justcall_client *client = slow_client(sandbox);
    const double began = now();
    CHECK_FAILS(justcall_client_verify_with(client, options, &account, &error), status, &error);
    CHECK_FAILS(justcall_client_reload_with(client, options, &changed, &error), status, &error);
    CHECK_FAILS(
        justcall_client_authorization_with(client, options, buffer, sizeof buffer, NULL, &error),
        status, &error);
    CHECK_FAILS(justcall_client_protection_with(client, options, &report, &error), status, &error);
    CHECK_FAILS(justcall_credentials_load_with(SLOW, options, &credentials, &error), status,
                &error);
    CHECK_OK(justcall_webhook_new(JUSTCALL_ANY_URL, 600, &webhook, &error), &error);
    CHECK_OK(justcall_webhook_use_client(webhook, client, &error), &error);
    CHECK_FAILS(justcall_webhook_verify_with(webhook, SIGNATURE, "v1", "1711040902", DELIVERY,
                                             strlen(DELIVERY), 1711040902, options, &event, &error),
                status, &error);
    CHECK(now() - began < 25);
    CHECK(account == NULL && report == NULL && credentials == NULL && event == NULL &&
          changed == 7);
    justcall_webhook_free(webhook);
    justcall_client_free(client);
}

static void it_limits_and_cancels_every_call_that_takes_options(struct sandbox *sandbox) {
    justcall_call_options *limited = options_of(1500), *cancelled = options_of(0);
    check_every_call_fails(sandbox, limited, JUSTCALL_ERROR_SOURCE_UNAVAILABLE);
    check_every_call_fails(sandbox, cancelled, JUSTCALL_ERROR_CANCELLED);
    justcall_call_options_free(limited);
    justcall_call_options_free(cancelled);
    justcall_call_options_free(NULL);
}

static void it_limits_calls_that_get_no_response(struct sandbox *sandbox) {
    justcall_account *account = POISON(justcall_account);
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_credentials *credentials = credentials_of(pair);
    justcall_call_options *limited = options_of(200), *cancelled = options_of(0);
    run_control(sandbox, "POST", "faults", "{\"fault\":\"hang\",\"times\":2}");
    CHECK_FAILS(justcall_client_verify_with(client, limited, &account, &error),
                JUSTCALL_ERROR_TIMEOUT, &error);
    CHECK_FAILS(justcall_client_replace_with(client, credentials, limited, &error),
                JUSTCALL_ERROR_TIMEOUT, &error);
    CHECK_FAILS(justcall_client_replace_with(client, credentials, cancelled, &error),
                JUSTCALL_ERROR_CANCELLED, &error);
    run_control(sandbox, "POST", "clear", NULL);
    justcall_client_free(client);
    justcall_credentials_free(credentials);
    justcall_call_options_free(limited);
    justcall_call_options_free(cancelled);
    cJSON_Delete(pair);
}

/* Options in which nothing is set are the same as NULL. */
static void it_accepts_null_and_empty_options(struct sandbox *sandbox, const char *folder) {
    struct pair_file file = pair_file_in(folder);
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    justcall_call_options *empty = justcall_call_options_new();
    const justcall_call_options *const all[] = {NULL, empty};
    justcall_credentials *credentials = credentials_of(pair);
    write_pair(&file, pair);
    justcall_client *client = client_of(file_config(sandbox, &file));
    for (size_t n = 0; n < sizeof all / sizeof *all; ++n) {
        justcall_account *account = NULL;
        justcall_report *report = NULL;
        justcall_credentials *loaded = NULL;
        int32_t changed = 7;
        CHECK_OK(justcall_client_verify_with(client, all[n], &account, &error), &error);
        CHECK_OK(justcall_client_replace_with(client, credentials, all[n], &error), &error);
        CHECK_OK(justcall_client_reload_with(client, all[n], &changed, &error), &error);
        CHECK(changed == 0);
        CHECK_OK(
            justcall_client_authorization_with(client, all[n], buffer, sizeof buffer, NULL, &error),
            &error);
        CHECK(strncmp(buffer, member(pair, "api_key"), strlen(member(pair, "api_key"))) == 0);
        CHECK_OK(justcall_client_protection_with(client, all[n], &report, &error), &error);
        CHECK_OK(justcall_credentials_load_with(file.source, all[n], &loaded, &error), &error);
        CHECK_TEXT(justcall_credentials_key_hint(loaded),
                   justcall_credentials_key_hint(credentials));
        justcall_account_free(account);
        justcall_report_free(report);
        justcall_credentials_free(loaded);
    }
    justcall_call_options_free(empty);
    justcall_client_free(client);
    justcall_credentials_free(credentials);
    cJSON_Delete(pair);
}

static void it_refuses_null_options_and_handles(void) {
    justcall_call_options *options = justcall_call_options_new();
    justcall_cancel *cancel = justcall_cancel_new();
    justcall_error *error = POISON(justcall_error);
    const justcall_status invalid = JUSTCALL_ERROR_INVALID_ARGUMENT;
    CHECK_FAILS(justcall_call_options_set_timeout_ms(NULL, 1, &error), invalid, &error);
    CHECK_FAILS(justcall_call_options_set_cancel(NULL, cancel, &error), invalid, &error);
    CHECK_FAILS(justcall_call_options_set_cancel(options, NULL, &error), invalid, &error);
    justcall_cancel_free(cancel);
    justcall_call_options_free(options);
}

/* The calls that the signal handler cancels. */
static justcall_cancel *volatile cancel_to_fire;
static justcall_client *volatile client_to_shut;
static volatile sig_atomic_t signals;

static void on_signal(int number) {
    (void)number;
    signals = signals + 1;
    justcall_cancel_fire(cancel_to_fire);
    justcall_client_shutdown(client_to_shut);
}

static void catch_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
}

struct call {
    pthread_t thread;
    const justcall_client *client;
    justcall_cancel *cancel;
    justcall_exchange *exchange;
    justcall_status status;
};

static void *make_call(void *context) {
    struct call *call = (struct call *)context;
    justcall_request *request = new_request("GET", "/v2.1/calls");
    justcall_response *response = NULL;
    if (call->cancel)
        CHECK(justcall_request_set_cancel(request, call->cancel, NULL) == JUSTCALL_OK);
    call->status = justcall_client_send(call->client, request, &response, NULL);
    justcall_response_free(response);
    justcall_request_free(request);
    return NULL;
}

static int struck(struct sandbox *sandbox) {
    cJSON *faults = control(sandbox, "GET", "faults", NULL);
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(faults, 0), "struck");
    int times = cJSON_IsNumber(count) ? count->valueint : 0;
    cJSON_Delete(faults);
    return times;
}

/* The signal interrupts the thread that makes the call. */
static void it_cancels_calls_from_a_signal_handler(struct sandbox *sandbox, int shut) {
    struct call call;
    justcall_account *account = NULL;
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_cancel *cancel = justcall_cancel_new();
    run_control(sandbox, "POST", "faults", "{\"fault\":\"hang\",\"path\":\"/v2.1/calls\"}");
    memset(&call, 0, sizeof call);
    call.client = client;
    call.cancel = shut ? NULL : cancel;
    cancel_to_fire = shut ? NULL : cancel;
    client_to_shut = shut ? client : NULL;
    signals = 0;
    CHECK(pthread_create(&call.thread, NULL, make_call, &call) == 0);
    while (struck(sandbox) == 0)
        sched_yield();
    CHECK(pthread_kill(call.thread, SIGUSR1) == 0);
    pthread_join(call.thread, NULL);
    CHECK(signals == 1);
    CHECK(call.status == JUSTCALL_ERROR_CANCELLED);
    CHECK(justcall_client_verify(client, &account, NULL) ==
          (shut ? JUSTCALL_ERROR_CANCELLED : JUSTCALL_OK));
    justcall_account_free(account);
    justcall_cancel_free(cancel);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

/* The handler may interrupt malloc(), a lock or the library: neither function may wait. */
static void it_fires_from_a_signal_handler_at_any_moment(void) {
    justcall_cancel *cancel = justcall_cancel_new();
    justcall_client *client = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_client_new(NULL, &client, &error), &error);
    cancel_to_fire = cancel;
    client_to_shut = client;
    signals = 0;
    timer_t timer;
    struct sigevent event;
    struct itimerspec often = {{0, 200000}, {0, 200000}}, never = {{0, 0}, {0, 0}};
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    CHECK(timer_settime(timer, 0, &often, NULL) == 0);
    while (signals < 500) {
        justcall_config *config = justcall_config_new();
        justcall_cancel *other = justcall_cancel_new();
        justcall_client *short_lived = NULL;
        CHECK_OK(justcall_client_new(config, &short_lived, &error), &error);
        justcall_cancel_fire(other);
        justcall_client_free(short_lived);
        justcall_cancel_free(other);
        justcall_config_free(config);
    }
    CHECK(timer_settime(timer, 0, &never, NULL) == 0);
    timer_delete(timer);
    cancel_to_fire = NULL;
    client_to_shut = NULL;
    justcall_client_free(client);
    justcall_cancel_free(cancel);
}

static void *load_source(void *context) {
    struct call *call = (struct call *)context;
    call->status = justcall_exchange_load(call->exchange, NULL);
    return NULL;
}

/* The program of the source is stopped, and the next step of the exchange fails. */
static void it_cancels_the_load_of_an_exchange(struct sandbox *sandbox) {
    struct call call;
    int32_t action = 0;
    justcall_error *error = POISON(justcall_error);
    justcall_client *client = slow_client(sandbox);
    justcall_request *request = new_request("GET", "/v2.1/calls");
    justcall_cancel *cancel = justcall_cancel_new();
    memset(&call, 0, sizeof call);
    CHECK_OK(justcall_request_set_cancel(request, cancel, &error), &error);
    CHECK_OK(justcall_exchange_new(client, request, &call.exchange, &error), &error);
    CHECK_OK(justcall_exchange_next(call.exchange, &action, NULL, &error), &error);
    CHECK(action == JUSTCALL_ACTION_LOAD);
    const double began = now();
    CHECK(pthread_create(&call.thread, NULL, load_source, &call) == 0);
    justcall_cancel_fire(cancel);
    pthread_join(call.thread, NULL);
    CHECK(call.status == JUSTCALL_OK && now() - began < 25);
    CHECK_FAILS(justcall_exchange_next(call.exchange, &action, NULL, &error),
                JUSTCALL_ERROR_CANCELLED, &error);
    justcall_exchange_free(call.exchange);
    justcall_cancel_free(cancel);
    justcall_request_free(request);
    justcall_client_free(client);
}

static void it_reports_the_pair_in_use(struct sandbox *sandbox, const char *folder) {
    struct pair_file file = pair_file_in(folder);
    char hint[16] = "unchanged";
    size_t length = 77;
    justcall_error *error = POISON(justcall_error);
    const justcall_status invalid = JUSTCALL_ERROR_INVALID_ARGUMENT;
    cJSON *pair = fresh_account(sandbox);
    justcall_credentials *credentials = credentials_of(pair);
    write_pair(&file, pair);
    justcall_client *client = client_of(file_config(sandbox, &file));
    CHECK(justcall_client_generation(client) == 0);
    CHECK(justcall_client_rate_limit(client, JUSTCALL_RATE_LIMIT_REMAINING) == -1);
    CHECK_OK(justcall_client_key_hint(client, hint, sizeof hint, &length, &error), &error);
    CHECK(length == 0);
    CHECK_TEXT(hint, "");

    justcall_response *response = response_to(client, "/v2.1/calls");
    CHECK(justcall_client_generation(client) == 1);
    for (int32_t which = JUSTCALL_RATE_LIMIT; which <= JUSTCALL_RATE_LIMIT_BURST_RESET; ++which)
        CHECK(justcall_client_rate_limit(client, which) ==
              justcall_response_rate_limit(response, which));
    CHECK(justcall_client_rate_limit(client, JUSTCALL_RATE_LIMIT) > 0);
    CHECK(justcall_client_rate_limit(client, 99) == -1);
    CHECK_OK(justcall_client_key_hint(client, hint, sizeof hint, &length, &error), &error);
    CHECK_TEXT(hint, justcall_credentials_key_hint(credentials));
    CHECK(length == strlen(hint));
    length = 77;
    CHECK_FAILS(justcall_client_key_hint(client, hint, 3, &length, &error),
                JUSTCALL_ERROR_BUFFER_TOO_SMALL, &error);
    CHECK(length == strlen(hint));
    CHECK_FAILS(justcall_client_key_hint(client, NULL, 3, NULL, &error), invalid, &error);
    CHECK_FAILS(justcall_client_key_hint(NULL, hint, sizeof hint, NULL, &error), invalid, &error);
    CHECK(justcall_client_generation(NULL) == 0);
    CHECK(justcall_client_rate_limit(NULL, JUSTCALL_RATE_LIMIT) == -1);

    cJSON *new_pair = reset(sandbox, pair);
    write_pair(&file, new_pair);
    CHECK_OK(justcall_client_reload(client, NULL, &error), &error);
    justcall_response_free(response);
    response = response_to(client, "/v2.1/calls");
    CHECK(justcall_client_generation(client) == 2);
    justcall_response_free(response);
    justcall_client_free(client);
    justcall_credentials_free(credentials);
    cJSON_Delete(new_pair);
    cJSON_Delete(pair);
}

/* Reads a small file. The caller frees the text. */
static char *text_of_file(const char *path, size_t *length) {
    const size_t size = 1 << 16;
    char *text = (char *)malloc(size);
    FILE *file = fopen(path, "r");
    if (!text || !file)
        abort_test("cannot read", path);
    *length = fread(text, 1, size, file);
    fclose(file);
    return text;
}

static justcall_status verify(justcall_config *config) {
    justcall_client *client = NULL;
    justcall_account *account = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_client_new(config, &client, &error), &error);
    justcall_status status = justcall_client_verify(client, &account, NULL);
    justcall_account_free(account);
    justcall_client_free(client);
    return status;
}

static void it_trusts_authorities_in_memory(struct sandbox *sandbox) {
    size_t length = 0;
    justcall_error *error = POISON(justcall_error);
    const justcall_status invalid = JUSTCALL_ERROR_INVALID_ARGUMENT;
    cJSON *pair = fresh_account(sandbox);
    justcall_config *config = justcall_config_new();
    CHECK_OK(justcall_config_set_base_url(config, member(sandbox->line, "url"), &error), &error);
    with_pair(config, pair);
    CHECK(verify(config) == JUSTCALL_ERROR_TLS_FAILED);
    char *pem = text_of_file(ca_file_of(sandbox), &length);
    CHECK_FAILS(justcall_config_set_ca_pem(config, pem, length / 2, &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_ca_pem(config, "", 0, &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_ca_pem(config, NULL, 0, &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_ca_pem(NULL, pem, length, &error), invalid, &error);
    CHECK(verify(config) == JUSTCALL_ERROR_TLS_FAILED);
    CHECK_OK(justcall_config_set_ca_pem(config, pem, length, &error), &error);
    memset(pem, 'x', length); /* it was copied */
    CHECK(verify(config) == JUSTCALL_OK);
    free(pem);
    justcall_config_free(config);
    cJSON_Delete(pair);
}

static void it_connects_from_the_local_address(struct sandbox *sandbox) {
    justcall_error *error = POISON(justcall_error);
    const justcall_status invalid = JUSTCALL_ERROR_INVALID_ARGUMENT;
    cJSON *pair = fresh_account(sandbox);
    justcall_config *config = with_pair(sandbox_config(sandbox), pair);
    CHECK_OK(justcall_config_set_local_address(config, "127.0.0.7", &error), &error);
    CHECK(verify(config) == JUSTCALL_OK);
    CHECK_FAILS(justcall_config_set_local_address(config, "localhost", &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_local_address(config, NULL, &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_local_address(NULL, "127.0.0.7", &error), invalid, &error);
    CHECK(verify(config) == JUSTCALL_OK);
    CHECK_OK(justcall_config_set_local_address(config, "192.0.2.7", &error), &error);
    CHECK(verify(config) == JUSTCALL_ERROR_CONNECTION_FAILED); /* not an address of this machine */
    CHECK_OK(justcall_config_set_local_address(config, "::1", &error), &error);
    CHECK(verify(config) == JUSTCALL_ERROR_CONNECTION_FAILED); /* the sandbox has no IPv6 address */
    CHECK_OK(justcall_config_set_local_address(config, "", &error), &error);
    CHECK(verify(config) == JUSTCALL_OK);
    justcall_config_free(config);
    cJSON_Delete(pair);
}

static void it_refuses_a_response_over_the_maximum_length(struct sandbox *sandbox) {
    justcall_response *response = POISON(justcall_response);
    justcall_error *error = POISON(justcall_error);
    size_t length = 0;
    cJSON *pair = fresh_account(sandbox);
    justcall_config *config = with_pair(sandbox_config(sandbox), pair);
    CHECK_OK(justcall_config_set_max_response_length(config, 999, &error), &error);
    CHECK_FAILS(justcall_config_set_max_response_length(NULL, 999, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    justcall_client *client = client_of(config);
    run_control(sandbox, "POST", "faults", "{\"fault\":\"huge_body\",\"bytes\":1000,\"times\":1}");
    CHECK_FAILS(justcall_client_request(client, "GET", "/v2.1/calls", NULL, 0, &response, &error),
                JUSTCALL_ERROR_INVALID_RESPONSE, &error);
    run_control(sandbox, "POST", "faults", "{\"fault\":\"huge_body\",\"bytes\":999,\"times\":1}");
    CHECK_OK(justcall_client_request(client, "GET", "/v2.1/calls", NULL, 0, &response, &error),
             &error);
    CHECK(justcall_response_body(response, &length) != NULL && length == 999);
    justcall_response_free(response);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    struct sandbox sandbox = sandbox_open();
    alarm(300);
    catch_signals();
    it_limits_and_cancels_every_call_that_takes_options(&sandbox);
    it_limits_calls_that_get_no_response(&sandbox);
    it_accepts_null_and_empty_options(&sandbox, argv[1]);
    it_refuses_null_options_and_handles();
    it_cancels_calls_from_a_signal_handler(&sandbox, 0);
    it_cancels_calls_from_a_signal_handler(&sandbox, 1);
    it_fires_from_a_signal_handler_at_any_moment();
    it_cancels_the_load_of_an_exchange(&sandbox);
    it_reports_the_pair_in_use(&sandbox, argv[1]);
    if (ca_file_of(&sandbox))
        it_trusts_authorities_in_memory(&sandbox);
    it_connects_from_the_local_address(&sandbox);
    it_refuses_a_response_over_the_maximum_length(&sandbox);
    sandbox_close(&sandbox);
    return checks_result();
}
