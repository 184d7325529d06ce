/* A source of the program's own. The sandbox's line is in the environment as JUSTCALL_SANDBOX. A
 * hang ends the program. */

#define _POSIX_C_SOURCE 200809L

#include "client.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#define MAX_LOADS 64

/* Where the program keeps its pair, and how it was asked for it. */
struct shelf {
    pthread_mutex_t lock;
    const cJSON *pair;       /* what is given; NULL for nothing */
    const cJSON *late_pair;  /* what is given from load number `late` on, if it is not NULL */
    justcall_status status;  /* what is returned */
    justcall_client *helper; /* asked before the pair is given, if it is not NULL */
    const char *words;       /* the message of the error, if it is not NULL */
    int late, loads, frees;
    double times[MAX_LOADS]; /* when, in seconds */
    pthread_t thread;        /* the last that asked */
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void shelf_open(struct shelf *shelf, const cJSON *pair) {
    memset(shelf, 0, sizeof *shelf);
    pthread_mutex_init(&shelf->lock, NULL);
    shelf->pair = pair;
}

static justcall_status shelf_load(void *context, justcall_credentials **out,
                                  justcall_error **error) {
    struct shelf *shelf = (struct shelf *)context;
    justcall_status status = JUSTCALL_OK;
    const char *key, *secret;
    if (shelf->helper) {
        justcall_account *account = NULL;
        status = justcall_client_verify(shelf->helper, &account, NULL);
        justcall_account_free(account);
    }
    pthread_mutex_lock(&shelf->lock);
    if (shelf->loads < MAX_LOADS)
        shelf->times[shelf->loads] = now();
    ++shelf->loads;
    shelf->thread = pthread_self();
    const cJSON *pair =
        shelf->late_pair && shelf->loads >= shelf->late ? shelf->late_pair : shelf->pair;
    if (status == JUSTCALL_OK)
        status = shelf->status;
    pthread_mutex_unlock(&shelf->lock);
    if (pair) {
        key = member(pair, "api_key");
        secret = member(pair, "api_secret");
        if (justcall_credentials_new(key, strlen(key), secret, strlen(secret), out, NULL) != 0)
            return JUSTCALL_ERROR_INTERNAL;
    }
    if (shelf->words)
        CHECK(justcall_error_new(status, shelf->words, error) == status);
    return status;
}

static void shelf_free(void *context) { ++((struct shelf *)context)->frees; }

static justcall_config *with_shelf(justcall_config *config, struct shelf *shelf) {
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_config_set_source_callback(config, shelf_load, shelf, shelf_free, &error),
             &error);
    return config;
}

static justcall_status verify(const justcall_client *client) {
    justcall_account *account = NULL;
    justcall_status status = justcall_client_verify(client, &account, NULL);
    CHECK((account != NULL) == (status == JUSTCALL_OK));
    justcall_account_free(account);
    return status;
}

static void it_asks_when_the_pair_is_needed_and_not_again(struct sandbox *sandbox) {
    struct shelf shelf;
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    cJSON *pair = fresh_account(sandbox);
    justcall_error *error = POISON(justcall_error);
    shelf_open(&shelf, pair);
    justcall_client *client = client_of(with_shelf(sandbox_config(sandbox), &shelf));
    CHECK(shelf.loads == 0);
    CHECK(verify(client) == JUSTCALL_OK);
    CHECK(shelf.loads == 1);
    CHECK(pthread_equal(shelf.thread, pthread_self()));
    CHECK(verify(client) == JUSTCALL_OK);
    justcall_response_free(answer_to(client, "/v2.1/calls"));
    CHECK_OK(justcall_client_authorization(client, buffer, sizeof buffer, NULL, &error), &error);
    CHECK(strncmp(buffer, member(pair, "api_key"), strlen(member(pair, "api_key"))) == 0);
    CHECK(shelf.loads == 1);
    justcall_client_free(client);

    shelf_open(&shelf, pair);
    client = client_of(with_shelf(sandbox_config(sandbox), &shelf));
    CHECK_OK(justcall_client_authorization(client, buffer, sizeof buffer, NULL, &error), &error);
    CHECK(shelf.loads == 1);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_fails_as_the_callback_says_and_asks_again(struct sandbox *sandbox) {
    static const justcall_status rows[][2] = {
        {JUSTCALL_ERROR_CREDENTIALS_MISSING, JUSTCALL_ERROR_CREDENTIALS_MISSING},
        {JUSTCALL_ERROR_SOURCE_UNAVAILABLE, JUSTCALL_ERROR_SOURCE_UNAVAILABLE},
        {JUSTCALL_ERROR_CREDENTIALS_MALFORMED, JUSTCALL_ERROR_CREDENTIALS_MALFORMED},
        {JUSTCALL_ERROR_TIMEOUT, JUSTCALL_ERROR_TIMEOUT},
        {JUSTCALL_ERROR_INTERNAL, JUSTCALL_ERROR_INTERNAL},
        {77, JUSTCALL_ERROR_SOURCE_UNAVAILABLE}, /* no number of the table */
        {-1, JUSTCALL_ERROR_SOURCE_UNAVAILABLE},
        {INT32_MIN, JUSTCALL_ERROR_SOURCE_UNAVAILABLE},
    };
    struct shelf shelf;
    char number[32];
    justcall_account *account = POISON(justcall_account);
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    shelf_open(&shelf, NULL);
    justcall_client *client = client_of(with_shelf(sandbox_config(sandbox), &shelf));
    for (int n = 0; n < (int)(sizeof rows / sizeof rows[0]); ++n) {
        shelf.status = rows[n][0];
        CHECK(justcall_client_verify(client, &account, &error) == rows[n][1]);
        CHECK(account == NULL);
        snprintf(number, sizeof number, "%d", (int)rows[n][0]);
        CHECK_HOLDS(justcall_error_message(error), number);
        CHECK_HOLDS(justcall_error_message(error), "callback");
        CHECK_HOLDS(justcall_error_hint(error), "callback");
        CHECK(strstr(justcall_error_hint(error), "eport this") == NULL);
        CHECK(justcall_error_request_sent(error) == 0);
        CHECK(shelf.loads == n + 1);
        justcall_error_free(error);
    }
    shelf.status = JUSTCALL_OK; /* and no pair */
    CHECK(justcall_client_verify(client, &account, &error) == JUSTCALL_ERROR_CREDENTIALS_MISSING);
    CHECK_HOLDS(justcall_error_message(error), "without credentials");
    CHECK_HOLDS(justcall_error_hint(error), "callback");
    CHECK(strstr(justcall_error_hint(error), "JUSTCALL_API_KEY") == NULL);
    justcall_error_free(error);
    CHECK_SEEN(sandbox, NULL);

    shelf.pair = pair;
    CHECK(verify(client) == JUSTCALL_OK);
    CHECK_SEEN(sandbox, "/v2/account", NULL);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

/* The error that the callback stores gives the words; the status that it returns decides. */
static void it_fails_with_the_words_of_the_callback(struct sandbox *sandbox) {
    struct shelf shelf;
    char words[800];
    justcall_account *account = POISON(justcall_account);
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox), *in_use = ask(sandbox, "POST", "pairs", "{}");
    justcall_client *other = new_client(sandbox, in_use);
    CHECK(verify(other) == JUSTCALL_OK);
    shelf_open(&shelf, NULL);
    shelf.status = JUSTCALL_ERROR_SOURCE_UNAVAILABLE;
    shelf.words = "The database is\tdown.\n";
    justcall_client *client = client_of(with_shelf(sandbox_config(sandbox), &shelf));
    CHECK(justcall_client_verify(client, &account, &error) == shelf.status);
    CHECK_TEXT(justcall_error_message(error), "The database isdown.");
    CHECK_HOLDS(justcall_error_hint(error), "callback");
    CHECK(justcall_error_request_sent(error) == 0 && justcall_error_http_status(error) == 0);
    justcall_error_free(error);

    snprintf(words, sizeof words, "no row for %s:%s", member(in_use, "api_key"),
             member(in_use, "api_secret"));
    shelf.words = words;
    shelf.status = JUSTCALL_ERROR_CREDENTIALS_MISSING;
    CHECK(justcall_client_verify(client, &account, &error) == shelf.status);
    CHECK_HOLDS(justcall_error_message(error), "no row for [redacted]:[redacted]");
    justcall_error_free(error);

    shelf.pair = pair; /* credentials and an error with a failure: neither is used nor lost */
    CHECK(justcall_client_verify(client, &account, &error) == shelf.status);
    justcall_error_free(error);
    justcall_client_free(client);
    justcall_client_free(other);
    cJSON_Delete(in_use);
    cJSON_Delete(pair);
}

/* What a function of the library stored for the callback is passed on, but not what it asked. */
static justcall_status load_by_another_call(void *context, justcall_credentials **out,
                                            justcall_error **error) {
    justcall_account *account = NULL;
    if (context)
        return justcall_client_verify((const justcall_client *)context, &account, error);
    return justcall_credentials_load("file:/nonexistent/pair", out, error);
}

static void it_passes_on_the_error_of_another_call(struct sandbox *sandbox) {
    justcall_account *account = POISON(justcall_account);
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    justcall_config *config = sandbox_config(sandbox);
    CHECK_OK(justcall_config_set_source_callback(config, load_by_another_call, NULL, NULL, &error),
             &error);
    justcall_client *client = client_of(config);
    CHECK(justcall_client_verify(client, &account, &error) == JUSTCALL_ERROR_SOURCE_UNAVAILABLE);
    CHECK_HOLDS(justcall_error_message(error), "/nonexistent/pair");
    justcall_error_free(error);
    justcall_client_free(client);

    tell(sandbox, "POST", "faults", "{\"fault\":\"answer\",\"status\":503,\"times\":1}");
    justcall_client *helper = new_client(sandbox, pair);
    config = sandbox_config(sandbox);
    CHECK_OK(
        justcall_config_set_source_callback(config, load_by_another_call, helper, NULL, &error),
        &error);
    client = client_of(config);
    CHECK(justcall_client_verify(client, &account, &error) == JUSTCALL_ERROR_UNAVAILABLE);
    CHECK(justcall_error_request_sent(error) == 0 && justcall_error_http_status(error) == 0);
    CHECK(justcall_error_response(error) == NULL);
    justcall_error_free(error);
    justcall_client_free(client);
    justcall_client_free(helper);
    cJSON_Delete(pair);
}

/* That they are freed, valgrind sees. */
static void it_does_not_use_credentials_that_come_with_a_failure(struct sandbox *sandbox) {
    struct shelf shelf;
    cJSON *pair = fresh_account(sandbox);
    shelf_open(&shelf, pair);
    shelf.status = JUSTCALL_ERROR_SOURCE_UNAVAILABLE;
    justcall_client *client = client_of(with_shelf(sandbox_config(sandbox), &shelf));
    CHECK(verify(client) == JUSTCALL_ERROR_SOURCE_UNAVAILABLE);
    CHECK(justcall_client_authorization(client, NULL, 0, NULL, NULL) ==
          JUSTCALL_ERROR_SOURCE_UNAVAILABLE);
    CHECK(shelf.loads == 2);
    CHECK_SEEN(sandbox, NULL);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_frees_the_context_once_nobody_calls_it(struct sandbox *sandbox) {
    struct shelf shelf, other;
    justcall_client *first = NULL, *second = NULL;
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    shelf_open(&shelf, pair);
    shelf_open(&other, pair);

    justcall_config *config = with_shelf(sandbox_config(sandbox), &shelf);
    CHECK_OK(justcall_client_new(config, &first, &error), &error);
    CHECK_OK(justcall_client_new(config, &second, &error), &error);
    CHECK(verify(first) == JUSTCALL_OK);
    CHECK(verify(second) == JUSTCALL_OK);
    CHECK(shelf.loads == 1); /* they share their pair */
    justcall_config_free(config);
    justcall_client_free(first);
    CHECK(shelf.frees == 0);
    CHECK(verify(second) == JUSTCALL_OK);
    justcall_client_free(second);
    CHECK(shelf.frees == 1);

    config = with_shelf(sandbox_config(sandbox), &other);
    CHECK_OK(justcall_client_new(config, &first, &error), &error);
    justcall_client_free(first);
    CHECK(other.frees == 0);
    justcall_config_free(config);
    CHECK(other.frees == 1);

    config = with_shelf(sandbox_config(sandbox), &shelf);
    with_shelf(config, &other);
    CHECK(shelf.frees == 2);
    CHECK_OK(justcall_config_set_source(config, "env:", &error), &error);
    CHECK(other.frees == 2);
    CHECK_FAILS(justcall_config_set_source_callback(config, NULL, &shelf, shelf_free, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_config_set_source_callback(NULL, shelf_load, &shelf, shelf_free, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    justcall_config_free(config);
    CHECK(shelf.frees == 2 && other.frees == 2);

    config = sandbox_config(sandbox);
    CHECK_OK(justcall_config_set_source_callback(config, shelf_load, &shelf, NULL, &error), &error);
    first = client_of(config);
    CHECK(verify(first) == JUSTCALL_OK);
    justcall_client_free(first);
    CHECK(shelf.frees == 2);
    cJSON_Delete(pair);
}

static void it_lets_the_callback_use_another_client(struct sandbox *sandbox) {
    struct shelf shelf;
    cJSON *own = fresh_account(sandbox), *pair = ask(sandbox, "POST", "pairs", "{}");
    shelf_open(&shelf, pair);
    shelf.helper = new_client(sandbox, own);
    justcall_client *client = client_of(with_shelf(sandbox_config(sandbox), &shelf));
    CHECK(verify(client) == JUSTCALL_OK);
    CHECK(shelf.loads == 1);
    cJSON *requests = requests_seen(sandbox);
    const cJSON *accounts[2];
    for (int n = 0; n < 2; ++n)
        accounts[n] =
            cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(requests, n), "account_id");
    CHECK(cJSON_GetArraySize(requests) == 2);
    CHECK(cJSON_Compare(accounts[0], cJSON_GetObjectItemCaseSensitive(own, "account_id"), 1));
    CHECK(cJSON_Compare(accounts[1], cJSON_GetObjectItemCaseSensitive(pair, "account_id"), 1));
    cJSON_Delete(requests);
    justcall_client_free(client);
    justcall_client_free(shelf.helper);
    cJSON_Delete(own);
    cJSON_Delete(pair);
}

#define THREADS 4

struct work {
    justcall_client *client;
    pthread_mutex_t *start; /* free once all threads are there */
    int good;
};

static void *verify_once(void *context) {
    struct work *work = (struct work *)context;
    justcall_account *account = NULL;
    pthread_mutex_lock(work->start);
    pthread_mutex_unlock(work->start);
    work->good = justcall_client_verify(work->client, &account, NULL) == JUSTCALL_OK;
    justcall_account_free(account);
    return NULL;
}

static void it_is_called_by_the_threads_that_need_the_pair(struct sandbox *sandbox) {
    struct shelf shelf;
    struct work work[THREADS];
    pthread_t threads[THREADS];
    pthread_mutex_t start = PTHREAD_MUTEX_INITIALIZER;
    cJSON *pair = fresh_account(sandbox);
    shelf_open(&shelf, pair);
    justcall_client *client = client_of(with_shelf(sandbox_config(sandbox), &shelf));
    pthread_mutex_lock(&start);
    for (int n = 0; n < THREADS; ++n) {
        work[n].client = client;
        work[n].start = &start;
        work[n].good = 0;
        CHECK(pthread_create(&threads[n], NULL, verify_once, &work[n]) == 0);
    }
    pthread_mutex_unlock(&start);
    for (int n = 0; n < THREADS; ++n) {
        CHECK(pthread_join(threads[n], NULL) == 0);
        CHECK(work[n].good);
    }
    CHECK(shelf.loads >= 1 && shelf.loads <= THREADS);
    CHECK(!pthread_equal(shelf.thread, pthread_self()));
    const int loads = shelf.loads;
    CHECK(verify(client) == JUSTCALL_OK);
    CHECK(shelf.loads == loads);
    justcall_client_free(client);
    CHECK(shelf.frees == 1);
    cJSON_Delete(pair);
}

static void *free_client(void *context) {
    justcall_client_free((justcall_client *)context);
    return NULL;
}

static void it_may_be_freed_on_another_thread(struct sandbox *sandbox) {
    struct shelf shelf;
    pthread_t thread;
    cJSON *pair = fresh_account(sandbox);
    shelf_open(&shelf, pair);
    justcall_client *client = client_of(with_shelf(sandbox_config(sandbox), &shelf));
    CHECK(verify(client) == JUSTCALL_OK);
    CHECK(pthread_create(&thread, NULL, free_client, client) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(shelf.frees == 1);
    cJSON_Delete(pair);
}

/* The pair is reset; the callback knows the new one from its third load on. */
static void it_asks_again_once_a_second_after_the_pair_was_rejected(struct sandbox *sandbox) {
    struct shelf shelf;
    char body[512];
    justcall_response *response = POISON(justcall_response);
    justcall_error *error = POISON(justcall_error);
    int refused_here = 0;
    justcall_status status;
    cJSON *pair = fresh_account(sandbox);
    shelf_open(&shelf, pair);
    justcall_client *client = client_of(with_shelf(sandbox_config(sandbox), &shelf));
    justcall_response_free(answer_to(client, "/v2.1/calls"));
    snprintf(body, sizeof body, "{\"api_key\": \"%s\"}", member(pair, "api_key"));
    cJSON *reset = ask(sandbox, "POST", "reset", body);
    shelf.late_pair = reset;
    shelf.late = 4; /* the first load is over */

    CHECK(justcall_client_request(client, "GET", "/v2.1/calls", NULL, 0, &response, &error) ==
          JUSTCALL_ERROR_INVALID_CREDENTIALS);
    CHECK(justcall_error_http_status(error) == 401);
    justcall_error_free(error);
    do {
        status = justcall_client_request(client, "GET", "/v2.1/calls", NULL, 0, &response, &error);
        if (status != JUSTCALL_OK) {
            ++refused_here;
            if (status != JUSTCALL_ERROR_INVALID_CREDENTIALS ||
                justcall_error_request_sent(error) != 0)
                give_up("failed otherwise", justcall_error_message(error));
            justcall_error_free(error);
            sched_yield();
        }
    } while (status != JUSTCALL_OK); /* for ever is for the alarm to tell */
    justcall_response_free(response);
    CHECK(refused_here > 1);
    CHECK(shelf.loads == 4);
    for (int n = 2; n < shelf.loads && n < MAX_LOADS; ++n)
        CHECK(shelf.times[n] - shelf.times[n - 1] > 0.9);

    cJSON *requests = requests_seen(sandbox);
    CHECK(cJSON_GetArraySize(requests) == 3); /* with the old pair, rejected, with the new */
    CHECK(cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(requests, 2),
                                                                "secret_generation")) == 2);
    cJSON_Delete(requests);
    justcall_client_free(client);
    CHECK(shelf.frees == 1);
    cJSON_Delete(reset);
    cJSON_Delete(pair);
}

int main(void) {
    alarm(120);
    struct sandbox sandbox = sandbox_open();
    it_asks_when_the_pair_is_needed_and_not_again(&sandbox);
    it_fails_as_the_callback_says_and_asks_again(&sandbox);
    it_fails_with_the_words_of_the_callback(&sandbox);
    it_passes_on_the_error_of_another_call(&sandbox);
    it_does_not_use_credentials_that_come_with_a_failure(&sandbox);
    it_frees_the_context_once_nobody_calls_it(&sandbox);
    it_lets_the_callback_use_another_client(&sandbox);
    it_is_called_by_the_threads_that_need_the_pair(&sandbox);
    it_may_be_freed_on_another_thread(&sandbox);
    it_asks_again_once_a_second_after_the_pair_was_rejected(&sandbox);
    sandbox_close(&sandbox);
    return checks_result();
}
