/* Control calls to the sandbox, over libcurl with cJSON. What cannot happen in a good run ends the
 * program. */

#ifndef JUSTCALL_TESTS_CONTROL_H
#define JUSTCALL_TESTS_CONTROL_H

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sandbox that is running. */
struct sandbox {
    cJSON *line; /* what it printed once it was ready */
    CURL *curl;
};

struct answer {
    char *text;
    size_t length;
};

static inline void give_up(const char *why, const char *detail) {
    fprintf(stderr, "%s: %s\n", why, detail ? detail : "(NULL)");
    exit(2);
}

/* A member that must be text; borrowed. */
static inline const char *member(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsString(item))
        give_up("no such text in the JSON", name);
    return item->valuestring;
}

/* The bytes behind base64; the caller's to free. */
static inline uint8_t *decoded(const char *text, size_t *length) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t values[256] = {0}, *bytes = (uint8_t *)malloc(strlen(text) + 1);
    uint32_t pending = 0;
    int bits = 0;
    if (!bytes)
        give_up("no memory for", "base64");
    for (int n = 0; n < 64; ++n)
        values[(uint8_t)alphabet[n]] = (uint8_t)n;
    *length = 0;
    for (; *text && *text != '='; ++text) {
        pending = pending << 6 | values[(uint8_t)*text];
        if ((bits += 6) >= 8)
            bytes[(*length)++] = (uint8_t)(pending >> (bits -= 8));
    }
    return bytes;
}

/* The file with the sandbox's certificate authority; NULL where it speaks plain HTTP. Borrowed. */
static inline const char *ca_file_of(const struct sandbox *sandbox) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(sandbox->line, "ca_file"));
}

/* The sandbox whose line is in the environment as JUSTCALL_SANDBOX. */
static inline struct sandbox sandbox_open(void) {
    struct sandbox sandbox;
    const char *line = getenv("JUSTCALL_SANDBOX");
    sandbox.line = line ? cJSON_Parse(line) : NULL;
    if (!sandbox.line)
        give_up("JUSTCALL_SANDBOX is not the line that a sandbox prints", line);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    sandbox.curl = curl_easy_init();
    if (!sandbox.curl)
        give_up("libcurl", "no handle");
    return sandbox;
}

static inline void sandbox_close(struct sandbox *sandbox) {
    curl_easy_cleanup(sandbox->curl);
    curl_global_cleanup();
    cJSON_Delete(sandbox->line);
}

static inline size_t answer_append(char *data, size_t size, size_t count, void *context) {
    struct answer *answer = (struct answer *)context;
    char *text = (char *)realloc(answer->text, answer->length + size * count + 1);
    if (!text)
        return 0;
    memcpy(text + answer->length, data, size * count);
    answer->text = text;
    answer->length += size * count;
    answer->text[answer->length] = '\0';
    return size * count;
}

/* Makes a control call; a body of NULL is none. The answer is the caller's to delete. */
static inline cJSON *control(struct sandbox *sandbox, const char *method, const char *path,
                             const cJSON *body) {
    struct answer answer = {NULL, 0};
    char url[1024];
    long status = 0;
    CURL *curl = sandbox->curl;
    char *text = body ? cJSON_PrintUnformatted(body) : NULL;
    snprintf(url, sizeof url, "%s%s", member(sandbox->line, "control_url"), path);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    if (ca_file_of(sandbox))
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file_of(sandbox));
    if (text)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, answer_append);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    CURLcode failure = curl_easy_perform(curl);
    if (failure != CURLE_OK)
        give_up(path, curl_easy_strerror(failure));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        give_up(path, answer.text);
    cJSON *json = cJSON_Parse(answer.text);
    if (!json)
        give_up("not JSON", answer.text);
    free(text);
    free(answer.text);
    return json;
}

#endif
