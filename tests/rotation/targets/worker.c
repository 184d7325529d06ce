/* Calls at a fixed rate on several threads and tells of every call: see src/worker.rs. */

#include <justcall_auth.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct call {
    int64_t began, ended;
    justcall_status status;
};

struct event {
    int64_t at;
    int32_t kind;
    uint64_t generation;
};

struct caller {
    pthread_t thread;
    int index;
    struct call *calls;
};

static justcall_client *client;
static const char *tag;
static int threads, calls_a_thread;
static int64_t every, first;
static pthread_mutex_t events_lock = PTHREAD_MUTEX_INITIALIZER;
static struct event events[4096];
static size_t event_count;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void sleep_until(int64_t at) {
    struct timespec time = {(time_t)(at / 1000000000), (long)(at % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) {
    }
}

static void happened(void *context, const justcall_event *event) {
    (void)context;
    pthread_mutex_lock(&events_lock);
    if (event_count < sizeof events / sizeof *events) {
        events[event_count++] =
            (struct event){now(), justcall_event_kind(event), justcall_event_generation(event)};
    }
    pthread_mutex_unlock(&events_lock);
}

static void *run(void *context) {
    struct caller *caller = context;
    for (int i = 0; i < calls_a_thread; i++) {
        sleep_until(first + every * i + every * caller->index / threads);
        justcall_request *request = NULL;
        justcall_response *response = NULL;
        struct call *call = &caller->calls[i];
        call->began = now();
        call->status = justcall_request_new("GET", "/v2.1/calls", &request, NULL);
        if (call->status == JUSTCALL_OK)
            call->status = justcall_request_set_header(request, "x-process", tag, NULL);
        if (call->status == JUSTCALL_OK) call->status = justcall_client_send(client, request, &response, NULL);
        call->ended = now();
        justcall_response_free(response);
        justcall_request_free(request);
    }
    return NULL;
}

static void check(justcall_status status, justcall_error *error) {
    if (status != JUSTCALL_OK) {
        fprintf(stderr, "%s: %s\n", justcall_status_name(status), justcall_error_message(error));
        exit(1);
    }
}

int main(int argc, char **argv) {
    if (argc != 9) {
        fprintf(stderr, "usage: worker URL CA_FILE SOURCE TAG THREADS CALLS EVERY_NS WAIT_MS\n");
        return 2;
    }
    tag = argv[4];
    threads = atoi(argv[5]);
    calls_a_thread = atoi(argv[6]);
    every = strtoll(argv[7], NULL, 10);
    justcall_error *error = NULL;
    justcall_config *config = justcall_config_new();
    check(justcall_config_set_base_url(config, argv[1], &error), error);
    check(justcall_config_set_ca_file(config, argv[2], &error), error);
    check(justcall_config_set_source(config, argv[3], &error), error);
    check(justcall_config_set_rotation_wait_ms(config, strtoull(argv[8], NULL, 10), &error), error);
    check(
        justcall_config_set_event_handler(config, happened, NULL, NULL, &error),
        error);
    check(justcall_client_new(config, &client, &error), error);
    justcall_config_free(config);

    struct caller *callers = calloc((size_t)threads, sizeof *callers);
    for (int i = 0; i < threads; i++) {
        callers[i].index = i;
        callers[i].calls = calloc((size_t)calls_a_thread, sizeof *callers[i].calls);
    }
    printf("ready\n");
    fflush(stdout);
    /* Whoever started it says when to begin. */
    if (getchar() == EOF) return 1;
    first = now();
    for (int i = 0; i < threads; i++) pthread_create(&callers[i].thread, NULL, run, &callers[i]);
    for (int i = 0; i < threads; i++) pthread_join(callers[i].thread, NULL);

    for (int i = 0; i < threads; i++) {
        for (int j = 0; j < calls_a_thread; j++) {
            const struct call *call = &callers[i].calls[j];
            printf("call %" PRId64 " %" PRId64 " %d\n", call->began, call->ended, (int)call->status);
        }
        free(callers[i].calls);
    }
    for (size_t i = 0; i < event_count; i++)
        printf("event %" PRId64 " %d %" PRIu64 "\n", events[i].at, (int)events[i].kind, events[i].generation);
    free(callers);
    justcall_client_free(client);
    return 0;
}
