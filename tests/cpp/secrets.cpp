// Checks that no memory that the C++ header frees contains a secret: `operator delete` searches
// each block before it frees it.

#include "support.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

static int blocks_with_secret;

// Each block starts with its size.
static const std::size_t front = alignof(std::max_align_t);

void *operator new(std::size_t size) {
    auto *block = static_cast<char *>(std::calloc(1, size + front));
    if (!block)
        std::abort();
    *reinterpret_cast<std::size_t *>(block) = size;
    return block + front;
}

void operator delete(void *memory) noexcept {
    if (!memory)
        return;
    auto *block = static_cast<char *>(memory) - front;
    const std::string_view bytes(block + front, *reinterpret_cast<std::size_t *>(block));
    blocks_with_secret += bytes.find(SECRET) != bytes.npos ? 1 : 0;
    std::free(block);
}

void operator delete(void *memory, std::size_t) noexcept { operator delete(memory); }

static int blocks_left_by(void (*use)()) {
    blocks_with_secret = 0;
    use();
    return blocks_with_secret;
}

static void the_control_finds_a_secret_that_is_not_wiped() {
    CHECK(blocks_left_by([] { const std::string padding(200, 'x'), secret = SECRET + padding; }) ==
          1);
}

static void it_wipes_the_secrets_that_it_returns() {
    CHECK(blocks_left_by([] {
              const justcall::credentials pair(KEY, SECRET);
              auto secret = pair.authorization();
              CHECK(secret.view() == PAIR);
              auto moved = std::move(secret);
              moved = pair.authorization();
              const auto result = pair.try_authorization();
              const justcall::client client(justcall::config().credentials(pair));
              CHECK(client.authorization().size() == strlen(PAIR));
          }) == 0);
}

static void it_wipes_its_copies_of_texts() {
    CHECK(blocks_left_by([] {
              justcall::config config;
              config.proxy("http://user:" SECRET "@proxy.example:8080");
              CHECK(!config.try_source("a text that should have been a source, not a pair: " PAIR));
              justcall::request request("GET", "/");
              request.header("x-secret-of-another-service", "a long enough value: " SECRET);
              request.query("a long enough name: " SECRET, "value");
              CHECK(!justcall::diagnose("Authorization: Bearer a-long-enough-key:" SECRET).empty());
          }) == 0);
}

int main() {
    the_control_finds_a_secret_that_is_not_wiped();
    it_wipes_the_secrets_that_it_returns();
    it_wipes_its_copies_of_texts();
    return checks_result();
}
