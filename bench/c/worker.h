/* Shared by the C workers: the commands on standard input, and the clocks.
 *
 *   worker URL CA_FILE         verifies once, prints {"version": …}, then answers each line
 *                              `verify N`, `post N` or `header N` with one line of figures
 *   worker URL CA_FILE once    verifies once and exits
 *
 * JUSTCALL_API_KEY and JUSTCALL_API_SECRET hold the pair. Every failure ends the worker. */
#ifndef WORKER_H
#define WORKER_H

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
#endif

/* 1 KiB of JSON, the same for every peer. */
static char post_body[1024 + 1];

static void fail(const char *what) {
    fprintf(stderr, "worker: %s\n", what);
    exit(1);
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
#endif
};

static const struct job *find_job(const char *name) {
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
        if (strcmp(jobs[i].name, name) == 0)
            return &jobs[i];
    return NULL;
}

static void measure(const struct job *job, size_t count) {
    uint64_t *times = malloc(count * sizeof *times);
    if (!times)
        fail("out of memory");
    uint64_t cpu = cpu_nanoseconds();
    for (size_t i = 0; i < count; i++) {
        uint64_t begun = nanoseconds(CLOCK_MONOTONIC);
        for (size_t n = 0; n < job->at_a_time; n++)
            job->perform();
        times[i] = (nanoseconds(CLOCK_MONOTONIC) - begun) / job->at_a_time;
    }
    cpu = cpu_nanoseconds() - cpu;
    qsort(times, count, sizeof *times, ascending);
    printf("{\"median_ns\": %llu, \"cpu_ns\": %llu}\n", (unsigned long long)times[count / 2],
           (unsigned long long)(cpu / count / job->at_a_time));
    free(times);
}

int main(int argc, char **argv) {
    if (argc < 3)
        fail("usage: worker URL CA_FILE [once]");
    fill_post_body();
    peer_open(argv[1], argv[2]);
    peer_verify();
    if (argc == 3) {
        char line[64], job[16];
        unsigned long count;
        printf("{\"version\": \"%s\"}\n", peer_version());
        fflush(stdout);
        while (fgets(line, sizeof line, stdin)) {
            if (sscanf(line, "%15s %lu", job, &count) != 2 || count == 0)
                fail("cannot read the command");
            const struct job *known = find_job(job);
            if (!known)
                puts("{\"unsupported\": true}");
            else
                measure(known, count);
            fflush(stdout);
        }
    }
    peer_close();
    return 0;
}

#endif
