/* Checks for test programs: a check that fails is printed and counted, and the program goes on.
 * Valid C99 and C++11. End main() with `return checks_result();`. */

#ifndef JUSTCALL_TESTS_CHECK_H
#define JUSTCALL_TESTS_CHECK_H

#include <justcall_auth.h>
#include <stdio.h>
#include <string.h>

static int checks_made, checks_failed;

/* What outputs hold before a call: neither NULL nor anything that may be read. */
#define POISON(type) ((type *)(void *)&checks_made)

/* The condition holds. */
#define CHECK(condition) check((condition) ? 1 : 0, __FILE__, __LINE__, #condition)

/* Two texts are the same; NULL is the same as NULL alone. */
#define CHECK_TEXT(actual, expected) check_text(actual, expected, __FILE__, __LINE__, #actual)

/* A text holds another. */
#define CHECK_HOLDS(text, part)                                                                    \
    check((text) && strstr(text, part), __FILE__, __LINE__, #text " holds " #part)

/* A call succeeded, and stored NULL for its error. */
#define CHECK_OK(call, error) check_status(call, JUSTCALL_OK, error, __FILE__, __LINE__, #call)

/* A call failed with `status` and stored an error that says the same; the error is freed. Like
 * CHECK_OK it takes the place of the error, not the error, which is there only after the call. */
#define CHECK_FAILS(call, status, error)                                                           \
    check_status(call, status, error, __FILE__, __LINE__, #call)

static inline int check(int holds, const char *file, int line, const char *what) {
    ++checks_made;
    if (!holds) {
        ++checks_failed;
        printf("%s:%d: failed: %s\n", file, line, what);
    }
    return holds;
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
          "there is an error if and only if the call failed");
    check(justcall_error_status(*error) == actual, file, line,
          "the error has the status that was returned");
    justcall_error_free(*error);
    *error = NULL;
}

static inline int checks_result(void) {
    printf("%d checks, %d failed\n", checks_made, checks_failed);
    return checks_made == 0 || checks_failed != 0;
}

/* An exchange of a request without a body; the caller's to free. */
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
