/* Files with a pair, and clients that use such a file as their source. */

#ifndef JUSTCALL_TESTS_PAIR_FILE_H
#define JUSTCALL_TESTS_PAIR_FILE_H

#include "client.h"

/* The path of a file, and the source that names it. */
struct pair_file {
    char path[512], source[520];
};

/* Replaces the content of the file atomically. */
static inline void write_text(const struct pair_file *file, const char *text) {
    char new_path[600];
    snprintf(new_path, sizeof new_path, "%s.new", file->path);
    FILE *stream = fopen(new_path, "w");
    if (!stream || fputs(text, stream) < 0 || fclose(stream) != 0 ||
        rename(new_path, file->path) != 0)
        abort_test("cannot write", file->path);
}

/* Writes a pair in the format of control responses to the file. */
static inline void write_pair(const struct pair_file *file, const cJSON *pair) {
    char text[256];
    snprintf(text, sizeof text, "%s:%s\n", member(pair, "api_key"), member(pair, "api_secret"));
    write_text(file, text);
}

/* Returns a file in `folder` that does not exist yet. */
static inline struct pair_file pair_file_in(const char *folder) {
    static int files;
    struct pair_file file;
    snprintf(file.path, sizeof file.path, "%s/pair-%d", folder, ++files);
    snprintf(file.source, sizeof file.source, "file:%s", file.path);
    return file;
}

/* Creates a configuration with the file as its source. */
static inline justcall_config *file_config(const struct sandbox *sandbox,
                                           const struct pair_file *file) {
    justcall_config *config = sandbox_config(sandbox);
    justcall_error *error = NULL;
    CHECK_OK(justcall_config_set_source(config, file->source, &error), &error);
    CHECK_OK(justcall_config_set_max_retries(config, 2, &error), &error);
    return config;
}

/* Resets the account of the pair. Returns the new pair, which the caller deletes. */
static inline cJSON *reset(struct sandbox *sandbox, const cJSON *pair) {
    char body[256];
    snprintf(body, sizeof body, "{\"api_key\":\"%s\"}", member(pair, "api_key"));
    return control_text(sandbox, "POST", "reset", body);
}

/* Returns how many requests with a pair of this generation the sandbox answered with `status`. */
static inline int count_responses(struct sandbox *sandbox, int generation, int status) {
    cJSON *requests = requests_seen(sandbox), *request;
    int count = 0;
    cJSON_ArrayForEach(request, requests) {
        const cJSON *key = cJSON_GetObjectItemCaseSensitive(request, "key_generation");
        const cJSON *secret = cJSON_GetObjectItemCaseSensitive(request, "secret_generation");
        const cJSON *number = cJSON_GetObjectItemCaseSensitive(request, "status");
        count += cJSON_IsNumber(key) && key->valueint == generation && cJSON_IsNumber(secret) &&
                 secret->valueint == generation && cJSON_IsNumber(number) &&
                 number->valueint == status;
    }
    cJSON_Delete(requests);
    return count;
}

#endif
