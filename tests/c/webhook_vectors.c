/* Runs every vector of a folder such as tests/vectors/webhook: webhook_vectors FOLDER. Prints one
 * line for each vector, then the total. tests/vectors/README.md describes the format. */

#define _XOPEN_SOURCE 700

#include "vectors.h"

#include <justcall_auth.h>
#include <strings.h>

static const char *const VECTOR_KEYS[] = {"about",      "secrets",      "urls",   "tolerance",
                                          "now",        "replay_check", "body",   "body_base64",
                                          "body_parts", "headers",      "expect", NULL};
static const char *const EVENT_KEYS[] = {"url",          "type",      "timestamp",
                                         "secret_index", "signature", NULL};
static const char *const EXPECT_KEYS[] = {"event", "error", NULL};
static const char *const ERROR_KEYS[] = {"name", "code", "message_contains", NULL};

static const char *text_of(const cJSON *item) {
    if (!cJSON_IsString(item))
        mismatch("something is not text");
    return cJSON_IsString(item) ? item->valuestring : "";
}

static justcall_status was_seen(void *context, const justcall_webhook_event *event) {
    if (!justcall_webhook_event_signature(event))
        mismatch("the replay check received no signature");
    return *(const justcall_status *)context;
}

/* Creates the verifier of a vector, or returns NULL if that fails. `seen` must outlive it. */
static justcall_webhook *verifier(const cJSON *vector, justcall_status *seen) {
    const cJSON *urls = get(vector, "urls"), *check = get(vector, "replay_check"), *item;
    const char *first =
        cJSON_IsNull(urls) ? JUSTCALL_ANY_URL : text_of(cJSON_GetArrayItem(urls, 0));
    const double tolerance = cJSON_GetNumberValue(get(vector, "tolerance"));
    justcall_webhook *webhook = NULL;
    justcall_error *error = NULL;
    if (justcall_webhook_new(first, (uint64_t)tolerance, &webhook, &error) != JUSTCALL_OK) {
        mismatch("no verifier: %s", justcall_error_message(error));
        justcall_error_free(error);
        return NULL;
    }
    for (int n = 1; n < cJSON_GetArraySize(urls); ++n)
        if (justcall_webhook_add_url(webhook, text_of(cJSON_GetArrayItem(urls, n)), NULL) !=
            JUSTCALL_OK)
            mismatch("a URL was refused");
    cJSON_ArrayForEach(item, get(vector, "secrets")) {
        const char *secret = text_of(item);
        if (justcall_webhook_add_secret(webhook, secret, strlen(secret), NULL) != JUSTCALL_OK)
            mismatch("a secret was refused");
    }
    if (cJSON_IsString(check)) {
        *seen = JUSTCALL_OK;
        if (strcmp(check->valuestring, "seen") == 0)
            *seen = JUSTCALL_ERROR_WEBHOOK_REPLAYED;
        else if (strcmp(check->valuestring, "new") != 0)
            mismatch("unknown replay_check");
        justcall_webhook_set_replay_check(webhook, was_seen, seen, NULL, NULL);
    } else if (!cJSON_IsNull(check)) {
        mismatch("replay_check is neither text nor null");
    }
    return webhook;
}

/* Returns the value of a header, or NULL if there is none. Two values are joined with ", " in the
 * buffer `value`, as HTTP specifies. */
static const char *header(const cJSON *vector, const char *name, char value[512]) {
    const cJSON *item;
    int found = 0;
    value[0] = '\0';
    cJSON_ArrayForEach(item, get(vector, "headers")) {
        const char *text = text_of(cJSON_GetArrayItem(item, 1));
        if (strcasecmp(text_of(cJSON_GetArrayItem(item, 0)), name) != 0)
            continue;
        if (strlen(value) + strlen(text) + 3 > 512)
            abort_test("a header is too long", name);
        if (found++)
            strcat(value, ", ");
        strcat(value, text);
    }
    return found ? value : NULL;
}

/* Returns the body of a vector. The caller frees it. */
static uint8_t *body_of(const cJSON *vector, size_t *length) {
    const cJSON *body = get(vector, "body"), *base64 = get(vector, "body_base64");
    const cJSON *parts = get(vector, "body_parts"), *part;
    *length = 0;
    if (!body + !base64 + !parts != 2) {
        mismatch("there is not one body");
        return NULL;
    }
    if (base64)
        return (uint8_t *)decoded(member(vector, "body_base64"), length);
    if (body) {
        *length = strlen(text_of(body));
        return (uint8_t *)strdup(text_of(body));
    }
    cJSON_ArrayForEach(part, parts) *length +=
        strlen(text_of(cJSON_GetArrayItem(part, 0))) *
        (size_t)cJSON_GetNumberValue(cJSON_GetArrayItem(part, 1));
    uint8_t *bytes = (uint8_t *)malloc(*length + 1), *end = bytes;
    if (!bytes)
        abort_test("no memory for", "a body");
    cJSON_ArrayForEach(part, parts) {
        const char *text = text_of(cJSON_GetArrayItem(part, 0));
        const size_t size = strlen(text);
        for (double n = cJSON_GetNumberValue(cJSON_GetArrayItem(part, 1)); n > 0; --n) {
            memcpy(end, text, size);
            end += size;
        }
    }
    return bytes;
}

static void compare_event(const cJSON *expect, const justcall_webhook_event *event) {
    check_known_keys(expect, EVENT_KEYS);
    check_text_equals(expect, "url", justcall_webhook_event_url(event));
    check_text_equals(expect, "type", justcall_webhook_event_type(event));
    check_text_equals(expect, "signature", justcall_webhook_event_signature(event));
    check_number_equals(expect, "timestamp", (double)justcall_webhook_event_timestamp(event), NAN);
    check_number_equals(expect, "secret_index", (double)justcall_webhook_event_secret_index(event),
                        NAN);
}

static void compare_error(const cJSON *vector, const cJSON *expect, const justcall_error *error) {
    const cJSON *item;
    check_known_keys(expect, ERROR_KEYS);
    check_text_equals(expect, "name", justcall_error_name(error));
    check_number_equals(expect, "code", justcall_error_status(error), NAN);
    check_contains_all(expect, "message_contains", justcall_error_message(error));
    cJSON_ArrayForEach(item, get(vector, "secrets")) {
        if (strstr(justcall_error_message(error), text_of(item)) ||
            strstr(justcall_error_hint(error), text_of(item)))
            mismatch("a secret leaks");
    }
}

/* Checks that the verifier counted this result once, and no other result. */
static void compare_usage(const justcall_webhook *webhook, justcall_status status) {
    static const char sample[] = "justcall_auth_webhooks_total{result=\"";
    static char text[JUSTCALL_USAGE_SIZE];
    char expected[64];
    int counted = 0;
    if (justcall_webhook_usage(webhook, text, sizeof text, NULL, NULL) != JUSTCALL_OK) {
        mismatch("there is no usage");
        return;
    }
    snprintf(expected, sizeof expected, "%s\"} 1\n", justcall_status_name(status));
    for (const char *at = text; (at = strstr(at, sample)) != NULL;) {
        at += sizeof sample - 1;
        const char *end = strchr(at, '\n');
        if (strncmp(at, expected, strlen(expected)) == 0)
            ++counted;
        else if (!end || strncmp(end - 2, " 0", 2) != 0)
            mismatch("another result than %s is counted", justcall_status_name(status));
    }
    if (counted != 1)
        mismatch("%s is counted %d times", justcall_status_name(status), counted);
}

static void run(const cJSON *vector) {
    const cJSON *expect = get(vector, "expect");
    char values[3][512];
    size_t length;
    justcall_status seen = JUSTCALL_OK;
    justcall_webhook_event *event = NULL;
    justcall_error *error = NULL;
    check_known_keys(vector, VECTOR_KEYS);
    check_known_keys(expect, EXPECT_KEYS);
    justcall_webhook *webhook = verifier(vector, &seen);
    uint8_t *body = body_of(vector, &length);
    justcall_status status = justcall_webhook_verify(
        webhook, header(vector, "x-justcall-signature", values[0]),
        header(vector, "x-justcall-signature-version", values[1]),
        header(vector, "x-justcall-request-timestamp", values[2]), body, length,
        (int64_t)cJSON_GetNumberValue(get(vector, "now")), &event, &error);
    if (webhook)
        compare_usage(webhook, status);
    justcall_webhook_free(webhook);
    free(body);
    if (status == JUSTCALL_OK && get(expect, "event") && !get(expect, "error"))
        compare_event(get(expect, "event"), event);
    else if (status != JUSTCALL_OK && get(expect, "error") && !get(expect, "event"))
        compare_error(vector, get(expect, "error"), error);
    else
        mismatch("ended with %s: %s", justcall_status_name(status), justcall_error_message(error));
    justcall_webhook_event_free(event);
    justcall_error_free(error);
}

int main(int argc, char **argv) {
    struct vectors vectors = vectors_in(argc == 2 ? argv[1] : NULL, is_json);
    for (int n = 0; n < vectors.count; ++n) {
        cJSON *vector = vector_begin(&vectors, n, "");
        run(vector);
        vector_end(&vectors, vector);
    }
    return vectors_result(&vectors);
}
