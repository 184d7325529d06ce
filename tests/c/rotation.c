/* Checks resets of the pair, and their events. rotation FOLDER; the sandbox's line is in the
 * environment as JUSTCALL_SANDBOX. alarm() ends the program if it hangs. */

#define _POSIX_C_SOURCE 200809L

#include "flag.h"
#include "pair_file.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#define THREADS 4
#define MAX_EVENTS 16

/* The events that a handler received. */
struct record {
    const justcall_client *client; /* the handler verifies it once, if not NULL */
    const struct pair_file *file;  /* `pair` is written to it when calls wait, if not NULL */
    const cJSON *pair;
    int count, frees;
    struct {
        int32_t kind, http_status;
        uint64_t generation, wait_ms;
        char name[32], message[256];
    } events[MAX_EVENTS];
};

static void record_event(void *context, const justcall_event *event) {
    struct record *record = (struct record *)context;
    if (record->count < MAX_EVENTS) {
        int n = record->count++;
        record->events[n].kind = justcall_event_kind(event);
        record->events[n].http_status = justcall_event_http_status(event);
        record->events[n].generation = justcall_event_generation(event);
        record->events[n].wait_ms = justcall_event_wait_ms(event);
        snprintf(record->events[n].name, sizeof record->events[n].name, "%s",
                 justcall_event_name(event));
        snprintf(record->events[n].message, sizeof record->events[n].message, "%s",
                 justcall_event_message(event));
    }
    if (record->file && justcall_event_kind(event) == JUSTCALL_EVENT_WAITING_FOR_SOURCE)
        write_pair(record->file, record->pair);
    if (record->client) {
        const justcall_client *client = record->client;
        justcall_account *account = NULL;
        justcall_error *error = POISON(justcall_error);
        record->client = NULL;
        CHECK_OK(justcall_client_verify(client, &account, &error), &error);
        justcall_account_free(account);
    }
}

static void count_free(void *context) { ++((struct record *)context)->frees; }

static justcall_config *recorded(justcall_config *config, struct record *record) {
    justcall_error *error = POISON(justcall_error);
    memset(record, 0, sizeof *record);
    CHECK_OK(justcall_config_set_event_handler(config, record_event, record, count_free, &error),
             &error);
    return config;
}

/* Checks that the handler received exactly these kinds of events, in this order. The list ends with
 * 0. */
static void check_events(const struct record *record, const int32_t *kinds, int line) {
    int n = 0;
    for (; kinds[n]; ++n)
        if (!check(n < record->count && record->events[n].kind == kinds[n], __FILE__, line,
                   "the event is of this kind"))
            printf("    event %d is %s\n", n, n < record->count ? record->events[n].name : "none");
    check(record->count == n, __FILE__, line, "there are no further events");
}

#define CHECK_EVENTS(record, ...)                                                                  \
    do {                                                                                           \
        const int32_t kinds_[] = {__VA_ARGS__, 0};                                                 \
        check_events(record, kinds_, __LINE__);                                                    \
    } while (0)

static justcall_status verified(const justcall_client *client) {
    justcall_account *account = NULL;
    justcall_status status = justcall_client_verify(client, &account, NULL);
    justcall_account_free(account);
    return status;
}

struct caller {
    pthread_t thread;
    const justcall_client *client;
    int *stop;
    int calls, failed;
};

static void *call_until_stopped(void *context) {
    struct caller *caller = (struct caller *)context;
    while (!is_set(caller->stop)) {
        justcall_response *response = NULL;
        justcall_error *error = NULL;
        if (justcall_client_request(caller->client, "GET", "/v2.1/calls", NULL, 0, &response,
                                    &error) != JUSTCALL_OK) {
            printf("%s: %s\n", justcall_error_name(error), justcall_error_message(error));
            ++caller->failed;
        }
        ++caller->calls;
        justcall_response_free(response);
        justcall_error_free(error);
    }
    return NULL;
}

static void it_fails_no_call_while_the_new_pair_is_late(struct sandbox *sandbox,
                                                        const char *folder) {
    struct pair_file file = pair_file_in(folder);
    struct caller callers[THREADS];
    justcall_error *error = POISON(justcall_error);
    int stop = 0;
    cJSON *pair = fresh_account(sandbox);
    write_pair(&file, pair);
    justcall_config *config = file_config(sandbox, &file);
    CHECK_OK(justcall_config_set_rotation_wait_ms(config, 30000, &error), &error);
    CHECK_OK(justcall_config_set_timeout_ms(config, 60000, &error), &error);
    justcall_client *client = client_of(config);
    CHECK(verified(client) == JUSTCALL_OK);
    for (int n = 0; n < THREADS; ++n) {
        callers[n].client = client;
        callers[n].stop = &stop;
        callers[n].calls = callers[n].failed = 0;
        CHECK(pthread_create(&callers[n].thread, NULL, call_until_stopped, &callers[n]) == 0);
    }
    cJSON *next = reset(sandbox, pair);
    while (count_responses(sandbox, 1, 401) == 0)
        sched_yield();
    CHECK(count_responses(sandbox, 2, 200) == 0);
    write_pair(&file, next);
    while (count_responses(sandbox, 2, 200) < 2 * THREADS)
        sched_yield();
    set_flag(&stop);
    for (int n = 0; n < THREADS; ++n) {
        pthread_join(callers[n].thread, NULL);
        CHECK(callers[n].failed == 0);
        CHECK(callers[n].calls > 0);
    }
    CHECK(count_responses(sandbox, 1, 401) <= THREADS);
    justcall_client_free(client);
    cJSON_Delete(pair);
    cJSON_Delete(next);
}

static void it_reports_a_reset_in_order_to_a_handler_that_makes_calls(struct sandbox *sandbox,
                                                                      const char *folder) {
    struct pair_file file = pair_file_in(folder);
    struct record record;
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    write_pair(&file, pair);
    justcall_config *config = recorded(file_config(sandbox, &file), &record);
    CHECK_OK(justcall_config_set_rotation_wait_ms(config, 30000, &error), &error);
    CHECK_OK(justcall_config_set_timeout_ms(config, 60000, &error), &error);
    justcall_client *client = client_of(config);
    CHECK(verified(client) == JUSTCALL_OK);
    CHECK(record.count == 0);

    cJSON *next = reset(sandbox, pair);
    record.file = &file;
    record.pair = next;
    justcall_response_free(response_to(client, "/v2.1/calls"));
    CHECK_EVENTS(&record, JUSTCALL_EVENT_PAIR_REJECTED, JUSTCALL_EVENT_WAITING_FOR_SOURCE,
                 JUSTCALL_EVENT_SOURCE_CHANGED, JUSTCALL_EVENT_ROTATED);
    CHECK_TEXT(record.events[0].name, "pair_rejected");
    CHECK(record.events[0].http_status == 401 && record.events[0].generation == 1);
    CHECK(record.events[1].wait_ms == 30000);
    CHECK(record.events[3].generation == 2 && record.events[3].wait_ms == 0);
    for (int n = 0; n < record.count; ++n) {
        CHECK(strlen(record.events[n].message) > 10);
        CHECK(!strstr(record.events[n].message, member(pair, "api_secret")));
        CHECK(!strstr(record.events[n].message, member(next, "api_secret")));
    }

    /* The same with a handler that makes a call at the first event. */
    cJSON *third = reset(sandbox, next);
    record.count = 0;
    record.pair = third;
    record.client = client;
    justcall_response_free(response_to(client, "/v2.1/calls"));
    CHECK(record.count >= 4 && record.events[0].kind == JUSTCALL_EVENT_PAIR_REJECTED);
    CHECK(count_responses(sandbox, 3, 200) >= 2);

    CHECK(record.frees == 0);
    justcall_client_free(client);
    CHECK(record.frees == 1);
    cJSON_Delete(pair);
    cJSON_Delete(next);
    cJSON_Delete(third);
}

static void it_keeps_a_valid_pair_if_the_source_has_a_wrong_one(struct sandbox *sandbox,
                                                                const char *folder) {
    struct pair_file file = pair_file_in(folder);
    struct record record;
    int32_t changed = -7;
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    write_pair(&file, pair);
    justcall_client *client = client_of(recorded(file_config(sandbox, &file), &record));
    CHECK(verified(client) == JUSTCALL_OK);
    CHECK_OK(justcall_client_reload(client, &changed, &error), &error);
    CHECK(changed == 0);

    write_text(&file, "abc123def456:wrong1wrong1\n");
    CHECK_OK(justcall_client_reload(client, &changed, &error), &error);
    CHECK(changed == 1);
    CHECK(verified(client) == JUSTCALL_OK);
    CHECK_EVENTS(&record, JUSTCALL_EVENT_SOURCE_CHANGED, JUSTCALL_EVENT_CANDIDATE_REJECTED);
    CHECK(record.events[1].http_status == 401);

    CHECK(unlink(file.path) == 0);
    changed = -7;
    CHECK_FAILS(justcall_client_reload(client, &changed, &error), JUSTCALL_ERROR_SOURCE_UNAVAILABLE,
                &error);
    CHECK(changed == -7);
    CHECK(verified(client) == JUSTCALL_OK);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_replaces_the_pair_only_with_a_valid_one(struct sandbox *sandbox) {
    struct record record;
    justcall_error *error = POISON(justcall_error);
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    cJSON *pair = fresh_account(sandbox);
    cJSON *other = control_text(sandbox, "POST", "pairs", "{}");
    justcall_credentials *wrong = NULL;
    justcall_credentials *good = credentials_of(other);
    CHECK_OK(justcall_credentials_new("abc123def456", 12, "wrong1wrong1", 12, &wrong, &error),
             &error);
    justcall_client *client =
        client_of(recorded(with_pair(sandbox_config(sandbox), pair), &record));
    CHECK(verified(client) == JUSTCALL_OK);
    CHECK_FAILS(justcall_client_replace(client, wrong, &error), JUSTCALL_ERROR_INVALID_CREDENTIALS,
                &error);
    CHECK(verified(client) == JUSTCALL_OK && record.count == 0);
    CHECK_OK(justcall_client_replace(client, good, &error), &error);
    CHECK_EVENTS(&record, JUSTCALL_EVENT_ROTATED);
    CHECK_OK(justcall_client_authorization(client, buffer, sizeof buffer, NULL, &error), &error);
    CHECK(strncmp(buffer, member(other, "api_key"), strlen(member(other, "api_key"))) == 0);
    justcall_credentials_free(wrong);
    justcall_credentials_free(good);
    justcall_client_free(client);
    cJSON_Delete(pair);
    cJSON_Delete(other);
}

static void it_reports_retries_and_a_low_rate_limit(struct sandbox *sandbox, const char *folder) {
    struct pair_file file = pair_file_in(folder);
    struct record record;
    cJSON *pair = fresh_account(sandbox);
    write_pair(&file, pair);
    justcall_client *client = client_of(recorded(file_config(sandbox, &file), &record));
    run_control(sandbox, "POST", "faults", "{\"fault\":\"answer\",\"status\":503,\"times\":1}");
    justcall_response_free(response_to(client, "/v2.1/calls"));
    run_control(sandbox, "POST", "faults",
                "{\"fault\":\"answer\",\"status\":200,\"times\":2,\"body\":{},\"headers\":"
                "{\"X-Rate-Limit-Limit\":\"1800\",\"X-Rate-Limit-Remaining\":\"17\"}}");
    justcall_response_free(response_to(client, "/v2.1/calls"));
    justcall_response_free(response_to(client, "/v2.1/calls"));
    CHECK_EVENTS(&record, JUSTCALL_EVENT_RETRYING, JUSTCALL_EVENT_RATE_LIMIT_LOW);
    CHECK(record.events[0].http_status == 503 && record.events[0].wait_ms > 0);
    CHECK_CONTAINS(record.events[1].message, "17 of 1800");
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_reports_an_old_pair_as_due_for_rotation(struct sandbox *sandbox,
                                                       const char *folder) {
    struct pair_file file = pair_file_in(folder);
    struct record record;
    char text[512];
    cJSON *pair = fresh_account(sandbox);
    snprintf(text, sizeof text,
             "{\"api_key\":\"%s\",\"api_secret\":\"%s\",\"created_at\":\"2020-01-01T00:00:00Z\"}",
             member(pair, "api_key"), member(pair, "api_secret"));
    write_text(&file, text);
    justcall_client *client = client_of(recorded(file_config(sandbox, &file), &record));
    CHECK(verified(client) == JUSTCALL_OK && verified(client) == JUSTCALL_OK);
    CHECK_EVENTS(&record, JUSTCALL_EVENT_ROTATION_DUE);
    CHECK(record.events[0].generation == 1);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

/* Sends GET and returns the status of the call. */
static justcall_status called(const justcall_client *client) {
    justcall_response *response = NULL;
    justcall_status status =
        justcall_client_request(client, "GET", "/v2.1/echo", NULL, 0, &response, NULL);
    justcall_response_free(response);
    return status;
}

static void it_forgets_rejections(struct sandbox *sandbox) {
    cJSON *pair = fresh_account(sandbox);
    justcall_client *first = new_client(sandbox, pair);
    run_control(sandbox, "POST", "faults",
                "{\"fault\":\"answer\",\"status\":401,\"path\":\"/v2.1/echo\"}");
    CHECK(called(first) == JUSTCALL_ERROR_INVALID_CREDENTIALS);
    run_control(sandbox, "DELETE", "faults", NULL);

    /* The pair is valid again, but no client sends it. */
    justcall_client *second = new_client(sandbox, pair);
    CHECK(called(first) == JUSTCALL_ERROR_INVALID_CREDENTIALS);
    CHECK(called(second) == JUSTCALL_ERROR_INVALID_CREDENTIALS);
    CHECK_SEEN(sandbox, "/v2.1/echo", NULL);

    justcall_forget_rejections();
    CHECK(called(first) == JUSTCALL_OK);
    CHECK(called(second) == JUSTCALL_OK);
    justcall_client *third = new_client(sandbox, pair);
    CHECK(called(third) == JUSTCALL_OK);
    justcall_client_free(first);
    justcall_client_free(second);
    justcall_client_free(third);
    cJSON_Delete(pair);
}

static void it_accepts_null_for_an_event(void) {
    CHECK(justcall_event_kind(NULL) == 0 && justcall_event_generation(NULL) == 0);
    CHECK(justcall_event_http_status(NULL) == 0 && justcall_event_wait_ms(NULL) == 0);
    CHECK_TEXT(justcall_event_name(NULL), "none");
    CHECK_TEXT(justcall_event_message(NULL), "");
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    struct sandbox sandbox = sandbox_open();
    alarm(300);
    it_fails_no_call_while_the_new_pair_is_late(&sandbox, argv[1]);
    it_reports_a_reset_in_order_to_a_handler_that_makes_calls(&sandbox, argv[1]);
    it_keeps_a_valid_pair_if_the_source_has_a_wrong_one(&sandbox, argv[1]);
    it_replaces_the_pair_only_with_a_valid_one(&sandbox);
    it_reports_retries_and_a_low_rate_limit(&sandbox, argv[1]);
    it_reports_an_old_pair_as_due_for_rotation(&sandbox, argv[1]);
    it_forgets_rejections(&sandbox);
    it_accepts_null_for_an_event();
    sandbox_close(&sandbox);
    return checks_result();
}
