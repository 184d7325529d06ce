/* Checks programs that fork while they have a client. fork SOURCE; the sandbox's line is in the
 * environment as JUSTCALL_SANDBOX, and SOURCE has the pair of that line. alarm() ends the program
 * or a child that hangs. */

#define _POSIX_C_SOURCE 200809L

#include "client.h"

#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIME_LIMIT_S 60
#define FORKS 20
#define THREADS 4

static justcall_status verify(const justcall_client *client) {
    justcall_account *account = NULL;
    justcall_error *error = NULL;
    justcall_status status = justcall_client_verify(client, &account, &error);
    if (status != JUSTCALL_OK)
        fprintf(stderr, "%s: %s\n", justcall_error_name(error), justcall_error_message(error));
    justcall_account_free(account);
    justcall_error_free(error);
    return status;
}

/* Runs `action` in a child. Returns whether it returned 1 in time. */
static int child_does(int (*action)(void *), void *context) {
    int how = 0;
    pid_t child = fork();
    if (child == 0) {
        alarm(TIME_LIMIT_S); /* a child does not inherit the alarm */
        _exit(action(context) ? 0 : 1);
    }
    if (child < 0 || waitpid(child, &how, 0) != child)
        abort_test("fork", "cannot run a child");
    if (WIFSIGNALED(how))
        fprintf(stderr, "a child ended by signal %d\n", WTERMSIG(how));
    return WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

static int verifies(void *context) {
    return verify((const justcall_client *)context) == JUSTCALL_OK;
}

static int verifies_and_frees(void *context) {
    justcall_client *client = (justcall_client *)context;
    int good = verifies(client);
    justcall_client_free(client);
    return good;
}

static int frees(void *context) {
    justcall_client_free((justcall_client *)context);
    return 1;
}

static int has_a_child_that_verifies(void *context) {
    return verifies(context) && child_does(verifies, context) && verifies(context);
}

static int forks_before_its_first_call(void *context) { return child_does(verifies, context); }

/* Checks over which connections the requests came, in their order. Connections are numbered from 1
 * in the order of their first request, so connections that were open before do not matter. */
static void check_connections(struct sandbox *sandbox, const int *expected, int count) {
    int opened[16], known = 0;
    cJSON *requests = requests_seen(sandbox);
    CHECK(cJSON_GetArraySize(requests) == count);
    for (int n = 0; n < count; ++n) {
        const cJSON *request = cJSON_GetArrayItem(requests, n);
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(request, "connection");
        int number = cJSON_IsNumber(item) ? item->valueint : -1, place = 0;
        while (place < known && opened[place] != number)
            ++place;
        if (place == known)
            opened[known++] = number;
        if (!CHECK(place + 1 == expected[n]))
            printf("    request %d came over connection %d\n", n, place + 1);
    }
    cJSON_Delete(requests);
}

static justcall_status load_pair(void *context, justcall_credentials **out,
                                 justcall_error **error) {
    const cJSON *pair = (const cJSON *)context;
    const char *key = member(pair, "api_key"), *secret = member(pair, "api_secret");
    return justcall_credentials_new(key, strlen(key), secret, strlen(secret), out, error);
}

static int contexts_freed;

static void count_freed(void *context) {
    (void)context;
    ++contexts_freed;
}

/* Creates a client with a kind of source: 0 credentials, 1 a named source, 2 a callback. */
static justcall_client *client_from(struct sandbox *sandbox, int kind, const char *source) {
    justcall_error *error = NULL;
    justcall_config *config = sandbox_config(sandbox);
    if (kind == 0)
        with_pair(config, sandbox->line);
    else if (kind == 1)
        CHECK_OK(justcall_config_set_source(config, source, &error), &error);
    else
        CHECK_OK(justcall_config_set_source_callback(config, load_pair, sandbox->line, count_freed,
                                                     &error),
                 &error);
    return client_of(config);
}

static void it_verifies_in_parent_and_child_over_separate_connections(struct sandbox *sandbox,
                                                                      const char *source) {
    static const int connections[] = {1, 2, 1, 3, 1};
    for (int kind = 0; kind < 3; ++kind) {
        run_control(sandbox, "POST", "clear", NULL);
        justcall_client *client = client_from(sandbox, kind, source);
        CHECK(verify(client) == JUSTCALL_OK);
        CHECK(child_does(verifies, client));
        CHECK(verify(client) == JUSTCALL_OK);
        CHECK(child_does(verifies, client));
        CHECK(verify(client) == JUSTCALL_OK);
        check_connections(sandbox, connections, 5);
        justcall_client_free(client);
    }
}

static void it_verifies_in_a_child_before_its_parent_does(struct sandbox *sandbox,
                                                          const char *source) {
    static const int connections[] = {1, 2};
    for (int kind = 0; kind < 3; ++kind) {
        run_control(sandbox, "POST", "clear", NULL);
        justcall_client *client = client_from(sandbox, kind, source);
        CHECK(child_does(verifies, client));
        CHECK(verify(client) == JUSTCALL_OK);
        check_connections(sandbox, connections, 2);
        justcall_client_free(client);
    }
}

/* A child that frees the client must not close the parent's connection: not even a TLS close_notify
 * may be sent. */
static void it_keeps_working_after_a_child_frees_the_client(struct sandbox *sandbox,
                                                            const char *source) {
    static const int connections[] = {1, 1, 2, 1};
    for (int kind = 0; kind < 3; ++kind) {
        run_control(sandbox, "POST", "clear", NULL);
        contexts_freed = 0;
        justcall_client *client = client_from(sandbox, kind, source);
        CHECK(verify(client) == JUSTCALL_OK);
        CHECK(child_does(frees, client));
        CHECK(verify(client) == JUSTCALL_OK);
        CHECK(child_does(verifies_and_frees, client));
        CHECK(verify(client) == JUSTCALL_OK);
        check_connections(sandbox, connections, 4);
        CHECK(contexts_freed == 0); /* the child freed its own copy */
        justcall_client_free(client);
        CHECK(contexts_freed == (kind == 2));
    }
}

static void it_verifies_in_a_child_of_a_child(struct sandbox *sandbox, const char *source) {
    static const int connections[] = {1, 2, 3, 2, 1, 4, 1};
    for (int kind = 0; kind < 3; ++kind) {
        run_control(sandbox, "POST", "clear", NULL);
        justcall_client *client = client_from(sandbox, kind, source);
        CHECK(verify(client) == JUSTCALL_OK);
        CHECK(child_does(has_a_child_that_verifies, client));
        CHECK(verify(client) == JUSTCALL_OK);
        CHECK(child_does(forks_before_its_first_call, client));
        CHECK(verify(client) == JUSTCALL_OK);
        check_connections(sandbox, connections, 7);
        justcall_client_free(client);
    }
}

struct inheritance {
    justcall_client *client;
    justcall_credentials *credentials;
    justcall_request *request;
    justcall_response *response;
    justcall_error *error;
    const char *pair;
};

static int uses_and_frees_what_it_inherits(void *context) {
    struct inheritance *all = (struct inheritance *)context;
    char buffer[JUSTCALL_AUTHORIZATION_SIZE], own[JUSTCALL_AUTHORIZATION_SIZE];
    justcall_response *response = NULL;
    size_t length = 0;
    int good = justcall_client_authorization(all->client, buffer, sizeof buffer, NULL, NULL) ==
                   JUSTCALL_OK &&
               justcall_credentials_authorization(all->credentials, own, sizeof own, NULL, NULL) ==
                   JUSTCALL_OK &&
               strcmp(buffer, all->pair) == 0 && strcmp(own, all->pair) == 0 &&
               justcall_client_send(all->client, all->request, &response, NULL) == JUSTCALL_OK &&
               justcall_response_body(response, &length) != NULL && length > 0 &&
               justcall_response_http_status(all->response) == 200 &&
               justcall_response_http_status(justcall_error_response(all->error)) == 404;
    justcall_response_free(response);
    justcall_error_free(all->error);
    justcall_response_free(all->response);
    justcall_request_free(all->request);
    justcall_credentials_free(all->credentials);
    justcall_client_free(all->client);
    return good;
}

static void it_keeps_the_handles_that_a_child_uses_and_frees(struct sandbox *sandbox) {
    char pair[JUSTCALL_AUTHORIZATION_SIZE], buffer[JUSTCALL_AUTHORIZATION_SIZE];
    struct inheritance all;
    run_control(sandbox, "POST", "clear", NULL);
    snprintf(pair, sizeof pair, "%s:%s", member(sandbox->line, "api_key"),
             member(sandbox->line, "api_secret"));
    all.pair = pair;
    all.client = new_client(sandbox, sandbox->line);
    all.credentials = credentials_of(sandbox->line);
    all.request = new_request("GET", "/v2.1/calls");
    all.response = response_to(all.client, "/v2.1/calls");
    justcall_response *none = NULL;
    CHECK(justcall_client_request(all.client, "GET", "/none", NULL, 0, &none, &all.error) ==
          JUSTCALL_ERROR_NOT_FOUND);
    CHECK(child_does(uses_and_frees_what_it_inherits, &all));
    CHECK(justcall_credentials_authorization(all.credentials, buffer, sizeof buffer, NULL, NULL) ==
          JUSTCALL_OK);
    CHECK_TEXT(buffer, pair);
    CHECK(uses_and_frees_what_it_inherits(&all));
}

struct work {
    const justcall_client *client;
    pthread_mutex_t *lock; /* guards the members below */
    int *stop;
    int good, bad;
};

static void *verify_until_stopped(void *context) {
    struct work *work = (struct work *)context;
    int stop = 0;
    while (!stop) {
        int good = verify(work->client) == JUSTCALL_OK;
        pthread_mutex_lock(work->lock);
        work->good += good;
        work->bad += !good;
        stop = *work->stop;
        pthread_mutex_unlock(work->lock);
    }
    return NULL;
}

/* Returns the number of verifications of all threads; only the failed ones if `bad`. */
static int total(const struct work *work, int bad) {
    int sum = 0;
    pthread_mutex_lock(work->lock);
    for (int n = 0; n < THREADS; ++n)
        sum += bad ? work[n].bad : work[n].good + work[n].bad;
    pthread_mutex_unlock(work->lock);
    return sum;
}

static void it_forks_while_threads_verify_without_pause(struct sandbox *sandbox,
                                                        const char *source) {
    for (int kind = 0; kind < 3; ++kind) {
        pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
        pthread_t threads[THREADS];
        struct work work[THREADS];
        int stop = 0;
        run_control(sandbox, "POST", "clear", NULL);
        justcall_client *client = client_from(sandbox, kind, source);
        for (int n = 0; n < THREADS; ++n) {
            work[n].client = client;
            work[n].lock = &lock;
            work[n].stop = &stop;
            work[n].good = work[n].bad = 0;
        }
        for (int n = 0; n < THREADS; ++n)
            CHECK(pthread_create(&threads[n], NULL, verify_until_stopped, &work[n]) == 0);
        for (int n = 0; n < FORKS; ++n) {
            const int before = total(work, 0);
            CHECK(child_does(n % 2 ? verifies_and_frees : verifies, client));
            while (total(work, 0) == before)
                sched_yield(); /* alarm() ends the program if a thread is stuck */
        }
        CHECK(total(work, 1) == 0);
        pthread_mutex_lock(&lock);
        stop = 1;
        pthread_mutex_unlock(&lock);
        for (int n = 0; n < THREADS; ++n) {
            CHECK(pthread_join(threads[n], NULL) == 0);
            CHECK(work[n].good > 0);
            CHECK(work[n].bad == 0);
        }
        justcall_client_free(client);
    }
}

struct receiver {
    const justcall_client *client;
    const justcall_webhook *webhook;
};

/* Returns whether an unsigned delivery is counted as number `count` of its process, by the verifier
 * and by the client. */
static int counts(const struct receiver *receiver, int count) {
    static char text[JUSTCALL_USAGE_SIZE];
    char sample[96];
    justcall_webhook_event *event = NULL;
    snprintf(sample, sizeof sample,
             "justcall_auth_webhooks_total{result=\"webhook_unsigned\"} %d\n", count);
    return justcall_webhook_verify(receiver->webhook, NULL, NULL, NULL, NULL, 0, 0, &event, NULL) ==
               JUSTCALL_ERROR_WEBHOOK_UNSIGNED &&
           justcall_webhook_usage(receiver->webhook, text, sizeof text, NULL, NULL) ==
               JUSTCALL_OK &&
           strstr(text, sample) &&
           justcall_client_usage(receiver->client, text, sizeof text, NULL, NULL) == JUSTCALL_OK &&
           strstr(text, sample);
}

static int counts_from_zero(void *context) {
    const struct receiver *receiver = (const struct receiver *)context;
    return counts(receiver, 1) && counts(receiver, 2);
}

static int counts_and_has_a_child_that_counts(void *context) {
    const struct receiver *receiver = (const struct receiver *)context;
    return counts(receiver, 1) && child_does(counts_from_zero, context) && counts(receiver, 2);
}

static void it_counts_deliveries_from_zero_in_a_child(struct sandbox *sandbox) {
    justcall_client *client = client_from(sandbox, 0, NULL);
    justcall_webhook *webhook = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_webhook_new(JUSTCALL_ANY_URL, 600, &webhook, &error), &error);
    CHECK_OK(justcall_webhook_use_client(webhook, client, &error), &error);
    struct receiver receiver = {client, webhook};
    CHECK(child_does(counts_from_zero, &receiver));
    CHECK(counts(&receiver, 1));
    CHECK(child_does(counts_and_has_a_child_that_counts, &receiver));
    CHECK(counts(&receiver, 2));
    justcall_webhook_free(webhook);
    justcall_client_free(client);
}

/* A call of the parent, and the handle that a child of the parent fires. */
struct waiting_call {
    const justcall_client *client;
    justcall_cancel *cancel;
    justcall_status status;
};

static void *make_slow_call(void *context) {
    struct waiting_call *call = (struct waiting_call *)context;
    justcall_request *request = new_request("GET", "/v2.1/calls");
    justcall_response *response = NULL;
    CHECK(justcall_request_set_cancel(request, call->cancel, NULL) == JUSTCALL_OK);
    call->status = justcall_client_send(call->client, request, &response, NULL);
    justcall_response_free(response);
    justcall_request_free(request);
    return NULL;
}

static int fires_and_verifies(void *context) {
    const struct waiting_call *call = (const struct waiting_call *)context;
    justcall_cancel_fire(call->cancel);
    return verifies((void *)call->client);
}

/* The child has a copy of the socket that the parent's thread waits for. */
static void it_does_not_touch_the_calls_of_its_parent_when_a_child_cancels(struct sandbox *sandbox) {
    struct waiting_call call = {client_from(sandbox, 0, NULL), justcall_cancel_new(), -1};
    pthread_t thread;
    run_control(sandbox, "POST", "faults",
                "{\"fault\":\"delay\",\"ms\":1500,\"path\":\"/v2.1/calls\"}");
    CHECK(pthread_create(&thread, NULL, make_slow_call, &call) == 0);
    const struct timespec until_it_waits = {0, 400000000};
    nanosleep(&until_it_waits, NULL);
    CHECK(child_does(fires_and_verifies, &call));
    pthread_join(thread, NULL);
    CHECK(call.status == JUSTCALL_OK);
    run_control(sandbox, "POST", "clear", NULL);
    justcall_cancel_free(call.cancel);
    justcall_client_free((justcall_client *)call.client);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    alarm(4 * TIME_LIMIT_S);
    struct sandbox sandbox = sandbox_open();
    it_verifies_in_parent_and_child_over_separate_connections(&sandbox, argv[1]);
    it_verifies_in_a_child_before_its_parent_does(&sandbox, argv[1]);
    it_keeps_working_after_a_child_frees_the_client(&sandbox, argv[1]);
    it_verifies_in_a_child_of_a_child(&sandbox, argv[1]);
    it_keeps_the_handles_that_a_child_uses_and_frees(&sandbox);
    it_forks_while_threads_verify_without_pause(&sandbox, argv[1]);
    it_counts_deliveries_from_zero_in_a_child(&sandbox);
    it_does_not_touch_the_calls_of_its_parent_when_a_child_cancels(&sandbox);
    sandbox_close(&sandbox);
    return checks_result();
}
