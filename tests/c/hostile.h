/* For the program that crates/justcall-auth-ffi/tests/abi/hostile.rs generates: valid arguments, of
 * which it replaces one at a time, and checks that must hold for every argument. */

#ifndef JUSTCALL_TESTS_HOSTILE_H
#define JUSTCALL_TESTS_HOSTILE_H

#include "check.h"

#include <stdint.h>
#include <stdlib.h>

/* Expected results of a call that are not one status. */
#define ANYTHING (-1)
#define ANY_FAILURE (-2)

/* 64 bytes each, so that every length up to 64 can be read. */
static const char ends_early[64] = "default:\0behind the NUL";
static const char not_utf8[64] = "\xC3(\xFF\xFE";
static const char controls[64] = "\r\n\t\x1B[31m\x7F";
static const char good_key[64] = "abc123def456";
static const char good_secret[64] = "sec789xyz000";
static const uint8_t good_body[64] = {'{', '}'};

static const char *const good_headers[] = {"retry-after"};
static const char *const headers_with_null[] = {NULL};
static const char *const headers_not_utf8[] = {not_utf8};

static char scratch[JUSTCALL_USAGE_SIZE];
static char *very_long;

static const char *good_source, *good_url, *good_ca_file;
static const char *const good_path = "/v2.1/echo";

static justcall_credentials *good_credentials;
static justcall_config *good_config;
static justcall_config *scratch_config; /* for setters, which may leave any value */
static justcall_client *good_client;
static justcall_account *good_account;
static justcall_error *good_error;
static justcall_request *good_request;
static justcall_request *scratch_request;
static justcall_response *good_response;
static justcall_report *good_report;
static justcall_webhook *good_webhook;
static justcall_webhook *scratch_webhook;
static justcall_webhook *clients_webhook; /* for the secrets of a client */
static justcall_webhook_event *good_webhook_event;

/* A delivery signed with `good_secret`. The body has 64 bytes, so that every length up to 64 can be
 * read. */
static const struct {
    const char *signature, *version, *timestamp;
    int64_t time;
    uint8_t body[64];
    size_t length;
} delivery = {"073fc33d0178b337158901412921831b239a3aac8a68b828cdcdfa57b1f192d5",
              "v1",
              "1711040902",
              1711040902,
              "{\"type\":\"call.x\",\"webhook_url\":\"https://a.b/c\",\"data\":{\"id\":1}}",
              63};

static justcall_call_options *good_call_options;
static justcall_call_options *scratch_call_options;
static justcall_cancel *good_cancel;
static justcall_cancel *scratch_cancel;
static char *good_pem; /* at least 64 KiB, so that every length here can be read */
static size_t good_pem_length;
static justcall_client *shut_client;
static const justcall_event *good_event; /* while its handler runs */
static justcall_exchange *good_exchange; /* has ended */
static justcall_exchange *scratch_exchange;
static justcall_exchange *sending_exchange;

/* A source callback. Functions that only set a callback do not call it. */
static inline justcall_status load_nothing(void *context, justcall_credentials **out,
                                           justcall_error **error) {
    (void)context, (void)out, (void)error;
    return JUSTCALL_ERROR_CREDENTIALS_MISSING;
}

static inline justcall_status see_nothing(void *context, const justcall_webhook_event *event) {
    (void)context, (void)event;
    return JUSTCALL_OK;
}

static inline void handle_nothing(void *context, const justcall_event *event) {
    (void)context, (void)event;
}

static inline void free_nothing(void *context) { (void)context; }

/* Creates an exchange whose next action is to send. */
static inline justcall_exchange *exchange_to_send(void) {
    justcall_exchange *exchange = NULL;
    justcall_error *error = NULL;
    int32_t action = 0;
    CHECK_OK(justcall_exchange_new(good_client, good_request, &exchange, &error), &error);
    CHECK_OK(justcall_exchange_next(exchange, &action, NULL, &error), &error);
    CHECK(action == JUSTCALL_ACTION_SEND);
    return exchange;
}

/* Creates an exchange that has ended. */
static inline justcall_exchange *exchange_that_ended(void) {
    justcall_exchange *exchange = exchange_to_send();
    justcall_error *error = NULL;
    CHECK_OK(justcall_exchange_answered(exchange, 200, NULL, NULL, 0, NULL, 0, &error), &error);
    return exchange;
}

/* Creates the valid arguments. The program's arguments are URL CA_FILE SOURCE: a sandbox, and the
 * source of its pair. */
static inline int hostile_begin(int argc, char **argv) {
    justcall_error *error = NULL;
    if (argc != 4)
        return 0;
    good_url = argv[1];
    good_ca_file = argv[2];
    good_source = argv[3];
    very_long = (char *)malloc(1 << 20);
    good_config = justcall_config_new();
    scratch_config = justcall_config_new();
    if (!very_long || !good_config || !scratch_config)
        return 0;
    memset(very_long, 'a', 1 << 20);
    very_long[(1 << 20) - 1] = '\0';
    CHECK_OK(justcall_credentials_load(good_source, &good_credentials, &error), &error);
    CHECK_OK(justcall_config_set_source(good_config, good_source, &error), &error);
    CHECK_OK(justcall_config_set_base_url(good_config, good_url, &error), &error);
    CHECK_OK(justcall_config_set_ca_file(good_config, good_ca_file, &error), &error);
    CHECK_OK(justcall_client_new(good_config, &good_client, &error), &error);
    CHECK_OK(justcall_client_verify(good_client, &good_account, &error), &error);
    CHECK(justcall_classify(403, NULL, NULL, 0, NULL, 0, &good_error) == JUSTCALL_ERROR_FORBIDDEN);
    CHECK_OK(justcall_request_new("GET", good_path, &good_request, &error), &error);
    CHECK_OK(justcall_request_new("POST", good_path, &scratch_request, &error), &error);
    CHECK_OK(justcall_client_send(good_client, good_request, &good_response, &error), &error);
    CHECK_OK(justcall_diagnose("", 0, &good_report, &error), &error);
    CHECK(justcall_report_count(good_report) > 0);
    CHECK_OK(justcall_webhook_new(JUSTCALL_ANY_URL, 600, &good_webhook, &error), &error);
    CHECK_OK(justcall_webhook_add_secret(good_webhook, good_secret, 12, &error), &error);
    CHECK_OK(justcall_webhook_verify(good_webhook, delivery.signature, delivery.version,
                                     delivery.timestamp, delivery.body, delivery.length,
                                     delivery.time, &good_webhook_event, &error),
             &error);
    CHECK_OK(justcall_webhook_new(good_url, 600, &scratch_webhook, &error), &error);
    CHECK_OK(justcall_webhook_new(good_url, 600, &clients_webhook, &error), &error);
    CHECK_OK(justcall_client_new(good_config, &shut_client, &error), &error);
    good_cancel = justcall_cancel_new();
    scratch_cancel = justcall_cancel_new();
    good_call_options = justcall_call_options_new();
    scratch_call_options = justcall_call_options_new();
    CHECK_OK(justcall_call_options_set_timeout_ms(good_call_options, 20000, &error), &error);
    FILE *file = fopen(good_ca_file, "r");
    good_pem = (char *)calloc(1 << 16, 1);
    if (!file || !good_pem)
        return 0;
    good_pem_length = fread(good_pem, 1, 1 << 16, file);
    fclose(file);
    good_exchange = exchange_that_ended();
    scratch_exchange = exchange_to_send();
    sending_exchange = exchange_to_send();
    return checks_failed == 0;
}

static inline void run_in_handler(void *context, const justcall_event *event) {
    void (**all)(void) = (void (**)(void))context;
    good_event = event;
    (*all)();
}

/* Makes all calls inside an event handler: it runs before the retry of a call to a port on which
 * nothing listens. */
static inline void hostile_run(void (*all)(void)) {
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_account *account = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_config_set_source(config, good_source, &error), &error);
    CHECK_OK(justcall_config_set_base_url(config, "http://127.0.0.1:1", &error), &error);
    CHECK_OK(justcall_config_set_max_retries(config, 1, &error), &error);
    CHECK_OK(justcall_config_set_event_handler(config, run_in_handler, &all, NULL, &error), &error);
    CHECK_OK(justcall_client_new(config, &client, &error), &error);
    CHECK_FAILS(justcall_client_verify(client, &account, &error), JUSTCALL_ERROR_CONNECTION_FAILED,
                &error);
    CHECK(good_event != NULL);
    justcall_client_free(client);
    justcall_config_free(config);
}

static inline int hostile_end(void) {
    justcall_credentials_free(good_credentials);
    justcall_config_free(good_config);
    justcall_config_free(scratch_config);
    justcall_client_free(good_client);
    justcall_account_free(good_account);
    justcall_error_free(good_error);
    justcall_request_free(good_request);
    justcall_request_free(scratch_request);
    justcall_response_free(good_response);
    justcall_report_free(good_report);
    justcall_webhook_free(good_webhook);
    justcall_webhook_free(scratch_webhook);
    justcall_webhook_free(clients_webhook);
    justcall_webhook_event_free(good_webhook_event);
    justcall_cancel_free(good_cancel);
    justcall_cancel_free(scratch_cancel);
    justcall_call_options_free(good_call_options);
    justcall_call_options_free(scratch_call_options);
    free(good_pem);
    justcall_client_free(shut_client);
    justcall_exchange_free(good_exchange);
    justcall_exchange_free(scratch_exchange);
    justcall_exchange_free(sending_exchange);
    free(very_long);
    return checks_result();
}

/* Called directly before and after the next call, unless they are NULL. */
static void (*before_call)(void);
static void (*after_call)(void);

/* Prints the next call, so that the last line before a crash names it. */
static inline void about_to(const char *call) {
    puts(call);
    fflush(stdout);
    if (before_call)
        before_call();
}

static inline void returned(void) {
    if (after_call)
        after_call();
}

/* Checks that the status is expected, and that an error is stored if and only if the call
 * failed. */
static inline void check_call(justcall_status status, int expected, justcall_error **error) {
    if (expected == ANY_FAILURE)
        CHECK(status != JUSTCALL_OK);
    else if (expected != ANYTHING)
        CHECK(status == expected);
    if (error) {
        CHECK((*error == NULL) == (status == JUSTCALL_OK));
        CHECK(justcall_error_status(*error) == status);
        CHECK(status == JUSTCALL_OK || justcall_error_message(*error)[0] != '\0');
        CHECK(status == JUSTCALL_OK || justcall_error_hint(*error)[0] != '\0');
        justcall_error_free(*error);
    }
}

/* Checks that a returned text can be read to its end. */
static inline void check_text_is_whole(const char *text) {
    CHECK(text == NULL || strlen(text) < 4096);
}

/* Checks that returned bytes can be read to their end. */
static inline void check_bytes_are_there(const void *start, size_t length) {
    const uint8_t *bytes = (const uint8_t *)start;
    unsigned sum = 0;
    CHECK(bytes != NULL || length == 0);
    for (size_t n = 0; bytes && n < length; ++n)
        sum += bytes[n];
    CHECK(sum != 0 || length == 0);
}

/* Checks that a returned response can be read to its end. `response` may be NULL. */
static inline void check_response_is_whole(const justcall_response *response) {
    size_t length = 0;
    const void *body = justcall_response_body(response, &length);
    CHECK((body != NULL) == (response != NULL));
    check_bytes_are_there(body, length);
}

#endif
