/* Runs a program to its end: once PROGRAM ARGUMENT… → {"wall_ns": …, "cpu_ns": …, "peak_kib": …}
 * Passes the time of its start to it in JUSTCALL_BENCH_STARTED. With `phases` as its last argument, the program prints
 * the figures instead.
 *
 * Written in C because the peak memory of a child includes what its parent had resident at the
 * fork: 1 MB of this program, but 20 MB of the bench. The child's standard output is discarded. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned long long nanoseconds(struct timeval time) {
    return (unsigned long long)time.tv_sec * 1000000000u + (unsigned long long)time.tv_usec * 1000u;
}

static unsigned long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (unsigned long long)time.tv_sec * 1000000000u + (unsigned long long)time.tv_nsec;
}

int main(int argc, char **argv) {
    int status = 0, nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct rusage usage;
    if (argc < 2 || nothing < 0)
        return 2;
    int prints = strcmp(argv[argc - 1], "phases") == 0;
    char started[32];
    unsigned long long begun = now();
    snprintf(started, sizeof started, "%llu", begun);
    setenv("JUSTCALL_BENCH_STARTED", started, 1);
    pid_t child = vfork();
    if (child == 0) {
        if (!prints)
            dup2(nothing, STDOUT_FILENO);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child)
        return 2;
    unsigned long long wall = now() - begun;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "once: %s ended with wait status %d\n", argv[1], status);
        return 1;
    }
    if (prints)
        return 0;
    printf("{\"wall_ns\": %llu, \"cpu_ns\": %llu, \"peak_kib\": %ld}\n", wall,
           nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime), usage.ru_maxrss);
    return 0;
}
