/* An allocator in which one allocation fails: preload it and set FAILING_MALLOC to the number of
 * the allocation that fails, from 1, or to 0. The program brackets what counts with the calls
 * access("/justcall-marker-begin") and access("/justcall-marker-end"). At the second marker, the
 * library prints how many allocations there were. */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_int is_between;
static atomic_ulong allocations;
static unsigned long failing;

static int fails(void) {
    return atomic_load(&is_between) && atomic_fetch_add(&allocations, 1) + 1 == failing;
}

static void *no_memory(void) {
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size) { return fails() ? no_memory() : __libc_malloc(size); }

void *calloc(size_t count, size_t size) {
    return fails() ? no_memory() : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) { return fails() ? no_memory() : __libc_realloc(old, size); }

void *memalign(size_t alignment, size_t size) {
    return fails() ? no_memory() : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **out, size_t alignment, size_t size) {
    void *block = memalign(alignment, size);
    if (!block)
        return ENOMEM;
    *out = block;
    return 0;
}

int access(const char *path, int mode) {
    if (strcmp(path, "/justcall-marker-begin") == 0) {
        const char *number = getenv("FAILING_MALLOC");
        failing = number ? strtoul(number, NULL, 10) : 0;
        atomic_store(&is_between, 1);
    }
    if (strcmp(path, "/justcall-marker-end") == 0) {
        atomic_store(&is_between, 0);
        fprintf(stderr, "allocations %lu\n", atomic_load(&allocations));
    }
    return (int)syscall(SYS_access, path, mode);
}
