/* Checks what the header promises about webhooks beyond tests/vectors/webhook. */

#include "check.h"

#include <stdint.h>

#define SECRET "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"
#define OTHER "5bd3a95c1b0f4e7f2a8890d1c6b7e3f402149a6d"
#define URL "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4"
#define SIGNATURE "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf"
#define TIMESTAMP "2024-03-21 17:08:22"
#define NOW 1711040902

static const char body[] = "{\"type\":\"call.completed\",\"webhook_url\":\"" URL "\",\"data\":{}}";

static justcall_status verify(const justcall_webhook *webhook, justcall_webhook_event **event,
                              justcall_error **error) {
    return justcall_webhook_verify(webhook, SIGNATURE, "v1", TIMESTAMP, body, sizeof body - 1, NOW,
                                   event, error);
}

static justcall_webhook *verifier(const char *secret) {
    justcall_webhook *webhook = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_webhook_new(URL, 600, &webhook, &error), &error);
    if (secret)
        CHECK_OK(justcall_webhook_add_secret(webhook, secret, strlen(secret), &error), &error);
    return webhook;
}

static void it_returns_the_signed_values(void) {
    justcall_webhook *webhook = verifier(OTHER);
    justcall_webhook_event *event = POISON(justcall_webhook_event);
    justcall_error *error = POISON(justcall_error);
    CHECK_FAILS(verify(webhook, &event, &error), JUSTCALL_ERROR_WEBHOOK_MISMATCH, &error);
    CHECK(event == NULL);
    CHECK_OK(justcall_webhook_add_secret(webhook, SECRET, strlen(SECRET), &error), &error);
    CHECK_OK(verify(webhook, &event, &error), &error);
    justcall_webhook_free(webhook);
    CHECK_TEXT(justcall_webhook_event_url(event), URL);
    CHECK_TEXT(justcall_webhook_event_type(event), "call.completed");
    CHECK_TEXT(justcall_webhook_event_signature(event), SIGNATURE);
    CHECK(justcall_webhook_event_timestamp(event) == NOW);
    CHECK(justcall_webhook_event_secret_index(event) == 1);
    justcall_webhook_event_free(event);
}

static void it_returns_the_path_of_the_object(void) {
    static const char data[] = "{\"data\":{\"id\":123456789}}";
    justcall_webhook *webhook = verifier(SECRET);
    justcall_webhook_event *event = NULL;
    justcall_error *error = NULL;
    char path[128] = "unchanged";
    size_t length = 0;
    CHECK_OK(verify(webhook, &event, &error), &error);
    CHECK_OK(justcall_webhook_event_object_path(event, data, sizeof data - 1, path, sizeof path,
                                                &length, &error),
             &error);
    CHECK_TEXT(path, "/v2.1/calls/123456789");
    CHECK(length == strlen(path));
    CHECK_FAILS(justcall_webhook_event_object_path(event, data, sizeof data - 1, path, length,
                                                   &length, &error),
                JUSTCALL_ERROR_BUFFER_TOO_SMALL, &error);
    CHECK_FAILS(justcall_webhook_event_object_path(event, body, sizeof body - 1, path, sizeof path,
                                                   NULL, &error),
                JUSTCALL_ERROR_WEBHOOK_MALFORMED, &error);
    CHECK_TEXT(path, "/v2.1/calls/123456789");
    justcall_webhook_event_free(event);
    justcall_webhook_free(webhook);
}

static void it_accepts_null(void) {
    CHECK(justcall_webhook_event_url(NULL) == NULL);
    CHECK(justcall_webhook_event_type(NULL) == NULL);
    CHECK(justcall_webhook_event_signature(NULL) == NULL);
    CHECK(justcall_webhook_event_timestamp(NULL) == 0);
    CHECK(justcall_webhook_event_secret_index(NULL) == 0);
    justcall_webhook_event_free(NULL);
    justcall_webhook_free(NULL);
}

static void it_accepts_any_url_only_on_request(void) {
    justcall_webhook *webhook = POISON(justcall_webhook);
    justcall_error *error = NULL;
    CHECK_FAILS(justcall_webhook_new(NULL, 600, &webhook, &error), JUSTCALL_ERROR_INVALID_ARGUMENT,
                &error);
    CHECK(webhook == NULL);
    CHECK_FAILS(justcall_webhook_new("", 600, &webhook, &error), JUSTCALL_ERROR_INVALID_ARGUMENT,
                &error);
    CHECK_OK(justcall_webhook_new(JUSTCALL_ANY_URL, 600, &webhook, &error), &error);
    CHECK_FAILS(justcall_webhook_add_url(webhook, URL, &error), JUSTCALL_ERROR_INVALID_ARGUMENT,
                &error);
    justcall_webhook_free(webhook);
}

static void it_needs_secrets_from_exactly_one_place(void) {
    justcall_webhook *webhook = verifier(NULL);
    justcall_webhook_event *event = NULL;
    justcall_credentials *pair = NULL;
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_error *error = NULL;
    CHECK_FAILS(verify(webhook, &event, &error), JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_webhook_add_secret(webhook, SECRET "\n", strlen(SECRET) + 1, &error),
                JUSTCALL_ERROR_CREDENTIALS_MALFORMED, &error);
    CHECK_OK(justcall_credentials_new("abc123def456", 12, SECRET, strlen(SECRET), &pair, &error),
             &error);
    CHECK_OK(justcall_config_set_credentials(config, pair, &error), &error);
    CHECK_OK(justcall_client_new(config, &client, &error), &error);
    CHECK_OK(justcall_webhook_use_client(webhook, client, &error), &error);
    CHECK_FAILS(justcall_webhook_add_secret(webhook, SECRET, strlen(SECRET), &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    justcall_credentials_free(pair);
    justcall_config_free(config);
    justcall_client_free(client);
    CHECK_OK(verify(webhook, &event, &error), &error);
    CHECK(justcall_webhook_event_secret_index(event) == 0);
    justcall_webhook_event_free(event);
    justcall_webhook_free(webhook);
}

struct replay_check {
    justcall_status result;
    int calls, freed;
};

static justcall_status check_replay(void *context, const justcall_webhook_event *event) {
    struct replay_check *replays = (struct replay_check *)context;
    ++replays->calls;
    CHECK_TEXT(justcall_webhook_event_url(event), URL);
    CHECK_TEXT(justcall_webhook_event_type(event), "call.completed");
    CHECK_TEXT(justcall_webhook_event_signature(event), SIGNATURE);
    CHECK(justcall_webhook_event_timestamp(event) == NOW);
    return replays->result;
}

static void count_free(void *context) { ++((struct replay_check *)context)->freed; }

static void it_calls_the_replay_check_last(void) {
    justcall_webhook *webhook = verifier(SECRET);
    justcall_webhook_event *event = NULL;
    justcall_error *error = NULL;
    struct replay_check replays = {JUSTCALL_OK, 0, 0};
    static const justcall_status failures[][2] = {
        {JUSTCALL_ERROR_WEBHOOK_REPLAYED, JUSTCALL_ERROR_WEBHOOK_REPLAYED},
        {JUSTCALL_ERROR_UNAVAILABLE, JUSTCALL_ERROR_UNAVAILABLE},
        /* Not in the table of errors: a fault of the replay check. */
        {1234567, JUSTCALL_ERROR_INVALID_ARGUMENT},
        {-1, JUSTCALL_ERROR_INVALID_ARGUMENT},
    };
    CHECK_FAILS(justcall_webhook_set_replay_check(webhook, NULL, NULL, NULL, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_OK(justcall_webhook_set_replay_check(webhook, check_replay, &replays, count_free, &error),
             &error);
    CHECK_OK(verify(webhook, &event, &error), &error);
    CHECK(replays.calls == 1);
    justcall_webhook_event_free(event);
    for (size_t n = 0; n < sizeof failures / sizeof *failures; ++n) {
        replays.result = failures[n][0];
        justcall_status status = verify(webhook, &event, &error);
        const char *message = justcall_error_message(error);
        /* To find a delivery again is no failure of the check. */
        CHECK((strstr(message, "The replay check failed") == NULL) == (n == 0));
        CHECK_FAILS(status, failures[n][1], &error);
        CHECK(event == NULL);
    }
    CHECK(replays.calls == 5);
    CHECK_FAILS(justcall_webhook_verify(webhook, NULL, NULL, NULL, NULL, 0, NOW, &event, &error),
                JUSTCALL_ERROR_WEBHOOK_UNSIGNED, &error);
    CHECK(replays.calls == 5 && replays.freed == 0);
    CHECK_FAILS(justcall_webhook_set_replay_check(NULL, check_replay, &replays, count_free, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK(replays.freed == 0);
    CHECK_OK(justcall_webhook_set_replay_check(webhook, check_replay, &replays, count_free, &error),
             &error);
    CHECK(replays.freed == 1); /* the second check replaced the first */
    justcall_webhook_free(webhook);
    CHECK(replays.freed == 2);
}

static char usage[JUSTCALL_USAGE_SIZE];

/* Checks how often the verifier counted a result. */
#define CHECK_COUNTED(webhook, result, count)                                                      \
    do {                                                                                           \
        justcall_error *why = NULL;                                                                \
        CHECK_OK(justcall_webhook_usage(webhook, usage, sizeof usage, NULL, &why), &why);          \
        CHECK(strstr(usage, "justcall_auth_webhooks_total{result=\"" result "\"} " count "\n"));   \
    } while (0)

static void it_counts_deliveries_by_result(void) {
    justcall_webhook *webhook = verifier(SECRET), *other = verifier(OTHER);
    justcall_webhook_event *event = NULL;
    justcall_error *error = NULL;
    size_t length = 0, needed = 0;
    char small[8] = "as is";
    CHECK_COUNTED(webhook, "ok", "0");
    CHECK_OK(verify(webhook, &event, &error), &error);
    justcall_webhook_event_free(event);
    for (int n = 0; n < 2; ++n)
        CHECK_FAILS(
            justcall_webhook_verify(webhook, NULL, NULL, NULL, NULL, 0, NOW, &event, &error),
            JUSTCALL_ERROR_WEBHOOK_UNSIGNED, &error);
    CHECK_FAILS(verify(other, &event, &error), JUSTCALL_ERROR_WEBHOOK_MISMATCH, &error);
    /* A call with an invalid argument does not count as a delivery. */
    CHECK_FAILS(verify(other, NULL, &error), JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_COUNTED(webhook, "ok", "1");
    CHECK_COUNTED(webhook, "webhook_unsigned", "2");
    CHECK_COUNTED(webhook, "webhook_mismatch", "0");
    CHECK_COUNTED(other, "webhook_mismatch", "1");
    CHECK_COUNTED(other, "invalid_argument", "0");
    CHECK_OK(justcall_webhook_usage(webhook, usage, sizeof usage, &length, &error), &error);
    CHECK(length == strlen(usage) && strcmp(usage + length - 6, "# EOF\n") == 0);
    CHECK(!strstr(usage, SECRET) && !strstr(usage, "webhook.site") && !strstr(usage, SIGNATURE));

    CHECK_FAILS(justcall_webhook_usage(webhook, small, sizeof small, &needed, &error),
                JUSTCALL_ERROR_BUFFER_TOO_SMALL, &error);
    CHECK(needed == length);
    CHECK_TEXT(small, "as is");
    CHECK_FAILS(justcall_webhook_usage(NULL, usage, sizeof usage, NULL, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    justcall_webhook_free(webhook);
    justcall_webhook_free(other);
}

static void it_counts_in_the_usage_of_its_client(void) {
    justcall_credentials *pair = NULL;
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_webhook *webhooks[2] = {verifier(NULL), verifier(NULL)};
    justcall_webhook_event *event = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_credentials_new("abc123def456", 12, SECRET, strlen(SECRET), &pair, &error),
             &error);
    CHECK_OK(justcall_config_set_credentials(config, pair, &error), &error);
    CHECK_OK(justcall_client_new(config, &client, &error), &error);
    for (int n = 0; n < 2; ++n) {
        CHECK_OK(justcall_webhook_use_client(webhooks[n], client, &error), &error);
        CHECK_OK(verify(webhooks[n], &event, &error), &error);
        justcall_webhook_event_free(event);
    }
    CHECK_FAILS(
        justcall_webhook_verify(webhooks[0], NULL, NULL, NULL, NULL, 0, NOW, &event, &error),
        JUSTCALL_ERROR_WEBHOOK_UNSIGNED, &error);
    CHECK_COUNTED(webhooks[0], "ok", "1");
    CHECK_COUNTED(webhooks[1], "ok", "1");
    CHECK_COUNTED(webhooks[1], "webhook_unsigned", "0");
    CHECK_OK(justcall_client_usage(client, usage, sizeof usage, NULL, &error), &error);
    CHECK(strstr(usage, "justcall_auth_webhooks_total{result=\"ok\"} 2\n"));
    CHECK(strstr(usage, "justcall_auth_webhooks_total{result=\"webhook_unsigned\"} 1\n"));
    CHECK(strstr(usage, "justcall_auth_calls_total{outcome=\"ok\"} 0\n"));
    justcall_webhook_free(webhooks[0]);
    justcall_webhook_free(webhooks[1]);
    justcall_credentials_free(pair);
    justcall_config_free(config);
    justcall_client_free(client);
}

int main(void) {
    it_returns_the_signed_values();
    it_returns_the_path_of_the_object();
    it_accepts_null();
    it_accepts_any_url_only_on_request();
    it_needs_secrets_from_exactly_one_place();
    it_calls_the_replay_check_last();
    it_counts_deliveries_by_result();
    it_counts_in_the_usage_of_its_client();
    return checks_result();
}
