/* Checks the classification of responses and the details of errors. */

#include "check.h"

#include <stdint.h>

static justcall_status classify(int32_t http_status, const char *body, justcall_error **error) {
    return justcall_classify(http_status, NULL, NULL, 0, body, strlen(body), error);
}

static void it_classifies_a_response(void) {
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(classify(200, "", &error), &error);
    CHECK_OK(classify(299, "not JSON", &error), &error);
    CHECK_FAILS(classify(302, "", &error), JUSTCALL_ERROR_REDIRECT_REFUSED, &error);
    CHECK_FAILS(classify(418, "", &error), JUSTCALL_ERROR_BAD_REQUEST, &error);
    CHECK_FAILS(classify(600, "", &error), JUSTCALL_ERROR_INVALID_RESPONSE, &error);

    CHECK(classify(403, "{\"status\":\"error\",\"message\":\"Your plan has no API access.\"}",
                   &error) == JUSTCALL_ERROR_FORBIDDEN);
    CHECK_TEXT(justcall_error_reason(error), "plan");
    CHECK_TEXT(justcall_error_service_message(error), "Your plan has no API access.");
    CHECK(justcall_error_http_status(error) == 403);
    CHECK(justcall_error_request_sent(error) == 1);
    justcall_error_free(error);
}

static void it_reads_the_headers_of_a_response(void) {
    const char *const names[] = {"Content-Type", "RETRY-after"};
    const char *const values[] = {"text/html; charset=\xE4", "3"};
    justcall_error *error = POISON(justcall_error);
    CHECK(justcall_classify(429, names, values, 2, NULL, 0, &error) == JUSTCALL_ERROR_RATE_LIMITED);
    CHECK(justcall_error_retry_after_ms(error) == 3000);
    CHECK(justcall_error_retryable(error) == 1);
    CHECK_TEXT(justcall_error_service_message(error), NULL);
    CHECK_TEXT(justcall_error_reason(error), NULL);
    justcall_error_free(error);

    const char *const forever[] = {"text/html", "18446744073709551615"};
    CHECK(justcall_classify(429, names, forever, 2, NULL, 0, &error) ==
          JUSTCALL_ERROR_RATE_LIMITED);
    CHECK(justcall_error_retry_after_ms(error) == INT64_MAX);
    justcall_error_free(error);
}

static void it_does_not_truncate_a_text_at_a_nul(void) {
    justcall_error *error = POISON(justcall_error);
    CHECK(classify(400, "{\"message\":\"before\\u0000after\"}", &error) ==
          JUSTCALL_ERROR_BAD_REQUEST);
    CHECK_CONTAINS(justcall_error_service_message(error), "after");
    justcall_error_free(error);
}

static void it_refuses_to_classify_an_invalid_response(void) {
    const char *const names[] = {"a", NULL};
    const char *const values[] = {"b", "c"};
    const uint8_t body[] = {0};
    const justcall_status invalid = JUSTCALL_ERROR_INVALID_ARGUMENT;
    justcall_error *error = POISON(justcall_error);
    CHECK_FAILS(classify(0, "", &error), invalid, &error);
    CHECK_FAILS(classify(-200, "", &error), invalid, &error);
    CHECK_FAILS(classify(1000, "", &error), invalid, &error);
    CHECK_FAILS(classify(65736, "", &error), invalid, &error);
    CHECK_FAILS(justcall_classify(200, NULL, values, 1, NULL, 0, &error), invalid, &error);
    CHECK_FAILS(justcall_classify(200, names, NULL, 1, NULL, 0, &error), invalid, &error);
    CHECK_FAILS(justcall_classify(200, names, values, 2, NULL, 0, &error), invalid, &error);
    CHECK_FAILS(justcall_classify(200, names, values, 1001, NULL, 0, &error), invalid, &error);
    CHECK_FAILS(justcall_classify(200, NULL, NULL, 0, NULL, 1, &error), invalid, &error);
    CHECK_FAILS(justcall_classify(200, NULL, NULL, 0, body, SIZE_MAX, &error), invalid, &error);
}

static void it_keeps_the_response_of_a_failure(void) {
    const char *const names[] = {"X-Rate-Limit-Burst-Remaining", "X-Note"};
    const char *const values[] = {"3", "seen"};
    const uint8_t body[] = {'n', 0, 0xFF};
    size_t length = 77;
    justcall_error *error = POISON(justcall_error);
    CHECK(justcall_classify(422, names, values, 2, body, sizeof body, &error) ==
          JUSTCALL_ERROR_UNPROCESSABLE);
    const justcall_response *response = justcall_error_response(error);
    CHECK(justcall_response_http_status(response) == 422);
    CHECK_TEXT(justcall_response_header(response, "x-NOTE"), "seen");
    CHECK(justcall_response_rate_limit(response, JUSTCALL_RATE_LIMIT_BURST_REMAINING) == 3);
    const uint8_t *kept = (const uint8_t *)justcall_response_body(response, &length);
    CHECK(length == sizeof body && kept != body && memcmp(kept, body, sizeof body) == 0);
    justcall_error_free(error);

    CHECK(classify(0, "", &error) == JUSTCALL_ERROR_INVALID_ARGUMENT);
    CHECK(justcall_error_response(error) == NULL);
    justcall_error_free(error);
}

static void it_accepts_null_for_errors_accounts_and_responses(void) {
    size_t length = 77;
    CHECK(justcall_error_status(NULL) == JUSTCALL_OK);
    CHECK_TEXT(justcall_error_name(NULL), "ok");
    CHECK_TEXT(justcall_error_message(NULL), "");
    CHECK_TEXT(justcall_error_hint(NULL), "");
    CHECK_TEXT(justcall_error_service_message(NULL), NULL);
    CHECK_TEXT(justcall_error_reason(NULL), NULL);
    CHECK(justcall_error_http_status(NULL) == 0);
    CHECK(justcall_error_retryable(NULL) == 0);
    CHECK(justcall_error_retry_after_ms(NULL) == -1);
    CHECK(justcall_error_request_sent(NULL) == 0);
    CHECK(justcall_account_id(NULL) == 0);
    CHECK_TEXT(justcall_account_email(NULL), NULL);
    CHECK_TEXT(justcall_account_plan(NULL), NULL);
    CHECK_TEXT(justcall_account_verified_by(NULL), NULL);
    CHECK(justcall_error_response(NULL) == NULL);
    CHECK(justcall_response_http_status(NULL) == 0);
    CHECK(justcall_response_body(NULL, &length) == NULL);
    CHECK(length == 0);
    CHECK(justcall_response_body(NULL, NULL) == NULL);
    CHECK_TEXT(justcall_response_header(NULL, "x-note"), NULL);
    CHECK(justcall_response_header_count(NULL) == 0);
    CHECK_TEXT(justcall_response_header_name(NULL, 0), NULL);
    CHECK_TEXT(justcall_response_header_value(NULL, 0), NULL);
    CHECK(justcall_response_rate_limit(NULL, JUSTCALL_RATE_LIMIT) == -1);
}

static void it_creates_errors_for_callbacks(void) {
    static const char invalid_utf8[] = "before\xFF\x1B[31m after";
    char long_message[1024];
    justcall_error *error = POISON(justcall_error);
    const justcall_status invalid = JUSTCALL_ERROR_INVALID_ARGUMENT;
    CHECK(justcall_error_new(JUSTCALL_ERROR_SOURCE_UNAVAILABLE, "The database is down.", &error) ==
          JUSTCALL_ERROR_SOURCE_UNAVAILABLE);
    CHECK(justcall_error_status(error) == JUSTCALL_ERROR_SOURCE_UNAVAILABLE);
    CHECK_TEXT(justcall_error_name(error), "source_unavailable");
    CHECK_TEXT(justcall_error_message(error), "The database is down.");
    CHECK_CONTAINS(justcall_error_hint(error), "callback");
    justcall_error_free(error);

    CHECK(justcall_error_new(404, invalid_utf8, &error) == 404);
    CHECK_TEXT(justcall_error_message(error), "before\xEF\xBF\xBD[31m after");
    justcall_error_free(error);

    /* The limit of 512 bytes falls inside a two-byte character, which is removed as a whole. */
    memset(long_message, 'x', sizeof long_message);
    memcpy(long_message + 511, "\xC3\xA9", 2);
    long_message[sizeof long_message - 1] = '\0';
    CHECK(justcall_error_new(404, long_message, &error) == 404);
    CHECK(strlen(justcall_error_message(error)) == 511);
    justcall_error_free(error);

    CHECK(justcall_error_new(404, NULL, &error) == 404);
    CHECK(strlen(justcall_error_message(error)) > 0);
    justcall_error_free(error);
    CHECK(justcall_error_new(404, "the error is not requested", NULL) == 404);
    CHECK_FAILS(justcall_error_new(JUSTCALL_OK, "no failure", &error), invalid, &error);
    CHECK_FAILS(justcall_error_new(1234567, "not in the table of errors", &error), invalid, &error);
    CHECK_FAILS(justcall_error_new(-1, "not in the table of errors", &error), invalid, &error);
}

int main(void) {
    it_classifies_a_response();
    it_reads_the_headers_of_a_response();
    it_does_not_truncate_a_text_at_a_nul();
    it_refuses_to_classify_an_invalid_response();
    it_keeps_the_response_of_a_failure();
    it_accepts_null_for_errors_accounts_and_responses();
    it_creates_errors_for_callbacks();
    return checks_result();
}
