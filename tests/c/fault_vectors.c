/* Runs the faults of tests/faults/matrix against a sandbox: fault_vectors FOLDER; the sandbox's line
 * is in the environment as JUSTCALL_SANDBOX. Each file is a list of faults. Prints one line for each
 * file, then the total. tests/faults/README.md describes the format. */

#define _XOPEN_SOURCE 700

#include "client.h"
#include "vectors.h"

#include <time.h>

static const char *const VECTOR_KEYS[] = {"about", "call",       "base_url", "fault",
                                          "each",  "timeout_ms", "expect",   NULL};
static const char *const EXPECT_KEYS[] = {"name", "http_status", "request_sent", "retry_after_ms",
                                          NULL};
static const char *const EACH_KEYS[] = {"member", "from", "to", "step", NULL};
/* How much longer than its timeout a call may take on a loaded machine, in seconds. */
static const double GRACE = 30;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* What a call ended with. */
struct result {
    justcall_status status;
    justcall_error *error;
    int32_t http_status;
};

static struct result call(const justcall_client *client, const char *name) {
    struct result result = {JUSTCALL_OK, NULL, 0};
    if (strcmp(name, "verify") == 0) {
        justcall_account *account = NULL;
        result.status = justcall_client_verify(client, &account, &result.error);
        justcall_account_free(account);
        result.http_status = 200;
    } else if (strcmp(name, "get") == 0) {
        justcall_response *response = NULL;
        result.status = justcall_client_request(client, "GET", "/v2.1/calls", NULL, 0, &response,
                                                &result.error);
        result.http_status = justcall_response_http_status(response);
        justcall_response_free(response);
    } else {
        mismatch("unknown call %s", name);
    }
    return result;
}

/* Compares a result with the row. `value` is the value of `each`, which may be the status. */
static void compare(const cJSON *expect, const struct result *result, double value,
                    const char *secret) {
    const justcall_error *error = result->error;
    const int is_ok = result->status == JUSTCALL_OK;
    const int32_t http_status = is_ok ? result->http_status : justcall_error_http_status(error);
    const char *texts[3];
    check_text_equals(expect, "name", is_ok ? "ok" : justcall_error_name(error));
    if (cJSON_IsString(get(expect, "http_status")) ? http_status != (int32_t)value
                                                   : http_status !=
                                                         get(expect, "http_status")->valueint)
        mismatch("http_status is %d", (int)http_status);
    if (!cJSON_IsNull(get(expect, "request_sent")))
        check_flag_equals(expect, "request_sent", is_ok ? 1 : justcall_error_request_sent(error));
    check_number_equals(expect, "retry_after_ms",
                        is_ok ? -1 : (double)justcall_error_retry_after_ms(error), -1);
    texts[0] = is_ok ? NULL : justcall_error_message(error);
    texts[1] = is_ok ? NULL : justcall_error_hint(error);
    texts[2] = is_ok ? NULL : justcall_error_service_message(error);
    for (int n = 0; n < 3; ++n) {
        if (texts[n] && strstr(texts[n], secret))
            mismatch("the secret leaks in \"%s\"", texts[n]);
    }
}

static void run_one(struct sandbox *sandbox, const justcall_client *client, const cJSON *vector,
                    const cJSON *fault, double value, const char *secret) {
    const cJSON *expect = get(vector, "expect");
    const int before = mismatches;
    cJSON_Delete(control(sandbox, "DELETE", "faults", NULL));
    cJSON_Delete(control(sandbox, "DELETE", "requests", NULL));
    if (!cJSON_IsNull(fault))
        cJSON_Delete(control(sandbox, "POST", "faults", fault));
    const double begun = now();
    struct result result = call(client, member(vector, "call"));
    const double took = now() - begun;
    compare(expect, &result, value, secret);
    cJSON *requests = control(sandbox, "GET", "requests", NULL);
    const int is_received = cJSON_GetArraySize(requests) > 0;
    if (is_received && result.error && !justcall_error_request_sent(result.error))
        mismatch("the service received the request");
    if (!is_received && result.status == JUSTCALL_OK)
        mismatch("the service received no request");
    if (took > get(vector, "timeout_ms")->valuedouble / 1000 + GRACE)
        mismatch("it took %.1f s", took);
    if (mismatches > before)
        mismatch("in %s %g: %s %s", member(vector, "about"), value,
                 justcall_status_name(result.status),
                 result.error ? justcall_error_message(result.error) : "");
    cJSON_Delete(requests);
    justcall_error_free(result.error);
}

/* Creates the client of a fault, with the pair of a new account. */
static justcall_client *fault_client(const struct sandbox *sandbox, const cJSON *vector,
                                     const cJSON *pair) {
    justcall_config *config = with_pair(sandbox_config(sandbox), pair);
    const char *base_url = cJSON_GetStringValue(get(vector, "base_url"));
    justcall_error *error = NULL;
    CHECK_OK(justcall_config_set_proxy(config, "", &error), &error);
    if (base_url)
        CHECK_OK(justcall_config_set_base_url(config, base_url, &error), &error);
    CHECK_OK(justcall_config_set_timeout_ms(
                 config, (uint64_t)cJSON_GetNumberValue(get(vector, "timeout_ms")), &error),
             &error);
    return client_of(config);
}

static void run(struct sandbox *sandbox, const cJSON *vector) {
    const cJSON *each = get(vector, "each");
    check_known_keys(vector, VECTOR_KEYS);
    check_known_keys(get(vector, "expect"), EXPECT_KEYS);
    if (!get(vector, "expect") || !get(vector, "timeout_ms"))
        return;
    cJSON *pair = fresh_account(sandbox);
    justcall_client *client = fault_client(sandbox, vector, pair);
    const char *secret = member(pair, "api_secret");
    if (cJSON_IsNull(each)) {
        run_one(sandbox, client, vector, get(vector, "fault"), 0, secret);
    } else {
        check_known_keys(each, EACH_KEYS);
        const double to = cJSON_GetNumberValue(get(each, "to"));
        const double step = cJSON_GetNumberValue(get(each, "step"));
        for (double value = cJSON_GetNumberValue(get(each, "from")); value <= to; value += step) {
            cJSON *fault = cJSON_Duplicate(get(vector, "fault"), 1);
            cJSON_DeleteItemFromObjectCaseSensitive(fault, member(each, "member"));
            cJSON_AddNumberToObject(fault, member(each, "member"), value);
            run_one(sandbox, client, vector, fault, value, secret);
            cJSON_Delete(fault);
        }
    }
    justcall_client_free(client);
    cJSON_Delete(pair);
}

int main(int argc, char **argv) {
    struct vectors vectors = vectors_in(argc == 2 ? argv[1] : NULL, is_json);
    struct sandbox sandbox = sandbox_open();
    int faults = 0;
    for (int n = 0; n < vectors.count; ++n) {
        cJSON *list = vector_begin(&vectors, n, ""), *vector;
        cJSON_ArrayForEach(vector, list) {
            run(&sandbox, vector);
            ++faults;
        }
        vector_end(&vectors, list);
    }
    sandbox_close(&sandbox);
    printf("%d faults\n", faults);
    return vectors_result(&vectors) || checks_failed;
}
