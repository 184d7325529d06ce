// Checks the header compiled without exceptions. no_exceptions URL CA_FILE KEY SECRET

#include "support.hpp"

#include <chrono>
#include <string>
#include <type_traits>

#ifndef JUSTCALL_NO_EXCEPTIONS
#error "compile this with -fno-exceptions"
#endif

using justcall::errc;
using namespace std::chrono_literals;

// The functions that throw are not declared.
template <typename T, typename = void> constexpr bool throws = false;
template <typename T>
constexpr bool throws<T, std::void_t<decltype(std::declval<const T &>().verify())>> = true;
static_assert(!throws<justcall::client>);
static_assert(!std::is_default_constructible_v<justcall::client>);
static_assert(!std::is_constructible_v<justcall::credentials, const char *, const char *>);

static bool configure(justcall::config &config, const sandbox &service) {
    return config.try_base_url(service.url) && config.try_ca_file(service.ca_file) &&
           config.try_max_retries(0) && config.try_timeout(10s) && config.try_proxy("") &&
           config.try_verify_path("/v2/account") && config.try_expected_account(12345);
}

static void it_calls_the_service(const sandbox &service) {
    justcall::config config;
    CHECK(configure(config, service));
    const auto pair = justcall::credentials::try_make(service.key, service.secret);
    CHECK(pair && config.try_credentials(*pair) && pair->try_authorization());
    auto client = justcall::client::try_make(config);
    if (!CHECK(client))
        return;
    const auto account = client->try_verify();
    CHECK(account && account->id() == 12345 && account->plan() == "Pro");

    auto request = justcall::request::try_make("POST", "/v2.1/echo");
    CHECK(request && request->try_query("a", "b c") && request->try_header("x-trace", "7"));
    CHECK(request->try_body("{}") && request->try_timeout(5s));
    const auto response = client->try_send(*request);
    CHECK(response && contains(response->body(), "a=b%20c") && response->http_status() == 200);
    CHECK(client->try_get("/v2.1/echo") && client->try_post("/v2.1/echo", "{}"));
    const auto secret = client->try_authorization();
    CHECK(secret && secret->size() == service.key.size() + 1 + service.secret.size());

    const auto failure = client->try_post("/v2.1/echo/422", "{}");
    CHECK(!failure && failure.error().status() == errc::unprocessable);
    CHECK(contains(failure.error().response()->body(), R"("field":"to")"));
}

static void it_accepts_a_source_callback(const sandbox &service) {
    const std::string key(service.key), secret(service.secret);
    justcall::config config;
    CHECK(configure(config, service));
    CHECK(
        config.try_source([key, secret] { return justcall::credentials::try_make(key, secret); }));
    auto client = justcall::client::try_make(config);
    CHECK(client && client->try_verify());
    CHECK(config.try_source([]() -> justcall::result<justcall::credentials> {
        return justcall::error(errc::credentials_missing);
    }));
    client = justcall::client::try_make(config);
    CHECK(client && client->try_verify().error().status() == errc::credentials_missing);
}

static void it_controls_calls(const sandbox &service) {
    int events = 0;
    justcall::config config;
    CHECK(configure(config, service) && config.try_max_retries(1) && config.try_rotation_wait(1s));
    const auto pair = justcall::credentials::try_make(service.key, service.secret);
    CHECK(pair && config.try_credentials(*pair));
    CHECK(config.try_event_handler([&events](const justcall::event &) { ++events; }));
    auto client = justcall::client::try_make(config);
    CHECK(client && !client->try_get("/v2.1/echo/503") && events == 1);
    CHECK(client->try_replace(*pair) && client->try_reload());
    auto request = justcall::request::try_make("GET", "/v2.1/echo");
    auto exchange = justcall::exchange::try_make(*client, *request);
    CHECK(exchange && !exchange->try_authorization() && exchange->try_load());
    CHECK(exchange->try_next()->action == justcall::action::send);
    justcall::cancel cancel;
    cancel.fire();
    CHECK(request && request->try_cancel(cancel));
    CHECK(client->try_send(*request).error().status() == errc::cancelled);
    client->shutdown();
    CHECK(exchange->try_next().error().status() == errc::cancelled);
}

static void it_returns_failures_as_results() {
    const auto pair = justcall::credentials::try_make("", SECRET);
    CHECK(!pair && contains(pair.error().message(), "API key"));
    const auto nul = justcall::credentials::try_load(std::string_view("env:\0", 5));
    CHECK(!nul && nul.error().status() == errc::invalid_argument);
    const auto report = justcall::try_diagnose("Bearer " PAIR);
    CHECK(report && !report->empty() && justcall::try_diagnose_environment());
    CHECK(justcall::try_classify(401).error().status() == errc::invalid_credentials);
}

int main(int argc, char **argv) {
    if (argc != 5)
        return 2;
    const sandbox service(argv);
    it_calls_the_service(service);
    it_accepts_a_source_callback(service);
    it_controls_calls(service);
    it_returns_failures_as_results();
    return checks_result();
}
