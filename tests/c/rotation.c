/* A reset of the pair, and what is told of it. rotation FOLDER; the sandbox's line is in the
 * environment as JUSTCALL_SANDBOX. A hang ends the program. */

#define _POSIX_C_SOURCE 200809L

#include "pair_file.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#define THREADS 4
#define MAX_EVENTS 16

/* What a handler of events was told. */
struct record {
    const justcall_client *client; /* asked by the handler, if it is not NULL */
    const struct pair_file *file;  /* gets `pair` when calls wait for it, if it is not NULL */
    const cJSON *pair;
    int count, frees;
    struct {
        int32_t kind, http_status;
        uint64_t generation, wait_ms;
        char name[32], message[256];
    } told[MAX_EVENTS];
};

static void record_event(void *context, const justcall_event *event) {
    struct record *record = (struct record *)context;
    if (record->count < MAX_EVENTS) {
        int n = record->count++;
        record->told[n].kind = justcall_event_kind(event);
        record->told[n].http_status = justcall_event_http_status(event);
        record->told[n].generation = justcall_event_generation(event);
        record->told[n].wait_ms = justcall_event_wait_ms(event);
        snprintf(record->told[n].name, sizeof record->told[n].name, "%s",
                 justcall_event_name(event));
        snprintf(record->told[n].message, sizeof record->told[n].message, "%s",
                 justcall_event_message(event));
    }
    if (record->file && justcall_event_kind(event) == JUSTCALL_EVENT_WAITING_FOR_SOURCE)
        file_gives(record->file, record->pair);
    if (record->client) {
        const justcall_client *client = record->client;
        justcall_account *account = NULL;
        justcall_error *error = POISON(justcall_error);
        record->client = NULL;
        CHECK_OK(justcall_client_verify(client, &account, &error), &error);
        justcall_account_free(account);
    }
}

static void forget_record(void *context) { ++((struct record *)context)->frees; }

static justcall_config *recorded(justcall_config *config, struct record *record) {
    justcall_error *error = POISON(justcall_error);
    memset(record, 0, sizeof *record);
    CHECK_OK(justcall_config_set_event_handler(config, record_event, record, forget_record, &error),
             &error);
    return config;
}

/* The handler was told of these kinds, in this order, and no other; they end with 0. */
static void check_told(const struct record *record, const int32_t *kinds, int line) {
    int n = 0;
    for (; kinds[n]; ++n)
        if (!check(n < record->count && record->told[n].kind == kinds[n], __FILE__, line,
                   "the events are these"))
            printf("    number %d is %s\n", n, n < record->count ? record->told[n].name : "none");
    check(record->count == n, __FILE__, line, "there is no further event");
}

#define CHECK_TOLD(record, ...)                                                                    \
    do {                                                                                           \
        const int32_t kinds_[] = {__VA_ARGS__, 0};                                                 \
        check_told(record, kinds_, __LINE__);                                                      \
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
    volatile int *stop;
    int calls, failed;
};

static void *call_on(void *context) {
    struct caller *caller = (struct caller *)context;
    while (!*caller->stop) {
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
    volatile int stop = 0;
    cJSON *pair = fresh_account(sandbox);
    file_gives(&file, pair);
    justcall_config *config = file_config(sandbox, &file);
    CHECK_OK(justcall_config_set_rotation_wait_ms(config, 30000, &error), &error);
    CHECK_OK(justcall_config_set_timeout_ms(config, 60000, &error), &error);
    justcall_client *client = client_of(config);
    CHECK(verified(client) == JUSTCALL_OK);
    for (int n = 0; n < THREADS; ++n) {
        callers[n].client = client;
        callers[n].stop = &stop;
        callers[n].calls = callers[n].failed = 0;
        CHECK(pthread_create(&callers[n].thread, NULL, call_on, &callers[n]) == 0);
    }
    cJSON *next = reset(sandbox, pair);
    while (times_answered(sandbox, 1, 401) == 0)
        sched_yield();
    CHECK(times_answered(sandbox, 2, 200) == 0);
    file_gives(&file, next);
    while (times_answered(sandbox, 2, 200) < 2 * THREADS)
        sched_yield();
    stop = 1;
    for (int n = 0; n < THREADS; ++n) {
        pthread_join(callers[n].thread, NULL);
        CHECK(callers[n].failed == 0);
        CHECK(callers[n].calls > 0);
    }
    CHECK(times_answered(sandbox, 1, 401) <= THREADS);
    justcall_client_free(client);
    cJSON_Delete(pair);
    cJSON_Delete(next);
}

static void it_tells_of_a_reset_in_order_to_a_handler_that_calls(struct sandbox *sandbox,
                                                                 const char *folder) {
    struct pair_file file = pair_file_in(folder);
    struct record record;
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    file_gives(&file, pair);
    justcall_config *config = recorded(file_config(sandbox, &file), &record);
    CHECK_OK(justcall_config_set_rotation_wait_ms(config, 30000, &error), &error);
    CHECK_OK(justcall_config_set_timeout_ms(config, 60000, &error), &error);
    justcall_client *client = client_of(config);
    CHECK(verified(client) == JUSTCALL_OK);
    CHECK(record.count == 0);

    cJSON *next = reset(sandbox, pair);
    record.file = &file;
    record.pair = next;
    justcall_response_free(answer_to(client, "/v2.1/calls"));
    CHECK_TOLD(&record, JUSTCALL_EVENT_PAIR_REJECTED, JUSTCALL_EVENT_WAITING_FOR_SOURCE,
               JUSTCALL_EVENT_SOURCE_CHANGED, JUSTCALL_EVENT_ROTATED);
    CHECK_TEXT(record.told[0].name, "pair_rejected");
    CHECK(record.told[0].http_status == 401 && record.told[0].generation == 1);
    CHECK(record.told[1].wait_ms == 30000);
    CHECK(record.told[3].generation == 2 && record.told[3].wait_ms == 0);
    for (int n = 0; n < record.count; ++n) {
        CHECK(strlen(record.told[n].message) > 10);
        CHECK(!strstr(record.told[n].message, member(pair, "api_secret")));
        CHECK(!strstr(record.told[n].message, member(next, "api_secret")));
    }

    /* The same again, with a handler that makes a call of its own at the first event. */
    cJSON *third = reset(sandbox, next);
    record.count = 0;
    record.pair = third;
    record.client = client;
    justcall_response_free(answer_to(client, "/v2.1/calls"));
    CHECK(record.count >= 4 && record.told[0].kind == JUSTCALL_EVENT_PAIR_REJECTED);
    CHECK(times_answered(sandbox, 3, 200) >= 2);

    CHECK(record.frees == 0);
    justcall_client_free(client);
    CHECK(record.frees == 1);
    cJSON_Delete(pair);
    cJSON_Delete(next);
    cJSON_Delete(third);
}

static void it_keeps_a_good_pair_from_a_wrong_one(struct sandbox *sandbox, const char *folder) {
    struct pair_file file = pair_file_in(folder);
    struct record record;
    int32_t changed = -7;
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    file_gives(&file, pair);
    justcall_client *client = client_of(recorded(file_config(sandbox, &file), &record));
    CHECK(verified(client) == JUSTCALL_OK);
    CHECK_OK(justcall_client_reload(client, &changed, &error), &error);
    CHECK(changed == 0);

    file_says(&file, "abc123def456:wrong1wrong1\n");
    CHECK_OK(justcall_client_reload(client, &changed, &error), &error);
    CHECK(changed == 1);
    CHECK(verified(client) == JUSTCALL_OK);
    CHECK_TOLD(&record, JUSTCALL_EVENT_SOURCE_CHANGED, JUSTCALL_EVENT_CANDIDATE_REJECTED);
    CHECK(record.told[1].http_status == 401);

    CHECK(unlink(file.path) == 0);
    changed = -7;
    CHECK_FAILS(justcall_client_reload(client, &changed, &error), JUSTCALL_ERROR_SOURCE_UNAVAILABLE,
                &error);
    CHECK(changed == -7);
    CHECK(verified(client) == JUSTCALL_OK);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_takes_another_pair_that_is_good_and_no_other(struct sandbox *sandbox) {
    struct record record;
    justcall_error *error = POISON(justcall_error);
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    cJSON *pair = fresh_account(sandbox);
    cJSON *other = ask(sandbox, "POST", "pairs", "{}");
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
    CHECK_TOLD(&record, JUSTCALL_EVENT_ROTATED);
    CHECK_OK(justcall_client_authorization(client, buffer, sizeof buffer, NULL, &error), &error);
    CHECK(strncmp(buffer, member(other, "api_key"), strlen(member(other, "api_key"))) == 0);
    justcall_credentials_free(wrong);
    justcall_credentials_free(good);
    justcall_client_free(client);
    cJSON_Delete(pair);
    cJSON_Delete(other);
}

static void it_tells_of_retries_and_of_a_limit_that_is_low(struct sandbox *sandbox,
                                                           const char *folder) {
    struct pair_file file = pair_file_in(folder);
    struct record record;
    cJSON *pair = fresh_account(sandbox);
    file_gives(&file, pair);
    justcall_client *client = client_of(recorded(file_config(sandbox, &file), &record));
    tell(sandbox, "POST", "faults", "{\"fault\":\"answer\",\"status\":503,\"times\":1}");
    justcall_response_free(answer_to(client, "/v2.1/calls"));
    tell(sandbox, "POST", "faults",
         "{\"fault\":\"answer\",\"status\":200,\"times\":2,\"body\":{},\"headers\":"
         "{\"X-Rate-Limit-Limit\":\"1800\",\"X-Rate-Limit-Remaining\":\"17\"}}");
    justcall_response_free(answer_to(client, "/v2.1/calls"));
    justcall_response_free(answer_to(client, "/v2.1/calls"));
    CHECK_TOLD(&record, JUSTCALL_EVENT_RETRYING, JUSTCALL_EVENT_RATE_LIMIT_LOW);
    CHECK(record.told[0].http_status == 503 && record.told[0].wait_ms > 0);
    CHECK_HOLDS(record.told[1].message, "17 of 1800");
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_says_that_an_old_pair_is_due(struct sandbox *sandbox, const char *folder) {
    struct pair_file file = pair_file_in(folder);
    struct record record;
    char text[512];
    cJSON *pair = fresh_account(sandbox);
    snprintf(text, sizeof text,
             "{\"api_key\":\"%s\",\"api_secret\":\"%s\",\"created_at\":\"2020-01-01T00:00:00Z\"}",
             member(pair, "api_key"), member(pair, "api_secret"));
    file_says(&file, text);
    justcall_client *client = client_of(recorded(file_config(sandbox, &file), &record));
    CHECK(verified(client) == JUSTCALL_OK && verified(client) == JUSTCALL_OK);
    CHECK_TOLD(&record, JUSTCALL_EVENT_ROTATION_DUE);
    CHECK(record.told[0].generation == 1);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

/* A call to a page of these tests; the status of its failure. */
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
    tell(sandbox, "POST", "faults", "{\"fault\":\"answer\",\"status\":401,\"path\":\"/v2.1/echo\"}");
    CHECK(called(first) == JUSTCALL_ERROR_INVALID_CREDENTIALS);
    tell(sandbox, "DELETE", "faults", NULL);

    /* The pair is good again, and no client sends it. */
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

static void it_answers_for_no_event(void) {
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
    it_tells_of_a_reset_in_order_to_a_handler_that_calls(&sandbox, argv[1]);
    it_keeps_a_good_pair_from_a_wrong_one(&sandbox, argv[1]);
    it_takes_another_pair_that_is_good_and_no_other(&sandbox);
    it_tells_of_retries_and_of_a_limit_that_is_low(&sandbox, argv[1]);
    it_says_that_an_old_pair_is_due(&sandbox, argv[1]);
    it_forgets_rejections(&sandbox);
    it_answers_for_no_event();
    sandbox_close(&sandbox);
    return checks_result();
}
