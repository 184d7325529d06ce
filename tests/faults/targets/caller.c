/* Makes the calls that its standard input names, one per line, and prints a row for each, as
 * targets/caller.py and src/bin/caller.rs do: see src/vectors/caller.rs. */

#define _POSIX_C_SOURCE 200809L

#include <justcall_auth.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WEBHOOK_URL "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4"
#define SIGNATURE "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf"
#define TIMESTAMP "2024-03-21 17:08:22"
#define TOLERANCE 600
#define MOST_WORDS 6

static justcall_client *client;

static void fail(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(2);
}

/* Creates the client of `open BASE_URL CA_FILE SOURCE TIMEOUT_MS RETRIES`. */
static justcall_status open_client(char **words, justcall_error **error) {
    justcall_config *config = justcall_config_new();
    const uint64_t timeout = strtoull(words[4], NULL, 10);
    const uint32_t retries = (uint32_t)strtoul(words[5], NULL, 10);
    justcall_client_free(client);
    client = NULL;
    justcall_status status = justcall_config_set_base_url(config, words[1], error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_ca_file(config, words[2], error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_source(config, words[3], error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_proxy(config, "", error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_timeout_ms(config, timeout, error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_max_retries(config, retries, error);
    if (status == JUSTCALL_OK)
        status = justcall_client_new(config, &client, error);
    justcall_config_free(config);
    return status;
}

static justcall_status verify(int32_t *http_status, justcall_error **error) {
    justcall_account *account = NULL;
    const justcall_status status = justcall_client_verify(client, &account, error);
    justcall_account_free(account);
    *http_status = 200;
    return status;
}

static justcall_status request(const char *method, const char *path, size_t length,
                               int32_t *http_status, justcall_error **error) {
    justcall_response *response = NULL;
    char *body = length ? malloc(length) : NULL;
    if (length && !body)
        fail("no memory");
    if (body)
        memset(body, ' ', length);
    const justcall_status status =
        justcall_client_request(client, method, path, body, length, &response, error);
    *http_status = justcall_response_http_status(response);
    justcall_response_free(response);
    free(body);
    return status;
}

/* Verifies the example of the official reference at the time of this machine. */
static justcall_status verify_webhook(justcall_error **error) {
    static const char body[] = "{\"webhook_url\": \"" WEBHOOK_URL "\", \"type\": \"call.completed\"}";
    justcall_webhook *webhook = NULL;
    justcall_webhook_event *event = NULL;
    justcall_status status = justcall_webhook_new(WEBHOOK_URL, TOLERANCE, &webhook, error);
    if (status == JUSTCALL_OK)
        status = justcall_webhook_use_client(webhook, client, error);
    if (status == JUSTCALL_OK)
        status = justcall_webhook_verify(webhook, SIGNATURE, "v1", TIMESTAMP, body, sizeof body - 1,
                                         (int64_t)time(NULL), &event, error);
    justcall_webhook_event_free(event);
    justcall_webhook_free(webhook);
    return status;
}

static justcall_status call(int count, char **words, int32_t *http_status, justcall_error **error) {
    *http_status = 0;
    if (count == 6 && strcmp(words[0], "open") == 0)
        return open_client(words, error);
    if (count == 1 && strcmp(words[0], "verify") == 0)
        return verify(http_status, error);
    if (count == 1 && strcmp(words[0], "webhook") == 0)
        return verify_webhook(error);
    if (count == 2 && strcmp(words[0], "get") == 0)
        return request("GET", words[1], 0, http_status, error);
    if (count == 3 && strcmp(words[0], "post") == 0)
        return request("POST", words[1], strtoul(words[2], NULL, 10), http_status, error);
    fail("unknown call");
    return JUSTCALL_OK;
}

static void print_row(justcall_status status, int32_t http_status, const justcall_error *error) {
    if (status == JUSTCALL_OK) {
        printf("ok %d 1 -1\n", (int)http_status);
        return;
    }
    const char *texts[] = {justcall_error_message(error), justcall_error_hint(error),
                           justcall_error_service_message(error)};
    printf("%s %d %d %lld", justcall_error_name(error), (int)justcall_error_http_status(error),
           (int)justcall_error_request_sent(error),
           (long long)justcall_error_retry_after_ms(error));
    for (int n = 0; n < 3; ++n) {
        putchar(' ');
        for (const char *at = texts[n]; at && *at; ++at)
            putchar(*at == '\n' ? ' ' : *at);
    }
    putchar('\n');
}

int main(void) {
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        char *words[MOST_WORDS] = {NULL}, *place = NULL;
        int count = 0;
        for (char *word = strtok_r(line, " \n", &place); word; word = strtok_r(NULL, " \n", &place)) {
            if (count == MOST_WORDS)
                fail("too many words");
            words[count++] = word;
        }
        if (count == 0)
            fail("an empty line");
        justcall_error *error = NULL;
        int32_t http_status = 0;
        const justcall_status status = call(count, words, &http_status, &error);
        print_row(status, http_status, error);
        fflush(stdout);
        justcall_error_free(error);
    }
    free(line);
    justcall_client_free(client);
    return 0;
}
