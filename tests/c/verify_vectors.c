/* Runs every file of a folder of tests/vectors/verify against a sandbox: verify_vectors FOLDER,
 * with the sandbox's line in the environment as JUSTCALL_SANDBOX. One line a vector, then the
 * total; tests/vectors/README.md has the format. */

#define _POSIX_C_SOURCE 200809L

#include "control.h"

#include <dirent.h>
#include <justcall_auth.h>
#include <math.h>
#include <stdarg.h>

static const char *const VECTOR_KEYS[] = {"about",  "pair",   "credentials", "faults",
                                          "config", "expect", "requests",    NULL};
static const char *const EXPECT_KEYS[] = {"account", "error", NULL};
static const char *const CONFIG_KEYS[] = {"timeout_ms", "max_retries", "verify_path", NULL};
static const char *const ACCOUNT_KEYS[] = {"id", "email", "plan", "verified_by", NULL};
static const char *const ERROR_KEYS[] = {
    "name",   "code",           "http_status",     "retryable",        "request_sent",
    "reason", "retry_after_ms", "service_message", "message_contains", "hint_contains",
    NULL};

static int mismatches;

/* Prints what is wrong with the vector at hand, and counts it. */
static void mismatch(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("\n    ");
    vprintf(format, arguments);
    va_end(arguments);
    ++mismatches;
}

static const cJSON *get(const cJSON *object, const char *name) {
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static void only_known(const cJSON *object, const char *const *known) {
    if (!cJSON_IsObject(object))
        mismatch("an object is absent");
    for (const cJSON *item = object ? object->child : NULL; item; item = item->next) {
        const char *const *name = known;
        while (*name && strcmp(*name, item->string) != 0)
            ++name;
        if (!*name)
            mismatch("unknown key \"%s\"", item->string);
    }
}

static void same_text(const cJSON *expect, const char *name, const char *actual) {
    const cJSON *item = get(expect, name);
    const char *expected = cJSON_IsString(item) ? item->valuestring : NULL;
    if (!cJSON_IsString(item) && !cJSON_IsNull(item))
        mismatch("%s is neither text nor null", name);
    else if (expected == NULL || actual == NULL ? expected != actual
                                                : strcmp(expected, actual) != 0)
        mismatch("%s is \"%s\", not \"%s\"", name, actual ? actual : "(NULL)",
                 expected ? expected : "(NULL)");
}

/* null stands for `absent`. cJSON reads every number as a double, so they are compared as such. */
static void same_number(const cJSON *expect, const char *name, double actual, double absent) {
    const cJSON *item = get(expect, name);
    double expected = cJSON_IsNull(item) ? absent : cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (actual != expected)
        mismatch("%s is %.17g, not %.17g", name, actual, expected);
}

static void same_truth(const cJSON *expect, const char *name, int32_t actual) {
    const cJSON *item = get(expect, name);
    if (!cJSON_IsBool(item) || actual != (cJSON_IsTrue(item) ? 1 : 0))
        mismatch("%s is %d", name, (int)actual);
}

static void holds_all(const cJSON *expect, const char *name, const char *text) {
    const cJSON *list = get(expect, name), *part;
    if (!cJSON_IsArray(list))
        mismatch("%s is not a list", name);
    cJSON_ArrayForEach(part, list) {
        if (!cJSON_IsString(part) || !strstr(text, part->valuestring))
            mismatch("%s: \"%s\" is not in \"%s\"", name, part->valuestring, text);
    }
}

static void compare_account(const cJSON *expect, const justcall_account *account) {
    only_known(expect, ACCOUNT_KEYS);
    same_number(expect, "id", (double)justcall_account_id(account), 0);
    same_text(expect, "email", justcall_account_email(account));
    same_text(expect, "plan", justcall_account_plan(account));
    same_text(expect, "verified_by", justcall_account_verified_by(account));
}

static void compare_error(const cJSON *expect, const justcall_error *error) {
    only_known(expect, ERROR_KEYS);
    same_text(expect, "name", justcall_error_name(error));
    same_number(expect, "code", justcall_error_status(error), 0);
    same_number(expect, "http_status", justcall_error_http_status(error), 0);
    same_truth(expect, "retryable", justcall_error_retryable(error));
    same_truth(expect, "request_sent", justcall_error_request_sent(error));
    same_number(expect, "retry_after_ms", (double)justcall_error_retry_after_ms(error), -1);
    same_text(expect, "reason", justcall_error_reason(error));
    same_text(expect, "service_message", justcall_error_service_message(error));
    holds_all(expect, "message_contains", justcall_error_message(error));
    holds_all(expect, "hint_contains", justcall_error_hint(error));
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
    only_known(settings, CONFIG_KEYS);
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

/* What a program does: configure, take the pair, verify. */
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
    same_number(vector, "requests", cJSON_GetArraySize(requests), -1);
    cJSON_Delete(requests);
}

static void run(struct sandbox *sandbox, const cJSON *vector) {
    const cJSON *given = get(vector, "credentials"), *expect = get(vector, "expect"), *fault;
    const char *key, *secret;
    justcall_account *account = NULL;
    justcall_error *error = NULL;
    only_known(vector, VECTOR_KEYS);
    only_known(expect, EXPECT_KEYS);
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

/* The JSON in a file; the caller's to delete. */
static cJSON *read_json(const char *path) {
    char *text = NULL;
    size_t length = 0;
    FILE *file = fopen(path, "rb");
    if (!file)
        give_up("cannot open", path);
    do {
        text = (char *)realloc(text, length + 4096 + 1);
        if (!text)
            give_up("no memory for", path);
        size_t count = fread(text + length, 1, 4096, file);
        length += count;
        text[length] = '\0';
    } while (!feof(file) && !ferror(file));
    fclose(file);
    cJSON *json = cJSON_Parse(text);
    if (!json)
        give_up("not JSON", path);
    free(text);
    return json;
}

static int is_json(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
}

int main(int argc, char **argv) {
    struct dirent **entries;
    int failed = 0, count = argc == 2 ? scandir(argv[1], &entries, is_json, alphasort) : -1;
    if (count <= 0)
        give_up("there are no vectors in", argc == 2 ? argv[1] : "an argument that is not there");
    struct sandbox sandbox = sandbox_open();
    for (int n = 0; n < count; ++n) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], entries[n]->d_name);
        cJSON *vector = read_json(path);
        printf("%s", entries[n]->d_name);
        mismatches = 0;
        run(&sandbox, vector);
        printf(mismatches ? "\n" : ": ok\n");
        failed += mismatches != 0;
        cJSON_Delete(vector);
        free(entries[n]);
    }
    free(entries);
    sandbox_close(&sandbox);
    printf("%d vectors, %d failed\n", count, failed);
    return failed != 0;
}
