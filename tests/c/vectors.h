/* Shared by the runners of tests/vectors: iterates over the vectors of a folder, and counts the
 * mismatches of each. tests/vectors/README.md describes the format. Define _XOPEN_SOURCE before
 * including this file. */

#ifndef JUSTCALL_TESTS_VECTORS_H
#define JUSTCALL_TESTS_VECTORS_H

#include "control.h"

#include <dirent.h>
#include <math.h>
#include <stdarg.h>

static int mismatches;

/* Prints and counts a mismatch of the current vector. */
static inline void mismatch(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("\n    ");
    vprintf(format, arguments);
    va_end(arguments);
    ++mismatches;
}

static inline const cJSON *get(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static inline void check_known_keys(const cJSON *object, const char *const *known) {
    if (!cJSON_IsObject(object))
        mismatch("an object is absent");
    for (const cJSON *item = object ? object->child : NULL; item; item = item->next) {
        const char *const *name = known;
        while (*name && strcmp(*name, item->string) != 0)
            ++name;
        if (!*name)
            mismatch("unknown key \"%s\"", item->string);
    }
}

static inline void check_text_equals(const cJSON *expect, const char *name, const char *actual) {
    const cJSON *item = get(expect, name);
    const char *expected = cJSON_IsString(item) ? item->valuestring : NULL;
    if (!cJSON_IsString(item) && !cJSON_IsNull(item))
        mismatch("%s is neither text nor null", name);
    else if (expected == NULL || actual == NULL ? expected != actual
                                                : strcmp(expected, actual) != 0)
        mismatch("%s is \"%s\", not \"%s\"", name, actual ? actual : "(NULL)",
                 expected ? expected : "(NULL)");
}

/* `null` stands for the value `absent`. cJSON reads every number as a double. */
static inline void check_number_equals(const cJSON *expect, const char *name, double actual,
                                       double absent) {
    const cJSON *item = get(expect, name);
    double expected = cJSON_IsNull(item) ? absent : cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (actual != expected)
        mismatch("%s is %.17g, not %.17g", name, actual, expected);
}

static inline void check_flag_equals(const cJSON *expect, const char *name, int32_t actual) {
    const cJSON *item = get(expect, name);
    if (!cJSON_IsBool(item) || actual != (cJSON_IsTrue(item) ? 1 : 0))
        mismatch("%s is %d", name, (int)actual);
}

static inline void check_contains_all(const cJSON *expect, const char *name, const char *text) {
    const cJSON *list = get(expect, name), *part;
    if (!cJSON_IsArray(list))
        mismatch("%s is not a list", name);
    cJSON_ArrayForEach(part, list) {
        if (!cJSON_IsString(part) || !strstr(text, part->valuestring))
            mismatch("%s: \"%s\" is not in \"%s\"", name, part->valuestring, text);
    }
}

/* Reads a JSON file. The caller deletes the result. */
static inline cJSON *read_json(const char *path) {
    char *text = NULL;
    size_t length = 0;
    FILE *file = fopen(path, "rb");
    if (!file)
        abort_test("cannot open", path);
    do {
        text = (char *)realloc(text, length + 4096 + 1);
        if (!text)
            abort_test("no memory for", path);
        size_t count = fread(text + length, 1, 4096, file);
        length += count;
        text[length] = '\0';
    } while (!feof(file) && !ferror(file));
    fclose(file);
    cJSON *json = cJSON_Parse(text);
    if (!json)
        abort_test("not JSON", path);
    free(text);
    return json;
}

struct vectors {
    const char *folder;
    struct dirent **entries;
    int count, failed;
};

static inline int is_json(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

static inline int is_visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

/* Returns the entries of a folder for which `is_vector` is true, sorted. Ends the program if there
 * are none. */
static inline struct vectors vectors_in(const char *folder,
                                        int (*is_vector)(const struct dirent *)) {
    struct vectors vectors = {folder, NULL, 0, 0};
    if (folder)
        vectors.count = scandir(folder, &vectors.entries, is_vector, alphasort);
    if (vectors.count <= 0)
        abort_test("there are no vectors in", folder ? folder : "a missing argument");
    return vectors;
}

/* Starts vector number `n`, and returns the JSON of its file, or of `file` in its folder. */
static inline cJSON *vector_begin(const struct vectors *vectors, int n, const char *file) {
    char path[4096];
    const char *name = vectors->entries[n]->d_name;
    snprintf(path, sizeof path, "%s/%s%s", vectors->folder, name, file);
    printf("%s", name);
    mismatches = 0;
    return read_json(path);
}

/* Ends a vector: prints the result and deletes the JSON. */
static inline void vector_end(struct vectors *vectors, cJSON *vector) {
    printf(mismatches ? "\n" : ": ok\n");
    vectors->failed += mismatches != 0;
    cJSON_Delete(vector);
}

static inline int vectors_result(struct vectors *vectors) {
    for (int n = 0; n < vectors->count; ++n)
        free(vectors->entries[n]);
    free(vectors->entries);
    printf("%d vectors, %d failed\n", vectors->count, vectors->failed);
    return vectors->failed != 0;
}

/* Returns `text` with `dir` in place of each {dir}. The caller frees it. */
static inline char *filled(const char *text, const char *dir) {
    size_t size = strlen(text) + 1;
    const char *at;
    for (at = text; (at = strstr(at, "{dir}")) != NULL; at += 5)
        size += strlen(dir);
    char *result = (char *)malloc(size), *end = result;
    if (!result)
        abort_test("no memory for", text);
    while ((at = strstr(text, "{dir}")) != NULL) {
        end += snprintf(end, size - (size_t)(end - result), "%.*s%s", (int)(at - text), text, dir);
        text = at + 5;
    }
    strcpy(end, text);
    return result;
}

/* Sets the variables of a vector and unsets all others that a source reads. The rest, such as PATH,
 * is kept for programs. */
static inline void set_environment(const cJSON *variables, const char *dir) {
    static const char *const sources[] = {"JUSTCALL_CREDENTIALS",  "JUSTCALL_API_KEY",
                                          "JUSTCALL_API_SECRET",   "JUSTCALL_WEBHOOK_SECRET",
                                          "CREDENTIALS_DIRECTORY", "VAULT_ADDR",
                                          "VAULT_TOKEN",           "VAULT_NAMESPACE",
                                          "VAULT_CACERT",          "VAULT_ROLE",
                                          "VAULT_ROLE_ID",         "VAULT_SECRET_ID",
                                          "BAO_ADDR",              "BAO_TOKEN",
                                          "BAO_NAMESPACE",         "BAO_CACERT",
                                          "BAO_ROLE",              "BAO_ROLE_ID",
                                          "BAO_SECRET_ID",         NULL};
    const cJSON *variable;
    for (int n = 0; sources[n]; ++n)
        unsetenv(sources[n]);
    if (!cJSON_IsObject(variables))
        mismatch("environment is not an object");
    cJSON_ArrayForEach(variable, variables) {
        char *value = filled(cJSON_IsString(variable) ? variable->valuestring : "", dir);
        if (!cJSON_IsString(variable) || setenv(variable->string, value, 1) != 0)
            mismatch("%s cannot be set", variable->string);
        free(value);
    }
}

/* Unsets the variables of a vector. */
static inline void unset_environment(const cJSON *variables) {
    const cJSON *variable;
    cJSON_ArrayForEach(variable, variables) { unsetenv(variable->string); }
}

#endif
