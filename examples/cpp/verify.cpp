// Verifies a pair: verify [SOURCE [BASE_URL [CA_FILE]]]

#include <iostream>
#include <justcall_auth.hpp>

// Sets SOURCE, by default "default:", and the sandbox if the arguments name one.
static justcall::config configure(int argc, char **argv) {
    justcall::config config;
    config.source(argc > 1 ? argv[1] : "default:");
    if (argc > 2)
        config.base_url(argv[2]);
    if (argc > 3)
        config.ca_file(argv[3]);
    return config;
}

// [snippet]
int main(int argc, char **argv) {
    try {
        const justcall::client client(configure(argc, argv));
        const auto account = client.verify();
        std::cout << "account: " << account.id().value_or(0) << "\n"
                  << "email:   " << account.email().value_or("unknown") << "\n"
                  << "plan:    " << account.plan().value_or("unknown") << "\n";
    } catch (const justcall::error &error) {
        std::cerr << error.name() << ": " << error.message() << "\n";
        if (const auto message = error.service_message())
            std::cerr << "the service says: " << *message << "\n";
        std::cerr << "hint: " << error.hint() << "\n";
        return 1;
    }
}
// [/snippet]
