/*
 * justcall_auth.hpp - JustCall API authentication for C++17: justcall_auth.h with owners,
 * exceptions and views.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Example: is the pair in JUSTCALL_API_KEY and JUSTCALL_API_SECRET good?
 *
 *     #include <iostream>
 *     #include <justcall_auth.hpp>
 *
 *     int main() {
 *         try {
 *             const justcall::client client;
 *             const auto account = client.verify();
 *             std::cout << "good, says " << account.verified_by() << "\n";
 *         } catch (const justcall::error &error) {
 *             std::cerr << error.name() << ": " << error.message() << "\n"
 *                       << error.hint() << "\n";
 *             return 1;
 *         }
 *     }
 *
 * It adds nothing to the C library but C++: what a call does, and why it may fail, stands in
 * justcall_auth.h under the name that is given here as `justcall_...()`. Link with -ljustcall_auth.
 *
 * Failures. Every call that can fail has two forms. `client.verify()` returns the account or throws
 * a justcall::error. `client.try_verify()` returns a justcall::result, which holds the account or
 * the error; the constructors are called `try_make` there. justcall::errc is an error code
 * enumeration of <system_error>, in justcall::error_category(). Nothing but that error is thrown,
 * and std::bad_alloc, by both forms, if there is no memory for a copy that this header makes. If
 * there is none for one that the library makes, the error is errc::out_of_memory. Compiled without
 * exceptions
 * (-fno-exceptions), only the try_ forms are there, and JUSTCALL_NO_EXCEPTIONS is defined.
 *
 * Ownership. Each handle owns what it stands for: it can be moved, not copied. Whatever it refers
 * to is kept alive, so destroy in any order. One that was moved from is empty, like NULL in C:
 * calls with it fail with errc::invalid_argument, what it is asked for is 0, empty or nothing.
 *
 * Views. Text comes out as std::string_view, borrowed from the object that was asked and good for
 * as long as that lives and is not assigned to. To ask an object that is about to vanish, as in
 * `client.verify().plan()`, does not compile: give it a name first. Text that goes in is copied.
 *
 * Threads. Any number of threads may call the const members of one object at once, and of a client
 * or cancel all members; an exchange is for one thread at a time. Any other object is for one
 * thread at a time while it is changed.
 *
 * Signal handlers may call cancel::fire() and client::shutdown(), and nothing else.
 */

#ifndef JUSTCALL_AUTH_HPP
#define JUSTCALL_AUTH_HPP

#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "justcall_auth.hpp needs C++17; justcall_auth.h does without"
#endif

#include <justcall_auth.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#if !defined(__cpp_exceptions) && !defined(_CPPUNWIND)
#define JUSTCALL_NO_EXCEPTIONS 1
#endif

static_assert(JUSTCALL_VERSION_MAJOR == 0 && JUSTCALL_VERSION_MINOR == 1,
              "justcall_auth.hpp and justcall_auth.h are of different versions");

namespace justcall {

// The ABI of this header. Sources that use another one, or do with or without exceptions what
// others do not, can be linked together: to the linker their types differ.
#ifdef JUSTCALL_NO_EXCEPTIONS
inline namespace v0_1_without_exceptions {
#else
inline namespace v0_1 {
#endif

// The library ------------------------------------------------------------------------------------

/// The version of the library in use, such as "0.1.0": justcall_version().
inline std::string_view version() noexcept { return justcall_version(); }

/// The ABI of the library in use; JUSTCALL_ABI_VERSION is that of the header:
/// justcall_abi_version().
inline std::uint32_t abi_version() noexcept { return justcall_abi_version(); }

/// Overwrites `length` bytes with zeros, in a way that compilers do not leave out: justcall_wipe().
inline void wipe(void *buffer, std::size_t length) noexcept { justcall_wipe(buffer, length); }

/// Forgets which pairs the service rejected, so that clients may send them again at once. For tests:
/// justcall_forget_rejections().
inline void forget_rejections() noexcept { justcall_forget_rejections(); }

/// Why a call failed; the number of a failure that the service reported is its HTTP status. A later
/// library may give numbers that are not named here.
enum class errc : std::int32_t {
    ok = JUSTCALL_OK,
    invalid_argument = JUSTCALL_ERROR_INVALID_ARGUMENT,
    buffer_too_small = JUSTCALL_ERROR_BUFFER_TOO_SMALL,
    out_of_memory = JUSTCALL_ERROR_OUT_OF_MEMORY,
    credentials_missing = JUSTCALL_ERROR_CREDENTIALS_MISSING,
    credentials_malformed = JUSTCALL_ERROR_CREDENTIALS_MALFORMED,
    source_unavailable = JUSTCALL_ERROR_SOURCE_UNAVAILABLE,
    memory_protection = JUSTCALL_ERROR_MEMORY_PROTECTION,
    wrong_account = JUSTCALL_ERROR_WRONG_ACCOUNT,
    timeout = JUSTCALL_ERROR_TIMEOUT,
    connection_failed = JUSTCALL_ERROR_CONNECTION_FAILED,
    tls_failed = JUSTCALL_ERROR_TLS_FAILED,
    redirect_refused = JUSTCALL_ERROR_REDIRECT_REFUSED,
    invalid_response = JUSTCALL_ERROR_INVALID_RESPONSE,
    cancelled = JUSTCALL_ERROR_CANCELLED,
    webhook_unsigned = JUSTCALL_ERROR_WEBHOOK_UNSIGNED,
    webhook_malformed = JUSTCALL_ERROR_WEBHOOK_MALFORMED,
    webhook_mismatch = JUSTCALL_ERROR_WEBHOOK_MISMATCH,
    webhook_stale = JUSTCALL_ERROR_WEBHOOK_STALE,
    webhook_wrong_url = JUSTCALL_ERROR_WEBHOOK_WRONG_URL,
    webhook_version = JUSTCALL_ERROR_WEBHOOK_VERSION,
    webhook_replayed = JUSTCALL_ERROR_WEBHOOK_REPLAYED,
    internal = JUSTCALL_ERROR_INTERNAL,
    bad_request = JUSTCALL_ERROR_BAD_REQUEST,
    invalid_credentials = JUSTCALL_ERROR_INVALID_CREDENTIALS,
    forbidden = JUSTCALL_ERROR_FORBIDDEN,
    not_found = JUSTCALL_ERROR_NOT_FOUND,
    unprocessable = JUSTCALL_ERROR_UNPROCESSABLE,
    rate_limited = JUSTCALL_ERROR_RATE_LIMITED,
    server_error = JUSTCALL_ERROR_SERVER_ERROR,
    unavailable = JUSTCALL_ERROR_UNAVAILABLE,
};

/// The name of a status, such as "invalid_credentials": justcall_status_name().
inline std::string_view name(errc status) noexcept {
    return justcall_status_name(static_cast<justcall_status>(status));
}

namespace detail {

/// The category of `errc`.
class status_category final : public std::error_category {
  public:
    const char *name() const noexcept override { return "justcall"; }

    /// The sentence of the status, as in the C header; the name of one that the library does not
    /// have.
    std::string message(int status) const override {
        justcall_error *why = nullptr;
        const auto made = justcall_error_new(status, nullptr, &why);
        const std::unique_ptr<justcall_error, void (*)(justcall_error *)> owned(
            why, justcall_error_free);
        return made == status ? justcall_error_message(why) : justcall_status_name(status);
    }

    /// What it is to programs that know the conditions of the standard alone.
    [[nodiscard]] std::error_condition default_error_condition(int status) const noexcept override {
        switch (status) {
        case JUSTCALL_ERROR_INVALID_ARGUMENT:
            return std::errc::invalid_argument;
        case JUSTCALL_ERROR_BUFFER_TOO_SMALL:
            return std::errc::no_buffer_space;
        case JUSTCALL_ERROR_OUT_OF_MEMORY:
            return std::errc::not_enough_memory;
        case JUSTCALL_ERROR_TIMEOUT:
            return std::errc::timed_out;
        case JUSTCALL_ERROR_CANCELLED:
            return std::errc::operation_canceled;
        default:
            return std::error_condition(status, *this);
        }
    }
};

} // namespace detail

/// The category of the error codes of this library, whose name is "justcall".
inline const std::error_category &error_category() noexcept {
    static const detail::status_category category;
    return category;
}

/// The error code of a status: `std::error_code code = justcall::errc::timeout`.
inline std::error_code make_error_code(errc status) noexcept {
    return {static_cast<int>(status), error_category()};
}

// What the types below are made of; not for use from outside.
namespace detail {

struct free_handle {
    void operator()(justcall_call_options *handle) const noexcept {
        justcall_call_options_free(handle);
    }
    void operator()(justcall_account *handle) const noexcept { justcall_account_free(handle); }
    void operator()(justcall_cancel *handle) const noexcept { justcall_cancel_free(handle); }
    void operator()(justcall_client *handle) const noexcept { justcall_client_free(handle); }
    void operator()(justcall_config *handle) const noexcept { justcall_config_free(handle); }
    void operator()(justcall_credentials *handle) const noexcept {
        justcall_credentials_free(handle);
    }
    void operator()(justcall_error *handle) const noexcept { justcall_error_free(handle); }
    void operator()(justcall_exchange *handle) const noexcept { justcall_exchange_free(handle); }
    void operator()(justcall_report *handle) const noexcept { justcall_report_free(handle); }
    void operator()(justcall_request *handle) const noexcept { justcall_request_free(handle); }
    void operator()(justcall_response *handle) const noexcept { justcall_response_free(handle); }
    void operator()(justcall_webhook *handle) const noexcept { justcall_webhook_free(handle); }
    void operator()(justcall_webhook_event *handle) const noexcept {
        justcall_webhook_event_free(handle);
    }
};

/// The owner of a C handle.
template <typename C> class handle {
public:
    using c_type = C;

    /// Takes over a handle that a C function gave.
    explicit handle(C *owned) noexcept : owned_(owned) {}

    /// The C handle, still owned by this object: for calls of C functions. nullptr once moved from.
    [[nodiscard]] C *native_handle() const noexcept { return owned_.get(); }

    /// Gives up the C handle: the caller frees it.
    [[nodiscard]] C *release() noexcept { return owned_.release(); }

protected:
    handle(handle &&) noexcept = default;
    handle &operator=(handle &&) noexcept = default;
    ~handle() = default;

private:
    std::unique_ptr<C, free_handle> owned_;
};

/// A text for a C function: a copy for the NUL at its end, wiped with the call, as it may hold a
/// password.
class c_string {
public:
    explicit c_string(std::string_view text) : copy_(text) {}
    c_string(const c_string &) = delete;
    c_string &operator=(const c_string &) = delete;
    ~c_string() { justcall_wipe(copy_.data(), copy_.size()); }
    operator const char *() const noexcept { return copy_.c_str(); }

private:
    std::string copy_;
};

/// The same for a text that may be absent, which is NULL.
class optional_c_string {
public:
    explicit optional_c_string(std::optional<std::string_view> text) {
        if (text)
            copy_.emplace(*text);
    }
    operator const char *() const noexcept {
        return copy_ ? static_cast<const char *>(*copy_) : nullptr;
    }

private:
    std::optional<c_string> copy_;
};

inline bool holds_nul(std::string_view text) noexcept { return text.find('\0') != text.npos; }

/// Bytes for a C function that takes NULL for no bytes at all.
inline const char *not_null(std::string_view bytes) noexcept {
    return bytes.data() ? bytes.data() : "";
}

inline std::optional<std::string_view> optional_text(const char *text) noexcept {
    return text ? std::optional<std::string_view>(text) : std::nullopt;
}

inline std::string_view or_empty(const char *text) noexcept { return text ? text : ""; }

/// What a C handle lists by number, as a range; `at(owner, index)` makes an element.
template <typename C, auto at> class items {
public:
    class iterator {
    public:
        using iterator_category = std::input_iterator_tag;
        using value_type = decltype(at(nullptr, 0));
        using difference_type = std::ptrdiff_t;
        using pointer = void;
        using reference = value_type;

        iterator() noexcept = default;
        iterator(const C *owner, std::size_t index) noexcept : owner_(owner), index_(index) {}
        value_type operator*() const noexcept { return at(owner_, index_); }
        iterator &operator++() noexcept { return ++index_, *this; }
        iterator operator++(int) noexcept { return iterator(owner_, index_++); }
        bool operator==(const iterator &other) const noexcept { return index_ == other.index_; }
        bool operator!=(const iterator &other) const noexcept { return index_ != other.index_; }

    private:
        const C *owner_ = nullptr;
        std::size_t index_ = 0;
    };

    items(const C *owner, std::size_t size) noexcept : owner_(owner), size_(size) {}
    [[nodiscard]] iterator begin() const noexcept { return iterator(owner_, 0); }
    [[nodiscard]] iterator end() const noexcept { return iterator(owner_, size_); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// The element number `index`, from 0; one of empty texts if there is none.
    auto operator[](std::size_t index) const noexcept { return at(owner_, index); }

private:
    const C *owner_;
    std::size_t size_;
};

} // namespace detail

// Response: what came back -----------------------------------------------------------------------

/// A header of an answer: its name in lower case, and its value.
struct header_field {
    std::string_view name, value;
};

/// A window of the account's rate limit; what the answer does not report is absent.
struct rate_window {
    /// How many requests it allows.
    std::optional<std::int64_t> limit;
    /// How many of them are left.
    std::optional<std::int64_t> remaining;
    /// When it opens again.
    std::optional<std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>> reset;
};

namespace detail {

inline header_field header_at(const justcall_response *owner, std::size_t index) noexcept {
    return {or_empty(justcall_response_header_name(owner, index)),
            or_empty(justcall_response_header_value(owner, index))};
}

/// A C function that returns a figure of the rate limit, or -1.
template <typename C> using rate_function = std::int64_t (*)(const C *, std::int32_t);

template <typename C>
std::optional<std::int64_t> figure(rate_function<C> function, const C *owner,
                                   std::int32_t which) noexcept {
    const auto value = function(owner, which);
    return value < 0 ? std::nullopt : std::optional<std::int64_t>(value);
}

template <typename C>
rate_window window(rate_function<C> function, const C *owner, std::int32_t limit,
                   std::int32_t remaining, std::int32_t reset) noexcept {
    rate_window window{figure(function, owner, limit), figure(function, owner, remaining),
                       std::nullopt};
    if (const auto seconds = figure(function, owner, reset))
        window.reset.emplace(std::chrono::seconds(*seconds));
    return window;
}

template <typename C> rate_window long_window(rate_function<C> function, const C *owner) noexcept {
    return window(function, owner, JUSTCALL_RATE_LIMIT, JUSTCALL_RATE_LIMIT_REMAINING,
                  JUSTCALL_RATE_LIMIT_RESET);
}

template <typename C> rate_window burst_window(rate_function<C> function, const C *owner) noexcept {
    return window(function, owner, JUSTCALL_RATE_LIMIT_BURST, JUSTCALL_RATE_LIMIT_BURST_REMAINING,
                  JUSTCALL_RATE_LIMIT_BURST_RESET);
}

} // namespace detail

/// The headers of an answer, which they are borrowed from.
using header_list = detail::items<justcall_response, detail::header_at>;

/// An answer of the service. Immutable.
class response {
public:
    using c_type = justcall_response;

    /// Takes over a handle that a C function gave.
    explicit response(justcall_response *owned) : shared_(owned, detail::free_handle{}) {}

    response(response &&) noexcept = default;
    response &operator=(response &&) noexcept = default;

    /// The HTTP status: justcall_response_http_status().
    [[nodiscard]] std::int32_t http_status() const noexcept {
        return justcall_response_http_status(native_handle());
    }

    /// The bytes of the body, whole and after decompression: justcall_response_body().
    [[nodiscard]] std::string_view body() const & noexcept {
        std::size_t length = 0;
        const void *bytes = justcall_response_body(native_handle(), &length);
        return {static_cast<const char *>(bytes), length};
    }
    std::string_view body() const && = delete;

    /// The value of the first header of that name; case does not matter: justcall_response_header().
    std::optional<std::string_view> header(std::string_view name) const & {
        if (detail::holds_nul(name))
            return std::nullopt;
        return detail::optional_text(justcall_response_header(native_handle(), detail::c_string(name)));
    }
    std::optional<std::string_view> header(std::string_view name) const && = delete;

    /// All headers, in the order they came, as a range: `for (auto [name, value] :
    /// answer.headers())`.
    [[nodiscard]] header_list headers() const & noexcept {
        return {native_handle(), justcall_response_header_count(native_handle())};
    }
    header_list headers() const && = delete;

    /// The account's rate limit as this answer reports it: justcall_response_rate_limit().
    [[nodiscard]] rate_window rate_limit() const noexcept {
        return detail::long_window(justcall_response_rate_limit, native_handle());
    }

    /// The same for the short window beside the long one.
    [[nodiscard]] rate_window burst_rate_limit() const noexcept {
        return detail::burst_window(justcall_response_rate_limit, native_handle());
    }

    /// The C handle, still owned by this object. nullptr once moved from.
    [[nodiscard]] const justcall_response *native_handle() const noexcept { return shared_.get(); }

  private:
    friend class error;
    explicit response(std::shared_ptr<const justcall_response> shared) noexcept
        : shared_(std::move(shared)) {}

    // Not shared, or shared with the error that the answer belongs to.
    std::shared_ptr<const justcall_response> shared_;
};

// Errors -----------------------------------------------------------------------------------------

class error;

namespace detail {
error invalid_argument(const char *message, const char *hint) noexcept;
}

/// Why a call failed. Copies share what they hold, so that copying never throws. No text holds a
/// secret.
class error : public std::exception {
public:
    /// A failure without details: for sources of your own, see config::source().
    explicit error(errc status) noexcept
        : status_(status), name_(justcall_status_name(static_cast<justcall_status>(status))),
          message_(name_), hint_("") {}

    /// A failure with a message: for sources of your own, see config::source(). Control characters
    /// are removed from `message`, secrets in use are masked, and it is cut at 512 bytes:
    /// justcall_error_new().
    error(errc status, std::string_view message) : error(made(status, message)) {}

    /// Takes over the error of a C function, which must not be NULL.
    explicit error(justcall_error *owned)
        : shared_(owned, detail::free_handle{}),
          status_(static_cast<errc>(justcall_error_status(owned))),
          name_(justcall_error_name(owned)), message_(justcall_error_message(owned)),
          hint_(justcall_error_hint(owned)) {}

    // No move operations: a move would be a copy that leaves an error without its texts.
    error(const error &) noexcept = default;
    error &operator=(const error &) noexcept = default;
    ~error() override = default;

    /// What to compare with: `error.status() == justcall::errc::rate_limited`.
    [[nodiscard]] errc status() const noexcept { return status_; }

    /// The same for programs that use <system_error>.
    [[nodiscard]] std::error_code code() const noexcept { return make_error_code(status_); }

    /// The name of that, the same in every language: justcall_error_name(). Lives as long as the
    /// program.
    [[nodiscard]] std::string_view name() const noexcept { return name_; }

    /// What happened, in a sentence or more: justcall_error_message().
    [[nodiscard]] std::string_view message() const & noexcept { return message_; }
    std::string_view message() const && = delete;

    /// The same, for those who know std::exception alone.
    const char *what() const noexcept override { return message_; }

    /// What to do about it: justcall_error_hint().
    [[nodiscard]] std::string_view hint() const & noexcept { return hint_; }
    std::string_view hint() const && = delete;

    /// What the service said, on one line: justcall_error_service_message().
    [[nodiscard]] std::optional<std::string_view> service_message() const & noexcept {
        return detail::optional_text(justcall_error_service_message(native_handle()));
    }
    std::optional<std::string_view> service_message() const && = delete;

    /// One word more exact than the name, such as "plan" or "connect": justcall_error_reason().
    [[nodiscard]] std::optional<std::string_view> reason() const & noexcept {
        return detail::optional_text(justcall_error_reason(native_handle()));
    }
    std::optional<std::string_view> reason() const && = delete;

    /// The HTTP status of the answer, 0 if there was none: justcall_error_http_status().
    [[nodiscard]] std::int32_t http_status() const noexcept {
        return justcall_error_http_status(native_handle());
    }

    /// Whether the same call may succeed later without anybody changing anything:
    /// justcall_error_retryable().
    [[nodiscard]] bool retryable() const noexcept {
        return justcall_error_retryable(native_handle()) != 0;
    }

    /// How long to wait before the next attempt: justcall_error_retry_after_ms().
    [[nodiscard]] std::optional<std::chrono::milliseconds> retry_after() const noexcept {
        const auto wait = justcall_error_retry_after_ms(native_handle());
        return wait < 0 ? std::nullopt : std::optional<std::chrono::milliseconds>(wait);
    }

    /// Whether any attempt may have delivered the request to the service, whatever ended the call:
    /// justcall_error_request_sent().
    [[nodiscard]] bool request_sent() const noexcept {
        return justcall_error_request_sent(native_handle()) != 0;
    }

    /// The HTTP method of the request that failed, empty if the failure is not one of a request:
    /// justcall_error_method().
    [[nodiscard]] std::string_view method() const & noexcept {
        return detail::or_empty(justcall_error_method(native_handle()));
    }
    std::string_view method() const && = delete;

    /// Its path without the query, which may hold a telephone number; empty if the failure is not one
    /// of a request: justcall_error_path().
    [[nodiscard]] std::string_view path() const & noexcept {
        return detail::or_empty(justcall_error_path(native_handle()));
    }
    std::string_view path() const && = delete;

    /// How often the request was sent: justcall_error_attempts().
    [[nodiscard]] std::uint32_t attempts() const noexcept {
        return justcall_error_attempts(native_handle());
    }

    /// The last response, such as a 422 whose body names the fields, or the one that a retry followed:
    /// justcall_error_response(). It keeps alive what it needs of this error.
    [[nodiscard]] std::optional<justcall::response> response() const noexcept {
        const auto *answer = justcall_error_response(native_handle());
        if (!answer)
            return std::nullopt;
        return justcall::response(std::shared_ptr<const justcall_response>(shared_, answer));
    }

    /// The C handle, still owned by this object. nullptr if the error is not from a C function.
    [[nodiscard]] const justcall_error *native_handle() const noexcept { return shared_.get(); }

  private:
    friend error detail::invalid_argument(const char *message, const char *hint) noexcept;
    error(errc status, const char *message, const char *hint) noexcept : error(status) {
        message_ = message;
        hint_ = hint;
    }

    static justcall_error *made(errc status, std::string_view message) {
        justcall_error *why = nullptr;
        static_cast<void>(justcall_error_new(static_cast<justcall_status>(status),
                                             detail::c_string(message), &why));
        return why;
    }

    std::shared_ptr<const justcall_error> shared_;
    errc status_;
    // Borrowed from `shared_`, or good for as long as the program.
    const char *name_, *message_, *hint_;
};

namespace detail {

/// A refusal of this header's own; the texts must live as long as the program.
inline error invalid_argument(const char *message, const char *hint) noexcept {
    return error(errc::invalid_argument, message, hint);
}

/// Ends the program in place of using what is not there.
template <typename T> T &present(T *value) noexcept {
    if (!value)
        std::abort();
    return *value;
}

} // namespace detail

/// What a try_ call came to: a value, or the error. Test it first: `if (auto account =
/// client.try_verify())`. To use the value of a failure, or the error of a success, ends the
/// program (value() throws instead).
template <typename T> class [[nodiscard]] result {
public:
    using value_type = T;

    result(T value) noexcept : state_(std::in_place_index<0>, std::move(value)) {}
    result(const justcall::error &why) noexcept : state_(std::in_place_index<1>, why) {}

    /// Whether there is a value.
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }

    T &operator*() &noexcept { return detail::present(std::get_if<0>(&state_)); }
    const T &operator*() const &noexcept { return detail::present(std::get_if<0>(&state_)); }
    T operator*() &&noexcept { return std::move(detail::present(std::get_if<0>(&state_))); }
    T *operator->() noexcept { return &detail::present(std::get_if<0>(&state_)); }
    const T *operator->() const noexcept { return &detail::present(std::get_if<0>(&state_)); }

    /// The value, or `other` if there is none.
    template <typename U> T value_or(U &&other) const & {
        return has_value() ? **this : static_cast<T>(std::forward<U>(other));
    }
    template <typename U> T value_or(U &&other) && {
        return has_value() ? *std::move(*this) : static_cast<T>(std::forward<U>(other));
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    /// The value; throws the error if there is none.
    T &value() & { return check(), **this; }
    const T &value() const & { return check(), **this; }
    T value() && { return check(), *std::move(*this); }
#endif

    [[nodiscard]] const justcall::error &error() const & noexcept {
        return detail::present(std::get_if<1>(&state_));
    }
    justcall::error error() &&noexcept { return detail::present(std::get_if<1>(&state_)); }

private:
#ifndef JUSTCALL_NO_EXCEPTIONS
    void check() const {
        if (const auto *why = std::get_if<1>(&state_))
            throw *why;
    }
#endif

    std::variant<T, justcall::error> state_;
};

/// What a call without a value came to.
template <> class [[nodiscard]] result<void> {
public:
    using value_type = void;

    result() noexcept = default;
    result(const justcall::error &why) noexcept : why_(why) {}

    /// Whether it succeeded.
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] bool has_value() const noexcept { return !why_; }

#ifndef JUSTCALL_NO_EXCEPTIONS
    /// Throws the error if it failed.
    void value() const {
        if (why_)
            throw *why_;
    }
#endif

    [[nodiscard]] const justcall::error &error() const & noexcept {
        return detail::present(why_ ? &*why_ : nullptr);
    }
    justcall::error error() &&noexcept { return detail::present(why_ ? &*why_ : nullptr); }

private:
    std::optional<justcall::error> why_;
};

namespace detail {

/// What a C function takes for an argument: a `c_string` for a text, for all else what it is.
template <typename T> struct passed {
    using type = T;
};
template <> struct passed<std::string_view> {
    using type = c_string;
};
template <> struct passed<std::optional<std::string_view>> {
    using type = optional_c_string;
};

template <typename T> typename passed<T>::type argument(T value) {
    return typename passed<T>::type(value);
}

template <typename T> bool cut_short(const T &value) noexcept {
    if constexpr (std::is_same_v<T, std::string_view>)
        return holds_nul(value);
    else if constexpr (std::is_same_v<T, std::optional<std::string_view>>)
        return value && holds_nul(*value);
    else
        return static_cast<void>(value), false;
}

/// Calls a C function with `arguments` and a place for its error.
template <typename Function, typename... Arguments>
result<void> call(Function function, Arguments... arguments) {
    if ((cut_short(arguments) || ...))
        return invalid_argument("An argument contains a NUL.",
                                "Remove the NUL, because C strings end at the first NUL.");
    justcall_error *why = nullptr;
    if (function(argument(arguments)..., &why) != JUSTCALL_OK)
        return error(why);
    return {};
}

/// The same with a C function that gives a handle, for which `Owner` is the type.
template <typename Owner, typename Function, typename... Arguments>
result<Owner> make(Function function, Arguments... arguments) {
    typename Owner::c_type *out = nullptr;
    const auto done = call(function, arguments..., &out);
    return done ? result<Owner>(Owner(out)) : result<Owner>(done.error());
}

/// The text that a C function copies, of at most `size` bytes with its NUL.
template <typename Function, typename C>
result<std::string> copied_text(Function function, C *handle, std::size_t size) {
    std::string text(size, '\0');
    std::size_t length = 0;
    const auto done = call(function, handle, &text[0], text.size(), &length);
    if (!done)
        return done.error();
    text.resize(length);
    return text;
}

/// Calls a C function that sets a time.
template <typename C>
result<void> set_time(justcall_status (*function)(C *, std::uint64_t, justcall_error **), C *handle,
                      std::chrono::milliseconds time) {
    if (time.count() < 0)
        return invalid_argument("A duration argument is negative.",
                                "Pass a duration, or 0 for no limit.");
    return call(function, handle, static_cast<std::uint64_t>(time.count()));
}

struct wipe_and_delete {
    void operator()(char *buffer) const noexcept {
        justcall_wipe(buffer, JUSTCALL_AUTHORIZATION_SIZE);
        delete[] buffer;
    }
};

using secret_buffer = std::unique_ptr<char[], wipe_and_delete>;

} // namespace detail

// Limits of calls --------------------------------------------------------------------------------

/// Ends calls early, from any thread or from a signal handler: for request::cancel() and
/// call_options::cancel().
class cancel : public detail::handle<justcall_cancel> {
  public:
    using handle::handle;

    /// Creates a cancel handle: justcall_cancel_new().
    cancel() noexcept : handle(justcall_cancel_new()) {}

    /// Ends the calls, those under way and those that start later, with errc::cancelled:
    /// justcall_cancel_fire(). Any thread may call this at any time, and so may a signal handler.
    void fire() noexcept { justcall_cancel_fire(native_handle()); }
};

/// A time limit and a cancel handle for calls that are not those of a request. The setters can be
/// chained: `client.verify(call_options().timeout(2s))`.
class call_options : public detail::handle<justcall_call_options> {
  public:
    using handle::handle;

    /// Creates options that change nothing: justcall_call_options_new().
    call_options() noexcept : handle(justcall_call_options_new()) {}

    /// Limits each call, in place of the client's timeout; 0 for no limit:
    /// justcall_call_options_set_timeout_ms().
    result<void> try_timeout(std::chrono::milliseconds limit) {
        return detail::set_time(justcall_call_options_set_timeout_ms, native_handle(), limit);
    }

    /// Lets `by` end the calls: justcall_call_options_set_cancel().
    result<void> try_cancel(const justcall::cancel &by) {
        return detail::call(justcall_call_options_set_cancel, native_handle(), by.native_handle());
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // The same, throwing.
    call_options &timeout(std::chrono::milliseconds limit) & {
        return try_timeout(limit).value(), *this;
    }
    call_options timeout(std::chrono::milliseconds limit) && { return std::move(timeout(limit)); }
    call_options &cancel(const justcall::cancel &by) & { return try_cancel(by).value(), *this; }
    call_options cancel(const justcall::cancel &by) && { return std::move(cancel(by)); }
#endif
};

namespace detail {

/// The refusal of options that were moved from: NULL would mean no limits.
inline std::optional<error> without_limits(const call_options &limits) noexcept {
    if (limits.native_handle())
        return std::nullopt;
    return invalid_argument("The options of the call are empty, because they were moved.",
                            "Pass the object that the options were moved to.");
}

} // namespace detail

// Credentials: an API key and its secret ---------------------------------------------------------

/// The value of an `Authorization` header, in a buffer that is wiped when this object is destroyed.
/// It cannot be printed; view() and c_str() expose the secret.
class secret_string {
public:
    explicit secret_string(detail::secret_buffer buffer) noexcept : buffer_(std::move(buffer)) {}

    /// The text, good for as long as this object.
    [[nodiscard]] std::string_view view() const & noexcept {
        return detail::or_empty(buffer_.get());
    }
    std::string_view view() const && = delete;

    /// The same with a NUL at its end, such as for libcurl.
    [[nodiscard]] const char *c_str() const & noexcept { return view().data(); }
    const char *c_str() const && = delete;

    /// Its length without the NUL; 0 once moved from.
    [[nodiscard]] std::size_t size() const noexcept { return view().size(); }

    template <typename Character, typename Traits>
    friend std::basic_ostream<Character, Traits> &
    operator<<(std::basic_ostream<Character, Traits> &, const secret_string &) = delete;

private:
    detail::secret_buffer buffer_;
};

namespace detail {

/// The value that a C function writes, which takes `arguments` before the buffer.
template <typename Function, typename... Arguments>
result<secret_string> authorization(Function function, Arguments... arguments) {
    secret_buffer buffer(new char[JUSTCALL_AUTHORIZATION_SIZE]());
    const auto done = call(function, arguments..., buffer.get(),
                           std::size_t{JUSTCALL_AUTHORIZATION_SIZE}, nullptr);
    if (!done)
        return done.error();
    return secret_string(std::move(buffer));
}

} // namespace detail

/// An API key and its secret, checked, in memory that is wiped. Immutable.
class credentials : public detail::handle<justcall_credentials> {
public:
    using handle::handle;

    /// Checks a pair without asking the service: justcall_credentials_new(). Your copies stay yours
    /// to wipe().
    static result<credentials> try_make(std::string_view key, std::string_view secret) {
        return detail::make<credentials>(justcall_credentials_new, detail::not_null(key),
                                         key.size(), detail::not_null(secret), secret.size());
    }

    /// Reads a pair from a source, such as "default:" or "file:PATH": justcall_credentials_load().
    static result<credentials> try_load(std::string_view source) {
        return detail::make<credentials>(justcall_credentials_load, source);
    }

    /// The same within `limits`: justcall_credentials_load_with().
    static result<credentials> try_load(std::string_view source, const call_options &limits) {
        if (const auto why = detail::without_limits(limits))
            return *why;
        return detail::make<credentials>(
            justcall_credentials_load_with, source,
            static_cast<const justcall_call_options *>(limits.native_handle()));
    }

    /// The value of the `Authorization` header: justcall_credentials_authorization().
    result<secret_string> try_authorization() const {
        return detail::authorization(justcall_credentials_authorization, native_handle());
    }

    /// The ends of the key, to tell pairs apart by in logs: justcall_credentials_key_hint().
    [[nodiscard]] std::string_view key_hint() const & noexcept {
        return detail::or_empty(justcall_credentials_key_hint(native_handle()));
    }
    std::string_view key_hint() const && = delete;

#ifndef JUSTCALL_NO_EXCEPTIONS
    // The same, throwing.
    credentials(std::string_view key, std::string_view secret)
        : credentials(try_make(key, secret).value()) {}
    [[nodiscard]] static credentials load(std::string_view source) {
        return try_load(source).value();
    }
    [[nodiscard]] static credentials load(std::string_view source, const call_options &limits) {
        return try_load(source, limits).value();
    }
    [[nodiscard]] secret_string authorization() const { return try_authorization().value(); }
#endif
};

// A source of your own ---------------------------------------------------------------------------

namespace detail {

/// Stores the error of a callback, if it has a message, and returns its status.
inline justcall_status fail(const error &why, justcall_error **out) noexcept {
    const auto status = static_cast<justcall_status>(why.status());
    if (why.native_handle())
        static_cast<void>(justcall_error_new(status, why.what(), out));
    return status;
}

inline justcall_status give(credentials pair, justcall_credentials **out,
                            justcall_error **) noexcept {
    *out = pair.release();
    return JUSTCALL_OK;
}

inline justcall_status give(result<credentials> pair, justcall_credentials **out,
                            justcall_error **why) noexcept {
    return pair ? give(*std::move(pair), out, why) : fail(pair.error(), why);
}

/// A justcall_load_fn whose context is a `Function`: no exception leaves it.
template <typename Function>
justcall_status load(void *context, justcall_credentials **out, justcall_error **error) noexcept {
    const auto &function = *static_cast<const Function *>(context);
#ifdef JUSTCALL_NO_EXCEPTIONS
    return give(function(), out, error);
#else
    try {
        return give(function(), out, error);
    } catch (const justcall::error &why) {
        return fail(why, error);
    } catch (...) {
        return JUSTCALL_ERROR_SOURCE_UNAVAILABLE;
    }
#endif
}

template <typename Function> void free_function(void *context) noexcept {
    delete static_cast<Function *>(context);
}

template <typename Function, typename = void> struct is_source : std::false_type {};
template <typename Function>
struct is_source<Function, std::void_t<std::invoke_result_t<const Function &>>>
    : std::disjunction<std::is_same<std::invoke_result_t<const Function &>, credentials>,
                       std::is_same<std::invoke_result_t<const Function &>, result<credentials>>> {
};

template <typename T>
using if_function = std::enable_if_t<!std::is_convertible_v<T, std::string_view>, int>;

} // namespace detail

// Events: what happens to the pair and to calls ---------------------------------------------------

/// What happened. A later library may tell of kinds that are not named here.
enum class event_kind : std::int32_t {
    /// Another pair was proven and is in use now.
    rotated = JUSTCALL_EVENT_ROTATED,
    /// The service rejected a new pair, or it belongs to another account: the one in use stays.
    candidate_rejected = JUSTCALL_EVENT_CANDIDATE_REJECTED,
    /// The service rejected the pair in use.
    pair_rejected = JUSTCALL_EVENT_PAIR_REJECTED,
    /// Calls are held until the source has another pair: see config::rotation_wait().
    waiting_for_source = JUSTCALL_EVENT_WAITING_FOR_SOURCE,
    /// A call is made again, after a wait.
    retrying = JUSTCALL_EVENT_RETRYING,
    /// Less than a tenth of the account's rate limit is left.
    rate_limit_low = JUSTCALL_EVENT_RATE_LIMIT_LOW,
    /// The source gave another pair: the next call proves it.
    source_changed = JUSTCALL_EVENT_SOURCE_CHANGED,
    /// The pair in use is 90 days old or older: rotate it.
    rotation_due = JUSTCALL_EVENT_ROTATION_DUE,
    /// A minute has more than twice the requests of the busiest one before it.
    usage_spike = JUSTCALL_EVENT_USAGE_SPIKE,
};

/// Something that happened. It and its texts are good while the handler that was given it runs.
class event {
public:
    explicit event(const justcall_event *borrowed) noexcept : borrowed_(borrowed) {}
    event(const event &) = delete;
    event &operator=(const event &) = delete;

    [[nodiscard]] event_kind kind() const noexcept {
        return static_cast<event_kind>(justcall_event_kind(borrowed_));
    }

    /// The name of that, such as "rotated": justcall_event_name().
    [[nodiscard]] std::string_view name() const noexcept {
        return detail::or_empty(justcall_event_name(borrowed_));
    }

    /// What happened, in a sentence or more. Safe to log: justcall_event_message().
    [[nodiscard]] std::string_view message() const noexcept {
        return detail::or_empty(justcall_event_message(borrowed_));
    }

    /// The generation of the pair that it is about, 0 if it is about none:
    /// justcall_event_generation().
    [[nodiscard]] std::uint64_t generation() const noexcept {
        return justcall_event_generation(borrowed_);
    }

    /// The HTTP status that led to it, 0 if none did: justcall_event_http_status().
    [[nodiscard]] std::int32_t http_status() const noexcept {
        return justcall_event_http_status(borrowed_);
    }

    /// How long the call waits now, 0 if it does not: justcall_event_wait_ms().
    [[nodiscard]] std::chrono::milliseconds wait() const noexcept {
        return std::chrono::milliseconds(justcall_event_wait_ms(borrowed_));
    }

private:
    const justcall_event *borrowed_;
};

namespace detail {

/// A justcall_event_fn whose context is a `Function`: no exception leaves it.
template <typename Function>
void handle_event(void *context, const justcall_event *what) noexcept {
    const auto &function = *static_cast<const Function *>(context);
#ifdef JUSTCALL_NO_EXCEPTIONS
    function(event(what));
#else
    try {
        function(event(what));
    } catch (...) {
        // The call that met the event is none the worse for it.
    }
#endif
}

} // namespace detail

// Configuration: how a client is set up ----------------------------------------------------------

/// How well a pair is protected while it rests.
enum class memory : std::int32_t {
    /// Locked pages, encrypted; where the system refuses to lock memory, the heap. The default.
    automatic = JUSTCALL_MEMORY_AUTO,
    /// Locked pages, else errc::memory_protection.
    strict = JUSTCALL_MEMORY_STRICT,
    /// The heap: wiped when freed, and no more.
    heap = JUSTCALL_MEMORY_HEAP,
    /// Memory that not even the kernel can read, else errc::memory_protection.
    secretmem = JUSTCALL_MEMORY_SECRETMEM,
};

/// The settings of clients; what is not set keeps its default. The setters can be chained:
/// `client(config().source("env:").timeout(5s))`. A client copies what it needs.
class config : public detail::handle<justcall_config> {
public:
    using handle::handle;

    /// A configuration with every default: justcall_config_new().
    config() noexcept : handle(justcall_config_new()) {}

    /// Where the pair comes from, read at a client's first call: justcall_config_set_source().
    result<void> try_source(std::string_view source) {
        return detail::call(justcall_config_set_source, native_handle(), source);
    }

    /// A function of your own that gives the pair, as `credentials` or `result<credentials>`, when
    /// it is needed: justcall_config_set_source_callback(). It is called as const, perhaps on
    /// several threads at once, and destroyed once, on any thread, when nothing will call it any
    /// more. A justcall::error that it throws or returns gives its status and message to the call
    /// that needed the pair; anything else that it throws becomes errc::source_unavailable.
    template <typename Function, detail::if_function<Function> = 0>
    result<void> try_source(Function &&load) {
        using function = std::decay_t<Function>;
        static_assert(
            detail::is_source<function>::value,
            "a source is a text, or a function without parameters that can be called as const and "
            "returns justcall::credentials or justcall::result<justcall::credentials>");
        auto owned = std::make_unique<function>(std::forward<Function>(load));
        auto done =
            detail::call(justcall_config_set_source_callback, native_handle(),
                         detail::load<function>, owned.get(), detail::free_function<function>);
        if (done)
            static_cast<void>(owned.release());
        return done;
    }

    /// A pair that the program already holds, in place of a source:
    /// justcall_config_set_credentials().
    result<void> try_credentials(const justcall::credentials &pair) {
        return detail::call(justcall_config_set_credentials, native_handle(), pair.native_handle());
    }

    /// Where the service is: justcall_config_set_base_url().
    result<void> try_base_url(std::string_view url) {
        return detail::call(justcall_config_set_base_url, native_handle(), url);
    }

    /// What client::verify() asks, in place of the usual: justcall_config_set_verify_path().
    result<void> try_verify_path(std::string_view path) {
        return detail::call(justcall_config_set_verify_path, native_handle(), path);
    }

    /// The limit of a whole call; 0 for none: justcall_config_set_timeout_ms().
    result<void> try_timeout(std::chrono::milliseconds limit) {
        return detail::set_time(justcall_config_set_timeout_ms, native_handle(), limit);
    }

    /// How many second attempts a call may make: justcall_config_set_max_retries().
    result<void> try_max_retries(std::int32_t n) {
        return detail::call(justcall_config_set_max_retries, native_handle(), n);
    }

    /// How long calls are held for another pair, once the service rejected the one in use; 0 for not
    /// at all: justcall_config_set_rotation_wait_ms().
    result<void> try_rotation_wait(std::chrono::milliseconds wait) {
        return detail::set_time(justcall_config_set_rotation_wait_ms, native_handle(), wait);
    }

    /// A function of your own that is called for each event, as
    /// `void (const justcall::event &)`: justcall_config_set_event_handler(). It is called as
    /// const, perhaps on several threads at once, and destroyed once, on any thread, when nothing
    /// will call it any more. It may use any client. What it throws is swallowed.
    template <typename Function> result<void> try_event_handler(Function &&handler) {
        using function = std::decay_t<Function>;
        static_assert(std::is_invocable_v<const function &, const event &>,
                      "a handler of events is a function that can be called as const and takes a "
                      "const justcall::event &");
        auto owned = std::make_unique<function>(std::forward<Function>(handler));
        auto done = detail::call(justcall_config_set_event_handler, native_handle(),
                                 detail::handle_event<function>, owned.get(),
                                 detail::free_function<function>);
        if (done)
            static_cast<void>(owned.release());
        return done;
    }

    /// A PEM file of certificate authorities in place of the system's:
    /// justcall_config_set_ca_file().
    result<void> try_ca_file(std::string_view path) {
        return detail::call(justcall_config_set_ca_file, native_handle(), path);
    }

    /// The same from memory: justcall_config_set_ca_pem().
    result<void> try_ca_pem(std::string_view pem) {
        return detail::call(justcall_config_set_ca_pem, native_handle(), detail::not_null(pem),
                            pem.size());
    }

    /// The IP address of this machine that connections come from, or "" to let the system choose:
    /// justcall_config_set_local_address().
    result<void> try_local_address(std::string_view address) {
        return detail::call(justcall_config_set_local_address, native_handle(), address);
    }

    /// The longest body of a response that is read, in bytes; 0 for no limit:
    /// justcall_config_set_max_response_length().
    result<void> try_max_response_length(std::size_t length) {
        return detail::call(justcall_config_set_max_response_length, native_handle(), length);
    }

    /// Where it is written down that the pair is used, for the command `justcall-auth status`:
    /// justcall_config_set_state_file().
    result<void> try_state_file(std::string_view path) {
        return detail::call(justcall_config_set_state_file, native_handle(), path);
    }

    /// The proxy, or "" for none: justcall_config_set_proxy().
    result<void> try_proxy(std::string_view url) {
        return detail::call(justcall_config_set_proxy, native_handle(), url);
    }

    /// The account that the pair must belong to, not 0; the service as measured does not reveal it:
    /// justcall_config_set_expected_account().
    result<void> try_expected_account(std::uint64_t id) {
        return detail::call(justcall_config_set_expected_account, native_handle(), id);
    }

    /// How well the pair is protected while it rests: justcall_config_set_memory_protection().
    result<void> try_memory_protection(memory level) {
        return detail::call(justcall_config_set_memory_protection, native_handle(),
                            static_cast<std::int32_t>(level));
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // The same, throwing.
    config &source(std::string_view source) & { return try_source(source).value(), *this; }
    config source(std::string_view source) && { return std::move(this->source(source)); }
    template <typename Function, detail::if_function<Function> = 0>
    config &source(Function &&load) & {
        return try_source(std::forward<Function>(load)).value(), *this;
    }
    template <typename Function, detail::if_function<Function> = 0>
    config source(Function &&load) && {
        return std::move(source(std::forward<Function>(load)));
    }
    config &credentials(const justcall::credentials &pair) & {
        return try_credentials(pair).value(), *this;
    }
    config credentials(const justcall::credentials &pair) && {
        return std::move(credentials(pair));
    }
    config &base_url(std::string_view url) & { return try_base_url(url).value(), *this; }
    config base_url(std::string_view url) && { return std::move(base_url(url)); }
    config &verify_path(std::string_view path) & { return try_verify_path(path).value(), *this; }
    config verify_path(std::string_view path) && { return std::move(verify_path(path)); }
    config &timeout(std::chrono::milliseconds limit) & { return try_timeout(limit).value(), *this; }
    config timeout(std::chrono::milliseconds limit) && { return std::move(timeout(limit)); }
    config &max_retries(std::int32_t n) & { return try_max_retries(n).value(), *this; }
    config max_retries(std::int32_t n) && { return std::move(max_retries(n)); }
    config &rotation_wait(std::chrono::milliseconds wait) & {
        return try_rotation_wait(wait).value(), *this;
    }
    config rotation_wait(std::chrono::milliseconds wait) && {
        return std::move(rotation_wait(wait));
    }
    template <typename Function> config &event_handler(Function &&handler) & {
        return try_event_handler(std::forward<Function>(handler)).value(), *this;
    }
    template <typename Function> config event_handler(Function &&handler) && {
        return std::move(event_handler(std::forward<Function>(handler)));
    }
    config &ca_file(std::string_view path) & { return try_ca_file(path).value(), *this; }
    config ca_file(std::string_view path) && { return std::move(ca_file(path)); }
    config &ca_pem(std::string_view pem) & { return try_ca_pem(pem).value(), *this; }
    config ca_pem(std::string_view pem) && { return std::move(ca_pem(pem)); }
    config &local_address(std::string_view address) & {
        return try_local_address(address).value(), *this;
    }
    config local_address(std::string_view address) && { return std::move(local_address(address)); }
    config &max_response_length(std::size_t length) & {
        return try_max_response_length(length).value(), *this;
    }
    config max_response_length(std::size_t length) && {
        return std::move(max_response_length(length));
    }
    config &state_file(std::string_view path) & { return try_state_file(path).value(), *this; }
    config state_file(std::string_view path) && { return std::move(state_file(path)); }
    config &proxy(std::string_view url) & { return try_proxy(url).value(), *this; }
    config proxy(std::string_view url) && { return std::move(proxy(url)); }
    config &expected_account(std::uint64_t id) & { return try_expected_account(id).value(), *this; }
    config expected_account(std::uint64_t id) && { return std::move(expected_account(id)); }
    config &memory_protection(memory level) & {
        return try_memory_protection(level).value(), *this;
    }
    config memory_protection(memory level) && { return std::move(memory_protection(level)); }
#endif
};

// Request: what to send --------------------------------------------------------------------------

/// A request. The setters can be chained:
/// `client.send(request("POST", "/v2/texts").header("x-trace", id).body(json))`.
class request : public detail::handle<justcall_request> {
public:
    using handle::handle;

    /// A request of `method` for `path`, which starts with a slash: justcall_request_new().
    static result<request> try_make(std::string_view method, std::string_view path) {
        return detail::make<request>(justcall_request_new, method, path);
    }

    /// Adds `name=value` to the query, percent-encoded for you: justcall_request_add_query().
    result<void> try_query(std::string_view name, std::string_view value) {
        return detail::call(justcall_request_add_query, native_handle(), name, value);
    }

    /// Sets a header, in place of one of the same name: justcall_request_set_header().
    result<void> try_header(std::string_view name, std::string_view value) {
        return detail::call(justcall_request_set_header, native_handle(), name, value);
    }

    /// Sets the body, bytes of any kind, which are copied: justcall_request_set_body().
    result<void> try_body(std::string_view bytes) {
        return detail::call(justcall_request_set_body, native_handle(), bytes.data(), bytes.size());
    }

    /// Limits this call alone; 0 for no limit: justcall_request_set_timeout_ms().
    result<void> try_timeout(std::chrono::milliseconds limit) {
        return detail::set_time(justcall_request_set_timeout_ms, native_handle(), limit);
    }

    /// Lets `by` end the calls that this request is sent with: justcall_request_set_cancel().
    result<void> try_cancel(const justcall::cancel &by) {
        return detail::call(justcall_request_set_cancel, native_handle(), by.native_handle());
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // The same, throwing.
    request(std::string_view method, std::string_view path)
        : request(try_make(method, path).value()) {}
    request &query(std::string_view name, std::string_view value) & {
        return try_query(name, value).value(), *this;
    }
    request query(std::string_view name, std::string_view value) && {
        return std::move(query(name, value));
    }
    request &header(std::string_view name, std::string_view value) & {
        return try_header(name, value).value(), *this;
    }
    request header(std::string_view name, std::string_view value) && {
        return std::move(header(name, value));
    }
    request &body(std::string_view bytes) & { return try_body(bytes).value(), *this; }
    request body(std::string_view bytes) && { return std::move(body(bytes)); }
    request &timeout(std::chrono::milliseconds limit) & {
        return try_timeout(limit).value(), *this;
    }
    request timeout(std::chrono::milliseconds limit) && { return std::move(timeout(limit)); }
    request &cancel(const justcall::cancel &by) & { return try_cancel(by).value(), *this; }
    request cancel(const justcall::cancel &by) && { return std::move(cancel(by)); }
#endif
};

// Account: which one a pair belongs to -------------------------------------------------------------

/// The account that a pair belongs to. Immutable; what the service did not tell is absent.
class account : public detail::handle<justcall_account> {
public:
    using handle::handle;

    /// The account's number: justcall_account_id().
    [[nodiscard]] std::optional<std::uint64_t> id() const noexcept {
        const auto number = justcall_account_id(native_handle());
        return number == 0 ? std::nullopt : std::optional<std::uint64_t>(number);
    }

    /// The account's e-mail address: justcall_account_email().
    [[nodiscard]] std::optional<std::string_view> email() const & noexcept {
        return detail::optional_text(justcall_account_email(native_handle()));
    }
    std::optional<std::string_view> email() const && = delete;

    /// The account's plan, such as "Pro": justcall_account_plan().
    [[nodiscard]] std::optional<std::string_view> plan() const & noexcept {
        return detail::optional_text(justcall_account_plan(native_handle()));
    }
    std::optional<std::string_view> plan() const && = delete;

    /// The path whose answer proved the pair: justcall_account_verified_by().
    [[nodiscard]] std::string_view verified_by() const & noexcept {
        return detail::or_empty(justcall_account_verified_by(native_handle()));
    }
    std::string_view verified_by() const && = delete;
};

// Report: what a check found ----------------------------------------------------------------------

/// How bad a finding is.
enum class severity : std::int32_t {
    /// Worth knowing when the service rejects the pair.
    note = JUSTCALL_SEVERITY_NOTE,
    /// Works, but is rarely meant.
    warning = JUSTCALL_SEVERITY_WARNING,
    /// Cannot work; the library would send nothing.
    error = JUSTCALL_SEVERITY_ERROR,
};

/// A finding of a report, which its texts are borrowed from.
struct finding {
    justcall::severity severity;
    /// What it is, such as "trailing_whitespace": the same in every language.
    std::string_view code;
    /// What is the matter, in a sentence.
    std::string_view message;
    /// What to do about it.
    std::string_view remedy;
};

namespace detail {

inline finding finding_at(const justcall_report *owner, std::size_t index) noexcept {
    return {static_cast<severity>(justcall_report_severity(owner, index)),
            or_empty(justcall_report_code(owner, index)),
            or_empty(justcall_report_message(owner, index)),
            or_empty(justcall_report_remedy(owner, index))};
}

} // namespace detail

/// The findings of a report, which they are borrowed from.
using finding_list = detail::items<justcall_report, detail::finding_at>;

/// Findings, the worst first, as a range; empty if all is well. Immutable.
class report : public detail::handle<justcall_report> {
public:
    using handle::handle;

    [[nodiscard]] finding_list::iterator begin() const noexcept { return findings().begin(); }
    [[nodiscard]] finding_list::iterator end() const noexcept { return findings().end(); }
    [[nodiscard]] std::size_t size() const noexcept {
        return justcall_report_count(native_handle());
    }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    /// The finding number `index`, from 0; one of empty texts if there is none.
    finding operator[](std::size_t index) const &noexcept { return findings()[index]; }
    finding operator[](std::size_t index) const && = delete;

private:
  [[nodiscard]] finding_list findings() const noexcept { return {native_handle(), size()}; }
};

// Client: calls of the service -------------------------------------------------------------------

/// A client of the JustCall API. Make one and keep it: it holds the pair and the open connections.
/// Any number of threads may use one at once; destroy it once no call uses it. Calls block.
class client : public detail::handle<justcall_client> {
public:
    using handle::handle;

    /// A client with every default: justcall_client_new() with NULL.
    static result<client> try_make() {
        return detail::make<client>(justcall_client_new,
                                    static_cast<const justcall_config *>(nullptr));
    }

    /// A client as `settings` says: justcall_client_new().
    static result<client> try_make(const config &settings) {
        // NULL would mean every default.
        if (!settings.native_handle())
            return detail::invalid_argument("The configuration is empty, because it was moved.",
                                            "Pass the object that the configuration was moved to.");
        return detail::make<client>(justcall_client_new, settings.native_handle());
    }

    /// Asks the service whether the pair is good, and whose it is: justcall_client_verify().
    result<account> try_verify() const {
        return detail::make<account>(justcall_client_verify, native_handle());
    }

    /// The same within `limits`: justcall_client_verify_with().
    result<account> try_verify(const call_options &limits) const {
        if (const auto why = detail::without_limits(limits))
            return *why;
        return detail::make<account>(
            justcall_client_verify_with, native_handle(),
            static_cast<const justcall_call_options *>(limits.native_handle()));
    }

    /// Sends a request, which stays yours and may be sent again: justcall_client_send(). An answer
    /// of 300 or more is an error, which has the answer in response().
    result<response> try_send(const justcall::request &what) const {
        return detail::make<response>(justcall_client_send, native_handle(), what.native_handle());
    }

    /// The short form of that, without a body: justcall_client_request().
    result<response> try_request(std::string_view method, std::string_view path) const {
        return detail::make<response>(justcall_client_request, native_handle(), method, path,
                                      static_cast<const void *>(nullptr), std::size_t{0});
    }

    /// The same with a body, even if that is empty.
    result<response> try_request(std::string_view method, std::string_view path,
                                 std::string_view body) const {
        return detail::make<response>(justcall_client_request, native_handle(), method, path,
                                      detail::not_null(body), body.size());
    }

    result<response> try_get(std::string_view path) const { return try_request("GET", path); }
    result<response> try_post(std::string_view path, std::string_view body) const {
        return try_request("POST", path, body);
    }
    result<response> try_put(std::string_view path, std::string_view body) const {
        return try_request("PUT", path, body);
    }
    result<response> try_del(std::string_view path) const { return try_request("DELETE", path); }

    /// The value of the `Authorization` header for a request that you send yourself, with the pair
    /// that the client's calls are made with now: justcall_client_authorization().
    result<secret_string> try_authorization() const {
        return detail::authorization(justcall_client_authorization, native_handle());
    }

    /// The same within `limits`: justcall_client_authorization_with().
    result<secret_string> try_authorization(const call_options &limits) const {
        if (const auto why = detail::without_limits(limits))
            return *why;
        return detail::authorization(
            justcall_client_authorization_with, native_handle(),
            static_cast<const justcall_call_options *>(limits.native_handle()));
    }

    /// Proves another pair and takes it into use: justcall_client_replace().
    result<void> try_replace(const credentials &pair) {
        return detail::call(justcall_client_replace, native_handle(), pair.native_handle());
    }

    /// The same within `limits`: justcall_client_replace_with().
    result<void> try_replace(const credentials &pair, const call_options &limits) {
        if (const auto why = detail::without_limits(limits))
            return *why;
        return detail::call(justcall_client_replace_with, native_handle(), pair.native_handle(),
                            static_cast<const justcall_call_options *>(limits.native_handle()));
    }

    /// Reads the source now; whether it has a pair other than before: justcall_client_reload().
    result<bool> try_reload() {
        std::int32_t changed = 0;
        const auto done = detail::call(justcall_client_reload, native_handle(), &changed);
        return done ? result<bool>(changed != 0) : result<bool>(done.error());
    }

    /// The same within `limits`: justcall_client_reload_with().
    result<bool> try_reload(const call_options &limits) {
        if (const auto why = detail::without_limits(limits))
            return *why;
        std::int32_t changed = 0;
        const auto done = detail::call(
            justcall_client_reload_with, native_handle(),
            static_cast<const justcall_call_options *>(limits.native_handle()), &changed);
        return done ? result<bool>(changed != 0) : result<bool>(done.error());
    }

    /// Ends every call of this client, under way or started later, with errc::cancelled:
    /// justcall_client_shutdown(). Any thread may call this at any time, and so may a signal
    /// handler.
    void shutdown() noexcept { justcall_client_shutdown(native_handle()); }

    /// How the pair is protected in memory between calls, as a report of one finding:
    /// justcall_client_protection().
    result<report> try_protection() const {
        return detail::make<report>(justcall_client_protection, native_handle());
    }

    /// The same within `limits`: justcall_client_protection_with().
    result<report> try_protection(const call_options &limits) const {
        if (const auto why = detail::without_limits(limits))
            return *why;
        return detail::make<report>(
            justcall_client_protection_with, native_handle(),
            static_cast<const justcall_call_options *>(limits.native_handle()));
    }

    /// The generation of the pair in use, 0 if no call has read a pair yet:
    /// justcall_client_generation().
    [[nodiscard]] std::uint64_t generation() const noexcept {
        return justcall_client_generation(native_handle());
    }

    /// The account's rate limit as the last response reports it: justcall_client_rate_limit().
    [[nodiscard]] rate_window rate_limit() const noexcept {
        return detail::long_window<justcall_client>(justcall_client_rate_limit, native_handle());
    }

    /// The same for the short window beside the long one.
    [[nodiscard]] rate_window burst_rate_limit() const noexcept {
        return detail::burst_window<justcall_client>(justcall_client_rate_limit, native_handle());
    }

    /// The ends of the key of the pair in use, empty if no call has read a pair yet:
    /// justcall_client_key_hint().
    result<std::string> try_key_hint() const {
        return detail::copied_text(justcall_client_key_hint, native_handle(), 16);
    }

    /// What the clients that share this one's pair did so far, as OpenMetrics 1.0 text:
    /// justcall_client_usage().
    result<std::string> try_usage() const {
        return detail::copied_text(justcall_client_usage, native_handle(), JUSTCALL_USAGE_SIZE);
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // The same, throwing.
    client() : client(try_make().value()) {}
    explicit client(const config &settings) : client(try_make(settings).value()) {}
    account verify() const { return try_verify().value(); }
    account verify(const call_options &limits) const { return try_verify(limits).value(); }
    response send(const justcall::request &what) const { return try_send(what).value(); }
    response request(std::string_view method, std::string_view path) const {
        return try_request(method, path).value();
    }
    response request(std::string_view method, std::string_view path, std::string_view body) const {
        return try_request(method, path, body).value();
    }
    response get(std::string_view path) const { return try_get(path).value(); }
    response post(std::string_view path, std::string_view body) const {
        return try_post(path, body).value();
    }
    response put(std::string_view path, std::string_view body) const {
        return try_put(path, body).value();
    }
    response del(std::string_view path) const { return try_del(path).value(); }
    [[nodiscard]] secret_string authorization() const { return try_authorization().value(); }
    [[nodiscard]] secret_string authorization(const call_options &limits) const {
        return try_authorization(limits).value();
    }
    void replace(const credentials &pair) { try_replace(pair).value(); }
    void replace(const credentials &pair, const call_options &limits) {
        try_replace(pair, limits).value();
    }
    bool reload() { return try_reload().value(); }
    bool reload(const call_options &limits) { return try_reload(limits).value(); }
    [[nodiscard]] report protection() const { return try_protection().value(); }
    [[nodiscard]] report protection(const call_options &limits) const {
        return try_protection(limits).value();
    }
    [[nodiscard]] std::string key_hint() const { return try_key_hint().value(); }
    [[nodiscard]] std::string usage() const { return try_usage().value(); }
#endif
};

// Webhooks: whether a delivery is JustCall's -----------------------------------------------------

/// A verified delivery: all that its signature is over, and nothing of the body's data, which is
/// not signed. Immutable.
class webhook_event : public detail::handle<justcall_webhook_event> {
public:
    using handle::handle;

    /// The URL that it was signed for: justcall_webhook_event_url().
    [[nodiscard]] std::string_view url() const & noexcept {
        return detail::or_empty(justcall_webhook_event_url(native_handle()));
    }
    std::string_view url() const && = delete;

    /// The event's type, such as "call.completed": justcall_webhook_event_type().
    [[nodiscard]] std::string_view type() const & noexcept {
        return detail::or_empty(justcall_webhook_event_type(native_handle()));
    }
    std::string_view type() const && = delete;

    /// When it was signed: justcall_webhook_event_timestamp().
    [[nodiscard]] std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>
    timestamp() const noexcept {
        using seconds = std::chrono::seconds;
        return std::chrono::time_point<std::chrono::system_clock, seconds>(
            seconds(justcall_webhook_event_timestamp(native_handle())));
    }

    /// The path at which the API has the object that it is about, for client::get():
    /// justcall_webhook_event_object_path(). `body` is the bytes that were verified.
    result<std::string> try_object_path(std::string_view body) const {
        char path[128];
        std::size_t length = 0;
        const auto done =
            detail::call(justcall_webhook_event_object_path, native_handle(), body.data(),
                         body.size(), static_cast<char *>(path), sizeof path, &length);
        return done ? result<std::string>(std::string(path, length))
                    : result<std::string>(done.error());
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // The same, throwing.
    [[nodiscard]] std::string object_path(std::string_view body) const {
        return try_object_path(body).value();
    }
#endif

    /// Which secret signed it, from 0: justcall_webhook_event_secret_index().
    [[nodiscard]] std::size_t secret_index() const noexcept {
        return justcall_webhook_event_secret_index(native_handle());
    }

    /// The signature in lower case, however it was written: justcall_webhook_event_signature().
    [[nodiscard]] std::string_view signature() const & noexcept {
        return detail::or_empty(justcall_webhook_event_signature(native_handle()));
    }
    std::string_view signature() const && = delete;
};

/// The headers of a delivery that it is verified by, as they came: x-justcall-signature,
/// x-justcall-signature-version and x-justcall-request-timestamp.
struct webhook_headers {
    std::optional<std::string_view> signature, version, timestamp;
};

/// Says that deliveries for any URL will do: `webhook(justcall::any_url)`.
struct any_url_t {};
inline constexpr any_url_t any_url{};

namespace detail {

/// An event of the library's, for the length of a callback.
struct borrowed_event {
    explicit borrowed_event(const justcall_webhook_event *lent) noexcept
        : event(const_cast<justcall_webhook_event *>(lent)) {}
    borrowed_event(const borrowed_event &) = delete;
    borrowed_event &operator=(const borrowed_event &) = delete;
    ~borrowed_event() { static_cast<void>(event.release()); }

    webhook_event event;
};

inline justcall_status seen(bool before) noexcept {
    return before ? JUSTCALL_ERROR_WEBHOOK_REPLAYED : JUSTCALL_OK;
}

inline justcall_status seen(const result<bool> &before) noexcept {
    return before ? seen(*before) : static_cast<justcall_status>(before.error().status());
}

/// A justcall_replay_fn whose context is a `Function`: no exception leaves it.
template <typename Function>
justcall_status replay_check(void *context, const justcall_webhook_event *event) noexcept {
    const auto &function = *static_cast<const Function *>(context);
    const borrowed_event borrowed(event);
#ifdef JUSTCALL_NO_EXCEPTIONS
    return seen(function(borrowed.event));
#else
    try {
        return seen(function(borrowed.event));
    } catch (const error &why) {
        return static_cast<justcall_status>(why.status());
    } catch (...) {
        return JUSTCALL_ERROR_INVALID_ARGUMENT;
    }
#endif
}

} // namespace detail

/// Verifies deliveries of webhooks. Set it up on one thread; from then on any number of threads may
/// verify with it at once.
///
/// The body of a delivery is NOT signed, beyond `webhook_url` and `type`: before you act on what its
/// data says, fetch the object again through the API, such as with client::get().
class webhook : public detail::handle<justcall_webhook> {
public:
    using handle::handle;

    /// A verifier of deliveries for `url`, exactly as it is registered in JustCall, whose time is at
    /// most `tolerance` away: justcall_webhook_new().
    static result<webhook> try_make(std::string_view url,
                                    std::chrono::seconds tolerance = std::chrono::seconds(600)) {
        if (tolerance.count() < 0)
            return detail::invalid_argument("The tolerance is negative.",
                                            "Pass the maximum difference between the timestamp and the current time.");
        return detail::make<webhook>(justcall_webhook_new, url,
                                     static_cast<std::uint64_t>(tolerance.count()));
    }

    /// A verifier of deliveries for any URL: look at webhook_event::url().
    static result<webhook> try_make(any_url_t,
                                    std::chrono::seconds tolerance = std::chrono::seconds(600)) {
        return try_make(std::string_view(JUSTCALL_ANY_URL), tolerance);
    }

    /// Expects deliveries for `url` as well: justcall_webhook_add_url().
    result<void> try_url(std::string_view url) {
        return detail::call(justcall_webhook_add_url, native_handle(), url);
    }

    /// Takes deliveries that are signed with the API secret `secret`: justcall_webhook_add_secret().
    /// Your copy stays yours to wipe().
    result<void> try_secret(std::string_view secret) {
        return detail::call(justcall_webhook_add_secret, native_handle(), detail::not_null(secret),
                            secret.size());
    }

    /// Takes the secrets from a client: justcall_webhook_use_client().
    result<void> try_secrets_of(const client &source) {
        return detail::call(justcall_webhook_use_client, native_handle(), source.native_handle());
    }

    /// Asks `check` about every delivery that passed all else: justcall_webhook_set_replay_check().
    /// It is called with a `const webhook_event &`, as const, perhaps on several threads at once, and
    /// returns whether the event was seen before, as `bool` or `result<bool>`. A justcall::error that
    /// it throws or returns gives its status to the verification; anything else that it throws
    /// becomes errc::invalid_argument.
    template <typename Function> result<void> try_replay_check(Function &&check) {
        using function = std::decay_t<Function>;
        auto owned = std::make_unique<function>(std::forward<Function>(check));
        auto done = detail::call(justcall_webhook_set_replay_check, native_handle(),
                                 detail::replay_check<function>, owned.get(),
                                 detail::free_function<function>);
        if (done)
            static_cast<void>(owned.release());
        return done;
    }

    /// Verifies a delivery; `body` is the bytes that came: justcall_webhook_verify(). A failure with
    /// errc::webhook_unsigned is the probe that JustCall sends when a URL is saved, or a forgery:
    /// answer 200 and do nothing. Log it: behind a proxy that removes the signature headers, every
    /// genuine delivery looks like the probe.
    result<webhook_event>
    try_verify(const webhook_headers &headers, std::string_view body,
               std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const {
        const auto time = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
        return detail::make<webhook_event>(justcall_webhook_verify, native_handle(),
                                           headers.signature, headers.version, headers.timestamp,
                                           detail::not_null(body), body.size(),
                                           static_cast<std::int64_t>(time.count()));
    }

    /// The same; a client whose pair has to be read first is read within `limits`:
    /// justcall_webhook_verify_with().
    result<webhook_event>
    try_verify(const webhook_headers &headers, std::string_view body, const call_options &limits,
               std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const {
        if (const auto why = detail::without_limits(limits))
            return *why;
        const auto time = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
        return detail::make<webhook_event>(
            justcall_webhook_verify_with, native_handle(), headers.signature, headers.version,
            headers.timestamp, detail::not_null(body), body.size(),
            static_cast<std::int64_t>(time.count()),
            static_cast<const justcall_call_options *>(limits.native_handle()));
    }

    /// The results of the verifications of this verifier in this process, as OpenMetrics 1.0 text:
    /// justcall_webhook_usage(). Those of all verifiers with the secrets of a client are in
    /// client::usage().
    result<std::string> try_usage() const {
        return detail::copied_text(justcall_webhook_usage, native_handle(), JUSTCALL_USAGE_SIZE);
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // The same, throwing.
    explicit webhook(std::string_view url,
                     std::chrono::seconds tolerance = std::chrono::seconds(600))
        : webhook(try_make(url, tolerance).value()) {}
    explicit webhook(any_url_t, std::chrono::seconds tolerance = std::chrono::seconds(600))
        : webhook(try_make(any_url, tolerance).value()) {}
    webhook &url(std::string_view url) & { return try_url(url).value(), *this; }
    webhook url(std::string_view url) && { return std::move(this->url(url)); }
    webhook &secret(std::string_view secret) & { return try_secret(secret).value(), *this; }
    webhook secret(std::string_view secret) && { return std::move(this->secret(secret)); }
    webhook &secrets_of(const client &source) & { return try_secrets_of(source).value(), *this; }
    webhook secrets_of(const client &source) && { return std::move(secrets_of(source)); }
    template <typename Function> webhook &replay_check(Function &&check) & {
        return try_replay_check(std::forward<Function>(check)).value(), *this;
    }
    template <typename Function> webhook replay_check(Function &&check) && {
        return std::move(replay_check(std::forward<Function>(check)));
    }
    webhook_event
    verify(const webhook_headers &headers, std::string_view body,
           std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const {
        return try_verify(headers, body, now).value();
    }
    webhook_event
    verify(const webhook_headers &headers, std::string_view body, const call_options &limits,
           std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const {
        return try_verify(headers, body, limits, now).value();
    }
    [[nodiscard]] std::string usage() const { return try_usage().value(); }
#endif
};

// A local check of a pair -------------------------------------------------------------------------

/// Checks a pair as people paste it: `key:secret`, a header value or a header line:
/// justcall_diagnose().
inline result<report> try_diagnose(std::string_view text) {
    return detail::make<report>(justcall_diagnose, detail::not_null(text), text.size());
}

/// Checks the places where "default:" finds a pair: justcall_diagnose_environment().
inline result<report> try_diagnose_environment() {
    return detail::make<report>(justcall_diagnose_environment);
}

// Answers that came over your own HTTP -----------------------------------------------------------

namespace detail {

/// The headers of an answer as the C functions take them.
class c_headers {
public:
    /// `headers` are pairs of texts, in any container.
    template <typename Headers> explicit c_headers(const Headers &headers) {
        for (const auto &[name, value] : headers) {
            holds_nul_ = holds_nul_ || holds_nul(name) || holds_nul(value);
            texts_.emplace_back(name);
            texts_.emplace_back(value);
        }
        for (std::size_t index = 0; index < texts_.size(); index += 2) {
            names_.push_back(texts_[index].c_str());
            values_.push_back(texts_[index + 1].c_str());
        }
    }

    /// Calls `function` with `arguments`, these headers and `body`.
    template <typename Function, typename... Arguments>
    result<void> pass_to(Function function, std::string_view body, Arguments... arguments) const {
        if (holds_nul_)
            return invalid_argument("A header contains a NUL.",
                                    "Pass headers without NUL.");
        return call(function, arguments..., names_.data(), values_.data(), names_.size(),
                    body.data(), body.size());
    }

private:
    bool holds_nul_ = false;
    std::vector<std::string> texts_;
    std::vector<const char *> names_, values_;
};

/// The headers of an answer, where there is nothing else to tell their type by.
using listed_headers = std::initializer_list<std::pair<std::string_view, std::string_view>>;

} // namespace detail

/// Tells what an answer of the service means that you got over your own HTTP: justcall_classify().
/// Succeeds for 200 to 299. `headers` are pairs of texts, `{{"retry-after", "3"}}` or in any
/// container.
template <typename Headers = detail::listed_headers>
result<void> try_classify(std::int32_t http_status, const Headers &headers = {},
                          std::string_view body = {}) {
    return detail::c_headers(headers).pass_to(justcall_classify, body, http_status);
}

#ifndef JUSTCALL_NO_EXCEPTIONS
// The same, throwing.
[[nodiscard]] inline report diagnose(std::string_view text) { return try_diagnose(text).value(); }
[[nodiscard]] inline report diagnose_environment() { return try_diagnose_environment().value(); }

/// Throws what the answer means, unless that is success.
template <typename Headers = detail::listed_headers>
void classify(std::int32_t http_status, const Headers &headers = {}, std::string_view body = {}) {
    try_classify(http_status, headers, body).value();
}
#endif

// Exchange: a call over HTTP of your own ----------------------------------------------------------

/// What an exchange says to do.
enum class action : std::int32_t {
    /// Send the request, then report what came of it.
    send = JUSTCALL_ACTION_SEND,
    /// Ask again after a while.
    wait = JUSTCALL_ACTION_WAIT,
    /// Call exchange::load(), which may block.
    load = JUSTCALL_ACTION_LOAD,
    /// The call has succeeded: take exchange::response().
    done = JUSTCALL_ACTION_DONE,
};

/// Why your HTTP client got no response.
enum class cause : std::int32_t {
    /// The host's address was not found.
    resolve = JUSTCALL_CAUSE_RESOLVE,
    /// No connection was made.
    connect = JUSTCALL_CAUSE_CONNECT,
    /// The TLS handshake failed, for example because the certificate is not trusted.
    tls = JUSTCALL_CAUSE_TLS,
    /// Your HTTP client ran out of time.
    timeout = JUSTCALL_CAUSE_TIMEOUT,
    /// The connection was closed or reset before the response was complete.
    closed = JUSTCALL_CAUSE_CLOSED,
    /// Your program ended the request.
    cancelled = JUSTCALL_CAUSE_CANCELLED,
};

/// What to do. For action::wait, `wait` is the time to wait. For action::send it is the time left
/// until the call's deadline, or 0 if the call has no limit: the timeout for your HTTP client.
struct step {
    justcall::action action;
    std::chrono::milliseconds wait;
};

namespace detail {

inline header_field outgoing_at(const justcall_exchange *owner, std::size_t index) noexcept {
    return {or_empty(justcall_exchange_header_name(owner, index)),
            or_empty(justcall_exchange_header_value(owner, index))};
}

} // namespace detail

/// The headers of a request to send, which they are borrowed from.
using outgoing_headers = detail::items<justcall_exchange, detail::outgoing_at>;

/// One call with your own HTTP client, by the rules of client::send(): justcall_exchange. Loop over
/// next(), which returns what to do; only load() blocks. Your HTTP client must not follow redirects,
/// and the client's CA file and proxy do not apply to it. For one thread at a time.
class exchange : public detail::handle<justcall_exchange> {
public:
    using handle::handle;

    /// Creates an exchange for `what`, which is copied: justcall_exchange_new().
    static result<exchange> try_make(const client &of, const request &what) {
        return detail::make<exchange>(justcall_exchange_new, of.native_handle(),
                                      what.native_handle());
    }

    /// Says what to do now, or why the call has failed: justcall_exchange_next().
    result<step> try_next() {
        std::int32_t what = 0;
        std::uint64_t wait_ms = 0;
        const auto done = detail::call(justcall_exchange_next, native_handle(), &what, &wait_ms);
        if (!done)
            return done.error();
        return step{static_cast<action>(what), std::chrono::milliseconds(wait_ms)};
    }

    /// Reads the source, after action::load: justcall_exchange_load().
    result<void> try_load() { return detail::call(justcall_exchange_load, native_handle()); }

    /// The method of the request to send, good until the next next(): justcall_exchange_method().
    [[nodiscard]] std::string_view method() const & noexcept {
        return detail::or_empty(justcall_exchange_method(native_handle()));
    }
    std::string_view method() const && = delete;

    /// Its full URL, with a NUL at its end as for libcurl: justcall_exchange_url().
    [[nodiscard]] std::string_view url() const & noexcept {
        return detail::or_empty(justcall_exchange_url(native_handle()));
    }
    std::string_view url() const && = delete;

    /// Its headers, all but `Authorization` and what HTTP itself needs, as a range; good until the
    /// next next().
    [[nodiscard]] outgoing_headers headers() const & noexcept {
        return {native_handle(), justcall_exchange_header_count(native_handle())};
    }
    outgoing_headers headers() const && = delete;

    /// Its body, empty if it has none; good until the next next(): justcall_exchange_body().
    [[nodiscard]] std::string_view body() const & noexcept {
        std::size_t length = 0;
        const void *start = justcall_exchange_body(native_handle(), &length);
        return length == 0 ? std::string_view()
                           : std::string_view(static_cast<const char *>(start), length);
    }
    std::string_view body() const && = delete;

    /// Whether it asks about the pair, and goes without your body and headers:
    /// justcall_exchange_is_verifying().
    [[nodiscard]] bool is_verifying() const noexcept {
        return justcall_exchange_is_verifying(native_handle()) != 0;
    }

    /// The value of its `Authorization` header: take it right before you send, and again for each
    /// request: justcall_exchange_authorization().
    result<secret_string> try_authorization() {
        return detail::authorization(justcall_exchange_authorization, native_handle());
    }

    /// Reports the answer, with `headers` as for classify(): justcall_exchange_answered().
    template <typename Headers = detail::listed_headers>
    result<void> try_answered(std::int32_t http_status, const Headers &headers = {},
                              std::string_view body = {}) {
        return detail::c_headers(headers).pass_to(justcall_exchange_answered, body,
                                                  native_handle(), http_status);
    }

    /// Reports that your HTTP client got no response, and whether any byte of the request may have
    /// been sent: justcall_exchange_failed().
    result<void> try_failed(cause why, bool request_sent) {
        return detail::call(justcall_exchange_failed, native_handle(),
                            static_cast<std::int32_t>(why),
                            static_cast<std::int32_t>(request_sent));
    }

    /// The answer, after action::done: justcall_exchange_response().
    result<justcall::response> try_response() const {
        return detail::make<justcall::response>(
            justcall_exchange_response, static_cast<const justcall_exchange *>(native_handle()));
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // The same, throwing.
    exchange(const client &of, const request &what) : exchange(try_make(of, what).value()) {}
    step next() { return try_next().value(); }
    void load() { try_load().value(); }
    [[nodiscard]] secret_string authorization() { return try_authorization().value(); }
    template <typename Headers = detail::listed_headers>
    void answered(std::int32_t http_status, const Headers &headers = {},
                  std::string_view body = {}) {
        try_answered(http_status, headers, body).value();
    }
    void failed(cause why, bool request_sent) { try_failed(why, request_sent).value(); }
    [[nodiscard]] justcall::response response() const { return try_response().value(); }
#endif
};

} // inline namespace

} // namespace justcall

template <> struct std::is_error_code_enum<justcall::errc> : std::true_type {};

#endif // JUSTCALL_AUTH_HPP
