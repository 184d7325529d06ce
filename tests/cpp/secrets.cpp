// No memory that this header frees holds a secret: every block is looked at before it goes.

#include "support.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>

static int blocks_with_secret;

// Each block begins with its size.
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

static int left_by(void (*use)()) {
    blocks_with_secret = 0;
    use();
    return blocks_with_secret;
}

static void it_finds_what_is_not_wiped() {
    CHECK(left_by([] { const std::string careless(200, 'x'), secret = SECRET + careless; }) == 1);
}

static void it_wipes_what_it_gives_out() {
    CHECK(left_by([] {
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
    CHECK(left_by([] {
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
    it_finds_what_is_not_wiped();
    it_wipes_what_it_gives_out();
    it_wipes_its_copies_of_texts();
    return checks_result();
}
