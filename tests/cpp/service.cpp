// Checks calls to a sandbox with faults on some paths. service URL CA_FILE KEY SECRET

#include "support.hpp"

#include <optional>
#include <string>
#include <vector>

using justcall::errc;
using namespace std::chrono_literals;

static void it_verifies(const sandbox &service) {
    const auto client = client_of(service);
    const auto account = client.verify();
    CHECK(account.id() == 12345 && account.plan() == "Pro");
    CHECK(account.email() == "admin@yourcompany.com");
    CHECK(account.verified_by() == "/v2/account");
    if (const auto again = client.try_verify())
        CHECK(again->id() == account.id());
    else
        CHECK(again.error().status() == errc::ok);
    const auto secret = client.authorization();
    CHECK(secret.view() == std::string(service.key) + ":" + std::string(service.secret));
}

static void it_reports_a_rejected_pair(const sandbox &service) {
    const std::string wrong(40, '0');
    std::optional<justcall::error> kept;
    {
        const justcall::client client(
            settings(service).credentials(justcall::credentials(service.key, wrong)));
        kept = error_of([&] { client.verify(); });
        CHECK(client.try_verify().error().status() == errc::invalid_credentials);
    }
    CHECK(kept->status() == errc::invalid_credentials && kept->http_status() == 401);
    CHECK(kept->name() == "invalid_credentials" && !kept->retryable() && kept->request_sent());
    CHECK(kept->service_message() == "Invalid API key or secret.");
    CHECK(!contains(kept->hint(), wrong) && !kept->hint().empty());
    CHECK(kept->response()->http_status() == 401);
}

static void it_reports_a_plan_without_api_access(const sandbox &service) {
    const auto error = error_of([&] { client_of(service).get("/v2.1/echo/403"); });
    CHECK(error.status() == errc::forbidden && error.reason() == "plan");
    CHECK(error.response() && error.http_status() == 403);
}

// The response outlives its error.
static void it_keeps_the_field_errors_of_a_422(const sandbox &service) {
    const auto client = client_of(service);
    std::optional<justcall::response> response;
    try {
        client.post("/v2.1/echo/422", "{}");
        CHECK(response.has_value());
    } catch (const justcall::error &error) {
        CHECK(error.status() == errc::unprocessable && error.request_sent());
        response = error.response();
    }
    CHECK(response->http_status() == 422);
    CHECK(contains(response->body(), R"("field":"to")"));
    CHECK(response->header("X-FIELD") == "to" && !response->header("x-absent"));
    CHECK(!response->header(std::string_view("x-field\0", 8)));
    const justcall::response moved = *std::move(response);
    CHECK(contains(moved.body(), R"("field":"to")"));
}

static void it_reports_how_long_to_wait(const sandbox &service) {
    const auto error = client_of(service).try_get("/v2.1/echo/429").error();
    CHECK(error.status() == errc::rate_limited && error.retryable());
    CHECK(error.retry_after() == 7s);
    const auto window = error.response()->rate_limit();
    CHECK(window.limit == 1800 && window.remaining == 0 && window.reset.has_value());
    CHECK(window.reset->time_since_epoch() == 4000000000s);
    CHECK(error.response()->burst_rate_limit().limit == 30);
}

static void it_fails_after_the_timeout(const sandbox &service) {
    const justcall::credentials pair(service.key, service.secret);
    const justcall::client client(settings(service).credentials(pair).timeout(300ms));
    const auto error = error_of([&] { client.get("/v2.1/echo/hang"); });
    CHECK(error.status() == errc::timeout && error.reason() == "receive" && error.request_sent());
    // The limit of the request replaces that of the client.
    const justcall::client unlimited(settings(service).credentials(pair).timeout(0ms));
    const auto begin = std::chrono::steady_clock::now();
    const auto hanging = justcall::request("GET", "/v2.1/echo/hang").timeout(200ms);
    CHECK(unlimited.try_send(hanging).error().status() == errc::timeout);
    CHECK(std::chrono::steady_clock::now() - begin < 10s);
}

static void it_refuses_invalid_requests_before_sending(const sandbox &service) {
    const auto client = client_of(service);
    const auto error = error_of([&] { client.get("https://evil.example/v2/account"); });
    CHECK(error.status() == errc::invalid_argument && !error.request_sent());
    CHECK(!client.try_request("TRACE it", "/v2/account") && !client.try_get("v2/account"));
}

// A link to the next page in a response can be used unchanged.
static void it_accepts_a_url_under_the_base_url(const sandbox &service) {
    const auto client = client_of(service);
    const std::string link = std::string(service.url) + "/v2.1/echo?page=2";
    const auto got = client.get(link), posted = client.post(link, "{}");
    CHECK(contains(got.body(), "page=2") && contains(posted.body(), "page=2"));
    CHECK(client.try_put(link, "") && client.try_del(link) && client.try_request("PATCH", link));
    const auto other = std::string(service.url) + ".evil.example/v2.1/echo";
    CHECK(client.try_get(other).error().status() == errc::invalid_argument);
    CHECK(justcall::request::try_make("GET", link).error().status() == errc::invalid_argument);
}

static void it_sends_every_part_of_a_request(const sandbox &service) {
    const auto client = client_of(service);
    const std::string bytes("\xFF\0{}\n", 5);
    const auto request = justcall::request{"POST", "/v2.1/echo/texts?page=1"}
                             .query("to", "+1 415&x=y")
                             .query("empty", "")
                             .header("x-trace", "7")
                             .header("X-Trace", "8")
                             .body(bytes);
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto response = client.send(request);
        CHECK(response.http_status() == 200);
        const auto body = response.body();
        CHECK(contains(body, R"("method":"POST")") &&
              contains(body, R"("path":"/v2.1/echo/texts")"));
        CHECK(contains(body, R"(page=1&to=%2B1%20415%26x%3Dy&empty=)"));
        CHECK(contains(body, R"("8"])") && !contains(body, R"("7"])"));
        CHECK(contains(body, R"("body_bytes":5)") && contains(body, R"("body_base64":"/wB7fQo=")"));
    }
}

static void it_has_short_forms(const sandbox &service) {
    const auto client = client_of(service);
    const auto method_and_size = [](const justcall::response &response, const char *method,
                                    const char *size) {
        return contains(response.body(), "\"method\":\"" + std::string(method) + "\"") &&
               contains(response.body(), "\"body_bytes\":" + std::string(size));
    };
    CHECK(method_and_size(client.get("/v2.1/echo"), "GET", "0"));
    CHECK(method_and_size(client.post("/v2.1/echo", "{}"), "POST", "2"));
    CHECK(method_and_size(client.post("/v2.1/echo", {}), "POST", "0"));
    CHECK(method_and_size(client.put("/v2.1/echo", "[1]"), "PUT", "3"));
    CHECK(method_and_size(client.del("/v2.1/echo"), "DELETE", "0"));
    CHECK(method_and_size(client.request("PATCH", "/v2.1/echo", "1"), "PATCH", "1"));
    CHECK(method_and_size(client.request("OPTIONS", "/v2.1/echo"), "OPTIONS", "0"));
    CHECK(client.try_put("/v2.1/echo", "") && client.try_del("/v2.1/echo"));
    CHECK(client.try_post("/v2.1/echo", "") && client.try_get("/v2.1/echo?gzip=1"));
}

static void it_lists_the_headers_of_a_response(const sandbox &service) {
    const auto response = client_of(service).get("/v2.1/echo");
    std::vector<std::string> names;
    for (const auto &[name, value] : response.headers()) {
        names.emplace_back(name);
        if (name == "content-type")
            CHECK(value == "application/json" && response.header("Content-Type") == value);
    }
    const auto headers = response.headers();
    CHECK(names.size() == headers.size() && !headers.empty());
    CHECK(headers[0].name == names[0] && headers[names.size()].name.empty());
    CHECK(std::vector<justcall::header_field>(headers.begin(), headers.end()).size() ==
          names.size());
}

static void it_refuses_another_account(const sandbox &service) {
    const justcall::credentials pair(service.key, service.secret);
    const justcall::client other(settings(service).credentials(pair).expected_account(999));
    CHECK(status_of([&] { other.get("/v2.1/echo"); }) == errc::wrong_account);
    const justcall::client same(settings(service).credentials(pair).expected_account(12345));
    CHECK(same.get("/v2.1/echo").http_status() == 200);
}

static void it_throws_errors_that_can_be_rethrown(const sandbox &service) {
    std::exception_ptr thrown;
    try {
        client_of(service).get("/v2.1/nothing");
    } catch (...) {
        thrown = std::current_exception();
    }
    try {
        std::rethrow_exception(thrown);
    } catch (const std::exception &error) {
        CHECK(strlen(error.what()) > 0);
        CHECK(dynamic_cast<const justcall::error &>(error).status() == errc::not_found);
    }
}

static void it_counts_calls(const sandbox &service) {
    const justcall::client client = client_of(service);
    client.get("/v2.1/echo");
    const std::string text = client.usage();
    CHECK(text.find("justcall_auth_calls_total{outcome=\"ok\"} 1\n") != std::string::npos);
    CHECK(text.compare(text.size() - 6, 6, "# EOF\n") == 0);
    CHECK(text.size() == strlen(text.c_str()));
    CHECK(static_cast<bool>(client.try_usage()));
}

int main(int argc, char **argv) {
    if (argc != 5)
        return 2;
    const sandbox service(argv);
    it_verifies(service);
    it_reports_a_rejected_pair(service);
    it_reports_a_plan_without_api_access(service);
    it_keeps_the_field_errors_of_a_422(service);
    it_reports_how_long_to_wait(service);
    it_fails_after_the_timeout(service);
    it_refuses_invalid_requests_before_sending(service);
    it_accepts_a_url_under_the_base_url(service);
    it_sends_every_part_of_a_request(service);
    it_has_short_forms(service);
    it_lists_the_headers_of_a_response(service);
    it_refuses_another_account(service);
    it_throws_errors_that_can_be_rethrown(service);
    it_counts_calls(service);
    return checks_result();
}
