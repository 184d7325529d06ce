/* Runs every vector of a folder such as tests/vectors/source: source_vectors FOLDER. Prints one
 * line for each vector, then the total. tests/vectors/README.md describes the format. */

#define _XOPEN_SOURCE 700

#include "vectors.h"

#include <justcall_auth.h>

/* The secret in the vectors: no text about a failure may contain it. */
#define SECRET "sec789xyz000"

static const char *const VECTOR_KEYS[] = {"about", "source", "environment", "expect", NULL};
static const char *const EXPECT_KEYS[] = {"pair", "place_contains", "error", NULL};
static const char *const ERROR_KEYS[] = {"name", "reason", "message_contains", "hint_contains",
                                         NULL};

static void compare_pair(const cJSON *expect, const justcall_credentials *credentials) {
    char pair[JUSTCALL_AUTHORIZATION_SIZE];
    if (justcall_credentials_authorization(credentials, pair, sizeof pair, NULL, NULL) !=
        JUSTCALL_OK)
        mismatch("there is no authorization");
    check_text_equals(expect, "pair", pair);
    /* The C functions do not report the place of a pair. */
    if (!cJSON_IsArray(get(expect, "place_contains")))
        mismatch("place_contains is not a list");
}

static void compare_error(const cJSON *expect, const justcall_error *error) {
    check_known_keys(expect, ERROR_KEYS);
    check_text_equals(expect, "name", justcall_error_name(error));
    check_text_equals(expect, "reason", justcall_error_reason(error));
    check_contains_all(expect, "message_contains", justcall_error_message(error));
    check_contains_all(expect, "hint_contains", justcall_error_hint(error));
    if (strstr(justcall_error_message(error), SECRET) || strstr(justcall_error_hint(error), SECRET))
        mismatch("the secret leaks");
}

static void run(const cJSON *vector, const char *dir) {
    const cJSON *expect = get(vector, "expect"), *source = get(vector, "source");
    justcall_credentials *credentials = NULL;
    justcall_error *error = NULL;
    check_known_keys(vector, VECTOR_KEYS);
    check_known_keys(expect, EXPECT_KEYS);
    set_environment(get(vector, "environment"), dir);
    char *spelling = filled(cJSON_IsString(source) ? source->valuestring : "", dir);
    justcall_status status = justcall_credentials_load(spelling, &credentials, &error);
    if (status == JUSTCALL_OK && get(expect, "pair") && !get(expect, "error"))
        compare_pair(expect, credentials);
    else if (status != JUSTCALL_OK && get(expect, "error") && !get(expect, "pair"))
        compare_error(get(expect, "error"), error);
    else
        mismatch("ended with %s: %s", justcall_status_name(status), justcall_error_message(error));
    justcall_credentials_free(credentials);
    justcall_error_free(error);
    free(spelling);
    unset_environment(get(vector, "environment"));
}

int main(int argc, char **argv) {
    struct vectors vectors = vectors_in(argc == 2 ? argv[1] : NULL, is_visible);
    char *folder = realpath(argv[1], NULL), dir[4096];
    if (!folder)
        abort_test("cannot resolve", argv[1]);
    for (int n = 0; n < vectors.count; ++n) {
        cJSON *vector = vector_begin(&vectors, n, "/case.json");
        snprintf(dir, sizeof dir, "%s/%s/files", folder, vectors.entries[n]->d_name);
        run(vector, dir);
        vector_end(&vectors, vector);
    }
    free(folder);
    return vectors_result(&vectors);
}
