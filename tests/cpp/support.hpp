// Shared by the programs for the C++ header.

#ifndef JUSTCALL_TESTS_SUPPORT_HPP
#define JUSTCALL_TESTS_SUPPORT_HPP

#include <check.h>
#include <justcall_auth.hpp>

#include <string_view>
#include <utility>

#define KEY "abc123def456"
#define SECRET "sec789xyz000"
#define PAIR KEY ":" SECRET
#define CLEAN_PAIR                                                                                 \
    "1f0e9d8c7b6a5948372615041f0e9d8c7b6a5948:a9b8c7d6e5f40312213045566778899aabbccdde"

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

// Moves without the compiler's warning about a self-move.
template <typename T> void move_to(T &target, T &source) { target = std::move(source); }

// The sandbox in the arguments of a program: URL CA_FILE KEY SECRET.
struct sandbox {
    std::string_view url, ca_file, key, secret;

    explicit sandbox(char **argv) : url(argv[1]), ca_file(argv[2]), key(argv[3]), secret(argv[4]) {}
};

#ifndef JUSTCALL_NO_EXCEPTIONS

// Returns the error that `call` throws. If it throws none, a check fails and the error has no
// status.
template <typename Call> justcall::error error_of(Call call) {
    try {
        call();
    } catch (const justcall::error &error) {
        return error;
    }
    constexpr bool an_error_is_thrown = false;
    CHECK(an_error_is_thrown);
    return justcall::error(justcall::errc::ok);
}

template <typename Call> justcall::errc status_of(Call call) { return error_of(call).status(); }

inline justcall::config settings(const sandbox &service) {
    return justcall::config().base_url(service.url).ca_file(service.ca_file).max_retries(0);
}

inline justcall::client client_of(const sandbox &service) {
    return justcall::client(
        settings(service).credentials(justcall::credentials(service.key, service.secret)));
}

#endif

#endif
