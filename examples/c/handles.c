/*
 * Shows the handles that the other examples do not use: handles SOURCE [BASE_URL [CA_FILE]]
 *
 * The reference of the C API shows each part with its type.
 */

#include <justcall_auth.h>
#include <stdio.h>
#include <string.h>

/* [snippet event] */
/* An event handler. The texts of events have no secrets. */
static void print_event(void *context, const justcall_event *event) {
    FILE *log = context;
    fprintf(log, "event %s: %s\n", justcall_event_name(event), justcall_event_message(event));
}
/* [/snippet event] */

/* [snippet config] */
static justcall_status configure(justcall_config *config, const char *source,
                                 justcall_error **error) {
    justcall_status status = justcall_config_set_source(config, source, error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_timeout_ms(config, 10000, error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_max_retries(config, 1, error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_event_handler(config, print_event, stdout, NULL, error);
    return status;
}
/* [/snippet config] */

/* [snippet credentials] */
/* Loads a pair without a client, and prints which one it is. */
static justcall_status print_pair(const char *source, justcall_error **error) {
    justcall_credentials *credentials = NULL;
    justcall_status status = justcall_credentials_load(source, &credentials, error);
    if (status == JUSTCALL_OK)
        printf("key %s\n", justcall_credentials_key_hint(credentials));
    justcall_credentials_free(credentials);
    return status;
}
/* [/snippet credentials] */

/* [snippet call_options] */
/* Verifies the pair within five seconds. Fails earlier if `cancel`, which may be NULL, is fired. */
static justcall_status verify(const justcall_client *client, const justcall_cancel *cancel,
                              justcall_error **error) {
    justcall_account *account = NULL;
    justcall_call_options *options = justcall_call_options_new();
    justcall_status status = justcall_call_options_set_timeout_ms(options, 5000, error);
    if (status == JUSTCALL_OK && cancel)
        status = justcall_call_options_set_cancel(options, cancel, error);
    if (status == JUSTCALL_OK)
        status = justcall_client_verify_with(client, options, &account, error);
    if (status == JUSTCALL_OK)
        printf("verified\n");
    justcall_account_free(account);
    justcall_call_options_free(options);
    return status;
}
/* [/snippet call_options] */

/* [snippet cancel] */
/* Any thread, and a signal handler, may fire the handle while a call runs. */
static void verify_until_cancelled(const justcall_client *client) {
    justcall_error *error = NULL;
    justcall_cancel *cancel = justcall_cancel_new();
    justcall_cancel_fire(cancel);
    if (verify(client, cancel, &error) == JUSTCALL_ERROR_CANCELLED)
        printf("cancelled: %s\n", justcall_error_message(error));
    justcall_error_free(error);
    justcall_cancel_free(cancel);
}
/* [/snippet cancel] */

/* [snippet report] */
/* Prints what is wrong with a text that a person pasted. Sends nothing. */
static justcall_status check(const char *text, justcall_error **error) {
    justcall_report *report = NULL;
    justcall_status status = justcall_diagnose(text, strlen(text), &report, error);
    for (size_t n = 0; n < justcall_report_count(report); ++n)
        printf("%s\n%s\n", justcall_report_message(report, n), justcall_report_remedy(report, n));
    justcall_report_free(report);
    return status;
}
/* [/snippet report] */

int main(int argc, char **argv) {
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_error *error = NULL;
    if (argc < 2) {
        fprintf(stderr, "handles SOURCE [BASE_URL [CA_FILE]]\n");
        return 2;
    }
    justcall_status status = configure(config, argv[1], &error);
    if (status == JUSTCALL_OK && argc > 2)
        status = justcall_config_set_base_url(config, argv[2], &error);
    if (status == JUSTCALL_OK && argc > 3)
        status = justcall_config_set_ca_file(config, argv[3], &error);
    if (status == JUSTCALL_OK)
        status = justcall_client_new(config, &client, &error);
    if (status == JUSTCALL_OK)
        status = check("0123456789abcdef:a secret with spaces", &error);
    if (status == JUSTCALL_OK)
        status = print_pair(argv[1], &error);
    if (status == JUSTCALL_OK)
        verify_until_cancelled(client);
    if (status == JUSTCALL_OK)
        status = verify(client, NULL, &error);
    if (status != JUSTCALL_OK)
        fprintf(stderr, "%s\n%s\n", justcall_error_message(error), justcall_error_hint(error));
    justcall_error_free(error);
    justcall_client_free(client);
    justcall_config_free(config);
    return status == JUSTCALL_OK ? 0 : 1;
}
