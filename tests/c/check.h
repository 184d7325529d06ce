/* Checks for test programs. A failed check is printed and counted, and the program continues.
 * Valid C99 and C++11. End main() with `return checks_result();`. */

#ifndef JUSTCALL_TESTS_CHECK_H
#define JUSTCALL_TESTS_CHECK_H

#include <justcall_auth.h>
#include <stdio.h>
#include <string.h>

static int checks_made, checks_failed;

/* The value of outputs before a call: not NULL, and not a valid handle. */
#define POISON(type) ((type *)(void *)&checks_made)

/* Checks that the condition is true. */
#define CHECK(condition) check((condition) ? 1 : 0, __FILE__, __LINE__, #condition)

/* Checks that two texts are equal. NULL equals only NULL. */
#define CHECK_TEXT(actual, expected) check_text(actual, expected, __FILE__, __LINE__, #actual)

/* Checks that a text contains another. */
#define CHECK_CONTAINS(text, part)                                                                 \
    check((text) && strstr(text, part), __FILE__, __LINE__, #text " contains " #part)

/* Checks that a call succeeded and stored NULL as its error. `error` is its address. */
#define CHECK_OK(call, error) check_status(call, JUSTCALL_OK, error, __FILE__, __LINE__, #call)

/* Checks that a call failed with `status` and stored an error with that status. Frees the error.
 * `error` is the address of the error, because the error exists only after the call. */
#define CHECK_FAILS(call, status, error)                                                           \
    check_status(call, status, error, __FILE__, __LINE__, #call)

static inline int check(int condition, const char *file, int line, const char *what) {
    /* Threads check, too. C99 has no atomic types. */
    __atomic_add_fetch(&checks_made, 1, __ATOMIC_RELAXED);
    if (!condition) {
        __atomic_add_fetch(&checks_failed, 1, __ATOMIC_RELAXED);
        printf("%s:%d: failed: %s\n", file, line, what);
    }
    return condition;
}

static inline void check_text(const char *actual, const char *expected, const char *file, int line,
                              const char *what) {
    int same =
        actual == NULL || expected == NULL ? actual == expected : strcmp(actual, expected) == 0;
    if (!check(same, file, line, what))
        printf("    is \"%s\", not \"%s\"\n", actual ? actual : "(NULL)",
               expected ? expected : "(NULL)");
}

static inline void check_status(justcall_status actual, justcall_status expected,
                                justcall_error **error, const char *file, int line,
                                const char *what) {
    if (!check(actual == expected, file, line, what))
        printf("    returned %d, not %d: %s\n", (int)actual, (int)expected,
               justcall_error_message(*error));
    check((*error == NULL) == (actual == JUSTCALL_OK), file, line,
          "an error is stored if and only if the call failed");
    check(justcall_error_status(*error) == actual, file, line, "the error has the returned status");
    justcall_error_free(*error);
    *error = NULL;
}

static inline int checks_result(void) {
    printf("%d checks, %d failed\n", checks_made, checks_failed);
    return checks_made == 0 || checks_failed != 0;
}

/* Creates an exchange for a request without a body. The caller frees it. */
static inline justcall_exchange *new_exchange(const justcall_client *client, const char *method,
                                              const char *path) {
    justcall_request *request = NULL;
    justcall_exchange *exchange = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_request_new(method, path, &request, &error), &error);
    CHECK_OK(justcall_exchange_new(client, request, &exchange, &error), &error);
    justcall_request_free(request);
    return exchange;
}

#endif
