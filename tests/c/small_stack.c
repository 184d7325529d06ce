/* Makes every kind of call on a thread with a small stack, and prints how much of the stack each
 * kind uses. small_stack STACK_KIB FOLDER; the sandbox's line is in the environment as
 * JUSTCALL_SANDBOX. The program ends with SIGSEGV if the stack is too small, and with SIGALRM if it
 * hangs. */

#define _GNU_SOURCE /* MAP_ANONYMOUS */

#include "pair_file.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATTERN 0xA5
#define GUARD 65536 /* bytes; a multiple of every page size */

#define URL "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4"
#define SECRET "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"
#define SIGNATURE "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf"
#define TIME "2024-03-21 17:08:22"
#define NOW 1711040902

/* What the threads share. The main thread creates it and makes the control calls. */
struct fixture {
    const char *url, *ca_file, *source;
    justcall_credentials *good, *bad;
};

static justcall_config *config_of(const struct fixture *fixture) {
    justcall_config *config = justcall_config_new();
    justcall_error *error = NULL;
    CHECK_OK(justcall_config_set_base_url(config, fixture->url, &error), &error);
    if (fixture->ca_file)
        CHECK_OK(justcall_config_set_ca_file(config, fixture->ca_file, &error), &error);
    CHECK_OK(justcall_config_set_source(config, fixture->source, &error), &error);
    return config;
}

static void *verify(void *context) {
    justcall_client *client = client_of(config_of((const struct fixture *)context));
    justcall_account *account = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_client_verify(client, &account, &error), &error);
    justcall_account_free(account);
    justcall_client_free(client);
    return NULL;
}

static void *send_and_fail(void *context) {
    const struct fixture *fixture = (const struct fixture *)context;
    static const uint8_t body[200000];
    justcall_client *client = client_of(config_of(fixture));
    justcall_response *response = NULL;
    justcall_error *error = NULL;
    CHECK_OK(
        justcall_client_request(client, "POST", "/v2.1/echo", body, sizeof body, &response, &error),
        &error);
    justcall_response_free(response);
    CHECK_FAILS(justcall_client_request(client, "GET", "/v2.1/none", NULL, 0, &response, &error),
                JUSTCALL_ERROR_NOT_FOUND, &error);
    CHECK_FAILS(justcall_client_replace(client, fixture->bad, &error),
                JUSTCALL_ERROR_INVALID_CREDENTIALS, &error);
    CHECK_OK(justcall_client_replace(client, fixture->good, &error), &error);
    CHECK_OK(justcall_client_reload(client, NULL, &error), &error);
    justcall_client_shutdown(client);
    justcall_client_free(client);
    return NULL;
}

/* Without the sandbox's certificate authority, those of the system are read, and the connection
 * fails. */
static void *refuse_a_certificate(void *context) {
    const struct fixture *fixture = (const struct fixture *)context;
    justcall_config *config = justcall_config_new();
    justcall_account *account = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_config_set_base_url(config, fixture->url, &error), &error);
    CHECK_OK(justcall_config_set_credentials(config, fixture->good, &error), &error);
    justcall_client *client = client_of(config);
    if (fixture->ca_file)
        CHECK_FAILS(justcall_client_verify(client, &account, &error), JUSTCALL_ERROR_TLS_FAILED,
                    &error);
    justcall_client_free(client);
    return NULL;
}

static void *refuse_a_proxy(void *context) {
    justcall_config *config = config_of((const struct fixture *)context);
    justcall_account *account = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_config_set_proxy(config, "http://localhost:1", &error), &error);
    CHECK_OK(justcall_config_set_max_retries(config, 1, &error), &error);
    justcall_client *client = client_of(config);
    if (((const struct fixture *)context)->ca_file)
        CHECK_FAILS(justcall_client_verify(client, &account, &error),
                    JUSTCALL_ERROR_CONNECTION_FAILED, &error);
    justcall_account_free(account);
    justcall_client_free(client);
    return NULL;
}

static void *load(void *context) {
    static const char *const sources[] = {"env:", "default:", "dir:/nonexistent",
                                          "command:echo '{\"api_key\":\"abc123def456\","
                                          "\"api_secret\":\"sec789xyz000\"}'"};
    justcall_credentials *credentials = NULL;
    justcall_error *error = NULL;
    size_t i;
    CHECK_OK(
        justcall_credentials_load(((const struct fixture *)context)->source, &credentials, &error),
        &error);
    justcall_credentials_free(credentials);
    for (i = 0; i < sizeof sources / sizeof *sources; ++i) {
        CHECK((justcall_credentials_load(sources[i], &credentials, &error) == JUSTCALL_OK) ==
              (i == 3));
        justcall_credentials_free(credentials);
        justcall_error_free(error);
    }
    return NULL;
}

static justcall_status is_new(void *context, const justcall_webhook_event *event) {
    (void)context;
    (void)event;
    return JUSTCALL_OK;
}

static void *verify_webhooks(void *context) {
    static const char body[] =
        "{\"type\":\"call.completed\",\"webhook_url\":\"" URL "\",\"data\":{\"id\":7}}";
    justcall_client *client = client_of(config_of((const struct fixture *)context));
    justcall_webhook *webhook = NULL;
    justcall_webhook_event *event = NULL;
    justcall_error *error = NULL;
    char path[128];
    static char usage[JUSTCALL_USAGE_SIZE];
    CHECK_OK(justcall_webhook_new(URL, 600, &webhook, &error), &error);
    CHECK_OK(justcall_webhook_set_replay_check(webhook, is_new, NULL, NULL, &error), &error);
    CHECK_OK(justcall_webhook_add_secret(webhook, SECRET, strlen(SECRET), &error), &error);
    CHECK_OK(justcall_webhook_verify(webhook, SIGNATURE, "v1", TIME, body, strlen(body), NOW,
                                     &event, &error),
             &error);
    CHECK_OK(justcall_webhook_event_object_path(event, body, strlen(body), path, sizeof path, NULL,
                                                &error),
             &error);
    CHECK_OK(justcall_webhook_usage(webhook, usage, sizeof usage, NULL, &error), &error);
    justcall_webhook_event_free(event);
    justcall_webhook_free(webhook);

    CHECK_OK(justcall_webhook_new(JUSTCALL_ANY_URL, 600, &webhook, &error), &error);
    CHECK_OK(justcall_webhook_use_client(webhook, client, &error), &error);
    CHECK_FAILS(justcall_webhook_verify(webhook, SIGNATURE, "v1", TIME, body, strlen(body), NOW,
                                        &event, &error),
                JUSTCALL_ERROR_WEBHOOK_MISMATCH, &error);
    justcall_webhook_free(webhook);
    justcall_client_free(client);
    return NULL;
}

static void *exchange(void *context) {
    static const char body[] = "{\"status\":\"success\",\"data\":[]}";
    const char *names[] = {"content-type"}, *values[] = {"application/json"};
    justcall_client *client = client_of(config_of((const struct fixture *)context));
    justcall_exchange *exchange = NULL;
    justcall_response *response = NULL;
    justcall_error *error = NULL;
    char authorization[JUSTCALL_AUTHORIZATION_SIZE];
    int32_t action = 0;
    exchange = new_exchange(client, "GET", "/v2.1/calls");
    while (action != JUSTCALL_ACTION_DONE) {
        if (!CHECK(justcall_exchange_next(exchange, &action, NULL, NULL) == JUSTCALL_OK))
            break;
        if (action == JUSTCALL_ACTION_LOAD)
            CHECK_OK(justcall_exchange_load(exchange, &error), &error);
        if (action == JUSTCALL_ACTION_SEND) {
            CHECK_OK(justcall_exchange_authorization(exchange, authorization, sizeof authorization,
                                                     NULL, &error),
                     &error);
            CHECK_OK(justcall_exchange_answered(exchange, 200, names, values, 1, body, strlen(body),
                                                &error),
                     &error);
        }
    }
    CHECK_OK(justcall_exchange_response(exchange, &response, &error), &error);
    justcall_response_free(response);
    justcall_exchange_free(exchange);
    justcall_client_free(client);
    return NULL;
}

static void *diagnose_and_report(void *context) {
    static const char text[] = "Authorization: Basic YWJjMTIzZGVmNDU2OnNlYzc4OXh5ejAwMA==\n";
    static const char body[] = "{\"error\":{\"message\":\"the plan does not include this\"}}";
    static char usage[JUSTCALL_USAGE_SIZE];
    justcall_client *client = client_of(config_of((const struct fixture *)context));
    justcall_report *report = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_diagnose(text, strlen(text), &report, &error), &error);
    justcall_report_free(report);
    CHECK_OK(justcall_diagnose_environment(&report, &error), &error);
    justcall_report_free(report);
    CHECK_FAILS(justcall_classify(403, NULL, NULL, 0, body, strlen(body), &error),
                JUSTCALL_ERROR_FORBIDDEN, &error);
    CHECK_OK(justcall_client_protection(client, &report, &error), &error);
    justcall_report_free(report);
    CHECK_OK(justcall_client_usage(client, usage, sizeof usage, NULL, &error), &error);
    justcall_client_free(client);
    return NULL;
}

static justcall_status load_after_a_call(void *context, justcall_credentials **out,
                                         justcall_error **error) {
    const struct fixture *fixture = (const struct fixture *)context;
    verify(context);
    return justcall_credentials_load(fixture->source, out, error);
}

static void handle_with_a_call(void *context, const justcall_event *event) {
    (void)event;
    verify(context);
}

/* Makes calls inside callbacks of calls. */
static void *call_in_callbacks(void *context) {
    const struct fixture *fixture = (const struct fixture *)context;
    justcall_config *config = justcall_config_new();
    justcall_response *response = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_config_set_base_url(config, fixture->url, &error), &error);
    if (fixture->ca_file)
        CHECK_OK(justcall_config_set_ca_file(config, fixture->ca_file, &error), &error);
    CHECK_OK(justcall_config_set_source_callback(config, load_after_a_call, context, NULL, &error),
             &error);
    CHECK_OK(justcall_config_set_event_handler(config, handle_with_a_call, context, NULL, &error),
             &error);
    justcall_client *client = client_of(config);
    CHECK_FAILS(justcall_client_replace(client, fixture->bad, &error),
                JUSTCALL_ERROR_INVALID_CREDENTIALS, &error);
    CHECK_OK(justcall_client_request(client, "GET", "/v2.1/calls", NULL, 0, &response, &error),
             &error);
    justcall_response_free(response);
    justcall_client_free(client);
    return NULL;
}

/* Returns how many bytes of the stack were used: those above the unchanged pattern. */
static size_t used_of(const unsigned char *stack, size_t size) {
    size_t untouched = 0;
    while (untouched < size && stack[untouched] == PATTERN)
        ++untouched;
    return size - untouched;
}

/* Runs `work` on a stack of `size` bytes with an inaccessible guard below it. */
static void run_on(size_t size, const char *name, void *(*work)(void *), struct fixture *fixture) {
    pthread_t thread;
    pthread_attr_t attributes;
    unsigned char *memory = (unsigned char *)mmap(NULL, GUARD + size, PROT_READ | PROT_WRITE,
                                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && mprotect(memory, GUARD, PROT_NONE) == 0);
    memset(memory + GUARD, PATTERN, size);
    pthread_attr_init(&attributes);
    CHECK(pthread_attr_setstack(&attributes, memory + GUARD, size) == 0);
    CHECK(pthread_create(&thread, &attributes, work, fixture) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    printf("%-24s %6zu bytes of %zu\n", name, used_of(memory + GUARD, size), size);
    pthread_attr_destroy(&attributes);
    munmap(memory, GUARD + size);
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void *(*work)(void *);
    } kinds[] = {
        {"verify", verify},
        {"send and fail", send_and_fail},
        {"refuse a certificate", refuse_a_certificate},
        {"refuse a proxy", refuse_a_proxy},
        {"load", load},
        {"webhooks", verify_webhooks},
        {"exchange", exchange},
        {"diagnose and report", diagnose_and_report},
        {"calls in callbacks", call_in_callbacks},
    };
    struct fixture fixture;
    size_t size, i;
    if (argc != 3)
        return 2;
    size = (size_t)atoi(argv[1]) * 1024;
    struct sandbox sandbox = sandbox_open();
    struct pair_file file = pair_file_in(argv[2]);
    justcall_error *error = NULL;
    alarm(300);
    cJSON *pair = fresh_account(&sandbox);
    write_pair(&file, pair);
    fixture.url = member(sandbox.line, "url");
    fixture.ca_file = ca_file_of(&sandbox);
    fixture.source = file.source;
    fixture.good = credentials_of(pair);
    CHECK_OK(justcall_credentials_new("abc123def456", 12, "sec789xyz000", 12, &fixture.bad, &error),
             &error);
    for (i = 0; i < sizeof kinds / sizeof *kinds; ++i)
        run_on(size, kinds[i].name, kinds[i].work, &fixture);
    justcall_credentials_free(fixture.good);
    justcall_credentials_free(fixture.bad);
    cJSON_Delete(pair);
    sandbox_close(&sandbox);
    return checks_result();
}
