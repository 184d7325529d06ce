/* Makes calls without a pause until its standard input ends: soak URL CA_FILE SOURCE THREADS CLIENTS
 * PLANT. First it creates so many clients, makes a call with each and frees them. Prints `calls N
 * failed M` every second, as targets/soak.py does: see src/soak. PLANT is a bug, or "none". */

#define _DEFAULT_SOURCE
#define _POSIX_C_SOURCE 200809L

#include <justcall_auth.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WEBHOOK_URL "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4"
#define SIGNATURE "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf"
/* Small, because a thousand threads have one, and enough for a debug build. */
#define STACK (512 * 1024)
#define LEAK (256 * 1024)

static const char *url, *ca_file, *source, *plant;
static justcall_client *client;
static atomic_ulong calls, failed;
static atomic_int is_over;

static void fail(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(2);
}

/* Counts a call, which must end with `expected`. Frees the error. */
static void count(justcall_status status, justcall_status expected, justcall_error *error) {
    atomic_fetch_add(&calls, 1);
    if (status != expected && atomic_fetch_add(&failed, 1) < 10)
        fprintf(stderr, "%d, not %d: %s\n", (int)status, (int)expected,
                error ? justcall_error_message(error) : "");
    justcall_error_free(error);
}

static justcall_client *new_client(void) {
    justcall_config *config = justcall_config_new();
    justcall_client *made = NULL;
    justcall_error *error = NULL;
    if (justcall_config_set_base_url(config, url, &error) ||
        justcall_config_set_ca_file(config, ca_file, &error) ||
        justcall_config_set_source(config, source, &error) ||
        justcall_config_set_max_retries(config, 0, &error) ||
        justcall_config_set_timeout_ms(config, 60000, &error) ||
        justcall_client_new(config, &made, &error))
        fail(justcall_error_message(error));
    justcall_config_free(config);
    return made;
}

static void verify(const justcall_client *with) {
    justcall_account *account = NULL;
    justcall_error *error = NULL;
    const justcall_status status = justcall_client_verify(with, &account, &error);
    justcall_account_free(account);
    count(status, JUSTCALL_OK, error);
}

static void request(const char *method, const char *path, size_t length, justcall_status expected) {
    justcall_response *response = NULL;
    justcall_error *error = NULL;
    static const char body[2048];
    const justcall_status status = justcall_client_request(
        client, method, path, length ? body : NULL, length, &response, &error);
    justcall_response_free(response);
    count(status, expected, error);
}

/* Verifies the example of the official reference, which another pair signed. */
static void webhook(void) {
    static const char body[] = "{\"webhook_url\": \"" WEBHOOK_URL "\", \"type\": \"call.completed\"}";
    justcall_webhook *verifier = NULL;
    justcall_webhook_event *event = NULL;
    justcall_error *error = NULL;
    if (justcall_webhook_new(WEBHOOK_URL, 600, &verifier, &error) ||
        justcall_webhook_use_client(verifier, client, &error))
        fail(justcall_error_message(error));
    const justcall_status status =
        justcall_webhook_verify(verifier, SIGNATURE, "v1", "2024-03-21 17:08:22", body,
                                sizeof body - 1, 1711040902, &event, &error);
    justcall_webhook_event_free(event);
    justcall_webhook_free(verifier);
    count(status, JUSTCALL_ERROR_WEBHOOK_MISMATCH, error);
}

static void load(void) {
    justcall_credentials *credentials = NULL;
    justcall_error *error = NULL;
    const justcall_status status = justcall_credentials_load(source, &credentials, &error);
    justcall_credentials_free(credentials);
    count(status, JUSTCALL_OK, error);
}

static void *sleeping(void *unused) {
    while (!atomic_load(&is_over))
        usleep(100000);
    return unused;
}

/* The planted bugs. Each loses one thing in each round. */
static void lose(void) {
    if (strcmp(plant, "memory") == 0) {
        /* A volatile pointer, or the compiler removes the allocation. */
        static void *volatile lost;
        lost = malloc(LEAK);
        if (lost)
            memset(lost, 1, LEAK);
    } else if (strcmp(plant, "descriptor") == 0) {
        if (open("/dev/null", O_RDONLY) < 0)
            fail("no descriptor is left");
    } else if (strcmp(plant, "thread") == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, sleeping, NULL);
    }
}

static void *work(void *first) {
    while (!atomic_load(&is_over)) {
        verify(client);
        request("GET", "/v2.1/calls", 0, JUSTCALL_OK);
        request("POST", "/v2.1/echo", 2048, JUSTCALL_OK);
        request("GET", "/v2.1/missing", 0, JUSTCALL_ERROR_NOT_FOUND);
        request("POST", "/v2.1/lost", 2, JUSTCALL_ERROR_CONNECTION_FAILED);
        webhook();
        load();
        if (first) {
            justcall_client *another = new_client();
            verify(another);
            justcall_client_free(another);
            lose();
        }
    }
    return NULL;
}

/* Creates many clients at the same time, which share a connection. */
static void crowd(size_t number) {
    justcall_client **clients = calloc(number + 1, sizeof *clients);
    if (!clients)
        fail("no memory");
    for (size_t n = 0; n < number; ++n)
        clients[n] = new_client();
    for (size_t n = 0; n < number; ++n)
        verify(clients[n]);
    for (size_t n = 0; n < number; ++n)
        justcall_client_free(clients[n]);
    free(clients);
}

static void report(void) {
    printf("calls %lu failed %lu\n", (unsigned long)calls, (unsigned long)failed);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc != 7)
        fail("soak URL CA_FILE SOURCE THREADS CLIENTS PLANT");
    url = argv[1], ca_file = argv[2], source = argv[3], plant = argv[6];
    const size_t number = strtoul(argv[4], NULL, 10);
    pthread_t *threads = calloc(number + 1, sizeof *threads);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    client = new_client();
    crowd(strtoul(argv[5], NULL, 10));
    for (size_t n = 0; threads && n < number; ++n) {
        if (pthread_create(&threads[n], &attributes, work, n == 0 ? &calls : NULL))
            fail("no thread can be started");
    }
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    while (poll(&input, 1, 1000) == 0)
        report();
    atomic_store(&is_over, 1);
    for (size_t n = 0; threads && n < number; ++n)
        pthread_join(threads[n], NULL);
    report();
    justcall_client_free(client);
    free(threads);
    pthread_attr_destroy(&attributes);
    return 0;
}
