// Links two translation units that include the header. See units_other.cpp.

#include <justcall_auth.hpp>

#include <cstdio>

bool other_unit_is_good();

static justcall::credentials load() {
    return justcall::credentials("abc123def456", "sec789xyz000");
}

int main() {
    const justcall::client client(justcall::config().source(load));
    const bool good =
        client.authorization().size() == 25 && justcall::try_classify(200) && other_unit_is_good();
    std::puts(good ? "good" : "bad");
    return good ? 0 : 1;
}
