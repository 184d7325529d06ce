// Checks resets, events, cancellation and exchanges. rotation URL CA_FILE KEY SECRET

#include "support.hpp"

#include <atomic>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using justcall::action;
using justcall::errc;
using justcall::event_kind;
using namespace std::chrono_literals;

static justcall::credentials wrong() {
    return justcall::credentials("abc123def456", "wrong1wrong1");
}

static void it_calls_an_event_handler_that_makes_calls_and_throws(const sandbox &service) {
    std::atomic<int> events{0}, calls{0};
    const auto helper = client_of(service);
    auto counted = std::make_shared<int>(0);
    std::weak_ptr<int> alive = counted;
    {
        const justcall::client client(
            settings(service)
                .max_retries(1)
                .credentials(justcall::credentials(service.key, service.secret))
                .event_handler([&, counted = std::move(counted)](const justcall::event &event) {
                    ++events;
                    CHECK(event.kind() == event_kind::retrying && event.name() == "retrying");
                    CHECK(event.http_status() == 503 && event.wait() > 0ms);
                    CHECK(event.generation() == 0 && contains(event.message(), "retried in"));
                    calls += helper.get("/v2.1/calls").http_status() == 200;
                    throw std::runtime_error("thrown by the handler");
                }));
        CHECK(status_of([&] { client.get("/v2.1/echo/503"); }) == errc::unavailable);
        CHECK(events == 1 && calls == 1);
        CHECK(client.get("/v2.1/calls").http_status() == 200);
        CHECK(!alive.expired());
    }
    CHECK(alive.expired());
}

static void it_replaces_the_pair_only_with_a_valid_one(const sandbox &service) {
    int rotated = 0;
    justcall::client client(settings(service)
                                .source([] { return wrong(); })
                                .rotation_wait(0ms)
                                .event_handler([&](const justcall::event &event) {
                                    rotated += event.kind() == event_kind::rotated;
                                }));
    CHECK(status_of([&] { client.verify(); }) == errc::invalid_credentials);
    CHECK(status_of([&] { client.replace(wrong()); }) == errc::invalid_credentials);
    client.replace(justcall::credentials(service.key, service.secret));
    CHECK(rotated == 1);
    CHECK(client.verify().id().has_value());
    CHECK(client.generation() == 2);
    CHECK(client.reload());
    CHECK(!client.reload());
    CHECK(static_cast<bool>(client.try_reload()));
    CHECK(status_of([&] { justcall::config().rotation_wait(-1ms); }) == errc::invalid_argument);
}

static void it_forgets_rejections(const sandbox &service) {
    const justcall::client client(settings(service).source([] { return wrong(); }));
    const auto is_sent = [&] {
        const auto result = client.try_verify();
        return result.error().status() == errc::invalid_credentials &&
               result.error().request_sent();
    };
    justcall::forget_rejections();
    CHECK(is_sent());
    CHECK(!is_sent());
    justcall::forget_rejections();
    CHECK(is_sent());
}

static void it_cancels_calls(const sandbox &service) {
    auto client = client_of(service);
    justcall::cancel cancel;
    auto status = errc::ok;
    std::thread caller([&] {
        status = status_of(
            [&] { client.send(justcall::request("GET", "/v2.1/echo/hang").cancel(cancel)); });
    });
    cancel.fire();
    caller.join();
    CHECK(status == errc::cancelled);
    CHECK(client.get("/v2.1/calls").http_status() == 200);
    client.shutdown();
    CHECK(status_of([&] { client.verify(); }) == errc::cancelled);

    justcall::cancel moved;
    const justcall::cancel kept(std::move(moved));
    moved.fire();
    CHECK(status_of([&] { justcall::request("GET", "/").cancel(moved); }) ==
          errc::invalid_argument);
}

static void it_limits_calls_without_a_request(const sandbox &service) {
    const auto slow_client = [&] {
        return justcall::client(settings(service).source("command:sleep 30"));
    };
    const auto limits = justcall::call_options().timeout(1500ms);
    justcall::cancel cancel;
    const auto cancelled = justcall::call_options().cancel(cancel);
    cancel.fire();
    const auto all = [&](const justcall::call_options &options, errc status) {
        auto slow = slow_client();
        CHECK(status_of([&] { slow.verify(options); }) == status);
        CHECK(status_of([&] { slow.reload(options); }) == status);
        CHECK(status_of([&] { static_cast<void>(slow.authorization(options)); }) == status);
        CHECK(status_of([&] { static_cast<void>(slow.protection(options)); }) == status);
        auto webhook = justcall::webhook(justcall::any_url).secrets_of(slow);
        const std::string signature(64, '0');
        CHECK(webhook
                  .try_verify({signature, "v1", "1711040902"},
                              R"({"type":"call.x","webhook_url":"https://a.b/c"})", options)
                  .error()
                  .status() == status);
    };
    all(limits, errc::source_unavailable);
    all(cancelled, errc::cancelled);
    const justcall::credentials pair(service.key, service.secret);
    auto slow = slow_client();
    CHECK(status_of([&] { slow.replace(pair, cancelled); }) == errc::cancelled);
    slow.replace(pair, justcall::call_options());
    CHECK(slow.generation() == 1 && slow.key_hint() == pair.key_hint());
}

static void it_reports_the_pair_in_use(const sandbox &service) {
    const auto client = client_of(service);
    CHECK(client.generation() == 0 && client.key_hint().empty());
    CHECK(!client.rate_limit().limit && !client.burst_rate_limit().limit);
    const auto response = client.get("/v2.1/calls");
    CHECK(client.generation() == 1);
    CHECK(client.rate_limit().remaining == response.rate_limit().remaining);
    CHECK(client.rate_limit().limit && client.rate_limit().reset);
    CHECK(client.burst_rate_limit().limit == response.burst_rate_limit().limit);
}

static void it_connects_as_configured(const sandbox &service) {
    std::ifstream file{std::string(service.ca_file)};
    const std::string pem((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    auto config = justcall::config().base_url(service.url).max_retries(0).ca_pem(pem);
    config.credentials(justcall::credentials(service.key, service.secret))
        .local_address("127.0.0.7");
    CHECK(justcall::client(config).verify().id().has_value());
    config.max_response_length(10);
    CHECK(status_of([&] { justcall::client(config).verify(); }) == errc::invalid_response);
    CHECK(status_of([&] { config.ca_pem("no certificate"); }) == errc::invalid_argument);
    CHECK(status_of([&] { config.local_address("localhost"); }) == errc::invalid_argument);
}

static void it_drives_an_exchange(const sandbox &service) {
    auto client = client_of(service);
    justcall::exchange call(client, justcall::request("POST", "/v2.1/texts").body("{}"));
    CHECK(status_of([&] { static_cast<void>(call.authorization()); }) == errc::invalid_argument);
    while (call.next().action == action::load)
        call.load();
    CHECK(call.next().action == action::send && call.next().wait > 0ms);
    CHECK(call.body() == "{}");
    CHECK(call.method() == "POST" && !call.is_verifying());
    CHECK(call.url() == std::string(service.url) + "/v2.1/texts");
    bool accepts = false;
    for (const auto [name, value] : call.headers())
        accepts = accepts || (name == "accept" && value == "application/json");
    CHECK(accepts && call.headers().size() >= 3);
    CHECK(call.authorization().size() == service.key.size() + 1 + service.secret.size());
    call.failed(justcall::cause::connect, false);
    CHECK(status_of([&] { call.next(); }) == errc::connection_failed);

    justcall::exchange other(client, justcall::request("GET", "/v2.1/calls"));
    CHECK(other.body().empty());
    CHECK(other.next().action == action::send);
    CHECK(status_of([&] { static_cast<void>(other.response()); }) == errc::invalid_argument);
    CHECK(status_of([&] { other.answered(200, {{"a", std::string_view("b\0c", 3)}}); }) ==
          errc::invalid_argument);
    other.answered(200, {{"X-Trace", "7"}}, "[]");
    CHECK(other.next().action == action::done);
    const auto response = other.response();
    CHECK(response.body() == "[]" && response.header("x-trace") == "7");

    const std::vector<std::pair<std::string, std::string>> headers{{"Retry-After", "0"}};
    auto third = justcall::exchange::try_make(client, justcall::request("GET", "/v2.1/calls"));
    CHECK(third && third->next().action == action::send);
    third->answered(404, headers);
    CHECK(third->try_next().error().status() == errc::not_found);

    const justcall::client none(std::move(client));
    CHECK(status_of([&] { justcall::exchange(client, justcall::request("GET", "/")); }) ==
          errc::invalid_argument);
}

int main(int argc, char **argv) {
    if (argc != 5)
        return 2;
    const sandbox service(argv);
    it_calls_an_event_handler_that_makes_calls_and_throws(service);
    it_drives_an_exchange(service);
    it_cancels_calls(service);
    it_limits_calls_without_a_request(service);
    it_reports_the_pair_in_use(service);
    it_connects_as_configured(service);
    it_replaces_the_pair_only_with_a_valid_one(service);
    it_forgets_rejections(service);
    return checks_result();
}
