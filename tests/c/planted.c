/* Misuses memory or numbers on purpose, to show that a sanitizer is on. planted MISUSE */

#include "check.h"

#include <limits.h>
#include <pthread.h>

static justcall_error *any_error(void) {
    justcall_error *error = NULL;
    (void)!justcall_classify(403, NULL, NULL, 0, NULL, 0, &error);
    return error;
}

static int use_after_free(void) {
    justcall_error *error = any_error();
    justcall_error_free(error);
    return justcall_error_status(error);
}

/* Leaks several, because a copy of the last pointer can remain on the stack or in a register. */
static int leak(void) {
    justcall_error *volatile error = NULL;
    for (int times = 0; times < 10; times++)
        error = any_error();
    error = NULL;
    return error != NULL;
}

static int overflow(int more) {
    int most = INT_MAX;
    most += more;
    return most == 0;
}

static void *change(void *config) {
    for (int times = 0; times < 1000; times++)
        (void)!justcall_config_set_timeout_ms((justcall_config *)config, times, NULL);
    return NULL;
}

/* Changes a configuration on two threads, which its documentation forbids: a race within the library. */
static int race(void) {
    justcall_config *config = justcall_config_new();
    pthread_t other;
    if (pthread_create(&other, NULL, change, config) != 0)
        return 1;
    change(config);
    pthread_join(other, NULL);
    justcall_config_free(config);
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "use_after_free") == 0)
        return use_after_free() == 0;
    if (strcmp(argv[1], "leak") == 0)
        return leak();
    if (strcmp(argv[1], "race") == 0)
        return race();
    if (strcmp(argv[1], "overflow") == 0)
        return overflow(argc);
    return 2;
}
