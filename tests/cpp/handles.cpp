// Checks what needs no service: handles that are created, moved and refused. handles PAIR_FILE

#include "support.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

using justcall::errc;
using namespace std::chrono_literals;

static bool is(const justcall::secret_string &secret, std::string_view text) {
    return secret.view() == text;
}

static void it_returns_its_version_and_wipes() {
    CHECK(justcall::version() == justcall_version());
    CHECK(justcall::abi_version() == JUSTCALL_ABI_VERSION);
    char buffer[] = "xsecretx";
    justcall::wipe(buffer + 1, 6);
    CHECK(memcmp(buffer, "x\0\0\0\0\0\0x", 9) == 0);
}

static void it_names_every_status() {
    CHECK(justcall::name(errc::ok) == "ok");
    CHECK(justcall::name(errc::invalid_credentials) == "invalid_credentials");
    CHECK(justcall::name(static_cast<errc>(-7)) == "unknown");
}

static void it_returns_the_authorization_as_a_secret() {
    const justcall::credentials pair(KEY, SECRET);
    CHECK(pair.key_hint() == "abc1\xE2\x80\xA6"
                             "f456");
    justcall::secret_string secret = pair.authorization();
    CHECK(secret.view() == PAIR && secret.size() == strlen(PAIR));
    CHECK_TEXT(secret.c_str(), PAIR);
    const justcall::secret_string moved = std::move(secret);
    CHECK(moved.view() == PAIR);
    CHECK(secret.view().empty() && secret.size() == 0);
    CHECK_TEXT(secret.c_str(), "");
    justcall::secret_string again = pair.authorization();
    move_to(again, again);
    again = pair.try_authorization().value();
    CHECK(again.view() == PAIR);

    const std::string longest(512, 'k');
    const justcall::credentials wide(longest, std::string(512, 's'));
    CHECK(wide.authorization().size() == JUSTCALL_AUTHORIZATION_SIZE - 1);
}

static void it_loads_from_a_source(const std::string &pair_file) {
    CHECK(justcall::credentials::load("file:" + pair_file).authorization().size() == strlen(PAIR));
    // A view of the start of a longer text.
    const std::string tail = "file:" + pair_file + "tail";
    const auto whole = std::string_view(tail).substr(0, tail.size() - 4);
    CHECK(static_cast<bool>(justcall::credentials::try_load(whole)));
    const auto load = [](std::string_view source) {
        static_cast<void>(justcall::credentials::load(source));
    };
    CHECK(status_of([&] { load("file:/nonexistent/pair"); }) == errc::source_unavailable);
    const auto limits = justcall::call_options().timeout(std::chrono::seconds(5));
    CHECK(justcall::credentials::load("file:" + pair_file, limits).authorization().size() ==
          strlen(PAIR));
    justcall::cancel cancel;
    const auto cancelled = justcall::call_options().cancel(cancel);
    cancel.fire();
    CHECK(justcall::credentials::try_load("file:" + pair_file, cancelled).error().status() ==
          errc::cancelled);
    justcall::call_options moved;
    const justcall::call_options taken = std::move(moved);
    CHECK(justcall::credentials::try_load("file:" + pair_file, moved).error().status() ==
          errc::invalid_argument);
    CHECK(justcall::credentials::try_load("file:" + pair_file, taken).has_value());
}

static void it_names_the_fault_and_never_shows_the_value() {
    const auto error = error_of([] { justcall::credentials(KEY, "canary77 "); });
    CHECK(error.status() == errc::credentials_malformed);
    CHECK(error.name() == "credentials_malformed");
    CHECK(error.reason() == "trailing_whitespace");
    CHECK(contains(error.message(), "API secret") && !contains(error.message(), "canary"));
    CHECK(error.message() == error.what());
    CHECK(contains(error.hint(), "Nothing was sent"));
    CHECK(!error.service_message() && !error.response() && !error.retry_after());
    CHECK(error.http_status() == 0 && !error.retryable() && !error.request_sent());

    // An empty half is a malformed pair, not an invalid argument, even if the view is
    // default-constructed.
    CHECK(status_of([] { justcall::credentials({}, SECRET); }) == errc::credentials_malformed);
    CHECK(status_of([] { justcall::credentials(KEY, {}); }) == errc::credentials_malformed);
}

static void it_returns_the_same_as_a_result() {
    const auto good = justcall::credentials::try_make(KEY, SECRET);
    CHECK(good && good->key_hint() == (*good).key_hint() && !good.value().key_hint().empty());
    const auto bad = justcall::credentials::try_make("", SECRET);
    CHECK(!bad && bad.error().status() == errc::credentials_malformed);
    CHECK(status_of([&] { bad.value(); }) == errc::credentials_malformed);
    CHECK(status_of([] { justcall::credentials::try_make("", "").value(); }) ==
          errc::credentials_malformed);
    auto taken = justcall::credentials::try_make(KEY, SECRET).value();
    CHECK(taken.authorization().size() == strlen(PAIR));
    const justcall::error kept = justcall::credentials::try_make("", SECRET).error();
    CHECK(contains(kept.message(), "API key"));
}

static void it_shares_the_content_of_copied_errors() {
    std::vector<justcall::error> copies;
    {
        const auto error = error_of([] { justcall::credentials(KEY, ""); });
        copies.assign(3, error);
        justcall::error other(errc::timeout);
        CHECK(other.name() == "timeout" && other.message() == "timeout" && other.hint().empty());
        CHECK(!other.reason() && !other.response() && other.http_status() == 0);
        other = error;
        CHECK(other.native_handle() == error.native_handle());
        const justcall::error moved = std::move(other);
        CHECK(moved.message() == error.message() && other.message() == error.message());
        other = *&other;
        copies.push_back(other);
    }
    for (const auto &error : copies)
        CHECK(contains(error.message(), "API secret") && !error.hint().empty());
}

static void it_refuses_a_nul_in_a_text() {
    using namespace std::string_view_literals;
    const auto nul = errc::invalid_argument;
    justcall::config config;
    CHECK(status_of([&] { config.source("env:\0x"sv); }) == nul);
    CHECK(status_of([&] { config.base_url("https://localhost\0.evil"sv); }) == nul);
    CHECK(status_of([&] { config.verify_path("/v2\0"sv); }) == nul);
    CHECK(status_of([&] { config.ca_file("\0"sv); }) == nul);
    CHECK(status_of([&] { config.proxy("\0"sv); }) == nul);
    CHECK(status_of([] { static_cast<void>(justcall::credentials::load("default:\0"sv)); }) == nul);
    CHECK(status_of([&] { config.local_address("\0"sv); }) == nul);
    CHECK(status_of([] { justcall::request("GET\0"sv, "/"); }) == nul);
    CHECK(status_of([] { justcall::request("GET", "/v2\0"sv); }) == nul);
    justcall::request request("GET", "/v2");
    CHECK(status_of([&] { request.query("a\0"sv, "b"); }) == nul);
    CHECK(status_of([&] { request.query("a", "b\0"sv); }) == nul);
    CHECK(status_of([&] { request.header("a", "b\0"sv); }) == nul);
    CHECK(status_of([] { justcall::client().get("/v2\0"sv); }) == nul);
    CHECK(status_of([] { justcall::classify(200, {{"a\0"sv, "b"}}); }) == nul);
    CHECK(status_of([] { justcall::classify(200, {{"a", "b\0"sv}}); }) == nul);
    const auto error = error_of([&] { config.source("\0"sv); });
    CHECK(contains(error.message(), "NUL") && !error.hint().empty());
    // In a pair a NUL is a malformed pair, not an invalid argument.
    CHECK(status_of([] { justcall::credentials(KEY "\0"sv, SECRET); }) ==
          errc::credentials_malformed);
    // A body is bytes, and so is a text to diagnose.
    request.body("a\0b"sv);
    CHECK(!justcall::diagnose("key\0:secret"sv).empty());
}

static void it_accepts_every_setting(const std::string &pair_file) {
    const justcall::credentials pair(KEY, SECRET);
    justcall::config config;
    config.source("env:").credentials(pair).base_url("https://localhost:8443/prefix");
    config.verify_path("/v2.1/users?per_page=1").timeout(0s).timeout(5s).timeout(250ms);
    config.max_retries(0).proxy("").proxy("http://127.0.0.1:8080").expected_account(7);
    CHECK(status_of([&] { config.timeout(-1ms); }) == errc::invalid_argument);
    CHECK(status_of([&] { config.max_retries(-1); }) == errc::invalid_argument);
    CHECK(status_of([&] { config.base_url("http://192.0.2.1/"); }) == errc::invalid_argument);
    CHECK(!config.try_source("vault") && !config.try_source(pair_file));
    CHECK(config.try_ca_file(pair_file) && !justcall::client::try_make(config));
    CHECK(status_of([&] { justcall::client{config}; }) == errc::invalid_argument);

    justcall::request request = justcall::request("POST", "/v2/texts").query("a", "b").body({});
    request.header("x-trace", "7").timeout(2s).timeout(0ms).body("{}").body("");
    CHECK(status_of([&] { request.timeout(-1s); }) == errc::invalid_argument);
    CHECK(status_of([&] { request.header("Authorization", "x"); }) == errc::invalid_argument);
    CHECK(status_of([] { justcall::request("get", "/"); }) == errc::invalid_argument);
    CHECK(status_of([] { justcall::request("GET", "//evil.example/"); }) == errc::invalid_argument);
}

static void it_keeps_alive_what_a_handle_refers_to() {
    std::optional<justcall::client> client;
    {
        const auto config = justcall::config().credentials(justcall::credentials(KEY, SECRET));
        client.emplace(config);
    }
    CHECK(is(client->authorization(), PAIR));
}

static void it_reports_a_refused_connection() {
    const justcall::client client(justcall::config()
                                      .credentials(justcall::credentials(KEY, SECRET))
                                      .base_url("http://127.0.0.1:1")
                                      .max_retries(0));
    const auto error = error_of([&] { client.verify(); });
    CHECK(error.status() == errc::connection_failed && error.reason() == "connect");
    CHECK(error.retryable() && !error.request_sent() && !error.response());
    CHECK(client.try_post("/v2/texts", "{}").error().status() == errc::connection_failed);
}

// A moved-from handle is empty, and every function can be called on it.
static void it_is_empty_after_a_move() {
    justcall::credentials pair(KEY, SECRET);
    const justcall::credentials new_pair = std::move(pair);
    CHECK(!pair.native_handle() && pair.key_hint().empty());
    CHECK(pair.try_authorization().error().status() == errc::invalid_argument);

    justcall::config config;
    CHECK(!config.try_credentials(pair));
    const justcall::config new_config = std::move(config.credentials(new_pair));
    CHECK(!config.try_timeout(1s) && !config.try_source("env:"));
    // An empty configuration must not mean the defaults, as NULL does in C.
    CHECK(justcall::client::try_make(config).error().status() == errc::invalid_argument);

    justcall::client client(new_config);
    const justcall::client new_client = std::move(client);
    CHECK(!client.try_verify() && !client.try_get("/") && !client.try_authorization());
    CHECK(status_of([&] { client.verify(); }) == errc::invalid_argument);
    CHECK(is(new_client.authorization(), PAIR));

    justcall::request request("GET", "/");
    const justcall::request new_request = std::move(request);
    CHECK(!request.try_query("a", "b") && !request.try_body("") && !new_client.try_send(request));

    justcall::report report = justcall::diagnose("Bearer " PAIR);
    const justcall::report new_report = std::move(report);
    CHECK(report.empty() && report.size() == 0 && report.begin() == report.end());
    CHECK(!new_report.empty());

    justcall::account account(nullptr);
    CHECK(!account.id() && !account.plan() && !account.email() && account.verified_by().empty());
    justcall::response response(nullptr);
    CHECK(response.http_status() == 0 && response.body().empty() && !response.header("a"));
    CHECK(response.headers().empty() && !response.rate_limit().limit);
}

static void it_survives_being_moved_to_itself() {
    justcall::credentials pair(KEY, SECRET);
    move_to(pair, pair);
    justcall::client client;
    move_to(client, client);
    justcall::config config;
    move_to(config, config);
    justcall::request request("GET", "/");
    move_to(request, request);
    // The handles can still be assigned to.
    pair = justcall::credentials(KEY, SECRET);
    CHECK(is(pair.authorization(), PAIR));
    client = justcall::client(justcall::config().credentials(pair));
    CHECK(is(client.authorization(), PAIR));
    auto result = client.try_authorization();
    move_to(result, result);
    result = client.try_authorization();
    CHECK(result->view() == PAIR);
}

static void it_can_be_stored_in_containers() {
    std::vector<justcall::credentials> pairs;
    std::map<std::string, justcall::client, std::less<>> clients;
    for (const char *key : {"one-key", "two-key", "three-key", "four-key", "five-key"}) {
        pairs.emplace_back(key, SECRET);
        clients.emplace(key, justcall::config().credentials(pairs.back()));
    }
    std::swap(pairs.front(), pairs.back());
    pairs.erase(pairs.begin() + 1);
    CHECK(pairs.size() == 4 && is(pairs[0].authorization(), "five-key:" SECRET));
    CHECK(is(clients.at("two-key").authorization(), "two-key:" SECRET));
}

static void it_converts_from_and_to_c_handles() {
    justcall_credentials *raw = nullptr;
    CHECK(justcall_credentials_new(KEY, 12, SECRET, 12, &raw, nullptr) == JUSTCALL_OK);
    justcall::credentials pair(raw);
    CHECK(pair.native_handle() == raw && is(pair.authorization(), PAIR));
    raw = pair.release();
    CHECK(!pair.native_handle());
    justcall_credentials_free(raw);
    justcall_error *error = nullptr;
    CHECK(justcall_classify(429, nullptr, nullptr, 0, nullptr, 0, &error) != JUSTCALL_OK);
    CHECK(justcall::error(error).status() == errc::rate_limited);
}

static void it_diagnoses_a_text_without_the_service() {
    const auto report = justcall::diagnose("Authorization: Bearer " PAIR " ");
    CHECK(!report.empty() && report.size() > 0);
    size_t count = 0;
    for (const auto &finding : report) {
        CHECK(!finding.code.empty() && !finding.message.empty() && !finding.remedy.empty());
        CHECK(!contains(finding.message, "sec789"));
        ++count;
    }
    CHECK(count == report.size());
    CHECK(report[0].severity == justcall::severity::error);
    CHECK(report[count].code.empty());
    CHECK(justcall::diagnose(CLEAN_PAIR).empty());
    // An empty text has a finding.
    const auto nothing = justcall::diagnose(std::string_view());
    const auto environment = justcall::diagnose_environment();
    CHECK(!nothing.empty() && !environment.empty());
    CHECK(nothing[0].code != environment[0].code);
}

static void it_reports_how_the_pair_is_protected() {
    auto config = justcall::config().credentials(justcall::credentials(KEY, SECRET));
    const justcall::client client(config.memory_protection(justcall::memory::heap));
    const auto report = client.protection();
    CHECK(report.size() == 1 && report[0].code == "heap");
    CHECK(status_of([&] { config.memory_protection(static_cast<justcall::memory>(9)); }) ==
          errc::invalid_argument);
    CHECK(config.try_memory_protection(justcall::memory::automatic));
    const auto usual = justcall::client(config).try_protection();
    CHECK(usual && usual->size() == 1 && !(*usual)[0].code.empty());
}

static void it_returns_the_alternative_to_a_failed_result() {
    const auto good = justcall::credentials::try_make(KEY, SECRET);
    const auto bad = justcall::credentials::try_make("", "");
    CHECK(good.has_value() && !bad.has_value());
    CHECK(justcall::try_classify(200).has_value() && !justcall::try_classify(500).has_value());
    const justcall::result<std::string> text = std::string("text");
    const justcall::result<std::string> none = justcall::error(errc::timeout);
    CHECK(text.value_or("other") == "text" && none.value_or("other") == "other");
    const auto other =
        justcall::credentials::try_make("", "").value_or(justcall::credentials(KEY, SECRET));
    CHECK(other.key_hint() == good->key_hint());
}

static void it_has_error_codes() {
    const std::error_code code = errc::timeout;
    CHECK(code.category() == justcall::error_category());
    CHECK(std::string_view(code.category().name()) == "justcall");
    CHECK(code.value() == JUSTCALL_ERROR_TIMEOUT && code == errc::timeout);
    CHECK(code == std::errc::timed_out && code != std::errc::invalid_argument);
    CHECK(std::error_code(errc::cancelled) == std::errc::operation_canceled);
    CHECK(std::error_code(errc::out_of_memory) == std::errc::not_enough_memory);
    CHECK(std::error_code(errc::invalid_argument) == std::errc::invalid_argument);
    CHECK(std::error_code(errc::buffer_too_small) == std::errc::no_buffer_space);
    CHECK(!std::error_code(errc::ok) && std::error_code(errc::ok).message() == "ok");
    CHECK(contains(code.message(), "timeout") && code.message() != "timeout");
    CHECK(justcall::error_category().message(1234567) == "unknown");
    CHECK(justcall::error(errc::rate_limited).code() == errc::rate_limited);
}

static void it_creates_errors_with_messages() {
    const justcall::error error(errc::source_unavailable, "The database\tis down.");
    CHECK(error.status() == errc::source_unavailable && error.name() == "source_unavailable");
    CHECK(error.message() == "The databaseis down." && !error.hint().empty());
    const auto copy = error;
    CHECK(copy.message() == error.message());
    CHECK(justcall::error(errc::ok, "no failure").status() == errc::invalid_argument);
}

static void it_classifies_a_response() {
    justcall::classify(200);
    justcall::classify(299, {{"content-type", "text/html"}}, "not JSON");
    const auto error = error_of([] {
        justcall::classify(403, {},
                           R"({"status":"error","message":"Your plan has no API access."})");
    });
    CHECK(error.status() == errc::forbidden && error.reason() == "plan");
    CHECK(error.service_message() == "Your plan has no API access.");
    CHECK(error.http_status() == 403 && error.request_sent());

    using namespace std::chrono;
    const auto wait = error_of([] { justcall::classify(429, {{"A", "b"}, {"Retry-After", "3"}}); });
    CHECK(wait.retry_after() == 3s && wait.retryable());
    const std::map<std::string, std::string> headers = {{"retry-after", "18446744073709551615"}};
    CHECK(justcall::try_classify(429, headers).error().retry_after() == milliseconds::max());
    CHECK(justcall::try_classify(0).error().status() == errc::invalid_argument);
    CHECK(justcall::try_classify(418).error().status() == errc::bad_request);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    it_returns_its_version_and_wipes();
    it_names_every_status();
    it_returns_the_authorization_as_a_secret();
    it_loads_from_a_source(argv[1]);
    it_names_the_fault_and_never_shows_the_value();
    it_returns_the_same_as_a_result();
    it_shares_the_content_of_copied_errors();
    it_refuses_a_nul_in_a_text();
    it_accepts_every_setting(argv[1]);
    it_keeps_alive_what_a_handle_refers_to();
    it_reports_a_refused_connection();
    it_is_empty_after_a_move();
    it_survives_being_moved_to_itself();
    it_can_be_stored_in_containers();
    it_converts_from_and_to_c_handles();
    it_diagnoses_a_text_without_the_service();
    it_reports_how_the_pair_is_protected();
    it_returns_the_alternative_to_a_failed_result();
    it_has_error_codes();
    it_creates_errors_with_messages();
    it_classifies_a_response();
    return checks_result();
}
