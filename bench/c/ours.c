/* justcall-auth through its C ABI: one reused client, the default timeout (30 s), only the CA file
 * trusted, the pair from the environment. JUSTCALL_BENCH_MEMORY sets the protection level, as a
 * number of justcall_auth.h. `verify` checks the status and the JSON, and reads the account from it.
 * `header N` writes the header into a buffer, for programs that bring their own HTTP client. */
#define PEER_HAS_HEADER
#include "worker.h"

#include <justcall_auth.h>

static justcall_client *client;

static void must(justcall_status status, justcall_error *error) {
    if (status != JUSTCALL_OK)
        fail(error ? justcall_error_message(error) : justcall_status_name(status));
}

static void peer_open(const char *url, const char *ca_file) {
    justcall_error *error = NULL;
    justcall_config *config = justcall_config_new();
    must(justcall_config_set_source(config, "env:", &error), error);
    must(justcall_config_set_base_url(config, url, &error), error);
    must(justcall_config_set_ca_file(config, ca_file, &error), error);
    const char *level = getenv("JUSTCALL_BENCH_MEMORY");
    if (level)
        must(justcall_config_set_memory_protection(config, atoi(level), &error), error);
    must(justcall_client_new(config, &client, &error), error);
    justcall_config_free(config);
}

static const char *peer_version(void) {
    return justcall_version();
}

static void peer_verify(void) {
    justcall_error *error = NULL;
    justcall_account *account = NULL;
    must(justcall_client_verify(client, &account, &error), error);
    if (justcall_account_id(account) != 12345)
        fail("the account has an unexpected id");
    justcall_account_free(account);
}

static void peer_header(void) {
    static char buffer[JUSTCALL_AUTHORIZATION_SIZE];
    justcall_error *error = NULL;
    must(justcall_client_authorization(client, buffer, sizeof buffer, NULL, &error), error);
}

static void peer_post(const char *body, size_t length) {
    justcall_error *error = NULL;
    justcall_response *response = NULL;
    must(justcall_client_request(client, "POST", "/v2/texts", (const void *)body, length, &response,
                                 &error),
         error);
    if (justcall_response_http_status(response) != 200)
        fail("the status is not 200");
    justcall_response_free(response);
}

static void peer_close(void) {
    justcall_client_free(client);
}
