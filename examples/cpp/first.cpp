// The first call: first [SOURCE [BASE_URL [CA_FILE]]]

#include <iostream>
#include <justcall_auth.hpp>

static justcall::config configure(int argc, char **argv) {
    justcall::config config;
    if (argc > 1)
        config.source(argv[1]);
    if (argc > 2)
        config.base_url(argv[2]);
    if (argc > 3)
        config.ca_file(argv[3]);
    return config;
}

int main(int argc, char **argv) {
    // [snippet]
    try {
        const auto account = justcall::client(configure(argc, argv)).verify();
        std::cout << account.email().value_or("unknown") << "\n";
    } catch (const justcall::error &error) {
        std::cerr << error.message() << "\n" << error.hint() << "\n";
        return 1;
    }
    // [/snippet]
}
