/* Calls another Rust library before and after a verification: SOURCE BASE_URL CA_FILE */
#include <justcall_auth.h>
#include <stdio.h>

unsigned neighbour_digest(void);

int main(int argc, char **argv) {
    justcall_config *config = justcall_config_new();
    justcall_client *client = NULL;
    justcall_account *account = NULL;
    unsigned before = neighbour_digest();
    int good = argc == 4 && !justcall_config_set_source(config, argv[1], NULL) &&
               !justcall_config_set_base_url(config, argv[2], NULL) &&
               !justcall_config_set_ca_file(config, argv[3], NULL) &&
               !justcall_client_new(config, &client, NULL) &&
               !justcall_client_verify(client, &account, NULL);
    printf("%x %s %x\n", before, good ? "verified" : "failed", neighbour_digest());
    justcall_account_free(account);
    justcall_client_free(client);
    justcall_config_free(config);
    return good ? 0 : 1;
}
