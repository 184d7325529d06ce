/* Checks requests as the sandbox received them. requests MIB; MIB is the size of the largest
 * bodies, and the sandbox's line is in the environment as JUSTCALL_SANDBOX. */

#define _POSIX_C_SOURCE 200809L

#include "client.h"

#include <pthread.h>
#include <time.h>

static const justcall_status invalid = JUSTCALL_ERROR_INVALID_ARGUMENT;

/* Returns whether the sandbox received this body. */
static int has_body(const cJSON *echo, const void *body, size_t length) {
    size_t arrived = 0;
    const char *text = text_in(echo, "body_base64");
    uint8_t *bytes = decoded(text ? text : "", &arrived);
    int same = text && arrived == length && (length == 0 || memcmp(bytes, body, length) == 0);
    free(bytes);
    return same;
}

/* Sends a request to /v2.1/echo, frees it, and returns the response. */
static cJSON *echo_of(const justcall_client *client, justcall_request *request) {
    justcall_response *response = sent(client, request);
    CHECK(justcall_response_http_status(response) == 200);
    cJSON *echo = json_of(response);
    justcall_response_free(response);
    return echo;
}

static void it_sends_every_method(struct sandbox *sandbox) {
    static const char *const methods[] = {"GET",    "HEAD",    "POST",  "PUT", "PATCH",
                                          "DELETE", "OPTIONS", "PURGE", NULL};
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    for (int n = 0; methods[n]; ++n) {
        size_t length = 77;
        justcall_response *response = sent(client, new_request(methods[n], "/v2.1/echo"));
        CHECK(justcall_response_http_status(response) == 200);
        CHECK(justcall_response_body(response, &length) != NULL);
        CHECK((length == 0) == (strcmp(methods[n], "HEAD") == 0));
        justcall_response_free(response);
        cJSON *requests = requests_seen(sandbox);
        CHECK(cJSON_GetArraySize(requests) == n + 1);
        CHECK_TEXT(text_in(cJSON_GetArrayItem(requests, n), "method"), methods[n]);
        cJSON_Delete(requests);
    }
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_encodes_query_parameters(struct sandbox *sandbox) {
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_request *request = new_request("GET", "/v2.1/echo/deep?a=%20");
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_request_add_query(request, "from", "+1 555&x=y", &error), &error);
    CHECK_OK(justcall_request_add_query(request, "\xC3\xA4", "", &error), &error);
    cJSON *echo = echo_of(client, request);
    CHECK_TEXT(text_in(echo, "path"), "/v2.1/echo/deep");
    CHECK_TEXT(text_in(echo, "query"), "a=%20&from=%2B1%20555%26x%3Dy&%C3%A4=");
    cJSON_Delete(echo);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_replaces_a_header_with_the_same_name(struct sandbox *sandbox) {
    const char *value = NULL;
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_error *error = POISON(justcall_error);
    cJSON *echo = echo_of(client, new_request("GET", "/v2.1/echo"));
    CHECK(times_echoed(echo, "accept", &value) == 1);
    CHECK_TEXT(value, "application/json");
    CHECK(times_echoed(echo, "content-type", &value) == 1);
    CHECK_TEXT(value, "application/json");
    CHECK(times_echoed(echo, "x-note", &value) == 0);
    cJSON_Delete(echo);

    justcall_request *request = new_request("GET", "/v2.1/echo");
    CHECK_OK(justcall_request_set_header(request, "X-Note", "one", &error), &error);
    CHECK_OK(justcall_request_set_header(request, "x-nOTE", "two \xC3\xA4", &error), &error);
    CHECK_OK(justcall_request_set_header(request, "CONTENT-TYPE", "text/csv", &error), &error);
    CHECK_OK(justcall_request_set_header(request, "Accept", "*/*", &error), &error);
    echo = echo_of(client, request);
    CHECK(times_echoed(echo, "x-note", &value) == 1);
    CHECK_TEXT(value, "two \xC3\x83\xC2\xA4"); /* the sandbox reads bytes as ISO 8859-1 */
    CHECK(times_echoed(echo, "content-type", &value) == 1);
    CHECK_TEXT(value, "text/csv");
    CHECK(times_echoed(echo, "accept", &value) == 1);
    CHECK_TEXT(value, "*/*");
    cJSON_Delete(echo);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_copies_a_body_and_sends_every_byte_of_it(struct sandbox *sandbox) {
    uint8_t body[] = {0, 1, 0xFF, '\r', '\n', 0x80, 0};
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_request *request = new_request("POST", "/v2.1/echo");
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_request_set_body(request, "another", 7, &error), &error);
    CHECK_OK(justcall_request_set_body(request, body, sizeof body, &error), &error);
    body[0] = 'x';
    cJSON *echo = echo_of(client, request);
    CHECK(!has_body(echo, body, sizeof body));
    body[0] = 0;
    CHECK(has_body(echo, body, sizeof body));
    cJSON_Delete(echo);

    request = new_request("POST", "/v2.1/echo");
    CHECK_OK(justcall_request_set_body(request, body, sizeof body, &error), &error);
    CHECK_OK(justcall_request_set_body(request, NULL, 0, &error), &error);
    echo = echo_of(client, request);
    CHECK(has_body(echo, NULL, 0));
    cJSON_Delete(echo);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_sends_and_receives_large_bodies(struct sandbox *sandbox, size_t size) {
    char path[64];
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_request *request = new_request("POST", "/v2.1/echo");
    justcall_error *error = POISON(justcall_error);
    uint8_t *body = (uint8_t *)malloc(size);
    if (!body)
        abort_test("no memory for", "a body");
    for (size_t n = 0; n < size; ++n)
        body[n] = (uint8_t)(n * 2654435761u >> 13);
    CHECK_OK(justcall_request_set_body(request, body, size, &error), &error);
    cJSON *echo = echo_of(client, request);
    CHECK(has_body(echo, body, size));
    cJSON_Delete(echo);
    free(body);

    snprintf(path, sizeof path, "/v2.1/echo?bytes=%lu", (unsigned long)size);
    echo = echo_of(client, new_request("GET", path));
    const char *filler = text_in(echo, "filler");
    CHECK(filler && strlen(filler) == size && strspn(filler, "x") == size);
    cJSON_Delete(echo);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_reports_a_refusal_that_comes_during_an_upload(struct sandbox *sandbox, size_t size) {
    static const struct {
        const char *method, *fault;
        int status;
    } cases[] = {
        {"PUT",
         "{\"fault\":\"answer\",\"status\":413,\"body\":{\"message\":\"Enough.\"},"
         "\"early\":{\"after_bytes\":65536},\"times\":1}",
         413},
        {"POST",
         "{\"fault\":\"answer\",\"status\":401,\"body\":{\"message\":\"Enough.\"},"
         "\"early\":{\"after_bytes\":65536,\"then\":\"reset\"},\"times\":1}",
         401},
    };
    uint8_t *body = (uint8_t *)calloc(size, 1);
    if (!body)
        abort_test("no memory for", "a body");
    for (size_t n = 0; n < sizeof cases / sizeof *cases; ++n) {
        justcall_response *response = NULL;
        justcall_error *error = POISON(justcall_error);
        cJSON *pair = fresh_account(sandbox);
        justcall_client *client = new_client(sandbox, pair);
        justcall_request *request = new_request(cases[n].method, "/v2.1/echo");
        CHECK_OK(justcall_request_set_body(request, body, size, &error), &error);
        run_control(sandbox, "POST", "faults", cases[n].fault);
        CHECK(justcall_client_send(client, request, &response, &error) != JUSTCALL_OK);
        CHECK(justcall_error_http_status(error) == cases[n].status);
        CHECK(justcall_error_request_sent(error) == 1);
        CHECK_TEXT(justcall_error_service_message(error), "Enough.");
        justcall_error_free(error);
        justcall_request_free(request);
        justcall_client_free(client);
        cJSON_Delete(pair);
    }
    free(body);
}

static void it_limits_a_request_by_its_own_timeout(struct sandbox *sandbox) {
    justcall_response *response = POISON(justcall_response);
    cJSON *pair = fresh_account(sandbox);
    justcall_client *default_client = new_client(sandbox, pair);
    justcall_config *config = with_pair(sandbox_config(sandbox), pair);
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_config_set_timeout_ms(config, 200, &error), &error);
    justcall_client *short_client = client_of(config);
    justcall_request *request = new_request("GET", "/v2.1/echo");

    /* Opens the connection before the limit counts: on a loaded machine that may take long. */
    CHECK_OK(justcall_client_send(default_client, request, &response, &error), &error);
    justcall_response_free(response);
    response = POISON(justcall_response);
    run_control(sandbox, "POST", "faults", "{\"fault\": \"hang\"}");
    time_t begun = time(NULL);
    CHECK_OK(justcall_request_set_timeout_ms(request, 2000, &error), &error);
    CHECK(justcall_client_send(default_client, request, &response, &error) ==
          JUSTCALL_ERROR_TIMEOUT);
    CHECK(response == NULL);
    CHECK_TEXT(justcall_error_reason(error), "receive");
    CHECK(justcall_error_request_sent(error) == 1);
    CHECK(justcall_error_response(error) == NULL);
    CHECK(time(NULL) - begun < 20); /* the client's timeout is 30 seconds */
    justcall_error_free(error);
    run_control(sandbox, "DELETE", "faults", NULL);

    run_control(sandbox, "POST", "faults", "{\"fault\": \"delay\", \"ms\": 1000}");
    CHECK_FAILS(
        justcall_client_request(short_client, "GET", "/v2.1/echo", NULL, 0, &response, &error),
        JUSTCALL_ERROR_TIMEOUT, &error);
    CHECK_OK(justcall_request_set_timeout_ms(request, 0, &error), &error);
    justcall_response_free(sent(short_client, request));
    justcall_client_free(default_client);
    justcall_client_free(short_client);
    cJSON_Delete(pair);
}

#define THREADS 4
#define SENDS 5

struct work {
    const justcall_client *client;
    const justcall_request *request;
    int good;
};

static void *send_often(void *context) {
    struct work *work = (struct work *)context;
    for (int n = 0; n < SENDS; ++n) {
        justcall_response *response = NULL;
        size_t length = 0;
        if (justcall_client_send(work->client, work->request, &response, NULL) == JUSTCALL_OK) {
            const uint8_t *body = (const uint8_t *)justcall_response_body(response, &length);
            cJSON *echo = cJSON_ParseWithLength((const char *)body, length);
            const char *query = text_in(echo, "query");
            work->good += query && strcmp(query, "page=3") == 0 && has_body(echo, "[1]", 3);
            cJSON_Delete(echo);
        }
        justcall_response_free(response);
    }
    return NULL;
}

static void it_sends_one_request_repeatedly_and_from_several_threads(struct sandbox *sandbox) {
    pthread_t threads[THREADS];
    struct work work[THREADS];
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_request *request = new_request("PUT", "/v2.1/echo");
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_request_add_query(request, "page", "3", &error), &error);
    CHECK_OK(justcall_request_set_body(request, "[1]", 3, &error), &error);
    work[0].client = client;
    work[0].request = request;
    work[0].good = 0;
    send_often(&work[0]);
    CHECK(work[0].good == SENDS);
    for (int n = 0; n < THREADS; ++n) {
        work[n] = work[0];
        work[n].good = 0;
    }
    for (int n = 0; n < THREADS; ++n)
        CHECK(pthread_create(&threads[n], NULL, send_often, &work[n]) == 0);
    for (int n = 0; n < THREADS; ++n) {
        CHECK(pthread_join(threads[n], NULL) == 0);
        CHECK(work[n].good == SENDS);
    }
    cJSON *requests = requests_seen(sandbox);
    CHECK(cJSON_GetArraySize(requests) == (1 + THREADS) * SENDS);
    cJSON_Delete(requests);
    justcall_request_free(request);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_has_a_short_form(struct sandbox *sandbox) {
    const uint8_t body[] = {'[', '2', ']'};
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_response *response = POISON(justcall_response);
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_client_request(client, "PATCH", "/v2.1/echo?a=1", body, sizeof body,
                                     &response, &error),
             &error);
    cJSON *echo = json_of(response);
    CHECK_TEXT(text_in(echo, "method"), "PATCH");
    CHECK_TEXT(text_in(echo, "query"), "a=1");
    CHECK(has_body(echo, body, sizeof body));
    cJSON_Delete(echo);
    justcall_response_free(response);
    CHECK(justcall_client_request(client, "GET", "/v2.1/echo", NULL, 0, &response, NULL) ==
          JUSTCALL_OK);
    echo = json_of(response);
    CHECK(has_body(echo, NULL, 0));
    cJSON_Delete(echo);
    justcall_response_free(response);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

/* A link to the next page in a response can be used unchanged. justcall_request_new() has no
 * client, so no base URL to compare a URL with. */
static void it_accepts_a_url_under_the_base_url(struct sandbox *sandbox) {
    static const char *const others[] = {"https://evil.example/v2.1/echo",
                                         "%s.evil.example/v2.1/echo",
                                         "%s@evil.example/v2.1/echo",
                                         "%s/../v2.1/echo",
                                         "%s//evil.example/",
                                         NULL};
    char url[512];
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_response *response = POISON(justcall_response);
    justcall_request *none = POISON(justcall_request);
    justcall_error *error = POISON(justcall_error);
    snprintf(url, sizeof url, "%s/v2.1/echo?page=2", member(sandbox->line, "url"));
    CHECK_OK(justcall_client_request(client, "GET", url, NULL, 0, &response, &error), &error);
    cJSON *echo = json_of(response);
    CHECK_TEXT(text_in(echo, "query"), "page=2");
    cJSON_Delete(echo);
    justcall_response_free(response);
    CHECK_FAILS(justcall_request_new("GET", url, &none, &error), invalid, &error);
    CHECK(none == NULL);
    for (int n = 0; others[n]; ++n) {
        response = POISON(justcall_response);
        snprintf(url, sizeof url, others[n], member(sandbox->line, "url"));
        CHECK_FAILS(justcall_client_request(client, "GET", url, NULL, 0, &response, &error),
                    invalid, &error);
        CHECK(response == NULL);
    }
    cJSON *requests = requests_seen(sandbox);
    CHECK(cJSON_GetArraySize(requests) == 1);
    cJSON_Delete(requests);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_sends_nothing_that_it_refuses(struct sandbox *sandbox) {
    static const char *const headers[][2] = {
        {"Authorization", "abc:def"}, {"host", "evil.example"},  {"CONTENT-LENGTH", "7"},
        {"Connection", "close"},      {"x note", "a"},           {"", "a"},
        {"x-note", "a\r\nHost: b"},   {"x-note", " a"},          {"x-note", "\xFF"},
        {"Transfer-Encoding", "x"},   {"Proxy-Connection", "x"}, {NULL, NULL}};
    static const char *const paths[] = {"https://evil.example/",
                                        "//evil.example",
                                        "v2.1/echo",
                                        "/a/../b",
                                        "/a b",
                                        "/a#b",
                                        "/\xC3\xA4",
                                        "/a%0d%0a",
                                        NULL};
    static const char *const methods[] = {"get", "", "GET /", "CONNECT", "TRACE", NULL};
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    justcall_request *request = new_request("POST", "/v2.1/echo"), *none;
    justcall_response *response = POISON(justcall_response);
    justcall_error *error = POISON(justcall_error);
    for (int n = 0; headers[n][0]; ++n)
        CHECK_FAILS(justcall_request_set_header(request, headers[n][0], headers[n][1], &error),
                    invalid, &error);
    char *value = (char *)malloc(9 * 1024);
    if (!value)
        abort_test("no memory for", "a query");
    memset(value, 'a', 9 * 1024);
    value[9 * 1024 - 1] = '\0';
    CHECK_FAILS(justcall_request_add_query(request, "page", value, &error), invalid, &error);
    free(value);
    CHECK_FAILS(justcall_request_set_body(request, NULL, 1, &error), invalid, &error);
    CHECK_FAILS(justcall_request_set_body(request, "", SIZE_MAX, &error), invalid, &error);
    for (int n = 0; paths[n]; ++n) {
        none = POISON(justcall_request);
        CHECK_FAILS(justcall_request_new("GET", paths[n], &none, &error), invalid, &error);
        CHECK(none == NULL);
        response = POISON(justcall_response);
        CHECK_FAILS(justcall_client_request(client, "GET", paths[n], NULL, 0, &response, &error),
                    invalid, &error);
        CHECK(response == NULL);
    }
    for (int n = 0; methods[n]; ++n) {
        CHECK_FAILS(justcall_request_new(methods[n], "/", &none, &error), invalid, &error);
        CHECK_FAILS(justcall_client_request(client, methods[n], "/", NULL, 0, &response, &error),
                    invalid, &error);
    }
    CHECK_FAILS(justcall_client_request(client, "PUT", "/", NULL, 1, &response, &error), invalid,
                &error);
    CHECK_FAILS(justcall_client_send(client, NULL, &response, &error), invalid, &error);
    CHECK_FAILS(justcall_client_send(NULL, request, &response, &error), invalid, &error);
    CHECK_FAILS(justcall_client_send(client, request, NULL, &error), invalid, &error);
    CHECK_SEEN(sandbox, NULL);

    const char *header = NULL;
    cJSON *echo = echo_of(client, request); /* unchanged by the refused calls */
    CHECK(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(echo, "query")));
    CHECK(has_body(echo, NULL, 0));
    CHECK(times_echoed(echo, "x-note", &header) == 0);
    CHECK(times_echoed(echo, "host", &header) == 1);
    CHECK(strcmp(header, "evil.example") != 0);
    cJSON_Delete(echo);
    CHECK_SEEN(sandbox, "/v2.1/echo", NULL);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_sends_no_request_before_the_account_is_verified(struct sandbox *sandbox) {
    justcall_response *response = POISON(justcall_response);
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    uint64_t id =
        (uint64_t)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(pair, "account_id"));
    justcall_config *config = with_pair(sandbox_config(sandbox), pair);
    CHECK_OK(justcall_config_set_expected_account(config, id, &error), &error);
    justcall_client *client = client_of(config);
    justcall_response_free(response_to(client, "/v2.1/echo"));
    justcall_response_free(response_to(client, "/v2.1/echo"));
    CHECK_SEEN(sandbox, "/v2/account", "/v2.1/echo", "/v2.1/echo", NULL);
    justcall_client_free(client);
    cJSON_Delete(pair);

    pair = fresh_account(sandbox);
    config = with_pair(sandbox_config(sandbox), pair);
    CHECK_OK(justcall_config_set_expected_account(config, 7, &error), &error);
    client = client_of(config);
    CHECK_FAILS(justcall_client_request(client, "GET", "/v2.1/echo", NULL, 0, &response, &error),
                JUSTCALL_ERROR_WRONG_ACCOUNT, &error);
    CHECK(response == NULL);
    CHECK_SEEN(sandbox, "/v2/account", NULL);
    run_control(sandbox, "POST", "faults",
                "{\"fault\": \"answer\", \"status\": 404, \"path\": \"/v2/account\"}");
    CHECK(justcall_client_request(client, "GET", "/v2.1/echo", NULL, 0, &response, &error) ==
          JUSTCALL_ERROR_WRONG_ACCOUNT);
    CHECK_CONTAINS(justcall_error_message(error), "its account is unknown");
    CHECK_CONTAINS(justcall_error_message(error), "account 7");
    justcall_error_free(error);
    CHECK_SEEN(sandbox, "/v2/account", "/v2/account", "/v2.1/users", NULL);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

/* Nothing listens on the port of the proxy. */
static void it_connects_through_the_proxy_or_not_at_all(struct sandbox *sandbox) {
    const int plain = ca_file_of(sandbox) == NULL; /* plain http:// uses no proxy */
    static const char *const urls[] = {"https://proxy:1", "socks5://proxy:1", "http://",
                                       "http://a canary@proxy", NULL};
    justcall_response *response = POISON(justcall_response);
    cJSON *pair = fresh_account(sandbox);
    justcall_config *config = with_pair(sandbox_config(sandbox), pair);
    justcall_client *client = NULL;
    justcall_error *error = POISON(justcall_error);
    CHECK_OK(justcall_config_set_proxy(config, "http://user:canary@127.0.0.1:1", &error), &error);
    for (int n = 0; urls[n]; ++n) {
        CHECK(justcall_config_set_proxy(config, urls[n], &error) == invalid);
        CHECK(strstr(justcall_error_message(error), "canary") == NULL);
        justcall_error_free(error);
    }
    CHECK_OK(justcall_client_new(config, &client, &error), &error);
    CHECK(justcall_client_request(client, "GET", "/v2.1/echo", NULL, 0, &response, &error) ==
          (plain ? JUSTCALL_OK : JUSTCALL_ERROR_CONNECTION_FAILED));
    CHECK((response == NULL) == !plain);
    CHECK(strstr(justcall_error_message(error), "canary") == NULL);
    CHECK(justcall_error_request_sent(error) == 0);
    justcall_response_free(response);
    justcall_error_free(error);
    justcall_client_free(client);
    if (!plain)
        CHECK_SEEN(sandbox, NULL);

    run_control(sandbox, "DELETE", "requests", NULL);
    CHECK_OK(justcall_config_set_proxy(config, "", &error), &error);
    client = client_of(config);
    justcall_response_free(response_to(client, "/v2.1/echo"));
    CHECK_SEEN(sandbox, "/v2.1/echo", NULL);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

static void it_counts_calls_and_requests(struct sandbox *sandbox) {
    static char text[JUSTCALL_USAGE_SIZE];
    size_t length = 0, needed = 0;
    char small[8] = "as is";
    justcall_response *response = NULL;
    justcall_error *error = POISON(justcall_error);
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = new_client(sandbox, pair);
    CHECK_OK(justcall_client_usage(client, text, sizeof text, &length, &error), &error);
    CHECK(strstr(text, "justcall_auth_calls_total{outcome=\"ok\"} 0\n"));
    CHECK(!strstr(text, "pair_generation"));

    justcall_response_free(response_to(client, "/v2.1/echo"));
    CHECK(justcall_client_request(client, "GET", "/v2.1/nothing", NULL, 0, &response, NULL) == 404);
    CHECK_OK(justcall_client_usage(client, text, sizeof text, &length, &error), &error);
    CHECK(length == strlen(text));
    CHECK(strstr(text, "justcall_auth_calls_total{outcome=\"ok\"} 1\n"));
    CHECK(strstr(text, "justcall_auth_calls_total{outcome=\"not_found\"} 1\n"));
    CHECK(strstr(text, "justcall_auth_requests_total{method=\"GET\",status=\"404\"} 1\n"));
    CHECK(strstr(text, "justcall_auth_pair_generation 1\n"));
    CHECK(strcmp(text + length - 6, "# EOF\n") == 0);
    CHECK(!strstr(text, member(pair, "api_key")) && !strstr(text, member(pair, "api_secret")));

    CHECK(justcall_client_usage(client, small, sizeof small, &needed, &error) ==
          JUSTCALL_ERROR_BUFFER_TOO_SMALL);
    justcall_error_free(error);
    CHECK(needed > sizeof small && needed < JUSTCALL_USAGE_SIZE);
    CHECK_TEXT(small, "as is");
    CHECK(justcall_client_usage(client, NULL, 0, NULL, NULL) == JUSTCALL_ERROR_BUFFER_TOO_SMALL);
    justcall_client_free(client);
    cJSON_Delete(pair);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    struct sandbox sandbox = sandbox_open();
    it_sends_every_method(&sandbox);
    it_encodes_query_parameters(&sandbox);
    it_replaces_a_header_with_the_same_name(&sandbox);
    it_copies_a_body_and_sends_every_byte_of_it(&sandbox);
    it_sends_and_receives_large_bodies(&sandbox, (size_t)strtoul(argv[1], NULL, 10) << 20);
    it_reports_a_refusal_that_comes_during_an_upload(&sandbox, (size_t)strtoul(argv[1], NULL, 10)
                                                                   << 20);
    it_limits_a_request_by_its_own_timeout(&sandbox);
    it_sends_one_request_repeatedly_and_from_several_threads(&sandbox);
    it_has_a_short_form(&sandbox);
    it_accepts_a_url_under_the_base_url(&sandbox);
    it_sends_nothing_that_it_refuses(&sandbox);
    it_sends_no_request_before_the_account_is_verified(&sandbox);
    it_connects_through_the_proxy_or_not_at_all(&sandbox);
    it_counts_calls_and_requests(&sandbox);
    sandbox_close(&sandbox);
    return checks_result();
}
