/* Checks pthread_cancel() of a thread inside the library: the call continues to its normal end, and
 * then the thread ends. thread_cancel FOLDER; the sandbox's line is in the environment as
 * JUSTCALL_SANDBOX. alarm() ends the program if it hangs. */

#define _POSIX_C_SOURCE 200809L

#include "flag.h"
#include "pair_file.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#define URL "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4"
#define SECRET "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"
#define SIGNATURE "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf"
#define TIME "2024-03-21 17:08:22"
#define NOW 1711040902

/* Longer than any check takes, in milliseconds. */
#define LONG 60000

struct call {
    pthread_t thread;
    struct sandbox *sandbox;
    const cJSON *pair;
    const justcall_client *client;
    const char *source;
    justcall_status status; /* of the call; -1 if it did not return */
    int is_blocked, may_return; /* flags */
};

static void wait_briefly(void) {
    /* nanosleep() is a cancellation point. */
    struct timespec time = {0, 1000000};
    nanosleep(&time, NULL);
}

static void begin(struct call *call, void *(*run)(void *)) {
    call->status = -1;
    call->is_blocked = call->may_return = 0;
    CHECK(pthread_create(&call->thread, NULL, run, call) == 0);
}

/* Checks that the thread ended because it was cancelled. */
static void end(struct call *call, int line) {
    void *result = NULL;
    pthread_join(call->thread, &result);
    check(result == PTHREAD_CANCELED, __FILE__, line, "the thread was cancelled");
}

#define END(call) end(call, __LINE__)

static justcall_status verify(const justcall_client *client) {
    justcall_account *account = NULL;
    justcall_status status = justcall_client_verify(client, &account, NULL);
    justcall_account_free(account);
    return status;
}

static void *call_then_end(void *context) {
    struct call *call = (struct call *)context;
    call->status = verify(call->client);
    pthread_testcancel();
    return NULL;
}

/* Returns how often the first fault was applied. */
static int struck(struct sandbox *sandbox) {
    cJSON *faults = control(sandbox, "GET", "faults", NULL);
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(faults, 0), "struck");
    int times = cJSON_IsNumber(count) ? count->valueint : 0;
    cJSON_Delete(faults);
    return times;
}

static void it_lets_a_blocked_call_end_at_its_timeout(struct sandbox *sandbox) {
    struct call call;
    cJSON *pair = fresh_account(sandbox);
    justcall_error *error = POISON(justcall_error);
    justcall_config *config = with_pair(sandbox_config(sandbox), pair);
    CHECK_OK(justcall_config_set_timeout_ms(config, 5000, &error), &error);
    memset(&call, 0, sizeof call);
    justcall_client *client = client_of(config);
    call.client = client;
    run_control(sandbox, "POST", "faults", "{\"fault\":\"hang\"}");
    begin(&call, call_then_end);
    while (struck(sandbox) == 0)
        sched_yield();
    CHECK(pthread_cancel(call.thread) == 0);
    END(&call);
    CHECK(call.status == JUSTCALL_ERROR_TIMEOUT);
    run_control(sandbox, "POST", "clear", NULL);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_lets_a_delayed_call_end_with_its_response(struct sandbox *sandbox) {
    struct call call;
    cJSON *pair = fresh_account(sandbox);
    memset(&call, 0, sizeof call);
    justcall_client *client = new_client(sandbox, pair);
    call.client = client;
    run_control(sandbox, "POST", "faults", "{\"fault\":\"delay\",\"ms\":300}");
    begin(&call, call_then_end);
    while (struck(sandbox) == 0)
        sched_yield();
    CHECK(pthread_cancel(call.thread) == 0);
    END(&call);
    CHECK(call.status == JUSTCALL_OK);
    run_control(sandbox, "POST", "clear", NULL);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static justcall_status load_slowly(void *context, justcall_credentials **out,
                                   justcall_error **error) {
    (void)error;
    struct call *call = (struct call *)context;
    set_flag(&call->is_blocked);
    while (!is_set(&call->may_return))
        wait_briefly();
    *out = credentials_of(call->pair);
    return JUSTCALL_OK;
}

static void *load_in_an_exchange(void *context) {
    struct call *call = (struct call *)context;
    justcall_exchange *exchange = new_exchange(call->client, "GET", "/v2.1/calls");
    int32_t action = 0;
    if (justcall_exchange_next(exchange, &action, NULL, NULL) == JUSTCALL_OK &&
        action == JUSTCALL_ACTION_LOAD)
        call->status = justcall_exchange_load(exchange, NULL);
    justcall_exchange_free(exchange);
    pthread_testcancel();
    return NULL;
}

static void it_lets_a_source_callback_return(struct sandbox *sandbox, void *(*run)(void *)) {
    struct call call;
    cJSON *pair = fresh_account(sandbox);
    justcall_error *error = POISON(justcall_error);
    justcall_config *config = sandbox_config(sandbox);
    memset(&call, 0, sizeof call);
    call.pair = pair;
    CHECK_OK(justcall_config_set_source_callback(config, load_slowly, &call, NULL, &error), &error);
    justcall_client *client = client_of(config);
    call.client = client;
    begin(&call, run);
    while (!is_set(&call.is_blocked))
        sched_yield();
    CHECK(pthread_cancel(call.thread) == 0);
    set_flag(&call.may_return);
    END(&call);
    CHECK(call.status == JUSTCALL_OK);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static justcall_status is_new(void *context, const justcall_webhook_event *event) {
    (void)context;
    (void)event;
    wait_briefly();
    return JUSTCALL_OK;
}

static void handle(void *context, const justcall_event *event) {
    (void)event;
    wait_briefly();
    ++*(int *)context;
}

static void free_slowly(void *context) {
    wait_briefly();
    ++*(int *)context;
}

static justcall_status load_and_count(void *context, justcall_credentials **out,
                                      justcall_error **error) {
    (void)error;
    (void)context;
    (void)out;
    wait_briefly();
    return JUSTCALL_ERROR_CREDENTIALS_MISSING;
}

static void verify_a_delivery(void) {
    static const char body[] = "{\"type\":\"call.completed\",\"webhook_url\":\"" URL "\"}";
    justcall_webhook *webhook = NULL;
    justcall_webhook_event *event = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_webhook_new(URL, 600, &webhook, &error), &error);
    CHECK_OK(justcall_webhook_add_secret(webhook, SECRET, strlen(SECRET), &error), &error);
    CHECK_OK(justcall_webhook_set_replay_check(webhook, is_new, NULL, NULL, &error), &error);
    CHECK_OK(justcall_webhook_verify(webhook, SIGNATURE, "v1", TIME, body, strlen(body), NOW,
                                     &event, &error),
             &error);
    justcall_webhook_event_free(event);
    justcall_webhook_free(webhook);
}

/* Calls the functions that open, read, write, wait or close while a cancellation is pending. */
static void *use_all(void *context) {
    struct call *call = (struct call *)context;
    justcall_config *config = sandbox_config(call->sandbox);
    justcall_credentials *credentials = NULL;
    justcall_report *report = NULL;
    justcall_error *error = NULL;
    int handled = 0, freed = 0;
    CHECK(pthread_cancel(pthread_self()) == 0);
    CHECK_OK(justcall_credentials_load(call->source, &credentials, &error), &error);
    CHECK_OK(justcall_config_set_source(config, call->source, &error), &error);
    CHECK_OK(justcall_config_set_event_handler(config, handle, &handled, NULL, &error), &error);
    CHECK_OK(justcall_config_set_max_retries(config, 1, &error), &error);
    justcall_client *client = client_of(config);
    CHECK(verify(client) == JUSTCALL_ERROR_INVALID_CREDENTIALS);
    CHECK(handled > 0);
    CHECK_FAILS(justcall_client_replace(client, credentials, &error),
                JUSTCALL_ERROR_INVALID_CREDENTIALS, &error);
    CHECK_OK(justcall_client_reload(client, NULL, &error), &error);
    CHECK_OK(justcall_client_protection(client, &report, &error), &error);
    justcall_report_free(report);
    verify_a_delivery();
    justcall_client_shutdown(client);
    justcall_credentials_free(credentials);
    justcall_client_free(client);

    config = sandbox_config(call->sandbox);
    CHECK_OK(
        justcall_config_set_source_callback(config, load_and_count, &freed, free_slowly, &error),
        &error);
    client = client_of(config);
    CHECK(verify(client) == JUSTCALL_ERROR_CREDENTIALS_MISSING);
    justcall_client_free(client);
    CHECK(freed == 1);
    call->status = JUSTCALL_OK;
    pthread_testcancel();
    return NULL;
}

static void it_interrupts_no_function(struct sandbox *sandbox, const char *folder) {
    struct call call;
    struct pair_file file = pair_file_in(folder);
    memset(&call, 0, sizeof call);
    write_text(&file, "abc123def456:sec789xyz000\n");
    run_control(sandbox, "POST", "clear", NULL);
    call.sandbox = sandbox;
    call.source = file.source;
    begin(&call, use_all);
    END(&call);
    CHECK(call.status == JUSTCALL_OK);
}

static void it_restores_the_state_that_the_host_had_set(struct sandbox *sandbox) {
    int states[] = {PTHREAD_CANCEL_ENABLE, PTHREAD_CANCEL_DISABLE}, before, i;
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    for (i = 0; i < 2; ++i) {
        pthread_setcancelstate(states[i], NULL);
        CHECK(verify(client) == JUSTCALL_OK);
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
        CHECK(before == states[i]);
        pthread_setcancelstate(states[i], NULL);
        CHECK(justcall_client_verify(client, NULL, NULL) == JUSTCALL_ERROR_INVALID_ARGUMENT);
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
        CHECK(before == states[i]);
    }
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void *wait_long(void *context) {
    struct call *call = (struct call *)context;
    struct timespec time = {LONG / 1000, 0};
    set_flag(&call->is_blocked);
    nanosleep(&time, NULL);
    call->status = JUSTCALL_OK;
    return NULL;
}

/* The control: outside the library, a cancelled wait ends immediately. */
static void the_control_is_cancelled_outside_the_library(void) {
    struct call call;
    memset(&call, 0, sizeof call);
    begin(&call, wait_long);
    while (!is_set(&call.is_blocked))
        sched_yield();
    CHECK(pthread_cancel(call.thread) == 0);
    END(&call);
    CHECK(call.status == -1);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    struct sandbox sandbox = sandbox_open();
    alarm(900);
    the_control_is_cancelled_outside_the_library();
    it_lets_a_blocked_call_end_at_its_timeout(&sandbox);
    it_lets_a_delayed_call_end_with_its_response(&sandbox);
    it_lets_a_source_callback_return(&sandbox, call_then_end);
    it_lets_a_source_callback_return(&sandbox, load_in_an_exchange);
    it_interrupts_no_function(&sandbox, argv[1]);
    it_restores_the_state_that_the_host_had_set(&sandbox);
    sandbox_close(&sandbox);
    return checks_result();
}
