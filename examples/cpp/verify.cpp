// Verifies a pair: verify [SOURCE [BASE_URL [CA_FILE]]]

#include <iostream>
#include <justcall_auth.h>
#include <memory>

// [readme]
struct Free {
    void operator()(justcall_config *config) const { justcall_config_free(config); }
    void operator()(justcall_client *client) const { justcall_client_free(client); }
    void operator()(justcall_account *account) const { justcall_account_free(account); }
    void operator()(justcall_error *error) const { justcall_error_free(error); }
};
template <typename Handle> using Owned = std::unique_ptr<Handle, Free>;

static Owned<justcall_error> verify(const justcall_config *config) {
    justcall_error *error = nullptr;
    justcall_client *client = nullptr;
    if (justcall_client_new(config, &client, &error) != JUSTCALL_OK)
        return Owned<justcall_error>(error);
    const Owned<justcall_client> client_owner(client);

    justcall_account *account = nullptr;
    if (justcall_client_verify(client, &account, &error) != JUSTCALL_OK)
        return Owned<justcall_error>(error);
    const Owned<justcall_account> account_owner(account);

    const char *email = justcall_account_email(account);
    const char *plan = justcall_account_plan(account);
    std::cout << "account: " << justcall_account_id(account) << "\n"
              << "email:   " << (email ? email : "unknown") << "\n"
              << "plan:    " << (plan ? plan : "unknown") << "\n";
    return nullptr;
}

static int show(const justcall_error *error) {
    std::cerr << justcall_error_name(error) << ": " << justcall_error_message(error) << "\n";
    if (const char *service = justcall_error_service_message(error))
        std::cerr << "the service says: " << service << "\n";
    std::cerr << "hint: " << justcall_error_hint(error) << "\n";
    return 1;
}
// [/readme]

// The pair from SOURCE, or from the environment; a sandbox in place of the service, where one is
// named.
static Owned<justcall_error> configure(justcall_config *config, int argc, char **argv) {
    justcall_error *error = nullptr;
    const char *source = argc > 1 ? argv[1] : "default:";
    auto status = justcall_config_set_source(config, source, &error);
    if (status == JUSTCALL_OK && argc > 2)
        status = justcall_config_set_base_url(config, argv[2], &error);
    if (status == JUSTCALL_OK && argc > 3)
        status = justcall_config_set_ca_file(config, argv[3], &error);
    return Owned<justcall_error>(error);
}

int main(int argc, char **argv) {
    const Owned<justcall_config> config(justcall_config_new());
    auto error = configure(config.get(), argc, argv);
    if (!error)
        error = verify(config.get());
    return error ? show(error.get()) : 0;
}
