/* One call of the library between two markers: target URL CA_FILE SOURCE SCENARIO BUG.
 *
 * src/scenario.rs describes the scenarios, and src/run.rs reads what the program prints. BUG is a
 * planted bug that shows itself when the call fails, or "none". */

#define _DEFAULT_SOURCE
#define _POSIX_C_SOURCE 200809L

#include <justcall_auth.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BEGIN "/justcall-marker-begin"
#define END "/justcall-marker-end"
#define LARGE_BODY (200 * 1024)
#define AGAIN "/v2.1/calls?again=1"

static const char *url, *ca_file, *source, *scenario;

/* What a scenario holds until its end. */
struct handles {
    justcall_client *client;
    justcall_credentials *credentials;
    justcall_webhook *webhook;
    justcall_webhook_event *event;
    justcall_account *account;
    justcall_response *response;
};

static int is(const char *name) { return strcmp(scenario, name) == 0; }

static justcall_status new_client(justcall_client **client, justcall_error **error) {
    justcall_config *config = justcall_config_new();
    justcall_status status = justcall_config_set_base_url(config, url, error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_ca_file(config, ca_file, error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_source(config, source, error);
    if (status == JUSTCALL_OK)
        status = justcall_config_set_timeout_ms(config, 6000, error);
    if (status == JUSTCALL_OK && is("held"))
        status = justcall_config_set_rotation_wait_ms(config, 5000, error);
    if (status == JUSTCALL_OK)
        status = justcall_client_new(config, client, error);
    justcall_config_free(config);
    return status;
}

/* Verifies the example of the official reference, whose secret the source contains. */
static justcall_status verify_webhook(struct handles *handles, justcall_error **error) {
    static const char body[] =
        "{\"webhook_url\": \"https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4\","
        " \"type\": \"call.completed\"}";
    justcall_status status = justcall_webhook_new(
        "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4", 600, &handles->webhook, error);
    if (status == JUSTCALL_OK)
        status = justcall_webhook_use_client(handles->webhook, handles->client, error);
    if (status == JUSTCALL_OK)
        status = justcall_webhook_verify(
            handles->webhook, "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf",
            "v1", "2024-03-21 17:08:22", body, sizeof body - 1, 1711040902, &handles->event, error);
    return status;
}

/* Returns JSON that does not fit into one TLS record or a small allocation. */
static const char *large_body(void) {
    static char body[LARGE_BODY];
    memset(body, ' ', sizeof body);
    body[0] = '{';
    body[sizeof body - 1] = '}';
    return body;
}

/* Returns true if the client exists, and has an open connection, before the call under test. */
static int is_warm(void) { return is("request") || is("reset") || is("held"); }

static justcall_status act(struct handles *handles, justcall_error **error) {
    justcall_status status = JUSTCALL_OK;
    if (is("load"))
        return justcall_credentials_load(source, &handles->credentials, error);
    if (!is_warm())
        status = new_client(&handles->client, error);
    if (status != JUSTCALL_OK)
        return status;
    if (is("verify"))
        return justcall_client_verify(handles->client, &handles->account, error);
    if (is("webhook"))
        return verify_webhook(handles, error);
    if (is("request"))
        return justcall_client_request(handles->client, "POST", "/v2.1/echo", large_body(),
                                       LARGE_BODY, &handles->response, error);
    return justcall_client_request(handles->client, "GET", "/v2.1/calls", NULL, 0,
                                   &handles->response, error);
}

static void free_results(struct handles *handles) {
    justcall_credentials_free(handles->credentials);
    justcall_webhook_event_free(handles->event);
    justcall_webhook_free(handles->webhook);
    justcall_account_free(handles->account);
    justcall_response_free(handles->response);
    handles->credentials = NULL;
    handles->event = NULL;
    handles->webhook = NULL;
    handles->account = NULL;
    handles->response = NULL;
}

/* The next call, which nothing disturbs. It must succeed. */
static justcall_status act_again(struct handles *handles, justcall_error **error) {
    justcall_status status = JUSTCALL_OK;
    free_results(handles);
    if (is("load"))
        return justcall_credentials_load(source, &handles->credentials, error);
    if (!handles->client)
        status = new_client(&handles->client, error);
    if (status != JUSTCALL_OK)
        return status;
    if (is("webhook"))
        return verify_webhook(handles, error);
    return justcall_client_request(handles->client, "GET", AGAIN, NULL, 0, &handles->response,
                                   error);
}

static void report(const char *what, justcall_status status, justcall_error *error) {
    printf("%s %d %d\n", what, (int)status, (int)justcall_error_request_sent(error));
    if (error) {
        const char *service_message = justcall_error_service_message(error);
        printf("text %s %s %s %s\n", justcall_error_name(error), justcall_error_message(error),
               justcall_error_hint(error), service_message ? service_message : "");
    }
}

static int open_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (folder && readdir(folder))
        ++count;
    if (folder)
        closedir(folder);
    return count;
}

/* The planted bugs: each is a wrong reaction to a failure. */
static void plant(const char *bug, justcall_status *status) {
    const char *path = strchr(source, ':') + 1;
    if (*status == JUSTCALL_OK)
        return;
    if (strcmp(bug, "print") == 0) {
        FILE *file = fopen(path, "r");
        char pair[2048] = "";
        if (file && fgets(pair, sizeof pair, file))
            fprintf(stderr, "failed with %s\n", pair);
        if (file)
            fclose(file);
    }
    if (strcmp(bug, "ignore") == 0)
        *status = JUSTCALL_OK;
    if (strcmp(bug, "descriptor") == 0 && dup(0) < 0)
        perror("dup");
    if (strcmp(bug, "abort") == 0)
        abort();
    if (strcmp(bug, "hang") == 0)
        pause();
    if (strcmp(bug, "tear") == 0 && truncate(path, 20) != 0)
        perror("truncate");
    if (strcmp(bug, "row") == 0)
        *status = JUSTCALL_ERROR_INTERNAL;
}

int main(int argc, char **argv) {
    struct handles handles = {NULL, NULL, NULL, NULL, NULL, NULL};
    justcall_error *error = NULL;
    if (argc != 6) {
        fprintf(stderr, "usage: target URL CA_FILE SOURCE SCENARIO BUG\n");
        return 2;
    }
    url = argv[1];
    ca_file = argv[2];
    source = argv[3];
    scenario = argv[4];
    if (is_warm()) {
        justcall_status status = new_client(&handles.client, &error);
        if (status == JUSTCALL_OK)
            status = justcall_client_verify(handles.client, &handles.account, &error);
        if (status != JUSTCALL_OK) {
            fprintf(stderr, "not warm: %s\n", justcall_error_message(error));
            return 2;
        }
        free_results(&handles);
    }
    printf("ready\n");
    fflush(stdout);
    /* The test writes a byte when the pair is as the scenario needs it. */
    if (getchar() == EOF)
        return 2;

    (void)access(BEGIN, F_OK);
    justcall_status status = act(&handles, &error);
    (void)access(END, F_OK);

    plant(argv[5], &status);
    report("result", status, error);
    justcall_error_free(error);
    /* After the service rejected the pair, calls read the source at most once a second. */
    if (status == JUSTCALL_ERROR_INVALID_CREDENTIALS)
        (void)sleep(2);
    status = act_again(&handles, &error);
    report("again", status, error);
    justcall_error_free(error);
    free_results(&handles);
    justcall_client_free(handles.client);
    printf("descriptors %d\n", open_descriptors());
    return 0;
}
