/* Creates small handles until memory is exhausted. The library must abort with one line. */

#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <sys/resource.h>

/* More than the program has when it starts. */
#define MOST (64u << 20)

int main(void) {
    const struct rlimit memory = {MOST, MOST}, no_core = {0, 0};
    CHECK(setrlimit(RLIMIT_CORE, &no_core) == 0);
    CHECK(setrlimit(RLIMIT_AS, &memory) == 0);
    /* A handle is larger than one byte, so memory ends before this number. */
    for (unsigned n = 0; n < MOST; ++n)
        if (!justcall_config_new())
            return 3; /* an internal error instead of an abort */
    return 2;
}
