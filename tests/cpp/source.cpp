// Checks source callbacks: their exceptions and their lifetime. source URL CA_FILE KEY SECRET

#include "support.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using justcall::errc;

static std::atomic<int> alive, destroyed, calls;

// A source that counts its instances. `destroyed` counts only instances that were not moved from.
struct counted {
    std::unique_ptr<int> token = std::make_unique<int>(0);

    counted() { ++alive; }
    counted(counted &&other) noexcept : token(std::move(other.token)) { ++alive; }
    ~counted() {
        --alive;
        destroyed += token ? 1 : 0;
    }
    justcall::credentials operator()() const {
        ++calls;
        return justcall::credentials(KEY, SECRET);
    }
};

// Returns the status with which every call of a client fails.
static errc status_with(const justcall::config &config) {
    const justcall::client client(config);
    const auto status = client.try_get("/v2.1/echo").error().status();
    CHECK(client.try_authorization().error().status() == status);
    CHECK(client.try_verify().error().status() == status);
    return status;
}

static void it_returns_the_pair(const sandbox &service) {
    const std::string key(service.key), secret(service.secret);
    const justcall::client client(
        settings(service).source([key, secret] { return justcall::credentials(key, secret); }));
    CHECK(client.verify().id() == 12345);
    const justcall::client with_result(settings(service).source(
        [key, secret] { return justcall::credentials::try_make(key, secret); }));
    CHECK(with_result.verify().id() == 12345);
    // A source may call other clients. The client keeps a copy of the source.
    std::function<justcall::credentials()> other = [key, secret, &client] {
        client.verify();
        return justcall::credentials(key, secret);
    };
    justcall::config config = settings(service);
    const justcall::client with_other(config.source(other));
    other = nullptr;
    CHECK(with_other.verify().id() == 12345);
}

static justcall::credentials from_a_function() { return justcall::credentials(KEY, SECRET); }

static void it_accepts_every_kind_of_function() {
    const auto gives = [](justcall::config config) {
        return justcall::client(config).authorization().size() == strlen(PAIR);
    };
    CHECK(gives(justcall::config().source(from_a_function)));
    CHECK(gives(justcall::config().source(&from_a_function)));
    CHECK(
        gives(justcall::config().source(std::function<justcall::credentials()>(from_a_function))));
    const counted held;
    CHECK(gives(justcall::config().source([&held] { return held(); })));
}

static void it_fails_with_the_status_of_the_exception(const sandbox &service) {
    const auto throwing = [&](auto what) {
        return status_with(
            settings(service).source([what]() -> justcall::credentials { throw what; }));
    };
    CHECK(throwing(justcall::error(errc::credentials_missing)) == errc::credentials_missing);
    CHECK(throwing(justcall::error(errc::timeout)) == errc::timeout);
    const auto failure_of = [&](auto what) {
        const justcall::client client(
            settings(service).source([what]() -> justcall::credentials { throw what; }));
        return error_of([&] { client.verify(); });
    };
    const auto error =
        failure_of(justcall::error(errc::source_unavailable, "The database is down."));
    CHECK(error.status() == errc::source_unavailable && error.message() == "The database is down.");
    const auto without_words = failure_of(justcall::error(errc::timeout));
    CHECK(contains(without_words.message(), "callback"));
    CHECK(throwing(std::runtime_error("no database")) == errc::source_unavailable);
    CHECK(throwing(7) == errc::source_unavailable);
    CHECK(throwing(std::bad_alloc()) == errc::source_unavailable);
    CHECK(throwing(justcall::error(errc::ok)) == errc::credentials_missing);

    CHECK(status_with(settings(service).source([] { return justcall::credentials("", SECRET); })) ==
          errc::credentials_malformed);
    CHECK(status_with(settings(service).source([] {
              return justcall::credentials::try_load("file:/nonexistent");
          })) == errc::source_unavailable);
    CHECK(status_with(settings(service).source([] {
              return justcall::result<justcall::credentials>(justcall::error(errc::cancelled));
          })) == errc::cancelled);
    CHECK(status_with(settings(service).source(std::function<justcall::credentials()>())) ==
          errc::source_unavailable);
    // A moved-from pair counts as missing.
    CHECK(status_with(settings(service).source([]() -> justcall::credentials {
              justcall::credentials pair(KEY, SECRET);
              const justcall::credentials taken = std::move(pair);
              return pair;
          })) == errc::credentials_missing);
}

template <typename Use> static void check_one_destroyed(Use use) {
    destroyed = 0;
    use();
    CHECK(alive == 0);
    CHECK(destroyed == 1);
}

static void it_is_destroyed_once() {
    check_one_destroyed([] { justcall::config().source(counted()); });
    check_one_destroyed([] {
        justcall::config config;
        config.source(counted());
        CHECK(alive == 1);
        config.source("env:");
        CHECK(alive == 0);
    });
    check_one_destroyed([] {
        std::optional<justcall::client> first, second;
        {
            const auto config = justcall::config().source(counted());
            first.emplace(config);
            second.emplace(config);
        }
        calls = 0;
        CHECK(first->authorization().size() == strlen(PAIR));
        first.reset();
        CHECK(alive == 1 && destroyed == 0);
        CHECK(second->authorization().size() == strlen(PAIR));
        // Clients of one configuration share one pair.
        CHECK(calls == 1);
    });
    // If the source is refused, the header destroys it.
    check_one_destroyed([] {
        justcall::config config;
        const justcall::config taken = std::move(config);
        CHECK(config.try_source(counted()).error().status() == errc::invalid_argument);
        CHECK(alive == 0);
    });
}

static void it_is_called_on_the_threads_of_the_calls() {
    std::vector<justcall::client> clients;
    for (int n = 0; n < 4; ++n)
        clients.emplace_back(justcall::config().source(counted()));
    std::atomic<int> good = 0;
    std::vector<std::thread> threads;
    for (auto &client : clients)
        threads.emplace_back([&good, owned = std::move(client)] {
            good += owned.authorization().size() == strlen(PAIR) ? 1 : 0;
        });
    for (auto &thread : threads)
        thread.join();
    threads.clear();
    clients.clear();
    CHECK(good == 4 && alive == 0);
}

int main(int argc, char **argv) {
    if (argc != 5)
        return 2;
    const sandbox service(argv);
    it_returns_the_pair(service);
    it_accepts_every_kind_of_function();
    it_fails_with_the_status_of_the_exception(service);
    it_is_destroyed_once();
    it_is_called_on_the_threads_of_the_calls();
    return checks_result();
}
