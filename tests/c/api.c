/* Checks what the header's comments promise without a service; errors.c checks errors and
 * responses. api PAIR_FILE CA_FILE */

#include "check.h"

#include <stdint.h>
#include <stdlib.h>

#define KEY "abc123def456"
#define SECRET "sec789xyz000"
#define PAIR KEY ":" SECRET

static justcall_credentials *new_credentials(void) {
    justcall_credentials *credentials = POISON(justcall_credentials);
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(
        justcall_credentials_new(KEY, strlen(KEY), SECRET, strlen(SECRET), &credentials, &error),
        &error);
    return credentials;
}

static void it_returns_its_version(void) {
    unsigned major, minor, patch;
    CHECK(sscanf(justcall_version(), "%u.%u.%u", &major, &minor, &patch) == 3);
    CHECK(major == JUSTCALL_VERSION_MAJOR && minor == JUSTCALL_VERSION_MINOR);
    CHECK(patch == JUSTCALL_VERSION_PATCH);
    CHECK(JUSTCALL_VERSION_NUMBER == 10000 * major + 100 * minor + patch);
    CHECK_TEXT(justcall_version(), JUSTCALL_VERSION_STRING);
    CHECK(justcall_abi_version() == JUSTCALL_ABI_VERSION);
}

static void it_names_every_status(void) {
    CHECK_TEXT(justcall_status_name(JUSTCALL_OK), "ok");
    CHECK_TEXT(justcall_status_name(JUSTCALL_ERROR_INVALID_ARGUMENT), "invalid_argument");
    CHECK_TEXT(justcall_status_name(JUSTCALL_ERROR_CREDENTIALS_MALFORMED), "credentials_malformed");
    CHECK_TEXT(justcall_status_name(JUSTCALL_ERROR_INTERNAL), "internal");
    CHECK_TEXT(justcall_status_name(JUSTCALL_ERROR_UNAVAILABLE), "unavailable");
    CHECK_TEXT(justcall_status_name(-1), "unknown");
    CHECK_TEXT(justcall_status_name(4), "unknown");
    CHECK_TEXT(justcall_status_name(INT32_MAX), "unknown");
}

static void it_wipes_the_given_bytes_and_nothing_else(void) {
    char buffer[] = "xsecretx";
    justcall_wipe(buffer + 1, 6);
    CHECK(memcmp(buffer, "x\0\0\0\0\0\0x", 9) == 0);
    justcall_wipe(NULL, 6);
    justcall_wipe(buffer, 0);
    justcall_wipe(buffer, SIZE_MAX);
    CHECK(buffer[0] == 'x' && buffer[7] == 'x');
}

static void it_accepts_a_pair_without_a_terminating_nul(void) {
    justcall_credentials *credentials = NULL;
    justcall_error *error = NULL;
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    CHECK_OK(justcall_credentials_new(PAIR, 12, SECRET "tail", 12, &credentials, &error), &error);
    CHECK_OK(justcall_credentials_authorization(credentials, buffer, sizeof buffer, NULL, &error),
             &error);
    CHECK_TEXT(buffer, PAIR);
    justcall_credentials_free(credentials);
}

static void it_shows_the_ends_of_the_key(void) {
    justcall_credentials *credentials = new_credentials();
    CHECK_TEXT(justcall_credentials_key_hint(credentials), "abc1\xE2\x80\xA6"
                                                           "f456");
    CHECK_TEXT(justcall_credentials_key_hint(NULL), NULL);
    justcall_credentials_free(credentials);
}

static void it_names_the_malformed_half_and_never_shows_its_value(void) {
    justcall_credentials *credentials = POISON(justcall_credentials);
    justcall_error *error = POISON(justcall_error);
    justcall_status status =
        justcall_credentials_new(KEY, strlen(KEY), "canary77 ", 9, &credentials, &error);
    CHECK(status == JUSTCALL_ERROR_CREDENTIALS_MALFORMED);
    CHECK(credentials == NULL);
    CHECK(justcall_error_status(error) == status);
    CHECK_TEXT(justcall_error_name(error), "credentials_malformed");
    CHECK_TEXT(justcall_error_reason(error), "trailing_whitespace");
    CHECK_CONTAINS(justcall_error_message(error), "API secret");
    CHECK_CONTAINS(justcall_error_hint(error), "Nothing was sent");
    CHECK(strstr(justcall_error_message(error), "canary") == NULL);
    CHECK(strstr(justcall_error_hint(error), "canary") == NULL);
    CHECK_TEXT(justcall_error_service_message(error), NULL);
    CHECK(justcall_error_http_status(error) == 0);
    CHECK(justcall_error_retryable(error) == 0);
    CHECK(justcall_error_retry_after_ms(error) == -1);
    CHECK(justcall_error_request_sent(error) == 0);
    justcall_error_free(error);
}

static void it_refuses_invalid_arguments_of_credentials(void) {
    justcall_credentials *out = POISON(justcall_credentials);
    justcall_error *error = POISON(justcall_error);
    CHECK_FAILS(justcall_credentials_new(NULL, 0, SECRET, 12, &out, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK(out == NULL);
    out = POISON(justcall_credentials);
    CHECK_FAILS(justcall_credentials_new(KEY, SIZE_MAX, SECRET, 12, &out, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK(out == NULL);
    CHECK_FAILS(justcall_credentials_new(KEY, 12, NULL, 12, &out, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_credentials_new(KEY, 12, SECRET, 12, NULL, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_credentials_new("", 0, SECRET, 12, &out, &error),
                JUSTCALL_ERROR_CREDENTIALS_MALFORMED, &error);
    CHECK_FAILS(justcall_credentials_new("a\0b", 3, SECRET, 12, &out, &error),
                JUSTCALL_ERROR_CREDENTIALS_MALFORMED, &error);
}

static void it_accepts_null_for_the_error(void) {
    justcall_credentials *credentials = POISON(justcall_credentials);
    CHECK(justcall_credentials_new("", 0, "", 0, &credentials, NULL) ==
          JUSTCALL_ERROR_CREDENTIALS_MALFORMED);
    CHECK(credentials == NULL);
    CHECK(justcall_credentials_new(KEY, 12, SECRET, 12, &credentials, NULL) == JUSTCALL_OK);
    justcall_credentials_free(credentials);
}

static void it_loads_from_a_source(const char *pair_file) {
    char source[1024], buffer[JUSTCALL_AUTHORIZATION_SIZE];
    justcall_credentials *credentials = POISON(justcall_credentials);
    justcall_error *error = POISON(justcall_error);
    snprintf(source, sizeof source, "file:%s", pair_file);
    CHECK_OK(justcall_credentials_load(source, &credentials, &error), &error);
    CHECK_OK(justcall_credentials_authorization(credentials, buffer, sizeof buffer, NULL, &error),
             &error);
    CHECK_TEXT(buffer, PAIR);
    justcall_credentials_free(credentials);

    credentials = POISON(justcall_credentials);
    CHECK_FAILS(
        justcall_credentials_load("env:JC_TEST_NO_KEY,JC_TEST_NO_SECRET", &credentials, &error),
        JUSTCALL_ERROR_CREDENTIALS_MISSING, &error);
    CHECK(credentials == NULL);
    CHECK_FAILS(justcall_credentials_load("file:/nonexistent/pair", &credentials, &error),
                JUSTCALL_ERROR_SOURCE_UNAVAILABLE, &error);
    CHECK_FAILS(justcall_credentials_load(PAIR, &credentials, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_credentials_load("file:\xFF", &credentials, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_credentials_load(NULL, &credentials, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_credentials_load(source, NULL, &error), JUSTCALL_ERROR_INVALID_ARGUMENT,
                &error);
}

static void it_fills_a_buffer_only_if_the_whole_text_fits(void) {
    const size_t needed = strlen(PAIR);
    justcall_credentials *credentials = new_credentials();
    justcall_error *error = POISON(justcall_error);
    char buffer[64];
    size_t length = 77;

    memset(buffer, '#', sizeof buffer);
    CHECK_FAILS(justcall_credentials_authorization(credentials, buffer, needed, &length, &error),
                JUSTCALL_ERROR_BUFFER_TOO_SMALL, &error);
    CHECK(length == needed);
    CHECK(buffer[0] == '#' && buffer[needed] == '#');

    length = 77;
    CHECK_FAILS(justcall_credentials_authorization(credentials, NULL, 0, &length, &error),
                JUSTCALL_ERROR_BUFFER_TOO_SMALL, &error);
    CHECK(length == needed);

    length = 77;
    CHECK_OK(justcall_credentials_authorization(credentials, buffer, needed + 1, &length, &error),
             &error);
    CHECK(length == needed);
    CHECK_TEXT(buffer, PAIR);
    CHECK(buffer[needed + 1] == '#');
    justcall_credentials_free(credentials);
}

static void it_leaves_outputs_unchanged_on_failure(void) {
    justcall_credentials *credentials = new_credentials();
    justcall_error *error = POISON(justcall_error);
    char buffer[64] = "#";
    size_t length = 77;
    CHECK_FAILS(justcall_credentials_authorization(NULL, buffer, sizeof buffer, &length, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_credentials_authorization(credentials, NULL, 64, &length, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK_FAILS(justcall_credentials_authorization(credentials, buffer, SIZE_MAX, &length, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    CHECK(length == 77 && buffer[0] == '#');
    justcall_credentials_free(credentials);
}

static void it_declares_a_buffer_size_for_the_longest_pair(void) {
    char half[512], buffer[JUSTCALL_AUTHORIZATION_SIZE];
    justcall_credentials *credentials = NULL;
    justcall_error *error = NULL;
    size_t length = 0;
    memset(half, 'k', sizeof half);
    CHECK_OK(justcall_credentials_new(half, sizeof half, SECRET, 12, &credentials, &error), &error);
    justcall_credentials_free(credentials);
    half[0] = 's';
    char other[512];
    memset(other, 'k', sizeof other);
    CHECK_OK(justcall_credentials_new(other, sizeof other, half, sizeof half, &credentials, &error),
             &error);
    CHECK_OK(
        justcall_credentials_authorization(credentials, buffer, sizeof buffer, &length, &error),
        &error);
    CHECK(length == JUSTCALL_AUTHORIZATION_SIZE - 1);
    justcall_credentials_free(credentials);
}

static void it_accepts_every_setting(const char *ca_file) {
    justcall_credentials *credentials = new_credentials();
    justcall_config *config = justcall_config_new();
    justcall_error *error = POISON(justcall_error);
    CHECK(config != NULL);
    CHECK_OK(justcall_config_set_source(config, "env:", &error), &error);
    CHECK_OK(justcall_config_set_credentials(config, credentials, &error), &error);
    CHECK_OK(justcall_config_set_base_url(config, "https://localhost:8443/prefix", &error), &error);
    CHECK_OK(justcall_config_set_verify_path(config, "/v2.1/users?per_page=1", &error), &error);
    CHECK_OK(justcall_config_set_timeout_ms(config, 0, &error), &error);
    CHECK_OK(justcall_config_set_timeout_ms(config, UINT64_MAX, &error), &error);
    CHECK_OK(justcall_config_set_max_retries(config, 0, &error), &error);
    CHECK_OK(justcall_config_set_ca_file(config, ca_file, &error), &error);
    CHECK_OK(justcall_config_set_proxy(config, "http://user:pass@127.0.0.1:3128", &error), &error);
    CHECK_OK(justcall_config_set_proxy(config, "", &error), &error);
    CHECK_OK(justcall_config_set_expected_account(config, 1, &error), &error);
    CHECK_OK(justcall_config_set_expected_account(config, UINT64_MAX, &error), &error);
    justcall_config_free(config);
    justcall_credentials_free(credentials);
}

static void it_refuses_invalid_settings(void) {
    justcall_config *config = justcall_config_new();
    justcall_error *error = POISON(justcall_error);
    const justcall_status invalid = JUSTCALL_ERROR_INVALID_ARGUMENT;
    CHECK_FAILS(justcall_config_set_source(config, "vault", &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_source(config, NULL, &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_source(NULL, "env:", &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_credentials(config, NULL, &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_base_url(config, "http://api.justcall.example@", &error),
                invalid, &error);
    CHECK_FAILS(justcall_config_set_base_url(config, "http://192.0.2.1/", &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_base_url(config, "\xC3(", &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_verify_path(config, "v2/account", &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_verify_path(config, "//evil.example/", &error), invalid,
                &error);
    CHECK_FAILS(justcall_config_set_timeout_ms(NULL, 1, &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_max_retries(config, -1, &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_max_retries(config, INT32_MIN, &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_ca_file(config, "", &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_proxy(config, "socks5://127.0.0.1:1", &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_proxy(NULL, "", &error), invalid, &error);
    CHECK_FAILS(justcall_config_set_expected_account(NULL, 7, &error), invalid, &error);
    CHECK(justcall_config_set_expected_account(config, 0, &error) == invalid);
    CHECK_CONTAINS(justcall_error_message(error),
                "To accept every account, do not set the expected account.");
    justcall_error_free(error);
    justcall_config_free(config);
}

static void it_keeps_a_setting_when_the_next_is_refused(void) {
    justcall_credentials *credentials = new_credentials();
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_error *error = NULL;
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    CHECK_OK(justcall_config_set_credentials(config, credentials, &error), &error);
    CHECK_FAILS(justcall_config_set_source(config, "?", &error), JUSTCALL_ERROR_INVALID_ARGUMENT,
                &error);
    CHECK_OK(justcall_client_new(config, &client, &error), &error);
    CHECK_OK(justcall_client_authorization(client, buffer, sizeof buffer, NULL, &error), &error);
    CHECK_TEXT(buffer, PAIR);
    justcall_client_free(client);
    justcall_config_free(config);
    justcall_credentials_free(credentials);
}

static void it_keeps_alive_what_a_handle_refers_to(void) {
    justcall_credentials *credentials = new_credentials();
    justcall_config *config = justcall_config_new();
    justcall_client *client = POISON(justcall_client);
    justcall_error *error = POISON(justcall_error);
    char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    size_t length = 0;
    CHECK_OK(justcall_config_set_credentials(config, credentials, &error), &error);
    justcall_credentials_free(credentials);
    CHECK_OK(justcall_client_new(config, &client, &error), &error);
    justcall_config_free(config);
    CHECK_OK(justcall_client_authorization(client, buffer, sizeof buffer, &length, &error), &error);
    CHECK_TEXT(buffer, PAIR);
    CHECK(length == strlen(PAIR));
    CHECK_FAILS(justcall_client_authorization(client, buffer, 3, &length, &error),
                JUSTCALL_ERROR_BUFFER_TOO_SMALL, &error);
    justcall_client_free(client);
}

static void it_creates_a_client_without_a_configuration(void) {
    justcall_client *client = POISON(justcall_client);
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_client_new(NULL, &client, &error), &error);
    justcall_client_free(client);
    CHECK_FAILS(justcall_client_new(NULL, NULL, &error), JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
}

static void it_refuses_an_invalid_ca_file_before_any_call(const char *pair_file) {
    justcall_config *config = justcall_config_new();
    justcall_client *client = POISON(justcall_client);
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_config_set_ca_file(config, "/nonexistent/ca.pem", &error), &error);
    CHECK_FAILS(justcall_client_new(config, &client, &error), JUSTCALL_ERROR_INVALID_ARGUMENT,
                &error);
    CHECK(client == NULL);
    CHECK_OK(justcall_config_set_ca_file(config, pair_file, &error), &error);
    CHECK_FAILS(justcall_client_new(config, &client, &error), JUSTCALL_ERROR_INVALID_ARGUMENT,
                &error);
    justcall_config_free(config);
}

static void it_reports_a_refused_connection(void) {
    justcall_credentials *credentials = new_credentials();
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_account *account = POISON(justcall_account);
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_config_set_base_url(config, "http://127.0.0.1:1", &error), &error);
    CHECK_OK(justcall_config_set_max_retries(config, 0, &error), &error);
    CHECK_OK(justcall_config_set_credentials(config, credentials, &error), &error);
    CHECK_OK(justcall_client_new(config, &client, &error), &error);
    CHECK(justcall_client_verify(client, &account, &error) == JUSTCALL_ERROR_CONNECTION_FAILED);
    CHECK(account == NULL);
    CHECK_TEXT(justcall_error_reason(error), "connect");
    CHECK(justcall_error_request_sent(error) == 0);
    CHECK(justcall_error_retryable(error) == 1);
    justcall_client_free(client);
    CHECK_CONTAINS(justcall_error_message(error), "refused");
    justcall_error_free(error);
    justcall_config_free(config);
    justcall_credentials_free(credentials);
}

static void it_refuses_to_verify_without_a_client_or_an_output(void) {
    justcall_client *client = NULL;
    justcall_account *account = POISON(justcall_account);
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_client_new(NULL, &client, &error), &error);
    CHECK_FAILS(justcall_client_verify(NULL, &account, &error), JUSTCALL_ERROR_INVALID_ARGUMENT,
                &error);
    CHECK(account == NULL);
    CHECK_FAILS(justcall_client_verify(client, NULL, &error), JUSTCALL_ERROR_INVALID_ARGUMENT,
                &error);
    CHECK_FAILS(justcall_client_authorization(NULL, NULL, 0, NULL, &error),
                JUSTCALL_ERROR_INVALID_ARGUMENT, &error);
    justcall_client_free(client);
}

static void it_frees_null(void) {
    justcall_credentials_free(NULL);
    justcall_config_free(NULL);
    justcall_client_free(NULL);
    justcall_account_free(NULL);
    justcall_error_free(NULL);
    justcall_request_free(NULL);
    justcall_response_free(NULL);
    justcall_report_free(NULL);
}

/* PAIR_FILE has the pair above, and CA_FILE a certificate. */
int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    it_returns_its_version();
    it_names_every_status();
    it_wipes_the_given_bytes_and_nothing_else();
    it_accepts_a_pair_without_a_terminating_nul();
    it_shows_the_ends_of_the_key();
    it_names_the_malformed_half_and_never_shows_its_value();
    it_refuses_invalid_arguments_of_credentials();
    it_accepts_null_for_the_error();
    it_loads_from_a_source(argv[1]);
    it_fills_a_buffer_only_if_the_whole_text_fits();
    it_leaves_outputs_unchanged_on_failure();
    it_declares_a_buffer_size_for_the_longest_pair();
    it_accepts_every_setting(argv[2]);
    it_refuses_invalid_settings();
    it_keeps_a_setting_when_the_next_is_refused();
    it_keeps_alive_what_a_handle_refers_to();
    it_creates_a_client_without_a_configuration();
    it_refuses_an_invalid_ca_file_before_any_call(argv[1]);
    it_reports_a_refused_connection();
    it_refuses_to_verify_without_a_client_or_an_output();
    it_frees_null();
    return checks_result();
}
