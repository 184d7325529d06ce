/* Uses the library as it is told, a line at a time, and answers each with "done …" or "failed …":
 * target PAIR_FILE URL CA_FILE. Keeps no copy of the pair of its own, unless it is told to. */

#include <justcall_auth.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_THREADS 16

#ifdef HAVE_TEST_PANIC
void justcall_test_panic_in_call(void);
#endif

static const char *pair_file;
static justcall_config *config;
static justcall_client *client;
static justcall_response *response;
static justcall_error *kept_error;
static char *planted;
static size_t planted_length;
static atomic_int stopping;

struct work {
    pthread_t thread;
    long calls; /* until told to stop, if negative */
    justcall_status last;
};
static struct work work[MAX_THREADS];
static int threads;

static void *verify(void *context) {
    struct work *mine = (struct work *)context;
    for (long call = 0; mine->calls < 0 ? !stopping : call < mine->calls; ++call) {
        justcall_account *account = NULL;
        mine->last = justcall_client_verify(client, &account, NULL);
        justcall_account_free(account);
    }
    return NULL;
}

/* The calling thread works too if it is the only one. */
static void start(int count, long calls) {
    threads = count;
    stopping = 0;
    for (int n = 0; n < count; ++n) {
        work[n].calls = calls;
        work[n].last = -1;
        if (count > 1 || calls < 0)
            pthread_create(&work[n].thread, NULL, verify, &work[n]);
        else
            verify(&work[n]);
    }
}

static const char *finish(void) {
    justcall_status worst = JUSTCALL_OK;
    int joined = threads > 1 || work[0].calls < 0;
    for (int n = 0; n < threads; ++n) {
        if (joined)
            pthread_join(work[n].thread, NULL);
        if (work[n].last != JUSTCALL_OK)
            worst = work[n].last;
    }
    return justcall_status_name(worst);
}

static const char *stop(void) {
    stopping = 1;
    return finish();
}

/* Ends the calls that wait, and what they came to. */
static const char *cancel(void) {
    stopping = 1;
    justcall_client_shutdown(client);
    return finish();
}

/* The pair as it is in the file, in memory of the program's own; where. */
static const char *plant(void) {
    int file = open(pair_file, O_RDONLY);
    planted = (char *)malloc(4096);
    ssize_t length = file < 0 || !planted ? -1 : read(file, planted, 4096);
    if (file >= 0)
        close(file);
    planted_length = length < 0 ? 0 : (size_t)length;
    static char address[32];
    snprintf(address, sizeof address, "%lx", (unsigned long)(uintptr_t)planted);
    return length > 0 ? address : NULL;
}

static const char *unplant(void) {
    justcall_wipe(planted, planted_length);
    free(planted);
    planted = NULL;
    return "ok";
}

#ifdef HAVE_MEMORY_PROTECTION
/* Lets the client read its source, by asking how the pair is kept. */
static const char *load(void) {
    static char kept[32];
    justcall_report *report = NULL;
    justcall_status status = justcall_client_protection(client, &report, NULL);
    const char *code = justcall_report_code(report, 0);
    snprintf(kept, sizeof kept, "%s", code ? code : justcall_status_name(status));
    justcall_report_free(report);
    return kept;
}
#endif

/* Writes the header into a buffer, as for a request of the program's own, and wipes it. */
static justcall_status header(void) {
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    justcall_status status =
        justcall_client_authorization(client, buffer, sizeof buffer, NULL, NULL);
    justcall_wipe(buffer, sizeof buffer);
    return status;
}

/* A call over HTTP of the program's own, whose answer brings the header back. */
static justcall_status exchange(void) {
    char buffer[JUSTCALL_AUTHORIZATION_SIZE], body[JUSTCALL_AUTHORIZATION_SIZE + 32];
    justcall_exchange *call = NULL;
    int32_t action = JUSTCALL_ACTION_WAIT;
    uint64_t wait_ms = 0;
    justcall_request *page = NULL;
    justcall_status status = justcall_request_new("GET", "/v2/account", &page, NULL);
    if (status == JUSTCALL_OK)
        status = justcall_exchange_new(client, page, &call, NULL);
    justcall_request_free(page);
    while (status == JUSTCALL_OK && action != JUSTCALL_ACTION_DONE) {
        status = justcall_exchange_next(call, &action, &wait_ms, NULL);
        if (status == JUSTCALL_OK && action == JUSTCALL_ACTION_LOAD)
            status = justcall_exchange_load(call, NULL);
        if (status == JUSTCALL_OK && action == JUSTCALL_ACTION_SEND) {
            status = justcall_exchange_authorization(call, buffer, sizeof buffer, NULL, NULL);
            snprintf(body, sizeof body, "{\"message\": \"You sent %s\"}", buffer);
            if (status == JUSTCALL_OK)
              status = justcall_exchange_answered(call, 400, NULL, NULL, 0,
                                                  body, strlen(body), NULL);
        }
    }
    justcall_exchange_free(call);
    justcall_wipe(buffer, sizeof buffer);
    justcall_wipe(body, sizeof body);
    return status;
}

/* Takes the pair that the file has now. */
static justcall_status replace(void) {
    char source[4096];
    justcall_credentials *pair = NULL;
    snprintf(source, sizeof source, "file:%s", pair_file);
    justcall_status status = justcall_credentials_load(source, &pair, NULL);
    if (status == JUSTCALL_OK)
        status = justcall_client_replace(client, pair, NULL);
    justcall_credentials_free(pair);
    return status;
}

static const char *request(const char *method, const char *path, size_t size) {
    static char outcome[128];
    uint8_t *body = size ? (uint8_t *)calloc(size, 1) : NULL;
    justcall_response_free(response);
    justcall_error_free(kept_error);
    justcall_status status =
        justcall_client_request(client, method, path, body, size, &response, &kept_error);
    free(body);
    const char *reason = justcall_error_reason(kept_error);
    snprintf(outcome, sizeof outcome, "%s%s%s", justcall_status_name(status), reason ? " " : "",
             reason ? reason : "");
    return outcome;
}

/* Verifies a webhook again and again: each time the library signs with its secret. */
static const char *webhooks(long count, const char *signature, const char *timestamp) {
    static const char body[] = "{\"type\":\"call.completed\",\"webhook_url\":\"https://a.b/c\"}";
    justcall_webhook *webhook = NULL;
    justcall_webhook_event *event = NULL;
    justcall_status status = justcall_webhook_new(JUSTCALL_ANY_URL, 600, &webhook, NULL);
    if (status == JUSTCALL_OK)
        status = justcall_webhook_use_client(webhook, client, NULL);
    for (; count > 0; --count) {
      status = justcall_webhook_verify(webhook, signature, "v1", timestamp,
                                       body, sizeof body - 1, atoll(timestamp),
                                       &event, NULL);
      justcall_webhook_event_free(event);
    }
    justcall_webhook_free(webhook);
    return justcall_status_name(status);
}

static const char *drop(void) {
    justcall_response_free(response);
    justcall_error_free(kept_error);
    response = NULL;
    kept_error = NULL;
    return "ok";
}

static const char *end(void) {
    drop();
    justcall_client_free(client);
    justcall_config_free(config);
    client = NULL;
    config = NULL;
    return "ok";
}

#ifdef HAVE_TEST_PANIC
/* A call that panics where the pair is plain, and gives nothing. */
static justcall_status panic_in_call(void) {
    justcall_account *account = NULL;
    justcall_test_panic_in_call();
    justcall_status status = justcall_client_verify(client, &account, NULL);
    return account ? JUSTCALL_OK : status;
}
#endif

/* What came of it: a name, or NULL if it is not understood. */
static const char *obey(const char *line) {
    char method[16], path[256];
    int count;
    long number;
    size_t size;
    if (sscanf(line, "timeout %ld", &number) == 1)
        return justcall_status_name(
            justcall_config_set_timeout_ms(config, (uint64_t)number, NULL));
    if (sscanf(line, "retries %d", &count) == 1)
        return justcall_status_name(
            justcall_config_set_max_retries(config, count, NULL));
    if (sscanf(line, "source %255[^\n]", path) == 1)
        return justcall_status_name(justcall_config_set_source(config, path, NULL));
    if (sscanf(line, "proxy %255s", path) == 1)
        return justcall_status_name(justcall_config_set_proxy(config, path, NULL));
    if (sscanf(line, "verify %ld %d", &number, &count) == 2 && count <= MAX_THREADS) {
        start(count, number);
        return finish();
    }
    if (sscanf(line, "loop %d", &count) == 1 && count <= MAX_THREADS) {
        start(count, -1);
        return "started";
    }
    if (sscanf(line, "request %15s %255s %zu", method, path, &size) == 3)
        return request(method, path, size);
    if (sscanf(line, "webhooks %ld %255s %15s", &number, path, method) == 3)
        return webhooks(number, path, method);
    if (strcmp(line, "client") == 0)
        return justcall_status_name(justcall_client_new(config, &client, NULL));
    if (strcmp(line, "header") == 0)
        return justcall_status_name(header());
    if (strcmp(line, "exchange") == 0)
        return justcall_status_name(exchange());
    if (strcmp(line, "replace") == 0)
        return justcall_status_name(replace());
    if (strcmp(line, "stop") == 0)
        return stop();
    if (strcmp(line, "cancel") == 0)
        return cancel();
    if (strcmp(line, "drop") == 0)
        return drop();
    if (strcmp(line, "free") == 0)
        return end();
    if (strcmp(line, "plant") == 0)
        return plant();
    if (strcmp(line, "unplant") == 0)
        return unplant();
#ifdef HAVE_MEMORY_PROTECTION
    if (sscanf(line, "level %d", &count) == 1)
        return justcall_status_name(justcall_config_set_memory_protection(config, count, NULL));
    if (strcmp(line, "load") == 0)
        return load();
#endif
#ifdef HAVE_TEST_PANIC
    if (strcmp(line, "panic") == 0)
        return justcall_status_name(panic_in_call());
#endif
    return NULL;
}

int main(int argc, char **argv) {
    char line[512], source[4096];
    if (argc != 4)
        return 2;
    pair_file = argv[1];
    snprintf(source, sizeof source, "file:%s", pair_file);
    config = justcall_config_new();
    if (justcall_config_set_source(config, source, NULL) != JUSTCALL_OK ||
        justcall_config_set_base_url(config, argv[2], NULL) != JUSTCALL_OK ||
        justcall_config_set_ca_file(config, argv[3], NULL) != JUSTCALL_OK ||
        justcall_config_set_max_retries(config, 0, NULL) != JUSTCALL_OK)
        return 2;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        const char *came_out = obey(line);
        printf("%s %s\n", came_out ? "done" : "failed: not understood:",
               came_out ? came_out : line);
        fflush(stdout);
    }
    return 0;
}
