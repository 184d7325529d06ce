/* The first call: first [SOURCE [BASE_URL [CA_FILE]]] */

#include <justcall_auth.h>
#include <stdio.h>

static int first_call(const justcall_config *config) {
    /* [snippet] */
    justcall_client *client = NULL;
    justcall_account *account = NULL;
    justcall_error *error = NULL;
    justcall_status status = justcall_client_new(config, &client, &error);
    if (status == JUSTCALL_OK)
        status = justcall_client_verify(client, &account, &error);
    if (status == JUSTCALL_OK)
        printf("good, says %s\n", justcall_account_verified_by(account));
    else
        fprintf(stderr, "%s\n%s\n", justcall_error_message(error), justcall_error_hint(error));
    /* [/snippet] */
    justcall_error_free(error);
    justcall_account_free(account);
    justcall_client_free(client);
    return status == JUSTCALL_OK ? 0 : 1;
}

int main(int argc, char **argv) {
    int result = 1;
    justcall_error *error = NULL;
    justcall_status status = JUSTCALL_OK;
    justcall_config *config = justcall_config_new();
    if (argc > 1)
        status = justcall_config_set_source(config, argv[1], &error);
    if (argc > 2 && status == JUSTCALL_OK)
        status = justcall_config_set_base_url(config, argv[2], &error);
    if (argc > 3 && status == JUSTCALL_OK)
        status = justcall_config_set_ca_file(config, argv[3], &error);
    if (status == JUSTCALL_OK)
        result = first_call(argc > 1 ? config : NULL);
    else
        fprintf(stderr, "%s\n%s\n", justcall_error_message(error), justcall_error_hint(error));
    justcall_error_free(error);
    justcall_config_free(config);
    return result;
}
