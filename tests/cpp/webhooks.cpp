// Checks the verifier of webhooks, with functions that throw and that return results, and with a
// replay check.

#include "support.hpp"

#include <set>
#include <stdexcept>
#include <string>

using justcall::errc;
using justcall::webhook_event;
using namespace std::chrono_literals;

#define API_SECRET "ea39089c40790e9dc7a080ec95e849b8fa0fa5fb"
#define URL "https://webhook.site/3bcea770-370a-4b09-8b66-426f687e08a4"
#define SIGNATURE "56761bae5b27a784a3ddd2af828bc5def7176bc0a8650199b04c737bd39bbecf"

static const auto NOW = std::chrono::system_clock::time_point(1711040902s);
static const std::string_view BODY =
    "{\"type\":\"call.completed\",\"webhook_url\":\"" URL "\"}tail";

static std::string_view body() { return BODY.substr(0, BODY.size() - 4); }

static justcall::webhook_headers headers() { return {SIGNATURE, "v1", "2024-03-21 17:08:22"}; }

static justcall::webhook verifier() { return justcall::webhook(URL).secret(API_SECRET); }

static void it_returns_the_signed_values() {
    const auto event = verifier().verify(headers(), body(), NOW + 10min);
    CHECK(event.url() == URL && event.type() == "call.completed");
    CHECK(event.timestamp() == NOW && event.secret_index() == 0 && event.signature() == SIGNATURE);
    CHECK(event.object_path("{\"data\":{\"id\":7}}") == "/v2.1/calls/7");
    CHECK(event.try_object_path({}).error().status() == errc::webhook_malformed);
    const auto any = justcall::webhook(justcall::any_url).secret(API_SECRET);
    const auto other = any.verify(headers(), body(), NOW);
    CHECK(other.url() == URL);
    const auto both = justcall::webhook("https://a.b").url(URL).secret(API_SECRET);
    CHECK(static_cast<bool>(both.try_verify(headers(), body(), NOW)));
}

static void it_refuses_what_is_not_genuine() {
    const auto webhook = verifier();
    CHECK(webhook.try_verify({}, body(), NOW).error().status() == errc::webhook_unsigned);
    CHECK(webhook.try_verify({SIGNATURE, {}, {}}, body()).error().status() ==
          errc::webhook_version);
    CHECK(webhook.try_verify(headers(), {}, NOW).error().status() == errc::webhook_malformed);
    CHECK(webhook.try_verify(headers(), body(), NOW + 601s).error().status() ==
          errc::webhook_stale);
    CHECK(webhook.try_verify(headers(), body(), NOW - 601s).error().status() ==
          errc::webhook_stale);
    // Fractions of a second are ignored.
    CHECK(static_cast<bool>(webhook.try_verify(headers(), body(), NOW + 600s + 999ms)));
    CHECK(status_of([&] { webhook.verify(headers(), body()); }) == errc::webhook_stale);
    const std::string cut("v1\0", 3);
    CHECK(webhook.try_verify({SIGNATURE, cut, {}}, body()).error().status() ==
          errc::invalid_argument);
    CHECK(status_of([] { justcall::webhook("no URL"); }) == errc::invalid_argument);
    CHECK(status_of([] { justcall::webhook(URL, -1s); }) == errc::invalid_argument);
    CHECK(status_of([] { justcall::webhook(URL).secret("two words"); }) ==
          errc::credentials_malformed);
    CHECK(status_of([] { justcall::webhook(justcall::any_url).url(URL); }) ==
          errc::invalid_argument);
}

static void it_uses_the_secrets_of_a_client() {
    justcall::webhook webhook(URL);
    {
        const auto pair = justcall::credentials(KEY, API_SECRET);
        const justcall::client client(justcall::config().credentials(pair));
        webhook.secrets_of(client);
    }
    CHECK(webhook.verify(headers(), body(), NOW).secret_index() == 0);
    CHECK(webhook.try_secret(API_SECRET).error().status() == errc::invalid_argument);
}

static void it_keeps_the_replay_check_when_moved() {
    auto seen = std::make_shared<std::set<std::string>>();
    auto first = verifier().replay_check([seen](const webhook_event &event) {
        CHECK(event.url() == URL && event.type() == "call.completed");
        return !seen->emplace(event.signature()).second;
    });
    const justcall::webhook webhook = std::move(first);
    CHECK(static_cast<bool>(webhook.try_verify(headers(), body(), NOW)));
    CHECK(webhook.try_verify(headers(), body(), NOW).error().status() == errc::webhook_replayed);
    CHECK(seen->size() == 1 && seen.use_count() == 2);
    CHECK(first.try_verify(headers(), body(), NOW).error().status() == errc::invalid_argument);
}

static void it_survives_a_replay_check_that_throws() {
    auto webhook = verifier();
    const auto status = [&] { return webhook.try_verify(headers(), body(), NOW).error().status(); };
    webhook.replay_check([](const webhook_event &) -> bool { throw std::runtime_error("canary"); });
    CHECK(status() == errc::invalid_argument);
    webhook.replay_check(
        [](const webhook_event &) -> bool { throw justcall::error(errc::unavailable); });
    CHECK(status() == errc::unavailable);
    webhook.replay_check([](const webhook_event &) -> justcall::result<bool> {
        return justcall::error(errc::timeout);
    });
    CHECK(status() == errc::timeout);
    webhook.replay_check([](const webhook_event &) -> justcall::result<bool> { return false; });
    CHECK(static_cast<bool>(webhook.try_verify(headers(), body(), NOW)));
}

static void it_counts_deliveries_by_result() {
    const auto counted = [](const std::string &text, const std::string &sample) {
        return text.find("justcall_auth_webhooks_total{result=\"" + sample + "\n") != text.npos;
    };
    const justcall::client client(
        justcall::config().credentials(justcall::credentials(KEY, API_SECRET)));
    const auto of_client = justcall::webhook(URL).secrets_of(client), given = verifier();
    for (const auto *webhook : {&of_client, &given}) {
        CHECK(static_cast<bool>(webhook->try_verify(headers(), body(), NOW)));
        CHECK(!webhook->try_verify({}, body(), NOW));
        const std::string text = webhook->usage();
        CHECK(counted(text, "ok\"} 1") && counted(text, "webhook_unsigned\"} 1"));
        CHECK(counted(text, "webhook_mismatch\"} 0"));
        CHECK(text.compare(text.size() - 6, 6, "# EOF\n") == 0);
        CHECK(static_cast<bool>(webhook->try_usage()));
    }
    CHECK(counted(client.usage(), "ok\"} 1") && counted(client.usage(), "webhook_unsigned\"} 1"));
}

int main() {
    it_returns_the_signed_values();
    it_refuses_what_is_not_genuine();
    it_uses_the_secrets_of_a_client();
    it_keeps_the_replay_check_when_moved();
    it_survives_a_replay_check_that_throws();
    it_counts_deliveries_by_result();
    return checks_result();
}
