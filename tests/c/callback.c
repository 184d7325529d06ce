/* Checks source callbacks. The sandbox's line is in the environment as JUSTCALL_SANDBOX. alarm()
 * ends the program if it hangs. */

#define _POSIX_C_SOURCE 200809L

#include "client.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#define MAX_LOADS 64

/* Where the program stores its pair, and a record of the calls of its callback. */
struct pair_store {
    pthread_mutex_t lock;
    const cJSON *pair;       /* the pair to return; NULL for none */
    const cJSON *late_pair;  /* returned from load number `late` on, if not NULL */
    justcall_status status;  /* the status to return */
    justcall_client *helper; /* verified before the pair is returned, if not NULL */
    const char *message;     /* the message of the error, if not NULL */
    int late, loads, frees;
    double times[MAX_LOADS]; /* of the loads, in seconds */
    pthread_t thread;        /* of the last load */
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void open_store(struct pair_store *store, const cJSON *pair) {
    memset(store, 0, sizeof *store);
    pthread_mutex_init(&store->lock, NULL);
    store->pair = pair;
}

static justcall_status load_stored(void *context, justcall_credentials **out,
                                   justcall_error **error) {
    struct pair_store *store = (struct pair_store *)context;
    justcall_status status = JUSTCALL_OK;
    const char *key, *secret;
    if (store->helper) {
        justcall_account *account = NULL;
        status = justcall_client_verify(store->helper, &account, NULL);
        justcall_account_free(account);
    }
    pthread_mutex_lock(&store->lock);
    if (store->loads < MAX_LOADS)
        store->times[store->loads] = now();
    ++store->loads;
    store->thread = pthread_self();
    const cJSON *pair =
        store->late_pair && store->loads >= store->late ? store->late_pair : store->pair;
    if (status == JUSTCALL_OK)
        status = store->status;
    pthread_mutex_unlock(&store->lock);
    if (pair) {
        key = member(pair, "api_key");
        secret = member(pair, "api_secret");
        if (justcall_credentials_new(key, strlen(key), secret, strlen(secret), out, NULL) != 0)
            return JUSTCALL_ERROR_INTERNAL;
    }
    if (store->message)
        CHECK(justcall_error_new(status, store->message, error) == status);
    return status;
}

static void count_free(void *context) { ++((struct pair_store *)context)->frees; }

static justcall_config *with_store(justcall_config *config, struct pair_store *store) {
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_config_set_source_callback(config, load_stored, store, count_free, &error),
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

static void it_calls_the_callback_once_when_the_pair_is_needed(struct sandbox *sandbox) {
    struct pair_store store;
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    cJSON *pair = fresh_account(sandbox);
    justcall_error *error = POISON(justcall_error);
    open_store(&store, pair);
    justcall_client *client = client_of(with_store(sandbox_config(sandbox), &store));
    CHECK(store.loads == 0);
    CHECK(verify(client) == JUSTCALL_OK);
    CHECK(store.loads == 1);
    CHECK(pthread_equal(store.thread, pthread_self()));
    CHECK(verify(client) == JUSTCALL_OK);
    justcall_response_free(response_to(client, "/v2.1/calls"));
    CHECK_OK(justcall_client_authorization(client, buffer, sizeof buffer, NULL, &error), &error);
    CHECK(strncmp(buffer, member(pair, "api_key"), strlen(member(pair, "api_key"))) == 0);
    CHECK(store.loads == 1);
    justcall_client_free(client);

    open_store(&store, pair);
    client = client_of(with_store(sandbox_config(sandbox), &store));
    CHECK_OK(justcall_client_authorization(client, buffer, sizeof buffer, NULL, &error), &error);
    CHECK(store.loads == 1);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_fails_with_the_status_of_the_callback_and_calls_it_again(struct sandbox *sandbox) {
    static const justcall_status rows[][2] = {
        {JUSTCALL_ERROR_CREDENTIALS_MISSING, JUSTCALL_ERROR_CREDENTIALS_MISSING},
        {JUSTCALL_ERROR_SOURCE_UNAVAILABLE, JUSTCALL_ERROR_SOURCE_UNAVAILABLE},
        {JUSTCALL_ERROR_CREDENTIALS_MALFORMED, JUSTCALL_ERROR_CREDENTIALS_MALFORMED},
        {JUSTCALL_ERROR_TIMEOUT, JUSTCALL_ERROR_TIMEOUT},
        {JUSTCALL_ERROR_INTERNAL, JUSTCALL_ERROR_INTERNAL},
        {77, JUSTCALL_ERROR_SOURCE_UNAVAILABLE}, /* not in the table of errors */
        {-1, JUSTCALL_ERROR_SOURCE_UNAVAILABLE},
        {INT32_MIN, JUSTCALL_ERROR_SOURCE_UNAVAILABLE},
    };
    struct pair_store store;
    char number[32];
    justcall_account *account = POISON(justcall_account);
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    open_store(&store, NULL);
    justcall_client *client = client_of(with_store(sandbox_config(sandbox), &store));
    for (int n = 0; n < (int)(sizeof rows / sizeof rows[0]); ++n) {
        store.status = rows[n][0];
        CHECK(justcall_client_verify(client, &account, &error) == rows[n][1]);
        CHECK(account == NULL);
        snprintf(number, sizeof number, "%d", (int)rows[n][0]);
        CHECK_CONTAINS(justcall_error_message(error), number);
        CHECK_CONTAINS(justcall_error_message(error), "callback");
        CHECK_CONTAINS(justcall_error_hint(error), "callback");
        CHECK(strstr(justcall_error_hint(error), "eport this") == NULL);
        CHECK(justcall_error_request_sent(error) == 0);
        CHECK(store.loads == n + 1);
        justcall_error_free(error);
    }
    store.status = JUSTCALL_OK; /* without a pair */
    CHECK(justcall_client_verify(client, &account, &error) == JUSTCALL_ERROR_CREDENTIALS_MISSING);
    CHECK_CONTAINS(justcall_error_message(error), "without credentials");
    CHECK_CONTAINS(justcall_error_hint(error), "callback");
    CHECK(strstr(justcall_error_hint(error), "JUSTCALL_API_KEY") == NULL);
    justcall_error_free(error);
    CHECK_SEEN(sandbox, NULL);

    store.pair = pair;
    CHECK(verify(client) == JUSTCALL_OK);
    CHECK_SEEN(sandbox, "/v2/account", NULL);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

/* The stored error provides the message; the returned status decides the kind. */
static void it_fails_with_the_message_of_the_callback(struct sandbox *sandbox) {
    struct pair_store store;
    char message[800];
    justcall_account *account = POISON(justcall_account);
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox), *in_use = control_text(sandbox, "POST", "pairs", "{}");
    justcall_client *other = new_client(sandbox, in_use);
    CHECK(verify(other) == JUSTCALL_OK);
    open_store(&store, NULL);
    store.status = JUSTCALL_ERROR_SOURCE_UNAVAILABLE;
    store.message = "The database is\tdown.\n";
    justcall_client *client = client_of(with_store(sandbox_config(sandbox), &store));
    CHECK(justcall_client_verify(client, &account, &error) == store.status);
    CHECK_TEXT(justcall_error_message(error), "The database isdown.");
    CHECK_CONTAINS(justcall_error_hint(error), "callback");
    CHECK(justcall_error_request_sent(error) == 0 && justcall_error_http_status(error) == 0);
    justcall_error_free(error);

    snprintf(message, sizeof message, "no row for %s:%s", member(in_use, "api_key"),
             member(in_use, "api_secret"));
    store.message = message;
    store.status = JUSTCALL_ERROR_CREDENTIALS_MISSING;
    CHECK(justcall_client_verify(client, &account, &error) == store.status);
    CHECK_CONTAINS(justcall_error_message(error), "no row for [redacted]:[redacted]");
    justcall_error_free(error);

    store.pair = pair; /* with a failure, credentials are neither used nor leaked */
    CHECK(justcall_client_verify(client, &account, &error) == store.status);
    justcall_error_free(error);
    justcall_client_free(client);
    justcall_client_free(other);
    cJSON_Delete(in_use);
    cJSON_Delete(pair);
}

/* Returns the error that a library function stored in `error`. */
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
    CHECK_CONTAINS(justcall_error_message(error), "/nonexistent/pair");
    justcall_error_free(error);
    justcall_client_free(client);

    run_control(sandbox, "POST", "faults", "{\"fault\":\"answer\",\"status\":503,\"times\":1}");
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

/* valgrind checks that they are freed. */
static void it_does_not_use_credentials_that_come_with_a_failure(struct sandbox *sandbox) {
    struct pair_store store;
    cJSON *pair = fresh_account(sandbox);
    open_store(&store, pair);
    store.status = JUSTCALL_ERROR_SOURCE_UNAVAILABLE;
    justcall_client *client = client_of(with_store(sandbox_config(sandbox), &store));
    CHECK(verify(client) == JUSTCALL_ERROR_SOURCE_UNAVAILABLE);
    CHECK(justcall_client_authorization(client, NULL, 0, NULL, NULL) ==
          JUSTCALL_ERROR_SOURCE_UNAVAILABLE);
    CHECK(store.loads == 2);
    CHECK_SEEN(sandbox, NULL);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_frees_the_context_when_no_client_uses_it(struct sandbox *sandbox) {
    struct pair_store store, other;
    justcall_client *first = NULL, *second = NULL;
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    open_store(&store, pair);
    open_store(&other, pair);

    justcall_config *config = with_store(sandbox_config(sandbox), &store);
    CHECK_OK(justcall_client_new(config, &first, &error), &error);
    CHECK_OK(justcall_client_new(config, &second, &error), &error);
    CHECK(verify(first) == JUSTCALL_OK);
    CHECK(verify(second) == JUSTCALL_OK);
    CHECK(store.loads == 1); /* both clients share one pair */
    justcall_config_free(config);
    justcall_client_free(first);
    CHECK(store.frees == 0);
    CHECK(verify(second) == JUSTCALL_OK);
    justcall_client_free(second);
    CHECK(store.frees == 1);

    config = with_store(sandbox_config(sandbox), &other);
    CHECK_OK(justcall_client_new(config, &first, &error), &error);
    justcall_client_free(first);
    CHECK(other.frees == 0);
    justcall_config_free(config);
    CHECK(other.frees == 1);

    config = with_store(sandbox_config(sandbox), &store);
    with_store(config, &other);
    CHECK(store.frees == 2);
    CHECK_OK(justcall_config_set_source(config, "env:", &error), &error);
    CHECK(other.frees == 2);
    CHECK_FAILS(justcall_config_set_source_callback(config, NULL, &store, count_free, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_config_set_source_callback(NULL, load_stored, &store, count_free, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    justcall_config_free(config);
    CHECK(store.frees == 2 && other.frees == 2);

    config = sandbox_config(sandbox);
    CHECK_OK(justcall_config_set_source_callback(config, load_stored, &store, NULL, &error),
             &error);
    first = client_of(config);
    CHECK(verify(first) == JUSTCALL_OK);
    justcall_client_free(first);
    CHECK(store.frees == 2);
    cJSON_Delete(pair);
}

static void it_lets_the_callback_use_another_client(struct sandbox *sandbox) {
    struct pair_store store;
    cJSON *own = fresh_account(sandbox), *pair = control_text(sandbox, "POST", "pairs", "{}");
    open_store(&store, pair);
    store.helper = new_client(sandbox, own);
    justcall_client *client = client_of(with_store(sandbox_config(sandbox), &store));
    CHECK(verify(client) == JUSTCALL_OK);
    CHECK(store.loads == 1);
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
    justcall_client_free(store.helper);
    cJSON_Delete(own);
    cJSON_Delete(pair);
}

#define THREADS 4

struct work {
    justcall_client *client;
    pthread_mutex_t *start; /* unlocked when all threads have started */
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
    struct pair_store store;
    struct work work[THREADS];
    pthread_t threads[THREADS];
    pthread_mutex_t start = PTHREAD_MUTEX_INITIALIZER;
    cJSON *pair = fresh_account(sandbox);
    open_store(&store, pair);
    justcall_client *client = client_of(with_store(sandbox_config(sandbox), &store));
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
    CHECK(store.loads >= 1 && store.loads <= THREADS);
    CHECK(!pthread_equal(store.thread, pthread_self()));
    const int loads = store.loads;
    CHECK(verify(client) == JUSTCALL_OK);
    CHECK(store.loads == loads);
    justcall_client_free(client);
    CHECK(store.frees == 1);
    cJSON_Delete(pair);
}

static void *free_client(void *context) {
    justcall_client_free((justcall_client *)context);
    return NULL;
}

static void it_frees_the_context_on_any_thread(struct sandbox *sandbox) {
    struct pair_store store;
    pthread_t thread;
    cJSON *pair = fresh_account(sandbox);
    open_store(&store, pair);
    justcall_client *client = client_of(with_store(sandbox_config(sandbox), &store));
    CHECK(verify(client) == JUSTCALL_OK);
    CHECK(pthread_create(&thread, NULL, free_client, client) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(store.frees == 1);
    cJSON_Delete(pair);
}

/* After a reset, the callback returns the new pair from its fourth load on. */
static void it_calls_the_callback_once_a_second_after_a_rejection(struct sandbox *sandbox) {
    struct pair_store store;
    char body[512];
    justcall_response *response = POISON(justcall_response);
    justcall_error *error = POISON(justcall_error);
    int refused_locally = 0;
    justcall_status status;
    cJSON *pair = fresh_account(sandbox);
    open_store(&store, pair);
    justcall_client *client = client_of(with_store(sandbox_config(sandbox), &store));
    justcall_response_free(response_to(client, "/v2.1/calls"));
    snprintf(body, sizeof body, "{\"api_key\": \"%s\"}", member(pair, "api_key"));
    cJSON *reset = control_text(sandbox, "POST", "reset", body);
    store.late_pair = reset;
    store.late = 4; /* counts the first load, before the reset */

    CHECK(justcall_client_request(client, "GET", "/v2.1/calls", NULL, 0, &response, &error) ==
          JUSTCALL_ERROR_INVALID_CREDENTIALS);
    CHECK(justcall_error_http_status(error) == 401);
    justcall_error_free(error);
    do {
        status = justcall_client_request(client, "GET", "/v2.1/calls", NULL, 0, &response, &error);
        if (status != JUSTCALL_OK) {
            ++refused_locally;
            if (status != JUSTCALL_ERROR_INVALID_CREDENTIALS ||
                justcall_error_request_sent(error) != 0)
                abort_test("unexpected failure", justcall_error_message(error));
            justcall_error_free(error);
            sched_yield();
        }
    } while (status != JUSTCALL_OK); /* alarm() ends an endless loop */
    justcall_response_free(response);
    CHECK(refused_locally > 1);
    CHECK(store.loads == 4);
    for (int n = 2; n < store.loads && n < MAX_LOADS; ++n)
        CHECK(store.times[n] - store.times[n - 1] > 0.9);

    cJSON *requests = requests_seen(sandbox);
    /* The old pair before and after the reset, and the new pair. */
    CHECK(cJSON_GetArraySize(requests) == 3);
    CHECK(cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(requests, 2),
                                                                "secret_generation")) == 2);
    cJSON_Delete(requests);
    justcall_client_free(client);
    CHECK(store.frees == 1);
    cJSON_Delete(reset);
    cJSON_Delete(pair);
}

static void it_makes_a_source_of_each_callback_and_of_each_credentials_handle(
    struct sandbox *sandbox) {
    struct pair_store store;
    cJSON *pair = fresh_account(sandbox);
    justcall_error *error = POISON(justcall_error);
    justcall_client *clients[5];
    open_store(&store, pair);
    justcall_config *config = with_store(sandbox_config(sandbox), &store);
    for (int n = 0; n < 2; ++n)
        CHECK_OK(justcall_client_new(config, &clients[n], &error), &error);
    clients[2] = client_of(with_store(config, &store));
    clients[3] = client_of(with_pair(sandbox_config(sandbox), pair));
    clients[4] = client_of(with_pair(sandbox_config(sandbox), pair));
    CHECK(verify(clients[0]) == JUSTCALL_OK);
    CHECK(justcall_client_generation(clients[1]) == 1); /* the control: they share the pair */
    CHECK(justcall_client_generation(clients[2]) == 0);
    CHECK(verify(clients[3]) == JUSTCALL_OK);
    CHECK(justcall_client_generation(clients[3]) == 1);
    CHECK(justcall_client_generation(clients[4]) == 0);
    for (int n = 0; n < 5; ++n)
        justcall_client_free(clients[n]);
    cJSON_Delete(pair);
}

int main(void) {
    alarm(120);
    struct sandbox sandbox = sandbox_open();
    it_calls_the_callback_once_when_the_pair_is_needed(&sandbox);
    it_fails_with_the_status_of_the_callback_and_calls_it_again(&sandbox);
    it_fails_with_the_message_of_the_callback(&sandbox);
    it_passes_on_the_error_of_another_call(&sandbox);
    it_does_not_use_credentials_that_come_with_a_failure(&sandbox);
    it_frees_the_context_when_no_client_uses_it(&sandbox);
    it_lets_the_callback_use_another_client(&sandbox);
    it_is_called_by_the_threads_that_need_the_pair(&sandbox);
    it_frees_the_context_on_any_thread(&sandbox);
    it_calls_the_callback_once_a_second_after_a_rejection(&sandbox);
    it_makes_a_source_of_each_callback_and_of_each_credentials_handle(&sandbox);
    sandbox_close(&sandbox);
    return checks_result();
}
