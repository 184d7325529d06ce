// The first call: first [SOURCE [BASE_URL CA_FILE]]

#include <iostream>
#include <justcall_auth.hpp>

static void first_call(const justcall::config &config) {
    // [snippet]
    try {
        const auto account = justcall::client(config).verify();
        std::cout << account.email().value_or("unknown") << "\n";
    } catch (const justcall::error &error) {
        std::cerr << error.message() << "\n" << error.hint() << "\n";
    }
    // [/snippet]
}

int main(int argc, char **argv) {
    justcall::config config;
    if (argc > 1)
        config.source(argv[1]);
    if (argc > 3)
        config.base_url(argv[2]).ca_file(argv[3]);
    first_call(config);
}
