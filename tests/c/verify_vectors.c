/* Runs every vector of a folder such as tests/vectors/verify against a sandbox: verify_vectors
 * FOLDER; the sandbox's line is in the environment as JUSTCALL_SANDBOX. Prints one line for each
 * vector, then the total. tests/vectors/README.md describes the format. */

#define _XOPEN_SOURCE 700

#include "control.h"
#include "vectors.h"

#include <justcall_auth.h>

static const char *const VECTOR_KEYS[] = {"about",  "pair",   "credentials", "faults",
                                          "config", "expect", "requests",    NULL};
static const char *const EXPECT_KEYS[] = {"account", "error", NULL};
static const char *const CONFIG_KEYS[] = {"timeout_ms", "max_retries", "verify_path", NULL};
static const char *const ACCOUNT_KEYS[] = {"id", "email", "plan", "verified_by", NULL};
static const char *const ERROR_KEYS[] = {
    "name",   "code",           "http_status",     "retryable",        "request_sent",
    "reason", "retry_after_ms", "service_message", "message_contains", "hint_contains",
    NULL};

static void compare_account(const cJSON *expect, const justcall_account *account) {
    check_known_keys(expect, ACCOUNT_KEYS);
    check_number_equals(expect, "id", (double)justcall_account_id(account), 0);
    check_text_equals(expect, "email", justcall_account_email(account));
    check_text_equals(expect, "plan", justcall_account_plan(account));
    check_text_equals(expect, "verified_by", justcall_account_verified_by(account));
}

static void compare_error(const cJSON *expect, const justcall_error *error) {
    check_known_keys(expect, ERROR_KEYS);
    check_text_equals(expect, "name", justcall_error_name(error));
    check_number_equals(expect, "code", justcall_error_status(error), 0);
    check_number_equals(expect, "http_status", justcall_error_http_status(error), 0);
    check_flag_equals(expect, "retryable", justcall_error_retryable(error));
    check_flag_equals(expect, "request_sent", justcall_error_request_sent(error));
    check_number_equals(expect, "retry_after_ms", (double)justcall_error_retry_after_ms(error), -1);
    check_text_equals(expect, "reason", justcall_error_reason(error));
    check_text_equals(expect, "service_message", justcall_error_service_message(error));
    check_contains_all(expect, "message_contains", justcall_error_message(error));
    check_contains_all(expect, "hint_contains", justcall_error_hint(error));
}

static void no_leak(const justcall_error *error, const char *secret) {
    const char *texts[3];
    texts[0] = justcall_error_message(error);
    texts[1] = justcall_error_hint(error);
    texts[2] = justcall_error_service_message(error);
    for (int n = 0; n < 3 && strlen(secret) >= 8; ++n) {
        if (texts[n] && strstr(texts[n], secret))
            mismatch("the secret leaks in \"%s\"", texts[n]);
    }
}

static justcall_status configure(const struct sandbox *sandbox, const cJSON *settings,
                                 justcall_config *config, justcall_error **error) {
    const cJSON *retries = get(settings, "max_retries"), *timeout = get(settings, "timeout_ms");
    const cJSON *path = get(settings, "verify_path");
    check_known_keys(settings, CONFIG_KEYS);
    if (!cJSON_IsNumber(retries))
        mismatch("max_retries is always given");
    justcall_status status =
        justcall_config_set_base_url(config, member(sandbox->line, "url"), error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_ca_file(config, member(sandbox->line, "ca_file"), error);
    if (status == JUSTCALL_OK && retries)
        status = justcall_config_set_max_retries(config, retries->valueint, error);
    if (status == JUSTCALL_OK && timeout)
        status = justcall_config_set_timeout_ms(config, (uint64_t)timeout->valuedouble, error);
    if (status == JUSTCALL_OK && path)
        status = justcall_config_set_verify_path(config, path->valuestring, error);
    return status;
}

/* Does what a program does: configures a client, sets the pair and verifies it. */
static justcall_status verify(const struct sandbox *sandbox, const cJSON *settings, const char *key,
                              const char *secret, justcall_account **account,
                              justcall_error **error) {
    justcall_config *config = justcall_config_new();
    justcall_credentials *credentials = NULL;
    justcall_client *client = NULL;
    justcall_status status = configure(sandbox, settings, config, error);
    if (status == JUSTCALL_OK)
        status =
            justcall_credentials_new(key, strlen(key), secret, strlen(secret), &credentials, error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_credentials(config, credentials, error);
    if (status == JUSTCALL_OK)
        status = justcall_client_new(config, &client, error);
    if (status == JUSTCALL_OK)
        status = justcall_client_verify(client, account, error);
    justcall_credentials_free(credentials);
    justcall_config_free(config);
    justcall_client_free(client);
    return status;
}

static void count_requests(struct sandbox *sandbox, const cJSON *vector) {
    const cJSON *expected = get(vector, "requests");
    if (cJSON_IsNull(expected))
        return;
    cJSON *requests = control(sandbox, "GET", "requests", NULL);
    check_number_equals(vector, "requests", cJSON_GetArraySize(requests), -1);
    cJSON_Delete(requests);
}

static void run(struct sandbox *sandbox, const cJSON *vector) {
    const cJSON *given = get(vector, "credentials"), *expect = get(vector, "expect"), *fault;
    const char *key, *secret;
    justcall_account *account = NULL;
    justcall_error *error = NULL;
    check_known_keys(vector, VECTOR_KEYS);
    check_known_keys(expect, EXPECT_KEYS);
    cJSON_Delete(control(sandbox, "POST", "clear", NULL));
    cJSON *pair = control(sandbox, "POST", "pairs", get(vector, "pair"));
    cJSON_ArrayForEach(fault, get(vector, "faults")) {
        cJSON_Delete(control(sandbox, "POST", "faults", fault));
    }
    key = member(cJSON_IsObject(given) ? given : pair, "api_key");
    secret = member(cJSON_IsObject(given) ? given : pair, "api_secret");
    if (cJSON_IsString(given) && strcmp(given->valuestring, "wrong_secret") == 0)
        secret = "0000000000000000000000000000000000000000";
    else if (!cJSON_IsObject(given) && strcmp(member(vector, "credentials"), "good") != 0)
        mismatch("unknown credentials");

    justcall_status status = verify(sandbox, get(vector, "config"), key, secret, &account, &error);
    if (status == JUSTCALL_OK && get(expect, "account")) {
        compare_account(get(expect, "account"), account);
    } else if (status != JUSTCALL_OK && get(expect, "error")) {
        compare_error(get(expect, "error"), error);
        no_leak(error, secret);
    } else {
        mismatch("ended with %s: %s", justcall_status_name(status), justcall_error_message(error));
    }
    count_requests(sandbox, vector);
    justcall_account_free(account);
    justcall_error_free(error);
    cJSON_Delete(pair);
}

int main(int argc, char **argv) {
    struct vectors vectors = vectors_in(argc == 2 ? argv[1] : NULL, is_json);
    struct sandbox sandbox = sandbox_open();
    for (int n = 0; n < vectors.count; ++n) {
        cJSON *vector = vector_begin(&vectors, n, "");
        run(&sandbox, vector);
        vector_end(&vectors, vector);
    }
    sandbox_close(&sandbox);
    return vectors_result(&vectors);
}
