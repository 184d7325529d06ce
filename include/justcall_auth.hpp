/*
 * justcall_auth.hpp - JustCall API authentication for C++17: justcall_auth.h with owners,
 * exceptions and views.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Example: check the pair in JUSTCALL_API_KEY and JUSTCALL_API_SECRET.
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
 * This header adds C++ types to the C library, and no other features. A comment that names a
 * `justcall_...()` function refers to justcall_auth.h. That header describes what the function does
 * and why it can fail. Link your program with -ljustcall_auth.
 *
 * ## Failures
 *
 * Every function that can fail has two forms. For example, `client.verify()` returns the account or
 * throws a justcall::error. `client.try_verify()` returns a justcall::result, which contains the
 * account or the error. The try_ forms of the constructors are called `try_make`. justcall::errc is
 * an error code enumeration for <system_error>, in the category justcall::error_category().
 *
 * The functions throw only justcall::error and std::bad_alloc. Both forms throw std::bad_alloc if
 * there is no memory for a copy that this header makes. If there is no memory for a copy that the
 * library makes, the error is errc::out_of_memory. If the program is compiled without exceptions
 * (-fno-exceptions), only the try_ forms exist, and JUSTCALL_NO_EXCEPTIONS is defined.
 *
 * ## Ownership
 *
 * Each object owns one C handle. You can move an object, but not copy it. You may destroy objects
 * in any order, because an object keeps everything that it needs. An object that was moved from is
 * empty, like NULL in C. Calls with an empty object fail with errc::invalid_argument. Its getters
 * return 0, an empty text or an empty optional.
 *
 * ## Views
 *
 * Functions return text as std::string_view. The object that returned a view owns its text. A view
 * is valid until that object is destroyed or assigned to. You cannot get a view from a temporary
 * object: `client.verify().plan()` does not compile. Store the object in a variable first. The
 * library copies the texts that you pass.
 *
 * ## Threads
 *
 * Several threads may call the const members of one object at the same time. Several threads may
 * call all members of one client or cancel at the same time. Use an exchange on one thread at a
 * time. Change any other object on one thread at a time.
 *
 * A signal handler may call only cancel::fire() and client::shutdown().
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

// The ABI of this header. The linker sees types of another ABI version as different types. It also
// sees types compiled with and without exceptions as different types. Therefore a program can link
// source files that use different versions or settings.
#ifdef JUSTCALL_NO_EXCEPTIONS
inline namespace v0_1_without_exceptions {
#else
inline namespace v0_1 {
#endif

// The library ------------------------------------------------------------------------------------

/// Returns the version of the library in use, such as "0.1.0". See justcall_version().
inline std::string_view version() noexcept { return justcall_version(); }

/// Returns the ABI version of the library in use. JUSTCALL_ABI_VERSION is the ABI version of the
/// header. See justcall_abi_version().
inline std::uint32_t abi_version() noexcept { return justcall_abi_version(); }

/// Overwrites `length` bytes with zeros. Compilers cannot optimize this function away. See
/// justcall_wipe().
inline void wipe(void *buffer, std::size_t length) noexcept { justcall_wipe(buffer, length); }

/// Forgets which pairs the service rejected, so that clients may send them again at once. This
/// function is for tests. See justcall_forget_rejections().
inline void forget_rejections() noexcept { justcall_forget_rejections(); }

/// The reason why a call failed. If the service reported the failure, the number equals the HTTP
/// status of its response. A later version of the library may return numbers that this header does
/// not define.
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

/// Returns the name of a status, such as "invalid_credentials". See justcall_status_name().
inline std::string_view name(errc status) noexcept {
    return justcall_status_name(static_cast<justcall_status>(status));
}

namespace detail {

/// The std::error_category of `errc`.
class status_category final : public std::error_category {
  public:
    const char *name() const noexcept override { return "justcall"; }

    /// Returns the message of a status, as in the C header. Returns the name of the status if the
    /// library does not know it.
    std::string message(int status) const override {
        justcall_error *why = nullptr;
        const auto made = justcall_error_new(status, nullptr, &why);
        const std::unique_ptr<justcall_error, void (*)(justcall_error *)> owned(
            why, justcall_error_free);
        return made == status ? justcall_error_message(why) : justcall_status_name(status);
    }

    /// Maps a status to a standard error condition, for programs that do not know `errc`.
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

/// Returns the category of the error codes of this library. The name of the category is "justcall".
inline const std::error_category &error_category() noexcept {
    static const detail::status_category category;
    return category;
}

/// Returns the error code of a status. Example: `std::error_code code = justcall::errc::timeout`.
inline std::error_code make_error_code(errc status) noexcept {
    return {static_cast<int>(status), error_category()};
}

// Parts of the types below. Do not use them in your program.
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

/// Owns a C handle and frees it.
template <typename C> class handle {
public:
    using c_type = C;

    /// Takes ownership of a handle that a C function returned.
    explicit handle(C *owned) noexcept : owned_(owned) {}

    /// Returns the C handle, to pass it to C functions. This object keeps ownership of the handle.
    /// Returns nullptr after this object was moved from.
    [[nodiscard]] C *native_handle() const noexcept { return owned_.get(); }

    /// Returns the C handle and gives up ownership of it. The caller must free the handle.
    [[nodiscard]] C *release() noexcept { return owned_.release(); }

protected:
    handle(handle &&) noexcept = default;
    handle &operator=(handle &&) noexcept = default;
    ~handle() = default;

private:
    std::unique_ptr<C, free_handle> owned_;
};

/// A copy of a text with a NUL at the end, for a C function. The copy is wiped after the call,
/// because the text may contain a password.
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

/// A c_string for an optional text. It is NULL if the text is absent.
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

/// Returns a pointer that is not NULL even if `bytes` is empty. The C functions accept NULL only
/// for an absent value.
inline const char *not_null(std::string_view bytes) noexcept {
    return bytes.data() ? bytes.data() : "";
}

inline std::optional<std::string_view> optional_text(const char *text) noexcept {
    return text ? std::optional<std::string_view>(text) : std::nullopt;
}

inline std::string_view or_empty(const char *text) noexcept { return text ? text : ""; }

/// A range over numbered items of a C handle. `at(owner, index)` returns an item.
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
    /// Returns the item number `index`, counted from 0. Returns an item with empty texts if there
    /// is no such item.
    auto operator[](std::size_t index) const noexcept { return at(owner_, index); }

private:
    const C *owner_;
    std::size_t size_;
};

} // namespace detail

// Response: what came back -----------------------------------------------------------------------

/// A header of a response. The name is in lower case.
struct header_field {
    std::string_view name, value;
};

/// A window of the account's rate limit. A member is empty if the response does not report it.
struct rate_window {
    /// The number of requests that the window allows.
    std::optional<std::int64_t> limit;
    /// The number of requests that are left in the window.
    std::optional<std::int64_t> remaining;
    /// The time when the next window starts.
    std::optional<std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>> reset;
};

namespace detail {

inline header_field header_at(const justcall_response *owner, std::size_t index) noexcept {
    return {or_empty(justcall_response_header_name(owner, index)),
            or_empty(justcall_response_header_value(owner, index))};
}

/// A C function that returns a number of the rate limit, or -1.
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

/// The headers of a response. The response owns their texts.
using header_list = detail::items<justcall_response, detail::header_at>;

/// A response of the service. A response is immutable.
class response {
public:
    using c_type = justcall_response;

    /// Takes ownership of a handle that a C function returned.
    explicit response(justcall_response *owned) : shared_(owned, detail::free_handle{}) {}

    response(response &&) noexcept = default;
    response &operator=(response &&) noexcept = default;

    /// Returns the HTTP status. See justcall_response_http_status().
    [[nodiscard]] std::int32_t http_status() const noexcept {
        return justcall_response_http_status(native_handle());
    }

    /// Returns the whole body, after decompression. See justcall_response_body().
    [[nodiscard]] std::string_view body() const & noexcept {
        std::size_t length = 0;
        const void *bytes = justcall_response_body(native_handle(), &length);
        return {static_cast<const char *>(bytes), length};
    }
    std::string_view body() const && = delete;

    /// Returns the value of the first header with this name. Header names are not case-sensitive.
    /// See justcall_response_header().
    std::optional<std::string_view> header(std::string_view name) const & {
        if (detail::holds_nul(name))
            return std::nullopt;
        return detail::optional_text(justcall_response_header(native_handle(), detail::c_string(name)));
    }
    std::optional<std::string_view> header(std::string_view name) const && = delete;

    /// Returns all headers as a range, in the order of the response. Example: `for (auto [name,
    /// value] : answer.headers())`.
    [[nodiscard]] header_list headers() const & noexcept {
        return {native_handle(), justcall_response_header_count(native_handle())};
    }
    header_list headers() const && = delete;

    /// Returns the long window of the account's rate limit, as this response reports it. See
    /// justcall_response_rate_limit().
    [[nodiscard]] rate_window rate_limit() const noexcept {
        return detail::long_window(justcall_response_rate_limit, native_handle());
    }

    /// Returns the short window of the account's rate limit, as this response reports it. See
    /// justcall_response_rate_limit().
    [[nodiscard]] rate_window burst_rate_limit() const noexcept {
        return detail::burst_window(justcall_response_rate_limit, native_handle());
    }

    /// Returns the C handle. This object keeps ownership of the handle. Returns nullptr after this
    /// object was moved from.
    [[nodiscard]] const justcall_response *native_handle() const noexcept { return shared_.get(); }

  private:
    friend class error;
    explicit response(std::shared_ptr<const justcall_response> shared) noexcept
        : shared_(std::move(shared)) {}

    // This object is the only owner, or shares the response with the error that the response
    // belongs to.
    std::shared_ptr<const justcall_response> shared_;
};

// Errors -----------------------------------------------------------------------------------------

class error;

namespace detail {
error invalid_argument(const char *message, const char *hint) noexcept;
}

/// The details of a failure. Copies of an error share its contents, so copying never throws. No
/// text of an error contains a secret.
class error : public std::exception {
public:
    /// Creates an error without details. Use it in your own source function, see config::source().
    explicit error(errc status) noexcept
        : status_(status), name_(justcall_status_name(static_cast<justcall_status>(status))),
          message_(name_), hint_("") {}

    /// Creates an error with a message. Use it in your own source function, see config::source().
    /// The library removes control characters from `message`, masks secrets in use, and cuts
    /// `message` at 512 bytes. See justcall_error_new().
    error(errc status, std::string_view message) : error(made(status, message)) {}

    /// Takes ownership of an error that a C function returned. `owned` must not be NULL.
    explicit error(justcall_error *owned)
        : shared_(owned, detail::free_handle{}),
          status_(static_cast<errc>(justcall_error_status(owned))),
          name_(justcall_error_name(owned)), message_(justcall_error_message(owned)),
          hint_(justcall_error_hint(owned)) {}

    // There are no move operations, because a moved-from error would have no texts.
    error(const error &) noexcept = default;
    error &operator=(const error &) noexcept = default;
    ~error() override = default;

    /// Returns the status of the failure. Example: `error.status() ==
    /// justcall::errc::rate_limited`.
    [[nodiscard]] errc status() const noexcept { return status_; }

    /// Returns the status as a std::error_code, for programs that use <system_error>.
    [[nodiscard]] std::error_code code() const noexcept { return make_error_code(status_); }

    /// Returns the name of the status, which is the same in every programming language. The text is
    /// static. See justcall_error_name().
    [[nodiscard]] std::string_view name() const noexcept { return name_; }

    /// Returns a description of the failure, in one or more sentences. See
    /// justcall_error_message().
    [[nodiscard]] std::string_view message() const & noexcept { return message_; }
    std::string_view message() const && = delete;

    /// Returns the same text as message(), for programs that only know std::exception.
    const char *what() const noexcept override { return message_; }

    /// Returns an instruction that explains to a person how to fix the failure. See
    /// justcall_error_hint().
    [[nodiscard]] std::string_view hint() const & noexcept { return hint_; }
    std::string_view hint() const && = delete;

    /// Returns the error message in the body of the service's response, as one line. See
    /// justcall_error_service_message().
    [[nodiscard]] std::optional<std::string_view> service_message() const & noexcept {
        return detail::optional_text(justcall_error_service_message(native_handle()));
    }
    std::optional<std::string_view> service_message() const && = delete;

    /// Returns one word that is more specific than the name, such as "plan" or "connect". See
    /// justcall_error_reason().
    [[nodiscard]] std::optional<std::string_view> reason() const & noexcept {
        return detail::optional_text(justcall_error_reason(native_handle()));
    }
    std::optional<std::string_view> reason() const && = delete;

    /// Returns the HTTP status of the last response, or 0 if there was no response. See
    /// justcall_error_http_status().
    [[nodiscard]] std::int32_t http_status() const noexcept {
        return justcall_error_http_status(native_handle());
    }

    /// Returns true if the same call may succeed later without any change. See
    /// justcall_error_retryable().
    [[nodiscard]] bool retryable() const noexcept {
        return justcall_error_retryable(native_handle()) != 0;
    }

    /// Returns how long to wait before you call again. See justcall_error_retry_after_ms().
    [[nodiscard]] std::optional<std::chrono::milliseconds> retry_after() const noexcept {
        const auto wait = justcall_error_retry_after_ms(native_handle());
        return wait < 0 ? std::nullopt : std::optional<std::chrono::milliseconds>(wait);
    }

    /// Returns true if any attempt may have delivered the request to the service, even if the call
    /// failed for another reason. See justcall_error_request_sent().
    [[nodiscard]] bool request_sent() const noexcept {
        return justcall_error_request_sent(native_handle()) != 0;
    }

    /// Returns the HTTP method of the request that failed. Returns an empty text if the failure
    /// does not belong to a request. See justcall_error_method().
    [[nodiscard]] std::string_view method() const & noexcept {
        return detail::or_empty(justcall_error_method(native_handle()));
    }
    std::string_view method() const && = delete;

    /// Returns the path of the request that failed, without its query. The path may contain a
    /// telephone number. Returns an empty text if the failure does not belong to a request. See
    /// justcall_error_path().
    [[nodiscard]] std::string_view path() const & noexcept {
        return detail::or_empty(justcall_error_path(native_handle()));
    }
    std::string_view path() const && = delete;

    /// Returns how many times the request was sent. See justcall_error_attempts().
    [[nodiscard]] std::uint32_t attempts() const noexcept {
        return justcall_error_attempts(native_handle());
    }

    /// Returns the last response of the service, such as a 422 whose body names the invalid fields.
    /// If a retry got no response, the last response is that of an earlier attempt. The response
    /// remains valid after this error is destroyed. See justcall_error_response().
    [[nodiscard]] std::optional<justcall::response> response() const noexcept {
        const auto *answer = justcall_error_response(native_handle());
        if (!answer)
            return std::nullopt;
        return justcall::response(std::shared_ptr<const justcall_response>(shared_, answer));
    }

    /// Returns the C handle. This object keeps ownership of the handle. Returns nullptr if the
    /// error did not come from a C function.
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
    // These texts belong to `shared_` or are static.
    const char *name_, *message_, *hint_;
};

namespace detail {

/// Creates an error that this header itself detects. `message` and `hint` must be static texts.
inline error invalid_argument(const char *message, const char *hint) noexcept {
    return error(errc::invalid_argument, message, hint);
}

/// Returns the object that `value` points to, or calls std::abort() if `value` is nullptr.
template <typename T> T &present(T *value) noexcept {
    if (!value)
        std::abort();
    return *value;
}

} // namespace detail

/// The result of a try_ function: a value or an error. Check it before you use the value: `if (auto
/// account = client.try_verify())`. The program is aborted if you read the value of a failure or
/// the error of a success. value() throws the error instead.
template <typename T> class [[nodiscard]] result {
public:
    using value_type = T;

    result(T value) noexcept : state_(std::in_place_index<0>, std::move(value)) {}
    result(const justcall::error &why) noexcept : state_(std::in_place_index<1>, why) {}

    /// Returns true if this result has a value.
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }

    T &operator*() &noexcept { return detail::present(std::get_if<0>(&state_)); }
    const T &operator*() const &noexcept { return detail::present(std::get_if<0>(&state_)); }
    T operator*() &&noexcept { return std::move(detail::present(std::get_if<0>(&state_))); }
    T *operator->() noexcept { return &detail::present(std::get_if<0>(&state_)); }
    const T *operator->() const noexcept { return &detail::present(std::get_if<0>(&state_)); }

    /// Returns the value, or `other` if this result has no value.
    template <typename U> T value_or(U &&other) const & {
        return has_value() ? **this : static_cast<T>(std::forward<U>(other));
    }
    template <typename U> T value_or(U &&other) && {
        return has_value() ? *std::move(*this) : static_cast<T>(std::forward<U>(other));
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    /// Returns the value, or throws the error if this result has no value.
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

/// The result of a try_ function that returns no value.
template <> class [[nodiscard]] result<void> {
public:
    using value_type = void;

    result() noexcept = default;
    result(const justcall::error &why) noexcept : why_(why) {}

    /// Returns true if the call succeeded.
    explicit operator bool() const noexcept { return has_value(); }
    [[nodiscard]] bool has_value() const noexcept { return !why_; }

#ifndef JUSTCALL_NO_EXCEPTIONS
    /// Throws the error if the call failed.
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

/// The type that a C++ argument has when it is passed to a C function. A text becomes a `c_string`.
/// Other types do not change.
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

/// Calls a C function with `arguments` and a pointer that receives its error.
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

/// Calls a C function that creates a handle, and returns the handle as an `Owner`.
template <typename Owner, typename Function, typename... Arguments>
result<Owner> make(Function function, Arguments... arguments) {
    typename Owner::c_type *out = nullptr;
    const auto done = call(function, arguments..., &out);
    return done ? result<Owner>(Owner(out)) : result<Owner>(done.error());
}

/// Returns the text that a C function copies into a buffer of `size` bytes.
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

/// A cancel handle, which ends calls early from any thread or from a signal handler. Pass it to
/// request::cancel() or call_options::cancel().
class cancel : public detail::handle<justcall_cancel> {
  public:
    using handle::handle;

    /// Creates a cancel handle. See justcall_cancel_new().
    cancel() noexcept : handle(justcall_cancel_new()) {}

    /// Ends all calls that use this cancel handle with errc::cancelled. Calls that start later end
    /// too. This function is thread-safe. Signal handlers may call this function. See
    /// justcall_cancel_fire().
    void fire() noexcept { justcall_cancel_fire(native_handle()); }
};

/// A time limit and a cancel handle for calls that send no justcall::request. You can chain the
/// setters. Example: `client.verify(call_options().timeout(2s))`.
class call_options : public detail::handle<justcall_call_options> {
  public:
    using handle::handle;

    /// Creates call options in which nothing is set. See justcall_call_options_new().
    call_options() noexcept : handle(justcall_call_options_new()) {}

    /// Limits each call with these options, instead of the client's timeout. 0 means no limit. See
    /// justcall_call_options_set_timeout_ms().
    result<void> try_timeout(std::chrono::milliseconds limit) {
        return detail::set_time(justcall_call_options_set_timeout_ms, native_handle(), limit);
    }

    /// Sets the cancel handle of calls with these options. See justcall_call_options_set_cancel().
    result<void> try_cancel(const justcall::cancel &by) {
        return detail::call(justcall_call_options_set_cancel, native_handle(), by.native_handle());
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // Throwing forms.
    call_options &timeout(std::chrono::milliseconds limit) & {
        return try_timeout(limit).value(), *this;
    }
    call_options timeout(std::chrono::milliseconds limit) && { return std::move(timeout(limit)); }
    call_options &cancel(const justcall::cancel &by) & { return try_cancel(by).value(), *this; }
    call_options cancel(const justcall::cancel &by) && { return std::move(cancel(by)); }
#endif
};

namespace detail {

/// Returns an error if the options were moved from, because C functions treat NULL as no limits.
inline std::optional<error> without_limits(const call_options &limits) noexcept {
    if (limits.native_handle())
        return std::nullopt;
    return invalid_argument("The options of the call are empty, because they were moved.",
                            "Pass the object that the options were moved to.");
}

} // namespace detail

// Credentials: an API key and its secret ---------------------------------------------------------

/// The value of an `Authorization` header. The destructor wipes the value. An object of this type
/// cannot be printed. view() and c_str() return the secret.
class secret_string {
public:
    explicit secret_string(detail::secret_buffer buffer) noexcept : buffer_(std::move(buffer)) {}

    /// Returns the value as a view. The view is valid until this object is destroyed.
    [[nodiscard]] std::string_view view() const & noexcept {
        return detail::or_empty(buffer_.get());
    }
    std::string_view view() const && = delete;

    /// Returns the value with a NUL at the end, for example for libcurl.
    [[nodiscard]] const char *c_str() const & noexcept { return view().data(); }
    const char *c_str() const && = delete;

    /// Returns the length of the value without the NUL. Returns 0 after this object was moved from.
    [[nodiscard]] std::size_t size() const noexcept { return view().size(); }

    template <typename Character, typename Traits>
    friend std::basic_ostream<Character, Traits> &
    operator<<(std::basic_ostream<Character, Traits> &, const secret_string &) = delete;

private:
    detail::secret_buffer buffer_;
};

namespace detail {

/// Calls a C function that writes an `Authorization` value. `arguments` come before the buffer.
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

/// An API key and its secret, which were checked when the object was created. The library wipes
/// their memory. Credentials are immutable.
class credentials : public detail::handle<justcall_credentials> {
public:
    using handle::handle;

    /// Checks an API key and its secret without contacting the service. You keep your own copies:
    /// wipe them with wipe(). See justcall_credentials_new().
    static result<credentials> try_make(std::string_view key, std::string_view secret) {
        return detail::make<credentials>(justcall_credentials_new, detail::not_null(key),
                                         key.size(), detail::not_null(secret), secret.size());
    }

    /// Reads a pair from a source, such as "default:" or "file:PATH". See
    /// justcall_credentials_load().
    static result<credentials> try_load(std::string_view source) {
        return detail::make<credentials>(justcall_credentials_load, source);
    }

    /// Reads a pair from a source within `limits`. See justcall_credentials_load_with().
    static result<credentials> try_load(std::string_view source, const call_options &limits) {
        if (const auto why = detail::without_limits(limits))
            return *why;
        return detail::make<credentials>(
            justcall_credentials_load_with, source,
            static_cast<const justcall_call_options *>(limits.native_handle()));
    }

    /// Returns the value of the `Authorization` header. See justcall_credentials_authorization().
    result<secret_string> try_authorization() const {
        return detail::authorization(justcall_credentials_authorization, native_handle());
    }

    /// Returns a shortened form of the API key, which identifies the pair in logs. See
    /// justcall_credentials_key_hint().
    [[nodiscard]] std::string_view key_hint() const & noexcept {
        return detail::or_empty(justcall_credentials_key_hint(native_handle()));
    }
    std::string_view key_hint() const && = delete;

#ifndef JUSTCALL_NO_EXCEPTIONS
    // Throwing forms.
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

/// Stores the error of a callback in `*out` if it has a message. Returns the status of the error.
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

/// A justcall_load_fn whose context is a `Function`. It catches all exceptions.
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

/// The kind of an event. A later version of the library may report kinds that this header does not
/// define.
enum class event_kind : std::int32_t {
    /// The service accepted a new pair, and the new pair is now in use.
    rotated = JUSTCALL_EVENT_ROTATED,
    /// The service rejected a new pair, or the new pair belongs to another account. The old pair
    /// remains in use.
    candidate_rejected = JUSTCALL_EVENT_CANDIDATE_REJECTED,
    /// The service rejected the pair in use.
    pair_rejected = JUSTCALL_EVENT_PAIR_REJECTED,
    /// Calls wait until the source has another pair. config::rotation_wait() sets how long calls
    /// wait.
    waiting_for_source = JUSTCALL_EVENT_WAITING_FOR_SOURCE,
    /// A call failed and will be retried after a wait.
    retrying = JUSTCALL_EVENT_RETRYING,
    /// Less than a tenth of the account's rate limit is left.
    rate_limit_low = JUSTCALL_EVENT_RATE_LIMIT_LOW,
    /// The source has a new pair. The next call proves the new pair.
    source_changed = JUSTCALL_EVENT_SOURCE_CHANGED,
    /// The pair in use is at least 90 days old and should be rotated.
    rotation_due = JUSTCALL_EVENT_ROTATION_DUE,
    /// The number of requests in one minute was more than twice that of the busiest minute before.
    usage_spike = JUSTCALL_EVENT_USAGE_SPIKE,
};

/// An event that the library reports to your event handler. The event and its texts are valid until
/// the handler returns.
class event {
public:
    explicit event(const justcall_event *borrowed) noexcept : borrowed_(borrowed) {}
    event(const event &) = delete;
    event &operator=(const event &) = delete;

    [[nodiscard]] event_kind kind() const noexcept {
        return static_cast<event_kind>(justcall_event_kind(borrowed_));
    }

    /// Returns the name of the kind, such as "rotated". See justcall_event_name().
    [[nodiscard]] std::string_view name() const noexcept {
        return detail::or_empty(justcall_event_name(borrowed_));
    }

    /// Returns a description of the event, in one or more sentences. The text never contains a
    /// secret, so you may log it. See justcall_event_message().
    [[nodiscard]] std::string_view message() const noexcept {
        return detail::or_empty(justcall_event_message(borrowed_));
    }

    /// Returns the generation of the pair that the event is about, or 0 if the event is about no
    /// pair. See justcall_event_generation().
    [[nodiscard]] std::uint64_t generation() const noexcept {
        return justcall_event_generation(borrowed_);
    }

    /// Returns the HTTP status that caused the event, or 0 if no HTTP status caused it. See
    /// justcall_event_http_status().
    [[nodiscard]] std::int32_t http_status() const noexcept {
        return justcall_event_http_status(borrowed_);
    }

    /// Returns how long the call now waits, or 0 if the call does not wait. See
    /// justcall_event_wait_ms().
    [[nodiscard]] std::chrono::milliseconds wait() const noexcept {
        return std::chrono::milliseconds(justcall_event_wait_ms(borrowed_));
    }

private:
    const justcall_event *borrowed_;
};

namespace detail {

/// A justcall_event_fn whose context is a `Function`. It catches all exceptions.
template <typename Function>
void handle_event(void *context, const justcall_event *what) noexcept {
    const auto &function = *static_cast<const Function *>(context);
#ifdef JUSTCALL_NO_EXCEPTIONS
    function(event(what));
#else
    try {
        function(event(what));
    } catch (...) {
        // An exception of the handler must not make the call fail that caused the event.
    }
#endif
}

} // namespace detail

// Configuration: how a client is set up ----------------------------------------------------------

/// How a pair is protected in memory between calls.
enum class memory : std::int32_t {
    /// Keeps the pair in locked memory pages, encrypted. If the system refuses to lock memory, the
    /// pair is kept on the heap. This is the default.
    automatic = JUSTCALL_MEMORY_AUTO,
    /// Keeps the pair in locked memory pages. If the system refuses to lock memory, calls fail with
    /// errc::memory_protection.
    strict = JUSTCALL_MEMORY_STRICT,
    /// Keeps the pair on the heap. The library wipes this memory when it frees the pair, but does
    /// not lock or encrypt it.
    heap = JUSTCALL_MEMORY_HEAP,
    /// Keeps the pair in memory that even the kernel cannot read. If the system does not offer such
    /// memory, calls fail with errc::memory_protection.
    secretmem = JUSTCALL_MEMORY_SECRETMEM,
};

/// The settings of clients. Every setting that you do not set keeps its default. A client copies
/// the settings. You can chain the setters. Example: `client(config().source("env:").timeout(5s))`.
class config : public detail::handle<justcall_config> {
public:
    using handle::handle;

    /// Creates a configuration in which every setting has its default. See justcall_config_new().
    config() noexcept : handle(justcall_config_new()) {}

    /// Sets the source of the pair. A client reads the source at its first call. See
    /// justcall_config_set_source().
    result<void> try_source(std::string_view source) {
        return detail::call(justcall_config_set_source, native_handle(), source);
    }

    /// Sets your own function that returns the pair, as `credentials` or `result<credentials>`. The
    /// library calls the function as const, when it needs the pair. Several threads may call the
    /// function at the same time. The library destroys the function once, on any thread, when it
    /// will not call it any more. If the function throws or returns a justcall::error, the call
    /// that needs the pair fails with its status and message. If the function throws anything else,
    /// that call fails with errc::source_unavailable. See justcall_config_set_source_callback().
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

    /// Sets a pair that the program already has, instead of a source. See
    /// justcall_config_set_credentials().
    result<void> try_credentials(const justcall::credentials &pair) {
        return detail::call(justcall_config_set_credentials, native_handle(), pair.native_handle());
    }

    /// Sets the URL of the service. See justcall_config_set_base_url().
    result<void> try_base_url(std::string_view url) {
        return detail::call(justcall_config_set_base_url, native_handle(), url);
    }

    /// Sets the path that client::verify() requests, instead of the default paths. See
    /// justcall_config_set_verify_path().
    result<void> try_verify_path(std::string_view path) {
        return detail::call(justcall_config_set_verify_path, native_handle(), path);
    }

    /// Sets the time limit of a whole call. 0 means no limit. See justcall_config_set_timeout_ms().
    result<void> try_timeout(std::chrono::milliseconds limit) {
        return detail::set_time(justcall_config_set_timeout_ms, native_handle(), limit);
    }

    /// Sets the maximum number of retries of a call. See justcall_config_set_max_retries().
    result<void> try_max_retries(std::int32_t n) {
        return detail::call(justcall_config_set_max_retries, native_handle(), n);
    }

    /// Sets how long calls wait for a new pair after the service rejected the pair in use. 0 means
    /// no wait. See justcall_config_set_rotation_wait_ms().
    result<void> try_rotation_wait(std::chrono::milliseconds wait) {
        return detail::set_time(justcall_config_set_rotation_wait_ms, native_handle(), wait);
    }

    /// Sets your own function that handles events. Its type is `void (const justcall::event &)`.
    /// The library calls the function as const. Several threads may call the function at the same
    /// time. The library destroys the function once, on any thread, when it will not call it any
    /// more. The function may use any client. The library ignores exceptions of the function. See
    /// justcall_config_set_event_handler().
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

    /// Sets a PEM file of certificate authorities, which clients trust instead of the system's. See
    /// justcall_config_set_ca_file().
    result<void> try_ca_file(std::string_view path) {
        return detail::call(justcall_config_set_ca_file, native_handle(), path);
    }

    /// Sets certificate authorities from memory, which clients trust instead of the system's. See
    /// justcall_config_set_ca_pem().
    result<void> try_ca_pem(std::string_view pem) {
        return detail::call(justcall_config_set_ca_pem, native_handle(), detail::not_null(pem),
                            pem.size());
    }

    /// Sets the local IP address of connections. With "", the system chooses the address. See
    /// justcall_config_set_local_address().
    result<void> try_local_address(std::string_view address) {
        return detail::call(justcall_config_set_local_address, native_handle(), address);
    }

    /// Sets the maximum length of a response body in bytes. 0 means no limit. See
    /// justcall_config_set_max_response_length().
    result<void> try_max_response_length(std::size_t length) {
        return detail::call(justcall_config_set_max_response_length, native_handle(), length);
    }

    /// Sets a file in which clients record that their pair is used. The command `justcall-auth
    /// status` reads the file. See justcall_config_set_state_file().
    result<void> try_state_file(std::string_view path) {
        return detail::call(justcall_config_set_state_file, native_handle(), path);
    }

    /// Sets the proxy. Set "" to use no proxy. See justcall_config_set_proxy().
    result<void> try_proxy(std::string_view url) {
        return detail::call(justcall_config_set_proxy, native_handle(), url);
    }

    /// Sets the account that the pair must belong to. `id` must not be 0. In our measurements, the
    /// JustCall service did not name the account of a pair. See
    /// justcall_config_set_expected_account().
    result<void> try_expected_account(std::uint64_t id) {
        return detail::call(justcall_config_set_expected_account, native_handle(), id);
    }

    /// Sets how the pair is protected in memory between calls. See
    /// justcall_config_set_memory_protection().
    result<void> try_memory_protection(memory level) {
        return detail::call(justcall_config_set_memory_protection, native_handle(),
                            static_cast<std::int32_t>(level));
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // Throwing forms.
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

/// A request to the service. You can chain the setters. Example: `client.send(request("POST",
/// "/v2/texts").header("x-trace", id).body(json))`.
class request : public detail::handle<justcall_request> {
public:
    using handle::handle;

    /// Creates a request. `path` starts with a slash. See justcall_request_new().
    static result<request> try_make(std::string_view method, std::string_view path) {
        return detail::make<request>(justcall_request_new, method, path);
    }

    /// Adds `name=value` to the query. The library percent-encodes both. See
    /// justcall_request_add_query().
    result<void> try_query(std::string_view name, std::string_view value) {
        return detail::call(justcall_request_add_query, native_handle(), name, value);
    }

    /// Sets a header. Replaces an existing header with the same name. See
    /// justcall_request_set_header().
    result<void> try_header(std::string_view name, std::string_view value) {
        return detail::call(justcall_request_set_header, native_handle(), name, value);
    }

    /// Sets the body to bytes of any kind. The function copies the bytes. See
    /// justcall_request_set_body().
    result<void> try_body(std::string_view bytes) {
        return detail::call(justcall_request_set_body, native_handle(), bytes.data(), bytes.size());
    }

    /// Limits each call of this request, instead of the client's timeout. 0 means no limit. See
    /// justcall_request_set_timeout_ms().
    result<void> try_timeout(std::chrono::milliseconds limit) {
        return detail::set_time(justcall_request_set_timeout_ms, native_handle(), limit);
    }

    /// Sets the cancel handle of this request. See justcall_request_set_cancel().
    result<void> try_cancel(const justcall::cancel &by) {
        return detail::call(justcall_request_set_cancel, native_handle(), by.native_handle());
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // Throwing forms.
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

/// The account that a pair belongs to. A detail is empty if the service did not return it. An
/// account is immutable.
class account : public detail::handle<justcall_account> {
public:
    using handle::handle;

    /// Returns the number of the account. See justcall_account_id().
    [[nodiscard]] std::optional<std::uint64_t> id() const noexcept {
        const auto number = justcall_account_id(native_handle());
        return number == 0 ? std::nullopt : std::optional<std::uint64_t>(number);
    }

    /// Returns the e-mail address of the account. See justcall_account_email().
    [[nodiscard]] std::optional<std::string_view> email() const & noexcept {
        return detail::optional_text(justcall_account_email(native_handle()));
    }
    std::optional<std::string_view> email() const && = delete;

    /// Returns the plan of the account, such as "Pro". See justcall_account_plan().
    [[nodiscard]] std::optional<std::string_view> plan() const & noexcept {
        return detail::optional_text(justcall_account_plan(native_handle()));
    }
    std::optional<std::string_view> plan() const && = delete;

    /// Returns the path whose response proved the pair. See justcall_account_verified_by().
    [[nodiscard]] std::string_view verified_by() const & noexcept {
        return detail::or_empty(justcall_account_verified_by(native_handle()));
    }
    std::string_view verified_by() const && = delete;
};

// Report: what a check found ----------------------------------------------------------------------

/// The severity of a finding.
enum class severity : std::int32_t {
    /// The finding is useful to know if the service rejects the pair.
    note = JUSTCALL_SEVERITY_NOTE,
    /// The pair can work as it is, but the finding is probably a mistake.
    warning = JUSTCALL_SEVERITY_WARNING,
    /// The pair cannot work, and the library would send nothing.
    error = JUSTCALL_SEVERITY_ERROR,
};

/// A finding of a report. The report owns the texts of the finding.
struct finding {
    justcall::severity severity;
    /// The code of the finding, such as "trailing_whitespace". It is the same in every programming
    /// language.
    std::string_view code;
    /// A sentence that describes the finding.
    std::string_view message;
    /// The remedy for the finding: what to do about it.
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

/// The findings of a report. The report owns their texts.
using finding_list = detail::items<justcall_report, detail::finding_at>;

/// A range of findings, sorted so that the worst finding comes first. The range is empty if nothing
/// is wrong. A report is immutable.
class report : public detail::handle<justcall_report> {
public:
    using handle::handle;

    [[nodiscard]] finding_list::iterator begin() const noexcept { return findings().begin(); }
    [[nodiscard]] finding_list::iterator end() const noexcept { return findings().end(); }
    [[nodiscard]] std::size_t size() const noexcept {
        return justcall_report_count(native_handle());
    }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    /// Returns the finding number `index`, counted from 0. Returns a finding with empty texts if
    /// there is no such finding.
    finding operator[](std::size_t index) const &noexcept { return findings()[index]; }
    finding operator[](std::size_t index) const && = delete;

private:
  [[nodiscard]] finding_list findings() const noexcept { return {native_handle(), size()}; }
};

// Client: calls of the service -------------------------------------------------------------------

/// A client of the JustCall API. Create one client and keep it: the client holds the pair and the
/// open connections. Several threads may use one client at the same time. Do not destroy a client
/// while a call uses it. Calls of a client block.
class client : public detail::handle<justcall_client> {
public:
    using handle::handle;

    /// Creates a client in which every setting has its default. See justcall_client_new().
    static result<client> try_make() {
        return detail::make<client>(justcall_client_new,
                                    static_cast<const justcall_config *>(nullptr));
    }

    /// Creates a client with these settings. See justcall_client_new().
    static result<client> try_make(const config &settings) {
        // The C function treats NULL as the default settings.
        if (!settings.native_handle())
            return detail::invalid_argument("The configuration is empty, because it was moved.",
                                            "Pass the object that the configuration was moved to.");
        return detail::make<client>(justcall_client_new, settings.native_handle());
    }

    /// Asks the service whether the pair is valid and which account it belongs to. See
    /// justcall_client_verify().
    result<account> try_verify() const {
        return detail::make<account>(justcall_client_verify, native_handle());
    }

    /// Verifies the pair within `limits`. See justcall_client_verify_with().
    result<account> try_verify(const call_options &limits) const {
        if (const auto why = detail::without_limits(limits))
            return *why;
        return detail::make<account>(
            justcall_client_verify_with, native_handle(),
            static_cast<const justcall_call_options *>(limits.native_handle()));
    }

    /// Sends a request and returns the response. You keep ownership of the request and may send it
    /// again. A response with an HTTP status of 300 or more is an error. error::response() returns
    /// the response of such an error. See justcall_client_send().
    result<response> try_send(const justcall::request &what) const {
        return detail::make<response>(justcall_client_send, native_handle(), what.native_handle());
    }

    /// Sends a request without extra headers and without a body. See justcall_client_request().
    result<response> try_request(std::string_view method, std::string_view path) const {
        return detail::make<response>(justcall_client_request, native_handle(), method, path,
                                      static_cast<const void *>(nullptr), std::size_t{0});
    }

    /// Sends a request without extra headers and with a body, which may be empty. See
    /// justcall_client_request().
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

    /// Returns the value of the `Authorization` header for the pair that the client's calls use
    /// now. Use it for a request that you send yourself. See justcall_client_authorization().
    result<secret_string> try_authorization() const {
        return detail::authorization(justcall_client_authorization, native_handle());
    }

    /// Returns the value of the `Authorization` header within `limits`. See
    /// justcall_client_authorization_with().
    result<secret_string> try_authorization(const call_options &limits) const {
        if (const auto why = detail::without_limits(limits))
            return *why;
        return detail::authorization(
            justcall_client_authorization_with, native_handle(),
            static_cast<const justcall_call_options *>(limits.native_handle()));
    }

    /// Verifies another pair and uses it from then on. See justcall_client_replace().
    result<void> try_replace(const credentials &pair) {
        return detail::call(justcall_client_replace, native_handle(), pair.native_handle());
    }

    /// Replaces the pair within `limits`. See justcall_client_replace_with().
    result<void> try_replace(const credentials &pair, const call_options &limits) {
        if (const auto why = detail::without_limits(limits))
            return *why;
        return detail::call(justcall_client_replace_with, native_handle(), pair.native_handle(),
                            static_cast<const justcall_call_options *>(limits.native_handle()));
    }

    /// Reads the source now. Returns true if the source has a new pair. See
    /// justcall_client_reload().
    result<bool> try_reload() {
        std::int32_t changed = 0;
        const auto done = detail::call(justcall_client_reload, native_handle(), &changed);
        return done ? result<bool>(changed != 0) : result<bool>(done.error());
    }

    /// Reads the source within `limits`. See justcall_client_reload_with().
    result<bool> try_reload(const call_options &limits) {
        if (const auto why = detail::without_limits(limits))
            return *why;
        std::int32_t changed = 0;
        const auto done = detail::call(
            justcall_client_reload_with, native_handle(),
            static_cast<const justcall_call_options *>(limits.native_handle()), &changed);
        return done ? result<bool>(changed != 0) : result<bool>(done.error());
    }

    /// Ends every call of this client with errc::cancelled, including calls that start later. This
    /// function is thread-safe. Signal handlers may call this function. See
    /// justcall_client_shutdown().
    void shutdown() noexcept { justcall_client_shutdown(native_handle()); }

    /// Returns a report of one finding: how the pair is protected in memory between calls. See
    /// justcall_client_protection().
    result<report> try_protection() const {
        return detail::make<report>(justcall_client_protection, native_handle());
    }

    /// Reports the memory protection within `limits`. See justcall_client_protection_with().
    result<report> try_protection(const call_options &limits) const {
        if (const auto why = detail::without_limits(limits))
            return *why;
        return detail::make<report>(
            justcall_client_protection_with, native_handle(),
            static_cast<const justcall_call_options *>(limits.native_handle()));
    }

    /// Returns the generation of the pair in use, or 0 if no call has read a pair yet. See
    /// justcall_client_generation().
    [[nodiscard]] std::uint64_t generation() const noexcept {
        return justcall_client_generation(native_handle());
    }

    /// Returns the long window of the account's rate limit, as the last response reports it. See
    /// justcall_client_rate_limit().
    [[nodiscard]] rate_window rate_limit() const noexcept {
        return detail::long_window<justcall_client>(justcall_client_rate_limit, native_handle());
    }

    /// Returns the short window of the account's rate limit, as the last response reports it. See
    /// justcall_client_rate_limit().
    [[nodiscard]] rate_window burst_rate_limit() const noexcept {
        return detail::burst_window<justcall_client>(justcall_client_rate_limit, native_handle());
    }

    /// Returns the shortened API key of the pair in use. The text is empty if no call has read a
    /// pair yet. See justcall_client_key_hint().
    result<std::string> try_key_hint() const {
        return detail::copied_text(justcall_client_key_hint, native_handle(), 16);
    }

    /// Returns usage metrics of all clients that share this client's pair, as OpenMetrics 1.0 text.
    /// See justcall_client_usage().
    result<std::string> try_usage() const {
        return detail::copied_text(justcall_client_usage, native_handle(), JUSTCALL_USAGE_SIZE);
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // Throwing forms.
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

/// A verified webhook delivery. A webhook event contains everything that the signature covers, and
/// none of the unsigned data in the body. A webhook event is immutable.
class webhook_event : public detail::handle<justcall_webhook_event> {
public:
    using handle::handle;

    /// Returns the URL that the delivery was signed for. See justcall_webhook_event_url().
    [[nodiscard]] std::string_view url() const & noexcept {
        return detail::or_empty(justcall_webhook_event_url(native_handle()));
    }
    std::string_view url() const && = delete;

    /// Returns the type of the event, such as "call.completed". See justcall_webhook_event_type().
    [[nodiscard]] std::string_view type() const & noexcept {
        return detail::or_empty(justcall_webhook_event_type(native_handle()));
    }
    std::string_view type() const && = delete;

    /// Returns the time when the delivery was signed. See justcall_webhook_event_timestamp().
    [[nodiscard]] std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>
    timestamp() const noexcept {
        using seconds = std::chrono::seconds;
        return std::chrono::time_point<std::chrono::system_clock, seconds>(
            seconds(justcall_webhook_event_timestamp(native_handle())));
    }

    /// Returns the API path of the object that the event is about. Pass this path to client::get().
    /// `body` is the bytes that were verified. See justcall_webhook_event_object_path().
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
    // Throwing forms.
    [[nodiscard]] std::string object_path(std::string_view body) const {
        return try_object_path(body).value();
    }
#endif

    /// Returns the number of the secret that signed the delivery, counted from 0. See
    /// justcall_webhook_event_secret_index().
    [[nodiscard]] std::size_t secret_index() const noexcept {
        return justcall_webhook_event_secret_index(native_handle());
    }

    /// Returns the signature in lower case, even if the delivery had upper case. See
    /// justcall_webhook_event_signature().
    [[nodiscard]] std::string_view signature() const & noexcept {
        return detail::or_empty(justcall_webhook_event_signature(native_handle()));
    }
    std::string_view signature() const && = delete;
};

/// The three signature headers of a delivery, as they were received: x-justcall-signature,
/// x-justcall-signature-version and x-justcall-request-timestamp.
struct webhook_headers {
    std::optional<std::string_view> signature, version, timestamp;
};

/// The type of `any_url`, which makes a verifier accept deliveries for every URL. Example:
/// `webhook(justcall::any_url)`.
struct any_url_t {};
inline constexpr any_url_t any_url{};

namespace detail {

/// A webhook event that the library owns. It is valid until the callback returns.
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

/// A justcall_replay_fn whose context is a `Function`. It catches all exceptions.
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

/// A verifier of webhook deliveries. Set up a verifier on one thread. After the setup, several
/// threads may verify deliveries with one verifier at the same time.
///
/// The signature of a delivery does NOT cover its body, except for `webhook_url` and `type`. Before
/// you act on the data of a delivery, fetch the object through the API, for example with
/// client::get().
class webhook : public detail::handle<justcall_webhook> {
public:
    using handle::handle;

    /// Creates a verifier of webhook deliveries for `url`. Write the URL exactly as it is
    /// registered in JustCall. The verifier refuses a delivery if its time differs from yours by
    /// more than `tolerance`. See justcall_webhook_new().
    static result<webhook> try_make(std::string_view url,
                                    std::chrono::seconds tolerance = std::chrono::seconds(600)) {
        if (tolerance.count() < 0)
            return detail::invalid_argument("The tolerance is negative.",
                                            "Pass the maximum difference between the timestamp and the current time.");
        return detail::make<webhook>(justcall_webhook_new, url,
                                     static_cast<std::uint64_t>(tolerance.count()));
    }

    /// Creates a verifier that accepts deliveries for every URL. Check webhook_event::url()
    /// yourself.
    static result<webhook> try_make(any_url_t,
                                    std::chrono::seconds tolerance = std::chrono::seconds(600)) {
        return try_make(std::string_view(JUSTCALL_ANY_URL), tolerance);
    }

    /// Accepts deliveries for `url` as well. See justcall_webhook_add_url().
    result<void> try_url(std::string_view url) {
        return detail::call(justcall_webhook_add_url, native_handle(), url);
    }

    /// Accepts deliveries that are signed with the API secret `secret`. You keep your own copy:
    /// wipe it with wipe(). See justcall_webhook_add_secret().
    result<void> try_secret(std::string_view secret) {
        return detail::call(justcall_webhook_add_secret, native_handle(), detail::not_null(secret),
                            secret.size());
    }

    /// Makes the verifier use the API secrets of a client. See justcall_webhook_use_client().
    result<void> try_secrets_of(const client &source) {
        return detail::call(justcall_webhook_use_client, native_handle(), source.native_handle());
    }

    /// Sets your own function that detects repeated deliveries. The library runs the check for
    /// every delivery that passed all other checks. The library passes a `const webhook_event &`
    /// and calls the function as const. Several threads may call the function at the same time. The
    /// function returns true if the event was seen before, as `bool` or `result<bool>`. If the
    /// function throws or returns a justcall::error, the verification fails with its status. If the
    /// function throws anything else, the verification fails with errc::invalid_argument. See
    /// justcall_webhook_set_replay_check().
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

    /// Verifies one webhook delivery. `body` is the bytes that were received. A failure with
    /// errc::webhook_unsigned is a test delivery that JustCall sends when a webhook URL is saved,
    /// or a forgery. Answer an unsigned delivery with the HTTP status 200 and do nothing else. Log
    /// errc::webhook_unsigned. If a proxy removes the signature headers, every genuine delivery
    /// fails with errc::webhook_unsigned too. See justcall_webhook_verify().
    result<webhook_event>
    try_verify(const webhook_headers &headers, std::string_view body,
               std::chrono::system_clock::time_point now = std::chrono::system_clock::now()) const {
        const auto time = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
        return detail::make<webhook_event>(justcall_webhook_verify, native_handle(),
                                           headers.signature, headers.version, headers.timestamp,
                                           detail::not_null(body), body.size(),
                                           static_cast<std::int64_t>(time.count()));
    }

    /// Verifies one webhook delivery within `limits`. The limits apply if the pair of the
    /// verifier's client has to be read first. See justcall_webhook_verify_with().
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

    /// Returns the metrics of this verifier in this process, as OpenMetrics 1.0 text.
    /// client::usage() returns the metrics of all verifiers that use the client's secrets. See
    /// justcall_webhook_usage().
    result<std::string> try_usage() const {
        return detail::copied_text(justcall_webhook_usage, native_handle(), JUSTCALL_USAGE_SIZE);
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // Throwing forms.
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

/// Checks the text that a person pasted as a pair. The text is `key:secret`, a header value or a
/// header line. See justcall_diagnose().
inline result<report> try_diagnose(std::string_view text) {
    return detail::make<report>(justcall_diagnose, detail::not_null(text), text.size());
}

/// Checks every source in which "default:" finds a pair. See justcall_diagnose_environment().
inline result<report> try_diagnose_environment() {
    return detail::make<report>(justcall_diagnose_environment);
}

// Answers that came over your own HTTP -----------------------------------------------------------

namespace detail {

/// The headers of a response, in the form that C functions accept.
class c_headers {
public:
    /// Converts `headers`, which is any container of pairs of texts.
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

/// The default type of headers, for arguments such as `{}` that have no type.
using listed_headers = std::initializer_list<std::pair<std::string_view, std::string_view>>;

} // namespace detail

/// Classifies a response that your own HTTP client received from the service. Succeeds for the HTTP
/// statuses 200 to 299. `headers` is any container of pairs of texts, such as `{{"retry-after",
/// "3"}}`. See justcall_classify().
template <typename Headers = detail::listed_headers>
result<void> try_classify(std::int32_t http_status, const Headers &headers = {},
                          std::string_view body = {}) {
    return detail::c_headers(headers).pass_to(justcall_classify, body, http_status);
}

#ifndef JUSTCALL_NO_EXCEPTIONS
// Throwing forms.
[[nodiscard]] inline report diagnose(std::string_view text) { return try_diagnose(text).value(); }
[[nodiscard]] inline report diagnose_environment() { return try_diagnose_environment().value(); }

/// Throws the error that the response stands for. Returns if the response is a success.
template <typename Headers = detail::listed_headers>
void classify(std::int32_t http_status, const Headers &headers = {}, std::string_view body = {}) {
    try_classify(http_status, headers, body).value();
}
#endif

// Exchange: a call over HTTP of your own ----------------------------------------------------------

/// The next action of an exchange.
enum class action : std::int32_t {
    /// Send the request, then report the result.
    send = JUSTCALL_ACTION_SEND,
    /// Call exchange::next() again after `step::wait`.
    wait = JUSTCALL_ACTION_WAIT,
    /// Call exchange::load(), which may block.
    load = JUSTCALL_ACTION_LOAD,
    /// The call has succeeded. exchange::response() returns the response.
    done = JUSTCALL_ACTION_DONE,
};

/// The reason why your HTTP client got no response.
enum class cause : std::int32_t {
    /// Your HTTP client could not resolve the name of the host.
    resolve = JUSTCALL_CAUSE_RESOLVE,
    /// Your HTTP client could not connect.
    connect = JUSTCALL_CAUSE_CONNECT,
    /// The TLS handshake failed, for example because the certificate is not trusted.
    tls = JUSTCALL_CAUSE_TLS,
    /// Your HTTP client reached its timeout.
    timeout = JUSTCALL_CAUSE_TIMEOUT,
    /// The connection was closed or reset before the response was complete.
    closed = JUSTCALL_CAUSE_CLOSED,
    /// Your program cancelled the request.
    cancelled = JUSTCALL_CAUSE_CANCELLED,
};

/// The next action and its time. For action::wait, `wait` is the time to wait. For action::send,
/// `wait` is the time until the deadline of the call, or 0 if the call has no deadline. Use this
/// time as the timeout of your HTTP client.
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

/// The headers of the request that you have to send. The exchange owns their texts.
using outgoing_headers = detail::items<justcall_exchange, detail::outgoing_at>;

/// An exchange is one call that you make with your own HTTP client, with the same rules as
/// client::send(). Call next() in a loop: it returns the next action. Only load() blocks. Your HTTP
/// client must not follow redirects. The CA file and the proxy of the justcall::client do not apply
/// to your HTTP client. Use an exchange on one thread at a time. See justcall_exchange.
class exchange : public detail::handle<justcall_exchange> {
public:
    using handle::handle;

    /// Creates an exchange for `what`. The function copies the request. See
    /// justcall_exchange_new().
    static result<exchange> try_make(const client &of, const request &what) {
        return detail::make<exchange>(justcall_exchange_new, of.native_handle(),
                                      what.native_handle());
    }

    /// Returns the next action, or the error of the call if the call has failed. See
    /// justcall_exchange_next().
    result<step> try_next() {
        std::int32_t what = 0;
        std::uint64_t wait_ms = 0;
        const auto done = detail::call(justcall_exchange_next, native_handle(), &what, &wait_ms);
        if (!done)
            return done.error();
        return step{static_cast<action>(what), std::chrono::milliseconds(wait_ms)};
    }

    /// Reads the source after action::load. See justcall_exchange_load().
    result<void> try_load() { return detail::call(justcall_exchange_load, native_handle()); }

    /// Returns the HTTP method of the request that you have to send. The text is valid until the
    /// next call of next(). See justcall_exchange_method().
    [[nodiscard]] std::string_view method() const & noexcept {
        return detail::or_empty(justcall_exchange_method(native_handle()));
    }
    std::string_view method() const && = delete;

    /// Returns the full URL of the request that you have to send. The text has a NUL at the end, as
    /// libcurl requires. See justcall_exchange_url().
    [[nodiscard]] std::string_view url() const & noexcept {
        return detail::or_empty(justcall_exchange_url(native_handle()));
    }
    std::string_view url() const && = delete;

    /// Returns the headers of the request that you have to send, as a range. The range does not
    /// include `Authorization`, or headers that your HTTP client sets. The range is valid until the
    /// next call of next().
    [[nodiscard]] outgoing_headers headers() const & noexcept {
        return {native_handle(), justcall_exchange_header_count(native_handle())};
    }
    outgoing_headers headers() const && = delete;

    /// Returns the body of the request that you have to send. The view is empty if the request has
    /// no body. The view is valid until the next call of next(). See justcall_exchange_body().
    [[nodiscard]] std::string_view body() const & noexcept {
        std::size_t length = 0;
        const void *start = justcall_exchange_body(native_handle(), &length);
        return length == 0 ? std::string_view()
                           : std::string_view(static_cast<const char *>(start), length);
    }
    std::string_view body() const && = delete;

    /// Returns true if the request that you have to send verifies the pair. Send such a request
    /// without your own body and headers. See justcall_exchange_is_verifying().
    [[nodiscard]] bool is_verifying() const noexcept {
        return justcall_exchange_is_verifying(native_handle()) != 0;
    }

    /// Returns the value of the `Authorization` header. Call this function for each request, right
    /// before you send it. See justcall_exchange_authorization().
    result<secret_string> try_authorization() {
        return detail::authorization(justcall_exchange_authorization, native_handle());
    }

    /// Reports the response. `headers` has the same form as for classify(). See
    /// justcall_exchange_answered().
    template <typename Headers = detail::listed_headers>
    result<void> try_answered(std::int32_t http_status, const Headers &headers = {},
                              std::string_view body = {}) {
        return detail::c_headers(headers).pass_to(justcall_exchange_answered, body,
                                                  native_handle(), http_status);
    }

    /// Reports that your HTTP client got no response. Pass false as `request_sent` only if your
    /// HTTP client certainly sent no byte of the request. See justcall_exchange_failed().
    result<void> try_failed(cause why, bool request_sent) {
        return detail::call(justcall_exchange_failed, native_handle(),
                            static_cast<std::int32_t>(why),
                            static_cast<std::int32_t>(request_sent));
    }

    /// Returns the response after action::done. See justcall_exchange_response().
    result<justcall::response> try_response() const {
        return detail::make<justcall::response>(
            justcall_exchange_response, static_cast<const justcall_exchange *>(native_handle()));
    }

#ifndef JUSTCALL_NO_EXCEPTIONS
    // Throwing forms.
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
