/* Control calls to the sandbox, with libcurl and cJSON. A failure of the test setup ends the
 * program. */

#ifndef JUSTCALL_TESTS_CONTROL_H
#define JUSTCALL_TESTS_CONTROL_H

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A running sandbox. */
struct sandbox {
    cJSON *line; /* the JSON line that the sandbox printed at its start */
    CURL *curl;
};

/* The body of a response. */
struct response_body {
    char *text;
    size_t length;
};

static inline void abort_test(const char *why, const char *detail) {
    fprintf(stderr, "%s: %s\n", why, detail ? detail : "(NULL)");
    exit(2);
}

/* Returns a member, which must be text. Borrowed from `object`. */
static inline const char *member(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!cJSON_IsString(item))
        abort_test("the JSON has no text member", name);
    return item->valuestring;
}

/* Decodes base64. The caller frees the result. */
static inline uint8_t *decoded(const char *text, size_t *length) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t values[256] = {0}, *bytes = (uint8_t *)malloc(strlen(text) + 1);
    uint32_t pending = 0;
    int bits = 0;
    if (!bytes)
        abort_test("no memory for", "base64");
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

/* Returns the file with the sandbox's certificate authority, or NULL if the sandbox uses plain
 * HTTP. Borrowed. */
static inline const char *ca_file_of(const struct sandbox *sandbox) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(sandbox->line, "ca_file"));
}

/* Opens the sandbox whose line is in the environment as JUSTCALL_SANDBOX. */
static inline struct sandbox sandbox_open(void) {
    struct sandbox sandbox;
    const char *line = getenv("JUSTCALL_SANDBOX");
    sandbox.line = line ? cJSON_Parse(line) : NULL;
    if (!sandbox.line)
        abort_test("JUSTCALL_SANDBOX is not the line that a sandbox prints", line);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    sandbox.curl = curl_easy_init();
    if (!sandbox.curl)
        abort_test("libcurl", "no handle");
    return sandbox;
}

static inline void sandbox_close(struct sandbox *sandbox) {
    curl_easy_cleanup(sandbox->curl);
    curl_global_cleanup();
    cJSON_Delete(sandbox->line);
}

static inline size_t append_response(char *data, size_t size, size_t count, void *context) {
    struct response_body *response = (struct response_body *)context;
    char *text = (char *)realloc(response->text, response->length + size * count + 1);
    if (!text)
        return 0;
    memcpy(text + response->length, data, size * count);
    response->text = text;
    response->length += size * count;
    response->text[response->length] = '\0';
    return size * count;
}

/* Makes a control call with a JSON body, or none if NULL. The caller deletes the response. */
static inline cJSON *control(struct sandbox *sandbox, const char *method, const char *path,
                             const cJSON *body) {
    struct response_body response = {NULL, 0};
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
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append_response);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &response);
    CURLcode failure = curl_easy_perform(curl);
    if (failure != CURLE_OK)
        abort_test(path, curl_easy_strerror(failure));
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        abort_test(path, response.text);
    cJSON *json = cJSON_Parse(response.text);
    if (!json)
        abort_test("not JSON", response.text);
    free(text);
    free(response.text);
    return json;
}

#endif
