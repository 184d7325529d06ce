// Lists the latest calls: request [SOURCE [BASE_URL [CA_FILE]]]

#include <iostream>
#include <justcall_auth.hpp>

// [snippet]
static void list_calls(const justcall::client &client) {
    const auto request = justcall::request("GET", "/v2.1/calls")
                             .query("per_page", "3")
                             .header("accept-language", "en")
                             .timeout(std::chrono::seconds(10));
    try {
        const auto response = client.send(request);
        std::cout << response.body() << "\n";
    } catch (const justcall::error &error) {
        if (error.status() != justcall::errc::rate_limited)
            throw;
        const auto wait = error.retry_after().value_or(std::chrono::seconds(60));
        std::cout << "come back in " << wait.count() << " ms\n";
    }
}
// [/snippet]

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

int main(int argc, char **argv) {
    try {
        list_calls(justcall::client(configure(argc, argv)));
    } catch (const justcall::error &error) {
        std::cerr << error.name() << ": " << error.message() << "\nhint: " << error.hint() << "\n";
        // The body of the response, such as the wrong fields of a 422.
        if (const auto response = error.response())
            std::cerr << response->body() << "\n";
        return 1;
    }
}
