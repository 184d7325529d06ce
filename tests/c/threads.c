/* Shares one client between eight threads, which verify 50 times each. threads URL CA_FILE KEY
 * SECRET ACCOUNT_ID */

#include "check.h"

#include <pthread.h>
#include <stdlib.h>

#define THREADS 8
#define CALLS 50

struct work {
    const justcall_client *client;
    uint64_t account_id;
    int good;
};

static void *verify_often(void *context) {
    struct work *work = (struct work *)context;
    for (int call = 0; call < CALLS; ++call) {
        justcall_account *account = NULL;
        justcall_error *error = NULL;
        if (justcall_client_verify(work->client, &account, &error) == JUSTCALL_OK) {
            work->good += justcall_account_id(account) == work->account_id;
        } else {
            printf("%s: %s\n", justcall_error_name(error), justcall_error_message(error));
        }
        justcall_account_free(account);
        justcall_error_free(error);
    }
    return NULL;
}

static justcall_client *new_client(char **argv) {
    justcall_credentials *credentials = NULL;
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_error *error = NULL;
    CHECK_OK(justcall_credentials_new(argv[3], strlen(argv[3]), argv[4], strlen(argv[4]),
                                      &credentials, &error),
             &error);
    CHECK_OK(justcall_config_set_credentials(config, credentials, &error), &error);
    CHECK_OK(justcall_config_set_base_url(config, argv[1], &error), &error);
    CHECK_OK(justcall_config_set_ca_file(config, argv[2], &error), &error);
    CHECK_OK(justcall_client_new(config, &client, &error), &error);
    justcall_config_free(config);
    justcall_credentials_free(credentials);
    return client;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS];
    struct work work[THREADS];
    if (argc != 6)
        return 2;
    justcall_client *client = new_client(argv);
    for (int n = 0; n < THREADS; ++n) {
        work[n].client = client;
        work[n].account_id = strtoull(argv[5], NULL, 10);
        work[n].good = 0;
        CHECK(pthread_create(&threads[n], NULL, verify_often, &work[n]) == 0);
    }
    for (int n = 0; n < THREADS; ++n) {
        CHECK(pthread_join(threads[n], NULL) == 0);
        CHECK(work[n].good == CALLS);
    }
    justcall_client_free(client);
    return checks_result();
}
