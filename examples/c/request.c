/*
 * Lists the latest calls: request [SOURCE [BASE_URL [CA_FILE]]]
 *
 * The pair comes from SOURCE, by default "default:". BASE_URL and CA_FILE select a local sandbox
 * instead of the service.
 */

#include <justcall_auth.h>
#include <stdio.h>

/* [snippet] */
static justcall_status list_calls(const justcall_client *client, justcall_error **error) {
    justcall_request *request = NULL;
    justcall_response *response = NULL;
    justcall_status status = justcall_request_new("GET", "/v2.1/calls", &request, error);
    if (status == JUSTCALL_OK)
        status = justcall_request_add_query(request, "per_page", "3", error);
    if (status == JUSTCALL_OK)
        status = justcall_client_send(client, request, &response, error);
    if (status == JUSTCALL_OK) {
        size_t length = 0;
        const void *body = justcall_response_body(response, &length);
        fwrite(body, 1, length, stdout);
    }
    justcall_response_free(response);
    justcall_request_free(request);
    return status;
}

/* The response of the error has the service's message, and for a 422 the wrong fields. */
static void show_error(const justcall_error *error) {
    size_t length = 0;
    const void *body = justcall_response_body(justcall_error_response(error), &length);
    fprintf(stderr, "%s: %s\nhint: %s\n", justcall_error_name(error), justcall_error_message(error),
            justcall_error_hint(error));
    if (body)
        fwrite(body, 1, length, stderr);
}
/* [/snippet] */

int main(int argc, char **argv) {
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_error *error = NULL;
    justcall_status status = JUSTCALL_OK;
    if (argc > 1)
        status = justcall_config_set_source(config, argv[1], &error);
    if (status == JUSTCALL_OK && argc > 2)
        status = justcall_config_set_base_url(config, argv[2], &error);
    if (status == JUSTCALL_OK && argc > 3)
        status = justcall_config_set_ca_file(config, argv[3], &error);
    if (status == JUSTCALL_OK)
        status = justcall_client_new(config, &client, &error);
    if (status == JUSTCALL_OK)
        status = list_calls(client, &error);
    if (status != JUSTCALL_OK)
        show_error(error);
    justcall_error_free(error);
    justcall_client_free(client);
    justcall_config_free(config);
    return status == JUSTCALL_OK ? 0 : 1;
}
