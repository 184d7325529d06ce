/* A file that holds a pair, as a source, and clients that read it. */

#ifndef JUSTCALL_TESTS_PAIR_FILE_H
#define JUSTCALL_TESTS_PAIR_FILE_H

#include "client.h"

/* The file's path, and as a source. */
struct pair_file {
    char path[512], source[520];
};

/* Writes text to the file, whole or not at all. */
static inline void file_says(const struct pair_file *file, const char *text) {
    char beside[600];
    snprintf(beside, sizeof beside, "%s.new", file->path);
    FILE *stream = fopen(beside, "w");
    if (!stream || fputs(text, stream) < 0 || fclose(stream) != 0 ||
        rename(beside, file->path) != 0)
        give_up("cannot write", file->path);
}

/* Writes the pair, as a control call tells it. */
static inline void file_gives(const struct pair_file *file, const cJSON *pair) {
    char text[256];
    snprintf(text, sizeof text, "%s:%s\n", member(pair, "api_key"), member(pair, "api_secret"));
    file_says(file, text);
}

/* A file in `folder`, not there yet. */
static inline struct pair_file pair_file_in(const char *folder) {
    static int files;
    struct pair_file file;
    snprintf(file.path, sizeof file.path, "%s/pair-%d", folder, ++files);
    snprintf(file.source, sizeof file.source, "file:%s", file.path);
    return file;
}

/* A configuration whose pair comes from the file. */
static inline justcall_config *file_config(const struct sandbox *sandbox,
                                           const struct pair_file *file) {
    justcall_config *config = sandbox_config(sandbox);
    justcall_error *error = NULL;
    CHECK_OK(justcall_config_set_source(config, file->source, &error), &error);
    CHECK_OK(justcall_config_set_max_retries(config, 2, &error), &error);
    return config;
}

/* Resets the account of the pair. The new one is the caller's to delete. */
static inline cJSON *reset(struct sandbox *sandbox, const cJSON *pair) {
    char body[256];
    snprintf(body, sizeof body, "{\"api_key\":\"%s\"}", member(pair, "api_key"));
    return ask(sandbox, "POST", "reset", body);
}

/* How many requests with a pair of that generation the sandbox answered with `status`. */
static inline int times_answered(struct sandbox *sandbox, int generation, int status) {
    cJSON *requests = requests_seen(sandbox), *request;
    int count = 0;
    cJSON_ArrayForEach(request, requests) {
        const cJSON *key = cJSON_GetObjectItemCaseSensitive(request, "key_generation");
        const cJSON *secret = cJSON_GetObjectItemCaseSensitive(request, "secret_generation");
        const cJSON *answer = cJSON_GetObjectItemCaseSensitive(request, "status");
        count += cJSON_IsNumber(key) && key->valueint == generation && cJSON_IsNumber(secret) &&
                 secret->valueint == generation && cJSON_IsNumber(answer) &&
                 answer->valueint == status;
    }
    cJSON_Delete(requests);
    return count;
}

#endif
