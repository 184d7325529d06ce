/* Uses most of the library on two threads, for memory checkers, and checks that the process stays as
 * it was. host URL CA_FILE SOURCE [misuse|change]. With `misuse` the program itself reads
 * uninitialised memory and leaks a block: a checker must report both. With `change` it changes the
 * process itself: its own checks must report that. */

#define _GNU_SOURCE

#include "check.h"

#include <dirent.h>
#include <dlfcn.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define URL "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4"
#define SECRET "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"
#define SIGNATURE "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf"
#define TIME "2024-03-21 17:08:22"
#define NOW 1711040902

static void *verify(void *context) {
    justcall_account *account = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_client_verify((const justcall_client *)context, &account, &error), &error);
    justcall_account_free(account);
    return NULL;
}

static void verify_a_webhook(const justcall_client *client) {
    static const char body[] = "{\"type\":\"call.completed\",\"webhook_url\":\"" URL "\"}";
    justcall_webhook *webhook = NULL;
    justcall_webhook_event *event = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_webhook_new(URL, 600, &webhook, &error), &error);
    CHECK_OK(justcall_webhook_add_secret(webhook, SECRET, strlen(SECRET), &error), &error);
    CHECK_OK(justcall_webhook_verify(webhook, SIGNATURE, "v1", TIME, body, strlen(body), NOW,
                                     &event, &error),
             &error);
    CHECK_TEXT(justcall_webhook_event_type(event), "call.completed");
    justcall_webhook_event_free(event);
    justcall_webhook_free(webhook);

    CHECK_OK(justcall_webhook_new(JUSTCALL_ANY_URL, 600, &webhook, &error), &error);
    CHECK_OK(justcall_webhook_use_client(webhook, client, &error), &error);
    CHECK_FAILS(justcall_webhook_verify(webhook, SIGNATURE, "v1", TIME, body, strlen(body), NOW,
                                        &event, &error),
                JUSTCALL_ERROR_WEBHOOK_MISMATCH, &error);
    justcall_webhook_free(webhook);
}

static void exchange(const justcall_client *client) {
    static const char body[] = "{\"status\":\"success\",\"data\":[]}";
    const char *names[] = {"content-type"}, *values[] = {"application/json"};
    justcall_exchange *exchange = NULL;
    justcall_response *response = NULL;
    justcall_error *error = NULL;
    char authorization[JUSTCALL_AUTHORIZATION_SIZE];
    int32_t action = 0;
    exchange = new_exchange(client, "GET", "/v2.1/calls");
    CHECK_OK(justcall_exchange_next(exchange, &action, NULL, &error), &error);
    /* On a slow machine a second has passed, and the file is checked again. */
    if (action == JUSTCALL_ACTION_LOAD) {
        CHECK_OK(justcall_exchange_load(exchange, &error), &error);
        CHECK_OK(justcall_exchange_next(exchange, &action, NULL, &error), &error);
    }
    CHECK(action == JUSTCALL_ACTION_SEND);
    CHECK_OK(justcall_exchange_authorization(exchange, authorization, sizeof authorization, NULL,
                                             &error),
             &error);
    CHECK_OK(
        justcall_exchange_answered(exchange, 200, names, values, 1, body, strlen(body), &error),
        &error);
    CHECK_OK(justcall_exchange_next(exchange, &action, NULL, &error), &error);
    CHECK(action == JUSTCALL_ACTION_DONE);
    CHECK_OK(justcall_exchange_response(exchange, &response, &error), &error);
    justcall_response_free(response);
    justcall_exchange_free(exchange);
}

static void send_requests(const justcall_client *client) {
    static const char body[] = "{\"a\":1}";
    justcall_response *response = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_client_request(client, "POST", "/v2.1/echo", body, strlen(body), &response,
                                     &error),
             &error);
    justcall_response_free(response);
    CHECK_FAILS(justcall_client_request(client, "GET", "/v2.1/none", NULL, 0, &response, &error),
                JUSTCALL_ERROR_NOT_FOUND, &error);
}

/* What a library must not change. */
struct process {
    struct sigaction handlers[NSIG];
    char locale[256], environment[8192];
    void *allocator;
    int threads;
};

extern char **environ;

static int count_threads(void) {
    DIR *tasks = opendir("/proc/self/task");
    int count = 0;
    for (struct dirent *task; tasks && (task = readdir(tasks));)
        count += task->d_name[0] != '.';
    if (tasks)
        closedir(tasks);
    return count;
}

static void look_at(struct process *process) {
    memset(process, 0, sizeof *process);
    for (int number = 1; number < NSIG; ++number)
        (void)sigaction(number, NULL, &process->handlers[number]);
    (void)snprintf(process->locale, sizeof process->locale, "%s", setlocale(LC_ALL, NULL));
    for (size_t n = 0, at = 0; environ[n] && at < sizeof process->environment; ++n)
        at += (size_t)snprintf(process->environment + at, sizeof process->environment - at, "%s\n",
                               environ[n]);
    process->allocator = dlsym(RTLD_DEFAULT, "malloc");
    /* A thread that looked up a name ends soon. */
    for (int n = 0; n < 500 && (process->threads = count_threads()) > 1; ++n)
        usleep(10000);
}

static void same(int is_same, const char *what) {
    if (!CHECK(is_same))
        printf("changed: %s\n", what);
}

static void compare(const struct process *before, const struct process *after) {
    int handlers = 0;
    for (int number = 1; number < NSIG; ++number)
        handlers += before->handlers[number].sa_handler != after->handlers[number].sa_handler;
    same(handlers == 0, "a signal handler");
    same(strcmp(before->locale, after->locale) == 0, "the locale");
    same(strcmp(before->environment, after->environment) == 0, "the environment");
    same(before->allocator == after->allocator, "the allocator");
    same(before->threads == after->threads, "a thread");
}

static void *sleep_long(void *nothing) {
    sleep(60);
    return nothing;
}

/* Changes everything, as a control. */
static void change(struct process *before) {
    pthread_t thread;
    signal(SIGUSR2, SIG_IGN);
    CHECK(setlocale(LC_ALL, "C.UTF-8") != NULL);
    CHECK(setenv("HOST_CHANGED", "1", 1) == 0);
    before->allocator = NULL; /* a second allocator cannot be loaded into a running process */
    CHECK(pthread_create(&thread, NULL, sleep_long, NULL) == 0);
}

/* Volatile, so that the compiler neither warns nor removes the misuse. */
static void misuse(void) {
    unsigned char *volatile bytes = (unsigned char *)malloc(64);
    if (bytes[7] == 7)
        puts("seven");
    bytes = NULL;
}

int main(int argc, char **argv) {
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_report *report = NULL;
    justcall_error *error = NULL;
    pthread_t thread;
    static struct process before, after;
    if (argc < 4)
        return 2;
    look_at(&before);
    CHECK_OK(justcall_config_set_base_url(config, argv[1], &error), &error);
    CHECK_OK(justcall_config_set_ca_file(config, argv[2], &error), &error);
    CHECK_OK(justcall_config_set_source(config, argv[3], &error), &error);
    CHECK_OK(justcall_client_new(config, &client, &error), &error);
    justcall_config_free(config);
    verify(client);
    CHECK(pthread_create(&thread, NULL, verify, client) == 0);
    pthread_join(thread, NULL);
    send_requests(client);
    verify_a_webhook(client);
    exchange(client);
    CHECK_OK(justcall_client_protection(client, &report, &error), &error);
    justcall_report_free(report);
    justcall_client_shutdown(client);
    justcall_client_free(client);
    if (argc > 4 && strcmp(argv[4], "misuse") == 0)
        misuse();
    if (argc > 4 && strcmp(argv[4], "change") == 0)
        change(&before);
    look_at(&after);
    compare(&before, &after);
    return checks_result();
}
