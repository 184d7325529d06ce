/* Counts the allocations of a program that it is preloaded into, and prints the count at its end, on standard error:
 * {"allocations": …, "live_bytes": …, "live_blocks": …}
 *
 * A program may ask in between: `justcall_bench_live_bytes` is the number of bytes that it holds at this moment. */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

static atomic_long allocations, live_bytes, live_blocks;

long justcall_bench_live_bytes(void) {
    return atomic_load(&live_bytes);
}

/* glibc exports its allocator under these names too, so nothing is looked up. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static void *count(void *block, int is_new) {
    if (block) {
        atomic_fetch_add(&allocations, 1);
        atomic_fetch_add(&live_bytes, (long)malloc_usable_size(block));
        atomic_fetch_add(&live_blocks, is_new);
    }
    return block;
}

static void forget(void *block) {
    if (block)
        atomic_fetch_sub(&live_bytes, (long)malloc_usable_size(block));
}

void *malloc(size_t size) {
    return count(__libc_malloc(size), 1);
}

void *calloc(size_t items, size_t size) {
    return count(__libc_calloc(items, size), 1);
}

void *realloc(void *block, size_t size) {
    int is_new = block == NULL;
    forget(block);
    return count(__libc_realloc(block, size), is_new);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
    *block = count(__libc_memalign(alignment, size), 1);
    return *block ? 0 : 12; /* ENOMEM */
}

void *aligned_alloc(size_t alignment, size_t size) {
    return count(__libc_memalign(alignment, size), 1);
}

void free(void *block) {
    if (block)
        atomic_fetch_sub(&live_blocks, 1);
    forget(block);
    __libc_free(block);
}

__attribute__((destructor)) static void report(void) {
    fprintf(stderr, "{\"allocations\": %ld, \"live_bytes\": %ld, \"live_blocks\": %ld}\n",
            atomic_load(&allocations), atomic_load(&live_bytes), atomic_load(&live_blocks));
}
