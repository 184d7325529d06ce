/* Shared by the C workers: the commands on standard input, and the clocks.
 *
 *   worker URL CA_FILE          verifies once, prints {"version": …}, then answers each line with one line of figures
 *   worker URL CA_FILE once     verifies once and exits
 *   worker URL CA_FILE phases   verifies twice, prints how long each phase took, and exits
 *
 * The lines are:
 *
 *   verify N, post N, header N  so many jobs, one after the other
 *   size BYTES N                N requests with a body of that size
 *   threads KIND T N            N verifications on each of T threads. KIND is `free` (each starts the next at once),
 *                               `paced` (each starts one every 20 ms) or `bursts` (all start together)
 *   tenants P N                 N verifications by P clients in turn, each with its own pair
 *   connections                 opens many connections, and reports the memory of an idle one
 *
 * JUSTCALL_API_KEY and JUSTCALL_API_SECRET hold the pair, JUSTCALL_BENCH_PATH the path that `verify` asks for, by
 * default /v2/account. Every failure ends the worker. */
#ifndef WORKER_H
#define WORKER_H

#define _GNU_SOURCE

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* Each worker defines these. A failure ends the process. */
static void peer_open(const char *url, const char *ca_file);
static const char *peer_version(void);
static void peer_verify(void);
static void peer_post(const char *body, size_t length);
static void peer_close(void);
#ifdef PEER_HAS_HEADER
static void peer_header(void);
static void peer_slowed_verify(void);
#endif

/* A peer without these supports fewer commands. */
#ifdef PEER_HAS_THREADS
static void peer_thread_open(void);
static void peer_thread_close(void);
#endif
#ifdef PEER_HAS_TENANTS
static void peer_tenants(size_t tenants, size_t count);
static void peer_connections(void);
#endif

/* 1 KiB of JSON, the same for every peer. */
static char post_body[1024 + 1];

static void fail(const char *what) {
    fprintf(stderr, "worker: %s\n", what);
    exit(1);
}

/* What `verify` asks for. justcall-auth chooses it. */
static inline const char *verify_path(void) {
    const char *path = getenv("JUSTCALL_BENCH_PATH");
    return path ? path : "/v2/account";
}

static void fill_post_body(void) {
    static const char head[] = "{\"justcall_number\":\"14155550100\",\"body\":\"";
    static const char tail[] = "\"}";
    memset(post_body, 'x', sizeof post_body - 1);
    memcpy(post_body, head, sizeof head - 1);
    memcpy(post_body + sizeof post_body - sizeof tail, tail, sizeof tail);
}

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t cpu_nanoseconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return ((uint64_t)usage.ru_utime.tv_sec + (uint64_t)usage.ru_stime.tv_sec) * 1000000000u +
           ((uint64_t)usage.ru_utime.tv_usec + (uint64_t)usage.ru_stime.tv_usec) * 1000u;
}

static int ascending(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void post(void) {
    peer_post(post_body, sizeof post_body - 1);
}

/* `at_a_time` jobs are timed together: more than one if reading the clock takes longer than a job. */
static const struct job {
    const char *name;
    void (*perform)(void);
    size_t at_a_time;
} jobs[] = {
    {"verify", peer_verify, 1},
    {"post", post, 1},
#ifdef PEER_HAS_HEADER
    {"header", peer_header, 100},
    {"slowed_verify", peer_slowed_verify, 1},
#endif
};

static const struct job *find_job(const char *name) {
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
        if (strcmp(jobs[i].name, name) == 0)
            return &jobs[i];
    return NULL;
}

static void report(uint64_t *times, size_t count, uint64_t cpu) {
    qsort(times, count, sizeof *times, ascending);
    printf("{\"median_ns\": %llu, \"p99_ns\": %llu, \"cpu_ns\": %llu}\n",
           (unsigned long long)times[count / 2], (unsigned long long)times[count * 99 / 100],
           (unsigned long long)(cpu / count));
    free(times);
}

static uint64_t *times_of(size_t count) {
    uint64_t *times = malloc(count * sizeof *times);
    if (!times)
        fail("out of memory");
    return times;
}

static void measure(const struct job *job, size_t count) {
    uint64_t *times = times_of(count), cpu = cpu_nanoseconds();
    for (size_t i = 0; i < count; i++) {
        uint64_t begun = nanoseconds(CLOCK_MONOTONIC);
        for (size_t n = 0; n < job->at_a_time; n++)
            job->perform();
        times[i] = (nanoseconds(CLOCK_MONOTONIC) - begun) / job->at_a_time;
    }
    report(times, count, (cpu_nanoseconds() - cpu) / job->at_a_time);
}

/* Posts a body of `size` bytes. */
static void measure_size(size_t size, size_t count) {
    uint64_t *times = times_of(count), cpu = cpu_nanoseconds();
    char *body = malloc(size + 1);
    if (!body)
        fail("out of memory");
    memset(body, 'x', size);
    for (size_t i = 0; i < count; i++) {
        uint64_t begun = nanoseconds(CLOCK_MONOTONIC);
        peer_post(body, size);
        times[i] = nanoseconds(CLOCK_MONOTONIC) - begun;
    }
    free(body);
    report(times, count, cpu_nanoseconds() - cpu);
}

#ifdef PEER_HAS_THREADS
#define PACE_NS 20000000u

/* The calls of one thread. */
struct lane {
    pthread_t thread;
    pthread_barrier_t *together;
    const char *kind;
    size_t index, lanes, count;
    uint64_t *times;
};

static void sleep_until(uint64_t when) {
    struct timespec time = {(time_t)(when / 1000000000u), (long)(when % 1000000000u)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void *run_lane(void *context) {
    struct lane *lane = context;
    int is_paced = strcmp(lane->kind, "paced") == 0, is_burst = strcmp(lane->kind, "bursts") == 0;
    peer_thread_open();
    peer_verify(); /* opens the connection */
    pthread_barrier_wait(lane->together);
    uint64_t start = nanoseconds(CLOCK_MONOTONIC) + PACE_NS * lane->index / lane->lanes;
    for (size_t i = 0; i < lane->count; i++) {
        uint64_t begun = nanoseconds(CLOCK_MONOTONIC);
        if (is_paced) {
            /* The time counts from when the call should begin, also if the last one took longer. */
            begun = start + PACE_NS * i;
            sleep_until(begun);
        } else if (is_burst) {
            pthread_barrier_wait(lane->together);
            begun = nanoseconds(CLOCK_MONOTONIC);
        }
        peer_verify();
        lane->times[i] = nanoseconds(CLOCK_MONOTONIC) - begun;
    }
    peer_thread_close();
    return NULL;
}

static void measure_threads(const char *kind, size_t lanes, size_t count) {
    uint64_t *times = times_of(lanes * count), cpu = cpu_nanoseconds();
    struct lane *all = calloc(lanes, sizeof *all);
    pthread_barrier_t together;
    if (!all || pthread_barrier_init(&together, NULL, (unsigned)lanes + 1) != 0)
        fail("out of memory");
    int is_burst = strcmp(kind, "bursts") == 0;
    for (size_t i = 0; i < lanes; i++) {
        all[i] = (struct lane){.together = &together, .kind = kind, .index = i, .lanes = lanes, .count = count,
                               .times = times + i * count};
        if (pthread_create(&all[i].thread, NULL, run_lane, &all[i]) != 0)
            fail("cannot start a thread");
    }
    pthread_barrier_wait(&together);
    uint64_t begun = nanoseconds(CLOCK_MONOTONIC);
    for (size_t i = 0; is_burst && i < count; i++)
        pthread_barrier_wait(&together);
    for (size_t i = 0; i < lanes; i++)
        pthread_join(all[i].thread, NULL);
    uint64_t took = nanoseconds(CLOCK_MONOTONIC) - begun, total = lanes * count;
    pthread_barrier_destroy(&together);
    free(all);
    qsort(times, total, sizeof *times, ascending);
    printf("{\"median_ns\": %llu, \"p99_ns\": %llu, \"cpu_ns\": %llu, \"per_second\": %.1f}\n",
           (unsigned long long)times[total / 2], (unsigned long long)times[total * 99 / 100],
           (unsigned long long)((cpu_nanoseconds() - cpu) / total), (double)total * 1e9 / (double)took);
    free(times);
}
#endif

/* Answers one line. Returns 0 if the peer does not know the command. */
static int answer(const char *line) {
    char job[16], kind[16];
    size_t first, count;
#ifdef PEER_HAS_THREADS
    if (sscanf(line, "threads %15s %zu %zu", kind, &first, &count) == 3)
        return measure_threads(kind, first, count), 1;
#else
    (void)kind;
#endif
#ifdef PEER_HAS_TENANTS
    if (sscanf(line, "tenants %zu %zu", &first, &count) == 2)
        return peer_tenants(first, count), 1;
    if (strncmp(line, "connections", 11) == 0)
        return peer_connections(), 1;
#endif
    if (sscanf(line, "size %zu %zu", &first, &count) == 2)
        return measure_size(first, count), 1;
    if (sscanf(line, "%15s %zu", job, &count) != 2 || count == 0)
        return 0;
    const struct job *known = find_job(job);
    if (known)
        measure(known, count);
    return known != NULL;
}

/* Prints how long each phase of a short program took, in nanoseconds. `once` says when it started this one. */
static void print_phases(uint64_t entered, uint64_t opened) {
    const char *started = getenv("JUSTCALL_BENCH_STARTED");
    uint64_t begun = started ? strtoull(started, NULL, 10) : entered;
    uint64_t first = nanoseconds(CLOCK_MONOTONIC);
    peer_verify();
    uint64_t second = nanoseconds(CLOCK_MONOTONIC);
    printf("{\"load_ns\": %llu, \"open_ns\": %llu, \"first_ns\": %llu, \"next_ns\": %llu}\n",
           (unsigned long long)(entered - begun), (unsigned long long)(opened - entered),
           (unsigned long long)(first - opened), (unsigned long long)(second - first));
}

int main(int argc, char **argv) {
    uint64_t entered = nanoseconds(CLOCK_MONOTONIC);
    if (argc < 3)
        fail("usage: worker URL CA_FILE [once|phases]");
    fill_post_body();
    peer_open(argv[1], argv[2]);
    uint64_t opened = nanoseconds(CLOCK_MONOTONIC);
    peer_verify();
    if (argc == 4 && strcmp(argv[3], "phases") == 0)
        print_phases(entered, opened);
    if (argc == 3) {
        char line[64];
        printf("{\"version\": \"%s\"}\n", peer_version());
        fflush(stdout);
        while (fgets(line, sizeof line, stdin)) {
            if (!answer(line))
                puts("{\"unsupported\": true}");
            fflush(stdout);
        }
    }
    peer_close();
    return 0;
}

#endif
