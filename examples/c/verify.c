/* Verifies a pair: verify [SOURCE [BASE_URL [CA_FILE]]] */

#include <inttypes.h>
#include <justcall_auth.h>
#include <stdio.h>

/* [snippet] */
static void show_account(const justcall_account *account) {
    const char *email = justcall_account_email(account);
    const char *plan = justcall_account_plan(account);
    printf("account: %" PRIu64 "\n", justcall_account_id(account));
    printf("email:   %s\n", email ? email : "unknown");
    printf("plan:    %s\n", plan ? plan : "unknown");
}

static void show_error(const justcall_error *error) {
    const char *service = justcall_error_service_message(error);
    fprintf(stderr, "%s: %s\n", justcall_error_name(error), justcall_error_message(error));
    if (service)
        fprintf(stderr, "the service says: %s\n", service);
    fprintf(stderr, "hint: %s\n", justcall_error_hint(error));
}

static justcall_status verify(const justcall_config *config) {
    justcall_client *client = NULL;
    justcall_account *account = NULL;
    justcall_error *error = NULL;
    justcall_status status = justcall_client_new(config, &client, &error);
    if (status == JUSTCALL_OK)
        status = justcall_client_verify(client, &account, &error);
    if (status == JUSTCALL_OK)
        show_account(account);
    else
        show_error(error);
    justcall_error_free(error);
    justcall_account_free(account);
    justcall_client_free(client);
    return status;
}
/* [/snippet] */

/* Sets SOURCE, by default "default:", and the sandbox if the arguments name one. */
static justcall_status configure(justcall_config *config, int argc, char **argv) {
    justcall_error *error = NULL;
    const char *source = argc > 1 ? argv[1] : "default:";
    justcall_status status = justcall_config_set_source(config, source, &error);
    if (status == JUSTCALL_OK && argc > 2)
        status = justcall_config_set_base_url(config, argv[2], &error);
    if (status == JUSTCALL_OK && argc > 3)
        status = justcall_config_set_ca_file(config, argv[3], &error);
    if (status != JUSTCALL_OK)
        show_error(error);
    justcall_error_free(error);
    return status;
}

int main(int argc, char **argv) {
    justcall_config *config = justcall_config_new();
    justcall_status status = configure(config, argc, argv);
    if (status == JUSTCALL_OK)
        status = verify(config);
    justcall_config_free(config);
    return status == JUSTCALL_OK ? 0 : 1;
}
