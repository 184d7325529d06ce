/* Checks copies for which there is no memory: the program limits its address space. out_of_memory
 * URL; the service at URL responds to every request with a body of 30 MiB. */

#define _POSIX_C_SOURCE 200809L

#include "check.h"

#include <stdlib.h>
#include <sys/resource.h>

#define MIB ((size_t)1 << 20)
#define LONG (300 * MIB)

/* Limits further allocations to `left` bytes. */
static void limit_memory(size_t left) {
    struct rlimit limit;
    FILE *status = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;
    CHECK(status && fscanf(status, "%lu", &pages) == 1);
    fclose(status);
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = (rlim_t)pages * 4096 + left;
    CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
}

static justcall_client *client_at(const char *url) {
    justcall_config *config = justcall_config_new();
    justcall_credentials *credentials = NULL;
    justcall_client *client = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_credentials_new("abc123def456", 12, "sec789xyz000", 12, &credentials, &error),
             &error);
    CHECK_OK(justcall_config_set_credentials(config, credentials, &error), &error);
    CHECK_OK(justcall_config_set_base_url(config, url, &error), &error);
    CHECK_OK(justcall_client_new(config, &client, &error), &error);
    justcall_credentials_free(credentials);
    justcall_config_free(config);
    return client;
}

static void it_refuses_a_request_body(const justcall_client *client, const void *body) {
    justcall_request *request = NULL;
    justcall_response *response = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_request_new("POST", "/v2.1/echo", &request, &error), &error);
    CHECK_FAILS(justcall_request_set_body(request, body, LONG, &error),
                JUSTCALL_ERROR_OUT_OF_MEMORY, &error);
    justcall_request_set_body(request, body, LONG, &error);
    CHECK_TEXT(justcall_error_name(error), "out_of_memory");
    CHECK(justcall_error_retryable(error) == 0);
    CHECK(justcall_error_request_sent(error) == 0);
    CHECK(justcall_error_message(error)[0] != '\0' && justcall_error_hint(error)[0] != '\0');
    justcall_error_free(error);
    CHECK(justcall_request_set_body(request, body, LONG, NULL) == JUSTCALL_ERROR_OUT_OF_MEMORY);
    CHECK_FAILS(
        justcall_client_request(client, "POST", "/v2.1/echo", body, LONG, &response, &error),
        JUSTCALL_ERROR_OUT_OF_MEMORY, &error);
    justcall_request_free(request);
}

static void it_refuses_a_response(const justcall_client *client, const void *body,
                                  const char *text) {
    const char *names[] = {"x-note"}, *values[1];
    justcall_exchange *exchange = NULL;
    justcall_error *error = NULL;
    char authorization[JUSTCALL_AUTHORIZATION_SIZE];
    int32_t action = 0;
    values[0] = text;
    CHECK_FAILS(justcall_classify(400, NULL, NULL, 0, body, LONG, &error),
                JUSTCALL_ERROR_OUT_OF_MEMORY, &error);
    CHECK_FAILS(justcall_classify(200, NULL, NULL, 0, body, LONG, &error),
                JUSTCALL_ERROR_OUT_OF_MEMORY, &error);
    CHECK_FAILS(justcall_classify(400, names, values, 1, NULL, 0, &error),
                JUSTCALL_ERROR_OUT_OF_MEMORY, &error);
    CHECK_FAILS(justcall_classify(400, values, names, 1, NULL, 0, &error),
                JUSTCALL_ERROR_OUT_OF_MEMORY, &error);
    exchange = new_exchange(client, "GET", "/v2.1/calls");
    CHECK_OK(justcall_exchange_next(exchange, &action, NULL, &error), &error);
    if (action == JUSTCALL_ACTION_LOAD) {
        CHECK_OK(justcall_exchange_load(exchange, &error), &error);
        CHECK_OK(justcall_exchange_next(exchange, &action, NULL, &error), &error);
    }
    CHECK(action == JUSTCALL_ACTION_SEND);
    CHECK_OK(justcall_exchange_authorization(exchange, authorization, sizeof authorization, NULL,
                                             &error),
             &error);
    CHECK_FAILS(justcall_exchange_answered(exchange, 200, NULL, NULL, 0, body, LONG, &error),
                JUSTCALL_ERROR_OUT_OF_MEMORY, &error);
    CHECK_FAILS(justcall_exchange_answered(exchange, 200, names, values, 1, NULL, 0, &error),
                JUSTCALL_ERROR_OUT_OF_MEMORY, &error);
    /* The exchange is unchanged: a shorter response completes it. */
    CHECK_OK(justcall_exchange_answered(exchange, 200, NULL, NULL, 0, body, 10, &error), &error);
    CHECK_OK(justcall_exchange_next(exchange, &action, NULL, &error), &error);
    CHECK(action == JUSTCALL_ACTION_DONE);
    justcall_exchange_free(exchange);
}

/* The error's copy of the header fits, but the copy that C programs borrow does not. */
static void it_refuses_a_response_that_fits_only_once(char *text) {
    const char *names[] = {"x-note"}, *values[1];
    justcall_error *error = NULL;
    values[0] = text;
    text[80 * MIB] = '\0';
    CHECK_FAILS(justcall_classify(400, names, values, 1, NULL, 0, &error),
                JUSTCALL_ERROR_OUT_OF_MEMORY, &error);
    CHECK(justcall_classify(400, names, values, 1, NULL, 0, NULL) == JUSTCALL_ERROR_BAD_REQUEST);
    text[80 * MIB] = 'x';
}

/* A text over the limit is refused before it is copied. */
static void it_refuses_text_that_is_too_long(const char *text) {
    justcall_config *config = justcall_config_new();
    justcall_credentials *credentials = NULL;
    justcall_request *request = NULL;
    justcall_webhook *webhook = NULL;
    justcall_webhook_event *event = NULL;
    justcall_report *report = NULL;
    justcall_error *error = NULL;
    const justcall_status refused = JUSTCALL_ERROR_INVALID_ARGUMENT;
    CHECK_FAILS(justcall_request_new("GET", text, &request, &error), refused, &error);
    CHECK_FAILS(justcall_request_new(text, "/", &request, &error), refused, &error);
    CHECK_OK(justcall_request_new("GET", "/", &request, &error), &error);
    CHECK_FAILS(justcall_request_add_query(request, text, "a", &error), refused, &error);
    CHECK_FAILS(justcall_request_add_query(request, "a", text, &error), refused, &error);
    CHECK_FAILS(justcall_request_set_header(request, "a", text, &error), refused, &error);
    CHECK_FAILS(justcall_request_set_header(request, text, "a", &error), refused, &error);
    CHECK_FAILS(justcall_config_set_base_url(config, text, &error), refused, &error);
    CHECK_FAILS(justcall_config_set_source(config, text, &error), refused, &error);
    CHECK_FAILS(justcall_config_set_ca_file(config, text, &error), refused, &error);
    CHECK_FAILS(justcall_config_set_proxy(config, text, &error), refused, &error);
    CHECK_FAILS(justcall_credentials_load(text, &credentials, &error), refused, &error);
    CHECK_FAILS(justcall_credentials_new(text, LONG, text, LONG, &credentials, &error),
                JUSTCALL_ERROR_CREDENTIALS_MALFORMED, &error);
    CHECK_FAILS(justcall_webhook_new(text, 600, &webhook, &error), refused, &error);
    CHECK_OK(justcall_webhook_new(JUSTCALL_ANY_URL, 600, &webhook, &error), &error);
    CHECK_FAILS(justcall_webhook_add_secret(webhook, text, LONG, &error),
                JUSTCALL_ERROR_CREDENTIALS_MALFORMED, &error);
    CHECK_OK(justcall_webhook_add_secret(webhook, "sec789xyz000", 12, &error), &error);
    CHECK_FAILS(justcall_webhook_verify(webhook, text, "v1", text, text, LONG, 0, &event, &error),
                JUSTCALL_ERROR_WEBHOOK_MALFORMED, &error);
    CHECK_OK(justcall_diagnose(text, MIB, &report, &error), &error);
    justcall_report_free(report);
    justcall_webhook_free(webhook);
    justcall_request_free(request);
    justcall_config_free(config);
}

static void it_fails_to_read_a_large_response(const char *url) {
    justcall_client *client = client_at(url);
    justcall_response *response = NULL;
    justcall_error *error = NULL;
    limit_memory(16 * MIB);
    justcall_status status =
        justcall_client_request(client, "POST", "/v2.1/calls", NULL, 0, &response, &error);
    CHECK(status == JUSTCALL_ERROR_OUT_OF_MEMORY);
    CHECK(justcall_error_request_sent(error) == 1);
    justcall_error_free(error);
    justcall_response_free(response);
    justcall_client_free(client);
}

int main(int argc, char **argv) {
    char *text = (char *)malloc(LONG + 1);
    if (argc != 2 || !text)
        return 2;
    justcall_client *client = client_at("http://127.0.0.1:1");
    memset(text, 'x', LONG);
    text[LONG] = '\0';
    limit_memory(128 * MIB);
    /* The control: the limit is effective. */
    CHECK(malloc(LONG) == NULL);
    it_refuses_a_request_body(client, text);
    it_refuses_a_response(client, text, text);
    it_refuses_a_response_that_fits_only_once(text);
    it_refuses_text_that_is_too_long(text);
    it_fails_to_read_a_large_response(argv[1]);
    justcall_client_free(client);
    free(text);
    return checks_result();
}
