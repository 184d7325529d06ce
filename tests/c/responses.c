/* Checks responses, and failures with their responses. The sandbox's line is in the environment as
 * JUSTCALL_SANDBOX. */

#define _POSIX_C_SOURCE 200809L

#include "client.h"

#include <time.h>

/* Sets the sandbox's next response to `path`: the other members of the fault. */
static void set_next_response(struct sandbox *sandbox, const char *path, const char *members) {
    char fault[2048];
    snprintf(fault, sizeof fault, "{\"fault\": \"answer\", \"path\": \"%s\", \"times\": 1, %s}",
             path, members);
    run_control(sandbox, "POST", "faults", fault);
}

/* Makes a call that must fail. Returns the error, which the caller frees. */
static justcall_error *failure_of(const justcall_client *client, const char *path,
                                  justcall_status status) {
    justcall_response *response = POISON(justcall_response);
    justcall_error *error = POISON(justcall_error);
    CHECK(justcall_client_request(client, "GET", path, NULL, 0, &response, &error) == status);
    CHECK(response == NULL);
    CHECK(justcall_error_status(error) == status);
    return error;
}

/* Returns the seconds since 1970 from the clock of the sandbox: time() may lag behind it for some
 * milliseconds. */
static int64_t seconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec;
}

static int body_is(const justcall_response *response, const char *text, size_t length) {
    size_t actual = 77;
    const uint8_t *body = (const uint8_t *)justcall_response_body(response, &actual);
    return body && actual == length && memcmp(body, text, length) == 0;
}

static void it_returns_status_headers_and_body(struct sandbox *sandbox) {
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    set_next_response(
        sandbox, "/a",
        "\"status\": 201, \"body\": \"{\\\"id\\\": 7}\", \"content_type\": \"text/plain\", "
        "\"headers\": {\"X-Note\": [\"one\", \"two\"], \"X-Empty\": \"\"}");
    justcall_response *response = response_to(client, "/a");
    CHECK(justcall_response_http_status(response) == 201);
    CHECK(body_is(response, "{\"id\": 7}", 9));
    CHECK(justcall_response_body(response, NULL) == justcall_response_body(response, NULL));
    CHECK_TEXT(justcall_response_header(response, "content-type"), "text/plain");
    CHECK_TEXT(justcall_response_header(response, "CONTENT-Type"), "text/plain");
    CHECK_TEXT(justcall_response_header(response, "x-note"), "one");
    CHECK_TEXT(justcall_response_header(response, "x-empty"), "");
    CHECK_TEXT(justcall_response_header(response, "x-not"), NULL);
    CHECK_TEXT(justcall_response_header(response, ""), NULL);
    CHECK_TEXT(justcall_response_header(response, NULL), NULL);

    int notes = 0;
    const size_t count = justcall_response_header_count(response);
    CHECK(count >= 4);
    for (size_t n = 0; n < count; ++n) {
        const char *name = justcall_response_header_name(response, n);
        CHECK(name && strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name));
        if (name && strcmp(name, "x-note") == 0)
            CHECK_TEXT(justcall_response_header_value(response, n), notes++ ? "two" : "one");
    }
    CHECK(notes == 2);
    CHECK_TEXT(justcall_response_header_name(response, count), NULL);
    CHECK_TEXT(justcall_response_header_value(response, count), NULL);
    CHECK_TEXT(justcall_response_header_name(response, SIZE_MAX), NULL);
    CHECK_TEXT(justcall_response_header_value(response, SIZE_MAX), NULL);
    justcall_response_free(response);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_keeps_the_order_and_every_byte(struct sandbox *sandbox) {
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    /* HTTP/1.1 200 OK, Z-Last: 1, A-First: caf\xE9, Content-Length: 4, and the body a\0\xFFb */
    run_control(sandbox, "POST", "faults",
                "{\"fault\": \"raw\", \"times\": 1, \"base64\": "
                "\"SFRUUC8xLjEgMjAwIE9LDQpaLUxhc3Q6IDENCkEtRm"
                "lyc3Q6IGNhZukNCkNvbnRlbnQtTGVuZ3RoOiA0DQoNCmEA/2I=\"}");
    justcall_response *response = response_to(client, "/a");
    CHECK(body_is(response,
                  "a\0\xFF"
                  "b",
                  4));
    CHECK(justcall_response_header_count(response) == 3);
    CHECK_TEXT(justcall_response_header_name(response, 0), "z-last");
    CHECK_TEXT(justcall_response_header_name(response, 1), "a-first");
    CHECK_TEXT(justcall_response_header_value(response, 1), "caf\xEF\xBF\xBD");
    justcall_response_free(response);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_returns_an_empty_body_if_there_is_none(struct sandbox *sandbox) {
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    set_next_response(sandbox, "/a", "\"status\": 204");
    justcall_response *response = response_to(client, "/a");
    CHECK(justcall_response_http_status(response) == 204);
    CHECK(body_is(response, "", 0));
    justcall_response_free(response);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_decompresses_a_body(struct sandbox *sandbox) {
    const char *value = NULL;
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_response *response = response_to(client, "/v2.1/echo?bytes=1000000&gzip=1");
    size_t length = 0;
    justcall_response_body(response, &length);
    CHECK(length > 1000000);
    cJSON *echo = json_of(response);
    /* Without the header the response would not be compressed. */
    CHECK(times_echoed(echo, "accept-encoding", &value) == 1);
    CHECK_CONTAINS(value, "gzip");
    CHECK(text_in(echo, "filler") && strspn(text_in(echo, "filler"), "x") == 1000000);
    cJSON_Delete(echo);
    justcall_response_free(response);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_reads_the_rate_limit_in_the_articles_spelling(struct sandbox *sandbox) {
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    const int64_t begun = seconds_now();
    justcall_response *response = response_to(client, "/v2.1/calls");
    CHECK(justcall_response_rate_limit(response, JUSTCALL_RATE_LIMIT) == 120);
    CHECK(justcall_response_rate_limit(response, JUSTCALL_RATE_LIMIT_REMAINING) == 119);
    const int64_t reset = justcall_response_rate_limit(response, JUSTCALL_RATE_LIMIT_RESET);
    CHECK(reset >= begun + 60 && reset <= seconds_now() + 61);
    CHECK(justcall_response_rate_limit(response, JUSTCALL_RATE_LIMIT_BURST) == -1);
    CHECK(justcall_response_rate_limit(response, JUSTCALL_RATE_LIMIT_BURST_REMAINING) == -1);
    CHECK(justcall_response_rate_limit(response, JUSTCALL_RATE_LIMIT_BURST_RESET) == -1);
    CHECK(justcall_response_rate_limit(response, -1) == -1);
    CHECK(justcall_response_rate_limit(response, 6) == -1);
    justcall_response_free(response);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_reads_the_rate_limit_in_the_measured_spelling(struct sandbox *sandbox) {
    static const int64_t expected[] = {1800, 1799, 1900000000, 30, 0, 1900000001};
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    set_next_response(
        sandbox, "/a",
        "\"status\": 200, \"headers\": {\"X-Rate-Limit-Limit\": \"1800\", "
        "\"X-Rate-Limit-Remaining\": \"1799\", \"X-Rate-Limit-Reset\": \"1900000000\", "
        "\"X-Rate-Limit-Burst-Limit\": \"30\", \"X-Rate-Limit-Burst-Remaining\": \"0\", "
        "\"X-Rate-Limit-Burst-Reset\": \"1900000001000\"}");
    justcall_response *response = response_to(client, "/a");
    for (int32_t which = 0; which < 6; ++which)
        CHECK(justcall_response_rate_limit(response, which) == expected[which]);
    justcall_response_free(response);

    set_next_response(sandbox, "/a",
                      "\"status\": 200, \"headers\": {\"X-Rate-Limit-Limit\": \"many\", "
                      "\"X-Rate-Limit-Remaining\": \"18446744073709551615\", "
                      "\"X-Rate-Limit-Reset\": \"-5\"}");
    response = response_to(client, "/a");
    for (int32_t which = 0; which < 6; ++which)
        CHECK(justcall_response_rate_limit(response, which) == -1);
    justcall_response_free(response);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_fails_with_the_status_for_the_response(struct sandbox *sandbox) {
    static const struct {
        int http_status;
        justcall_status status;
    } rows[] = {{302, JUSTCALL_ERROR_REDIRECT_REFUSED}, {400, JUSTCALL_ERROR_BAD_REQUEST},
                {403, JUSTCALL_ERROR_FORBIDDEN},        {404, JUSTCALL_ERROR_NOT_FOUND},
                {418, JUSTCALL_ERROR_BAD_REQUEST},      {422, JUSTCALL_ERROR_UNPROCESSABLE},
                {429, JUSTCALL_ERROR_RATE_LIMITED},     {500, JUSTCALL_ERROR_SERVER_ERROR},
                {503, JUSTCALL_ERROR_UNAVAILABLE},      {401, JUSTCALL_ERROR_INVALID_CREDENTIALS}};
    char members[256], text[32];
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; ++n) {
        snprintf(members, sizeof members,
                 "\"status\": %d, \"body\": \"text %d\", \"headers\": {\"X-Note\": \"%d\"}",
                 rows[n].http_status, rows[n].http_status, rows[n].http_status);
        snprintf(text, sizeof text, "text %d", rows[n].http_status);
        set_next_response(sandbox, "/a", members);
        justcall_error *error = failure_of(client, "/a", rows[n].status);
        const justcall_response *response = justcall_error_response(error);
        CHECK(justcall_error_http_status(error) == rows[n].http_status);
        CHECK(justcall_response_http_status(response) == rows[n].http_status);
        CHECK(body_is(response, text, strlen(text)));
        CHECK_TEXT(justcall_response_header(response, "x-note"), text + 5);
        CHECK(justcall_error_request_sent(error) == 1);
        justcall_error_free(error);
    }
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_keeps_the_field_errors_of_a_422(struct sandbox *sandbox) {
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    set_next_response(
        sandbox, "/v2.1/contacts",
        "\"status\": 422, \"body\": {\"status\": \"failed\", \"message\": \"Not valid.\", "
        "\"errors\": {\"email\": [\"is taken\"], \"phone\": [\"is too short\", \"+?\"]}}");
    justcall_error *error = failure_of(client, "/v2.1/contacts", JUSTCALL_ERROR_UNPROCESSABLE);
    CHECK_TEXT(justcall_error_service_message(error), "Not valid.");
    cJSON *body = json_of(justcall_error_response(error));
    const cJSON *fields = cJSON_GetObjectItemCaseSensitive(body, "errors");
    const cJSON *email = cJSON_GetObjectItemCaseSensitive(fields, "email");
    const cJSON *phone = cJSON_GetObjectItemCaseSensitive(fields, "phone");
    CHECK(cJSON_GetArraySize(fields) == 2);
    CHECK_TEXT(cJSON_GetStringValue(cJSON_GetArrayItem(email, 0)), "is taken");
    CHECK_TEXT(cJSON_GetStringValue(cJSON_GetArrayItem(phone, 1)), "+?");
    cJSON_Delete(body);
    justcall_error_free(error);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_reports_the_rate_limit_and_the_wait_of_a_429(struct sandbox *sandbox) {
    run_control(sandbox, "POST", "clear", NULL);
    cJSON *pair = control_text(sandbox, "POST", "pairs",
                               "{\"rate_limit\": {\"limit\": 1, \"window_s\": 1000}}");
    justcall_client *client = new_client(sandbox, pair);
    justcall_response_free(response_to(client, "/v2.1/calls"));
    justcall_error *error = failure_of(client, "/v2.1/calls", JUSTCALL_ERROR_RATE_LIMITED);
    const justcall_response *response = justcall_error_response(error);
    CHECK(justcall_response_rate_limit(response, JUSTCALL_RATE_LIMIT) == 1);
    CHECK(justcall_response_rate_limit(response, JUSTCALL_RATE_LIMIT_REMAINING) == 0);
    CHECK(justcall_error_retry_after_ms(error) > 900000);
    CHECK(justcall_error_retry_after_ms(error) <= 1000000);
    justcall_error_free(error);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_keeps_borrowed_data_until_its_owner_is_freed(struct sandbox *sandbox) {
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_response *response = response_to(client, "/v2.1/calls");
    set_next_response(sandbox, "/a",
                      "\"status\": 403, \"body\": \"no\", \"headers\": {\"X-Note\": \"kept\"}");
    justcall_error *error = failure_of(client, "/a", JUSTCALL_ERROR_FORBIDDEN);
    const justcall_response *refusal = justcall_error_response(error);
    const char *note = justcall_response_header(refusal, "x-note");
    const char *type = justcall_response_header(response, "content-type");
    const uint8_t *body = (const uint8_t *)justcall_response_body(response, NULL);
    justcall_client_free(client);
    run_control(sandbox, "POST", "clear", NULL);

    CHECK(justcall_error_response(error) == refusal);
    CHECK(justcall_response_header(refusal, "x-note") == note);
    CHECK_TEXT(note, "kept");
    CHECK(body_is(refusal, "no", 2));
    CHECK(justcall_response_body(response, NULL) == body);
    CHECK(body[0] == '{');
    justcall_error_free(error);
    CHECK_CONTAINS(type, "application/json");
    justcall_response_free(response);
    cJSON_Delete(pair);
}

static void it_has_no_response_if_none_was_received(struct sandbox *sandbox) {
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    run_control(sandbox, "POST", "faults", "{\"fault\": \"close_after_request\", \"times\": 1}");
    justcall_error *error = failure_of(client, "/v2.1/calls", JUSTCALL_ERROR_CONNECTION_FAILED);
    CHECK(justcall_error_response(error) == NULL);
    CHECK(justcall_error_http_status(error) == 0);
    CHECK(justcall_error_request_sent(error) == 1);
    justcall_error_free(error);
    run_control(sandbox, "POST", "faults", "{\"fault\": \"truncated_body\", \"times\": 1}");
    error = failure_of(client, "/v2.1/calls", JUSTCALL_ERROR_CONNECTION_FAILED);
    CHECK(justcall_error_response(error) == NULL); /* a truncated response does not count */
    justcall_error_free(error);
    error = failure_of(client, "no path", JUSTCALL_ERROR_INVALID_ARGUMENT);
    CHECK(justcall_error_response(error) == NULL);
    justcall_error_free(error);
    justcall_response_free(response_to(client, "/v2.1/calls"));
    justcall_client_free(client);
    cJSON_Delete(pair);
}

int main(void) {
    struct sandbox sandbox = sandbox_open();
    it_returns_status_headers_and_body(&sandbox);
    it_keeps_the_order_and_every_byte(&sandbox);
    it_returns_an_empty_body_if_there_is_none(&sandbox);
    it_decompresses_a_body(&sandbox);
    it_reads_the_rate_limit_in_the_articles_spelling(&sandbox);
    it_reads_the_rate_limit_in_the_measured_spelling(&sandbox);
    it_fails_with_the_status_for_the_response(&sandbox);
    it_keeps_the_field_errors_of_a_422(&sandbox);
    it_reports_the_rate_limit_and_the_wait_of_a_429(&sandbox);
    it_keeps_borrowed_data_until_its_owner_is_freed(&sandbox);
    it_has_no_response_if_none_was_received(&sandbox);
    sandbox_close(&sandbox);
    return checks_result();
}
