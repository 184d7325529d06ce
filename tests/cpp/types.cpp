// Checks at compile time which types can be copied, moved, converted and printed.

#include <justcall_auth.hpp>

#include <iostream>
#include <string>
#include <type_traits>
#include <utility>

namespace {

template <typename T>
constexpr bool moves_only =
    !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
    std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T> &&
    std::is_nothrow_destructible_v<T>;

static_assert(moves_only<justcall::credentials>);
static_assert(moves_only<justcall::config>);
static_assert(moves_only<justcall::client>);
static_assert(moves_only<justcall::account>);
static_assert(moves_only<justcall::request>);
static_assert(moves_only<justcall::call_options>);
static_assert(moves_only<justcall::cancel>);
static_assert(moves_only<justcall::response>);
static_assert(moves_only<justcall::report>);
static_assert(moves_only<justcall::webhook>);
static_assert(moves_only<justcall::webhook_event>);
static_assert(moves_only<justcall::secret_string>);
static_assert(moves_only<justcall::result<justcall::client>>);

// Each handle has the size of one pointer.
static_assert(sizeof(justcall::client) == sizeof(void *));
static_assert(sizeof(justcall::credentials) == sizeof(void *));

static_assert(std::is_base_of_v<std::exception, justcall::error>);
static_assert(std::is_nothrow_copy_constructible_v<justcall::error>);
static_assert(std::is_nothrow_copy_assignable_v<justcall::error>);
static_assert(std::is_nothrow_move_constructible_v<justcall::error>);
static_assert(std::is_nothrow_move_constructible_v<justcall::result<void>>);

static_assert(sizeof(justcall::errc) == sizeof(justcall_status));
static_assert(static_cast<int>(justcall::errc::invalid_credentials) == 401);
static_assert(std::is_error_code_enum_v<justcall::errc>);
static_assert(std::is_constructible_v<std::error_code, justcall::errc>);
static_assert(std::is_same_v<justcall::client, justcall::v0_1::client>);

// Functions that change a client or fire a cancel handle cannot be called through const.
template <typename T, typename = void> constexpr bool changes = false;
template <typename T>
constexpr bool changes<
    T, std::void_t<decltype(std::declval<T &>().shutdown(), std::declval<T &>().try_reload())>> =
    true;
static_assert(changes<justcall::client> && !changes<const justcall::client>);

// Handles, errors and bool have no implicit conversions.
static_assert(!std::is_convertible_v<justcall_client *, justcall::client>);
static_assert(!std::is_convertible_v<justcall::config, justcall::client>);
static_assert(!std::is_convertible_v<justcall::errc, justcall::error>);
static_assert(!std::is_convertible_v<justcall::result<void>, bool>);
static_assert(!std::is_convertible_v<justcall::client, bool>);
static_assert(!std::is_convertible_v<justcall::secret_string, std::string_view>);
static_assert(!std::is_convertible_v<justcall::secret_string, const char *>);

// A time that would be cut to whole milliseconds is refused: 500 us must not become 0, no limit.
template <typename Time, typename = void> constexpr bool takes_time = false;
template <typename Time>
constexpr bool takes_time<
    Time, std::void_t<decltype(std::declval<justcall::config &>().timeout(std::declval<Time>()))>> =
    true;
static_assert(takes_time<std::chrono::seconds> && takes_time<std::chrono::milliseconds>);
static_assert(!takes_time<std::chrono::microseconds> && !takes_time<int>);

template <typename T, typename = void> constexpr bool prints = false;
template <typename T>
constexpr bool
    prints<T, std::void_t<decltype(std::declval<std::ostream &>() << std::declval<T>())>> = true;
static_assert(prints<std::string_view>);
static_assert(!prints<justcall::secret_string> && !prints<justcall::secret_string &>);

// Functions that return a view cannot be called on a temporary object.
#define ASKS(name, ...)                                                                            \
    template <typename T, typename = void> constexpr bool asks_##name = false;                     \
    template <typename T>                                                                          \
    constexpr bool asks_##name<T, std::void_t<decltype(std::declval<T>().name(__VA_ARGS__))>> =    \
        true
ASKS(body, );
ASKS(header, "name");
ASKS(headers, );
ASKS(plan, );
ASKS(email, );
ASKS(verified_by, );
ASKS(key_hint, );
ASKS(message, );
ASKS(hint, );
ASKS(reason, );
ASKS(service_message, );
ASKS(url, );
ASKS(type, );
ASKS(signature, );
ASKS(view, );
ASKS(c_str, );
#define BORROWS(type, name) (asks_##name<const type &> && !asks_##name<type>)
static_assert(BORROWS(justcall::response, body));
static_assert(BORROWS(justcall::response, header));
static_assert(BORROWS(justcall::response, headers));
static_assert(BORROWS(justcall::account, plan));
static_assert(BORROWS(justcall::account, email));
static_assert(BORROWS(justcall::account, verified_by));
static_assert(BORROWS(justcall::credentials, key_hint));
static_assert(BORROWS(justcall::error, message));
static_assert(BORROWS(justcall::error, hint));
static_assert(BORROWS(justcall::error, reason));
static_assert(BORROWS(justcall::error, service_message));
static_assert(BORROWS(justcall::webhook_event, url));
static_assert(BORROWS(justcall::webhook_event, type));
static_assert(BORROWS(justcall::webhook_event, signature));
static_assert(BORROWS(justcall::secret_string, view));
static_assert(BORROWS(justcall::secret_string, c_str));

// A source is either a text or a function.
static_assert(!justcall::detail::is_source<std::string>::value);
static_assert(justcall::detail::is_source<justcall::credentials (*)()>::value);
static_assert(justcall::detail::is_source<std::string (*)()>::value == false,
              "a function that returns a text is no source");

} // namespace

int main() { std::cout << justcall::version() << "\n"; }
