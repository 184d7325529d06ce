/* Misuses memory or numbers on purpose, to show that a sanitizer is on. planted MISUSE */

#include "check.h"

#include <limits.h>

static justcall_error *any_error(void) {
    justcall_error *error = NULL;
    (void)justcall_classify(403, NULL, NULL, 0, NULL, 0, &error);
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

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    if (strcmp(argv[1], "use_after_free") == 0)
        return use_after_free() == 0;
    if (strcmp(argv[1], "leak") == 0)
        return leak();
    if (strcmp(argv[1], "overflow") == 0)
        return overflow(argc);
    return 2;
}
