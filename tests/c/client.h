/* Clients of a sandbox, and the requests that the sandbox received. */

#ifndef JUSTCALL_TESTS_CLIENT_H
#define JUSTCALL_TESTS_CLIENT_H

#include "check.h"
#include "control.h"

/* Makes a control call with a body of JSON text, or none if NULL. The caller deletes the
 * response. */
static inline cJSON *control_text(struct sandbox *sandbox, const char *method, const char *path,
                                  const char *body) {
    cJSON *json = body ? cJSON_Parse(body) : NULL;
    if (body && !json)
        abort_test("not JSON", body);
    cJSON *response = control(sandbox, method, path, json);
    cJSON_Delete(json);
    return response;
}

/* Makes a control call and ignores its response. */
static inline void run_control(struct sandbox *sandbox, const char *method, const char *path,
                               const char *body) {
    cJSON_Delete(control_text(sandbox, method, path, body));
}

/* Clears faults, requests and every account except the first, and creates a new account. Each test
 * starts with this, because a pair that one test had rejected must not fail the next. Returns the
 * account's pair; the caller deletes it. */
static inline cJSON *fresh_account(struct sandbox *sandbox) {
    run_control(sandbox, "POST", "clear", NULL);
    return control_text(sandbox, "POST", "pairs", "{}");
}

/* Creates a configuration for the sandbox, without a source and without retries. */
static inline justcall_config *sandbox_config(const struct sandbox *sandbox) {
    justcall_config *config = justcall_config_new();
    justcall_error *error = NULL;
    CHECK_OK(justcall_config_set_base_url(config, member(sandbox->line, "url"), &error), &error);
    if (ca_file_of(sandbox))
        CHECK_OK(justcall_config_set_ca_file(config, ca_file_of(sandbox), &error), &error);
    CHECK_OK(justcall_config_set_max_retries(config, 0, &error), &error);
    return config;
}

/* Creates credentials from a pair in the format of control responses. */
static inline justcall_credentials *credentials_of(const cJSON *pair) {
    const char *key = member(pair, "api_key"), *secret = member(pair, "api_secret");
    justcall_credentials *credentials = NULL;
    justcall_error *error = NULL;
    CHECK_OK(
        justcall_credentials_new(key, strlen(key), secret, strlen(secret), &credentials, &error),
        &error);
    return credentials;
}

/* Creates a client and frees the configuration. */
static inline justcall_client *client_of(justcall_config *config) {
    justcall_client *client = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_client_new(config, &client, &error), &error);
    justcall_config_free(config);
    return client;
}

/* Sets the pair of a configuration and returns the configuration. */
static inline justcall_config *with_pair(justcall_config *config, const cJSON *pair) {
    justcall_credentials *credentials = credentials_of(pair);
    justcall_error *error = NULL;
    CHECK_OK(justcall_config_set_credentials(config, credentials, &error), &error);
    justcall_credentials_free(credentials);
    return config;
}

static inline justcall_client *new_client(const struct sandbox *sandbox, const cJSON *pair) {
    return client_of(with_pair(sandbox_config(sandbox), pair));
}

static inline justcall_request *new_request(const char *method, const char *path) {
    justcall_request *request = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_request_new(method, path, &request, &error), &error);
    return request;
}

/* Sends a request that must succeed, and frees the request. */
static inline justcall_response *sent(const justcall_client *client, justcall_request *request) {
    justcall_response *response = POISON(justcall_response);
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_client_send(client, request, &response, &error), &error);
    justcall_request_free(request);
    return response;
}

/* Sends GET and returns the response. The caller frees it. */
static inline justcall_response *response_to(const justcall_client *client, const char *path) {
    return sent(client, new_request("GET", path));
}

/* Returns the JSON of a response; the caller deletes it. If the body is not JSON, a check fails and
 * the result is NULL. */
static inline cJSON *json_of(const justcall_response *response) {
    size_t length = 0;
    const uint8_t *body = (const uint8_t *)justcall_response_body(response, &length);
    cJSON *json = body ? cJSON_ParseWithLength((const char *)body, length) : NULL;
    CHECK(json != NULL);
    return json;
}

/* Returns the text of a member, or NULL if there is none. Borrowed from `object`. */
static inline const char *text_in(const cJSON *object, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

/* Returns the requests that the sandbox recorded. The caller deletes them. */
static inline cJSON *requests_seen(struct sandbox *sandbox) {
    return control(sandbox, "GET", "requests", NULL);
}

/* Checks that the sandbox received requests for exactly these paths, in this order. The list ends
 * with NULL. */
#define CHECK_SEEN(sandbox, ...)                                                                   \
    do {                                                                                           \
        const char *const paths_[] = {__VA_ARGS__};                                                \
        check_seen(sandbox, paths_, __FILE__, __LINE__);                                           \
    } while (0)

static inline void check_seen(struct sandbox *sandbox, const char *const *paths, const char *file,
                              int line) {
    cJSON *requests = requests_seen(sandbox), *request;
    int same = 1;
    cJSON_ArrayForEach(request, requests) {
        same = same && *paths && strcmp(text_in(request, "path"), *paths) == 0;
        paths += *paths != NULL;
    }
    same = same && *paths == NULL;
    if (!check(same, file, line, "the sandbox received exactly these requests")) {
        cJSON_ArrayForEach(request, requests) {
            printf("    %s %s\n", text_in(request, "method"), text_in(request, "path"));
        }
    }
    cJSON_Delete(requests);
}

/* Returns how often a header occurs in a response of /v2.1/echo, and stores its last value. */
static inline int times_echoed(const cJSON *echo, const char *name, const char **value) {
    int count = 0;
    const cJSON *field;
    cJSON_ArrayForEach(field, cJSON_GetObjectItemCaseSensitive(echo, "headers")) {
        const char *known = cJSON_GetStringValue(cJSON_GetArrayItem(field, 0));
        size_t n = 0;
        while (name[n] && (known[n] | 0x20) == (name[n] | 0x20))
            ++n;
        if (name[n] == '\0' && known[n] == '\0') {
            *value = cJSON_GetStringValue(cJSON_GetArrayItem(field, 1));
            ++count;
        }
    }
    return count;
}

#endif
