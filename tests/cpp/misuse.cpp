// Reads a value or an error that a result does not have, which must abort the program. misuse
// NUMBER

#include <justcall_auth.hpp>

#include <cstdlib>

int main(int argc, char **argv) {
    auto failed = justcall::credentials::try_make("", "");
    const auto good = justcall::try_classify(200);
    switch (argc == 2 ? std::atoi(argv[1]) : -1) {
    case 0:
        return static_cast<int>(failed->key_hint().size());
    case 1:
        return static_cast<int>((*failed).key_hint().size());
    case 2:
        return (*std::move(failed)).native_handle() ? 0 : 1;
    case 3:
        return static_cast<int>(good.error().status());
    default:
        return 2;
    }
}
