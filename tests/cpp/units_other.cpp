// The second translation unit of units_main.cpp, compiled with and without exceptions.

#include <justcall_auth.hpp>

bool other_unit_is_good();

bool other_unit_is_good() {
    justcall::config config;
    const auto source = [] {
        return justcall::credentials::try_make("abc123def456", "sec789xyz000");
    };
    const auto client = config.try_source(source) ? justcall::client::try_make(config)
                                                  : justcall::client::try_make();
    const auto secret = client->try_authorization();
    return secret && secret->size() == 25 && !justcall::try_classify(404);
}
