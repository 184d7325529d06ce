/* justcall-auth through its C ABI: one reused client, the default timeout (30 s), only the CA file
 * trusted, the pair from the environment. JUSTCALL_BENCH_MEMORY sets the protection level, as a
 * number of justcall_auth.h. `verify` checks the status and the JSON, and reads the account from it.
 * `header N` writes the header into a buffer, for programs that bring their own HTTP client. */
#define PEER_HAS_HEADER
#define PEER_HAS_THREADS
#define PEER_HAS_TENANTS
#include "worker.h"

#include <dirent.h>
#include <unistd.h>

#include <justcall_auth.h>

static justcall_client *client;

static void must(justcall_status status, justcall_error *error) {
    if (status != JUSTCALL_OK)
        fail(error ? justcall_error_message(error) : justcall_status_name(status));
}

static justcall_config *new_config(const char *url, const char *ca_file) {
    justcall_error *error = NULL;
    justcall_config *config = justcall_config_new();
    must(justcall_config_set_base_url(config, url, &error), error);
    must(justcall_config_set_ca_file(config, ca_file, &error), error);
    const char *level = getenv("JUSTCALL_BENCH_MEMORY");
    if (level)
        must(justcall_config_set_memory_protection(config, atoi(level), &error), error);
    return config;
}

static const char *base_url, *authority_file;

static void peer_open(const char *url, const char *ca_file) {
    justcall_error *error = NULL;
    justcall_config *config = new_config(url, ca_file);
    base_url = url;
    authority_file = ca_file;
    must(justcall_config_set_source(config, "env:", &error), error);
    must(justcall_client_new(config, &client, &error), error);
    justcall_config_free(config);
}

/* All threads use one client. */
static void peer_thread_open(void) {
}

static void peer_thread_close(void) {
}

static const char *peer_version(void) {
    return justcall_version();
}

static void peer_verify(void) {
    justcall_error *error = NULL;
    justcall_account *account = NULL;
    must(justcall_client_verify(client, &account, &error), error);
    /* A service without the account page says nothing about the account. */
    if (justcall_account_id(account) != (getenv("JUSTCALL_BENCH_PATH") ? 0 : 12345))
        fail("the account has an unexpected id");
    justcall_account_free(account);
}

static void peer_header(void) {
    static char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    justcall_error *error = NULL;
    must(justcall_client_authorization(client, buffer, sizeof buffer, NULL, &error), error);
}

/* A planted slow-down, with which the gate of the counts must fail. */
static void peer_slowed_verify(void) {
    peer_verify();
    peer_header();
    peer_header();
}

static void peer_post(const char *body, size_t length) {
    justcall_error *error = NULL;
    justcall_response *response = NULL;
    must(justcall_client_request(client, "POST", "/v2/texts", (const void *)body, length, &response,
                                 &error),
         error);
    if (justcall_response_http_status(response) != 200)
        fail("the status is not 200");
    justcall_response_free(response);
}

/* Returns the number of bytes on the heap, or 0 if the counting allocator is not preloaded. */
extern long justcall_bench_live_bytes(void) __attribute__((weak));

static long live_bytes(void) {
    return justcall_bench_live_bytes ? justcall_bench_live_bytes() : 0;
}

static justcall_client *new_tenant(size_t number) {
    static const char secret[] = "b05d7e2f91c44a63a8d0f6e5c7b3921804fa6d1e";
    char key[64];
    justcall_error *error = NULL;
    justcall_credentials *pair = NULL;
    justcall_client *tenant = NULL;
    justcall_config *config = new_config(base_url, authority_file);
    snprintf(key, sizeof key, "4e1c0b6f5d2a49788c3be0f1a2d45c6b%08zu", number);
    must(justcall_credentials_new(key, strlen(key), secret, strlen(secret), &pair, &error), error);
    must(justcall_config_set_credentials(config, pair, &error), error);
    must(justcall_client_new(config, &tenant, &error), error);
    justcall_credentials_free(pair);
    justcall_config_free(config);
    return tenant;
}

static void peer_tenants(size_t tenants, size_t count) {
    justcall_client **all = calloc(tenants, sizeof(justcall_client *)), *own = client;
    uint64_t *times = times_of(count);
    if (!all)
        fail("out of memory");
    long before = live_bytes();
    for (size_t i = 0; i < tenants; i++) {
        all[i] = new_tenant(i);
        client = all[i];
        peer_verify();
    }
    long after = live_bytes();
    uint64_t cpu = cpu_nanoseconds();
    for (size_t i = 0; i < count; i++) {
        client = all[i % tenants];
        uint64_t begun = nanoseconds(CLOCK_MONOTONIC);
        peer_verify();
        times[i] = nanoseconds(CLOCK_MONOTONIC) - begun;
    }
    cpu = cpu_nanoseconds() - cpu;
    client = own;
    for (size_t i = 0; i < tenants; i++)
        justcall_client_free(all[i]);
    free(all);
    qsort(times, count, sizeof *times, ascending);
    printf("{\"median_ns\": %llu, \"cpu_ns\": %llu, \"bytes\": %.0f}\n",
           (unsigned long long)times[count / 2], (unsigned long long)(cpu / count),
           (double)(after - before) / (double)tenants);
    free(times);
}

static int open_sockets(void) {
    int sockets = 0;
    char path[300], target[64];
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        fail("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(folder));) {
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        ssize_t length = readlink(path, target, sizeof target);
        sockets += length > 7 && memcmp(target, "socket:", 7) == 0;
    }
    closedir(folder);
    return sockets;
}

static pthread_barrier_t all_together;

static void *verify_in_bursts(void *context) {
    for (int i = 0; i < 50; i++) {
        pthread_barrier_wait(&all_together);
        peer_verify();
    }
    return context;
}

static void peer_connections(void) {
    pthread_t threads[32];
    int sockets = open_sockets();
    long before = live_bytes();
    pthread_barrier_init(&all_together, NULL, 32);
    for (int i = 0; i < 32; i++)
        if (pthread_create(&threads[i], NULL, verify_in_bursts, NULL) != 0)
            fail("cannot start a thread");
    for (int i = 0; i < 32; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&all_together);
    sockets = open_sockets() - sockets;
    printf("{\"connections\": %d, \"bytes\": %.0f}\n", sockets,
           (double)(live_bytes() - before) / (sockets > 0 ? sockets : 1));
}

static void peer_close(void) {
    justcall_client_free(client);
}
